/* SPDX-License-Identifier: Apache-2.0 */
/* The kubeconfig files of one command, read and looked up; a part of submit/kube_config. */
#ifndef SUBMIT_KUBE_CONFIG_FILE_H
#define SUBMIT_KUBE_CONFIG_FILE_H

#include <jansson.h>
#include <stdbool.h>

#include "core/document.h"
#include "core/error.h"

struct kube_files;

struct kube_files *kube_files_new(void);
void kube_files_free(struct kube_files *files);
DEFINE_CLEANUP(kube_files);

/* An absent file is NOT_FOUND; an empty one is taken and holds nothing. */
bool kube_files_add(struct kube_files *files, const char *path, struct error **err);
/* As if it had been read from `name`. */
bool kube_files_add_text(struct kube_files *files, const char *name, const char *text, size_t size,
                         struct error **err);
bool kube_files_is_empty(const struct kube_files *files);
/* "a, b"; owned by the caller. */
char *kube_files_names(const struct kube_files *files);

/* One mapping within a file: a cluster, a user, a context. Borrowed. */
struct kube_entry {
	const struct document *document;
	const json_t *fields;
	const char *what; /* "cluster" */
	const char *name;
};

/* The entry `name` of `list` ("clusters"), from the first file that has one; false: none has. */
bool kube_files_find(const struct kube_files *files, const char *list, const char *name,
                     struct kube_entry *entry, struct error **err);
/* The first entry for which `matches` is true. */
bool kube_files_search(const struct kube_files *files, const char *list,
                       bool (*matches)(const struct kube_entry *entry, const char *wanted),
                       const char *wanted, struct kube_entry *entry, struct error **err);
/* Names in `list`, for suggestions; an array of strings, owned by the caller. */
json_t *kube_files_list(const struct kube_files *files, const char *list);
/* current-context of the first file that sets one; borrowed, or NULL. */
const char *kube_files_current_context(const struct kube_files *files);

/* INVALID with the place of `key` in front; returns NULL. */
void *kube_entry_error(const struct kube_entry *entry, const char *key, struct error **err,
                       const char *format, ...) __attribute__((__format__(__printf__, 4, 5)));
/* *text stays NULL when the key is absent, null or empty; otherwise owned by the caller. */
bool kube_entry_text(const struct kube_entry *entry, const char *key, char **text,
                     struct error **err);
bool kube_entry_flag(const struct kube_entry *entry, const char *key, bool *flag,
                     struct error **err);
/* `key` is a path: relative ones are relative to the file they stand in. */
bool kube_entry_path(const struct kube_entry *entry, const char *key, char **path,
                     struct error **err);
/* The text of base64 `<key>-data`, or else of the file that `key` names. */
bool kube_entry_content(const struct kube_entry *entry, const char *key, char **content,
                        struct error **err);

#endif
