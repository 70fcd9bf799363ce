/* SPDX-License-Identifier: Apache-2.0 */
/* Selects and reads the files of a configuration folder, by the rules of Spark's client. */
#include "submit/driver_conf_folder.h"

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_client.h"

struct conf_file {
	const char *name; /* borrowed from the list of names */
	size_t weight;    /* by which the files are ordered */
	size_t index;     /* keeps the order of the names among equals */
};

/* String.length() of UTF-8 text: one for each character, two where its first byte tells of four. */
static size_t java_length(const char *text)
{
	size_t length = 0;

	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		length += (byte & 0xc0) == 0x80 ? 0 : byte >= 0xf0 ? 2 : 1;
	}
	return length;
}

static bool ends_in_any(const char *name, const char *const *endings)
{
	for (; *endings; endings++)
		if (text_ends_with(name, *endings))
			return true;
	return false;
}

static bool is_left_behind(const char *name)
{
	static const char *const endings[] = { ".template", ".gz", ".zip", ".jar", ".tar", NULL };
	static const char *const own[] = { "conf", "properties", NULL };

	return ends_in_any(name, endings) ||
	       (text_starts_with(name, "spark") && ends_in_any(name + strlen("spark"), own));
}

static size_t file_size(const char *folder, const char *name)
{
	scoped(text) char *path = file_join(folder, name);
	struct stat status;

	return stat(path, &status) ? 0 : (size_t)status.st_size;
}

static int by_weight(const void *a, const void *b)
{
	const struct conf_file *one = a, *other = b;

	if (one->weight != other->weight)
		return one->weight < other->weight ? -1 : 1;
	return one->index < other->index ? -1 : 1;
}

/* Those that may travel, the smallest first; free(). */
static struct conf_file *candidates(const char *folder, const json_t *names, size_t limit,
                                    size_t *count)
{
	struct conf_file *files = xcalloc(json_array_size(names), sizeof(*files));
	const json_t *value;
	size_t i;

	*count = 0;
	json_array_foreach (names, i, value) {
		const char *name = json_string_value(value);
		size_t weight = java_length(name) + file_size(folder, name);

		if (!is_left_behind(name) && weight <= limit)
			files[(*count)++] =
				(struct conf_file){ .name = name, .weight = weight, .index = i };
	}
	qsort(files, *count, sizeof(*files), by_weight);
	return files;
}

static bool read_file(const char *folder, const char *name, size_t limit, size_t *total,
                      json_t *into, struct error **err)
{
	scoped(text) char *path = file_join(folder, name);
	scoped(text) char *content = NULL;
	size_t size, length;

	content = driver_client_read("SPARK_CONF_DIR", path, &size, err);
	if (!content)
		return false;
	if (!text_is_utf8(content, size))
		return true;
	length = java_length(name) + java_length(content);
	if (*total + length >= limit)
		return true;
	if (!driver_client_is_key(name))
		return error_set(err, ERROR_INVALID,
		                 "SPARK_CONF_DIR: '%s' cannot be the key of a ConfigMap; rename "
		                 "the file or move it away",
		                 path);
	*total += length;
	json_object_set_new(into, name, json_string(content));
	return true;
}

json_t *driver_conf_folder_read(const char *folder, size_t limit, struct error **err)
{
	json_auto_t *names = driver_client_files(folder);
	json_auto_t *contents = json_object();
	size_t count, total = 0, i;
	struct conf_file *files = candidates(folder, names, limit, &count);
	bool is_fine = true;

	for (i = 0; is_fine && i < count; i++)
		is_fine = read_file(folder, files[i].name, limit, &total, contents, err);
	free(files);
	return is_fine ? take(contents) : NULL;
}
