/* SPDX-License-Identifier: Apache-2.0 */
/* libpq by dlopen(). */
#include "stacks/postgres_api.h"

#include <stddef.h>

#include "core/library.h"

#define SYMBOL(function) { "PQ" #function, offsetof(struct postgres_api, function) },
static const struct library_symbol symbols[] = { POSTGRES_FUNCTIONS(SYMBOL) };

static const struct library library = {
	.names = (const char *const[]){ "libpq.so.5", NULL },
	.purpose = "PostgreSQL cannot be reached without libpq 14 or newer",
	.package = "libpq5",
	.symbols = symbols,
	.symbol_count = ARRAY_SIZE(symbols),
};

const struct postgres_api *postgres_api_load(struct error **err)
{
	static struct postgres_api loaded;
	static bool is_loaded;

	if (!is_loaded)
		is_loaded = library_load(&library, &loaded, err);
	return is_loaded ? &loaded : NULL;
}
