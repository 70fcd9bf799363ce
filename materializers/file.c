/* SPDX-License-Identifier: Apache-2.0 */
/* file and directory: what the step had on its disk, as it was. */
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "materializers/artifact_files.h"
#include "materializers/built_in.h"
#include "materializers/display.h"

enum { LISTED_MAX = 100, NAME_SHOWN_MAX = 200 };

/* Only what lies in the type's own folder: NOT_FOUND when that is empty. */
static bool read_folder(struct artifact_store *store, const char *uri, const char *folder,
                        struct artifact_files *files, struct error **err)
{
	scoped(text) char *inner = text_printf("%s%s/", uri, folder);

	return artifact_files_read(store, inner, files, err);
}

static json_t *describe_one(struct artifact_store *store, const char *uri, struct error **err)
{
	struct artifact_files files = { 0 };
	json_t *metadata = NULL;

	if (!read_folder(store, uri, "file", &files, err)) {
		error_wrap(err, "%s is incomplete", uri);
	} else if (files.count != 1) {
		error_set(err, ERROR_INVALID, "%sfile/ should hold one file and has %zu", uri,
		          files.count);
	} else {
		scoped(text) char *size = display_size(files.entries[0].size_bytes);
		scoped(text) char *name = display_line(
			files.entries[0].name, strlen(files.entries[0].name), NAME_SHOWN_MAX);
		scoped(text) char *summary = text_printf("%s, %s", name, size);

		metadata = artifact_files_metadata(&files);
		json_object_set_new(metadata, "name", json_string(files.entries[0].name));
		json_object_set_new(metadata, "summary", json_string(summary));
	}
	artifact_files_release(&files);
	return metadata;
}

/* An empty folder leaves nothing in S3, so an absent one is an empty one. */
static json_t *describe_folder(struct artifact_store *store, const char *uri, struct error **err)
{
	scoped(text) char *inner = text_printf("%sdirectory/", uri);
	struct artifact_files files = { 0 };
	json_t *metadata = NULL;

	if (artifact_list(store, inner, &files.entries, &files.count, err)) {
		scoped(text) char *count = display_count((int64_t)files.count, "file", "files");
		scoped(text) char *size = display_size(artifact_files_size(&files));
		scoped(text) char *summary = text_printf("%s, %s", count, size);

		metadata = artifact_files_metadata(&files);
		json_object_set_new(metadata, "summary", json_string(summary));
	}
	artifact_files_release(&files);
	return metadata;
}

static char *digest_folder(struct artifact_store *store, const char *uri, struct error **err)
{
	scoped(text) char *inner = text_printf("%sdirectory/", uri);
	struct artifact_files files = { 0 };
	char *digest = NULL;

	if (artifact_list(store, inner, &files.entries, &files.count, err))
		digest = artifact_files_digest(store, inner, &files, err);
	artifact_files_release(&files);
	return digest;
}

static void print_files(const struct artifact_files *files, FILE *out)
{
	for (size_t i = 0; i < files->count && i < LISTED_MAX; i++) {
		const struct artifact_entry *entry = &files->entries[i];
		scoped(text) char *size = display_size(entry->size_bytes);
		scoped(text) char *name =
			display_line(entry->name, strlen(entry->name), NAME_SHOWN_MAX);

		fprintf(out, "%12s  %s\n", size, name);
	}
	if (files->count > LISTED_MAX)
		fprintf(out, "… and %zu more\n", files->count - LISTED_MAX);
}

static bool preview(struct artifact_store *store, const char *uri, const char *folder, FILE *out,
                    struct error **err)
{
	scoped(text) char *inner = text_printf("%s%s/", uri, folder);
	struct artifact_files files = { 0 };
	bool is_good = artifact_list(store, inner, &files.entries, &files.count, err);

	if (is_good)
		print_files(&files, out);
	artifact_files_release(&files);
	return is_good;
}

static bool preview_one(struct artifact_store *store, const char *uri, FILE *out,
                        struct error **err)
{
	return preview(store, uri, "file", out, err);
}

static bool preview_folder(struct artifact_store *store, const char *uri, FILE *out,
                           struct error **err)
{
	return preview(store, uri, "directory", out, err);
}

const struct materializer materializer_file = {
	.abi = MATERIALIZER_ABI,
	.type = "file",
	.help = "a file, under its own name",
	.describe = describe_one,
	.digest = artifact_digest,
	.preview = preview_one,
};
const struct materializer materializer_directory = {
	.abi = MATERIALIZER_ABI,
	.type = "directory",
	.help = "a folder and all that is in it",
	.describe = describe_folder,
	.digest = digest_folder,
	.preview = preview_folder,
};
