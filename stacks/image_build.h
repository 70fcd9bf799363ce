/* SPDX-License-Identifier: Apache-2.0 */
/* An image of a parent and a tree of files: made by the registry's API alone, without unpacking. */
#ifndef STACKS_IMAGE_BUILD_H
#define STACKS_IMAGE_BUILD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cloud/oci_registry.h"
#include "core/error.h"
#include "stacks/image_manifest.h"
#include "stacks/image_tree.h"
#include "stacks/registry.h"

#define IMAGE_PLATFORM_DEFAULT "linux/amd64"

/* What stepop says of its images, beside org.opencontainers.image.base.{name,digest}. */
#define IMAGE_LABEL_LAYER "dev.stepop.layer" /* the diff_id of the layer that was added */

/* ---- reading ---- */

/* One platform's image as a registry has it. Owned. */
struct image {
	char *name;   /* "registry:5000/team/spark@sha256:…", of the platform's manifest */
	char *digest; /* of what was asked for: of the index where there is one */
	struct image_manifest *manifest;
	json_t *config;
};
void image_release(struct image *image);

/*
 * Resolves `name` for `platform` (NULL: as it is, or IMAGE_PLATFORM_DEFAULT of an index). Uses
 * `registry` where the image is in that (may be NULL), else a client of its own with what docker or
 * podman logged in to. The caller releases *image. NOT_FOUND, INVALID, AUTH …
 */
bool image_read(struct http_client *http, struct container_registry *registry, const char *name,
                const char *platform, struct image *image, struct error **err);

/* ---- building ---- */

/* Who is told, now and then, how far the copy of the parent's layers is. */
struct image_listener {
	void (*copying)(void *context, int64_t copied_bytes, int64_t total_bytes);
	void *context;
};

/* Borrowed. */
struct image_order {
	struct http_client *http;
	struct container_registry *registry;
	const char *repository; /* in that registry */
	const char *parent;     /* the name of an image, in any registry */
	const char *platform;   /* NULL: IMAGE_PLATFORM_DEFAULT where the parent has several */
	struct image_tree *tree;
	const char *python_path; /* goes in front of PYTHONPATH; or NULL */
	const json_t *env;       /* more variables; or NULL */
	const char *tag;         /* besides the one that stepop finds it by; or NULL */
	const struct image_listener *listener; /* or NULL */
};

struct image_built {
	char *name;                     /* "registry:5000/team/x@sha256:…", for pods */
	char *digest;                   /* "sha256:…" */
	char *tag;                      /* "stepop-…": what it was made of */
	char *parent;                   /* the name that was ordered, with the digest that it had */
	char *diff_id;                  /* of the layer */
	bool existed;                   /* it was there: nothing was pushed */
	int64_t layer_bytes;            /* of the layer that was pushed; 0 when it existed */
	struct oci_copy_outcome copied; /* layers of the parent */
};
void image_built_release(struct image_built *built);

/*
 * The tag tells the parent's digest, the files, and all else that the image is made of: where it
 * exists, the image does, and two requests have shown it. Otherwise the parent's layers are mounted
 * or copied, and layer, configuration and manifest pushed. Two processes that do so at once push
 * the same. Waits, in constant memory. Errors name registry, repository and what to do.
 */
bool image_build(const struct image_order *order, struct image_built *built, struct error **err);

#endif
