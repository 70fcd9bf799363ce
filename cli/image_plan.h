/* SPDX-License-Identifier: Apache-2.0 */
/* The images that `stepop image` is about: of a pipeline's steps, or of what was typed. */
#ifndef CLI_IMAGE_PLAN_H
#define CLI_IMAGE_PLAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/command.h"
#include "core/error.h"
#include "core/http.h"
#include "core/loop.h"
#include "operator/pipeline.h"
#include "stacks/image_build.h"
#include "stacks/registry.h"
#include "stacks/stack.h"

/* One image. Everything is owned, but for `first`. */
struct planned_image {
	const struct step *first; /* of the steps that have it; NULL where there is no pipeline */
	char *steps;              /* "importer, splitter"; or NULL */
	char *parent;             /* or NULL: nobody named one */
	char *platform;
	struct image_tree *tree;
	bool has_site;
};

struct image_plan {
	struct loop *loop;
	struct http_client *http;
	struct project *project; /* NULL outside of one */
	struct stack *stack;     /* or NULL */
	struct secret_store *secrets;
	struct container_registry *registry; /* where images go; NULL: nobody says */
	char *repository, *tag;              /* in it; the tag or NULL */
	struct pipeline *pipeline;           /* or NULL */
	json_t *code;                        /* of its function steps; or NULL */
	json_t *env;                         /* --env; or NULL */
	struct planned_image *images;
	size_t count;
};

/* The options by which all the commands plan. */
/* clang-format off */
#define IMAGE_PLAN_OPTIONS \
	{ "stack", 's', VALUE_ONE, "NAME", "this stack instead of the active one", NULL }, \
	{ "parent", 0, VALUE_ONE, "IMAGE", "add to this image, not to the step operator's", NULL }, \
	{ "requirement", 'r', VALUE_MANY, "WHEEL", "a pure wheel, or a folder of them", NULL }, \
	{ "file", 'f', VALUE_MANY, "PATH[:/PLACE]", "a file or folder, and where it goes to", NULL }, \
	{ "platform", 0, VALUE_ONE, "OS/ARCH", \
	  "of a parent for several; default: linux/amd64", NULL }
/* clang-format on */

/* Opens the stack's registry, or that of --to; asks nobody yet. The caller owns the plan. */
struct image_plan *image_plan_new(const struct arguments *arguments, struct error **err);
/* The same without images: for a command that reads. */
struct image_plan *image_plan_open(const struct arguments *arguments, struct error **err);
void image_plan_free(struct image_plan *plan);
DEFINE_CLEANUP(image_plan);

#endif
