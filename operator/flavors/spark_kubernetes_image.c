/* SPDX-License-Identifier: Apache-2.0 */
/* Images of steps. */
#include "operator/flavors/spark_kubernetes_image.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "operator/step_image.h"
#include "stacks/image_build.h"
#include "stacks/image_layer.h"
#include "submit/spark_app.h"

/* A ConfigMap has step.json to carry, too. */
#define CODE_LIMIT_BYTES (SPARK_FILES_LIMIT_BYTES - 32 * 1024)

struct spark_images {
	const struct operator_context *context;
	json_t *names; /* what an image is made of, as text -> its name; before it is built, too */
	json_t *by_step; /* step -> the name of what was built */
};

struct spark_images *spark_images_new(const struct operator_context *context)
{
	struct spark_images *images = xcalloc(1, sizeof(*images));

	images->context = context;
	images->names = json_object();
	images->by_step = json_object();
	return images;
}

void spark_images_free(struct spark_images *images)
{
	if (!images)
		return;
	json_decref(images->names);
	json_decref(images->by_step);
	free(images);
}

const char *spark_images_built(const struct spark_images *images, const struct step *step)
{
	return json_string_value(json_object_get(images->by_step, step->name));
}

/* ---- whether there is one ---- */

static size_t code_size(const json_t *code)
{
	const char *path;
	size_t size = 0;
	json_t *text;

	json_object_foreach ((json_t *)code, path, text)
		size += strlen(path) + json_string_length(text);
	return size;
}

static bool check_registry(const struct spark_images *images, enum step_image_need need,
                           size_t size, struct error **err)
{
	static const char way_out[] =
		"'stepop container-registry register NAME --flavor=default --uri=HOST/PATH', then "
		"'stepop stack update -c NAME'";

	if (images->context->registry)
		return true;
	if (need == STEP_IMAGE_REQUESTED)
		return error_set(err, ERROR_INVALID,
		                 "settings.image asks for an image, and the stack has no container "
		                 "registry to push it to: %s",
		                 way_out);
	return error_set(err, ERROR_INVALID,
	                 "the code is %zu KiB, and a ConfigMap carries %d KiB: give the stack a "
	                 "container registry, and the code becomes a layer of the image: %s",
	                 size / 1024, SPARK_FILES_LIMIT_BYTES / 1024, way_out);
}

static bool is_needed(const struct spark_images *images, const struct spark_image_request *request,
                      bool *needed, struct error **err)
{
	size_t size = code_size(request->code);
	enum step_image_need need;

	if (!step_image_need(request->step->settings, &need, err))
		return false;
	*needed = need == STEP_IMAGE_REQUESTED ||
	          (need == STEP_IMAGE_IF_LARGE && size > CODE_LIMIT_BYTES);
	return !*needed || check_registry(images, need, size, err);
}

/* ---- what it is ---- */

static struct image_tree *gather(const struct spark_images *images,
                                 const struct spark_image_request *request, bool *has_site,
                                 struct error **err)
{
	struct step_image_parts parts = { .folder = images->context->code_folder,
		                          .code = request->code };
	struct image_tree *tree;

	step_image_parts_read(&parts, request->step->settings);
	tree = step_image_gather(&parts, has_site, err);
	return tree ? tree : error_wrap(err, "settings.image");
}

/* Steps of the same parent and settings share an image. Owned by the caller. */
static char *ingredients_of(const struct spark_image_request *request)
{
	json_auto_t *ingredients = json_pack("{s:s, s:b, s:O?}", "parent", request->parent, "code",
	                                     request->code != NULL, "image",
	                                     json_object_get(request->step->settings, "image"));

	return json_dumps(ingredients, JSON_COMPACT | JSON_SORT_KEYS);
}

/* A name for what nobody has asked a registry for; owned by the caller. */
static char *expected_name(const struct container_registry *registry, const char *repository,
                           struct image_tree *tree, struct error **err)
{
	scoped(text) char *diff_id = image_layer_diff_id(tree, err);

	if (!diff_id)
		return NULL;
	return text_printf("%s/%s:layer-%.12s", registry->host, repository,
	                   diff_id + strlen("sha256:"));
}

static char *built_name(const struct image_order *order, struct error **err)
{
	struct image_built built;
	char *name;

	if (!image_build(order, &built, err))
		return NULL;
	name = take(built.name);
	image_built_release(&built);
	return name;
}

static char *make(const struct spark_images *images, const struct spark_image_request *request,
                  bool build, struct error **err)
{
	struct container_registry *registry = images->context->registry;
	bool has_site = false;
	scoped(image_tree) struct image_tree *tree = gather(images, request, &has_site, err);
	scoped(text) char *repository =
		container_registry_repository(registry, images->context->pipeline);
	const struct image_order order = {
		.http = images->context->http,
		.registry = registry,
		.repository = repository,
		.parent = request->parent,
		.platform = step_image_platform(request->step->settings),
		.tree = tree,
		.python_path = has_site ? STEP_IMAGE_SITE : NULL,
		.listener = images->context->image_listener,
	};

	if (!tree)
		return NULL;
	return build ? built_name(&order, err) : expected_name(registry, repository, tree, err);
}

bool spark_images_resolve(struct spark_images *images, const struct spark_image_request *request,
                          bool build, const char **name, struct error **err)
{
	scoped(text) char *ingredients = ingredients_of(request);
	scoped(text) char *made = NULL;
	bool needed = false;
	const char *known;

	*name = NULL;
	if (!is_needed(images, request, &needed, err))
		return false;
	if (!needed)
		return true;
	known = json_string_value(json_object_get(images->names, ingredients));
	if (!known || (build && !strchr(known, '@'))) {
		made = make(images, request, build, err);
		if (!made)
			return false;
		json_object_set_new(images->names, ingredients, json_string(made));
	}
	*name = json_string_value(json_object_get(images->names, ingredients));
	if (build)
		json_object_set_new(images->by_step, request->step->name, json_string(*name));
	return true;
}
