/* SPDX-License-Identifier: Apache-2.0 */
/* Error codes of the OCI distribution specification, those of Docker's registry, and statuses. */
#include "cloud/oci_error.h"

#include <jansson.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"

#define BACKOFF_MS 250
#define WAIT_MAX_MS 30000
#define REASON_MAX 300

static const struct known {
	const char *code;
	enum error_kind kind;
	const char *text; /* what is wrong and what to do; NULL: who we are has to do with it */
} kinds[] = {
	{ "UNAUTHORIZED", ERROR_AUTH, NULL },
	{ "DENIED", ERROR_AUTH, NULL },
	{ "NAME_UNKNOWN", ERROR_NOT_FOUND,
	  "there is no such repository: check its name; some registries want it created before "
	  "the first push" },
	{ "NAME_INVALID", ERROR_INVALID, "the registry takes no repository of this name" },
	{ "MANIFEST_UNKNOWN", ERROR_NOT_FOUND, "there is no such image: check its tag or digest" },
	{ "MANIFEST_INVALID", ERROR_UNSUPPORTED, "the registry does not take this manifest" },
	{ "MANIFEST_UNVERIFIED", ERROR_UNSUPPORTED, "the registry wants manifests to be signed" },
	{ "MANIFEST_BLOB_UNKNOWN", ERROR_NOT_FOUND,
	  "the manifest names a layer that is not in the repository" },
	{ "BLOB_UNKNOWN", ERROR_NOT_FOUND, "there is no such layer" },
	{ "BLOB_UPLOAD_UNKNOWN", ERROR_UNAVAILABLE, "the registry has forgotten the upload" },
	{ "BLOB_UPLOAD_INVALID", ERROR_UNAVAILABLE, "the registry has given the upload up" },
	{ "RANGE_INVALID", ERROR_UNAVAILABLE, "the registry has lost parts of the upload" },
	{ "DIGEST_INVALID", ERROR_INVALID,
	  "what was sent does not have its digest: it changed meanwhile, or where it comes from "
	  "it is damaged" },
	{ "SIZE_INVALID", ERROR_INVALID, "what was sent does not have the size that was told" },
	{ "413", ERROR_INVALID,
	  "the registry, or a proxy before it, does not take so much in one request: raise its "
	  "limit (nginx: client_max_body_size)" },
	{ "TAG_INVALID", ERROR_INVALID, "the registry does not take this tag" },
	{ "UNSUPPORTED", ERROR_UNSUPPORTED, "the registry does not do this" },
	{ "TOOMANYREQUESTS", ERROR_UNAVAILABLE,
	  "the registry's rate limit is reached: try again later, log in for a higher one, or "
	  "use a mirror" },
};

static const struct known *known_code(const char *code)
{
	for (size_t i = 0; code && i < ARRAY_SIZE(kinds); i++)
		if (text_equal(kinds[i].code, code))
			return &kinds[i];
	return NULL;
}

static const char *code_of_status(int status)
{
	return status == 401   ? "UNAUTHORIZED"
	       : status == 403 ? "DENIED"
	       : status == 413 ? "413"
	       : status == 415 ? "UNSUPPORTED"
	       : status == 429 ? "TOOMANYREQUESTS"
	                       : NULL;
}

static enum error_kind kind_of_status(int status)
{
	return status == 404   ? ERROR_NOT_FOUND
	       : status == 405 ? ERROR_UNSUPPORTED
	       : status == 408 ? ERROR_TIMEOUT
	       : status == 409 ? ERROR_CONFLICT
	       : status >= 500 ? ERROR_UNAVAILABLE
	                       : ERROR_INVALID;
}

/* Who we are, and how to become somebody else. */
static void *set_auth_error(struct error **err, const struct oci_subject *subject,
                            const char *where, const char *code, const char *reason)
{
	const char *doing = subject->push ? "push to" : "pull from";

	if (!subject->who)
		return error_set(err, ERROR_AUTH,
		                 "%s: the registry does not let just anybody %s it: give the "
		                 "container registry an --authentication_secret, or log in with "
		                 "docker or podman (%s%s)",
		                 where, doing, code, reason);
	if (text_equal(code, "UNAUTHORIZED"))
		return error_set(err, ERROR_AUTH,
		                 "%s: %s is not accepted, or may not %s it: check user and "
		                 "password, and the user's rights (%s%s)",
		                 where, subject->who, doing, code, reason);
	return error_set(err, ERROR_AUTH,
	                 "%s: %s may not %s it: have the user be given the right (%s%s)", where,
	                 subject->who, doing, code, reason);
}

/* ": what the registry says"; empty where it says nothing. Owned by the caller. */
static char *reason_of(const json_t *error)
{
	const char *message = json_string_value(json_object_get(error, "message"));
	const char *detail = json_string_value(json_object_get(error, "detail"));
	char *reason =
		text_printf("%s%s%s%s", message && *message ? ": " : "", message ? message : "",
	                    detail && *detail ? ": " : "", detail ? detail : "");

	text_make_printable(reason, REASON_MAX);
	return reason;
}

void *oci_error_set(struct error **err, const struct oci_subject *subject,
                    const struct http_response *response)
{
	json_auto_t *root =
		json_loadb(response->body ? response->body : "", response->body_size, 0, NULL);
	const json_t *first = json_array_get(json_object_get(root, "errors"), 0);
	const char *told = json_string_value(json_object_get(first, "code"));
	const char *code = told ? told : code_of_status(response->status);
	const struct known *known = known_code(code);
	scoped(text) char *reason = reason_of(first);
	scoped(text) char *where = text_printf("%s%s%s", subject->place, subject->thing ? ", " : "",
	                                       subject->thing ? subject->thing : "");

	if (!known)
		known = known_code(code_of_status(response->status));
	if (!known)
		return error_set(err, kind_of_status(response->status),
		                 "%s: the registry answered with status %d%s%s", where,
		                 response->status, reason,
		                 !root && response->status == 404 ? ": is it a registry?" : "");
	if (!known->text)
		return set_auth_error(err, subject, where, known->code, reason);
	return error_set(err, known->kind, "%s: %s (%s%s)", where, known->text, known->code,
	                 reason);
}

bool oci_is_worth_another_try(int tries, const struct error *error,
                              const struct http_response *response, int64_t *delay_ms)
{
	int64_t asked_ms = error ? -1 : response->retry_after_ms;
	int status = error ? 0 : response->status;
	bool is_passing =
		error ? error_is_retryable(error) : status >= 500 || status == 408 || status == 429;

	if (!is_passing || tries >= OCI_TRIES || asked_ms > WAIT_MAX_MS)
		return false;
	*delay_ms = (int64_t)BACKOFF_MS << (2 * (tries - 1));
	if (asked_ms > *delay_ms)
		*delay_ms = asked_ms;
	return true;
}
