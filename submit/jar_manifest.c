/* SPDX-License-Identifier: Apache-2.0 */
/* META-INF/MANIFEST.MF of a jar, by libzip. */
#include "submit/jar_manifest.h"

#include <string.h>
#include <strings.h>

#include "core/memory.h"
#include "core/text.h"
#include "core/zip.h"

#define MANIFEST "META-INF/MANIFEST.MF"
#define LIMIT_BYTES ((zip_uint64_t)4 << 20)

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
	const struct zip_api *zip = zip_api_load(err);
	scoped(text) char *manifest = NULL;
	zip_t *jar = zip ? zip_api_open(zip, path, "a jar", err) : NULL;

	if (!jar)
		return false;
	manifest = read_manifest(zip, jar, path, err);
	zip->discard(jar);
	if (!manifest)
		return false;
	*main_class = jar_manifest_attribute(manifest, "Main-Class");
	return true;
}
