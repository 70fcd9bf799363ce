/* SPDX-License-Identifier: Apache-2.0 */
/* Gathers a stack's components into one document. */
#include "stacks/stack_export.h"

#include "stacks/project_file.h"
#include "stacks/stack.h"

static json_t *export_component(const struct component *component)
{
	json_t *exported =
		json_pack("{s:s, s:s}", "name", component->name, "flavor", component->flavor);

	if (json_object_size(component->options))
		json_object_set(exported, "options", component->options);
	return exported;
}

json_t *stack_export(const struct project *project, const struct catalog *catalog, const char *name,
                     struct error **err)
{
	scoped(stack) struct stack *stack = stack_load(project, catalog, name, err);
	json_t *exported, *components = json_object();
	size_t i;

	if (!stack) {
		json_decref(components);
		return NULL;
	}
	for (i = 0; i < COMPONENT_TYPE_COUNT; i++)
		if (stack->components[i])
			json_object_set_new(components, component_type_name((enum component_type)i),
			                    export_component(stack->components[i]));
	exported = project_file_new("StackExport");
	json_object_set_new(exported, "name", json_string(stack->name));
	json_object_set_new(exported, "components", components);
	return exported;
}
