/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the machine that submits, as properties name them; for submit/driver_*.c only. */
#ifndef SUBMIT_DRIVER_CLIENT_H
#define SUBMIT_DRIVER_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"

/*
 * The path that the property `key` names: as it is, or out of a file: or local: URI (Spark's
 * Utils.resolveURI and DependencyUtils.downloadFile). Owned by the caller. INVALID for any other
 * scheme: what lies elsewhere is not fetched.
 */
char *driver_client_path(const char *key, const char *uri, struct error **err);

/* The whole file at `path`, which `key` names; at most 1 MiB, which is all that a ConfigMap or a
 * Secret holds. Owned by the caller, NUL-terminated; `size` may be NULL. */
char *driver_client_read(const char *key, const char *path, size_t *size, struct error **err);

/* What follows the last slash (java.io.File.getName); borrowed from `path`. */
const char *driver_client_base_name(const char *path);

/* Whether a file of this name can be a key of a ConfigMap or a Secret. */
bool driver_client_is_key(const char *name);

/* The names of the plain files of a folder, hidden ones included, in order; a list without any when
 * there is no such folder. Owned by the caller. */
json_t *driver_client_files(const char *folder);

#endif
