/* SPDX-License-Identifier: Apache-2.0 */
/* Shared libraries by dlopen(). They are never closed: OpenSSL's exit handlers would outlive their
 * code. */
#include "core/library.h"

#include <dlfcn.h>
#include <string.h>

static void *open_first(const struct library *library, struct error **err)
{
	const char *const *name;
	void *handle = NULL;

	for (name = library->names; *name && !handle; name++)
		handle = dlopen(*name, RTLD_LAZY | RTLD_LOCAL);
	if (handle)
		return handle;
	return error_set(err, ERROR_INTERNAL, "%s (%s); install the package %s", library->purpose,
	                 dlerror(), library->package);
}

bool library_load(const struct library *library, void *functions, struct error **err)
{
	void *handle = open_first(library, err);
	size_t i;

	for (i = 0; handle && i < library->symbol_count; i++) {
		const struct library_symbol *symbol = &library->symbols[i];
		void *address = dlsym(handle, symbol->name);

		if (!address)
			return error_set(err, ERROR_INTERNAL, "%s (%s has no %s(): it is too old)",
			                 library->purpose, library->names[0], symbol->name);
		memcpy((char *)functions + symbol->offset, &address, sizeof(address));
	}
	return handle != NULL;
}
