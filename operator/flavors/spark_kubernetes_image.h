/* SPDX-License-Identifier: Apache-2.0 */
/* The images that steps of a run are given: whether one is needed, made once for all who share it.
 */
#ifndef OPERATOR_FLAVORS_SPARK_KUBERNETES_IMAGE_H
#define OPERATOR_FLAVORS_SPARK_KUBERNETES_IMAGE_H

#include <jansson.h>
#include <stdbool.h>

#include "core/error.h"
#include "operator/flavor.h"

struct spark_images;

/* The context is kept, and lives longer. */
struct spark_images *spark_images_new(const struct operator_context *context);
void spark_images_free(struct spark_images *images);

/* Borrowed. */
struct spark_image_request {
	const struct step *step;
	const json_t *code; /* of spark_kubernetes_code_collect(); NULL: a program of its own */
	const char *parent; /* the image that its settings name */
};

/*
 * The name of the image that the step runs from, borrowed; NULL where that is the parent as it is.
 * With `build` it is made and pushed, unless it is known already or there, and pinned by its
 * digest; that may take as long as copying the parent does. Otherwise its files are looked
 * at all the same, and what is not known yet has a name that tells its layer. INVALID: settings
 * that make no sense, a file that is none, no registry to push to.
 */
bool spark_images_resolve(struct spark_images *images, const struct spark_image_request *request,
                          bool build, const char **name, struct error **err);
/* What was made for the step; NULL: nothing (yet). Borrowed. */
const char *spark_images_built(const struct spark_images *images, const struct step *step);

#endif
