/* SPDX-License-Identifier: Apache-2.0 */
/* libpq by dlopen(). */
#include "stacks/postgres_api.h"

#include <dlfcn.h>
#include <string.h>

#define LIBRARY "libpq.so.5"

static const struct {
	const char *name;
	size_t offset;
} symbols[] = {
#define SYMBOL(function) { "PQ" #function, offsetof(struct postgres_api, function) },
	POSTGRES_FUNCTIONS(SYMBOL)
};

/* It stays open, as libcurl does (core/curl.c). */
static bool load(struct postgres_api *api, struct error **err)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	size_t i;

	if (!library)
		return error_set(err, ERROR_INTERNAL,
		                 "PostgreSQL cannot be reached without libpq (%s); install the "
		                 "package libpq5",
		                 dlerror());
	for (i = 0; i < ARRAY_SIZE(symbols); i++) {
		void *address = dlsym(library, symbols[i].name);

		if (!address)
			return error_set(err, ERROR_INTERNAL,
			                 LIBRARY
			                 " is too old: no %s() in it; 14 or newer is needed",
			                 symbols[i].name);
		memcpy((char *)api + symbols[i].offset, &address, sizeof(address));
	}
	return true;
}

const struct postgres_api *postgres_api_load(struct error **err)
{
	static struct postgres_api loaded;
	static bool is_loaded;
	struct postgres_api api;

	if (!is_loaded) {
		if (!load(&api, err))
			return NULL;
		loaded = api;
		is_loaded = true;
	}
	return &loaded;
}
