/* SPDX-License-Identifier: Apache-2.0 */
/* Artifacts as objects below a prefix of a bucket in S3, or in what speaks its API. */
#include <stdlib.h>
#include <string.h>

#include "cloud/s3_upload.h"
#include "core/digest.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/artifact_s3.h"

#define SCHEME "s3://"
#define PROBE ".stepop-check"

enum { LIST_MAX = 100000 };

static struct s3_store *s3_store(struct artifact_store *store)
{
	return container_of(store, struct s3_store, store);
}

static void s3_close(struct artifact_store *base)
{
	struct s3_store *store = s3_store(base);

	artifact_s3_release(store);
	free(store);
}

/* A relative path counts from the folder that holds .stepop/, wherever the command is called. */
static char *find_ca(const struct project *project, const struct component *component)
{
	const char *path = component_text(component, "ca", NULL);
	scoped(text) char *base = file_folder(project_folder(project));

	return path ? file_join(base, path) : NULL;
}

static struct artifact_store *s3_open(const struct project *project,
                                      const struct component *component,
                                      struct secret_store *secrets, struct http_client *http,
                                      struct error **err)
{
	struct s3_store *store = xcalloc(1, sizeof(*store));

	store->store.flavor = &artifact_s3;
	store->ca_path = find_ca(project, component);
	if (artifact_s3_set_up(store, component, secrets, http, err))
		return &store->store;
	artifact_store_free(&store->store);
	return NULL;
}

static const char *key_of(const struct s3_store *store, const char *uri)
{
	return uri + strlen(SCHEME) + strlen(store->bucket) + 1;
}

static char *s3_store_get(struct artifact_store *base, const char *uri, int64_t offset, size_t size,
                          size_t limit, size_t *got, struct error **err)
{
	struct s3_store *store = s3_store(base);

	return s3_get(store->client, store->bucket, key_of(store, uri), offset, size, limit, got,
	              err);
}

static bool s3_store_put(struct artifact_store *base, const char *uri, const void *bytes,
                         size_t size, struct error **err)
{
	struct s3_store *store = s3_store(base);

	return s3_put(store->client, store->bucket, key_of(store, uri), bytes, size, NULL, err);
}

static bool s3_store_put_file(struct artifact_store *base, const char *uri, const char *path,
                              struct error **err)
{
	struct s3_store *store = s3_store(base);

	return s3_put_file(store->client, store->bucket, key_of(store, uri), path, err);
}

static bool s3_store_size(struct artifact_store *base, const char *uri, int64_t *size_bytes,
                          struct error **err)
{
	struct s3_store *store = s3_store(base);

	return s3_head(store->client, store->bucket, key_of(store, uri), size_bytes, NULL, err);
}

/* ---- uploads on the loop ---- */

struct s3_store_upload {
	struct artifact_upload base;
	struct s3_upload *upload;
	artifact_upload_ended *ended;
	void *context;
};

static void upload_ended(void *context, const struct error *error)
{
	struct s3_store_upload *upload = context;

	upload->ended(upload->context, error);
	free(upload);
}

static struct artifact_upload *s3_store_upload(struct artifact_store *base, const char *uri,
                                               const char *path, artifact_upload_ended *ended,
                                               void *context, struct error **err)
{
	struct s3_store *store = s3_store(base);
	const struct s3_upload_file file = { .key = key_of(store, uri), .path = path };
	struct s3_store_upload *upload = xcalloc(1, sizeof(*upload));

	upload->ended = ended;
	upload->context = context;
	upload->upload =
		s3_upload_start(store->client, store->bucket, &file, 1, upload_ended, upload, err);
	if (upload->upload)
		return &upload->base;
	free(upload);
	return NULL;
}

static void s3_store_upload_cancel(struct artifact_upload *base)
{
	struct s3_store_upload *upload = container_of(base, struct s3_store_upload, base);

	s3_upload_cancel(upload->upload);
	free(upload);
}

/* ---- listing ---- */

struct listing {
	const char *prefix, *root;
	struct artifact_entry *entries;
	size_t count;
};

static bool list_object(void *context, struct s3_object *object, struct error **err)
{
	struct listing *listing = context;

	/* S3A and web consoles mark folders by objects whose keys end in '/'. */
	if (!text_starts_with(object->key, listing->prefix) || text_ends_with(object->key, "/"))
		return true;
	if (listing->count == LIST_MAX)
		return error_set(err, ERROR_INVALID, "%s%s has more than %d objects below it",
		                 listing->root, listing->prefix, LIST_MAX);
	if (!(listing->count & (listing->count - 1))) /* doubled when full */
		listing->entries =
			xrealloc(listing->entries, listing->count ? 2 * listing->count : 1,
		                 sizeof(*listing->entries));
	listing->entries[listing->count++] = (struct artifact_entry){
		.name = xstrdup(object->key + strlen(listing->prefix)),
		.size_bytes = object->size_bytes,
		.etag = take(object->etag),
	};
	return true;
}

static bool s3_store_list(struct artifact_store *base, const char *uri,
                          struct artifact_entry **entries, size_t *count, struct error **err)
{
	struct s3_store *store = s3_store(base);
	struct listing listing = { .prefix = key_of(store, uri), .root = base->root };

	if (!s3_list_each(store->client, store->bucket, listing.prefix, list_object, &listing,
	                  err)) {
		artifact_entries_free(listing.entries, listing.count);
		return false;
	}
	*entries = listing.entries;
	*count = listing.count;
	return true;
}

/* ---- checking ---- */

static bool has_credentials(const struct s3_store *store, struct error **err)
{
	return aws_chain_get(store->chain, err) ||
	       error_wrap(err, "authentication_secret is not set, and without it");
}

/* Two checks at the same time must not meet: each has an object of its own. */
static bool s3_check(struct artifact_store *base, struct error **err)
{
	struct s3_store *store = s3_store(base);
	scoped(text) char *random = digest_random_hex(8);
	scoped(text) char *uri = text_printf("%s" PROBE "-%s", base->root, random);
	scoped(text) char *text = NULL;
	size_t got;

	if (!has_credentials(store, err) || !s3_head_bucket(store->client, store->bucket, err) ||
	    !s3_store_put(base, uri, "ok", 2, err))
		return false;
	text = s3_store_get(base, uri, 0, 0, 100, &got, err);
	/* It goes, whether it could be read or not. */
	return s3_delete(store->client, store->bucket, key_of(store, uri), text ? err : NULL) &&
	       text;
}

const struct artifact_flavor artifact_s3 = {
	.component = &artifact_s3_component,
	.open = s3_open,
	.get = s3_store_get,
	.put = s3_store_put,
	.put_file = s3_store_put_file,
	.upload = s3_store_upload,
	.upload_cancel = s3_store_upload_cancel,
	.size = s3_store_size,
	.list = s3_store_list,
	.check = s3_check,
	.probe = artifact_s3_probe,
	.access = artifact_s3_access,
	.session = artifact_s3_session,
	.remote = true,
	.close = s3_close,
};
