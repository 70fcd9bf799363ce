/* SPDX-License-Identifier: Apache-2.0 */
/* What a Python file defines at its left margin, read without a Python. */
#ifndef OPERATOR_PIPELINE_SOURCE_H
#define OPERATOR_PIPELINE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"

enum source_kind {
	SOURCE_FUNCTION,
	SOURCE_ASYNC_FUNCTION,
	SOURCE_CLASS,
	SOURCE_VALUE, /* assigned or imported: it may be a function */
};

struct source_parameter {
	char *name;
	bool is_required;        /* no default */
	bool is_positional_only; /* before '/': cannot be given by name */
};

struct source_definition {
	char *name;
	enum source_kind kind;
	int line;
	/* False when the parameters cannot be told by reading: values, decorated functions. */
	bool has_signature;
	struct source_parameter *parameters;
	size_t parameter_count;
	bool takes_any_name; /* **kwargs */
};

/* All that is read of it is forgotten but for names: no code is kept, none is run. */
struct pipeline_source;

struct pipeline_source *pipeline_source_parse(const char *text, size_t size);
/* NOT_FOUND; INVALID above 4 MiB. */
struct pipeline_source *pipeline_source_read(const char *path, struct error **err);
void pipeline_source_free(struct pipeline_source *source);
DEFINE_CLEANUP(pipeline_source);

/* The last definition of `name`, as Python would have it; NULL when there is none. Borrowed. */
const struct source_definition *pipeline_source_find(const struct pipeline_source *source,
                                                     const char *name);
/* "from x import *": names may be there that cannot be seen. */
bool pipeline_source_has_star_import(const struct pipeline_source *source);
/* The names of all functions, NULL at the end; free() the array only. */
const char **pipeline_source_function_names(const struct pipeline_source *source);

/* NULL when it has no such parameter (or is not known). */
const struct source_parameter *
source_definition_parameter(const struct source_definition *definition, const char *name);

#endif
