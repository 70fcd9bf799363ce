/* SPDX-License-Identifier: Apache-2.0 */
/* Results for people and machines alike: tables, JSON, YAML, names. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "core/error.h"

enum output_format {
	OUTPUT_TABLE,
	OUTPUT_WIDE,
	OUTPUT_JSON,
	OUTPUT_YAML,
	OUTPUT_NAME,
};

struct output_column {
	const char *key, *title; /* the title is shown in upper case; NULL: the key */
	bool wide_only;
};

/*
 * `rows` is an array of objects; `columns`, which end with a NULL key, name their keys. table: the
 * columns that are not wide, titles first, also when there are no rows; json and yaml: the whole
 * rows; name: the first column, one per line. Null, absent and empty values are shown as <none>,
 * control characters as blanks: a cell is one line whatever is in it. Width is that of the
 * terminal's cells under the LC_CTYPE of the process.
 */
bool output_rows(FILE *out, enum output_format format, const struct output_column *columns,
                 const json_t *rows, struct error **err);
/* One object: "key: value" lines (nested values as YAML below their key), json, yaml, or its "name"
 * (without one: its first value). */
bool output_object(FILE *out, enum output_format format, const json_t *object, struct error **err);

/*
 * Kubernetes objects as 'kubectl apply -f -' reads them: one YAML document each, or (json) a List;
 * name: "Pod/name" lines.
 */
bool output_manifests(FILE *out, enum output_format format, const json_t *objects,
                      struct error **err);

#endif
