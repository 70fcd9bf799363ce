/* SPDX-License-Identifier: Apache-2.0 */
/* META-INF/MANIFEST.MF of a jar, by libzip. */
#include "submit/jar_manifest.h"

#include <dlfcn.h>
#include <string.h>
#include <strings.h>
#include <zip.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"

#define MANIFEST "META-INF/MANIFEST.MF"
#define LIMIT_BYTES ((zip_uint64_t)4 << 20)

/* ---- libzip ---- */

/* clang-format off */
#define ZIP_FUNCTIONS(X) \
	X(open) X(discard) X(stat) X(fopen_index) X(fread) X(fclose) \
	X(error_init_with_code) X(error_strerror) X(error_fini)
/* clang-format on */
#define MEMBER(name) __typeof__(&zip_##name) name;
struct zip_api {
	ZIP_FUNCTIONS(MEMBER)
};

static const struct {
	const char *name;
	size_t offset;
} symbols[] = {
#define SYMBOL(function) { "zip_" #function, offsetof(struct zip_api, function) },
	ZIP_FUNCTIONS(SYMBOL)
};

/* Few submissions read a jar: none of the others pays for the library. It stays open, as libcurl
 * does (core/curl.c). */
static bool load_zip(struct zip_api *zip, struct error **err)
{
	static const char *const names[] = { "libzip.so.5", "libzip.so.4" };
	void *library = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names) && !library; i++)
		library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return error_set(err, ERROR_INTERNAL,
		                 "jars cannot be read without libzip (%s); install the package "
		                 "libzip4 or libzip5",
		                 dlerror());
	for (i = 0; i < ARRAY_SIZE(symbols); i++) {
		void *address = dlsym(library, symbols[i].name);

		if (!address)
			return error_set(err, ERROR_INTERNAL, "libzip is too old: no %s() in it",
			                 symbols[i].name);
		memcpy((char *)zip + symbols[i].offset, &address, sizeof(address));
	}
	return true;
}

static void *zip_fault(const struct zip_api *zip, const char *path, int code, struct error **err)
{
	zip_error_t reason;

	zip->error_init_with_code(&reason, code);
	error_set(err, ERROR_INVALID, "'%s' cannot be read as a jar: %s", path,
	          zip->error_strerror(&reason));
	zip->error_fini(&reason);
	return NULL;
}

/* ---- the manifest ---- */

/* Owned by the caller; "" where the jar has none. */
static char *read_manifest(const struct zip_api *zip, zip_t *jar, const char *path,
                           struct error **err)
{
	struct zip_stat status;
	scoped(text) char *text = NULL;
	zip_file_t *file;
	zip_int64_t got;

	if (zip->stat(jar, MANIFEST, 0, &status))
		return xstrdup("");
	file = status.size <= LIMIT_BYTES ? zip->fopen_index(jar, status.index, 0) : NULL;
	if (!file)
		return error_set(err, ERROR_INVALID, "'%s': its manifest cannot be read", path);
	text = xcalloc(status.size + 1, 1);
	got = zip->fread(file, text, status.size);
	zip->fclose(file);
	if (got != (zip_int64_t)status.size)
		return error_set(err, ERROR_INVALID, "'%s': its manifest is damaged", path);
	return take(text);
}

/* Copies the rest of a line to `out`, and those that go on with it; returns where the next is. */
static const char *copy_line(const char *at, FILE *out)
{
	for (;;) {
		size_t size = strcspn(at, "\r\n");

		fwrite(at, 1, size, out);
		at += size;
		at += text_starts_with(at, "\r\n") ? 2 : *at != '\0';
		if (*at++ != ' ')
			return at - 1;
	}
}

char *jar_manifest_attribute(const char *manifest, const char *name)
{
	scoped(text) char *start = text_printf("%s: ", name);

	while (*manifest && *manifest != '\r' && *manifest != '\n') {
		struct text_stream stream;
		FILE *out = text_stream_open(&stream);
		scoped(text) char *line = NULL;

		manifest = copy_line(manifest, out);
		line = text_stream_take(&stream);
		if (!strncasecmp(line, start, strlen(start)))
			return xstrdup(line + strlen(start));
	}
	return NULL;
}

bool jar_manifest_main_class(const char *path, char **main_class, struct error **err)
{
	struct zip_api zip;
	scoped(text) char *manifest = NULL;
	zip_t *jar;
	int code = 0;

	if (!file_exists(path))
		return error_set(err, ERROR_NOT_FOUND, "there is no file '%s'", path);
	if (!load_zip(&zip, err))
		return false;
	jar = zip.open(path, ZIP_RDONLY, &code);
	if (!jar)
		return zip_fault(&zip, path, code, err);
	manifest = read_manifest(&zip, jar, path, err);
	zip.discard(jar);
	if (!manifest)
		return false;
	*main_class = jar_manifest_attribute(manifest, "Main-Class");
	return true;
}
