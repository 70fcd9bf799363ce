/* SPDX-License-Identifier: Apache-2.0 */
/* Nulls, minimum and maximum of a column, put together from those of its parts. */
#ifndef MATERIALIZERS_PARQUET_STATISTICS_H
#define MATERIALIZERS_PARQUET_STATISTICS_H

#include "materializers/parquet_value.h"
#include "materializers/thrift.h"

/* What is unknown of one part is unknown of the whole. */
struct parquet_statistics {
	bool nulls_unknown, bounds_unknown;
	int64_t nulls;
	bool has_bounds; /* there was a value */
	struct parquet_value minimum, maximum;
	bool is_ordered_by_type; /* bounds hold only in a file that says so (column_orders) */
};
void parquet_statistics_release(struct parquet_statistics *statistics);
void parquet_statistics_drop_bounds(struct parquet_statistics *statistics);

/* One column chunk's values and its Statistics structure as the file has it. */
struct parquet_chunk {
	int64_t values;
	bool has_nulls, is_exact;
	int64_t nulls;
	/* Borrowed from the file; NULL: none. */
	const char *minimum, *maximum, *old_minimum, *old_maximum;
	size_t minimum_size, maximum_size, old_minimum_size, old_maximum_size;
};
void parquet_chunk_read_statistics(struct thrift *in, const struct thrift_field *field,
                                   struct parquet_chunk *chunk);

void parquet_statistics_add_nulls(struct parquet_statistics *statistics,
                                  const struct parquet_chunk *chunk);
void parquet_statistics_add_bounds(struct parquet_statistics *statistics,
                                   const struct parquet_scalar *scalar,
                                   const struct parquet_chunk *chunk);
void parquet_statistics_merge(struct parquet_statistics *statistics,
                              const struct parquet_scalar *scalar,
                              const struct parquet_statistics *other);

#endif
