/* SPDX-License-Identifier: Apache-2.0 */
/* Whose rights the commands of 'stepop rbac' are about. */
#include "cli/rbac_target.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "operator/catalog.h"
#include "stacks/stack.h"
#include "submit/spark_release.h"

/* The step operator that is meant, loaded; owned by the caller. */
static struct component *load_operator(const struct arguments *arguments, struct error **err)
{
	const char *name = argument_option(arguments, "step-operator");
	scoped(project) struct project *project = project_open(NULL, err);
	scoped(stack) struct stack *stack = NULL;

	if (!project)
		return NULL;
	if (name)
		return component_load(project, catalog_built_in(), COMPONENT_STEP_OPERATOR, name,
		                      err);
	stack = stack_load(project, catalog_built_in(), NULL, err);
	return stack ? take(stack->components[COMPONENT_STEP_OPERATOR]) : NULL;
}

static bool has_option(const struct component *component, const char *option)
{
	const struct component_flavor *flavor =
		catalog_find(catalog_built_in(), component->type, component->flavor);
	const struct component_option *one;

	for (one = flavor->options; one->name; one++)
		if (text_equal(one->name, option))
			return true;
	return false;
}

void rbac_target_release(struct rbac_target *target)
{
	component_free(target->component);
}
static bool read_component(struct rbac_target *target, const struct arguments *arguments,
                           struct error **err)
{
	const struct component *component = target->component = load_operator(arguments, err);
	const char *account = component ? component_text(component, "service_account", NULL) : NULL;

	if (!component)
		return false;
	if (!has_option(component, "service_account"))
		return error_set(err, ERROR_INVALID,
		                 "step operator '%s' (%s) makes no pods; name another one with "
		                 "--step-operator, or choose another stack with 'stepop stack set'",
		                 component->name, component->flavor);
	if (!account)
		return error_set(err, ERROR_INVALID,
		                 "step operator '%s' has no service account; set one with 'stepop "
		                 "step-operator update %s --service_account=spark'",
		                 component->name, component->name);
	target->options.service_account = account;
	target->options.namespace = component_text(component, "namespace", "default");
	return true;
}

/* Whether the properties of a step operator say that executors' claims are made on demand. */
static bool has_claims_on_demand(const json_t *properties)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)properties, key, value)
		if (text_starts_with(key, "spark.kubernetes.") &&
		    text_ends_with(key, ".options.claimName") && json_is_string(value) &&
		    strstr(json_string_value(value), "OnDemand"))
			return true;
	return false;
}

static bool has_pod_groups(const json_t *properties)
{
	const char *steps = json_string_value(
		json_object_get(properties, "spark.kubernetes.driver.pod.featureSteps"));

	return steps && strstr(steps, "VolcanoFeatureStep");
}

/* What the pods of the step operator call for, as far as its options say. */
static unsigned parts_of_operator(const struct component *component)
{
	const json_t *properties = json_object_get(component->options, "submit_kwargs");
	const char *image = component_text(component, "docker_parent_image", "");
	scoped(text) char *in_name = spark_release_of_image(image);
	const char *version = component_text(component, "spark_version", in_name);
	scoped(text) char *release = version ? spark_release_complete(version, NULL) : NULL;
	unsigned parts = 0;

	if (release && spark_release_has(release, SPARK_NETWORK_POLICY))
		parts |= RBAC_NETWORK_POLICIES;
	if (has_claims_on_demand(properties))
		parts |= RBAC_VOLUMES;
	if (has_pod_groups(properties))
		parts |= RBAC_POD_GROUPS;
	return parts;
}

static unsigned parts_typed(const struct arguments *arguments, const char *option)
{
	const char *const *names;
	size_t count = argument_many(arguments, option, &names), i;
	unsigned parts = 0;

	for (i = 0; i < count; i++)
		parts |= rbac_part_find(names[i]);
	return parts;
}

bool rbac_target_read(struct rbac_target *target, const struct arguments *arguments,
                      struct error **err)
{
	const char *namespace = argument_option(arguments, "namespace");

	*target = (struct rbac_target){
		.options = { .namespace = "default",
		             .service_account = argument_option(arguments, "service-account"),
		             .submitter = argument_option(arguments, "submitter"),
		             .submitter_group = argument_option(arguments, "submitter-group"),
		             .runner = argument_option(arguments, "runner"),
		             .parts = RBAC_SECRETS }
	};
	if (!target->options.service_account && !read_component(target, arguments, err))
		return false;
	if (namespace)
		target->options.namespace = namespace;
	if (target->component)
		target->options.parts |= parts_of_operator(target->component);
	target->options.parts |= parts_typed(arguments, "with");
	target->options.parts &= ~parts_typed(arguments, "without");
	return true;
}

struct cluster *rbac_target_connect(const struct rbac_target *target,
                                    const struct arguments *arguments, struct error **err)
{
	const char *master =
		target->component ? component_text(target->component, "master", NULL) : NULL;
	const struct kube_config_options config_options = {
		.kubeconfig = argument_option(arguments, "kubeconfig"),
		.context = argument_option(arguments, "context"),
		.server = master && text_starts_with(master, "k8s://") ? master + strlen("k8s://")
		                                                       : master,
		.namespace = target->options.namespace,
	};

	return cluster_open(&config_options, err);
}

static const char *const part_names[] = { "secrets",     "volumes",  "network-policies",
	                                  "pod-groups",  "resizing", "secrets-manager",
	                                  "stack-check", NULL };

const struct command_option rbac_target_options[] = {
	{ "submitter", 0, VALUE_ONE, "USER", "who runs stepop: a user as the cluster knows him",
	  NULL },
	{ "submitter-group", 0, VALUE_ONE, "GROUP", "who runs stepop: a group", NULL },
	{ "runner", 0, VALUE_ONE, "ACCOUNT",
	  "who runs stepop: pods with this service account, which is made", NULL },
	{ "with", 0, VALUE_MANY, "PART", "grant this part, too", part_names },
	{ "without", 0, VALUE_MANY, "PART", "leave this part out", part_names },
	{ "step-operator", 0, VALUE_ONE, "NAME", "instead of the active stack's", NULL },
	{ "service-account", 0, VALUE_ONE, "NAME",
	  "account of drivers in --namespace; needs no project and no step operator", NULL },
	{ 0 },
};
