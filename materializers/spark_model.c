/* SPDX-License-Identifier: Apache-2.0 */
/* spark.model: a folder as Spark ML writes it; metadata/ holds one line of JSON that tells the
 * rest. */
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "materializers/artifact_files.h"
#include "materializers/built_in.h"
#include "materializers/display.h"

#define METADATA "model/metadata/"

enum { LINE_MAX_BYTES = 1 << 20, VALUE_SHOWN_MAX = 100 };

/* Spark 3 names the file part-00000, Spark 4 part-00000-<uuid>-c000.txt; parts may be empty. */
static bool is_metadata_part(const struct artifact_entry *entry)
{
	const char *part = METADATA "part-";

	return text_starts_with(entry->name, part) && !strchr(entry->name + strlen(part), '/') &&
	       entry->size_bytes > 0;
}

static json_t *parse_line(const char *text, size_t size, struct error **err)
{
	const char *end = memchr(text, '\n', size);
	json_error_t fault;
	json_auto_t *line = json_loadb(text, end ? (size_t)(end - text) : size, 0, &fault);
	scoped(text) char *reason = NULL;

	if (line && json_is_string(json_object_get(line, "class")))
		return json_incref(line);
	reason = display_line(fault.text, strlen(fault.text), VALUE_SHOWN_MAX);
	return error_set(err, ERROR_INVALID, "its metadata is not what Spark ML writes: %s",
	                 line ? "no class" : reason);
}

static json_t *read_metadata(struct artifact_store *store, const char *uri,
                             const struct artifact_files *files, struct error **err)
{
	if (!artifact_files_find(files, METADATA "_SUCCESS"))
		return error_set(err, ERROR_NOT_FOUND, "%s is incomplete: no " METADATA "_SUCCESS",
		                 uri);
	for (size_t i = 0; i < files->count; i++) {
		scoped(text) char *file = text_printf("%s%s", uri, files->entries[i].name);
		scoped(text) char *text = NULL;
		size_t got = 0;

		if (!is_metadata_part(&files->entries[i]))
			continue;
		text = artifact_get(store, file, 0, 0, LINE_MAX_BYTES, &got, err);
		return text ? parse_line(text, got, err) : NULL;
	}
	return error_set(err, ERROR_NOT_FOUND, "%s is incomplete: no " METADATA "part-*", uri);
}

static void copy(json_t *to, const json_t *from, const char *key, const char *as)
{
	json_t *value = json_object_get(from, key);

	if (value)
		json_object_set(to, as, value);
}

/* What was set wins over the defaults. */
static void add_params(json_t *metadata, const json_t *line)
{
	json_t *params = json_object();

	json_object_update(params, json_object_get(line, "defaultParamMap"));
	json_object_update(params, json_object_get(line, "paramMap"));
	copy(metadata, params, "stageUids", "stages");
	json_object_del(params, "stageUids");
	json_object_set_new(metadata, "params", params);
}

static json_t *describe_line(const struct artifact_files *files, const json_t *line)
{
	json_t *metadata = artifact_files_metadata(files);
	const char *class = json_string_value(json_object_get(line, "class"));
	const char *dot = strrchr(class, '.');
	scoped(text) char *summary =
		display_line(dot ? dot + 1 : class, strlen(dot ? dot + 1 : class), VALUE_SHOWN_MAX);

	copy(metadata, line, "class", "class");
	copy(metadata, line, "uid", "uid");
	copy(metadata, line, "sparkVersion", "spark_version");
	copy(metadata, line, "timestamp", "saved_at_ms");
	add_params(metadata, line);
	json_object_set_new(metadata, "summary", json_string(summary));
	return metadata;
}

static json_t *describe(struct artifact_store *store, const char *uri, struct error **err)
{
	struct artifact_files files = { 0 };
	json_t *metadata = NULL;

	if (artifact_files_read(store, uri, &files, err)) {
		json_auto_t *line = read_metadata(store, uri, &files, err);

		artifact_files_drop_hidden(&files);
		if (line)
			metadata = describe_line(&files, line);
	}
	artifact_files_release(&files);
	return metadata;
}

static void print_value(const char *name, const json_t *value, FILE *out)
{
	scoped(text) char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(12));
	scoped(text) char *shown = display_line(text, strlen(text), VALUE_SHOWN_MAX);
	scoped(text) char *label = display_line(name, strlen(name), VALUE_SHOWN_MAX);

	fprintf(out, "%s: %s\n", label, shown);
}

static bool preview(struct artifact_store *store, const char *uri, FILE *out, struct error **err)
{
	static const char *const keys[] = { "class", "uid", "spark_version" };
	json_auto_t *metadata = describe(store, uri, err);
	const char *name;
	json_t *value;
	size_t i;

	if (!metadata)
		return false;
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (json_object_get(metadata, keys[i]))
			print_value(keys[i], json_object_get(metadata, keys[i]), out);
	json_array_foreach (json_object_get(metadata, "stages"), i, value)
		print_value("stage", value, out);
	fputs("params:\n", out);
	json_object_foreach (json_object_get(metadata, "params"), name, value) {
		fputs("  ", out);
		print_value(name, value, out);
	}
	return true;
}

const struct materializer materializer_spark_model = {
	.abi = MATERIALIZER_ABI,
	.type = "spark.model",
	.help = "Spark ML model or pipeline; shown are its class and parameters",
	.describe = describe,
	.digest = artifact_digest_of_data,
	.preview = preview,
};
