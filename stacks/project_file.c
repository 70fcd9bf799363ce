/* SPDX-License-Identifier: Apache-2.0 */
/* Files below .stepop/: read with faults, written in one step, changed by one process at a time. */
#include "stacks/project_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"

#define API_VERSION "stepop/v1"
#define FILE_LIMIT_BYTES ((size_t)1 << 20)

char *project_file_path(const struct project *project, const char *folder, const char *name)
{
	const char *root = project_folder(project);

	if (!*folder)
		return text_printf("%s/%s.yaml", root, name);
	return text_printf("%s/%s/%s.yaml", root, folder, name);
}

/* Messages name files as the user sees them from where he stands. */
static const char *shown_path(const char *path, const char *here)
{
	size_t size = here ? strlen(here) : 0;

	if (size > 1 && !strncmp(path, here, size) && path[size] == '/')
		return path + size + 1;
	return path;
}

static struct document *read_document(const char *path, struct faults *faults, struct error **err)
{
	struct document *document;
	scoped(text) char *here = getcwd(NULL, 0);
	scoped(text) char *text = NULL;
	size_t size;

	text = file_read(path, FILE_LIMIT_BYTES, &size, err);
	if (!text)
		return NULL;
	document = document_parse_faults(shown_path(path, here), text, size, faults);
	if (!document)
		faults_check(faults, err);
	return document;
}

static void check_field(const struct document *document, const char *field, const char *expected,
                        struct faults *faults)
{
	json_t *root = document_root(document);
	const json_t *value = json_object_get(root, field);

	if (!value)
		faults_add(faults, document, document_position(document, root),
		           "'%s: %s' is missing", field, expected);
	else if (!text_equal(json_string_value(value), expected))
		faults_add(faults, document, document_position(document, value), "%s must be '%s'",
		           field, expected);
}

static void check_known(const struct document *document, const char *const *fields,
                        struct faults *faults)
{
	json_t *root = document_root(document), *value;
	const char *key;

	json_object_foreach (root, key, value) {
		const char *const *field = fields;
		const char *nearest;

		while (*field && strcmp(*field, key))
			field++;
		if (*field || !strcmp(key, "apiVersion") || !strcmp(key, "kind"))
			continue;
		nearest = text_nearest(key, fields);
		faults_add(faults, document, document_key_position(document, root, key),
		           nearest ? "unknown field '%s'; did you mean '%s'?"
		                   : "unknown field '%s'",
		           key, nearest);
	}
}

struct document *project_file_read(const char *path, const char *kind, const char *const *fields,
                                   struct faults *faults, struct error **err)
{
	struct document *document = read_document(path, faults, err);
	json_t *root;

	if (!document)
		return NULL;
	root = document_root(document);
	if (!json_is_object(root)) {
		faults_add(faults, document, document_position(document, root),
		           "a mapping with 'kind: %s' is expected", kind);
		return document;
	}
	check_field(document, "apiVersion", API_VERSION, faults);
	check_field(document, "kind", kind, faults);
	check_known(document, fields, faults);
	return document;
}

json_t *project_file_new(const char *kind)
{
	return json_pack("{s:s, s:s}", "apiVersion", API_VERSION, "kind", kind);
}

bool project_file_save(const char *path, const json_t *content, struct error **err)
{
	scoped(text) char *folder = file_folder(path);

	if (!file_make_folders(folder, 0755, err))
		return false;
	return document_save_yaml(content, path, 0644, err);
}

static int is_yaml_file(const struct dirent *entry)
{
	return *entry->d_name != '.' && text_ends_with(entry->d_name, ".yaml");
}

json_t *project_file_names(const struct project *project, const char *folder, struct error **err)
{
	scoped(text) char *path = file_join(project_folder(project), folder);
	json_t *names = json_array();
	struct dirent **entries;
	int i, count = scandir(path, &entries, is_yaml_file, alphasort);

	if (count < 0) {
		if (errno == ENOENT)
			return names;
		json_decref(names);
		return error_set(err, ERROR_INTERNAL, "%s: %s", path, strerror(errno));
	}
	for (i = 0; i < count; i++) {
		size_t size = strlen(entries[i]->d_name) - strlen(".yaml");

		json_array_append_new(names, json_stringn(entries[i]->d_name, size));
		free(entries[i]);
	}
	free(entries);
	return names;
}

const char *project_file_nearest(const json_t *names, const char *name)
{
	const char **candidates = xcalloc(json_array_size(names) + 1, sizeof(*candidates));
	const char *nearest;
	json_t *candidate;
	size_t i;

	json_array_foreach (names, i, candidate)
		candidates[i] = json_string_value(candidate);
	nearest = text_nearest(name, candidates);
	free(candidates);
	return nearest;
}

int project_lock(const char *path, struct error **err)
{
	scoped(fd) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int locked;

	if (fd < 0) {
		error_set(err, errno == EACCES ? ERROR_AUTH : ERROR_INTERNAL, "%s: %s", path,
		          strerror(errno));
		return -1;
	}
	do
		locked = flock(fd, LOCK_EX);
	while (locked < 0 && errno == EINTR);
	if (locked < 0) {
		error_set(err, ERROR_INTERNAL, "lock %s: %s", path, strerror(errno));
		return -1;
	}
	locked = fd;
	fd = -1;
	return locked;
}

int project_lock_changes(const struct project *project, struct error **err)
{
	scoped(text) char *path = file_join(project_folder(project), "lock");

	return project_lock(path, err);
}
