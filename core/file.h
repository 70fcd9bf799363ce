/* SPDX-License-Identifier: Apache-2.0 */
/* Small files: whole reads, atomic writes, folders. */
#ifndef CORE_FILE_H
#define CORE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"

/* Owned by the caller, NUL-terminated; more than `limit_bytes` is INVALID. `size` may be NULL.
 * NOT_FOUND, AUTH. */
char *file_read(const char *path, size_t limit_bytes, size_t *size, struct error **err);
/* Temporary file beside it with `mode`, fsync, rename. */
bool file_write_atomic(const char *path, const void *bytes, size_t size, unsigned mode,
                       struct error **err);
/* Replaces what is there, in place and not synced: for what can be made again. */
bool file_write(const char *path, const void *bytes, size_t size, unsigned mode,
                struct error **err);
/* The file at `from`, of any size, as `to`: temporary file beside it with `mode`, rename. */
bool file_copy(const char *from, const char *to, unsigned mode, struct error **err);
/* Like mkdir -p. */
bool file_make_folders(const char *path, unsigned mode, struct error **err);
bool file_exists(const char *path);
/* rm -r; an absent path is a success. Follows no links. */
bool file_remove_tree(const char *path, struct error **err);
/* `folder`/`name`; an absolute `name` stands alone. Owned by the caller. */
char *file_join(const char *folder, const char *name);
/* Absolute path without ".." and links where it exists; owned by the caller. */
char *file_absolute(const char *path);
/* Folder part of a path ("." when there is none); owned by the caller. */
char *file_folder(const char *path);
/* `name` in the user's home folder ($HOME, else the account's); owned by the caller. */
char *file_at_home(const char *name);

#endif
