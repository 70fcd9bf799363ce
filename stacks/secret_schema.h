/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of secrets: which keys each must and may have. */
#ifndef STACKS_SECRET_SCHEMA_H
#define STACKS_SECRET_SCHEMA_H

#include <stdbool.h>

#include "core/error.h"

struct secret_schema_key {
	const char *name;
	bool required;
};

struct secret_schema {
	const char *name;                     /* "aws" */
	const char *help;                     /* one line */
	const struct secret_schema_key *keys; /* ends with a NULL name; NULL: any */
};

/* INVALID suggests. */
const struct secret_schema *secret_schema_find(const char *name, struct error **err);

#endif
