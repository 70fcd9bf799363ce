/* SPDX-License-Identifier: Apache-2.0 */
/* The Python files that travel to a pod: the user's modules and the runtime. */
#ifndef OPERATOR_CODE_BUNDLE_H
#define OPERATOR_CODE_BUNDLE_H

#include <jansson.h>

#include "core/error.h"

/*
 * Every *.py file in and below `folder`, as relative path -> text, in the order of paths. Left out
 * are hidden names, __pycache__, virtual environments (a folder with pyvenv.cfg) and links to
 * folders; `folder` itself is taken whatever it is. INVALID: a file that is not UTF-8, more than 8
 * MiB or 2,000 files in all. Owned by the caller.
 */
json_t *code_bundle_collect(const char *folder, struct error **err);

/* Copies `from` into `bundle`, every path below `prefix` ("code/"). */
void code_bundle_add(json_t *bundle, const char *prefix, const json_t *from);

/* Code decides what a step does: SHA-256 over paths and texts, owned by the caller. */
char *code_bundle_digest(const json_t *bundle);

#endif
