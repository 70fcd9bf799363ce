/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests of images. */
#include "stacks/image_manifest.h"

#include <string.h>

#include "cloud/oci_reference.h"
#include "cloud/oci_registry.h"
#include "core/memory.h"
#include "core/text.h"

/* What a family calls the parts of an image. */
struct family {
	const char *manifest, *index, *config, *layer;
};
static const struct family families[] = {
	{ OCI_MANIFEST, OCI_INDEX, "application/vnd.oci.image.config.v1+json",
	  "application/vnd.oci.image.layer.v1.tar+gzip" },
	{ DOCKER_MANIFEST, DOCKER_INDEX, "application/vnd.docker.container.image.v1+json",
	  "application/vnd.docker.image.rootfs.diff.tar.gzip" },
};

static const struct family *find_family(const char *manifest)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(families); i++)
		if (text_equal(families[i].manifest, manifest))
			return &families[i];
	return NULL;
}

bool image_is_index(const char *media_type)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(families); i++)
		if (text_equal(families[i].index, media_type))
			return true;
	return false;
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* What came from outside, for a message; owned by the caller. */
static char *quoted(const char *text)
{
	char *copy = xstrdup(text);

	text_make_printable(copy, 100);
	return copy;
}

static json_t *parse_object(const char *what, const char *bytes, size_t size, struct error **err)
{
	json_error_t fault;
	json_t *document = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &fault);

	if (json_is_object(document))
		return document;
	if (!document)
		return error_set(err, ERROR_INVALID, "its %s is no JSON: %s", what, fault.text);
	json_decref(document);
	return error_set(err, ERROR_INVALID, "its %s is no JSON object", what);
}

/* ---- reading ---- */

static void release_blob(struct image_blob *blob)
{
	free(blob->media_type);
	free(blob->digest);
}

void image_manifest_free(struct image_manifest *manifest)
{
	size_t i;

	if (!manifest)
		return;
	for (i = 0; i < manifest->layer_count; i++)
		release_blob(&manifest->layers[i]);
	release_blob(&manifest->config);
	free(manifest->layers);
	free(manifest->media_type);
	json_decref(manifest->document);
	free(manifest);
}

static bool read_blob(const json_t *descriptor, const char *what, struct image_blob *blob,
                      struct error **err)
{
	const char *media_type = text_of(descriptor, "mediaType");
	const char *digest = text_of(descriptor, "digest");
	const json_t *size = json_object_get(descriptor, "size");

	if (!media_type || !digest || !oci_is_digest(digest) || !json_is_integer(size) ||
	    json_integer_value(size) < 0)
		return error_set(err, ERROR_INVALID,
		                 "its manifest describes %s without a media type, a digest or a "
		                 "size that makes sense",
		                 what);
	*blob = (struct image_blob){
		.media_type = xstrdup(media_type),
		.digest = xstrdup(digest),
		.size_bytes = json_integer_value(size),
		.is_foreign = json_array_size(json_object_get(descriptor, "urls")) > 0,
	};
	return true;
}

static bool read_layers(struct image_manifest *manifest, struct error **err)
{
	const json_t *layers = json_object_get(manifest->document, "layers"), *layer;
	size_t i;

	if (!json_is_array(layers))
		return error_set(err, ERROR_INVALID, "its manifest has no layers");
	if (json_array_size(layers) > IMAGE_LAYERS_MAX)
		return error_set(
			err, ERROR_INVALID,
			"it has %zu layers, and no node mounts more than %d; build it with "
			"fewer",
			json_array_size(layers), IMAGE_LAYERS_MAX);
	manifest->layers = xcalloc(json_array_size(layers), sizeof(*manifest->layers));
	json_array_foreach (layers, i, layer) {
		if (!read_blob(layer, "a layer", &manifest->layers[i], err))
			return false;
		manifest->layer_count++;
	}
	return true;
}

static bool check_kind(const json_t *document, const char *media_type, struct error **err)
{
	const char *own = text_of(document, "mediaType");
	json_int_t version = json_integer_value(json_object_get(document, "schemaVersion"));
	scoped(text) char *shown = NULL;

	if (version != 2)
		return error_set(err, ERROR_INVALID,
		                 "its manifest is of schema %lld, and only 2 can be added to; push "
		                 "it anew with a present-day client",
		                 (long long)version);
	if (!find_family(media_type))
		return error_set(err, ERROR_INVALID, "'%s' is not the manifest of an image",
		                 media_type);
	if (!own || !strcmp(own, media_type))
		return true;
	shown = quoted(own);
	return error_set(err, ERROR_INVALID,
	                 "its manifest says that it is '%s', the registry that it is '%s'", shown,
	                 media_type);
}

static bool check_config_type(const struct image_manifest *manifest, struct error **err)
{
	scoped(text) char *shown = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(families); i++)
		if (!strcmp(manifest->config.media_type, families[i].config))
			return true;
	shown = quoted(manifest->config.media_type);
	return error_set(err, ERROR_INVALID, "it is no image but an artifact of the type '%s'",
	                 shown);
}

struct image_manifest *image_manifest_parse(const char *bytes, size_t size, const char *media_type,
                                            struct error **err)
{
	scoped(image_manifest) struct image_manifest *manifest = xcalloc(1, sizeof(*manifest));

	manifest->document = parse_object("manifest", bytes, size, err);
	if (!manifest->document || !check_kind(manifest->document, media_type, err))
		return NULL;
	manifest->media_type = xstrdup(media_type);
	if (!read_blob(json_object_get(manifest->document, "config"), "the configuration",
	               &manifest->config, err) ||
	    !check_config_type(manifest, err) || !read_layers(manifest, err))
		return NULL;
	return take(manifest);
}

/* ---- indexes ---- */

/* "linux/arm/v7"; owned by the caller. */
static char *platform_text(const json_t *platform)
{
	const char *os = text_of(platform, "os");
	const char *architecture = text_of(platform, "architecture");
	const char *variant = text_of(platform, "variant");

	return text_printf("%s/%s%s%s", os ? os : "unknown",
	                   architecture ? architecture : "unknown", variant ? "/" : "",
	                   variant ? variant : "");
}

/* arm64 has one variant, v8, which is written or not (OCI image specification, "Platform
 * Variants"). */
static bool is_platform(const char *found, const char *wanted)
{
	size_t size = strlen(wanted);

	return !strcmp(found, wanted) ||
	       (!strncmp(found, wanted, size) && !strcmp(found + size, "/v8"));
}

/* Attestations stand in an index as images of an unknown platform. */
static char *list_platforms(const json_t *manifests)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	const char *separator = "";
	const json_t *entry;
	char *list;
	size_t i;

	json_array_foreach (manifests, i, entry) {
		scoped(text) char *text = platform_text(json_object_get(entry, "platform"));

		if (text_starts_with(text, "unknown/"))
			continue;
		fprintf(out, "%s%s", separator, text);
		separator = ", ";
	}
	list = text_stream_take(&stream);
	text_make_printable(list, 200);
	return list;
}

char *image_index_choose(const char *bytes, size_t size, const char *platform, struct error **err)
{
	json_auto_t *index = parse_object("index", bytes, size, err);
	const json_t *manifests = json_object_get(index, "manifests"), *entry;
	scoped(text) char *list = NULL;
	size_t i;

	if (!index)
		return NULL;
	json_array_foreach (manifests, i, entry) {
		scoped(text) char *text = platform_text(json_object_get(entry, "platform"));
		const char *digest = text_of(entry, "digest");

		if (!is_platform(text, platform))
			continue;
		if (digest && oci_is_digest(digest))
			return xstrdup(digest);
		return error_set(err, ERROR_INVALID, "its index has no digest for %s", platform);
	}
	list = list_platforms(manifests);
	return error_set(err, ERROR_INVALID, "it is not made for the platform %s, but for %s",
	                 platform, *list ? list : "none");
}

/* ---- configurations ---- */

static bool are_diff_ids(const json_t *diff_ids)
{
	const json_t *diff_id;
	size_t i;

	json_array_foreach (diff_ids, i, diff_id)
		if (!json_is_string(diff_id) || !oci_is_digest(json_string_value(diff_id)))
			return false;
	return json_is_array(diff_ids);
}

json_t *image_config_parse(const char *bytes, size_t size, size_t layer_count, struct error **err)
{
	json_auto_t *config = parse_object("configuration", bytes, size, err);
	const json_t *rootfs = json_object_get(config, "rootfs");
	const json_t *diff_ids = json_object_get(rootfs, "diff_ids");

	if (!config)
		return NULL;
	if (!are_diff_ids(diff_ids))
		return error_set(err, ERROR_INVALID,
		                 "its configuration has no list of layers (rootfs.diff_ids)");
	if (json_array_size(diff_ids) != layer_count)
		return error_set(err, ERROR_INVALID,
		                 "its configuration has %zu layers, its manifest %zu",
		                 json_array_size(diff_ids), layer_count);
	return take(config);
}

char *image_config_platform(const json_t *config)
{
	return platform_text(config);
}

/* ---- writing ---- */

/* The object at `key`, made where it is not there or null (as Docker writes empty ones). */
static json_t *object_at(json_t *parent, const char *key)
{
	if (!json_is_object(json_object_get(parent, key)))
		json_object_set_new(parent, key, json_object());
	return json_object_get(parent, key);
}

/* The index of NAME=… in a list of variables; its size where there is none. */
static size_t find_variable(const json_t *env, const char *name)
{
	size_t size = strlen(name), i;
	const json_t *entry;

	json_array_foreach (env, i, entry) {
		const char *text = json_string_value(entry);

		if (text && !strncmp(text, name, size) && text[size] == '=')
			return i;
	}
	return json_array_size(env);
}

static void set_variable(json_t *env, const char *name, const char *value)
{
	scoped(text) char *entry = text_printf("%s=%s", name, value);
	size_t at = find_variable(env, name);

	if (at < json_array_size(env))
		json_array_set_new(env, at, json_string(entry));
	else
		json_array_append_new(env, json_string(entry));
}

static void add_python_path(json_t *env, const char *path)
{
	const char *entry =
		json_string_value(json_array_get(env, find_variable(env, "PYTHONPATH")));
	const char *before = entry ? entry + strlen("PYTHONPATH=") : "";
	scoped(text) char *value = text_printf("%s%s%s", path, *before ? ":" : "", before);

	set_variable(env, "PYTHONPATH", value);
}

static void add_environment(json_t *inner, const struct image_addition *addition)
{
	const char *name;
	json_t *value;

	if (!addition->python_path && !json_object_size(addition->env))
		return;
	if (!json_is_array(json_object_get(inner, "Env")))
		json_object_set_new(inner, "Env", json_array());
	json_object_foreach ((json_t *)addition->env, name, value)
		set_variable(json_object_get(inner, "Env"), name, json_string_value(value));
	if (addition->python_path)
		add_python_path(json_object_get(inner, "Env"), addition->python_path);
}

json_t *image_config_append(const json_t *config, const struct image_addition *addition)
{
	json_t *result = json_deep_copy(config);
	json_t *inner = object_at(result, "config");
	json_t *history = json_object_get(result, "history");

	json_array_append_new(json_object_get(object_at(result, "rootfs"), "diff_ids"),
	                      json_string(addition->diff_id));
	add_environment(inner, addition);
	if (json_object_size(addition->labels))
		json_object_update(object_at(inner, "Labels"), (json_t *)addition->labels);
	/* Images without a history may be; one that is shorter than the layers may not. */
	if (json_array_size(history))
		json_array_append_new(history,
		                      json_pack("{s:s, s:s}", "created", "1980-01-01T00:00:00Z",
		                                "created_by", addition->created_by));
	return result;
}

json_t *image_manifest_append(const struct image_manifest *parent, const char *config_digest,
                              int64_t config_size, const struct image_addition *addition)
{
	const struct family *family = find_family(parent->media_type);
	json_t *result = json_deep_copy(parent->document);

	json_object_set_new(result, "config",
	                    json_pack("{s:s, s:I, s:s}", "mediaType", parent->config.media_type,
	                              "size", (json_int_t)config_size, "digest", config_digest));
	json_array_append_new(json_object_get(result, "layers"),
	                      json_pack("{s:s, s:I, s:s}", "mediaType", family->layer, "size",
	                                (json_int_t)addition->size_bytes, "digest",
	                                addition->digest));
	json_object_del(result, "annotations");
	json_object_del(result, "subject");
	return result;
}

char *image_json_render(const json_t *document, size_t *size)
{
	char *text = json_dumps(document, JSON_COMPACT);

	*size = strlen(text);
	return text;
}
