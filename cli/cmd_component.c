/* SPDX-License-Identifier: Apache-2.0 */
/* stepop register, and register, list, describe, update, delete, flavors of each type. */
#include <string.h>

#include "cli/change.h"
#include "cli/commands.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/catalog.h"
#include "stacks/stack.h"

/* The command's first word is the type. */
static enum component_type type_of(const struct arguments *arguments)
{
	const char *words = argument_command(arguments)->words;
	scoped(text) char *noun = xstrndup(words, strcspn(words, " "));
	enum component_type type = COMPONENT_TYPE_COUNT;

	component_type_find(noun, &type);
	return type;
}

static const struct component_flavor *flavor_of_type(enum component_type type, const char *name,
                                                     struct error **err)
{
	const struct catalog *catalog = catalog_built_in();
	const struct component_flavor *flavor = catalog_find(catalog, type, name), *other;

	if (flavor)
		return flavor;
	other = catalog_find_any(catalog, name, err);
	if (!other)
		return NULL;
	return error_set(err, ERROR_INVALID,
	                 "flavor '%s' is one of type '%s'; 'stepop %s flavors' lists those of '%s'",
	                 name, component_type_name(other->type), component_type_name(type),
	                 component_type_name(type));
}

static bool register_as(const struct arguments *arguments, const struct component_flavor *flavor,
                        struct error **err)
{
	scoped(project) struct project *project = project_open(NULL, err);
	json_auto_t *options = NULL;
	struct component component = {
		.type = flavor->type,
		.name = (char *)argument_at(arguments, 0),
		.flavor = (char *)flavor->name,
	};

	if (!project)
		return false;
	options = component_options_parse(flavor, argument_open(arguments), 0, err);
	component.options = options;
	if (!options || !component_register(project, catalog_built_in(), &component, err))
		return error_wrap(err, "register %s '%s'", component_type_label(flavor->type),
		                  component.name);
	return change_report(argument_output(arguments), component_type_name(flavor->type),
	                     component.name, "registered", err);
}

static bool run_register_any(const struct arguments *arguments, struct error **err)
{
	const char *name = argument_option(arguments, "flavor");
	const struct component_flavor *flavor;

	if (!name)
		return error_set(err, ERROR_USAGE,
		                 "--flavor is missing, as in 'stepop register "
		                 "--flavor=spark-kubernetes %s'",
		                 argument_at(arguments, 0));
	flavor = catalog_find_any(catalog_built_in(), name, err);
	return flavor && register_as(arguments, flavor, err);
}

static bool run_register(const struct arguments *arguments, struct error **err)
{
	enum component_type type = type_of(arguments);
	const char *name = argument_option(arguments, "flavor");
	const struct component_flavor *flavor;

	if (!name)
		return error_set(err, ERROR_USAGE,
		                 "--flavor is missing; 'stepop %s flavors' lists what there is",
		                 component_type_name(type));
	flavor = flavor_of_type(type, name, err);
	return flavor && register_as(arguments, flavor, err);
}

/* A file that cannot be read is a row, too: the others must not hide behind it. */
static json_t *component_row(const struct project *project, enum component_type type,
                             const char *name, const char *active)
{
	scoped(error) struct error *err = NULL;
	scoped(component) struct component *component =
		component_load(project, catalog_built_in(), type, name, &err);
	scoped(text) char *problem = err ? error_text(err) : NULL;
	json_t *row = json_pack("{s:s, s:s, s:b}", "name", name, "type", component_type_name(type),
	                        "active", text_equal(name, active));

	if (problem) {
		json_object_set_new(row, "flavor", json_null());
		json_object_set_new(row, "problem", json_string(problem));
		return row;
	}
	json_object_set_new(row, "flavor", json_string(component->flavor));
	json_object_set(row, "options", component->options);
	return row;
}

static bool run_list(const struct arguments *arguments, struct error **err)
{
	static const struct output_column columns[] = {
		{ "name", "NAME", false },      { "flavor", "FLAVOR", false },
		{ "active", "ACTIVE", false },  { "options", "OPTIONS", true },
		{ "problem", "PROBLEM", true }, { 0 },
	};
	enum component_type type = type_of(arguments);
	scoped(project) struct project *project = project_open(NULL, err);
	json_auto_t *names = project ? component_names(project, type, err) : NULL;
	json_auto_t *rows = json_array(), *active = NULL;
	json_t *name;
	size_t i;

	if (!names)
		return false;
	active = stack_components(project, NULL, NULL);
	json_array_foreach (names, i, name) {
		const json_t *used = json_object_get(active, component_type_name(type));

		json_array_append_new(rows, component_row(project, type, json_string_value(name),
		                                          json_string_value(used)));
	}
	return output_rows(stdout, argument_output(arguments), columns, rows, err);
}

static bool run_describe(const struct arguments *arguments, struct error **err)
{
	scoped(project) struct project *project = project_open(NULL, err);
	scoped(component) struct component *component = NULL;
	json_auto_t *object = NULL;

	if (!project)
		return false;
	component = component_load(project, catalog_built_in(), type_of(arguments),
	                           argument_at(arguments, 0), err);
	if (!component)
		return false;
	object = json_pack("{s:s, s:s, s:s, s:O}", "name", component->name, "type",
	                   component_type_name(component->type), "flavor", component->flavor,
	                   "options", component->options);
	return output_object(stdout, argument_output(arguments), object, err);
}

/* --unset=KEY: null, which component_update() takes for a removal. */
static bool unset_options(const struct arguments *arguments, const struct component *component,
                          json_t *options, struct error **err)
{
	const char *const *keys;
	size_t count = argument_many(arguments, "unset", &keys), i;

	for (i = 0; i < count; i++) {
		scoped(text) char *key = xstrdup(keys[i]);
		char *c;

		for (c = key; *c; c++)
			*c = *c == '-' ? '_' : *c;
		if (!json_object_get(component->options, key))
			return error_set(err, ERROR_NOT_FOUND, "--unset=%s: it is not set", key);
		json_object_set_new(options, key, json_null());
	}
	return true;
}

static bool update(const struct arguments *arguments, struct project *project,
                   enum component_type type, struct error **err)
{
	const char *name = argument_at(arguments, 0);
	scoped(component) struct component *component =
		component_load(project, catalog_built_in(), type, name, err);
	json_auto_t *options = NULL;

	if (!component)
		return false;
	options = component_options_parse(catalog_find(catalog_built_in(), type, component->flavor),
	                                  argument_open(arguments), COMPONENT_OPTIONS_PARTIAL, err);
	if (!options || !unset_options(arguments, component, options, err))
		return false;
	if (!json_object_size(options))
		return error_set(err, ERROR_USAGE,
		                 "nothing to change: give --key=value or --unset");
	return component_update(project, catalog_built_in(), type, name, options, err);
}

static bool run_update(const struct arguments *arguments, struct error **err)
{
	enum component_type type = type_of(arguments);
	const char *name = argument_at(arguments, 0);
	scoped(project) struct project *project = project_open(NULL, err);

	if (!project)
		return false;
	if (!update(arguments, project, type, err))
		return error_wrap(err, "update %s '%s'", component_type_label(type), name);
	return change_report(argument_output(arguments), component_type_name(type), name, "updated",
	                     err);
}

static bool run_delete(const struct arguments *arguments, struct error **err)
{
	enum component_type type = type_of(arguments);
	const char *name = argument_at(arguments, 0);
	scoped(project) struct project *project = project_open(NULL, err);

	if (!project || !component_delete(project, type, name, err))
		return false;
	return change_report(argument_output(arguments), component_type_name(type), name, "deleted",
	                     err);
}

static const char *kind_name(enum option_kind kind)
{
	static const char *const names[] = {
		[OPTION_TEXT] = "text",         [OPTION_BOOL] = "true or false",
		[OPTION_INTEGER] = "number",    [OPTION_DURATION] = "duration",
		[OPTION_JSON] = "JSON mapping",
	};

	return names[kind];
}

static bool list_options(enum output_format format, const struct component_flavor *flavor,
                         struct error **err)
{
	static const struct output_column columns[] = {
		{ "option", "OPTION", false },
		{ "value", "VALUE", false },
		{ "required", "REQUIRED", false },
		{ "help", "MEANING", false },
		{ 0 },
	};
	json_auto_t *rows = json_array();
	const struct component_option *option;
	const struct component_alias *alias;

	for (option = flavor->options; option && option->name; option++)
		json_array_append_new(rows,
		                      json_pack("{s:s, s:s, s:b, s:s}", "option", option->name,
		                                "value", kind_name(option->kind), "required",
		                                option->required, "help", option->help));
	for (alias = flavor->aliases; alias && alias->alias; alias++) {
		scoped(text) char *help = text_printf("the same as %s", alias->option);

		json_array_append_new(rows,
		                      json_pack("{s:s, s:s, s:b, s:s}", "option", alias->alias,
		                                "value", "text", "required", false, "help", help));
	}
	return output_rows(stdout, format, columns, rows, err);
}

static bool run_flavors(const struct arguments *arguments, struct error **err)
{
	static const struct output_column columns[] = {
		{ "flavor", "FLAVOR", false },
		{ "help", "MEANING", false },
		{ 0 },
	};
	enum component_type type = type_of(arguments);
	const struct component_flavor *const *flavor;
	const char *name = argument_at(arguments, 0);
	json_auto_t *rows = json_array();

	if (name) {
		const struct component_flavor *one = flavor_of_type(type, name, err);

		return one && list_options(argument_output(arguments), one, err);
	}
	for (flavor = catalog_built_in()->flavors; *flavor; flavor++)
		if ((*flavor)->type == type)
			json_array_append_new(rows,
			                      json_pack("{s:s, s:s}", "flavor", (*flavor)->name,
			                                "help", (*flavor)->help));
	return output_rows(stdout, argument_output(arguments), columns, rows, err);
}

static const struct command_option register_options[] = {
	{ "flavor", 0, VALUE_ONE, "FLAVOR", "which implementation", NULL },
	{ 0 },
};

static const struct command_option update_options[] = {
	{ "unset", 0, VALUE_MANY, "KEY", "remove this option", NULL },
	{ 0 },
};

const struct command cmd_register = {
	.words = "register",
	.arguments = "NAME",
	.summary = "register a component; its type follows from the flavor",
	.details = "All other options are those of the flavor: 'stepop TYPE flavors FLAVOR' lists "
		   "them.\nsnake_case and kebab-case are the same.",
	.options = register_options,
	.examples = "  stepop register --flavor spark-kubernetes spark_step_operator "
		    "--master=k8s://https://host:6443 \\\n    --namespace=spark-namespace "
		    "--service_account=spark-service-account --docker_parent_image=IMAGE",
	.min_arguments = 1,
	.max_arguments = 1,
	.open_options = true,
	.run = run_register_any,
};

#define VERBS(noun, article, label, labels, example)                                              \
	{                                                                                         \
		[COMPONENT_REGISTER] = { .words = noun " register",                               \
			                 .arguments = "NAME",                                     \
			                 .summary = "register " article " " label,                \
			                 .details =                                               \
			                         "All other options are those of the flavor: "    \
			                         "'stepop " noun " flavors FLAVOR' lists them.",  \
			                 .options = register_options,                             \
			                 .examples = "  stepop " noun " register " example,       \
			                 .min_arguments = 1,                                      \
			                 .max_arguments = 1,                                      \
			                 .open_options = true,                                    \
			                 .run = run_register },                                   \
		[COMPONENT_LIST] = { .words = noun " list",                                       \
			             .arguments = "",                                             \
			             .summary = "list the " labels,                               \
			             .run = run_list },                                           \
		[COMPONENT_DESCRIBE] = { .words = noun " describe",                               \
			                 .arguments = "NAME",                                     \
			                 .summary = "show " article " " label " and its options", \
			                 .min_arguments = 1,                                      \
			                 .max_arguments = 1,                                      \
			                 .run = run_describe },                                   \
		[COMPONENT_UPDATE] = { .words = noun " update",                                   \
			               .arguments = "NAME",                                       \
			               .summary = "change options of " article " " label,         \
			               .options = update_options,                                 \
			               .min_arguments = 1,                                        \
			               .max_arguments = 1,                                        \
			               .open_options = true,                                      \
			               .run = run_update },                                       \
		[COMPONENT_DELETE] = { .words = noun " delete",                                   \
			               .arguments = "NAME",                                       \
			               .summary =                                                 \
			                       "delete " article " " label " that no stack uses", \
			               .min_arguments = 1,                                        \
			               .max_arguments = 1,                                        \
			               .run = run_delete },                                       \
		[COMPONENT_FLAVORS] = { .words = noun " flavors",                                 \
			                .arguments = "[FLAVOR]",                                  \
			                .summary = "list the flavors of " labels                  \
			                           ", or one\'s options",                         \
			                .max_arguments = 1,                                       \
			                .run = run_flavors },                                     \
	}

const struct command cmd_components[COMPONENT_TYPE_COUNT][COMPONENT_VERB_COUNT] = {
	[COMPONENT_ORCHESTRATOR] =
		VERBS("orchestrator", "an", "orchestrator", "orchestrators", "mine --flavor=local"),
	[COMPONENT_STEP_OPERATOR] = VERBS("step-operator", "a", "step operator", "step operators",
	                                  "local_spark --flavor=spark-local --master='local[2]'"),
	[COMPONENT_ARTIFACT_STORE] =
		VERBS("artifact-store", "an", "artifact store", "artifact stores",
	              "s3_store --flavor=s3 --path=s3://bucket/prefix "
	              "--authentication_secret=s3_authentication"),
	[COMPONENT_CONTAINER_REGISTRY] =
		VERBS("container-registry", "a", "container registry", "container registries",
	              "images --flavor=default --uri=registry.example.com/team"),
	[COMPONENT_SECRETS_MANAGER] = VERBS("secrets-manager", "a", "secrets manager",
	                                    "secrets managers", "vault --flavor=local"),
	[COMPONENT_METADATA_STORE] = VERBS("metadata-store", "a", "metadata store",
	                                   "metadata stores", "database --flavor=sqlite"),
};
