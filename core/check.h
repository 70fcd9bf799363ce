/* SPDX-License-Identifier: Apache-2.0 */
/* Checks a document's values against tables of what is expected, and says what is wrong where. */
#ifndef CORE_CHECK_H
#define CORE_CHECK_H

#include <jansson.h>
#include <stdbool.h>

#include "core/document.h"

/* All borrowed. */
struct check {
	const struct document *document;
	struct faults *faults;
	/* Stands, by identity, where an expression could not be resolved: nothing more is said of
	 * it. */
	const json_t *unknown;
};

/* What a value must be. */
struct shape {
	const char *expected; /* "a mapping", for messages */
	bool (*accepts)(const json_t *value);
	/* A mapping with known fields; the last one has no name. */
	const struct field *fields;
	/* Or a mapping whose keys the user chooses. */
	const struct shape *values;
	bool (*accepts_key)(const char *key);
	const char *expected_key;
	/* A list. */
	const struct shape *items;
};

struct field {
	const char *name;
	const struct shape *shape; /* NULL: not supported yet */
	bool is_required;
};

/* `name` and `position` are those of the key that the value stands at. */
void check_shape(const struct check *check, const json_t *value, const struct shape *shape,
                 const char *name, struct document_position position);

/* The text at `key`; NULL when it is absent, no text, or unknown. */
const char *check_text(const struct check *check, const json_t *object, const char *key);
/* Where the value at `key` of `object` stands; its key when it has no place of its own. */
struct document_position check_value_position(const struct check *check, const json_t *object,
                                              const char *key);
/* "; did you mean 'x'?" or "", owned by the caller. Silent when there are too many faults already:
 * looking for near names takes its time, and only the first faults are shown. */
char *check_suggestion(const struct check *check, const char *word, const char *const *candidates);
/* The same with the keys of `object`. */
char *check_suggestion_of_keys(const struct check *check, const char *word, const json_t *object);

#endif
