/* SPDX-License-Identifier: Apache-2.0 */
/* Values against tables. */
#include "core/check.h"

#include <string.h>

#include "core/text.h"

#define SUGGESTIONS_LIMIT 200
#define CANDIDATES_LIMIT 64

char *check_suggestion(const struct check *check, const char *word, const char *const *candidates)
{
	const char *nearest = NULL;

	if (faults_count(check->faults) < SUGGESTIONS_LIMIT)
		nearest = text_nearest(word, candidates);
	return nearest ? text_printf("; did you mean '%s'?", nearest) : xstrdup("");
}

char *check_suggestion_of_keys(const struct check *check, const char *word, const json_t *object)
{
	const char **keys = xcalloc(json_object_size(object) + 1, sizeof(*keys)), *key;
	char *suggestion;
	json_t *value;
	size_t n = 0;

	json_object_foreach ((json_t *)object, key, value)
		keys[n++] = key;
	suggestion = check_suggestion(check, word, keys);
	free(keys);
	return suggestion;
}

const char *check_text(const struct check *check, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return value == check->unknown ? NULL : json_string_value(value);
}

static struct document_position place_of(const struct check *check, const json_t *value,
                                         struct document_position fallback)
{
	struct document_position position = document_position(check->document, value);

	return position.line ? position : fallback;
}

struct document_position check_value_position(const struct check *check, const json_t *object,
                                              const char *key)
{
	return place_of(check, json_object_get(object, key),
	                document_key_position(check->document, object, key));
}

/* What stands there instead. Owned by the caller. */
static char *describe(const json_t *value)
{
	scoped(text) char *text = NULL;

	if (json_is_object(value))
		return xstrdup("a mapping");
	if (json_is_array(value))
		return xstrdup("a list");
	if (json_is_null(value))
		return xstrdup("empty");
	if (json_is_string(value))
		return text_printf("'%s'", json_string_value(value));
	text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	return xstrdup(text);
}

/* "known here: a, b"; owned by the caller. */
static char *field_names(const struct field *fields)
{
	struct text_stream stream;
	const struct field *field;

	fputs("; known here: ", text_stream_open(&stream));
	for (field = fields; field->name; field++)
		if (field->shape)
			fprintf(stream.file, "%s%s", field == fields ? "" : ", ", field->name);
	return text_stream_take(&stream);
}

static const struct field *find_field(const struct field *fields, const char *name)
{
	for (; fields->name; fields++)
		if (!strcmp(fields->name, name))
			return fields;
	return NULL;
}

static void add_unknown_field(const struct check *check, const struct field *fields,
                              const char *name, struct document_position position)
{
	const char *candidates[CANDIDATES_LIMIT] = { NULL };
	scoped(text) char *suggestion = NULL;
	scoped(text) char *known = field_names(fields);
	size_t i;

	for (i = 0; fields[i].name && i + 1 < ARRAY_SIZE(candidates); i++)
		candidates[i] = fields[i].name;
	suggestion = check_suggestion(check, name, candidates);
	faults_add(check->faults, check->document, position, "unknown field '%s'%s", name,
	           *suggestion ? suggestion : known);
}

static void check_fields(const struct check *check, const json_t *object,
                         const struct field *fields, const char *name, struct document_position at)
{
	const struct field *field;
	struct document_position position;
	json_t *value;
	const char *key;

	json_object_foreach ((json_t *)object, key, value) {
		field = find_field(fields, key);
		position = document_key_position(check->document, object, key);
		if (!field)
			add_unknown_field(check, fields, key, position);
		else if (!field->shape)
			faults_add(check->faults, check->document, position,
			           "'%s' is not supported yet; leave it out", key);
		else
			check_shape(check, value, field->shape, key, position);
	}
	for (field = fields; field->name; field++)
		if (field->is_required && !json_object_get(object, field->name))
			faults_add(check->faults, check->document, at, "%s lacks the field '%s'",
			           name, field->name);
}

static void check_values(const struct check *check, const json_t *object, const struct shape *shape)
{
	struct document_position position;
	json_t *value;
	const char *key;

	json_object_foreach ((json_t *)object, key, value) {
		position = document_key_position(check->document, object, key);
		if (!shape->accepts_key(key))
			faults_add(check->faults, check->document, position,
			           "'%s' cannot stand here: %s", key, shape->expected_key);
		check_shape(check, value, shape->values, key, position);
	}
}

static void check_items(const struct check *check, const json_t *array, const struct shape *items,
                        const char *name)
{
	scoped(text) char *item_name = text_printf("each item of '%s'", name);
	json_t *item;
	size_t i;

	json_array_foreach (array, i, item)
		check_shape(check, item, items, item_name,
		            document_item_position(check->document, array, i));
}

static char *quoted_name(const char *name)
{
	return strchr(name, ' ') ? xstrdup(name) : text_printf("'%s'", name);
}

void check_shape(const struct check *check, const json_t *value, const struct shape *shape,
                 const char *name, struct document_position position)
{
	scoped(text) char *quoted = NULL;
	scoped(text) char *found = NULL;

	if (value == check->unknown)
		return;
	quoted = quoted_name(name);
	if (!shape->accepts(value)) {
		found = describe(value);
		faults_add(check->faults, check->document, place_of(check, value, position),
		           "%s must be %s, not %s", quoted, shape->expected, found);
	} else if (json_is_array(value) && shape->items) {
		check_items(check, value, shape->items, name);
	} else if (json_is_object(value) && shape->fields) {
		check_fields(check, value, shape->fields, quoted, position);
	} else if (json_is_object(value) && shape->values) {
		check_values(check, value, shape);
	}
}
