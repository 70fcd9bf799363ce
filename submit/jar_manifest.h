/* SPDX-License-Identifier: Apache-2.0 */
/* What the manifest of a jar says. */
#ifndef SUBMIT_JAR_MANIFEST_H
#define SUBMIT_JAR_MANIFEST_H

#include <stdbool.h>

#include "core/error.h"

/*
 * The Main-Class of the jar at `path`; owned by the caller. *main_class is NULL where the jar has
 * no manifest, or the manifest no main class. NOT_FOUND, AUTH; INVALID for what is no jar. libzip
 * is loaded for it, so INTERNAL where that is not installed.
 */
bool jar_manifest_main_class(const char *path, char **main_class, struct error **err);

/* An attribute of a manifest's main section (JAR File Specification: names in any case, lines that
 * go on after a blank); owned by the caller, or NULL. */
char *jar_manifest_attribute(const char *manifest, const char *name);

#endif
