/* SPDX-License-Identifier: Apache-2.0 */
/* libmariadb by dlopen(). */
#include "stacks/mysql_api.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#define LIBRARY "libmariadb.so.3"

struct symbol {
	const char *name;
	size_t offset;
};
#define SYMBOL(function) { #function, offsetof(struct mysql_api, function) },
static const struct symbol symbols[] = { MYSQL_API_FUNCTIONS(SYMBOL) };

/* The library is never closed: OpenSSL's exit handlers would outlive its code. */
static bool load(struct mysql_api *api, struct error **err)
{
	void *library = dlopen(LIBRARY, RTLD_LAZY | RTLD_LOCAL);
	size_t i;

	if (!library)
		return error_set(err, ERROR_INTERNAL,
		                 "cannot load " LIBRARY " (%s); install the package libmariadb3",
		                 dlerror());
	for (i = 0; i < ARRAY_SIZE(symbols); i++) {
		void *address = dlsym(library, symbols[i].name);

		if (!address)
			return error_set(err, ERROR_INTERNAL, LIBRARY " is too old: no %s() in it",
			                 symbols[i].name);
		memcpy((char *)api + symbols[i].offset, &address, sizeof(address));
	}
	return true;
}

const struct mysql_api *mysql_api_load(struct error **err)
{
	static struct mysql_api loaded;
	static bool is_loaded;
	struct mysql_api api;

	if (!is_loaded) {
		if (!load(&api, err))
			return NULL;
		loaded = api;
		is_loaded = true;
	}
	return &loaded;
}
