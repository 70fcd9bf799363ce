/* SPDX-License-Identifier: Apache-2.0 */
/* The client half of a materializer: what an artifact of a type is, told without loading it. */
#ifndef MATERIALIZERS_MATERIALIZER_H
#define MATERIALIZERS_MATERIALIZER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "core/error.h"
#include "stacks/artifact.h"

#define MATERIALIZER_ABI 1

struct materializer {
	int abi;          /* MATERIALIZER_ABI; a plugin built for another one is refused */
	const char *type; /* as in pipeline files: "spark.dataframe" */
	const char *help; /* one line */

	/*
	 * Metadata as an object: always "size_bytes" and "files"; spark.dataframe: "rows",
	 * "columns":
	 * [{"name","type","nulls","min","max"}]; spark.model: "class", "uid", "params"; json:
	 * "value" when it is short. Also "summary": one short text for tables ("4000 rows × 8
	 * columns", "RandomForestClassificationModel"). NOT_FOUND or INVALID when the artifact is
	 * not complete (no _SUCCESS, damaged footer).
	 */
	json_t *(*describe)(struct artifact_store *store, const char *uri, struct error **err);
	/* SHA-256 over names, sizes and ETags or contents: the same bytes give the same digest.
	 * Owned by the caller. */
	char *(*digest)(struct artifact_store *store, const char *uri, struct error **err);
	/* A few rows or the value, for people. */
	bool (*preview)(struct artifact_store *store, const char *uri, FILE *out,
	                struct error **err);
};

/* NULL when unknown. Built-in ones only; plugins come with materializer_load(). */
const struct materializer *materializer_find(const char *type);
/* All types, NULL at the end, for messages and completion. */
const char *const *materializer_types(void);

/* Callers' side. */
json_t *materializer_describe(const struct materializer *materializer, struct artifact_store *store,
                              const char *uri, struct error **err);
char *materializer_digest(const struct materializer *materializer, struct artifact_store *store,
                          const char *uri, struct error **err);
bool materializer_preview(const struct materializer *materializer, struct artifact_store *store,
                          const char *uri, FILE *out, struct error **err);

#endif
