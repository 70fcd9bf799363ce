/* SPDX-License-Identifier: Apache-2.0 */
/* S3's error codes (API reference, "Error responses"), those that a user can do something about. */
#include "cloud/s3_error.h"

#include <string.h>

#include "cloud/s3_answer.h"
#include "core/memory.h"
#include "core/text.h"

#define NO_KMS_KEY "there is no such KMS key in this region: check its id"

static const struct fault_kind {
	const char *code;
	enum error_kind kind;
	const char *text; /* what is wrong and what to do */
} kinds[] = {
	{ "NoSuchBucket", ERROR_NOT_FOUND,
	  "there is no such bucket: create it, or correct its name" },
	{ "NoSuchKey", ERROR_NOT_FOUND, "there is no such object" },
	{ "AccessDenied", ERROR_AUTH,
	  "access denied: the credentials are good, but a policy does not allow this (needed are "
	  "s3:ListBucket on the bucket, s3:GetObject, s3:PutObject and s3:DeleteObject on its "
	  "objects)" },
	{ "AllAccessDisabled", ERROR_AUTH, "access to this bucket has been disabled by its owner" },
	{ "InvalidAccessKeyId", ERROR_AUTH,
	  "the access key id is not known there: check the secret, and that it belongs to this "
	  "endpoint" },
	{ "SignatureDoesNotMatch", ERROR_AUTH,
	  "the secret access key does not belong to the access key id: check the secret for a "
	  "typing error or a stray line break" },
	{ "ExpiredToken", ERROR_AUTH,
	  "the session token has expired: get new temporary credentials and update the secret" },
	{ "InvalidToken", ERROR_AUTH,
	  "the session token is not valid: it must come with its own access key id and secret "
	  "key" },
	{ "InvalidTokenId", ERROR_AUTH,
	  "the session token is not valid: it must come with its own access key id and secret "
	  "key" },
	{ "RequestTimeTooSkewed", ERROR_AUTH,
	  "this machine's clock is more than 15 minutes off: set it (for instance with NTP)" },
	{ "RequestExpired", ERROR_AUTH,
	  "this machine's clock is off: set it (for instance with NTP)" },
	{ "PreconditionFailed", ERROR_CONFLICT, "somebody else changed it" },
	{ "NoSuchUpload", ERROR_NOT_FOUND,
	  "the upload is gone: somebody aborted it, or a lifecycle rule of the bucket did" },
	{ "BadDigest", ERROR_UNAVAILABLE, "what arrived is not what was sent" },
	{ "XAmzContentSHA256Mismatch", ERROR_UNAVAILABLE, "what arrived is not what was sent" },
	{ "KMS.NotFoundException", ERROR_NOT_FOUND, NO_KMS_KEY },
	{ "kms:KeyNotFound", ERROR_NOT_FOUND, NO_KMS_KEY }, /* MinIO */
	{ "KMS.DisabledException", ERROR_INVALID, "the KMS key is disabled" },
	{ "InvalidStorageClass", ERROR_INVALID, "the server has no such storage class" },
	{ "InvalidBucketName", ERROR_INVALID, "this is no valid name of a bucket" },
	{ "EntityTooLarge", ERROR_INVALID, "the object is larger than the server takes" },
	{ "SlowDown", ERROR_UNAVAILABLE, "the server asks to slow down" },
	{ "ServiceUnavailable", ERROR_UNAVAILABLE, "the server is overloaded" },
	{ "InternalError", ERROR_UNAVAILABLE, "the server had an internal error" },
	{ "RequestTimeout", ERROR_TIMEOUT, "the server waited too long for the data" },
	{ "XMinioServerNotInitialized", ERROR_UNAVAILABLE, "the server is still starting" },
	{ "XMinioStorageFull", ERROR_UNAVAILABLE, "the server's disk is full" },
};

/* Codes that mean: ask in another region. */
static const char *const region_codes[] = {
	"PermanentRedirect",
	"TemporaryRedirect",
	"Redirect",
	"AuthorizationHeaderMalformed",
	"IllegalLocationConstraintException",
	NULL,
};

/* Codes of 4xx that another try may not meet. */
static const char *const passing_codes[] = {
	"RequestTimeout", /* 400: the body was too slow */
	"OperationAborted",
	"ConditionalRequestConflict",
	"BadDigest", /* changed on its way */
	"XAmzContentSHA256Mismatch",
	NULL,
};

static bool is_among(const char *const *codes, const char *code)
{
	for (; code && *codes; codes++)
		if (text_equal(*codes, code))
			return true;
	return false;
}

static void parse(const struct http_response *response, struct s3_fault *fault)
{
	s3_fault_parse(response->body ? response->body : "", response->body_size, fault);
}

bool s3_has_fault(const struct http_response *response)
{
	struct s3_fault fault;
	bool has_code;

	parse(response, &fault);
	has_code = fault.code != NULL;
	s3_fault_release(&fault);
	return has_code;
}

bool s3_is_passing(const struct http_response *response)
{
	struct s3_fault fault;
	bool is_passing;

	if (response->status >= 500 || response->status == 429 || response->status == 408)
		return true;
	if (response->status != 400 && response->status != 409)
		return false;
	parse(response, &fault);
	is_passing = is_among(passing_codes, fault.code);
	s3_fault_release(&fault);
	return is_passing;
}

bool s3_is_expiry(const struct http_response *response, bool is_head)
{
	struct s3_fault fault;
	bool is_expiry;

	if (response->status != 400 && response->status != 403)
		return false;
	parse(response, &fault);
	is_expiry = fault.code ? text_equal(fault.code, "ExpiredToken")
	                       : is_head && response->status == 400;
	s3_fault_release(&fault);
	return is_expiry;
}

static const struct fault_kind *find_kind(const char *code)
{
	for (size_t i = 0; code && i < ARRAY_SIZE(kinds); i++)
		if (text_equal(kinds[i].code, code))
			return &kinds[i];
	return NULL;
}

static enum error_kind kind_of_status(int status)
{
	return status == 404                    ? ERROR_NOT_FOUND
	       : status == 401 || status == 403 ? ERROR_AUTH
	       : status == 409 || status == 412 ? ERROR_CONFLICT
	       : status == 408                  ? ERROR_TIMEOUT
	       : status == 429 || status >= 500 ? ERROR_UNAVAILABLE
	                                        : ERROR_INVALID;
}

/* "eu-west-1" from "bucket.s3.eu-west-1.amazonaws.com" or the older "bucket.s3-eu-west-1.…": the
 * label before Amazon's own domain. */
static char *region_of_endpoint(const char *endpoint)
{
	const char *end = endpoint ? strstr(endpoint, ".amazonaws.com") : NULL;
	const char *start = end;

	while (start && start > endpoint && start[-1] != '.')
		start--;
	if (start && text_starts_with(start, "s3-"))
		start += strlen("s3-");
	return start ? xstrndup(start, (size_t)(end - start)) : NULL;
}

char *s3_right_region(const struct http_response *response, bool *at_other_host)
{
	struct s3_fault fault;
	char *region;

	if (response->status != 301 && response->status != 307 && response->status != 400 &&
	    response->status != 403)
		return NULL;
	parse(response, &fault);
	region = http_response_header(response, "x-amz-bucket-region");
	if (!region)
		region = fault.region ? xstrdup(fault.region) : region_of_endpoint(fault.endpoint);
	/* Of other refusals, too, the header says where the bucket is. */
	if (fault.code && !is_among(region_codes, fault.code))
		free(take(region));
	s3_fault_release(&fault);
	*at_other_host = response->status < 400;
	return region;
}

static void *set_region_error(struct error **err, const char *place, const char *used,
                              const struct s3_fault *fault)
{
	scoped(text) char *found =
		fault->region ? xstrdup(fault->region) : region_of_endpoint(fault->endpoint);

	if (found && !text_equal(found, used))
		return error_set(err, ERROR_INVALID,
		                 "%s: the bucket is in region '%s', not '%s': set "
		                 "--region=%s",
		                 place, found, used, found);
	return error_set(
		err, ERROR_INVALID,
		"%s: '%s' is not the bucket's region, or not its endpoint: set --region (%s)",
		place, used, fault->message ? fault->message : fault->code);
}

void *s3_error_set(struct error **err, const char *bucket, const char *key, const char *region,
                   const struct http_response *response)
{
	struct s3_fault fault;
	const struct fault_kind *kind;
	scoped(text) char *place =
		text_printf("s3://%s%s%s", bucket, key ? "/" : "", key ? key : "");

	parse(response, &fault);
	kind = find_kind(fault.code);
	if (is_among(region_codes, fault.code))
		set_region_error(err, place, region, &fault);
	else if (kind)
		error_set(err, kind->kind, "%s: %s (%s)", place, kind->text, kind->code);
	else if (fault.code)
		error_set(err, kind_of_status(response->status), "%s: %s: %s", place, fault.code,
		          fault.message ? fault.message : "no reason given");
	else
		error_set(err, kind_of_status(response->status),
		          "%s: the server answered with status %d%s", place, response->status,
		          response->status == 404 ? ": is the endpoint an S3 server?" : "");
	s3_fault_release(&fault);
	return NULL;
}
