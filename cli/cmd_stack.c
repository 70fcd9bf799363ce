/* SPDX-License-Identifier: Apache-2.0 */
/* stepop stack register, list, describe, set, update, delete. */
#include <string.h>

#include "cli/change.h"
#include "cli/commands.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/catalog.h"
#include "stacks/stack.h"

static void named_components(const struct arguments *arguments,
                             const char *components[COMPONENT_TYPE_COUNT])
{
	size_t i;

	for (i = 0; i < COMPONENT_TYPE_COUNT; i++)
		components[i] =
			argument_option(arguments, component_type_name((enum component_type)i));
}

/* Here -o is the orchestrator; the format has its long name only. */
static bool run_register(const struct arguments *arguments, struct error **err)
{
	const char *name = argument_at(arguments, 0);
	scoped(project) struct project *project = project_open(NULL, err);
	const char *components[COMPONENT_TYPE_COUNT];
	bool set = argument_switch(arguments, "set");

	if (!project)
		return false;
	named_components(arguments, components);
	if (!stack_register(project, catalog_built_in(), name, components, err))
		return error_wrap(err, "register stack '%s'", name);
	if (set && !stack_set_active(project, name, err))
		return false;
	return change_report(argument_output(arguments), "stack", name,
	                     set ? "registered, and made the active stack" : "registered", err);
}

static bool run_update(const struct arguments *arguments, struct error **err)
{
	const char *name = argument_at(arguments, 0);
	scoped(project) struct project *project = project_open(NULL, err);
	const char *components[COMPONENT_TYPE_COUNT];

	if (!project)
		return false;
	named_components(arguments, components);
	if (!stack_update(project, catalog_built_in(), name, components, err))
		return error_wrap(err, "update stack '%s'", name);
	return change_report(argument_output(arguments), "stack", name, "updated", err);
}

/* Keys are the types' names, as in the file; "problem" when the file cannot be read. */
static json_t *stack_row(const struct project *project, const char *name, const char *active)
{
	scoped(error) struct error *err = NULL;
	json_auto_t *components = stack_components(project, name, &err);
	scoped(text) char *problem = err ? error_text(err) : NULL;
	json_t *row = json_pack("{s:s, s:b}", "name", name, "active", text_equal(name, active));

	if (problem)
		json_object_set_new(row, "problem", json_string(problem));
	else
		json_object_update(row, components);
	return row;
}

static bool run_list(const struct arguments *arguments, struct error **err)
{
	static const struct output_column columns[] = {
		{ "name", "NAME", false },
		{ "active", "ACTIVE", false },
		{ "step-operator", "STEP OPERATOR", false },
		{ "artifact-store", "ARTIFACT STORE", false },
		{ "secrets-manager", "SECRETS MANAGER", false },
		{ "orchestrator", "ORCHESTRATOR", true },
		{ "container-registry", "CONTAINER REGISTRY", true },
		{ "metadata-store", "METADATA STORE", true },
		{ "problem", "PROBLEM", true },
		{ 0 },
	};
	scoped(project) struct project *project = project_open(NULL, err);
	json_auto_t *names = project ? stack_names(project, err) : NULL;
	scoped(text) char *active = names ? stack_active(project, err) : NULL;
	json_auto_t *rows = json_array();
	json_t *name;
	size_t i;

	if (!active)
		return false;
	json_array_foreach (names, i, name)
		json_array_append_new(rows, stack_row(project, json_string_value(name), active));
	return output_rows(stdout, argument_output(arguments), columns, rows, err);
}

static json_t *stack_object(const struct stack *stack, bool active)
{
	json_t *components = json_object();
	size_t i;

	for (i = 0; i < COMPONENT_TYPE_COUNT; i++) {
		const struct component *component = stack->components[i];

		if (component)
			json_object_set_new(components, component_type_name(component->type),
			                    json_pack("{s:s, s:s, s:O}", "name", component->name,
			                              "flavor", component->flavor, "options",
			                              component->options));
	}
	return json_pack("{s:s, s:b, s:o}", "name", stack->name, "active", active, "components",
	                 components);
}

static bool run_describe(const struct arguments *arguments, struct error **err)
{
	scoped(project) struct project *project = project_open(NULL, err);
	scoped(text) char *active = project ? stack_active(project, err) : NULL;
	scoped(stack) struct stack *stack = NULL;
	json_auto_t *object = NULL;

	if (!active)
		return false;
	stack = stack_load(project, catalog_built_in(), argument_at(arguments, 0), err);
	if (!stack)
		return false;
	object = stack_object(stack, text_equal(stack->name, active));
	return output_object(stdout, argument_output(arguments), object, err);
}

static bool run_set(const struct arguments *arguments, struct error **err)
{
	const char *name = argument_at(arguments, 0);
	scoped(project) struct project *project = project_open(NULL, err);

	if (!project || !stack_set_active(project, name, err))
		return false;
	return change_report(argument_output(arguments), "stack", name, "made the active stack",
	                     err);
}

static bool run_delete(const struct arguments *arguments, struct error **err)
{
	const char *name = argument_at(arguments, 0);
	scoped(project) struct project *project = project_open(NULL, err);

	if (!project || !stack_delete(project, name, err))
		return false;
	return change_report(argument_output(arguments), "stack", name, "deleted", err);
}

#define COMPONENT_OPTIONS                                                                      \
	{ "orchestrator", 'o', VALUE_ONE, "NAME", "what drives runs", NULL },                  \
		{ "step-operator", 's', VALUE_ONE, "NAME", "what launches steps", NULL },      \
		{ "artifact-store", 'a', VALUE_ONE, "NAME", "where outputs lie", NULL },       \
		{ "container-registry", 'c', VALUE_ONE, "NAME", "where images go", NULL },     \
		{ "secrets-manager", 'x', VALUE_ONE, "NAME", "where secrets are kept", NULL }, \
	{                                                                                      \
		"metadata-store", 'm', VALUE_ONE, "NAME", "where runs are recorded", NULL      \
	}

const struct command cmd_stack_register = {
	.words = "stack register",
	.arguments = "NAME",
	.summary = "register a stack of components",
	.details = "Orchestrator, step operator, artifact store and metadata store are 'default' "
		   "where none is named.\nHere -o is the orchestrator; the output format is "
		   "--output.",
	.options =
		(const struct command_option[]){
			COMPONENT_OPTIONS,
			{ "set", 0, VALUE_NONE, NULL, "make it the active stack", NULL },
			{ 0 },
		},
	.examples = "  stepop stack register spark_stack -o default -s spark_step_operator -x "
		    "vault -a s3_store --set",
	.min_arguments = 1,
	.max_arguments = 1,
	.run = run_register,
};

const struct command cmd_stack_update = {
	.words = "stack update",
	.arguments = "NAME",
	.summary = "give a stack other components",
	.details = "What is not named stays. Here -o is the orchestrator; the output format is "
		   "--output.",
	.options = (const struct command_option[]){ COMPONENT_OPTIONS, { 0 } },
	.examples = "  stepop stack update spark_stack -a other_store",
	.min_arguments = 1,
	.max_arguments = 1,
	.run = run_update,
};

const struct command cmd_stack_list = {
	.words = "stack list",
	.arguments = "",
	.summary = "list the stacks",
	.run = run_list,
};

const struct command cmd_stack_describe = {
	.words = "stack describe",
	.arguments = "[NAME]",
	.summary = "show a stack, the active one by default, and its components",
	.max_arguments = 1,
	.run = run_describe,
};

const struct command cmd_stack_set = {
	.words = "stack set",
	.arguments = "NAME",
	.summary = "make a stack the active one",
	.min_arguments = 1,
	.max_arguments = 1,
	.run = run_set,
};

const struct command cmd_stack_delete = {
	.words = "stack delete",
	.arguments = "NAME",
	.summary = "delete a stack; its components stay",
	.min_arguments = 1,
	.max_arguments = 1,
	.run = run_delete,
};
