/* SPDX-License-Identifier: Apache-2.0 */
/* Spark properties, kept sorted by key. */
#include "submit/spark_conf.h"

#include <ctype.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"

struct entry {
	char *key, *value;
};

struct spark_conf {
	struct entry *entries;
	size_t count, capacity;
};

struct spark_conf *spark_conf_new(void)
{
	return xcalloc(1, sizeof(struct spark_conf));
}

void spark_conf_free(struct spark_conf *conf)
{
	size_t i;

	if (!conf)
		return;
	for (i = 0; i < conf->count; i++) {
		free(conf->entries[i].key);
		free(conf->entries[i].value);
	}
	free(conf->entries);
	free(conf);
}

/* Where `key` is, or where it belongs. */
static size_t locate(const struct spark_conf *conf, const char *key, bool *found)
{
	size_t low = 0, high = conf->count;

	*found = false;
	while (low < high && !*found) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(conf->entries[middle].key, key);

		if (order < 0)
			low = middle + 1;
		else
			high = middle;
		*found = order == 0;
	}
	return high;
}

static void insert_at(struct spark_conf *conf, size_t at, const char *key, char *value)
{
	if (conf->count == conf->capacity) {
		conf->capacity = conf->capacity ? 2 * conf->capacity : 32;
		conf->entries = xrealloc(conf->entries, conf->capacity, sizeof(*conf->entries));
	}
	memmove(conf->entries + at + 1, conf->entries + at,
	        (conf->count - at) * sizeof(*conf->entries));
	conf->entries[at] = (struct entry){ .key = xstrdup(key), .value = value };
	conf->count++;
}

static void remove_at(struct spark_conf *conf, size_t at)
{
	free(conf->entries[at].key);
	free(conf->entries[at].value);
	conf->count--;
	memmove(conf->entries + at, conf->entries + at + 1,
	        (conf->count - at) * sizeof(*conf->entries));
}

void spark_conf_set(struct spark_conf *conf, const char *key, const char *value)
{
	char *copy = text_copy(value); /* first: `value` may be the old one */
	bool found;
	size_t at = locate(conf, key, &found);

	if (!found && copy) {
		insert_at(conf, at, key, copy);
	} else if (found && copy) {
		free(conf->entries[at].value);
		conf->entries[at].value = copy;
	} else if (found) {
		remove_at(conf, at);
	}
}

const char *spark_conf_get(const struct spark_conf *conf, const char *key)
{
	bool found;
	size_t at = locate(conf, key, &found);

	return found ? conf->entries[at].value : NULL;
}

void spark_conf_set_default(struct spark_conf *conf, const char *key, const char *value)
{
	if (!spark_conf_get(conf, key))
		spark_conf_set(conf, key, value);
}

void spark_conf_merge(struct spark_conf *conf, const struct spark_conf *from)
{
	size_t i;

	for (i = 0; i < from->count; i++)
		spark_conf_set(conf, from->entries[i].key, from->entries[i].value);
}

char *spark_number_text(double number)
{
	char *text = NULL;
	int digits;

	for (digits = 15; digits <= 17; digits++) {
		free(text);
		text = text_printf("%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	if (!strpbrk(text, ".en")) {
		char *whole = text;

		text = text_printf("%s.0", whole);
		free(whole);
	}
	return text;
}

/* The text of a scalar, owned by the caller; NULL for an array or an object. */
static char *scalar_text(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		return xstrdup(json_string_value(value));
	case JSON_INTEGER:
		return text_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	case JSON_REAL:
		return spark_number_text(json_real_value(value));
	case JSON_TRUE:
		return xstrdup("true");
	case JSON_FALSE:
		return xstrdup("false");
	default:
		return NULL;
	}
}

bool spark_conf_merge_json(struct spark_conf *conf, const json_t *mapping, struct error **err)
{
	const char *key;
	json_t *value;

	if (!json_is_object(mapping))
		return error_set(err, ERROR_INVALID, "Spark properties must be a mapping");
	json_object_foreach ((json_t *)mapping, key, value)
		if (json_is_object(value) || json_is_array(value))
			return error_set(err, ERROR_INVALID,
			                 "the value of '%s' must be a text, a number or a boolean; "
			                 "write properties in full, as 'spark.executor.cores: 2'",
			                 key);
	json_object_foreach ((json_t *)mapping, key, value) {
		scoped(text) char *text = scalar_text(value);

		spark_conf_set(conf, key, text);
	}
	return true;
}

struct spark_conf_entry *spark_conf_entries(const struct spark_conf *conf, size_t *count)
{
	struct spark_conf_entry *entries = xcalloc(conf->count, sizeof(*entries));
	size_t i;

	for (i = 0; i < conf->count; i++) {
		entries[i].key = conf->entries[i].key;
		entries[i].value = conf->entries[i].value;
	}
	*count = conf->count;
	return entries;
}

json_t *spark_conf_split(const char *list)
{
	json_t *pieces = json_array();

	while (list && *list) {
		size_t size = strcspn(list, ","), start = 0, end = size;

		while (start < end && (unsigned char)list[start] <= ' ')
			start++;
		while (end > start && (unsigned char)list[end - 1] <= ' ')
			end--;
		if (end > start)
			json_array_append_new(pieces, json_stringn(list + start, end - start));
		list += size + (list[size] == ',');
	}
	return pieces;
}

/* java.util.Properties#store: '=' and ':' everywhere, blanks in keys everywhere, in values in front
 * only. Text beyond ASCII stays as it is, because Spark reads the file as UTF-8. */
static void write_escaped(const char *text, bool is_key, FILE *out)
{
	const char *at;

	for (at = text; *at; at++) {
		static const char special[] = "\t\n\r\f", letters[] = "tnrf";
		const char *found = strchr(special, *at);

		if (found)
			fprintf(out, "\\%c", letters[found - special]);
		else if (strchr("=:#!\\", *at) || (*at == ' ' && (is_key || at == text)))
			fprintf(out, "\\%c", *at);
		else
			fputc(*at, out);
	}
}

void spark_conf_write_properties(const struct spark_conf *conf, FILE *out)
{
	size_t i;

	for (i = 0; i < conf->count; i++) {
		write_escaped(conf->entries[i].key, true, out);
		fputc('=', out);
		write_escaped(conf->entries[i].value, false, out);
		fputc('\n', out);
	}
}
