/* SPDX-License-Identifier: Apache-2.0 */
/* stepop rbac render, apply, check: the rights that a step operator's pods and its users need. */
#include <string.h>

#include "cli/change.h"
#include "cli/cluster.h"
#include "cli/commands.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/catalog.h"
#include "stacks/stack.h"
#include "submit/kube_object.h"
#include "submit/rbac.h"

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

/* What is asked for; borrows from `component` and `arguments`. */
static bool read_options(const struct arguments *arguments, const struct component *component,
                         struct rbac_options *options, struct error **err)
{
	const char *namespace = argument_option(arguments, "namespace");
	const char *account = component_text(component, "service_account", NULL);

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
	*options = (struct rbac_options){
		.namespace =
			namespace ? namespace : component_text(component, "namespace", "default"),
		.service_account = account,
		.submitter = argument_option(arguments, "submitter"),
		.submitter_group = argument_option(arguments, "submitter-group"),
	};
	return true;
}

/* The cluster of the step operator. */
static struct cluster *open_cluster(const struct arguments *arguments,
                                    const struct component *component,
                                    const struct rbac_options *options, struct error **err)
{
	const char *master = component_text(component, "master", NULL);
	const struct kube_config_options config_options = {
		.kubeconfig = argument_option(arguments, "kubeconfig"),
		.context = argument_option(arguments, "context"),
		.server = master && text_starts_with(master, "k8s://") ? master + strlen("k8s://")
		                                                       : master,
		.namespace = options->namespace,
	};

	return cluster_open(&config_options, err);
}

static bool run_render(const struct arguments *arguments, struct error **err)
{
	scoped(component) struct component *component = load_operator(arguments, err);
	struct rbac_options options;
	json_auto_t *objects = NULL;

	if (!component || !read_options(arguments, component, &options, err))
		return false;
	objects = rbac_objects(&options, err);
	return objects && output_manifests(stdout, argument_output(arguments), objects, err);
}

/* "role", as kubectl prints it; owned by the caller. */
static char *lower_kind(const json_t *object)
{
	char *kind = xstrdup(kube_object_kind(object));
	char *at;

	for (at = kind; *at; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
	return kind;
}

/* Lines as it goes on, for people; one document for machines. */
static bool apply_all(struct kube_client *client, const json_t *objects, enum output_format format,
                      struct error **err)
{
	static const struct output_column columns[] = { { "name", "NAME", false }, { 0 } };
	bool is_document = format == OUTPUT_JSON || format == OUTPUT_YAML;
	json_auto_t *rows = json_array();
	const json_t *object;
	size_t i;

	json_array_foreach (objects, i, object) {
		scoped(text) char *kind = lower_kind(object);
		const char *result;

		if (!rbac_apply(client, object, &result, err))
			return false;
		json_array_append_new(rows, json_pack("{s:s, s:s, s:s}", "type", kind, "name",
		                                      kube_object_name(object), "result", result));
		if (!is_document &&
		    !change_report(format, kind, kube_object_name(object), result, err))
			return false;
	}
	return !is_document || output_rows(stdout, format, columns, rows, err);
}

static bool run_apply(const struct arguments *arguments, struct error **err)
{
	scoped(component) struct component *component = load_operator(arguments, err);
	scoped(cluster) struct cluster *cluster = NULL;
	struct rbac_options options;
	json_auto_t *objects = NULL;

	if (!component || !read_options(arguments, component, &options, err))
		return false;
	objects = rbac_objects(&options, err);
	if (!objects)
		return false;
	cluster = open_cluster(arguments, component, &options, err);
	return cluster && apply_all(cluster->client, objects, argument_output(arguments), err);
}

/* Counts the rights that are missing. */
static bool check_all(struct kube_client *client, const char *namespace, json_t *rights,
                      size_t *missing, struct error **err)
{
	json_t *right;
	size_t i;

	*missing = 0;
	json_array_foreach (rights, i, right) {
		if (!rbac_check(client, namespace, right, err))
			return false;
		json_object_del(right, "subject");
		json_object_del(right, "group");
		if (text_equal(json_string_value(json_object_get(right, "allowed")), "no"))
			++*missing;
	}
	return true;
}

static bool run_check(const struct arguments *arguments, struct error **err)
{
	static const struct output_column columns[] = {
		{ "allowed", "ALLOWED", false },
		{ "who", "WHO", false },
		{ "verb", "VERB", false },
		{ "resource", "RESOURCE", false },
		{ 0 },
	};
	scoped(component) struct component *component = load_operator(arguments, err);
	scoped(cluster) struct cluster *cluster = NULL;
	struct rbac_options options;
	json_auto_t *rights = NULL;
	size_t missing;

	if (!component || !read_options(arguments, component, &options, err))
		return false;
	rights = rbac_rights(&options, err);
	cluster = rights ? open_cluster(arguments, component, &options, err) : NULL;
	if (!cluster || !check_all(cluster->client, options.namespace, rights, &missing, err))
		return false;
	if (!output_rows(stdout, argument_output(arguments), columns, rights, err))
		return false;
	if (missing)
		return error_set(err, ERROR_AUTH,
		                 "%zu of %zu rights are missing in namespace '%s'; someone who may "
		                 "can grant them with 'stepop rbac apply'",
		                 missing, json_array_size(rights), options.namespace);
	return true;
}

#define DETAILS                                                                             \
	"Namespace and service account are those of the active stack's step operator. The " \
	"driver's account may manage its executors, and nothing else; with --submitter or " \
	"--submitter-group, that user or group may run stepop against the namespace."

static const struct command_option options_of_rbac[] = {
	{ "submitter", 0, VALUE_ONE, "USER", "who runs stepop: a user as the cluster knows him",
	  NULL },
	{ "submitter-group", 0, VALUE_ONE, "GROUP", "who runs stepop: a group", NULL },
	{ "step-operator", 0, VALUE_ONE, "NAME", "instead of the active stack's", NULL },
	{ 0 },
};

const struct command cmd_rbac_render = {
	.words = "rbac render",
	.arguments = "",
	.summary = "print the manifests of the rights that are needed",
	.details = DETAILS,
	.options = options_of_rbac,
	.examples = "  stepop rbac render --submitter alice | kubectl apply -f -",
	.run = run_render,
};

const struct command cmd_rbac_apply = {
	.words = "rbac apply",
	.arguments = "",
	.summary = "create namespace, service account and least rights",
	.details = DETAILS,
	.options = options_of_rbac,
	.examples = "  stepop rbac apply\n  stepop rbac apply --submitter-group data-engineers",
	.run = run_apply,
};

const struct command cmd_rbac_check = {
	.words = "rbac check",
	.arguments = "",
	.summary = "ask the cluster for each right that is needed",
	.details = DETAILS " Without --submitter your own rights are checked.",
	.options = options_of_rbac,
	.examples = "  stepop rbac check",
	.run = run_check,
};
