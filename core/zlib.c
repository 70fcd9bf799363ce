/* SPDX-License-Identifier: Apache-2.0 */
/* zlib by dlopen(). */
#include "core/zlib.h"

#include "core/library.h"
#include "core/memory.h"

static const struct library_symbol symbols[] = {
	{ "deflateInit2_", offsetof(struct zlib_api, deflate_init) },
	{ "deflate", offsetof(struct zlib_api, deflate) },
	{ "deflateEnd", offsetof(struct zlib_api, deflate_end) },
};

static const struct library library = {
	.names = (const char *const[]){ "libz.so.1", NULL },
	.purpose = "layers of images cannot be compressed without zlib",
	.package = "zlib1g",
	.symbols = symbols,
	.symbol_count = ARRAY_SIZE(symbols),
};

const struct zlib_api *zlib_api_load(struct error **err)
{
	static struct zlib_api loaded;
	static bool is_loaded;

	if (!is_loaded)
		is_loaded = library_load(&library, &loaded, err);
	return is_loaded ? &loaded : NULL;
}
