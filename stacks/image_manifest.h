/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests and configurations of images (OCI image specification 1.1, Docker image manifest
 * version 2 schema 2): read, checked, and written anew with one more layer. Pure functions.
 */
#ifndef STACKS_IMAGE_MANIFEST_H
#define STACKS_IMAGE_MANIFEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

/* Overlay mounts of Docker and containerd end here. */
#define IMAGE_LAYERS_MAX 127

struct image_blob {
	char *media_type, *digest;
	int64_t size_bytes;
	bool is_foreign; /* its bytes are somewhere else (urls), no registry has them */
};

/* One platform's image. Everything is owned. */
struct image_manifest {
	char *media_type; /* OCI's or Docker's */
	struct image_blob config;
	struct image_blob *layers; /* the lowest first */
	size_t layer_count;
	json_t *document; /* the whole, with what is not understood here */
};

/*
 * `media_type` as the registry told it; the document's own, where it has one, must agree. INVALID:
 * no JSON, another schema, an artifact that is no image, a digest or size that makes no sense, more
 * than IMAGE_LAYERS_MAX layers.
 */
struct image_manifest *image_manifest_parse(const char *bytes, size_t size, const char *media_type,
                                            struct error **err);
void image_manifest_free(struct image_manifest *manifest);
DEFINE_CLEANUP(image_manifest);

bool image_is_index(const char *media_type);
/*
 * The digest of the manifest for `platform` ("linux/arm64", "linux/arm/v7") in an index; owned by
 * the caller. INVALID names the platforms that there are.
 */
char *image_index_choose(const char *bytes, size_t size, const char *platform, struct error **err);

/* The configuration of an image. INVALID unless it has as many diff_ids as `layer_count`. */
json_t *image_config_parse(const char *bytes, size_t size, size_t layer_count, struct error **err);
/* "linux/amd64"; owned by the caller. */
char *image_config_platform(const json_t *config);

/* What is added. Borrowed. */
struct image_addition {
	const char *diff_id, *digest; /* of the layer */
	int64_t size_bytes;
	const char *created_by;  /* for the history */
	const char *python_path; /* goes in front of PYTHONPATH; or NULL */
	const json_t *env;       /* name -> text: replaces the parent's; or NULL */
	const json_t *labels;    /* the same; or NULL */
};

/* A new object: `config` with the layer, and whatever else it had. Owned by the caller. */
json_t *image_config_append(const json_t *config, const struct image_addition *addition);
/* A new manifest of the same family: `config_digest` and `config_size` are of the rendered
 * configuration. Annotations, which described the parent, stay behind. Owned by the caller. */
json_t *image_manifest_append(const struct image_manifest *parent, const char *config_digest,
                              int64_t config_size, const struct image_addition *addition);

/* As it is digested and pushed; owned by the caller. */
char *image_json_render(const json_t *document, size_t *size);

#endif
