/* SPDX-License-Identifier: Apache-2.0 */
/* Parent + layer -> image, from registry to registry. */
#include "stacks/image_build.h"

#include <string.h>

#include "cloud/oci_reference.h"
#include "core/digest.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/image_layer.h"

#define CONFIG_LIMIT_BYTES (8 << 20)
/* Tells images apart that were made of the same by other rules. */
#define RULES 1

/* ---- the parent ---- */

/* Where an image is: in the component's registry, or in one with a client of its own. */
struct origin {
	struct oci_reference reference;
	struct oci_place place;
	struct oci_registry *owned;
};

static void origin_release(struct origin *origin)
{
	oci_reference_release(&origin->reference);
	oci_registry_free(origin->owned);
}

static bool origin_open(struct origin *origin, struct http_client *http,
                        struct container_registry *registry, const char *name, struct error **err)
{
	struct oci_registry_options options = { 0 };

	*origin = (struct origin){ 0 };
	if (!oci_reference_parse(name, &origin->reference, err))
		return false;
	origin->place.repository = origin->reference.repository;
	if (registry && !strcmp(registry->host, origin->reference.registry)) {
		origin->place.registry = registry->client;
		return true;
	}
	options.host = origin->reference.registry;
	origin->owned = oci_registry_new(http, &options, err);
	origin->place.registry = origin->owned;
	return origin->owned != NULL;
}

/* The digest of what the name says now, without reading it; owned by the caller. */
static char *origin_digest(const struct origin *origin, struct error **err)
{
	struct oci_manifest manifest = { 0 };
	char *digest;

	if (origin->reference.digest)
		return xstrdup(origin->reference.digest);
	if (!oci_manifest_head(&origin->place, oci_reference_target(&origin->reference), &manifest,
	                       err))
		return NULL;
	digest = take(manifest.digest);
	oci_manifest_release(&manifest);
	return digest;
}

void image_release(struct image *image)
{
	free(image->name);
	free(image->digest);
	image_manifest_free(image->manifest);
	json_decref(image->config);
	*image = (struct image){ 0 };
}

/* The manifest at `digest`; where that is an index, the one of the platform in its place. */
static bool get_manifest(const struct oci_place *place, const char *digest, const char *platform,
                         struct oci_manifest *manifest, struct error **err)
{
	scoped(text) char *chosen = NULL;

	if (!oci_manifest_get(place, digest, manifest, err))
		return false;
	if (!image_is_index(manifest->media_type))
		return true;
	chosen = image_index_choose(manifest->bytes, manifest->size,
	                            platform ? platform : IMAGE_PLATFORM_DEFAULT, err);
	oci_manifest_release(manifest);
	return chosen && oci_manifest_get(place, chosen, manifest, err);
}

static bool get_config(const struct oci_place *place, struct image *image, struct error **err)
{
	const struct image_blob *config = &image->manifest->config;
	const struct oci_blob blob = { .digest = config->digest,
		                       .size_bytes = config->size_bytes,
		                       .fd = -1 };
	scoped(text) char *text = NULL;

	if (config->size_bytes > CONFIG_LIMIT_BYTES)
		return error_set(err, ERROR_INVALID, "its configuration has %lld bytes",
		                 (long long)config->size_bytes);
	text = oci_blob_get(place, &blob, err);
	if (text)
		image->config = image_config_parse(text, (size_t)config->size_bytes,
		                                   image->manifest->layer_count, err);
	return image->config != NULL;
}

/* An image without an index is of one platform, which nobody need to have named. */
static bool check_platform(const struct image *image, const char *platform, struct error **err)
{
	scoped(text) char *own = image_config_platform(image->config);

	return !platform || !strcmp(own, platform) ||
	       error_set(err, ERROR_INVALID, "it is made for %s, not for the platform %s", own,
	                 platform);
}

/* `digest` is what origin_digest() told. On failure the caller releases *image as well. */
static bool origin_read(const struct origin *origin, const char *digest, const char *platform,
                        struct image *image, struct error **err)
{
	const struct oci_reference *reference = &origin->reference;
	struct oci_manifest manifest = { 0 };
	bool ok;

	if (!get_manifest(&origin->place, digest, platform, &manifest, err))
		return false;
	image->digest = xstrdup(digest);
	image->name = text_printf("%s/%s@%s", reference->registry, reference->repository,
	                          manifest.digest);
	image->manifest =
		image_manifest_parse(manifest.bytes, manifest.size, manifest.media_type, err);
	ok = image->manifest && get_config(&origin->place, image, err) &&
	     (strcmp(manifest.digest, digest) != 0 || check_platform(image, platform, err));
	oci_manifest_release(&manifest);
	return ok;
}

bool image_read(struct http_client *http, struct container_registry *registry, const char *name,
                const char *platform, struct image *image, struct error **err)
{
	struct origin origin;
	struct image found = { 0 };
	scoped(text) char *digest = NULL;
	bool ok;

	if (origin_open(&origin, http, registry, name, err))
		digest = origin_digest(&origin, err);
	ok = digest && origin_read(&origin, digest, platform, &found, err);
	origin_release(&origin);
	if (!ok) {
		image_release(&found);
		return error_wrap(err, "image '%s'", name);
	}
	*image = found;
	return true;
}

/* ---- what it is made of ---- */

struct build {
	const struct image_order *order;
	struct origin parent;
	struct oci_place target;
	json_t *labels;
	struct image_built built;
};

void image_built_release(struct image_built *built)
{
	free(built->name);
	free(built->digest);
	free(built->tag);
	free(built->parent);
	free(built->diff_id);
	*built = (struct image_built){ 0 };
}

static void build_release(struct build *build)
{
	origin_release(&build->parent);
	json_decref(build->labels);
	image_built_release(&build->built);
}

static void set_parent(struct build *build, const char *digest)
{
	const struct oci_reference *reference = &build->parent.reference;
	scoped(text) char *base =
		text_printf("%s/%s%s%s", reference->registry, reference->repository,
	                    reference->tag ? ":" : "", reference->tag ? reference->tag : "");

	build->built.parent = text_printf("%s@%s", base, digest);
	build->labels = json_pack("{s:s, s:s, s:s}", "org.opencontainers.image.base.name", base,
	                          "org.opencontainers.image.base.digest", digest, IMAGE_LABEL_LAYER,
	                          build->built.diff_id);
}

/* All that the image's digest follows from, but for zlib's choices: another release of zlib finds
 * the image that the first has pushed. */
static char *make_tag(const struct build *build)
{
	const struct image_order *order = build->order;
	json_auto_t *ingredients = json_pack("{s:i, s:O, s:s?, s:s?, s:O?}", "rules", RULES,
	                                     "labels", build->labels, "platform", order->platform,
	                                     "python_path", order->python_path, "env", order->env);
	scoped(text) char *digest = digest_json(ingredients);

	return text_printf("stepop-%.40s", digest);
}

static bool resolve(struct build *build, struct error **err)
{
	const struct image_order *order = build->order;
	scoped(text) char *digest = NULL;

	if (!origin_open(&build->parent, order->http, order->registry, order->parent, err) ||
	    !(digest = origin_digest(&build->parent, err)))
		return error_wrap(err, "parent image '%s'", order->parent);
	build->built.diff_id = image_layer_diff_id(order->tree, err);
	if (!build->built.diff_id)
		return false;
	set_parent(build, digest);
	build->built.tag = make_tag(build);
	return true;
}

/* Sets the image's digest where it exists; a repository that is not there yet has none. */
static bool find_existing(struct build *build, struct error **err)
{
	scoped(error) struct error *absent = NULL;
	struct oci_manifest manifest = { 0 };

	if (oci_manifest_head(&build->target, build->built.tag, &manifest, &absent)) {
		build->built.digest = take(manifest.digest);
		build->built.existed = true;
		oci_manifest_release(&manifest);
		return true;
	}
	return absent->kind == ERROR_NOT_FOUND || error_pass(err, take(absent));
}

/* ---- pushing ---- */

static bool tell(void *context, int64_t copied_bytes, int64_t total_bytes)
{
	const struct image_listener *listener = context;

	listener->copying(listener->context, copied_bytes, total_bytes);
	return true;
}

static bool copy_parent(struct build *build, const struct image *parent, struct error **err)
{
	const struct image_manifest *manifest = parent->manifest;
	struct oci_blob *blobs = xcalloc(manifest->layer_count, sizeof(*blobs));
	struct oci_copy_request request = {
		.from = build->parent.place,
		.to = build->target,
		.blobs = blobs,
		.progress = build->order->listener ? tell : NULL,
		.context = (void *)build->order->listener,
	};
	size_t i;
	bool ok;

	for (i = 0; i < manifest->layer_count; i++)
		if (!manifest->layers[i].is_foreign)
			blobs[request.count++] =
				(struct oci_blob){ .digest = manifest->layers[i].digest,
				                   .size_bytes = manifest->layers[i].size_bytes,
				                   .fd = -1 };
	ok = oci_blobs_copy(&request, &build->built.copied, err);
	free(blobs);
	log_debug("layers of %s: %zu there, %zu mounted, %zu copied (%lld bytes)",
	          build->built.parent, build->built.copied.present, build->built.copied.mounted,
	          build->built.copied.copied, (long long)build->built.copied.copied_bytes);
	return ok || error_wrap(err, "copy the layers of '%s'", build->built.parent);
}

static bool push_blob(struct build *build, const struct oci_blob *blob, struct error **err)
{
	bool exists = false;

	return oci_blob_exists(&build->target, blob->digest, &exists, err) &&
	       (exists || oci_blob_push(&build->target, blob, err));
}

static bool push_manifest(struct build *build, const json_t *document, const char *media_type,
                          struct error **err)
{
	struct oci_manifest manifest = { .media_type = (char *)media_type };
	scoped(text) char *bytes = image_json_render(document, &manifest.size);
	scoped(text) char *hex = digest_bytes(bytes, manifest.size);
	scoped(text) char *digest = text_printf("sha256:%s", hex);
	const char *const tags[] = { build->order->tag, build->built.tag };
	size_t i;

	manifest.bytes = bytes;
	manifest.digest = digest;
	/* The tag that says that the image is there comes last. */
	for (i = 0; i < ARRAY_SIZE(tags); i++)
		if (tags[i] && !oci_manifest_put(&build->target, tags[i], &manifest, err))
			return false;
	build->built.digest = take(digest);
	return true;
}

static char *created_by(const struct image_layer *layer)
{
	return text_printf("stepop: %zu files below /" IMAGE_FOLDER, layer->file_count);
}

/* The configuration, and the manifest that names it. */
static bool push_documents(struct build *build, const struct image *parent,
                           const struct image_layer *layer, struct error **err)
{
	scoped(text) char *history = created_by(layer);
	const struct image_addition addition = { .diff_id = layer->diff_id,
		                                 .digest = layer->digest,
		                                 .size_bytes = layer->size_bytes,
		                                 .created_by = history,
		                                 .python_path = build->order->python_path,
		                                 .env = build->order->env,
		                                 .labels = build->labels };
	json_auto_t *config = image_config_append(parent->config, &addition);
	json_auto_t *manifest = NULL;
	size_t size;
	scoped(text) char *text = image_json_render(config, &size);
	scoped(text) char *hex = digest_bytes(text, size);
	scoped(text) char *digest = text_printf("sha256:%s", hex);
	const struct oci_blob blob = {
		.digest = digest, .size_bytes = (int64_t)size, .bytes = text, .fd = -1
	};

	manifest = image_manifest_append(parent->manifest, digest, (int64_t)size, &addition);
	return push_blob(build, &blob, err) &&
	       push_manifest(build, manifest, parent->manifest->media_type, err);
}

static bool push_layer(struct build *build, const struct image_layer *layer, struct error **err)
{
	const struct oci_blob blob = { .digest = layer->digest,
		                       .size_bytes = layer->size_bytes,
		                       .fd = layer->fd };

	if (strcmp(layer->diff_id, build->built.diff_id) != 0)
		return error_set(err, ERROR_CONFLICT,
		                 "the files have changed while the image was built; try again");
	build->built.layer_bytes = layer->size_bytes;
	return push_blob(build, &blob, err);
}

static bool push(struct build *build, const struct image *parent, struct error **err)
{
	scoped(image_layer) struct image_layer *layer = NULL;

	if (parent->manifest->layer_count >= IMAGE_LAYERS_MAX)
		return error_set(err, ERROR_INVALID,
		                 "'%s' has %zu layers already, and no node mounts more than %d; "
		                 "build it with fewer",
		                 build->built.parent, parent->manifest->layer_count,
		                 IMAGE_LAYERS_MAX);
	layer = image_layer_write(build->order->tree, err);
	return layer &&
	       container_registry_prepare(build->order->registry, build->order->repository, err) &&
	       copy_parent(build, parent, err) && push_layer(build, layer, err) &&
	       push_documents(build, parent, layer, err);
}

static bool make(struct build *build, struct error **err)
{
	struct image parent = { 0 };
	scoped(text) char *digest = xstrdup(strrchr(build->built.parent, '@') + 1);
	bool ok = origin_read(&build->parent, digest, build->order->platform, &parent, err);

	if (!ok)
		error_wrap(err, "parent image '%s'", build->built.parent);
	ok = ok && push(build, &parent, err);
	image_release(&parent);
	return ok;
}

bool image_build(const struct image_order *order, struct image_built *built, struct error **err)
{
	struct build build = { .order = order,
		               .target = { order->registry->client, order->repository } };
	bool ok = resolve(&build, err) && find_existing(&build, err) &&
	          (build.built.existed || make(&build, err));

	if (ok) {
		*built = build.built;
		build.built = (struct image_built){ 0 };
		built->name = text_printf("%s/%s@%s", order->registry->host, order->repository,
		                          built->digest);
	}
	build_release(&build);
	return ok ||
	       error_wrap(err, "build the image %s/%s", order->registry->host, order->repository);
}
