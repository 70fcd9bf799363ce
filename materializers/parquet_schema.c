/* SPDX-License-Identifier: Apache-2.0 */
/* Parquet writes its schema depth-first as a flat list; LIST and MAP are groups by convention. */
#include "materializers/parquet_schema.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"

enum { ELEMENTS_MAX = 100000, DEPTH_MAX = 64 };

enum repetition { REQUIRED = 0, OPTIONAL = 1, REPEATED = 2 };

/* What both the old ConvertedType and the newer LogicalType say, in the words of the latter. */
enum annotation {
	NONE,
	STRING,
	LIST,
	MAP,
	DECIMAL,
	DATE,
	TIME,
	TIMESTAMP,
	INTEGER,
	UNKNOWN,
};

struct element {
	char *name;
	int physical; /* -1: a group */
	enum repetition repetition;
	size_t children;
	enum annotation annotation;
	int precision, scale;
	int bits; /* of an INTEGER */
	bool is_signed, is_instant;
	int fraction_digits; /* of TIME and TIMESTAMP */
};

struct tree {
	struct element *elements;
	size_t count;
	size_t at;     /* the next element of the walk */
	size_t leaves; /* seen so far */
	bool is_broken;
};

void parquet_schema_release(struct parquet_schema *schema)
{
	for (size_t i = 0; i < schema->count; i++) {
		free(schema->columns[i].name);
		free(schema->columns[i].type);
	}
	free(schema->columns);
	*schema = (struct parquet_schema){ 0 };
}

static void tree_release(struct tree *tree)
{
	for (size_t i = 0; i < tree->count; i++)
		free(tree->elements[i].name);
	free(tree->elements);
}

static void set_converted(struct element *element, int64_t converted)
{
	static const struct {
		enum annotation annotation;
		int detail; /* digits of a fraction, bits of an integer (below 0: unsigned) */
	} types[] = {
		{ STRING, 0 },    { MAP, 0 },       { MAP, 0 },       { LIST, 0 },
		{ STRING, 0 },    { DECIMAL, 0 },   { DATE, 0 },      { TIME, 3 },
		{ TIME, 6 },      { TIMESTAMP, 3 }, { TIMESTAMP, 6 }, { INTEGER, -8 },
		{ INTEGER, -16 }, { INTEGER, -32 }, { INTEGER, -64 }, { INTEGER, 8 },
		{ INTEGER, 16 },  { INTEGER, 32 },  { INTEGER, 64 },  { STRING, 0 },
	};

	/* The logical type, when both are there, says more; it comes later in the file. */
	if (converted < 0 || (size_t)converted >= ARRAY_SIZE(types)) {
		element->annotation = UNKNOWN; /* BSON, INTERVAL */
		return;
	}
	element->annotation = types[converted].annotation;
	element->fraction_digits = types[converted].detail;
	element->bits = abs(types[converted].detail);
	element->is_signed = types[converted].detail > 0;
	element->is_instant = true;
}

/* TimeUnit: a union of empty structs. */
static int read_time_unit(struct thrift *in, const struct thrift_field *outer)
{
	struct thrift_field field;
	int digits = 3;

	if (outer->type != THRIFT_STRUCT) {
		thrift_skip(in, outer);
		return digits;
	}
	thrift_begin(in, &field);
	while (thrift_next(in, &field)) {
		digits = field.id == 2 ? 6 : field.id == 3 ? 9 : 3;
		thrift_skip(in, &field);
	}
	return digits;
}

/* The fields of DecimalType, TimeType, TimestampType and IntType. */
static void read_annotation_field(struct thrift *in, const struct thrift_field *field,
                                  struct element *element)
{
	bool is_time = element->annotation == TIME || element->annotation == TIMESTAMP;

	if (element->annotation == DECIMAL && field->id == 1)
		element->scale = (int)thrift_integer(in, field);
	else if (element->annotation == DECIMAL && field->id == 2)
		element->precision = (int)thrift_integer(in, field);
	else if (is_time && field->id == 1)
		element->is_instant = thrift_bool(in, field);
	else if (is_time && field->id == 2)
		element->fraction_digits = read_time_unit(in, field);
	else if (element->annotation == INTEGER && field->id == 1)
		element->bits = (int)thrift_integer(in, field);
	else if (element->annotation == INTEGER && field->id == 2)
		element->is_signed = thrift_bool(in, field);
	else
		thrift_skip(in, field);
}

/* LogicalType: a union. */
static void read_logical(struct thrift *in, const struct thrift_field *outer,
                         struct element *element)
{
	static const enum annotation kinds[] = {
		[1] = STRING, [2] = MAP,  [3] = LIST,      [4] = STRING,   [5] = DECIMAL,
		[6] = DATE,   [7] = TIME, [8] = TIMESTAMP, [10] = INTEGER, [12] = STRING,
	};
	struct thrift_field field, inner;

	if (outer->type != THRIFT_STRUCT) {
		thrift_skip(in, outer);
		return;
	}
	thrift_begin(in, &field);
	while (thrift_next(in, &field)) {
		if (field.type != THRIFT_STRUCT) {
			thrift_skip(in, &field);
			continue;
		}
		element->annotation = UNKNOWN;
		if (field.id > 0 && (size_t)field.id < ARRAY_SIZE(kinds) && kinds[field.id])
			element->annotation = kinds[field.id];
		thrift_begin(in, &inner);
		while (thrift_next(in, &inner))
			read_annotation_field(in, &inner, element);
	}
}

static void read_element(struct thrift *in, struct element *element)
{
	struct thrift_field field;
	const char *name;
	size_t size;
	int64_t children;

	*element = (struct element){ .physical = -1 };
	thrift_begin(in, &field);
	while (thrift_next(in, &field)) {
		switch (field.id) {
		case 1:
			element->physical = (int)thrift_integer(in, &field);
			break;
		case 3:
			element->repetition = (enum repetition)thrift_integer(in, &field);
			break;
		case 4:
			name = thrift_binary(in, &field, &size);
			free(element->name);
			element->name = text_is_utf8(name, size) ? xstrndup(name, size) : NULL;
			break;
		case 5:
			children = thrift_integer(in, &field);
			element->children = children > 0 ? (size_t)children : 0;
			break;
		case 6:
			set_converted(element, thrift_integer(in, &field));
			break;
		case 7:
			element->scale = (int)thrift_integer(in, &field);
			break;
		case 8:
			element->precision = (int)thrift_integer(in, &field);
			break;
		case 10:
			read_logical(in, &field, element);
			break;
		default:
			thrift_skip(in, &field);
		}
	}
	if (element->children > 0)
		element->physical = -1;
}

static struct element *next_element(struct tree *tree, int depth)
{
	if (tree->at >= tree->count || depth > DEPTH_MAX) {
		tree->is_broken = true;
		return NULL;
	}
	return &tree->elements[tree->at++];
}

static void render_type(struct tree *tree, const struct element *element, int depth, FILE *out);

static void render_next(struct tree *tree, int depth, FILE *out)
{
	const struct element *element = next_element(tree, depth);

	if (element)
		render_type(tree, element, depth, out);
}

static const char *integer_name(const struct element *element)
{
	int bits = element->bits;

	/* Spark reads unsigned numbers as the next larger type. */
	if (element->is_signed)
		return bits == 8 ? "byte" : bits == 16 ? "short" : bits == 32 ? "int" : "long";
	return bits == 8 ? "short" : bits == 16 ? "int" : bits == 32 ? "long" : "decimal(20,0)";
}

static void render_leaf(const struct element *element, FILE *out)
{
	static const char *const names[] = { "boolean", "int",    "long",   "timestamp",
		                             "float",   "double", "binary", "binary" };

	if (element->annotation == STRING)
		fputs("string", out);
	else if (element->annotation == DECIMAL)
		fprintf(out, "decimal(%d,%d)", element->precision, element->scale);
	else if (element->annotation == DATE)
		fputs("date", out);
	else if (element->annotation == TIME)
		fputs("time", out);
	else if (element->annotation == TIMESTAMP)
		fputs(element->is_instant ? "timestamp" : "timestamp_ntz", out);
	else if (element->annotation == INTEGER)
		fputs(integer_name(element), out);
	else if (element->physical >= 0 && (size_t)element->physical < ARRAY_SIZE(names))
		fputs(names[element->physical], out);
	else
		fputs("struct<>", out);
}

/* struct<a:int,b:string>; in a map's entry the names do not matter. */
static void render_fields(struct tree *tree, const struct element *group, int depth, bool named,
                          FILE *out)
{
	for (size_t i = 0; i < group->children && !tree->is_broken; i++) {
		if (i > 0)
			fputc(',', out);
		if (named && tree->at < tree->count && tree->elements[tree->at].name)
			fprintf(out, "%s:", tree->elements[tree->at].name);
		render_next(tree, depth + 1, out);
	}
}

/* The repeated child of a LIST wraps the element, but for lists of an older layout, where it is
 * the element itself (parquet-format, "Backward-compatibility rules"). */
static void render_list(struct tree *tree, const struct element *list, int depth, FILE *out)
{
	const struct element *repeated = next_element(tree, depth + 1);
	bool is_wrapper;

	if (!repeated)
		return;
	is_wrapper =
		repeated->children == 1 && !text_equal(repeated->name, "array") &&
		!(list->name && repeated->name && text_starts_with(repeated->name, list->name) &&
	          text_equal(repeated->name + strlen(list->name), "_tuple"));
	fputs("array<", out);
	if (is_wrapper)
		render_next(tree, depth + 2, out);
	else
		render_type(tree, repeated, depth + 1, out);
	fputc('>', out);
}

static void render_map(struct tree *tree, int depth, FILE *out)
{
	const struct element *entry = next_element(tree, depth + 1);

	if (!entry)
		return;
	fputs("map<", out);
	render_fields(tree, entry, depth + 1, false, out);
	fputc('>', out);
}

static void render_type(struct tree *tree, const struct element *element, int depth, FILE *out)
{
	if (element->children == 0) {
		tree->leaves++;
		render_leaf(element, out);
	} else if (element->annotation == LIST && element->children == 1) {
		render_list(tree, element, depth, out);
	} else if (element->annotation == MAP && element->children == 1) {
		render_map(tree, depth, out);
	} else {
		fputs("struct<", out);
		render_fields(tree, element, depth, true, out);
		fputc('>', out);
	}
}

static enum parquet_meaning meaning_of(const struct element *element)
{
	static const enum parquet_meaning plain[] = {
		PARQUET_TRUTH, PARQUET_SIGNED, PARQUET_SIGNED, PARQUET_OPAQUE,
		PARQUET_REAL,  PARQUET_REAL,   PARQUET_OPAQUE, PARQUET_OPAQUE,
	};

	if (element->physical < 0 || (size_t)element->physical >= ARRAY_SIZE(plain))
		return PARQUET_OPAQUE;
	switch (element->annotation) {
	case NONE:
		return plain[element->physical];
	case STRING:
		return PARQUET_TEXT;
	case DECIMAL:
		return PARQUET_DECIMAL;
	case DATE:
		return PARQUET_DATE;
	case TIME:
		return PARQUET_TIME;
	case TIMESTAMP:
		return PARQUET_TIMESTAMP;
	case INTEGER:
		return element->is_signed ? PARQUET_SIGNED : PARQUET_UNSIGNED;
	default:
		return PARQUET_OPAQUE;
	}
}

/* An annotation on a physical type that it does not fit makes no order either. */
static bool meaning_fits(enum parquet_meaning meaning, const struct element *element)
{
	bool is_number = element->physical == PARQUET_INT32 || element->physical == PARQUET_INT64;

	switch (meaning) {
	case PARQUET_TEXT:
		return element->physical == PARQUET_BYTES;
	case PARQUET_DECIMAL:
		return (is_number || element->physical >= PARQUET_BYTES) &&
		       element->precision > 0 && element->precision <= 38 && element->scale >= 0 &&
		       element->scale <= element->precision;
	case PARQUET_DATE:
		return element->physical == PARQUET_INT32;
	case PARQUET_TIMESTAMP:
		return element->physical == PARQUET_INT64;
	case PARQUET_SIGNED:
	case PARQUET_UNSIGNED:
	case PARQUET_TIME:
		return is_number;
	default:
		return true;
	}
}

static struct parquet_scalar scalar_of(const struct element *element)
{
	struct parquet_scalar scalar = { .meaning = PARQUET_OPAQUE };
	enum parquet_meaning meaning = meaning_of(element);

	if (element->children > 0 || element->repetition == REPEATED ||
	    !meaning_fits(meaning, element))
		return scalar;
	scalar.meaning = meaning;
	scalar.physical = (enum parquet_physical)element->physical;
	scalar.scale = meaning == PARQUET_DECIMAL ? element->scale : element->fraction_digits;
	scalar.is_instant = element->is_instant;
	return scalar;
}

/* The elements after `index` that belong to it, and the leaves among them. */
static size_t skip_subtree(const struct tree *tree, size_t index, size_t *leaves)
{
	size_t open = 1;

	while (open > 0 && index < tree->count) {
		open += tree->elements[index].children;
		*leaves += tree->elements[index].children == 0;
		open--;
		index++;
	}
	return index;
}

/* The element itself, or among the children of a group a required leaf: VectorUDT has one. */
static bool find_null_leaf(const struct tree *tree, size_t index, size_t leaf, size_t *found)
{
	const struct element *group = &tree->elements[index];
	size_t child = index + 1;

	if (group->children == 0) {
		*found = leaf;
		return true;
	}
	for (size_t i = 0; i < group->children && child < tree->count; i++) {
		const struct element *element = &tree->elements[child];

		if (element->repetition == REQUIRED && element->children == 0) {
			*found = leaf;
			return true;
		}
		child = skip_subtree(tree, child, &leaf);
	}
	return false;
}

static bool read_column(struct tree *tree, struct parquet_schema_column *column, struct error **err)
{
	size_t index = tree->at;
	const struct element *element = next_element(tree, 1);
	struct text_stream stream;

	if (!element)
		return error_set(err, ERROR_INVALID, "its schema is no tree");
	if (!element->name)
		return error_set(err, ERROR_INVALID, "a column has no name, or none in UTF-8");
	column->leaf = tree->leaves;
	column->scalar = scalar_of(element);
	column->is_required = element->repetition == REQUIRED;
	column->has_null_leaf = element->repetition == OPTIONAL &&
	                        find_null_leaf(tree, index, column->leaf, &column->null_leaf);
	column->name = xstrdup(element->name);

	text_stream_open(&stream);
	if (element->repetition == REPEATED)
		fputs("array<", stream.file);
	render_type(tree, element, 1, stream.file);
	if (element->repetition == REPEATED)
		fputc('>', stream.file);
	column->type = text_stream_take(&stream);
	return true;
}

static bool read_columns(struct tree *tree, struct parquet_schema *schema, struct error **err)
{
	const struct element *root = next_element(tree, 0);
	bool is_good = true;

	/* Each child is an element of its own. */
	if (!root || root->children >= tree->count)
		return error_set(err, ERROR_INVALID, "its schema is no tree");
	schema->columns = xcalloc(root->children, sizeof(*schema->columns));
	while (is_good && !tree->is_broken && schema->count < root->children)
		is_good = read_column(tree, &schema->columns[schema->count++], err);
	schema->leaf_count = tree->leaves;
	if (is_good && (tree->is_broken || tree->at != tree->count))
		is_good = error_set(err, ERROR_INVALID, "its schema is no tree");
	if (!is_good)
		parquet_schema_release(schema);
	return is_good;
}

bool parquet_schema_read(struct thrift *in, const struct thrift_field *field,
                         struct parquet_schema *schema, struct error **err)
{
	struct tree tree = { 0 };
	size_t count = thrift_structs(in, field);
	bool is_good;

	if (count > ELEMENTS_MAX)
		return error_set(err, ERROR_INVALID, "its schema has %zu elements; %d is the limit",
		                 count, ELEMENTS_MAX);
	tree.elements = xcalloc(count, sizeof(*tree.elements));
	while (tree.count < count && !in->failed)
		read_element(in, &tree.elements[tree.count++]);
	parquet_schema_release(schema);
	if (in->failed)
		is_good = error_set(err, ERROR_INVALID, "its footer is damaged");
	else
		is_good = read_columns(&tree, schema, err);
	tree_release(&tree);
	return is_good;
}
