/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl by dlopen(). */
#include "core/curl.h"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/library.h"

/* 7.85 is the first with CURLOPT_PROTOCOLS_STR; all other options are older. */
#define OLDEST 0x075500

#define SYMBOL(function) { "curl_" #function, offsetof(struct curl_api, function) },
static const struct library_symbol symbols[] = { CURL_API_FUNCTIONS(SYMBOL) };

static const struct library library = {
	.names = (const char *const[]){ "libcurl.so.4", NULL },
	.purpose = "nothing can be reached without libcurl",
	.package = "libcurl4",
	.symbols = symbols,
	.symbol_count = ARRAY_SIZE(symbols),
};

/*
 * Debian's libcurl draws in GnuTLS for LDAP and RTMP, which are not spoken here. That it need not
 * make itself ready saves 0.8 MiB (GnuTLS manual, "Initialization"); children must not inherit it.
 */
static bool open_library(struct curl_api *api, struct error **err)
{
	static const char skip[] = "GNUTLS_NO_IMPLICIT_INIT";
	bool ours = !getenv(skip), ok;

	if (ours)
		setenv(skip, "1", 1);
	ok = library_load(&library, api, err);
	if (ours)
		unsetenv(skip);
	return ok;
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

static bool load(struct curl_api *api, struct error **err)
{
	struct letting_go letting = { 0, 0 };
	const curl_version_info_data *version;

	dl_iterate_phdr(count, &letting.old);
	if (!open_library(api, err))
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

	if (!is_loaded)
		is_loaded = load(&loaded, err);
	return is_loaded ? &loaded : NULL;
}
