/* SPDX-License-Identifier: Apache-2.0 */
/* What is added to a step's image: its code, the runtime, wheels and files of `settings.image`. */
#ifndef OPERATOR_STEP_IMAGE_H
#define OPERATOR_STEP_IMAGE_H

#include <jansson.h>
#include <stdbool.h>

#include "core/error.h"
#include "stacks/image_tree.h"

/* In the image, as step.json and main.py have it. */
#define STEP_IMAGE_FOLDER "/opt/stepop"
#define STEP_IMAGE_SITE STEP_IMAGE_FOLDER "/site" /* of wheels; on PYTHONPATH */

enum step_image_need {
	STEP_IMAGE_NEVER,     /* build: false */
	STEP_IMAGE_IF_LARGE,  /* when the code does not fit a ConfigMap */
	STEP_IMAGE_REQUESTED, /* build: true, or something is to be added */
};
/* Of a step's settings. INVALID: wheels or files, and build: false. */
bool step_image_need(const json_t *settings, enum step_image_need *need, struct error **err);
/* settings.image.platform; NULL: any. Borrowed. */
const char *step_image_platform(const json_t *settings);

/* Borrowed. */
struct step_image_parts {
	const char *folder;   /* the pipeline's, that paths are relative to */
	const json_t *code;   /* path below /opt/stepop -> text; or NULL */
	const json_t *wheels; /* array of paths of *.whl, or of folders of them; or NULL */
	const json_t *files;  /* array of "PATH" or "PATH:/PLACE"; or NULL */
};
/* What settings.image says, and nothing of it. */
void step_image_parts_read(struct step_image_parts *parts, const json_t *settings);

/*
 * "PATH" is a file or folder below the pipeline's folder, and stands beside the code as it does
 * there; "PATH:/PLACE" becomes PLACE in the image ("PATH:/FOLDER/" goes into it). `*has_site`:
 * there are wheels. The caller owns the tree. INVALID, NOT_FOUND name the entry.
 */
struct image_tree *step_image_gather(const struct step_image_parts *parts, bool *has_site,
                                     struct error **err);

#endif
