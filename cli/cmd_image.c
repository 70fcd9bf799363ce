/* SPDX-License-Identifier: Apache-2.0 */
/* stepop image build, push, inspect: what stepop adds to images, and what is in them. */
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/image_plan.h"
#include "cli/image_progress.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/step_image.h"
#include "stacks/image_layer.h"

/* ---- build ---- */

static bool copy_layer(const struct image_layer *layer, FILE *out, struct error **err)
{
	char block[65536];
	off_t offset = 0;
	ssize_t got;

	while ((got = pread(layer->fd, block, sizeof(block), offset)) > 0) {
		fwrite(block, 1, (size_t)got, out);
		offset += got;
	}
	return (got == 0 && !ferror(out) && !fflush(out)) || error_set(err, ERROR_INTERNAL, "%m");
}

static bool write_layer(const struct image_layer *layer, const char *path, struct error **err)
{
	scoped(file) FILE *out = fopen(path, "wbe");

	if (!out)
		return error_set(err, ERROR_INTERNAL, "write '%s': %m", path);
	return copy_layer(layer, out, err) || error_wrap(err, "write '%s'", path);
}

static json_t *layer_json(const struct planned_image *image, const struct image_layer *layer)
{
	return json_pack("{s:s, s:s?, s:s?, s:I, s:I, s:I, s:s, s:s}", "layer", layer->diff_id,
	                 "steps", image->steps, "parent", image->parent, "files",
	                 (json_int_t)layer->file_count, "size_bytes", (json_int_t)layer->size_bytes,
	                 "content_bytes", (json_int_t)layer->content_bytes, "diff_id",
	                 layer->diff_id, "digest", layer->digest);
}

static bool build_layers(const struct image_plan *plan, const char *path, json_t *rows,
                         struct error **err)
{
	size_t i;

	for (i = 0; i < plan->count; i++) {
		scoped(image_layer) struct image_layer *layer =
			image_layer_write(plan->images[i].tree, err);

		if (!layer || (path && !write_layer(layer, path, err)))
			return false;
		json_array_append_new(rows, layer_json(&plan->images[i], layer));
	}
	return true;
}

static bool run_build(const struct arguments *arguments, struct error **err)
{
	static const struct output_column columns[] = {
		{ "layer", NULL, false },
		{ "steps", NULL, false },
		{ "files", NULL, false },
		{ "size_bytes", "size", false },
		{ "parent", NULL, false },
		{ "digest", NULL, true },
		{ 0 },
	};
	scoped(image_plan) struct image_plan *plan = image_plan_new(arguments, err);
	const char *path = argument_option(arguments, "layer");
	json_auto_t *rows = json_array();

	if (!plan)
		return false;
	if (path && plan->count > 1)
		return error_set(err, ERROR_USAGE,
		                 "--layer takes one layer, and the pipeline's steps need %zu",
		                 plan->count);
	return build_layers(plan, path, rows, err) &&
	       output_rows(stdout, argument_output(arguments), columns, rows, err);
}

/* ---- push ---- */

static json_t *built_json(const struct planned_image *image, const struct image_built *built)
{
	return json_pack("{s:s, s:s, s:s?, s:s, s:s, s:s, s:I, s:{s:I, s:I, s:I, s:I}}", "image",
	                 built->name, "state", built->existed ? "exists" : "pushed", "steps",
	                 image->steps, "tag", built->tag, "parent", built->parent, "diff_id",
	                 built->diff_id, "layer_bytes", (json_int_t)built->layer_bytes,
	                 "parent_layers", "present", (json_int_t)built->copied.present, "mounted",
	                 (json_int_t)built->copied.mounted, "copied",
	                 (json_int_t)built->copied.copied, "copied_bytes",
	                 (json_int_t)built->copied.copied_bytes);
}

static bool push_image(const struct image_plan *plan, const struct planned_image *image,
                       const struct image_listener *listener, json_t *rows, struct error **err)
{
	const struct image_order order = {
		.http = plan->http,
		.registry = plan->registry,
		.repository = plan->repository,
		.parent = image->parent,
		.platform = image->platform,
		.tree = image->tree,
		.python_path = image->has_site ? STEP_IMAGE_SITE : NULL,
		.env = json_object_size(plan->env) ? plan->env : NULL,
		.tag = plan->tag,
		.listener = listener,
	};
	struct image_built built;

	if (!image_build(&order, &built, err))
		return false;
	json_array_append_new(rows, built_json(image, &built));
	image_built_release(&built);
	return true;
}

static bool check_target(const struct image_plan *plan, struct error **err)
{
	size_t i;

	if (!plan->registry)
		return error_set(err, ERROR_INVALID,
		                 "the stack has no container registry: name a place by --to, or "
		                 "'stepop container-registry register NAME --flavor=default "
		                 "--uri=HOST/PATH' and 'stepop stack update -c NAME'");
	if (!plan->repository)
		return error_set(err, ERROR_USAGE, "--to names the repository: --to=%s/NAME",
		                 plan->registry->host);
	for (i = 0; i < plan->count; i++)
		if (!plan->images[i].parent)
			return error_set(err, ERROR_USAGE, "--parent names the image to add to");
	return true;
}

static bool run_push(const struct arguments *arguments, struct error **err)
{
	static const struct output_column columns[] = {
		{ "image", NULL, false },
		{ "state", NULL, false },
		{ "steps", NULL, false },
		{ "parent", NULL, true },
		{ "tag", NULL, true },
		{ "layer_bytes", "layer size", true },
		{ 0 },
	};
	scoped(image_plan) struct image_plan *plan = image_plan_new(arguments, err);
	struct image_progress progress = { .is_quiet = argument_switch(arguments, "quiet") };
	const struct image_listener listener = { image_progress_say, &progress };
	json_auto_t *rows = json_array();
	size_t i;

	if (!plan || !check_target(plan, err))
		return false;
	for (i = 0; i < plan->count; i++)
		if (!push_image(plan, &plan->images[i], &listener, rows, err))
			return false;
	return output_rows(stdout, argument_output(arguments), columns, rows, err);
}

/* ---- inspect ---- */

/* What the history says of each layer: entries without a layer are left out. */
static json_t *commands_of(const json_t *config)
{
	json_t *commands = json_array(), *entry;
	size_t i;

	json_array_foreach (json_object_get(config, "history"), i, entry)
		if (!json_is_true(json_object_get(entry, "empty_layer")))
			json_array_append(commands, json_object_get(entry, "created_by"));
	return commands;
}

static json_t *layers_json(const struct image *image, int64_t *size_bytes)
{
	json_auto_t *commands = commands_of(image->config);
	const json_t *diff_ids =
		json_object_get(json_object_get(image->config, "rootfs"), "diff_ids");
	json_t *layers = json_array();
	size_t i;

	for (i = 0; i < image->manifest->layer_count; i++) {
		const struct image_blob *blob = &image->manifest->layers[i];

		*size_bytes += blob->size_bytes;
		json_array_append_new(
			layers, json_pack("{s:s, s:I, s:s, s:O?, s:O?}", "digest", blob->digest,
		                          "size_bytes", (json_int_t)blob->size_bytes, "media_type",
		                          blob->media_type, "diff_id", json_array_get(diff_ids, i),
		                          "created_by", json_array_get(commands, i)));
	}
	return layers;
}

/* The layer and the parent, where stepop made the image. */
static json_t *stepop_json(const json_t *config)
{
	static const struct {
		const char *key, *label;
	} known[] = {
		{ "layer", IMAGE_LABEL_LAYER },
		{ "parent", "org.opencontainers.image.base.name" },
		{ "parent_digest", "org.opencontainers.image.base.digest" },
	};
	const json_t *labels = json_object_get(json_object_get(config, "config"), "Labels");
	json_t *found;
	size_t i;

	if (!json_object_get(labels, IMAGE_LABEL_LAYER))
		return json_null();
	found = json_object();
	for (i = 0; i < ARRAY_SIZE(known); i++)
		json_object_set(found, known[i].key, json_object_get(labels, known[i].label));
	return found;
}

static json_t *image_json(const struct image *image)
{
	int64_t size_bytes = 0;
	json_t *layers = layers_json(image, &size_bytes);
	scoped(text) char *platform = image_config_platform(image->config);

	return json_pack("{s:s, s:s, s:s, s:s, s:O?, s:I, s:o, s:O?, s:o}", "name", image->name,
	                 "digest", image->digest, "media_type", image->manifest->media_type,
	                 "platform", platform, "created", json_object_get(image->config, "created"),
	                 "size_bytes", (json_int_t)size_bytes, "stepop", stepop_json(image->config),
	                 "config", json_object_get(image->config, "config"), "layers", layers);
}

static bool run_inspect(const struct arguments *arguments, struct error **err)
{
	scoped(image_plan) struct image_plan *plan = image_plan_open(arguments, err);
	json_auto_t *object = NULL;
	struct image image;

	if (!plan || !image_read(plan->http, plan->registry, argument_at(arguments, 0),
	                         argument_option(arguments, "platform"), &image, err))
		return false;
	object = image_json(&image);
	image_release(&image);
	return output_object(stdout, argument_output(arguments), object, err);
}

static const struct command_option build_options[] = {
	IMAGE_PLAN_OPTIONS,
	{ "layer", 'l', VALUE_ONE, "FILE", "write the layer there: a tar archive in gzip", NULL },
	{ 0 },
};

const struct command cmd_image_build = {
	.words = "image build",
	.arguments = "[PIPELINE.yaml]",
	.summary = "make the layer that an image would get, and push nothing",
	.details = "The same files give the same layer on any machine. Of a pipeline, steps that "
		   "start from\nthe same image with the same settings share one.",
	.options = build_options,
	.examples = "  stepop image build pipeline.yaml\n"
		    "  stepop image build -r wheels/ -f src:/opt/app --layer=layer.tar.gz",
	.max_arguments = 1,
	.run = run_build,
};

static const struct command_option push_options[] = {
	IMAGE_PLAN_OPTIONS,
	{ "env", 'e', VALUE_MANY, "NAME=VALUE", "a variable of the image", NULL },
	{ "to", 0, VALUE_ONE, "IMAGE",
	  "repository, and one more tag; default: the stack's container registry", NULL },
	{ 0 },
};

const struct command cmd_image_push = {
	.words = "image push",
	.arguments = "[PIPELINE.yaml]",
	.summary = "add a layer to an image and push it, without pulling",
	.details = "The parent's layers are mounted, or copied from registry to registry. What was "
		   "pushed\nbefore is found again by what it is made of, and nothing is sent.",
	.options = push_options,
	.examples = "  stepop image push pipeline.yaml -o wide\n"
		    "  stepop image push --parent=registry:5000/spark:3.5.9 -r wheels/ "
		    "--to=registry:5000/team/spark:v2",
	.max_arguments = 1,
	.run = run_push,
};

static const struct command_option inspect_options[] = {
	{ "stack", 's', VALUE_ONE, "NAME", "with the credentials of this stack's registry", NULL },
	{ "platform", 0, VALUE_ONE, "OS/ARCH", "of an image for several; default: linux/amd64",
	  NULL },
	{ 0 },
};

const struct command cmd_image_inspect = {
	.words = "image inspect",
	.arguments = "IMAGE",
	.summary = "tell configuration, layers and sizes of an image in a registry",
	.options = inspect_options,
	.examples = "  stepop image inspect registry:5000/team/spark:3.5.9\n"
		    "  stepop image inspect debian:12 --platform=linux/arm64 -o json",
	.min_arguments = 1,
	.max_arguments = 1,
	.run = run_inspect,
};
