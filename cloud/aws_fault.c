/* SPDX-License-Identifier: Apache-2.0 */
/* Codes of errors, as the API references of STS, ECR, EKS and Secrets Manager list them. */
#include "cloud/aws_fault.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/xml.h"
#include "core/memory.h"
#include "core/text.h"

#define MESSAGE_MAX_BYTES 1024

void aws_fault_release(struct aws_fault *fault)
{
	free(fault->code);
	free(fault->message);
	*fault = (struct aws_fault){ 0 };
}

/* ---- reading ---- */

/* "com.amazonaws.x#NotFound", "NotFound:http://…" -> "NotFound" */
static char *plain_code(const char *text)
{
	const char *hash = strrchr(text, '#');
	const char *code = hash ? hash + 1 : text;
	char *plain = xstrndup(code, strcspn(code, ":"));

	text_make_printable(plain, 128);
	return plain;
}

static char *plain_message(const char *text)
{
	char *message = xstrdup(text);
	size_t size;

	text_make_printable(message, MESSAGE_MAX_BYTES);
	size = strlen(message);
	while (size && strchr(". ", message[size - 1]))
		message[--size] = '\0';
	return message;
}

static const char *first_text(const json_t *object, const char *const names[3])
{
	for (size_t i = 0; i < 3; i++) {
		const char *text = json_string_value(json_object_get(object, names[i]));

		if (text && *text)
			return text;
	}
	return NULL;
}

static bool read_json(const char *body, size_t size, struct aws_fault *fault)
{
	json_auto_t *root = json_loadb(body, size, 0, NULL);
	const char *code = first_text(root, (const char *const[]){ "__type", "code", "Code" });
	const char *message =
		first_text(root, (const char *const[]){ "message", "Message", "errorMessage" });

	if (code)
		fault->code = plain_code(code);
	if (message)
		fault->message = plain_message(message);
	return root;
}

static void read_element(void *context, const char *path, const char *text)
{
	struct aws_fault *fault = context;

	if (!*text)
		return;
	if (text_ends_with(path, "Error/Code")) {
		free(fault->code);
		fault->code = plain_code(text);
	} else if (text_ends_with(path, "Error/Message")) {
		free(fault->message);
		fault->message = plain_message(text);
	}
}

void aws_fault_parse(const char *body, size_t size, struct aws_fault *fault)
{
	*fault = (struct aws_fault){ 0 };
	if (!read_json(body, size, fault) && !xml_read(body, size, read_element, fault))
		aws_fault_release(fault);
}

/* ---- what it means ---- */

enum meaning_flags {
	MEANS_PASSING = 1, /* try again */
	MEANS_EXPIRY = 2,  /* ask for new credentials */
	MEANS_SECRET = 4,  /* do not show the message */
};

struct meaning {
	const char *code;
	enum error_kind kind;
	unsigned flags;
	const char *advice; /* or NULL */
};

#define RENEW "they have expired; renew them where they come from"
#define CLOCK "this machine's clock is wrong, set it (by NTP, say)"

static const struct meaning meanings[] = {
	{ "ExpiredToken", ERROR_AUTH, MEANS_EXPIRY, RENEW },
	{ "ExpiredTokenException", ERROR_AUTH, MEANS_EXPIRY, RENEW },
	{ "TokenRefreshRequired", ERROR_AUTH, MEANS_EXPIRY, RENEW },
	{ "RequestExpired", ERROR_AUTH, 0, CLOCK },
	{ "RequestTimeTooSkewed", ERROR_AUTH, 0, CLOCK },
	{ "InvalidClientTokenId", ERROR_AUTH, MEANS_EXPIRY,
	  "AWS does not know this access key, or its session token is missing" },
	{ "UnrecognizedClientException", ERROR_AUTH, MEANS_EXPIRY,
	  "AWS does not know this access key, or its session token is missing" },
	{ "InvalidAccessKeyId", ERROR_AUTH, 0, "AWS does not know this access key" },
	{ "SignatureDoesNotMatch", ERROR_AUTH, MEANS_SECRET,
	  "the secret access key does not belong to the access key id" },
	{ "InvalidSignatureException", ERROR_AUTH, MEANS_SECRET,
	  "the secret access key does not belong to the access key id" },
	{ "IncompleteSignature", ERROR_AUTH, MEANS_SECRET, "a proxy may have changed the request" },
	{ "AccessDenied", ERROR_AUTH, 0, "have the right granted in IAM" },
	{ "AccessDeniedException", ERROR_AUTH, 0, "have the right granted in IAM" },
	{ "InvalidIdentityToken", ERROR_AUTH, 0,
	  "the account must have the cluster's OIDC provider, and the role trust it" },
	{ "RegionDisabledException", ERROR_INVALID, 0,
	  "choose a region that the account has switched on" },
	{ "ResourceNotFoundException", ERROR_NOT_FOUND, 0, NULL },
	{ "RepositoryNotFoundException", ERROR_NOT_FOUND, 0, NULL },
	{ "ResourceExistsException", ERROR_CONFLICT, 0, NULL },
	{ "RepositoryAlreadyExistsException", ERROR_CONFLICT, 0, NULL },
	{ "IDPCommunicationError", ERROR_UNAVAILABLE, MEANS_PASSING, NULL },
	{ "Throttling", ERROR_UNAVAILABLE, MEANS_PASSING, NULL },
	{ "ThrottlingException", ERROR_UNAVAILABLE, MEANS_PASSING, NULL },
	{ "ThrottledException", ERROR_UNAVAILABLE, MEANS_PASSING, NULL },
	{ "TooManyRequestsException", ERROR_UNAVAILABLE, MEANS_PASSING, NULL },
	{ "RequestLimitExceeded", ERROR_UNAVAILABLE, MEANS_PASSING, NULL },
	{ "InternalServiceError", ERROR_UNAVAILABLE, MEANS_PASSING, NULL },
	{ "ServiceUnavailable", ERROR_UNAVAILABLE, MEANS_PASSING, NULL },
};

static const struct meaning *meaning_of(const struct aws_fault *fault)
{
	static const struct meaning unknown;

	for (size_t i = 0; fault->code && i < ARRAY_SIZE(meanings); i++)
		if (text_equal(meanings[i].code, fault->code))
			return &meanings[i];
	return &unknown;
}

bool aws_fault_is_passing(const struct aws_fault *fault, int status)
{
	return status >= 500 || status == 429 || meaning_of(fault)->flags & MEANS_PASSING;
}

bool aws_fault_is_expiry(const struct aws_fault *fault)
{
	return meaning_of(fault)->flags & MEANS_EXPIRY;
}

static enum error_kind kind_of_status(int status)
{
	return status == 401 || status == 403  ? ERROR_AUTH
	       : status == 404                 ? ERROR_NOT_FOUND
	       : status == 409                 ? ERROR_CONFLICT
	       : status == 429 || status > 499 ? ERROR_UNAVAILABLE
	                                       : ERROR_INVALID;
}

/* "Signature expired: 20150830T123600Z is now earlier than …", "Signature not yet current: …": of
 * several codes. */
static bool is_about_time(const struct aws_fault *fault)
{
	return fault->message && (strstr(fault->message, "Signature expired") ||
	                          strstr(fault->message, "Signature not yet current"));
}

void *aws_fault_set(const struct aws_fault *fault, int status, struct error **err)
{
	const struct meaning *meaning = meaning_of(fault);
	bool is_hidden = meaning->flags & MEANS_SECRET;
	const char *message = fault->message ? fault->message : "no reason is given";

	if (is_about_time(fault))
		return error_set(err, ERROR_AUTH, "%s; " CLOCK, fault->message);
	if (!fault->code)
		return error_set(err, kind_of_status(status), "status %d: %s", status, message);
	if (is_hidden)
		message = "the signature is refused";
	return error_set(err, meaning->code ? meaning->kind : kind_of_status(status), "%s (%s)%s%s",
	                 message, fault->code, meaning->advice ? "; " : "",
	                 meaning->advice ? meaning->advice : "");
}
