/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks: named sets of components, .stepop/stacks/<name>.yaml; the active one is in config.yaml.
 */
#ifndef STACKS_STACK_H
#define STACKS_STACK_H

#include "stacks/component.h"

struct stack {
	char *name;
	/* NULL where the stack has none (container registry, secrets manager). Owned. */
	struct component *components[COMPONENT_TYPE_COUNT];
};
void stack_free(struct stack *stack);
DEFINE_CLEANUP(stack);

/* `components[type]` is a name or NULL (then 'default' for orchestrator, step operator, artifact
 * store, metadata store; none for the others). Each must be registered. CONFLICT: the name is
 * taken. */
bool stack_register(struct project *project, const struct catalog *catalog, const char *name,
                    const char *const components[COMPONENT_TYPE_COUNT], struct error **err);
/* Puts the components that are given in the place of the stack's; NULL: as it is. */
bool stack_update(struct project *project, const struct catalog *catalog, const char *name,
                  const char *const components[COMPONENT_TYPE_COUNT], struct error **err);
/* `name` NULL: the active stack. Loads every component. */
struct stack *stack_load(const struct project *project, const struct catalog *catalog,
                         const char *name, struct error **err);
/* The names alone, as the file has them: component type -> name. `name` NULL: the active stack. */
json_t *stack_components(const struct project *project, const char *name, struct error **err);
bool stack_set_active(struct project *project, const char *name, struct error **err);
char *stack_active(const struct project *project, struct error **err); /* owned by the caller */
/* CONFLICT for the active stack and for 'default'. */
bool stack_delete(struct project *project, const char *name, struct error **err);
json_t *stack_names(const struct project *project, struct error **err);

#endif
