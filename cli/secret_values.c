/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the values of a secret, and leaves no copies behind. */
#include "cli/secret_values.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/prompt.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/secret.h"
#include "stacks/secret_schema.h"

#define VALUE_LIMIT ((size_t)64 << 10)

void secret_values_wipe(const json_t *open)
{
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)open, name, value)
		if (json_is_string(value))
			text_wipe((char *)json_string_value(value), json_string_length(value));
}

/* A buffer that does not grow: growing would leave pieces behind. */
static json_t *read_descriptor(int fd, const char *name, struct error **err)
{
	char *buffer = xcalloc(VALUE_LIMIT + 1, 1);
	json_t *value = NULL;
	size_t size = 0;
	ssize_t got;

	while ((got = read(fd, buffer + size, VALUE_LIMIT + 1 - size)) > 0 ||
	       (got < 0 && errno == EINTR))
		size += got > 0 ? (size_t)got : 0;
	if (got < 0)
		error_set(err, ERROR_INTERNAL, "--%s: %s", name, strerror(errno));
	else if (size > VALUE_LIMIT)
		error_set(err, ERROR_INVALID, "--%s: more than %zu bytes", name, VALUE_LIMIT);
	else if (!text_is_utf8(buffer, size))
		error_set(err, ERROR_INVALID,
		          "--%s: the value is no text; give bytes in base64, for example", name);
	else
		value = json_stringn(buffer, size - (size && buffer[size - 1] == '\n'));
	text_wipe(buffer, size);
	free(buffer);
	return value;
}

static json_t *read_path(const char *path, const char *name, struct error **err)
{
	scoped(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return error_set(err, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_INTERNAL,
		                 "--%s: %s: %s", name, path, strerror(errno));
	return read_descriptor(fd, name, err);
}

static json_t *ask(const char *name, struct error **err)
{
	scoped(secret) char *value = NULL;

	if (!prompt_is_possible())
		return error_set(err, ERROR_USAGE,
		                 "--%s has no value: give --%s=@FILE, or --%s=- for standard input",
		                 name, name, name);
	value = prompt_secret(name, err);
	if (value && !text_is_utf8(value, strlen(value)))
		return error_set(err, ERROR_INVALID, "%s: the value is no text", name);
	return value ? json_string(value) : NULL;
}

static json_t *read_value(const char *name, const json_t *given, bool *stdin_read,
                          struct error **err)
{
	const char *text = json_string_value(given);

	if (json_is_array(given))
		return error_set(err, ERROR_USAGE, "--%s is given more than once", name);
	if (!text)
		return ask(name, err);
	if (!strcmp(text, "-")) {
		if (*stdin_read)
			return error_set(err, ERROR_USAGE,
			                 "--%s: standard input can be one value only", name);
		*stdin_read = true;
		return read_descriptor(STDIN_FILENO, name, err);
	}
	if (*text == '@' && text[1] != '@')
		return read_path(text + 1, name, err);
	return json_string(*text == '@' ? text + 1 : text);
}

static bool ask_missing(const struct secret_schema *schema, json_t *values, struct error **err)
{
	const struct secret_schema_key *key;

	for (key = schema->keys; key && key->name; key++) {
		json_t *value;

		if (!key->required || json_object_get(values, key->name))
			continue;
		value = ask(key->name, err);
		if (!value)
			return false;
		json_object_set_new(values, key->name, value);
	}
	return true;
}

static bool read_all(const json_t *open, const struct secret_schema *schema, json_t *values,
                     struct error **err)
{
	bool stdin_read = false;
	json_t *given, *value;
	const char *name;

	json_object_foreach ((json_t *)open, name, given) {
		value = read_value(name, given, &stdin_read, err);
		if (!value)
			return false;
		json_object_set_new(values, name, value);
	}
	/* Otherwise the check of the schema says what is missing, all at once. */
	return !schema || stdin_read || !prompt_is_possible() || ask_missing(schema, values, err);
}

json_t *secret_values_read(const json_t *open, const char *schema, struct error **err)
{
	const struct secret_schema *found = schema ? secret_schema_find(schema, err) : NULL;
	json_t *values;

	if (schema && !found)
		return NULL;
	values = json_object();
	if (read_all(open, found, values, err))
		return values;
	secret_values_free(values);
	return NULL;
}
