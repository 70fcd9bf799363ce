/* SPDX-License-Identifier: Apache-2.0 */
/* {{name.key}}: found and checked; literal secrets recognised by their names and shapes. */
#include "stacks/secret_reference.h"

#include <ctype.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"

static bool is_name(const char *text, size_t size, const char *also)
{
	size_t i;

	if (!size || !(isalpha((unsigned char)*text) || *text == '_'))
		return false;
	for (i = 1; i < size; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr(also, text[i]))
			return false;
	return true;
}

/* Spark's own placeholders, {{APP_ID}} and {{EXECUTOR_ID}}, pass unchanged. */
static bool is_placeholder(const char *text, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		if (!isupper((unsigned char)text[i]) && text[i] != '_')
			return false;
	return size > 0;
}

static bool split(const char *text, size_t size, struct secret_reference *found)
{
	const char *dot;

	while (size && isblank((unsigned char)*text))
		text++, size--;
	while (size && isblank((unsigned char)text[size - 1]))
		size--;
	dot = memchr(text, '.', size);
	if (!dot)
		return false;
	found->name = text;
	found->name_size = dot - text;
	found->key = dot + 1;
	found->key_size = size - found->name_size - 1;
	return is_name(found->name, found->name_size, "_-") &&
	       is_name(found->key, found->key_size, "_-.");
}

bool secret_reference_next(const char *text, struct secret_reference *found, struct error **err)
{
	const char *open, *close;

	*found = (struct secret_reference){ 0 };
	while ((open = strstr(text, "{{"))) {
		close = strstr(open, "}}");
		if (!close)
			return error_set(err, ERROR_INVALID,
			                 "a reference to a secret begins with '{{' but '}}' is "
			                 "missing; write {{name.key}}");
		if (is_placeholder(open + 2, close - open - 2)) {
			text = close + 2;
			continue;
		}
		if (!split(open + 2, close - open - 2, found))
			return error_set(err, ERROR_INVALID,
			                 "'%.*s' is not a reference to a secret; write "
			                 "{{name.key}}",
			                 (int)(close + 2 - open), open);
		found->start = open;
		found->end = close + 2;
		return true;
	}
	return false;
}

bool secret_references_check(const char *text, size_t *count, struct error **err)
{
	struct secret_reference found;
	scoped(error) struct error *fault = NULL;
	size_t n = 0;

	while (secret_reference_next(text, &found, &fault)) {
		text = found.end;
		n++;
	}
	if (fault)
		return error_pass(err, take(fault));
	if (count)
		*count = n;
	return true;
}

/* Lower case, all separators '_'. */
static char *plain_name(const char *name)
{
	char *plain = xstrdup(name), *c;

	for (c = plain; *c; c++)
		*c = (char)(isalnum((unsigned char)*c) ? tolower((unsigned char)*c) : '_');
	return plain;
}

bool secret_is_sensitive_name(const char *name)
{
	static const char *const endings[] = { "password",    "passwd",      "passphrase",
		                               "secret_key",  "access_key",  "access_key_id",
		                               "private_key", "api_key",     "token",
		                               "_secret",     "_credentials" };
	scoped(text) char *plain = plain_name(name);
	size_t i;

	/* spark.kubernetes.{driver,executor}.secretKeyRef.NAME=secret:key refers, it does not hold.
	 */
	if (strstr(plain, "secretkeyref"))
		return false;
	for (i = 0; i < ARRAY_SIZE(endings); i++)
		if (text_ends_with(plain, endings[i]))
			return true;
	return false;
}

/* AKIA… and ASIA…: 16 more upper-case letters and digits. */
static bool has_aws_key(const char *value)
{
	static const char *const starts[] = { "AKIA", "ASIA" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		const char *at = value;

		while ((at = strstr(at, starts[i]))) {
			at += 4;
			if (strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") >= 16)
				return true;
		}
	}
	return false;
}

static bool has_url_password(const char *value)
{
	const char *authority = strstr(value, "://"), *at, *colon;
	size_t size;

	if (!authority)
		return false;
	authority += 3;
	size = strcspn(authority, "/?#");
	at = memchr(authority, '@', size);
	colon = memchr(authority, ':', size);
	return at && colon && colon < at && strncmp(colon, ":{{", 3);
}

bool secret_is_sensitive_value(const char *value)
{
	const char *pem = strstr(value, "-----BEGIN");

	return (pem && strstr(pem, "PRIVATE KEY-----")) || has_aws_key(value) ||
	       has_url_password(value);
}
