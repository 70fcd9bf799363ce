/* SPDX-License-Identifier: Apache-2.0 */
/* FileMetaData of parquet.thrift: what of it describes the data as a whole. */
#include "materializers/parquet_footer.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "materializers/parquet_schema.h"
#include "materializers/parquet_statistics.h"
#include "materializers/spark_type.h"
#include "materializers/thrift.h"

enum { TRAILER_BYTES = 8, MESSAGE_TEXT_MAX = 200 };

/* Spark's own schema, as JSON: it alone knows of vectors. */
static const char spark_schema_key[] = "org.apache.spark.sql.parquet.row.metadata";

struct parquet_footer {
	int64_t rows;
	struct parquet_schema schema;
	struct parquet_statistics *statistics; /* one per column */
	size_t *null_columns, *bound_columns;  /* by leaf: column it counts for, or SIZE_MAX */
	char *created_by;
	const char *compression;
};

/* Only while it is parsed. */
struct parse {
	struct parquet_footer *footer;
	int64_t rows_of_groups;
	bool has_orders;
	json_t *spark_schema;
};

void parquet_footer_free(struct parquet_footer *footer)
{
	if (!footer)
		return;
	for (size_t i = 0; footer->statistics && i < footer->schema.count; i++)
		parquet_statistics_release(&footer->statistics[i]);
	free(footer->statistics);
	free(footer->null_columns);
	free(footer->bound_columns);
	free(footer->created_by);
	parquet_schema_release(&footer->schema);
	free(footer);
}

bool parquet_footer_size(const void *tail, size_t size, size_t *footer_size, struct error **err)
{
	const unsigned char *end = (const unsigned char *)tail + size;
	size_t length;

	if (size < TRAILER_BYTES || (memcmp(end - 4, "PAR1", 4) && memcmp(end - 4, "PARE", 4)))
		return error_set(err, ERROR_INVALID,
		                 "not a Parquet file, or cut short: it does not end in 'PAR1'");
	if (!memcmp(end - 4, "PARE", 4))
		return error_set(err, ERROR_INVALID,
		                 "its footer is encrypted: rows and columns cannot be read without "
		                 "the key");
	length = (size_t)end[-8] | (size_t)end[-7] << 8 | (size_t)end[-6] << 16 |
	         (size_t)end[-5] << 24;
	if (length > PARQUET_FOOTER_MAX)
		return error_set(err, ERROR_INVALID, "its footer takes %zu bytes; %zu is the limit",
		                 length, PARQUET_FOOTER_MAX);
	*footer_size = length + TRAILER_BYTES;
	return true;
}

static void index_leaves(struct parquet_footer *footer)
{
	const struct parquet_schema *schema = &footer->schema;

	footer->statistics = xcalloc(schema->count, sizeof(*footer->statistics));
	footer->null_columns = xcalloc(schema->leaf_count, sizeof(size_t));
	footer->bound_columns = xcalloc(schema->leaf_count, sizeof(size_t));
	memset(footer->null_columns, 0xff, schema->leaf_count * sizeof(size_t));
	memset(footer->bound_columns, 0xff, schema->leaf_count * sizeof(size_t));
	for (size_t i = 0; i < schema->count; i++) {
		const struct parquet_schema_column *column = &schema->columns[i];

		if (column->has_null_leaf && column->null_leaf < schema->leaf_count)
			footer->null_columns[column->null_leaf] = i;
		if (column->scalar.meaning != PARQUET_OPAQUE)
			footer->bound_columns[column->leaf] = i;
		footer->statistics[i].nulls_unknown =
			!column->has_null_leaf && !column->is_required;
		footer->statistics[i].bounds_unknown = column->scalar.meaning == PARQUET_OPAQUE;
	}
}

static void set_compression(struct parquet_footer *footer, int64_t codec)
{
	static const char *const names[] = { "none",   "snappy", "gzip", "lzo",
		                             "brotli", "lz4",    "zstd", "lz4" };

	if (!footer->compression)
		footer->compression =
			codec >= 0 && (size_t)codec < ARRAY_SIZE(names) ? names[codec] : "unknown";
}

static void read_chunk_metadata(struct parse *parse, struct thrift *in, struct parquet_chunk *chunk)
{
	struct thrift_field field;

	thrift_begin(in, &field);
	while (thrift_next(in, &field)) {
		if (field.id == 4)
			set_compression(parse->footer, thrift_integer(in, &field));
		else if (field.id == 5)
			chunk->values = thrift_integer(in, &field);
		else if (field.id == 12)
			parquet_chunk_read_statistics(in, &field, chunk);
		else
			thrift_skip(in, &field);
	}
}

static void read_chunk(struct parse *parse, struct thrift *in, size_t leaf)
{
	struct parquet_footer *footer = parse->footer;
	/* A chunk whose metadata is encrypted has none here: then it has values of which nothing
	 * is known. */
	struct parquet_chunk chunk = { .values = 1 };
	struct thrift_field field;
	size_t column;

	thrift_begin(in, &field);
	while (thrift_next(in, &field)) {
		if (field.id == 3 && field.type == THRIFT_STRUCT)
			read_chunk_metadata(parse, in, &chunk);
		else
			thrift_skip(in, &field);
	}
	if (in->failed || leaf >= footer->schema.leaf_count)
		return;
	column = footer->null_columns[leaf];
	if (column != SIZE_MAX)
		parquet_statistics_add_nulls(&footer->statistics[column], &chunk);
	column = footer->bound_columns[leaf];
	if (column != SIZE_MAX)
		parquet_statistics_add_bounds(&footer->statistics[column],
		                              &footer->schema.columns[column].scalar, &chunk);
}

static bool read_row_group(struct parse *parse, struct thrift *in, struct error **err)
{
	struct thrift_field field;
	int64_t rows = 0;
	size_t chunks = 0;

	thrift_begin(in, &field);
	while (thrift_next(in, &field)) {
		if (field.id == 1) {
			chunks = thrift_structs(in, &field);
			for (size_t i = 0; i < chunks && !in->failed; i++)
				read_chunk(parse, in, i);
		} else if (field.id == 3) {
			rows = thrift_integer(in, &field);
		} else {
			thrift_skip(in, &field);
		}
	}
	if (chunks != parse->footer->schema.leaf_count || rows < 0 ||
	    __builtin_add_overflow(parse->rows_of_groups, rows, &parse->rows_of_groups))
		return error_set(err, ERROR_INVALID,
		                 "its footer is damaged: a row group does not fit "
		                 "the schema");
	return true;
}

static bool read_row_groups(struct parse *parse, struct thrift *in,
                            const struct thrift_field *field, struct error **err)
{
	size_t count = thrift_structs(in, field);

	if (count > 0 && !parse->footer->statistics)
		return error_set(err, ERROR_INVALID, "its footer is damaged: no schema");
	for (size_t i = 0; i < count && !in->failed; i++)
		if (!read_row_group(parse, in, err))
			return false;
	return true;
}

static void read_key_value(struct parse *parse, struct thrift *in)
{
	const char *key = "", *value = "";
	size_t key_size = 0, value_size = 0;
	struct thrift_field field;

	thrift_begin(in, &field);
	while (thrift_next(in, &field)) {
		if (field.id == 1)
			key = thrift_binary(in, &field, &key_size);
		else if (field.id == 2)
			value = thrift_binary(in, &field, &value_size);
		else
			thrift_skip(in, &field);
	}
	if (!parse->spark_schema && key_size == strlen(spark_schema_key) &&
	    !memcmp(key, spark_schema_key, key_size))
		parse->spark_schema = json_loadb(value, value_size, 0, NULL);
}

static bool read_schema(struct parse *parse, struct thrift *in, const struct thrift_field *field,
                        struct error **err)
{
	if (parse->footer->statistics)
		return error_set(err, ERROR_INVALID, "its footer is damaged: two schemas");
	if (!parquet_schema_read(in, field, &parse->footer->schema, err))
		return false;
	index_leaves(parse->footer);
	return true;
}

static void read_created_by(struct parquet_footer *footer, struct thrift *in,
                            const struct thrift_field *field)
{
	size_t size;
	const char *text = thrift_binary(in, field, &size);

	if (!footer->created_by && size > 0 && size <= MESSAGE_TEXT_MAX && text_is_utf8(text, size))
		footer->created_by = xstrndup(text, size);
}

static bool read_field(struct parse *parse, struct thrift *in, const struct thrift_field *field,
                       struct error **err)
{
	size_t count;

	switch (field->id) {
	case 2:
		return read_schema(parse, in, field, err);
	case 3:
		parse->footer->rows = thrift_integer(in, field);
		return true;
	case 4:
		return read_row_groups(parse, in, field, err);
	case 5:
		count = thrift_structs(in, field);
		for (size_t i = 0; i < count && !in->failed; i++)
			read_key_value(parse, in);
		return true;
	case 6:
		read_created_by(parse->footer, in, field);
		return true;
	case 7:
		parse->has_orders = true;
		break;
	default:
		break;
	}
	thrift_skip(in, field);
	return true;
}

static bool read_file_metadata(struct parse *parse, struct thrift *in, struct error **err)
{
	struct thrift_field field;

	thrift_begin(in, &field);
	while (thrift_next(in, &field))
		if (!read_field(parse, in, &field, err))
			return false;
	if (in->failed)
		return error_set(err, ERROR_INVALID, "its footer is damaged");
	if (!parse->footer->statistics)
		return error_set(err, ERROR_INVALID, "its footer is damaged: no schema");
	if (parse->footer->rows != parse->rows_of_groups)
		return error_set(err, ERROR_INVALID,
		                 "its footer is damaged: %lld rows, but its row groups have %lld",
		                 (long long)parse->footer->rows, (long long)parse->rows_of_groups);
	return true;
}

/* Spark's types in place of Parquet's, by name. */
static void apply_spark_schema(struct parquet_footer *footer, const json_t *spark_schema)
{
	json_auto_t *types = json_object();
	const json_t *fields = json_object_get(spark_schema, "fields"), *field;
	size_t i;

	json_array_foreach (fields, i, field) {
		const char *name = json_string_value(json_object_get(field, "name"));
		json_t *type = json_object_get(field, "type");

		if (name && type)
			json_object_set(types, name, type);
	}
	for (i = 0; i < footer->schema.count; i++) {
		struct parquet_schema_column *column = &footer->schema.columns[i];
		const json_t *type = json_object_get(types, column->name);
		char *name = type ? spark_type_name(type) : NULL;

		if (!name)
			continue;
		free(column->type);
		column->type = name;
	}
}

/* Bounds by type need a file that says that it is ordered so; older writers had it otherwise. */
static void drop_unordered_bounds(struct parquet_footer *footer)
{
	for (size_t i = 0; i < footer->schema.count; i++)
		if (footer->statistics[i].is_ordered_by_type)
			parquet_statistics_drop_bounds(&footer->statistics[i]);
}

struct parquet_footer *parquet_footer_parse(const void *tail, size_t size, struct error **err)
{
	scoped(parquet_footer) struct parquet_footer *footer = xcalloc(1, sizeof(*footer));
	struct parse parse = { .footer = footer };
	size_t footer_size;
	struct thrift in;
	bool is_good;

	if (!parquet_footer_size(tail, size, &footer_size, err))
		return NULL;
	if (footer_size > size)
		return error_set(err, ERROR_INVALID, "cut short: the footer takes %zu bytes of %zu",
		                 footer_size, size);
	in = thrift_on((const char *)tail + size - footer_size, footer_size - TRAILER_BYTES);
	is_good = read_file_metadata(&parse, &in, err);
	if (is_good && parse.spark_schema)
		apply_spark_schema(footer, parse.spark_schema);
	if (is_good && !parse.has_orders)
		drop_unordered_bounds(footer);
	json_decref(parse.spark_schema);
	return is_good ? take(footer) : NULL;
}

static bool columns_are_same(const struct parquet_schema *a, const struct parquet_schema *b,
                             struct error **err)
{
	if (a->count != b->count)
		return error_set(err, ERROR_INVALID, "it has %zu columns, the files before it %zu",
		                 b->count, a->count);
	for (size_t i = 0; i < a->count; i++) {
		const struct parquet_schema_column *x = &a->columns[i], *y = &b->columns[i];

		if (!text_equal(x->name, y->name) || !text_equal(x->type, y->type) ||
		    x->scalar.meaning != y->scalar.meaning || x->scalar.scale != y->scalar.scale)
			return error_set(err, ERROR_INVALID,
			                 "its column %zu is '%s' (%s), in the files before it "
			                 "'%s' (%s)",
			                 i + 1, y->name, y->type, x->name, x->type);
	}
	return true;
}

bool parquet_footer_merge(struct parquet_footer *footer, const struct parquet_footer *other,
                          struct error **err)
{
	int64_t rows;

	if (!columns_are_same(&footer->schema, &other->schema, err))
		return false;
	if (__builtin_add_overflow(footer->rows, other->rows, &rows))
		return error_set(err, ERROR_INVALID, "its number of rows makes no sense");
	footer->rows = rows;
	for (size_t i = 0; i < footer->schema.count; i++)
		parquet_statistics_merge(&footer->statistics[i], &footer->schema.columns[i].scalar,
		                         &other->statistics[i]);
	if (!footer->compression)
		footer->compression = other->compression;
	return true;
}

int64_t parquet_footer_rows(const struct parquet_footer *footer)
{
	return footer->rows;
}

static json_t *column_json(const struct parquet_schema_column *column,
                           const struct parquet_statistics *statistics)
{
	json_t *json = json_pack("{s:s, s:s}", "name", column->name, "type", column->type);

	if (!statistics->nulls_unknown)
		json_object_set_new(json, "nulls", json_integer(statistics->nulls));
	if (!statistics->bounds_unknown && statistics->has_bounds) {
		json_object_set_new(json, "min",
		                    parquet_value_json(&column->scalar, &statistics->minimum));
		json_object_set_new(json, "max",
		                    parquet_value_json(&column->scalar, &statistics->maximum));
	}
	return json;
}

json_t *parquet_footer_columns(const struct parquet_footer *footer)
{
	json_t *columns = json_array();

	for (size_t i = 0; i < footer->schema.count; i++)
		json_array_append_new(
			columns, column_json(&footer->schema.columns[i], &footer->statistics[i]));
	return columns;
}

const char *parquet_footer_compression(const struct parquet_footer *footer)
{
	return footer->compression ? footer->compression : "none";
}

const char *parquet_footer_created_by(const struct parquet_footer *footer)
{
	return footer->created_by;
}
