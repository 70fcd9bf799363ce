/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the footers of an artifact's Parquet files by ranges from their ends. */
#include "materializers/parquet_files.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "materializers/display.h"
#include "materializers/parquet_footer.h"

/* The end of the file; more of it when the footer is longer than what is read at first. */
static char *read_tail(struct artifact_store *store, const char *uri, size_t *got,
                       struct error **err)
{
	size_t footer_size;
	char *tail = artifact_get(store, uri, -(int64_t)PARQUET_TAIL_BYTES, 0, PARQUET_TAIL_BYTES,
	                          got, err);

	if (!tail)
		return NULL;
	if (!parquet_footer_size(tail, *got, &footer_size, err)) {
		free(tail);
		return NULL;
	}
	if (footer_size <= *got)
		return tail;
	free(tail);
	return artifact_get(store, uri, -(int64_t)footer_size, 0, footer_size, got, err);
}

static struct parquet_footer *read_footer(struct artifact_store *store, const char *uri,
                                          struct error **err)
{
	size_t got = 0;
	scoped(text) char *tail = read_tail(store, uri, &got, err);

	return tail ? parquet_footer_parse(tail, got, err) : NULL;
}

static bool add_footer(struct artifact_store *store, const char *uri, const char *name,
                       struct parquet_footer **all, struct error **err)
{
	scoped(text) char *file = text_printf("%s%s", uri, name);
	scoped(parquet_footer) struct parquet_footer *footer = read_footer(store, file, err);

	if (!footer)
		return error_wrap(err, "%s", file);
	if (*all)
		return parquet_footer_merge(*all, footer, err) || error_wrap(err, "%s", file);
	*all = take(footer);
	return true;
}

/* "at least 4,000 rows × 8 columns" */
static char *summary_of(int64_t rows, size_t columns, bool is_exact)
{
	scoped(text) char *row_text = display_count(rows, "row", "rows");
	scoped(text) char *column_text = display_count((int64_t)columns, "column", "columns");

	return text_printf("%s%s × %s", is_exact ? "" : "at least ", row_text, column_text);
}

static void describe(const struct parquet_footer *footer, size_t read, bool is_exact,
                     json_t *metadata)
{
	json_t *columns = parquet_footer_columns(footer);
	const char *created_by = parquet_footer_created_by(footer);
	scoped(text) char *summary =
		summary_of(parquet_footer_rows(footer), json_array_size(columns), is_exact);

	json_object_set_new(metadata, "rows", json_integer(parquet_footer_rows(footer)));
	json_object_set_new(metadata, "columns", columns);
	json_object_set_new(metadata, "compression",
	                    json_string(parquet_footer_compression(footer)));
	if (created_by)
		json_object_set_new(metadata, "created_by", json_string(created_by));
	if (!is_exact)
		json_object_set_new(metadata, "footers_read", json_integer((json_int_t)read));
	json_object_set_new(metadata, "summary", json_string(summary));
}

bool parquet_files_describe(struct artifact_store *store, const char *uri,
                            const struct artifact_files *files, json_t *metadata,
                            struct error **err)
{
	scoped(parquet_footer) struct parquet_footer *footer = NULL;
	size_t found = 0;

	for (size_t i = 0; i < files->count; i++) {
		const char *name = files->entries[i].name;

		if (!text_ends_with(name, ".parquet") || found++ >= PARQUET_FILES_MAX)
			continue;
		if (!add_footer(store, uri, name, &footer, err))
			return false;
	}
	if (!footer)
		return error_set(err, ERROR_INVALID, "there is no Parquet file at %s", uri);
	describe(footer, PARQUET_FILES_MAX, found <= PARQUET_FILES_MAX, metadata);
	return true;
}

void parquet_files_preview(const json_t *metadata, FILE *out)
{
	static const char *const keys[] = { "name", "type", "nulls", "min", "max", NULL };

	fprintf(out, "%s\n\n", json_string_value(json_object_get(metadata, "summary")));
	display_table(json_object_get(metadata, "columns"), keys, out);
}
