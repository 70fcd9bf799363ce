/* SPDX-License-Identifier: Apache-2.0 */
/* A stack and its components as one document, to take from one project to another. */
#ifndef STACKS_STACK_EXPORT_H
#define STACKS_STACK_EXPORT_H

#include <jansson.h>

#include "core/document.h"
#include "core/error.h"
#include "stacks/component.h"

/*
 * apiVersion stepop/v1, kind StackExport, name, and by its type each component's name, flavor and
 * options. Options refer to secrets and hold none. `name` NULL: the active stack. Owned by the
 * caller.
 */
json_t *stack_export(const struct project *project, const struct catalog *catalog, const char *name,
                     struct error **err);

/*
 * Registers what stack_export() gave, as `name` or (NULL) as it is called there: everything, or
 * nothing when anything stands in the way. What is there already and the same is accepted;
 * CONFLICT names all that is there and different. INVALID has all faults of the document.
 * Returns {"name", "changes": [{"type", "name", "result": "registered" or "there already"}]},
 * owned by the caller.
 */
json_t *stack_import(struct project *project, const struct catalog *catalog,
                     const struct document *document, const char *name, struct error **err);

#endif
