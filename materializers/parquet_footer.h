/* SPDX-License-Identifier: Apache-2.0 */
/* The footer of a Parquet file: rows, columns and their statistics, without a page of data. */
#ifndef MATERIALIZERS_PARQUET_FOOTER_H
#define MATERIALIZERS_PARQUET_FOOTER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

/* What to read first: most footers are shorter. */
#define PARQUET_TAIL_BYTES ((size_t)64 * 1024)
#define PARQUET_FOOTER_MAX ((size_t)16 * 1024 * 1024)

struct parquet_footer;

/*
 * `tail` is the end of a file. How many bytes of the end the footer takes, the 8 of length and
 * magic included. INVALID: no Parquet file, an encrypted footer, more than PARQUET_FOOTER_MAX.
 */
bool parquet_footer_size(const void *tail, size_t size, size_t *footer_size, struct error **err);

/* `tail` must hold the whole footer. INVALID when it is damaged. The caller owns the footer. */
struct parquet_footer *parquet_footer_parse(const void *tail, size_t size, struct error **err);
void parquet_footer_free(struct parquet_footer *footer);
DEFINE_CLEANUP(parquet_footer);

/* Adds what `other` says of its part of the same data. INVALID, and nothing is changed, when the
 * columns are not the same. */
bool parquet_footer_merge(struct parquet_footer *footer, const struct parquet_footer *other,
                          struct error **err);

int64_t parquet_footer_rows(const struct parquet_footer *footer);
/*
 * Array of {"name", "type", "nulls", "min", "max"}; owned by the caller. Types are Spark's, from
 * its own notes in the file where there are any. "nulls", "min" and "max" are left out where they
 * are not known: nested columns, binary, timestamps as INT96, columns without statistics.
 */
json_t *parquet_footer_columns(const struct parquet_footer *footer);
/* Of the first file. "snappy", "zstd", "none"; borrowed. */
const char *parquet_footer_compression(const struct parquet_footer *footer);
/* "parquet-mr version 1.13.1 (…)"; NULL when it is not said; borrowed. */
const char *parquet_footer_created_by(const struct parquet_footer *footer);

#endif
