/* SPDX-License-Identifier: Apache-2.0 */
/* STS's query protocol: a form goes there, XML comes back (API version 2011-06-15). */
#include "cloud/aws_sts.h"

#include <stdlib.h>
#include <string.h>

#include "cloud/aws_request.h"
#include "cloud/xml.h"
#include "core/clock.h"
#include "core/memory.h"
#include "core/text.h"

#define VERSION "2011-06-15"

const char *aws_sts_region(const struct aws_chain *chain)
{
	const char *region = aws_chain_region(chain);

	return region ? region : "us-east-1";
}

/* ---- answers ---- */

static void keep(char **slot, const char *text)
{
	secret_free(*slot);
	*slot = *text ? xstrdup(text) : NULL;
}

struct credentials_reader {
	struct aws_credentials *credentials;
	bool is_broken;
};

static void credentials_element(void *context, const char *path, const char *text)
{
	struct credentials_reader *reader = context;
	struct aws_credentials *credentials = reader->credentials;

	if (text_ends_with(path, "Result/Credentials/AccessKeyId"))
		keep(&credentials->access_key_id, text);
	else if (text_ends_with(path, "Result/Credentials/SecretAccessKey"))
		keep(&credentials->secret_access_key, text);
	else if (text_ends_with(path, "Result/Credentials/SessionToken"))
		keep(&credentials->session_token, text);
	else if (text_ends_with(path, "Result/Credentials/Expiration"))
		reader->is_broken |= !clock_parse(text, &credentials->expires_at_ms);
}

bool aws_sts_credentials_parse(const char *body, size_t size, struct aws_credentials *credentials,
                               struct error **err)
{
	struct credentials_reader reader = { .credentials = credentials };

	*credentials = (struct aws_credentials){ 0 };
	if (xml_read(body, size, credentials_element, &reader) && !reader.is_broken &&
	    credentials->session_token && aws_credentials_check(credentials, NULL))
		return true;
	aws_credentials_release(credentials);
	return error_set(err, ERROR_INVALID,
	                 "sts: the answer has no credentials in it; is the endpoint AWS's?");
}

void aws_caller_release(struct aws_caller *caller)
{
	free(caller->account);
	free(caller->arn);
	free(caller->user_id);
	*caller = (struct aws_caller){ 0 };
}

static void caller_element(void *context, const char *path, const char *text)
{
	struct aws_caller *caller = context;

	if (text_ends_with(path, "Result/Account"))
		keep(&caller->account, text);
	else if (text_ends_with(path, "Result/Arn"))
		keep(&caller->arn, text);
	else if (text_ends_with(path, "Result/UserId"))
		keep(&caller->user_id, text);
}

bool aws_sts_caller_parse(const char *body, size_t size, struct aws_caller *caller,
                          struct error **err)
{
	*caller = (struct aws_caller){ 0 };
	if (xml_read(body, size, caller_element, caller) && caller->account && caller->arn &&
	    caller->user_id) {
		text_make_printable(caller->arn, 2048);
		text_make_printable(caller->account, 64);
		return true;
	}
	aws_caller_release(caller);
	return error_set(err, ERROR_INVALID,
	                 "sts: the answer names no caller; is the endpoint AWS's?");
}

/* ---- requests ---- */

static void add_parameter(FILE *form, const char *name, const char *value)
{
	scoped(secret) char *escaped = value ? http_escape(value, false) : NULL;

	if (value)
		fprintf(form, "&%s=%s", name, escaped);
}

/* Owned by the caller, a secret when `token` is given. */
static char *role_form(const char *operation, const struct aws_role *role, const char *token)
{
	struct text_stream stream;
	FILE *form = text_stream_open(&stream);

	fprintf(form, "Action=%s&Version=" VERSION, operation);
	add_parameter(form, "RoleArn", role->arn);
	add_parameter(form, "RoleSessionName", role->session_name ? role->session_name : "stepop");
	add_parameter(form, "ExternalId", role->external_id);
	add_parameter(form, "DurationSeconds", role->duration_s);
	add_parameter(form, "WebIdentityToken", token);
	return text_stream_take(&stream);
}

static bool assume(const struct aws_chain *chain, const char *operation,
                   const struct aws_role *role, const char *token, const struct aws_credentials *as,
                   struct aws_credentials *result, struct error **err)
{
	scoped(secret) char *form = role_form(operation, role, token);
	scoped(secret) char *body = aws_perform(
		chain,
		&(struct aws_request){
			.service = "sts",
			.region = aws_sts_region(chain),
			.operation = operation,
			.method = "POST",
			.path = "/",
			.headers = { "Content-Type: application/x-www-form-urlencoded" },
			.body = form,
			.credentials = as,
		},
		NULL, err);

	return (body && aws_sts_credentials_parse(body, strlen(body), result, err)) ||
	       error_wrap(err, "role '%s'", role->arn);
}

bool aws_sts_assume_role(const struct aws_chain *chain, const struct aws_role *role,
                         const struct aws_credentials *as, struct aws_credentials *result,
                         struct error **err)
{
	return assume(chain, "AssumeRole", role, NULL, as, result, err);
}

bool aws_sts_assume_role_with_web_identity(const struct aws_chain *chain,
                                           const struct aws_role *role, const char *token,
                                           struct aws_credentials *result, struct error **err)
{
	return assume(chain, "AssumeRoleWithWebIdentity", role, token, NULL, result, err);
}

bool aws_sts_caller(struct aws_chain *chain, struct aws_caller *caller, struct error **err)
{
	scoped(text) char *body = aws_chain_perform(
		chain,
		&(struct aws_request){
			.service = "sts",
			.region = aws_sts_region(chain),
			.operation = "GetCallerIdentity",
			.method = "POST",
			.path = "/",
			.headers = { "Content-Type: application/x-www-form-urlencoded" },
			.body = "Action=GetCallerIdentity&Version=" VERSION,
		},
		err);

	return body && aws_sts_caller_parse(body, strlen(body), caller, err);
}
