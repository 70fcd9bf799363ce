/* SPDX-License-Identifier: Apache-2.0 */
/* pandas.dataframe: data.parquet, or data.csv with schema.json where the step had no pyarrow. */
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "materializers/artifact_files.h"
#include "materializers/built_in.h"
#include "materializers/display.h"
#include "materializers/parquet_files.h"

#define CSV_COUNTED_MAX ((size_t)64 << 20) /* rows of larger files are not counted */
#define SCHEMA_MAX ((size_t)4 << 20)

enum { CSV_SHOWN_BYTES = 16 * 1024, CSV_SHOWN_LINES = 11 };

static char *get_file(struct artifact_store *store, const char *uri, const char *name, size_t size,
                      size_t limit, size_t *got, struct error **err)
{
	scoped(text) char *file = text_printf("%s%s", uri, name);

	return artifact_get(store, file, 0, size, limit, got, err);
}

/* Lines but the first, which names the columns; line breaks within quotes are data. */
static int64_t count_rows(const char *csv, size_t size)
{
	int64_t lines = 0;
	bool is_quoted = false;

	for (size_t i = 0; i < size; i++) {
		if (csv[i] == '"')
			is_quoted = !is_quoted;
		lines += csv[i] == '\n' && !is_quoted;
	}
	if (size > 0 && csv[size - 1] != '\n')
		lines++;
	return lines > 0 ? lines - 1 : 0;
}

static json_t *read_columns(struct artifact_store *store, const char *uri, struct error **err)
{
	size_t got = 0, i;
	scoped(text) char *text = get_file(store, uri, "schema.json", 0, SCHEMA_MAX, &got, err);
	json_auto_t *schema = text ? json_loadb(text, got, 0, NULL) : NULL;
	const json_t *listed = json_object_get(schema, "columns"), *column;
	json_t *columns;

	if (!text)
		return NULL;
	if (!json_is_array(listed))
		return error_set(err, ERROR_INVALID, "%sschema.json has no list of columns", uri);
	columns = json_array();
	json_array_foreach (listed, i, column)
		json_array_append_new(columns, json_pack("{s:O?, s:O?}", "name",
		                                         json_object_get(column, "name"), "type",
		                                         json_object_get(column, "dtype")));
	return columns;
}

static void add_csv_summary(json_t *metadata, size_t columns, const char *csv, size_t size)
{
	scoped(text) char *column_text = display_count((int64_t)columns, "column", "columns");
	int64_t rows = csv ? count_rows(csv, size) : 0;
	scoped(text) char *row_text = display_count(rows, "row", "rows");
	scoped(text) char *summary = csv ? text_printf("%s × %s", row_text, column_text)
	                                 : text_printf("CSV, %s", column_text);

	if (csv)
		json_object_set_new(metadata, "rows", json_integer(rows));
	json_object_set_new(metadata, "summary", json_string(summary));
}

static bool describe_csv(struct artifact_store *store, const char *uri,
                         const struct artifact_entry *data, json_t *metadata, struct error **err)
{
	json_t *columns = read_columns(store, uri, err);
	scoped(text) char *csv = NULL;
	size_t got = 0;

	if (!columns)
		return false;
	json_object_set_new(metadata, "columns", columns);
	if (data->size_bytes <= (int64_t)CSV_COUNTED_MAX) {
		csv = get_file(store, uri, data->name, 0, CSV_COUNTED_MAX, &got, err);
		if (!csv)
			return false;
	}
	add_csv_summary(metadata, json_array_size(columns), csv, got);
	return true;
}

static json_t *describe_files(struct artifact_store *store, const char *uri,
                              const struct artifact_files *files, struct error **err)
{
	json_auto_t *metadata = artifact_files_metadata(files);
	const struct artifact_entry *csv = artifact_files_find(files, "data.csv");
	bool is_good;

	if (artifact_files_find(files, "data.parquet"))
		is_good = parquet_files_describe(store, uri, files, metadata, err);
	else if (csv)
		is_good = describe_csv(store, uri, csv, metadata, err);
	else
		is_good = error_set(err, ERROR_NOT_FOUND,
		                    "%s is incomplete: no data.parquet and no data.csv", uri);
	return is_good ? json_incref(metadata) : NULL;
}

static json_t *describe(struct artifact_store *store, const char *uri, struct error **err)
{
	struct artifact_files files = { 0 };
	json_t *metadata = NULL;

	if (artifact_files_read(store, uri, &files, err))
		metadata = describe_files(store, uri, &files, err);
	artifact_files_release(&files);
	return metadata;
}

/* The header and ten rows, if they are short. */
static bool preview_csv(struct artifact_store *store, const char *uri, FILE *out,
                        struct error **err)
{
	size_t got = 0, end = 0;
	scoped(text) char *csv =
		get_file(store, uri, "data.csv", CSV_SHOWN_BYTES, CSV_SHOWN_BYTES, &got, err);

	if (!csv)
		return false;
	for (int lines = 0; end < got && lines < CSV_SHOWN_LINES; end++)
		lines += csv[end] == '\n';
	fputc('\n', out);
	display_text(csv, end, out);
	return true;
}

static bool preview(struct artifact_store *store, const char *uri, FILE *out, struct error **err)
{
	json_auto_t *metadata = describe(store, uri, err);

	if (!metadata)
		return false;
	parquet_files_preview(metadata, out);
	return json_object_get(metadata, "compression") || preview_csv(store, uri, out, err);
}

const struct materializer materializer_pandas_dataframe = {
	.abi = MATERIALIZER_ABI,
	.type = "pandas.dataframe",
	.help = "pandas DataFrame as Parquet or CSV; shown are its columns, of CSV also ten rows",
	.describe = describe,
	.digest = artifact_digest,
	.preview = preview,
};
