/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to, and answers of token services; no I/O. */
#include "cloud/oci_token.h"

#include <jansson.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"

#define LIFETIME_S 60 /* where the answer does not say, and at least */
#define LIFETIME_MAX_S 86400

static char *scope_text(const char *repository, bool push)
{
	return text_printf("repository:%s:pull%s", repository, push ? ",push" : "");
}

void oci_token_scopes(const struct oci_scope *scope, char *scopes[2])
{
	scopes[0] = scope_text(scope->repository, scope->push);
	scopes[1] = scope->mount_from ? scope_text(scope->mount_from, false) : NULL;
}

static void add_parameter(FILE *out, const char *separator, const char *name, const char *value)
{
	scoped(secret) char *escaped = http_escape(value, false);

	fprintf(out, "%s%s=%s", separator, name, escaped);
}

char *oci_token_url(const struct oci_challenge *challenge, const struct oci_scope *scope)
{
	const char *separator = strchr(challenge->realm, '?') ? "&" : "?";
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	char *scopes[2];

	oci_token_scopes(scope, scopes);
	fputs(challenge->realm, out);
	if (challenge->service) {
		add_parameter(out, separator, "service", challenge->service);
		separator = "&";
	}
	for (size_t i = 0; i < ARRAY_SIZE(scopes) && scopes[i]; i++) {
		add_parameter(out, separator, "scope", scopes[i]);
		separator = "&";
		free(scopes[i]);
	}
	return text_stream_take(&stream);
}

char *oci_token_form(const struct oci_challenge *challenge, const struct oci_scope *scope,
                     const char *identity_token)
{
	scoped(text) char *all = NULL;
	scoped(text) char *escaped_all = NULL;
	scoped(text) char *service =
		http_escape(challenge->service ? challenge->service : "", false);
	scoped(secret) char *token = http_escape(identity_token, false);
	char *scopes[2];

	oci_token_scopes(scope, scopes);
	all = text_printf("%s%s%s", scopes[0], scopes[1] ? " " : "", scopes[1] ? scopes[1] : "");
	escaped_all = http_escape(all, false);
	free(scopes[0]);
	free(scopes[1]);
	return text_printf("grant_type=refresh_token&service=%s&client_id=stepop&scope=%s"
	                   "&refresh_token=%s",
	                   service, escaped_all, token);
}

char *oci_token_parse(const char *answer, size_t size, int64_t *lifetime_ms, struct error **err)
{
	json_auto_t *root = json_loadb(answer, size, 0, NULL);
	const char *token = json_string_value(json_object_get(root, "token"));
	json_int_t lifetime_s = json_integer_value(json_object_get(root, "expires_in"));

	if (!token || !*token)
		token = json_string_value(json_object_get(root, "access_token"));
	/* It becomes a header line. */
	if (!token || !*token || token[strcspn(token, "\r\n \t")])
		return error_set(err, ERROR_INVALID, "there is no token in its answer");
	if (lifetime_s < LIFETIME_S)
		lifetime_s = LIFETIME_S;
	if (lifetime_s > LIFETIME_MAX_S)
		lifetime_s = LIFETIME_MAX_S;
	*lifetime_ms = lifetime_s * 1000;
	return xstrdup(token);
}
