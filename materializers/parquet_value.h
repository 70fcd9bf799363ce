/* SPDX-License-Identifier: Apache-2.0 */
/* Single values of Parquet statistics: read by their column's type, compared, shown. */
#ifndef MATERIALIZERS_PARQUET_VALUE_H
#define MATERIALIZERS_PARQUET_VALUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As numbered in Parquet's Type. */
enum parquet_physical {
	PARQUET_BOOLEAN = 0,
	PARQUET_INT32 = 1,
	PARQUET_INT64 = 2,
	PARQUET_INT96 = 3,
	PARQUET_FLOAT = 4,
	PARQUET_DOUBLE = 5,
	PARQUET_BYTES = 6,
	PARQUET_FIXED = 7,
};

/* What the bytes mean, and so how they are ordered. */
enum parquet_meaning {
	PARQUET_OPAQUE, /* no order that we could show: binary, INT96, nested */
	PARQUET_TRUTH,
	PARQUET_SIGNED,
	PARQUET_UNSIGNED,
	PARQUET_REAL,
	PARQUET_TEXT,
	PARQUET_DECIMAL,
	PARQUET_DATE,
	PARQUET_TIME, /* of a day */
	PARQUET_TIMESTAMP,
};

struct parquet_scalar {
	enum parquet_meaning meaning;
	enum parquet_physical physical;
	int scale;       /* decimals; for times the digits of a second's fraction: 3, 6 or 9 */
	bool is_instant; /* of a timestamp: in UTC, not "what the clock on the wall said" */
};

struct parquet_value {
	__int128 integer; /* all but the two below */
	double real;
	char *text; /* owned */
	size_t size;
};
void parquet_value_release(struct parquet_value *value);

/* False for bytes that are no value of the type, and for NaN, which has no place in an order. */
bool parquet_value_read(const struct parquet_scalar *scalar, const char *bytes, size_t size,
                        struct parquet_value *value);
struct parquet_value parquet_value_copy(const struct parquet_value *value);
/* Below, at or above 0, as by memcmp(). */
int parquet_value_compare(const struct parquet_scalar *scalar, const struct parquet_value *a,
                          const struct parquet_value *b);
/* Numbers and truth values as such; decimals, dates, times, and what JSON's numbers cannot hold, as
 * text. Long text is cut. */
json_t *parquet_value_json(const struct parquet_scalar *scalar, const struct parquet_value *value);

#endif
