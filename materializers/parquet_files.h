/* SPDX-License-Identifier: Apache-2.0 */
/* The Parquet files of an artifact, taken together. */
#ifndef MATERIALIZERS_PARQUET_FILES_H
#define MATERIALIZERS_PARQUET_FILES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "core/error.h"
#include "materializers/artifact_files.h"
#include "stacks/artifact.h"

/* Footers that are read of one artifact; each takes a request. */
#define PARQUET_FILES_MAX 1000

/*
 * Adds "rows", "columns", "compression", "created_by" and "summary" to `metadata` from the footers
 * of the files that end in ".parquet". With more than PARQUET_FILES_MAX of them, "rows" and the
 * statistics are those of the first, and "footers_read" says how many these were. INVALID when
 * there is none or one is damaged.
 */
bool parquet_files_describe(struct artifact_store *store, const char *uri,
                            const struct artifact_files *files, json_t *metadata,
                            struct error **err);

/* The summary and a table of the columns, from such metadata. */
void parquet_files_preview(const json_t *metadata, FILE *out);

#endif
