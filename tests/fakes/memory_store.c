/* SPDX-License-Identifier: Apache-2.0 */
/* A remote artifact store in memory. */
#include "tests/fakes/memory_store.h"

#include "core/file.h"
#include "core/memory.h"

static struct memory_store *memory_of(struct artifact_store *store)
{
	return container_of(store, struct memory_store, store);
}

static bool put_file(struct artifact_store *base, const char *uri, const char *path,
                     struct error **err)
{
	struct memory_store *store = memory_of(base);
	scoped(text) char *text = file_read(path, 1 << 20, NULL, err);

	if (!text)
		return false;
	store->put_count++;
	return !json_object_set_new(store->objects, uri, json_string(text));
}

static bool size(struct artifact_store *base, const char *uri, int64_t *size_bytes,
                 struct error **err)
{
	const struct memory_store *store = memory_of(base);
	const json_t *text = json_object_get(store->objects, uri);

	if (store->is_down)
		return error_set(err, ERROR_UNAVAILABLE, "connection refused");
	if (!text)
		return error_set(err, ERROR_NOT_FOUND, "no '%s'", uri);
	*size_bytes = (int64_t)json_string_length(text);
	return true;
}

static void access(struct artifact_store *base, struct artifact_access *access)
{
	const struct memory_store *store = memory_of(base);

	access->own_identity = store->own_identity;
	json_object_update(access->spark_conf, store->spark_conf);
	json_object_update_new(access->secrets, json_deep_copy(store->secrets));
}

static const struct artifact_flavor flavor = {
	.put_file = put_file, .size = size, .access = access, .remote = true
};

void memory_store_init(struct memory_store *store)
{
	*store = (struct memory_store){ .store = { .flavor = &flavor,
		                                   .root = xstrdup("s3://bucket/prefix/") },
		                        .objects = json_object() };
}

void memory_store_release(struct memory_store *store)
{
	free(store->store.root);
	json_decref(store->objects);
	json_decref(store->spark_conf);
	json_decref(store->secrets);
}
