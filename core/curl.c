/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl by dlopen(). */
#include "core/curl.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LIBRARY "libcurl.so.4"
/* 7.85 is the first with CURLOPT_PROTOCOLS_STR; all other options are older. */
#define OLDEST 0x075500

struct symbol {
	const char *name;
	size_t offset;
};
#define SYMBOL(function) { "curl_" #function, offsetof(struct curl_api, function) },
static const struct symbol symbols[] = { CURL_API_FUNCTIONS(SYMBOL) };

static bool find_symbols(void *library, struct curl_api *api, struct error **err)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(symbols); i++) {
		void *address = dlsym(library, symbols[i].name);

		if (!address)
			return error_set(err, ERROR_INTERNAL, LIBRARY " is too old: no %s() in it",
			                 symbols[i].name);
		memcpy((char *)api + symbols[i].offset, &address, sizeof(address));
	}
	return true;
}

/*
 * Debian's libcurl draws in GnuTLS for LDAP and RTMP, which are not spoken here. That it need not
 * make itself ready saves 0.8 MiB (GnuTLS manual, "Initialization"); children must not inherit it.
 */
static void *open_library(void)
{
	static const char skip[] = "GNUTLS_NO_IMPLICIT_INIT";
	bool ours = !getenv(skip);
	void *library;

	if (ours)
		setenv(skip, "1", 1);
	library = dlopen(LIBRARY, RTLD_LAZY | RTLD_LOCAL);
	if (ours)
		unsetenv(skip);
	return library;
}

/*
 * Loading libcurl touches the thirty libraries that it is linked with, for their relocations and
 * names; most of them are never called. What cannot be written to is let go, and read again from
 * its file when it is needed: 1.6 MiB less of resident memory for 0.3 ms. Code that ran before is
 * kept, since it runs again, and the program itself is left alone, breakpoints and all.
 */
struct letting_go {
	size_t seen; /* objects */
	size_t old;  /* so many of them were there before libcurl; they come first */
};

static int count(struct dl_phdr_info *object, size_t size, void *context)
{
	(void)object;
	(void)size;
	++*(size_t *)context;
	return 0;
}

static int let_go(struct dl_phdr_info *object, size_t size, void *context)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	struct letting_go *letting = context;
	bool is_old = letting->seen++ < letting->old;
	uintptr_t begin = 0, end = 0;
	size_t i;

	(void)size;
	if (!object->dlpi_name[0])
		return 0;
	/* Segments lie in the order of their addresses, those without PF_W first. */
	for (i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		uintptr_t start = (object->dlpi_addr + segment->p_vaddr) & ~(page - 1);

		if (segment->p_type != PT_LOAD)
			continue;
		if (segment->p_flags & PF_W || (is_old && segment->p_flags & PF_X))
			break;
		if (!begin)
			begin = start;
		end = object->dlpi_addr + segment->p_vaddr + segment->p_memsz;
	}
	if (end)
		madvise((void *)begin, end - begin, MADV_DONTNEED);
	return 0;
}

/* The library is never closed: OpenSSL's exit handlers would outlive its code. */
static bool load(struct curl_api *api, struct error **err)
{
	struct letting_go letting = { 0, 0 };
	const curl_version_info_data *version;
	void *library;

	dl_iterate_phdr(count, &letting.old);
	library = open_library();

	if (!library)
		return error_set(err, ERROR_INTERNAL,
		                 "cannot load " LIBRARY " (%s); install the package libcurl4",
		                 dlerror());
	if (!find_symbols(library, api, err))
		return false;
	if (api->global_init(CURL_GLOBAL_DEFAULT))
		return error_set(err, ERROR_INTERNAL, "libcurl cannot be initialised");
	dl_iterate_phdr(let_go, &letting);
	version = api->version_info(CURLVERSION_NOW);
	if (version->version_num < OLDEST)
		return error_set(err, ERROR_INTERNAL,
		                 "libcurl %s is too old; 7.85 or newer is needed",
		                 version->version);
	return true;
}

const struct curl_api *curl_api_load(struct error **err)
{
	static struct curl_api loaded;
	static bool is_loaded;
	struct curl_api api;

	if (!is_loaded) {
		if (!load(&api, err))
			return NULL;
		loaded = api;
		is_loaded = true;
	}
	return &loaded;
}
