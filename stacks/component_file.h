/* SPDX-License-Identifier: Apache-2.0 */
/* Component files, for those who write several of them at once; a part of stacks/component. */
#ifndef STACKS_COMPONENT_FILE_H
#define STACKS_COMPONENT_FILE_H

#include <stdbool.h>

#include "core/document.h"
#include "core/error.h"
#include "stacks/component.h"

/* A name that could not be registered is not looked for: it might leave the folder. */
bool component_is_registered(const struct project *project, enum component_type type,
                             const char *name);
/* Owned by the caller. */
char *component_file_path(const struct project *project, enum component_type type,
                          const char *name);
/*
 * Fills flavor and options of `component`, whose type and name are set, from the mapping `object`
 * of `document`. What is wrong is added to `faults`; members are then NULL or incomplete.
 */
void component_file_parse(struct component *component, const struct catalog *catalog,
                          const struct document *document, const json_t *object,
                          struct faults *faults);
/* Replaces the file. The component must be checked, and the changes locked. */
bool component_file_save(const struct project *project, const struct catalog *catalog,
                         const struct component *component, struct error **err);

#endif
