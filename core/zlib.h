/* SPDX-License-Identifier: Apache-2.0 */
/* zlib's half that compresses, loaded when it is first needed. */
#ifndef CORE_ZLIB_H
#define CORE_ZLIB_H

#include <zlib.h>

#include "core/error.h"

struct zlib_api {
	/* deflateInit2() is a macro over it. */
	__typeof__(&deflateInit2_) deflate_init;
	__typeof__(&deflate) deflate;
	__typeof__(&deflateEnd) deflate_end;
};

/* Loads zlib once per process. Borrowed, for ever. INTERNAL where it is not installed. */
const struct zlib_api *zlib_api_load(struct error **err);

#endif
