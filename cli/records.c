/* SPDX-License-Identifier: Apache-2.0 */
/* What commands read of the metadata store, and how its rows look in JSON. */
#include "cli/records.h"

#include <string.h>

#include "core/clock.h"
#include "core/http.h"
#include "core/loop.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/catalog.h"
#include "stacks/component_secrets.h"
#include "stacks/stack.h"

struct metadata_store *records_open_component(const struct project *project,
                                              const struct component *component,
                                              const struct component *vault, records_opener *opener,
                                              struct error **err)
{
	json_auto_t *references = component_secret_references(component);
	scoped(loop) struct loop *loop = NULL;
	scoped(http_client) struct http_client *http = NULL;
	scoped(secret_store) struct secret_store *secrets = NULL;

	/* They are read while the store is opened, and not after; without any, whatever the secrets
	 * manager is like does not matter. */
	if (vault && json_array_size(references)) {
		loop = loop_new();
		http = http_client_new(loop);
		secrets = secret_store_open(project, vault, http, err);
		if (!secrets)
			return NULL;
	}
	return opener(project, component, secrets, err);
}

struct metadata_store *records_open(const struct arguments *arguments, struct error **err)
{
	scoped(project) struct project *project = project_open(".", err);
	scoped(stack) struct stack *stack = NULL;

	if (!project)
		return NULL;
	stack = stack_load(project, catalog_built_in(), argument_option(arguments, "stack"), err);
	if (!stack)
		return NULL;
	return records_open_component(project, stack->components[COMPONENT_METADATA_STORE],
	                              stack->components[COMPONENT_SECRETS_MANAGER],
	                              metadata_store_open, err);
}

/* What a process printed need not be UTF-8; JSON must be. */
static json_t *text_json(const char *text)
{
	scoped(text) char *copy = NULL;
	char *c;

	if (!text)
		return json_null();
	if (text_is_utf8(text, strlen(text)))
		return json_string(text);
	copy = xstrdup(text);
	for (c = copy; *c; c++)
		if ((unsigned char)*c > 0x7f)
			*c = '?';
	return json_string(copy);
}

static bool holds_json(const char *column)
{
	return !strcmp(column, "parameters") || !strcmp(column, "plan") ||
	       !strcmp(column, "metadata");
}

static json_t *field_json(const struct metadata_field *field, const char *row)
{
	const void *value = row + field->offset;
	int64_t number;

	if (field->kind == FIELD_TEXT) {
		const char *text = *(char *const *)value;
		json_t *held = text && holds_json(field->column)
		                       ? json_loads(text, JSON_DECODE_ANY, NULL)
		                       : NULL;

		return held ? held : text_json(text);
	}
	if (field->kind == FIELD_OPTIONAL && !*(const bool *)(row + field->flag))
		return json_null();
	number = *(const int64_t *)value;
	if (!strcmp(field->column, "at") || text_ends_with(field->column, "_at")) {
		scoped(text) char *time = number ? clock_format(number) : NULL;

		return text_json(time);
	}
	return json_integer(number);
}

static int64_t field_integer(const struct metadata_table *table, const char *row,
                             const char *column)
{
	size_t i;

	for (i = 0; i < table->field_count; i++)
		if (!strcmp(table->fields[i].column, column))
			return *(const int64_t *)(row + table->fields[i].offset);
	return 0;
}

json_t *record_json(const struct metadata_table *table, const void *row)
{
	json_t *object = json_object();
	int64_t started_at = field_integer(table, row, "started_at");
	int64_t ended_at = field_integer(table, row, "ended_at");
	size_t i;

	for (i = 0; i < table->field_count; i++)
		if (strcmp(table->fields[i].column, "run_id"))
			json_object_set_new(object, table->fields[i].column,
			                    field_json(&table->fields[i], row));
	if (started_at)
		json_object_set_new(
			object, "duration_ms",
			json_integer((ended_at ? ended_at : clock_now_ms()) - started_at));
	return object;
}

json_t *records_take_json(const struct metadata_table *table, void *rows, size_t count)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < count; i++)
		json_array_append_new(array,
		                      record_json(table, (const char *)rows + i * table->row_size));
	metadata_rows_free(table, rows, count);
	return array;
}
