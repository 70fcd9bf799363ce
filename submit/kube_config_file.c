/* SPDX-License-Identifier: Apache-2.0 */
/* kubeconfig files: entries by name, and typed access that names file, line and column. */
#include "submit/kube_config_file.h"

#include <stdarg.h>
#include <string.h>

#include "core/digest.h"
#include "core/file.h"
#include "core/text.h"

#define CONTENT_LIMIT_BYTES ((size_t)1 << 20)

struct kube_files {
	struct document **documents;
	size_t count;
};

struct kube_files *kube_files_new(void)
{
	return xcalloc(1, sizeof(struct kube_files));
}

void kube_files_free(struct kube_files *files)
{
	size_t i;

	if (!files)
		return;
	for (i = 0; i < files->count; i++)
		document_free(files->documents[i]);
	free(files->documents);
	free(files);
}

static bool add_document(struct kube_files *files, struct document *taken, struct error **err)
{
	scoped(document) struct document *document = taken;

	if (!document)
		return false;
	if (json_is_null(document_root(document)))
		return true;
	if (!json_is_object(document_root(document)))
		return error_set(err, ERROR_INVALID, "%s: this is no kubeconfig file",
		                 document_name(document));
	files->documents = xrealloc(files->documents, files->count + 1, sizeof(*files->documents));
	files->documents[files->count++] = take(document);
	return true;
}

bool kube_files_add(struct kube_files *files, const char *path, struct error **err)
{
	return add_document(files, document_read(path, err), err);
}

bool kube_files_add_text(struct kube_files *files, const char *name, const char *text, size_t size,
                         struct error **err)
{
	return add_document(files, document_parse(name, text, size, err), err);
}

bool kube_files_is_empty(const struct kube_files *files)
{
	return !files->count;
}

char *kube_files_names(const struct kube_files *files)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	size_t i;

	for (i = 0; i < files->count; i++)
		fprintf(out, "%s%s", i ? ", " : "", document_name(files->documents[i]));
	return text_stream_take(&stream);
}

/* "contexts" -> "context": the key under which an entry of the list keeps its fields. */
static const char *entry_key(const char *list)
{
	return text_equal(list, "clusters") ? "cluster"
	       : text_equal(list, "users")  ? "user"
	                                    : "context";
}

static bool read_entry(const struct document *document, const json_t *list, size_t index,
                       struct kube_entry *entry, struct error **err)
{
	const json_t *item = json_array_get(list, index);
	struct document_position position = document_item_position(document, list, index);

	entry->document = document;
	entry->name = json_string_value(json_object_get(item, "name"));
	entry->fields = json_object_get(item, entry->what);
	if (!entry->name)
		return error_set(err, ERROR_INVALID, "%s:%d:%d: this %s has no name",
		                 document_name(document), position.line, position.column,
		                 entry->what);
	if (entry->fields && !json_is_object(entry->fields) && !json_is_null(entry->fields))
		return error_set(err, ERROR_INVALID, "%s:%d:%d: '%s' must hold fields",
		                 document_name(document), position.line, position.column,
		                 entry->what);
	return true;
}

bool kube_files_search(const struct kube_files *files, const char *list,
                       bool (*matches)(const struct kube_entry *entry, const char *wanted),
                       const char *wanted, struct kube_entry *entry, struct error **err)
{
	struct kube_entry candidate = { .what = entry_key(list) };
	size_t i, j;

	for (i = 0; i < files->count; i++) {
		const struct document *document = files->documents[i];
		const json_t *items = json_object_get(document_root(document), list);

		for (j = 0; j < json_array_size(items); j++) {
			if (!read_entry(document, items, j, &candidate, err))
				return false;
			if (!matches(&candidate, wanted))
				continue;
			*entry = candidate;
			return true;
		}
	}
	return false;
}

static bool has_name(const struct kube_entry *entry, const char *wanted)
{
	return text_equal(entry->name, wanted);
}

bool kube_files_find(const struct kube_files *files, const char *list, const char *name,
                     struct kube_entry *entry, struct error **err)
{
	return kube_files_search(files, list, has_name, name, entry, err);
}

json_t *kube_files_list(const struct kube_files *files, const char *list)
{
	json_t *names = json_array(), *item;
	size_t i, j;

	for (i = 0; i < files->count; i++)
		json_array_foreach (json_object_get(document_root(files->documents[i]), list), j,
		                    item) {
			json_t *name = json_object_get(item, "name");

			if (json_is_string(name))
				json_array_append(names, name);
		}
	return names;
}

const char *kube_files_current_context(const struct kube_files *files)
{
	size_t i;

	for (i = 0; i < files->count; i++) {
		const char *name = json_string_value(
			json_object_get(document_root(files->documents[i]), "current-context"));

		if (name && *name)
			return name;
	}
	return NULL;
}

void *kube_entry_error(const struct kube_entry *entry, const char *key, struct error **err,
                       const char *format, ...)
{
	struct document_position position =
		document_key_position(entry->document, entry->fields, key);
	scoped(text) char *reason = NULL;
	va_list args;

	va_start(args, format);
	reason = text_vprintf(format, args);
	va_end(args);
	if (!position.line)
		return error_set(err, ERROR_INVALID, "%s: %s '%s': %s",
		                 document_name(entry->document), entry->what, entry->name, reason);
	return error_set(err, ERROR_INVALID, "%s:%d:%d: %s '%s': %s",
	                 document_name(entry->document), position.line, position.column,
	                 entry->what, entry->name, reason);
}

bool kube_entry_text(const struct kube_entry *entry, const char *key, char **text,
                     struct error **err)
{
	const json_t *value = json_object_get(entry->fields, key);

	if (!value || json_is_null(value))
		return true;
	if (!json_is_string(value))
		return kube_entry_error(entry, key, err, "'%s' must be text; put it into quotes",
		                        key);
	if (json_string_length(value))
		*text = xstrdup(json_string_value(value));
	return true;
}

bool kube_entry_flag(const struct kube_entry *entry, const char *key, bool *flag,
                     struct error **err)
{
	const json_t *value = json_object_get(entry->fields, key);

	if (!value || json_is_null(value))
		return true;
	if (!json_is_boolean(value))
		return kube_entry_error(entry, key, err, "'%s' must be true or false", key);
	*flag = json_is_true(value);
	return true;
}

bool kube_entry_path(const struct kube_entry *entry, const char *key, char **path,
                     struct error **err)
{
	scoped(text) char *text = NULL;
	scoped(text) char *folder = file_folder(document_name(entry->document));

	if (!kube_entry_text(entry, key, &text, err))
		return false;
	if (text)
		*path = file_join(folder, text);
	return true;
}

/* Long values are often folded over lines; Go's decoder skips line breaks too. */
static void drop_line_breaks(char *text)
{
	char *to = text;

	for (; *text; text++)
		if (*text != '\n' && *text != '\r' && *text != ' ')
			*to++ = *text;
	*to = '\0';
}

static bool decode(const struct kube_entry *entry, const char *key, char *data, char **content,
                   struct error **err)
{
	size_t size = 0;
	scoped(text) char *bytes = NULL;

	drop_line_breaks(data);
	bytes = base64_decode(data, &size);
	if (!bytes)
		return kube_entry_error(entry, key, err, "'%s' is not valid base64", key);
	if (!text_is_utf8(bytes, size))
		return kube_entry_error(entry, key, err, "'%s' is not PEM in base64", key);
	*content = xstrndup(bytes, size);
	text_wipe(bytes, size);
	return true;
}

bool kube_entry_content(const struct kube_entry *entry, const char *key, char **content,
                        struct error **err)
{
	scoped(text) char *data_key = text_printf("%s-data", key);
	scoped(secret) char *data = NULL;
	scoped(text) char *path = NULL;

	if (!kube_entry_text(entry, data_key, &data, err))
		return false;
	if (data)
		return decode(entry, data_key, data, content, err);
	if (!kube_entry_path(entry, key, &path, err))
		return false;
	if (path) {
		struct error *reason = NULL;
		char *read = file_read(path, CONTENT_LIMIT_BYTES, NULL, &reason);

		if (!read) {
			scoped(text) char *text = error_text(reason);

			error_free(reason);
			return kube_entry_error(entry, key, err, "%s: %s", key, text);
		}
		*content = read;
	}
	return true;
}
