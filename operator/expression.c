/* SPDX-License-Identifier: Apache-2.0 */
/* ${{ … }}: found in text, looked up in the scope, put in place. */
#include "operator/expression.h"

#include <stdbool.h>
#include <string.h>

#include "core/text.h"

#define OPENING "${{"
#define CLOSING "}}"
#define BLANKS " \t\n\r"

struct resolver {
	const json_t *scope;
	void (*fault)(void *context, const json_t *at, const char *message);
	void *context;
	const json_t *at; /* the string that is being resolved */
	bool failed;
};

static void add_fault(struct resolver *resolver, char *message)
{
	resolver->failed = true;
	if (resolver->fault)
		resolver->fault(resolver->context, resolver->at, message);
	free(message);
}

static const char *nearest_key(const json_t *object, const char *name)
{
	const char **names = xcalloc(json_object_size(object) + 1, sizeof(*names)), *key, *nearest;
	json_t *value;
	size_t n = 0;

	json_object_foreach ((json_t *)object, key, value)
		names[n++] = key;
	nearest = text_nearest(name, names);
	free(names);
	return nearest;
}

static char *missing_key(const json_t *object, const char *parent, const char *name)
{
	const char *nearest = nearest_key(object, name);
	scoped(text) char *hint =
		nearest ? text_printf("; did you mean '%s'?", nearest) : xstrdup("");

	if (!*parent)
		return text_printf("nothing is called '%s' in expressions%s", name, hint);
	return text_printf("'%s' has no '%s'%s", parent, name, hint);
}

/* The member `name` of `value`; NULL with *message. */
static json_t *member(const json_t *value, const char *parent, const char *name, char **message)
{
	json_t *found = NULL;
	int64_t index;

	if (json_is_object(value)) {
		found = json_object_get(value, name);
		if (!found)
			*message = missing_key(value, parent, name);
	} else if (json_is_array(value) && text_to_int64(name, 0, INT32_MAX, &index)) {
		found = json_array_get(value, (size_t)index);
		if (!found)
			*message = text_printf("'%s' has %zu items, the first one is number 0; "
			                       "there is no number %s",
			                       parent, json_array_size(value), name);
	} else {
		*message = text_printf("'%s' is %s and has no '%s'", parent,
		                       json_is_array(value) ? "a list" : "a single value", name);
	}
	return found;
}

/* A dotted path without empty names. */
static bool is_reference(const char *text)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";

	return *text && *text != '.' && !text[strspn(text, allowed)] && !strstr(text, "..") &&
	       !text_ends_with(text, ".");
}

/* What `reference` names in the scope, borrowed; NULL after a fault. */
static const json_t *look_up(struct resolver *resolver, const char *reference)
{
	scoped(text) char *path = xstrdup(reference);
	const json_t *value = resolver->scope;
	char *name = path, *dot, *message = NULL;

	if (!is_reference(reference)) {
		add_fault(resolver, text_printf("'%s' is no reference; write the path of a value, "
		                                "such as parameters.name",
		                                reference));
		return NULL;
	}
	while (name && value) {
		scoped(text) char *parent =
			xstrndup(reference, name > path ? (size_t)(name - path - 1) : 0);

		dot = strchr(name, '.');
		if (dot)
			*dot = '\0';
		value = member(value, parent, name, &message);
		name = dot ? dot + 1 : NULL;
	}
	if (!value)
		add_fault(resolver, message);
	return value;
}

/* The reference between `start` (after the opening) and `end`, without blanks around it. */
static char *trimmed(const char *start, const char *end)
{
	start += strspn(start, BLANKS);
	while (end > start && strchr(BLANKS, end[-1]))
		end--;
	return xstrndup(start, end > start ? (size_t)(end - start) : 0);
}

static void write_value(struct resolver *resolver, const json_t *value, const char *reference,
                        FILE *out)
{
	char *text;

	if (json_is_string(value)) {
		fputs(json_string_value(value), out);
	} else if (json_is_number(value) || json_is_boolean(value)) {
		text = json_dumps(value, JSON_ENCODE_ANY);
		fputs(text, out);
		free(text);
	} else {
		add_fault(resolver,
		          text_printf("'%s' is %s, which cannot stand within text", reference,
		                      json_is_array(value)    ? "a list"
		                      : json_is_object(value) ? "a mapping"
		                                              : "null"));
	}
}

/* Handles the expression at `opening`; returns what follows it, NULL when it has no end. */
static const char *write_expression(struct resolver *resolver, const char *opening, FILE *out)
{
	const char *start = opening + strlen(OPENING), *end = strstr(start, CLOSING);
	scoped(text) char *reference = NULL;
	const json_t *value;

	if (!end) {
		add_fault(resolver,
		          xstrdup("'" OPENING "' without '" CLOSING
		                  "'; for the characters themselves write '$" OPENING "'"));
		return NULL;
	}
	reference = trimmed(start, end);
	value = look_up(resolver, reference);
	if (value)
		write_value(resolver, value, reference, out);
	return end + strlen(CLOSING);
}

static json_t *resolve_text(struct resolver *resolver, const char *text)
{
	struct text_stream stream;
	scoped(text) char *result = NULL;
	const char *opening;

	text_stream_open(&stream);
	while (text && (opening = strstr(text, OPENING))) {
		bool is_escaped = opening > text && opening[-1] == '$';

		fwrite(text, 1, (size_t)(opening - text) - is_escaped, stream.file);
		if (is_escaped)
			fputs(OPENING, stream.file);
		text = is_escaped ? opening + strlen(OPENING)
		                  : write_expression(resolver, opening, stream.file);
	}
	fputs(text ? text : "", stream.file);
	result = text_stream_take(&stream);
	return json_string(result);
}

/* The reference of a text that is one expression and nothing else; owned by the caller. */
static char *whole_reference(const char *text)
{
	const char *end;

	if (!text_starts_with(text, OPENING))
		return NULL;
	end = strstr(text, CLOSING);
	if (!end || end[strlen(CLOSING)])
		return NULL;
	return trimmed(text + strlen(OPENING), end);
}

static json_t *resolve_string(struct resolver *resolver, const json_t *value)
{
	const char *text = json_string_value(value);
	scoped(text) char *reference = NULL;
	const json_t *found;

	if (!strstr(text, OPENING))
		return json_copy((json_t *)value);
	resolver->at = value;
	reference = whole_reference(text);
	if (!reference)
		return resolve_text(resolver, text);
	found = look_up(resolver, reference);
	return found ? json_deep_copy(found) : json_null();
}

static json_t *resolve(struct resolver *resolver, const json_t *value)
{
	json_t *copy, *item;
	const char *key;
	size_t i;

	if (json_is_string(value))
		return resolve_string(resolver, value);
	if (json_is_array(value)) {
		copy = json_array();
		json_array_foreach (value, i, item)
			json_array_append_new(copy, resolve(resolver, item));
		return copy;
	}
	if (json_is_object(value)) {
		copy = json_object();
		json_object_foreach ((json_t *)value, key, item)
			json_object_set_new_nocheck(copy, key, resolve(resolver, item));
		return copy;
	}
	return json_deep_copy(value);
}

json_t *expression_resolve(const json_t *value, const json_t *scope,
                           void (*fault)(void *context, const json_t *at, const char *message),
                           void *context)
{
	struct resolver resolver = { .scope = scope, .fault = fault, .context = context };
	json_t *resolved = resolve(&resolver, value);

	if (!resolver.failed)
		return resolved;
	json_decref(resolved);
	return NULL;
}
