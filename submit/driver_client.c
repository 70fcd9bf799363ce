/* SPDX-License-Identifier: Apache-2.0 */
/* Finds and reads the files that travel from the submitting machine into the driver's objects. */
#include "submit/driver_client.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"

#define FILE_LIMIT_BYTES (1024 * 1024)
#define KEY_LIMIT 253

static int digit_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, c | 0x20) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* "%20" is a blank; a '%' that begins no such escape stands for itself. */
static char *percent_decoded(const char *text)
{
	char *result = xcalloc(strlen(text) + 1, 1), *out = result;

	while (*text) {
		int high = *text == '%' ? digit_value(text[1]) : -1;
		int low = high < 0 ? -1 : digit_value(text[2]);

		if (low > 0 || (!low && high > 0)) {
			*out++ = (char)(high * 16 + low);
			text += 3;
		} else {
			*out++ = *text++;
		}
	}
	return result;
}

/* The letters in front of the first ':', where they can be a scheme (RFC 3986). */
static size_t scheme_size(const char *uri)
{
	size_t size = strspn(uri, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                          "0123456789+-.");

	return uri[size] == ':' ? size : 0;
}

char *driver_client_path(const char *key, const char *uri, struct error **err)
{
	size_t size = scheme_size(uri);
	const char *path = uri + size + 1;

	if (!size)
		return xstrdup(uri);
	if (strncmp(uri, "file:", size + 1) && strncmp(uri, "local:", size + 1))
		return error_set(err, ERROR_INVALID,
		                 "%s: '%s' does not lie on this machine; fetch it, and give its "
		                 "path",
		                 key, uri);
	if (text_starts_with(path, "//"))
		path += 2 + strcspn(path + 2, "/");
	return percent_decoded(path);
}

char *driver_client_read(const char *key, const char *path, size_t *size, struct error **err)
{
	char *content = file_read(path, FILE_LIMIT_BYTES, size, err);

	return content ? content : error_wrap(err, "%s", key);
}

const char *driver_client_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool driver_client_is_key(const char *name)
{
	size_t size = strlen(name);

	return size && size <= KEY_LIMIT && !text_equal(name, ".") &&
	       !text_starts_with(name, "..") &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") ==
	               size;
}

static bool is_plain_file(const char *folder, const char *name)
{
	scoped(text) char *path = file_join(folder, name);
	struct stat status;

	return !stat(path, &status) && S_ISREG(status.st_mode);
}

/* Byte order, whatever the locale. */
static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

json_t *driver_client_files(const char *folder)
{
	struct dirent **entries = NULL;
	json_t *names = json_array();
	int count = scandir(folder, &entries, NULL, by_bytes), i;

	for (i = 0; i < count; i++) {
		if (is_plain_file(folder, entries[i]->d_name))
			json_array_append_new(names, json_string(entries[i]->d_name));
		free(entries[i]);
	}
	free(entries);
	return names;
}
