/* SPDX-License-Identifier: Apache-2.0 */
/* libzip by dlopen(). */
#include "core/zip.h"

#include "core/file.h"
#include "core/library.h"
#include "core/memory.h"

#define SYMBOL(function) { "zip_" #function, offsetof(struct zip_api, function) },
static const struct library_symbol symbols[] = { ZIP_API_FUNCTIONS(SYMBOL) };

static const struct library library = {
	.names = (const char *const[]){ "libzip.so.5", "libzip.so.4", NULL },
	.purpose = "zip archives (jars, wheels) cannot be read without libzip",
	.package = "libzip4 or libzip5",
	.symbols = symbols,
	.symbol_count = ARRAY_SIZE(symbols),
};

const struct zip_api *zip_api_load(struct error **err)
{
	static struct zip_api loaded;
	static bool is_loaded;

	if (!is_loaded)
		is_loaded = library_load(&library, &loaded, err);
	return is_loaded ? &loaded : NULL;
}

zip_t *zip_api_open(const struct zip_api *zip, const char *path, const char *kind,
                    struct error **err)
{
	int code = 0;
	zip_error_t reason;
	zip_t *archive;

	if (!file_exists(path))
		return error_set(err, ERROR_NOT_FOUND, "there is no file '%s'", path);
	archive = zip->open(path, ZIP_RDONLY, &code);
	if (archive)
		return archive;
	zip->error_init_with_code(&reason, code);
	error_set(err, ERROR_INVALID, "'%s' cannot be read as %s: %s", path, kind,
	          zip->error_strerror(&reason));
	zip->error_fini(&reason);
	return NULL;
}
