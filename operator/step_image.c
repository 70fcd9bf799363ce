/* SPDX-License-Identifier: Apache-2.0 */
/* Gathers the files of a step's image. */
#include "operator/step_image.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/image_layer.h"
#include "stacks/image_wheel.h"

_Static_assert(sizeof(STEP_IMAGE_FOLDER) == sizeof("/" IMAGE_FOLDER), "both name one folder");

static const json_t *image_of(const json_t *settings)
{
	return json_object_get(settings, "image");
}

bool step_image_need(const json_t *settings, enum step_image_need *need, struct error **err)
{
	const json_t *image = image_of(settings);
	const json_t *build = json_object_get(image, "build");
	bool adds = json_array_size(json_object_get(image, "requirements")) ||
	            json_array_size(json_object_get(image, "files"));

	if (adds && json_is_false(build))
		return error_set(err, ERROR_INVALID,
		                 "settings.image has requirements or files, which need an image, "
		                 "and says 'build: false'");
	*need = adds || json_is_true(build) ? STEP_IMAGE_REQUESTED
	        : json_is_false(build)      ? STEP_IMAGE_NEVER
	                                    : STEP_IMAGE_IF_LARGE;
	return true;
}

const char *step_image_platform(const json_t *settings)
{
	return json_string_value(json_object_get(image_of(settings), "platform"));
}

void step_image_parts_read(struct step_image_parts *parts, const json_t *settings)
{
	parts->wheels = json_object_get(image_of(settings), "requirements");
	parts->files = json_object_get(image_of(settings), "files");
}

/* ---- code ---- */

static bool add_code(struct image_tree *tree, const json_t *code, struct error **err)
{
	const char *path;
	json_t *text;

	json_object_foreach ((json_t *)code, path, text) {
		scoped(text) char *place = text_printf(IMAGE_FOLDER "/%s", path);

		if (!image_tree_add_bytes(tree, place, json_string_value(text),
		                          json_string_length(text), err))
			return false;
	}
	return true;
}

/* ---- wheels ---- */

static int is_wheel(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && text_ends_with(entry->d_name, ".whl");
}

static bool add_wheels_of(struct image_tree *tree, const char *folder, struct error **err)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_wheel, NULL), i;
	bool ok = count > 0;

	if (count < 0)
		return error_set(err, ERROR_INTERNAL, "read the folder: %m");
	if (!count)
		error_set(err, ERROR_INVALID,
		          "there is no wheel in the folder; 'pip wheel -w %s -r requirements.txt' "
		          "makes them",
		          folder);
	for (i = 0; i < count; i++) {
		scoped(text) char *path = file_join(folder, entries[i]->d_name);

		ok = ok && image_wheel_add(tree, IMAGE_FOLDER "/site", path, err);
		free(entries[i]);
	}
	free(entries);
	return ok;
}

static bool add_requirement(struct image_tree *tree, const char *path, struct error **err)
{
	struct stat status;

	if (stat(path, &status))
		return error_set(err, errno == EACCES ? ERROR_AUTH : ERROR_NOT_FOUND, "%m");
	if (S_ISDIR(status.st_mode))
		return add_wheels_of(tree, path, err);
	return image_wheel_add(tree, IMAGE_FOLDER "/site", path, err);
}

static bool add_requirements(struct image_tree *tree, const struct step_image_parts *parts,
                             struct error **err)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (parts->wheels, i, entry) {
		const char *text = json_string_value(entry);
		scoped(text) char *path = file_join(parts->folder, text);

		if (!add_requirement(tree, path, err))
			return error_wrap(err, "requirement '%s'", text);
	}
	return true;
}

/* ---- files ---- */

/* The ':' of "PATH:/PLACE"; NULL where there is none. */
static const char *find_place(const char *entry)
{
	const char *found = NULL, *at;

	for (at = strstr(entry, ":/"); at; at = strstr(at + 1, ":/"))
		found = at;
	return found;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Without "./" in front and '/' at the end. Owned by the caller. */
static char *plain_path(const char *text, size_t size)
{
	while (size > 1 && text[size - 1] == '/')
		size--;
	while (size > 2 && text[0] == '.' && text[1] == '/') {
		text += 2;
		size -= 2;
	}
	return xstrndup(text, size);
}

/* Where `path` goes to, without the first '/'; owned by the caller. */
static char *target_of(const char *path, const char *place, struct error **err)
{
	if (!place && (*path == '/' || !strcmp(path, ".") || !strncmp(path, "..", 2)))
		return error_set(
			err, ERROR_INVALID,
			"it is not below the pipeline's folder: say where it goes to, as in "
			"'%s:/opt/data'",
			path);
	if (!place)
		return text_printf(IMAGE_FOLDER "/code/%s", path);
	while (*place == '/')
		place++;
	if (!*place || text_ends_with(place, "/"))
		return text_printf("%s%s", place, base_name(path));
	return xstrdup(place);
}

static bool add_entry(struct image_tree *tree, const char *folder, const char *entry,
                      struct error **err)
{
	const char *colon = find_place(entry);
	scoped(text) char *path =
		plain_path(entry, colon ? (size_t)(colon - entry) : strlen(entry));
	scoped(text) char *from = file_join(folder, path);
	scoped(text) char *to = target_of(path, colon ? colon + 1 : NULL, err);
	struct stat status;

	if (!to)
		return false;
	if (stat(from, &status))
		return error_set(err, errno == EACCES ? ERROR_AUTH : ERROR_NOT_FOUND, "%m");
	return S_ISDIR(status.st_mode) ? image_tree_add_folder(tree, to, from, err)
	                               : image_tree_add_file(tree, to, from, err);
}

static bool add_files(struct image_tree *tree, const struct step_image_parts *parts,
                      struct error **err)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (parts->files, i, entry)
		if (!add_entry(tree, parts->folder, json_string_value(entry), err))
			return error_wrap(err, "file '%s'", json_string_value(entry));
	return true;
}

struct image_tree *step_image_gather(const struct step_image_parts *parts, bool *has_site,
                                     struct error **err)
{
	scoped(image_tree) struct image_tree *tree = image_tree_new();

	if (!add_code(tree, parts->code, err) || !add_requirements(tree, parts, err) ||
	    !add_files(tree, parts, err))
		return NULL;
	*has_site = json_array_size(parts->wheels) > 0;
	return take(tree);
}
