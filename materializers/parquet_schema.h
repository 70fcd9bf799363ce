/* SPDX-License-Identifier: Apache-2.0 */
/* The schema of a Parquet file: its columns as Spark would name them. */
#ifndef MATERIALIZERS_PARQUET_SCHEMA_H
#define MATERIALIZERS_PARQUET_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"
#include "materializers/parquet_value.h"
#include "materializers/thrift.h"

struct parquet_schema_column {
	char *name;                   /* valid UTF-8 */
	char *type;                   /* "long", "array<string>", "struct<city:string,zip:int>" */
	struct parquet_scalar scalar; /* OPAQUE for what is nested */
	bool is_required;             /* cannot hold nulls */
	size_t leaf;                  /* the first leaf (column chunk) below it */
	/* The leaf that is null exactly where the column is: reached through required fields
	 * alone. */
	bool has_null_leaf;
	size_t null_leaf;
};

struct parquet_schema {
	struct parquet_schema_column *columns; /* of the top level */
	size_t count;
	size_t leaf_count;
};
void parquet_schema_release(struct parquet_schema *schema);

/* Reads FileMetaData's list of SchemaElement, `field`. INVALID when it is no tree, or has more than
 * 100,000 elements. */
bool parquet_schema_read(struct thrift *in, const struct thrift_field *field,
                         struct parquet_schema *schema, struct error **err);

#endif
