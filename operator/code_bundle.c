/* SPDX-License-Identifier: Apache-2.0 */
/* The Python files that travel to a pod. */
#include "operator/code_bundle.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "core/digest.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"

#define MAX_BYTES (8u << 20)
#define MAX_FILES 2000
#define MAX_DEPTH 20

struct collector {
	const char *folder;
	json_t *bundle;
	size_t bytes;
	struct error **err;
};

static bool is_wanted(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && strcmp(entry->d_name, "__pycache__") != 0;
}

static int select_wanted(const struct dirent *entry)
{
	return is_wanted(entry);
}

static bool collect_file(struct collector *collector, const char *path, const char *relative)
{
	size_t size;
	scoped(text) char *text = file_read(path, MAX_BYTES, &size, collector->err);

	if (!text)
		return false;
	collector->bytes += size;
	if (collector->bytes > MAX_BYTES || json_object_size(collector->bundle) >= MAX_FILES)
		return error_set(collector->err, ERROR_INVALID,
		                 "'%s' holds more than 8 MiB or 2,000 Python files; put the "
		                 "pipeline into a folder of its own",
		                 collector->folder);
	if (json_object_set_new(collector->bundle, relative, json_stringn(text, size)))
		return error_set(collector->err, ERROR_INVALID, "'%s' is not UTF-8 text", path);
	return true;
}

static bool collect_folder(struct collector *collector, const char *path, const char *relative,
                           int depth);

static bool collect_entry(struct collector *collector, const char *folder, const char *relative,
                          const char *name, int depth)
{
	scoped(text) char *path = file_join(folder, name);
	scoped(text) char *inner = file_join(relative, name);
	struct stat status;

	if (lstat(path, &status))
		return true;
	if (S_ISDIR(status.st_mode))
		return collect_folder(collector, path, inner, depth + 1);
	/* A link to a file is the file; a link to a folder may lead anywhere. */
	if (!text_ends_with(name, ".py") || stat(path, &status) || !S_ISREG(status.st_mode))
		return true;
	return collect_file(collector, path, inner);
}

static bool collect_folder(struct collector *collector, const char *path, const char *relative,
                           int depth)
{
	scoped(text) char *marker = file_join(path, "pyvenv.cfg");
	struct dirent **entries;
	bool ok = true;
	int count, i;

	/* The folder that was asked for is taken, even if it is an environment as well. */
	if (depth > MAX_DEPTH || (depth && file_exists(marker)))
		return true;
	count = scandir(path, &entries, select_wanted, NULL);
	if (count < 0)
		return error_set(collector->err, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_INTERNAL,
		                 "read the folder '%s': %s", path, strerror(errno));
	for (i = 0; i < count; i++) {
		ok = ok && collect_entry(collector, path, relative, entries[i]->d_name, depth);
		free(entries[i]);
	}
	free(entries);
	return ok;
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Byte order of the whole paths, whatever the locale: the same code always gives the same bundle.
 */
static json_t *sort_paths(const json_t *bundle)
{
	size_t count = json_object_size(bundle), i = 0;
	const char **paths = xcalloc(count, sizeof(*paths)), *path;
	json_t *sorted = json_object(), *text;

	json_object_foreach ((json_t *)bundle, path, text)
		paths[i++] = path;
	qsort(paths, count, sizeof(*paths), compare_paths);
	for (i = 0; i < count; i++)
		json_object_set(sorted, paths[i], json_object_get(bundle, paths[i]));
	free(paths);
	return sorted;
}

json_t *code_bundle_collect(const char *folder, struct error **err)
{
	json_auto_t *bundle = json_object();
	struct collector collector = { .folder = folder, .bundle = bundle, .err = err };

	if (collect_folder(&collector, folder, "", 0))
		return sort_paths(bundle);
	return error_wrap(err, "collect the Python files of '%s'", folder);
}

void code_bundle_add(json_t *bundle, const char *prefix, const json_t *from)
{
	const char *path;
	json_t *text;

	json_object_foreach ((json_t *)from, path, text) {
		scoped(text) char *whole = text_printf("%s%s", prefix, path);

		json_object_set(bundle, whole, text);
	}
}

char *code_bundle_digest(const json_t *bundle)
{
	return digest_json(bundle);
}
