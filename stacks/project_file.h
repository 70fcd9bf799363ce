/* SPDX-License-Identifier: Apache-2.0 */
/* What all files below .stepop/ share: where they lie, how they begin, one writer at a time. */
#ifndef STACKS_PROJECT_FILE_H
#define STACKS_PROJECT_FILE_H

#include <jansson.h>

#include "core/document.h"
#include "core/error.h"
#include "stacks/component.h"

/* .stepop/<folder>/<name>.yaml; owned by the caller. `folder` "" is .stepop itself. */
char *project_file_path(const struct project *project, const char *folder, const char *name);

/*
 * Reads a file that must be a mapping of apiVersion stepop/v1, `kind`, and nothing but `fields`
 * (NULL at the end). What is wrong with that is added to `faults`, and the document is returned
 * all the same, so that the caller adds its own; its root may then be no mapping. NULL when the
 * file cannot be read or parsed. The caller owns the document.
 */
struct document *project_file_read(const char *path, const char *kind, const char *const *fields,
                                   struct faults *faults, struct error **err);
/* apiVersion and kind, to which the caller adds its fields. */
json_t *project_file_new(const char *kind);
/* Makes the folder when it is missing. */
bool project_file_save(const char *path, const json_t *content, struct error **err);

/* The names of a folder's files, without ".yaml", sorted; an absent folder has none. */
json_t *project_file_names(const struct project *project, const char *folder, struct error **err);
/* The nearest of a list of names, for "did you mean"; NULL: none is near. Borrowed from `names`. */
const char *project_file_nearest(const json_t *names, const char *name);

/* Waits for the lock at `path` (a file that stays); it is held until the descriptor is closed. -1
 * on failure. */
int project_lock(const char *path, struct error **err);
/* The lock for changes of components, stacks and configuration. */
int project_lock_changes(const struct project *project, struct error **err);

#endif
