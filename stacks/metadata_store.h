/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the metadata store share (metadata_*.c); nobody else includes it. */
#ifndef STACKS_METADATA_STORE_H
#define STACKS_METADATA_STORE_H

#include "stacks/metadata.h"
#include "stacks/metadata_schema.h"
#include "stacks/sql_database.h"

struct metadata_store {
	struct sql_database *database;
	/* Rendered when first needed: for one row, and for many (sql_driver.rows_per_statement). */
	char *queries[METADATA_QUERY_COUNT][2];
};

/* The body of a transaction that brings a database's schema up to date. */
bool metadata_migrate(struct sql_database *database, void *unused, struct error **err);

/* What follows is run within a transaction. */

/* A query that gives no rows, and one that gives some. */
bool metadata_run(struct metadata_store *store, enum metadata_query query,
                  const struct sql_value *values, size_t count, struct error **err);
bool metadata_query(struct metadata_store *store, enum metadata_query query,
                    const struct sql_value *values, size_t count, sql_row_function *row,
                    void *context, struct error **err);
/* `query` writes rows of `table`. */
bool metadata_write(struct metadata_store *store, enum metadata_query query,
                    const struct metadata_table *table, const void *rows, size_t count,
                    struct error **err);
/* The rows of `table` that a query gives. */
struct metadata_rows {
	const struct metadata_table *table;
	char *rows; /* an array of the table's struct */
	size_t count;
};
bool metadata_read(struct metadata_store *store, enum metadata_query query,
                   const struct sql_value *values, size_t count, struct metadata_rows *rows,
                   struct error **err);

static inline struct sql_value sql_text(const char *text)
{
	return (struct sql_value){ .kind = text ? SQL_TEXT : SQL_NULL, .text = text };
}

static inline struct sql_value sql_number(int64_t integer)
{
	return (struct sql_value){ .kind = SQL_INTEGER, .integer = integer };
}

#endif
