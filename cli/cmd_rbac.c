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

/* Whose rights, and where: a step operator's, or what was typed. */
struct target {
	struct component *component; /* NULL: no step operator is meant */
	struct rbac_options options; /* borrows from the component and the arguments */
};

static void target_release(struct target *target)
{
	component_free(target->component);
}
#define target_cleanup target_release

static bool read_component(struct target *target, const struct arguments *arguments,
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

/* An account that was typed needs no project: 'stepop submit' does not either. */
static bool target_read(struct target *target, const struct arguments *arguments,
                        struct error **err)
{
	const char *namespace = argument_option(arguments, "namespace");

	*target = (struct target){
		.options = { .namespace = "default",
		             .service_account = argument_option(arguments, "service-account"),
		             .submitter = argument_option(arguments, "submitter"),
		             .submitter_group = argument_option(arguments, "submitter-group") }
	};
	if (!target->options.service_account && !read_component(target, arguments, err))
		return false;
	if (namespace)
		target->options.namespace = namespace;
	return true;
}

static struct cluster *open_cluster(const struct arguments *arguments, const struct target *target,
                                    struct error **err)
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

static bool run_render(const struct arguments *arguments, struct error **err)
{
	scoped(target) struct target target;
	json_auto_t *objects = NULL;

	if (!target_read(&target, arguments, err))
		return false;
	objects = rbac_objects(&target.options, err);
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
	scoped(target) struct target target;
	scoped(cluster) struct cluster *cluster = NULL;
	json_auto_t *objects = NULL;

	if (!target_read(&target, arguments, err))
		return false;
	objects = rbac_objects(&target.options, err);
	if (!objects)
		return false;
	cluster = open_cluster(arguments, &target, err);
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
	scoped(target) struct target target;
	scoped(cluster) struct cluster *cluster = NULL;
	json_auto_t *rights = NULL;
	size_t missing;

	if (!target_read(&target, arguments, err))
		return false;
	rights = rbac_rights(&target.options, err);
	cluster = rights ? open_cluster(arguments, &target, err) : NULL;
	if (!cluster ||
	    !check_all(cluster->client, target.options.namespace, rights, &missing, err))
		return false;
	if (!output_rows(stdout, argument_output(arguments), columns, rights, err))
		return false;
	if (missing)
		return error_set(err, ERROR_AUTH,
		                 "%zu of %zu rights are missing in namespace '%s'; someone who may "
		                 "can grant them with 'stepop rbac apply'",
		                 missing, json_array_size(rights), target.options.namespace);
	return true;
}

#define DETAILS                                                                             \
	"Namespace and service account are those of the active stack's step operator, or "  \
	"those of --namespace and --service-account. The "                                  \
	"driver's account may manage its executors, and nothing else; with --submitter or " \
	"--submitter-group, that user or group may run stepop against the namespace."

static const struct command_option options_of_rbac[] = {
	{ "submitter", 0, VALUE_ONE, "USER", "who runs stepop: a user as the cluster knows him",
	  NULL },
	{ "submitter-group", 0, VALUE_ONE, "GROUP", "who runs stepop: a group", NULL },
	{ "step-operator", 0, VALUE_ONE, "NAME", "instead of the active stack's", NULL },
	{ "service-account", 0, VALUE_ONE, "NAME",
	  "account of drivers in --namespace; needs no project and no step operator", NULL },
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
	.examples = "  stepop rbac apply\n  stepop rbac apply --submitter-group data-engineers\n"
		    "  stepop rbac apply -n spark --service-account spark",
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
