/* SPDX-License-Identifier: Apache-2.0 */
/* Plans the images of a pipeline, or of what was typed. */
#include "cli/image_plan.h"

#include <string.h>

#include "cloud/oci_reference.h"
#include "core/memory.h"
#include "core/text.h"
#include "materializers/materializer.h"
#include "operator/catalog.h"
#include "operator/flavors/spark_kubernetes_app.h"
#include "operator/step_image.h"

static void release_image(struct planned_image *image)
{
	free(image->steps);
	free(image->parent);
	free(image->platform);
	image_tree_free(image->tree);
}

void image_plan_free(struct image_plan *plan)
{
	size_t i;

	if (!plan)
		return;
	for (i = 0; i < plan->count; i++)
		release_image(&plan->images[i]);
	free(plan->images);
	json_decref(plan->code);
	json_decref(plan->env);
	pipeline_free(plan->pipeline);
	container_registry_free(plan->registry);
	secret_store_free(plan->secrets);
	stack_free(plan->stack);
	project_free(plan->project);
	http_client_free(plan->http);
	loop_free(plan->loop);
	free(plan->repository);
	free(plan->tag);
	free(plan);
}

/* ---- where images go ---- */

/* Outside of a project there is no stack: everything can be typed. */
static bool open_stack(struct image_plan *plan, const struct arguments *arguments,
                       struct error **err)
{
	const char *name = argument_option(arguments, "stack");
	const struct component *vault;

	plan->project = project_open(NULL, name ? err : NULL);
	if (!plan->project)
		return !name;
	plan->stack = stack_load(plan->project, catalog_built_in(), name, err);
	if (!plan->stack)
		return false;
	vault = plan->stack->components[COMPONENT_SECRETS_MANAGER];
	if (vault)
		plan->secrets = secret_store_open(plan->project, vault, plan->http, err);
	return plan->secrets || !vault;
}

static bool open_stacks_registry(struct image_plan *plan, struct error **err)
{
	const struct component *component =
		plan->stack ? plan->stack->components[COMPONENT_CONTAINER_REGISTRY] : NULL;

	if (component)
		plan->registry = container_registry_open(component, plan->secrets, plan->http, err);
	return plan->registry || !component;
}

/* A registry that is no component has what docker or podman logged in to. */
static bool open_other_registry(struct image_plan *plan, const char *host, struct error **err)
{
	json_auto_t *options = json_pack("{s:s}", "uri", host);
	const struct component component = { .type = COMPONENT_CONTAINER_REGISTRY,
		                             .name = (char *)host,
		                             .flavor = (char *)"default",
		                             .options = options };

	container_registry_free(take(plan->registry));
	plan->registry = container_registry_open(&component, NULL, plan->http, err);
	return plan->registry != NULL;
}

static bool set_target(struct image_plan *plan, const char *to, struct error **err)
{
	struct oci_reference reference;
	bool ok;

	if (!oci_reference_parse(to, &reference, err))
		return error_wrap(err, "--to");
	ok = !reference.digest ||
	     error_set(err, ERROR_USAGE, "--to: a digest follows from the image: leave it out");
	if (ok && !(plan->registry && !strcmp(plan->registry->host, reference.registry)))
		ok = open_other_registry(plan, reference.registry, err);
	plan->repository = take(reference.repository);
	plan->tag = take(reference.tag);
	oci_reference_release(&reference);
	return ok;
}

struct image_plan *image_plan_open(const struct arguments *arguments, struct error **err)
{
	scoped(image_plan) struct image_plan *plan = xcalloc(1, sizeof(*plan));

	plan->loop = loop_new();
	plan->http = http_client_new(plan->loop);
	if (!open_stack(plan, arguments, err) || !open_stacks_registry(plan, err))
		return NULL;
	return take(plan);
}

/* ---- what was typed ---- */

static json_t *texts_of(const struct arguments *arguments, const char *option)
{
	const char *const *values;
	size_t count = argument_many(arguments, option, &values), i;
	json_t *texts = json_array();

	for (i = 0; i < count; i++)
		json_array_append_new(texts, json_string(values[i]));
	return texts;
}

static bool read_env(struct image_plan *plan, const struct arguments *arguments, struct error **err)
{
	const char *const *values;
	size_t count = argument_many(arguments, "env", &values), i;

	plan->env = json_object();
	for (i = 0; i < count; i++) {
		const char *equals = strchr(values[i], '=');
		scoped(text) char *name =
			equals ? xstrndup(values[i], (size_t)(equals - values[i])) : NULL;

		if (!name || !*name)
			return error_set(err, ERROR_USAGE, "--env %s: it is NAME=VALUE", values[i]);
		json_object_set_new(plan->env, name, json_string(equals + 1));
	}
	return true;
}

/* Space for one more; what is in it is zero. */
static struct planned_image *add_image(struct image_plan *plan)
{
	plan->images = xrealloc(plan->images, plan->count + 1, sizeof(*plan->images));
	plan->images[plan->count] = (struct planned_image){ 0 };
	return &plan->images[plan->count++];
}

static bool plan_typed(struct image_plan *plan, const struct arguments *arguments,
                       struct error **err)
{
	json_auto_t *wheels = texts_of(arguments, "requirement");
	json_auto_t *files = texts_of(arguments, "file");
	const struct step_image_parts parts = { .folder = ".", .wheels = wheels, .files = files };
	struct planned_image *image;

	if (!json_array_size(wheels) && !json_array_size(files))
		return error_set(err, ERROR_USAGE,
		                 "nothing to add: name a pipeline, or --file and --requirement");
	image = add_image(plan);
	image->parent = text_copy(argument_option(arguments, "parent"));
	image->platform = text_copy(argument_option(arguments, "platform"));
	image->tree = step_image_gather(&parts, &image->has_site, err);
	return image->tree != NULL;
}

/* ---- a pipeline ---- */

/* The image that the step's operator starts from; owned by the caller. */
static char *parent_of(const struct image_plan *plan, const struct step *step, struct error **err)
{
	scoped(component) struct component *owned = NULL;
	const struct component *component = plan->stack->components[COMPONENT_STEP_OPERATOR];

	if (step->operator&& strcmp(step->operator, component->name) != 0) {
		owned = component_load(plan->project, catalog_built_in(), COMPONENT_STEP_OPERATOR,
		                       step->operator, err);
		if (!owned)
			return NULL;
		component = owned;
	}
	if (!component_text(component, "docker_parent_image", NULL))
		return error_set(
			err, ERROR_INVALID,
			"step operator '%s' has no image to add to: name one by --parent, or "
			"a stack by --stack",
			component->name);
	return spark_kubernetes_parent_image(component, step, err);
}

/* Steps of the same parent and settings share an image. */
static struct planned_image *find_image(struct image_plan *plan, const struct step *step,
                                        const char *parent)
{
	size_t i;

	for (i = 0; i < plan->count; i++) {
		const struct step *first = plan->images[i].first;

		if (!first->function == !step->function &&
		    text_equal(plan->images[i].parent, parent) &&
		    json_equal(json_object_get(first->settings, "image"),
		               json_object_get(step->settings, "image")))
			return &plan->images[i];
	}
	return NULL;
}

static bool plan_step(struct image_plan *plan, const struct arguments *arguments,
                      const struct step *step, struct error **err)
{
	const char *named = argument_option(arguments, "parent");
	const char *platform = argument_option(arguments, "platform");
	scoped(text) char *parent = named ? xstrdup(named) : parent_of(plan, step, err);
	struct step_image_parts parts = { .folder = plan->pipeline->folder,
		                          .code = step->function ? plan->code : NULL };
	struct planned_image *image = parent ? find_image(plan, step, parent) : NULL;
	scoped(text) char *steps = NULL;

	if (!parent)
		return false;
	if (image) {
		steps = take(image->steps);
		image->steps = text_printf("%s, %s", steps, step->name);
		return true;
	}
	step_image_parts_read(&parts, step->settings);
	image = add_image(plan);
	image->first = step;
	image->steps = xstrdup(step->name);
	image->parent = take(parent);
	image->platform = text_copy(platform ? platform : step_image_platform(step->settings));
	image->tree = step_image_gather(&parts, &image->has_site, err);
	return image->tree || error_wrap(err, "settings.image");
}

static bool plan_pipeline(struct image_plan *plan, const struct arguments *arguments,
                          struct error **err)
{
	size_t i;

	if (!plan->stack)
		return error_set(err, ERROR_NOT_FOUND,
		                 "a pipeline is built for a stack: run 'stepop init' first");
	plan->pipeline = pipeline_load(argument_at(arguments, 0), NULL, materializer_types(), err);
	if (plan->pipeline)
		plan->code = spark_kubernetes_code_collect(plan->pipeline->folder, err);
	for (i = 0; plan->code && i < plan->pipeline->step_count; i++)
		if (!plan_step(plan, arguments, &plan->pipeline->steps[i], err))
			return error_wrap(err, "step '%s'", plan->pipeline->steps[i].name);
	return plan->code != NULL;
}

struct image_plan *image_plan_new(const struct arguments *arguments, struct error **err)
{
	scoped(image_plan) struct image_plan *plan = image_plan_open(arguments, err);
	const char *to = argument_option(arguments, "to");
	bool ok;

	if (!plan || !read_env(plan, arguments, err) || (to && !set_target(plan, to, err)))
		return NULL;
	ok = argument_count(arguments) ? plan_pipeline(plan, arguments, err)
	                               : plan_typed(plan, arguments, err);
	if (!ok)
		return NULL;
	if (!plan->repository && plan->registry && plan->pipeline)
		plan->repository =
			container_registry_repository(plan->registry, plan->pipeline->name);
	return take(plan);
}
