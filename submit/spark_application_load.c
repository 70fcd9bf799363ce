/* SPDX-License-Identifier: Apache-2.0 */
/* Rules applied to the fields of a SparkApplication, and what they all need. */
#include "submit/spark_application_load.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"

#define WARNING_LIMIT 600

static struct document_position place_of(const struct application_part *part, const char *field)
{
	return document_key_position(part->loader->check.document, part->value, field);
}

void application_warn(const struct application_part *part, const char *field, const char *format,
                      ...)
{
	struct document_position place = place_of(part, field);
	scoped(text) char *message = NULL;
	scoped(text) char *line = NULL;
	va_list args;

	va_start(args, format);
	message = text_vprintf(format, args);
	va_end(args);
	line = text_printf("%s:%d:%d: %s.%s: %s", document_name(part->loader->check.document),
	                   place.line, place.column, part->path, field, message);
	text_make_printable(line, WARNING_LIMIT);
	json_array_append_new(part->loader->warnings, json_string(line));
}

void application_fault(const struct application_part *part, const char *field, const char *format,
                       ...)
{
	const struct check *check = &part->loader->check;
	scoped(text) char *message = NULL;
	va_list args;

	va_start(args, format);
	message = text_vprintf(format, args);
	va_end(args);
	faults_add(check->faults, check->document, place_of(part, field), "%s.%s: %s", part->path,
	           field, message);
}

const char *application_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text && *text ? text : NULL;
}

char *application_property(const struct application_part *part, const char *pattern,
                           const char *rest)
{
	const char *star = strchr(pattern, '*');

	if (!star)
		return text_printf("%s%s", pattern, rest);
	return text_printf("%.*s%s%s%s", (int)(star - pattern), pattern, part->pod->role, star + 1,
	                   rest);
}

void application_set(const struct application_part *part, const char *pattern, const char *rest,
                     const char *value)
{
	scoped(text) char *property = application_property(part, pattern, rest);

	spark_conf_set(part->loader->app->conf, property, value);
}

void application_set_scalar(const struct application_part *part, const char *property,
                            const json_t *value)
{
	json_auto_t *mapping = json_pack("{s:O}", property, value);

	spark_conf_merge_json(part->loader->app->conf, mapping, NULL);
}

static char *joined(const json_t *texts)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	const json_t *text;
	size_t i;

	json_array_foreach (texts, i, text)
		fprintf(out, "%s%s", i ? "," : "", json_string_value(text));
	return text_stream_take(&stream);
}

static void set_list(const struct application_part *part, const char *property, const json_t *texts)
{
	scoped(text) char *list = joined(texts);

	if (*list)
		application_set(part, property, "", list);
}

static void set_property(const struct application_part *part, const char *property,
                         const json_t *value)
{
	scoped(text) char *name = NULL;
	const char *key;
	json_t *item;

	if (json_is_array(value)) {
		set_list(part, property, value);
	} else if (json_is_object(value)) {
		json_object_foreach ((json_t *)value, key, item)
			application_set(part, property, key, json_string_value(item));
	} else if (!json_is_string(value) || json_string_length(value)) {
		name = application_property(part, property, "");
		application_set_scalar(part, name, value);
	}
}

/* What is empty, or false, asks for nothing. */
static bool asks_for_something(const json_t *value)
{
	return !json_is_false(value) && !(json_is_object(value) && !json_object_size(value)) &&
	       !(json_is_array(value) && !json_array_size(value));
}

void application_apply(const struct application_part *part, const struct application_rule *rules)
{
	for (; rules->field; rules++) {
		const json_t *value = json_object_get(part->value, rules->field);

		if (!value)
			continue;
		if (rules->read)
			rules->read(part, rules->field, value);
		else if (rules->property)
			set_property(part, rules->property, value);
		else if (asks_for_something(value))
			application_warn(part, rules->field, "%s", rules->ignored);
	}
}

void application_append(json_t *object, const char *key, json_t *value)
{
	json_t *list = json_object_get(object, key);

	if (!list) {
		list = json_array();
		json_object_set_new(object, key, list);
	}
	json_array_append_new(list, value);
}

json_t *application_mapping(json_t *object, const char *key)
{
	json_t *mapping = json_object_get(object, key);

	if (!mapping) {
		mapping = json_object();
		json_object_set_new(object, key, mapping);
	}
	return mapping;
}
