/* SPDX-License-Identifier: Apache-2.0 */
/* libzip, loaded when it is first needed. */
#ifndef CORE_ZIP_H
#define CORE_ZIP_H

#include <zip.h>

#include "core/error.h"

/* clang-format off */
#define ZIP_API_FUNCTIONS(X) \
	X(open) X(discard) X(get_num_entries) X(stat) X(stat_index) X(fopen_index) X(fread) X(fclose) \
	X(file_get_external_attributes) X(error_init_with_code) X(error_strerror) X(error_fini)
/* clang-format on */

#define ZIP_API_MEMBER(name) __typeof__(&zip_##name) name;
/* zip->open() is zip_open(), and so on. */
struct zip_api {
	ZIP_API_FUNCTIONS(ZIP_API_MEMBER)
};
#undef ZIP_API_MEMBER

/* Loads libzip once per process. Borrowed, for ever. INTERNAL where it is not installed. */
const struct zip_api *zip_api_load(struct error **err);

/* Opens an archive for reading; the caller discards it. `kind` is what it should be ("a jar"), for
 * the message: INVALID, NOT_FOUND. */
zip_t *zip_api_open(const struct zip_api *zip, const char *path, const char *kind,
                    struct error **err);

#endif
