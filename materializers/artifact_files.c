/* SPDX-License-Identifier: Apache-2.0 */
/* Lists, sums up and digests an artifact's files. */
#include "materializers/artifact_files.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"

#define CHUNK_BYTES ((size_t)4 << 20)

void artifact_files_release(struct artifact_files *files)
{
	artifact_entries_free(files->entries, files->count);
	*files = (struct artifact_files){ 0 };
}

bool artifact_files_read(struct artifact_store *store, const char *uri,
                         struct artifact_files *files, struct error **err)
{
	if (!artifact_list(store, uri, &files->entries, &files->count, err))
		return false;
	return files->count > 0 || error_set(err, ERROR_NOT_FOUND, "there is nothing at %s", uri);
}

static bool is_hidden(const char *name)
{
	for (const char *part = name; part; part = strchr(part, '/')) {
		part += *part == '/';
		if (*part == '_' || *part == '.')
			return true;
	}
	return false;
}

void artifact_files_drop_hidden(struct artifact_files *files)
{
	size_t kept = 0;

	for (size_t i = 0; i < files->count; i++) {
		if (is_hidden(files->entries[i].name)) {
			free(files->entries[i].name);
			free(files->entries[i].etag);
		} else {
			files->entries[kept++] = files->entries[i];
		}
	}
	files->count = kept;
}

const struct artifact_entry *artifact_files_find(const struct artifact_files *files,
                                                 const char *name)
{
	for (size_t i = 0; i < files->count; i++)
		if (text_equal(files->entries[i].name, name))
			return &files->entries[i];
	return NULL;
}

int64_t artifact_files_size(const struct artifact_files *files)
{
	int64_t size_bytes = 0;

	for (size_t i = 0; i < files->count; i++)
		size_bytes += files->entries[i].size_bytes;
	return size_bytes;
}

json_t *artifact_files_metadata(const struct artifact_files *files)
{
	return json_pack("{s:I, s:I}", "size_bytes", (json_int_t)artifact_files_size(files),
	                 "files", (json_int_t)files->count);
}

/* Length of a UUID at `text`, or 0. */
static size_t uuid_size(const char *text)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	size_t i;

	for (i = 0; form[i]; i++)
		if (form[i] == 'x' ? !isxdigit((unsigned char)text[i]) : text[i] != '-')
			return 0;
	return i;
}

static void print_name(const char *name, FILE *out)
{
	while (*name) {
		size_t skipped = uuid_size(name);

		fputc(skipped ? '*' : *name, out);
		name += skipped ? skipped : 1;
	}
}

/* The digests of its parts, so that large files need little memory. */
static bool print_content(struct artifact_store *store, const char *uri,
                          const struct artifact_entry *entry, FILE *out, struct error **err)
{
	scoped(text) char *file = text_printf("%s%s", uri, entry->name);

	for (int64_t at = 0; at < entry->size_bytes; at += (int64_t)CHUNK_BYTES) {
		size_t got = 0;
		scoped(text) char *bytes =
			artifact_get(store, file, at, CHUNK_BYTES, CHUNK_BYTES, &got, err);
		scoped(text) char *digest = bytes ? digest_bytes(bytes, got) : NULL;

		if (!digest)
			return false;
		fprintf(out, " %s", digest);
	}
	return true;
}

char *artifact_files_digest(struct artifact_store *store, const char *uri,
                            const struct artifact_files *files, struct error **err)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	scoped(text) char *list = NULL;
	bool is_good = true;
	size_t size;

	for (size_t i = 0; i < files->count && is_good; i++) {
		const struct artifact_entry *entry = &files->entries[i];

		print_name(entry->name, out);
		fprintf(out, "%c%lld", '\0', (long long)entry->size_bytes);
		if (entry->etag)
			fprintf(out, " %s", entry->etag);
		else
			is_good = print_content(store, uri, entry, out, err);
		fputc('\n', out);
	}
	list = text_stream_take_sized(&stream, &size);
	return is_good ? digest_bytes(list, size) : NULL;
}

static char *digest_all(struct artifact_store *store, const char *uri, bool data_only,
                        struct error **err)
{
	struct artifact_files files = { 0 };
	char *digest = NULL;

	if (artifact_files_read(store, uri, &files, err)) {
		if (data_only)
			artifact_files_drop_hidden(&files);
		digest = artifact_files_digest(store, uri, &files, err);
	}
	artifact_files_release(&files);
	return digest;
}

char *artifact_digest(struct artifact_store *store, const char *uri, struct error **err)
{
	return digest_all(store, uri, false, err);
}

char *artifact_digest_of_data(struct artifact_store *store, const char *uri, struct error **err)
{
	return digest_all(store, uri, true, err);
}
