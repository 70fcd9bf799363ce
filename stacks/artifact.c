/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the artifact store of a flavor, and keeps callers within it. */
#include "stacks/artifact.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "stacks/component_secrets.h"

static const struct artifact_flavor *const flavors[] = { &artifact_local, &artifact_s3 };

void artifact_entries_free(struct artifact_entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(entries[i].name);
		free(entries[i].etag);
	}
	free(entries);
}

void artifact_access_release(struct artifact_access *access)
{
	json_decref(access->spark_conf);
	secret_values_free(access->secrets);
	*access = (struct artifact_access){ 0 };
}

void artifact_access(struct artifact_store *store, struct artifact_access *access)
{
	*access = (struct artifact_access){ .spark_conf = json_object(), .secrets = json_object() };
	if (store->flavor->access)
		store->flavor->access(store, access);
}

json_t *artifact_session(struct artifact_store *store, struct error **err)
{
	return store->flavor->session ? store->flavor->session(store, err) : json_object();
}

const struct artifact_flavor *artifact_flavor_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(flavors); i++)
		if (text_equal(flavors[i]->component->name, name))
			return flavors[i];
	return NULL;
}

struct artifact_store *artifact_store_open(const struct project *project,
                                           const struct component *component,
                                           struct secret_store *secrets, struct http_client *http,
                                           struct error **err)
{
	const struct artifact_flavor *flavor = artifact_flavor_find(component->flavor);
	scoped(component) struct component *resolved = NULL;
	struct artifact_store *store = NULL;

	if (!flavor)
		return error_set(err, ERROR_INVALID,
		                 "artifact store '%s' has the flavor '%s', which there is not",
		                 component->name, component->flavor);
	resolved = component_resolve(component, flavor->component, secrets, err);
	if (resolved)
		store = flavor->open(project, resolved, secrets, http, err);
	return store ? store : error_wrap(err, "artifact store '%s'", component->name);
}

void artifact_store_free(struct artifact_store *store)
{
	char *root;

	if (!store)
		return;
	root = store->root;
	store->flavor->close(store);
	free(root);
}

/* No empty, "." or ".." part; a '/' at the end is a folder's. */
static bool is_plain_path(const char *path)
{
	while (*path) {
		size_t size = strcspn(path, "/");

		if (size == 0 || (size == 1 && path[0] == '.') ||
		    (size == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		path += size;
		path += *path == '/';
	}
	return true;
}

static bool check_uri(const struct artifact_store *store, const char *uri, bool is_folder,
                      struct error **err)
{
	if (!text_starts_with(uri, store->root))
		return error_set(err, ERROR_INVALID, "'%s' is not in this artifact store, %s", uri,
		                 store->root);
	if (!is_plain_path(uri + strlen(store->root)))
		return error_set(err, ERROR_INVALID, "'%s' has an empty part, '.' or '..' in it",
		                 uri);
	if (text_ends_with(uri, "/") != is_folder)
		return error_set(err, ERROR_INVALID,
		                 is_folder ? "'%s' is no folder: it does not end in '/'"
		                           : "'%s' is a folder, not a file",
		                 uri);
	return true;
}

char *artifact_get(struct artifact_store *store, const char *uri, int64_t offset, size_t size,
                   size_t limit, size_t *got, struct error **err)
{
	size_t ignored;

	if (!check_uri(store, uri, false, err))
		return NULL;
	return store->flavor->get(store, uri, offset, size, limit, got ? got : &ignored, err);
}

bool artifact_put(struct artifact_store *store, const char *uri, const void *bytes, size_t size,
                  struct error **err)
{
	return check_uri(store, uri, false, err) &&
	       store->flavor->put(store, uri, bytes, size, err);
}

bool artifact_put_file(struct artifact_store *store, const char *uri, const char *path,
                       struct error **err)
{
	return check_uri(store, uri, false, err) && store->flavor->put_file(store, uri, path, err);
}

bool artifact_upload_start(struct artifact_store *store, const char *uri, const char *path,
                           artifact_upload_ended *ended, void *context,
                           struct artifact_upload **upload, struct error **err)
{
	struct artifact_upload *started = NULL;

	if (!store->flavor->upload) {
		if (!artifact_put_file(store, uri, path, err))
			return false;
	} else {
		if (!check_uri(store, uri, false, err))
			return false;
		started = store->flavor->upload(store, uri, path, ended, context, err);
		if (!started)
			return false;
		started->flavor = store->flavor;
	}
	*upload = started;
	return true;
}

void artifact_upload_cancel(struct artifact_upload *upload)
{
	if (upload)
		upload->flavor->upload_cancel(upload);
}

bool artifact_size(struct artifact_store *store, const char *uri, int64_t *size_bytes,
                   struct error **err)
{
	return check_uri(store, uri, false, err) &&
	       store->flavor->size(store, uri, size_bytes, err);
}

static int compare_entries(const void *a, const void *b)
{
	const struct artifact_entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

bool artifact_list(struct artifact_store *store, const char *uri, struct artifact_entry **entries,
                   size_t *count, struct error **err)
{
	struct artifact_entry *found = NULL;
	size_t found_count = 0;

	if (!check_uri(store, uri, true, err) ||
	    !store->flavor->list(store, uri, &found, &found_count, err))
		return false;
	if (found_count > 0)
		qsort(found, found_count, sizeof(*found), compare_entries);
	*entries = found;
	*count = found_count;
	return true;
}

bool artifact_check(struct artifact_store *store, struct error **err)
{
	return store->flavor->check(store, err);
}

void artifact_probe(struct artifact_store *store, struct probe_report *report)
{
	scoped(error) struct error *err = NULL;

	if (store->flavor->probe)
		store->flavor->probe(store, report);
	else if (artifact_check(store, &err))
		probe_ok(report, "read and write", "%s", store->root);
	else
		probe_fault(report, "read and write", NULL, err);
}

char *artifact_uri(const struct artifact_store *store, const char *pipeline, const char *run_id,
                   const char *step, int attempt, const char *output)
{
	return text_printf("%s%s/%s/%s/%d/%s%s", store->root, pipeline, run_id, step, attempt,
	                   output ? output : "", output ? "/" : "");
}
