/* SPDX-License-Identifier: Apache-2.0 */
/* libmariadb by dlopen(). */
#include "stacks/mysql_api.h"

#include <stddef.h>

#include "core/library.h"

#define SYMBOL(function) { #function, offsetof(struct mysql_api, function) },
static const struct library_symbol symbols[] = { MYSQL_API_FUNCTIONS(SYMBOL) };

static const struct library library = {
	.names = (const char *const[]){ "libmariadb.so.3", NULL },
	.purpose = "MySQL and MariaDB cannot be reached without libmariadb",
	.package = "libmariadb3",
	.symbols = symbols,
	.symbol_count = ARRAY_SIZE(symbols),
};

const struct mysql_api *mysql_api_load(struct error **err)
{
	static struct mysql_api loaded;
	static bool is_loaded;

	if (!is_loaded)
		is_loaded = library_load(&library, &loaded, err);
	return is_loaded ? &loaded : NULL;
}
