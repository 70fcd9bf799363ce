/* SPDX-License-Identifier: Apache-2.0 */
/* Stack files and the active stack. */
#include "stacks/stack.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/document.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/project_file.h"

static const bool has_default[COMPONENT_TYPE_COUNT] = {
	[COMPONENT_ORCHESTRATOR] = true,
	[COMPONENT_STEP_OPERATOR] = true,
	[COMPONENT_ARTIFACT_STORE] = true,
	[COMPONENT_METADATA_STORE] = true,
};

void stack_free(struct stack *stack)
{
	size_t i;

	if (!stack)
		return;
	for (i = 0; i < COMPONENT_TYPE_COUNT; i++)
		component_free(stack->components[i]);
	free(stack->name);
	free(stack);
}

json_t *stack_names(const struct project *project, struct error **err)
{
	return project_file_names(project, "stacks", err);
}

static bool is_registered(const struct project *project, const char *name)
{
	scoped(text) char *path = project_file_path(project, "stacks", name);

	return component_name_check("stack", name, NULL) && file_exists(path);
}

static void *not_registered(const struct project *project, const char *name, struct error **err)
{
	json_auto_t *names = stack_names(project, NULL);
	const char *nearest = project_file_nearest(names, name);

	if (nearest)
		return error_set(err, ERROR_NOT_FOUND, "no stack named '%s'; did you mean '%s'?",
		                 name, nearest);
	return error_set(err, ERROR_NOT_FOUND,
	                 "no stack named '%s'; 'stepop stack list' lists them, 'stepop stack "
	                 "register %s' makes one",
	                 name, name);
}

char *stack_active(const struct project *project, struct error **err)
{
	static const char *const fields[] = { "stack", NULL };
	scoped(text) char *path = project_file_path(project, "", "config");
	scoped(faults) struct faults *faults = faults_new();
	scoped(document) struct document *document = NULL;
	const json_t *root, *name;

	document = project_file_read(path, "Project", fields, faults, err);
	if (!document)
		return NULL;
	root = document_root(document);
	name = json_object_get(root, "stack");
	if (!json_is_string(name))
		faults_add(faults, document, document_position(document, name ? name : root),
		           "'stack', the name of the active stack, is missing or no text");
	if (!faults_check(faults, err))
		return NULL;
	return xstrdup(json_string_value(name));
}

bool stack_set_active(struct project *project, const char *name, struct error **err)
{
	scoped(text) char *path = project_file_path(project, "", "config");
	json_auto_t *config = project_file_new("Project");
	scoped(fd) int lock = project_lock_changes(project, err);

	if (lock < 0)
		return false;
	if (!is_registered(project, name))
		return not_registered(project, name, err);
	json_object_set_new(config, "stack", json_string(name));
	return project_file_save(path, config, err);
}

static void check_component_entry(const struct document *document, const char *key,
                                  const json_t *value, struct faults *faults)
{
	json_t *components = json_object_get(document_root(document), "components");
	struct document_position at = document_key_position(document, components, key);
	const char *names[COMPONENT_TYPE_COUNT + 1] = { 0 };
	enum component_type type;
	const char *nearest;
	size_t i;

	if (component_type_find(key, &type)) {
		if (!json_is_string(value))
			faults_add(faults, document, at, "%s: the name of a component is expected",
			           key);
		return;
	}
	for (i = 0; i < COMPONENT_TYPE_COUNT; i++)
		names[i] = component_type_name((enum component_type)i);
	nearest = text_nearest(key, names);
	faults_add(faults, document, at,
	           nearest ? "unknown type of component '%s'; did you mean '%s'?"
	                   : "unknown type of component '%s'",
	           key, nearest);
}

static void check_components(const struct document *document, struct faults *faults)
{
	json_t *root = document_root(document), *components = json_object_get(root, "components");
	const char *key;
	json_t *value;
	size_t i;

	if (!json_is_object(components)) {
		faults_add(faults, document,
		           document_position(document, components ? components : root),
		           "'components' is missing or no mapping");
		return;
	}
	json_object_foreach (components, key, value)
		check_component_entry(document, key, value, faults);
	for (i = 0; i < COMPONENT_TYPE_COUNT; i++) {
		const char *name = component_type_name((enum component_type)i);

		if (has_default[i] && !json_object_get(components, name))
			faults_add(faults, document, document_position(document, components),
			           "'%s' is missing: every stack has one", name);
	}
}

static json_t *read_components(const struct project *project, const char *name, struct error **err)
{
	static const char *const fields[] = { "components", NULL };
	scoped(text) char *path = project_file_path(project, "stacks", name);
	scoped(faults) struct faults *faults = faults_new();
	scoped(document) struct document *document = NULL;

	if (!is_registered(project, name))
		return not_registered(project, name, err);
	document = project_file_read(path, "Stack", fields, faults, err);
	if (!document)
		return NULL;
	check_components(document, faults);
	if (!faults_check(faults, err))
		return NULL;
	return json_deep_copy(json_object_get(document_root(document), "components"));
}

json_t *stack_components(const struct project *project, const char *name, struct error **err)
{
	scoped(text) char *active = NULL;
	json_t *components;

	if (name)
		return read_components(project, name, err);
	active = stack_active(project, err);
	if (!active)
		return NULL;
	components = read_components(project, active, err);
	if (!components)
		return error_wrap(err, "open the active stack");
	return components;
}

/* Every component is tried, so that all that is wrong is said at once. */
struct component_loader {
	const struct project *project;
	const struct catalog *catalog;
	enum error_kind kind; /* of the first failure */
	struct text_stream problems;
	size_t problem_count;
};

static struct component *load_component(struct component_loader *loader, enum component_type type,
                                        const char *name)
{
	scoped(error) struct error *err = NULL;
	struct component *component;

	component = component_load(loader->project, loader->catalog, type, name, &err);
	if (component)
		return component;
	if (!loader->problem_count++)
		loader->kind = err->kind;
	else
		fputs("\n", loader->problems.file);
	error_render(err, loader->problems.file);
	return NULL;
}

static bool load_components(struct component_loader *loader, const json_t *names,
                            struct component *components[], struct error **err)
{
	scoped(text) char *problems = NULL;
	size_t i;

	text_stream_open(&loader->problems);
	for (i = 0; i < COMPONENT_TYPE_COUNT; i++) {
		enum component_type type = (enum component_type)i;
		const char *name =
			json_string_value(json_object_get(names, component_type_name(type)));

		if (name)
			components[i] = load_component(loader, type, name);
	}
	problems = text_stream_take(&loader->problems);
	if (loader->problem_count)
		return error_set(err, loader->kind, "%s", problems);
	return true;
}

struct stack *stack_load(const struct project *project, const struct catalog *catalog,
                         const char *name, struct error **err)
{
	scoped(stack) struct stack *stack = xcalloc(1, sizeof(*stack));
	struct component_loader loader = { .project = project, .catalog = catalog };
	json_auto_t *names = NULL;

	stack->name = name ? xstrdup(name) : stack_active(project, err);
	if (!stack->name)
		return NULL;
	names = stack_components(project, name, err);
	if (!names)
		return NULL;
	if (!load_components(&loader, names, stack->components, err))
		return error_wrap(err, "stack '%s'", stack->name);
	return take(stack);
}

/* Checks that every component can be loaded, then writes the file. */
static bool save(const struct project *project, const struct catalog *catalog, const char *name,
                 json_t *names, struct error **err)
{
	scoped(text) char *path = project_file_path(project, "stacks", name);
	scoped(stack) struct stack *loaded = xcalloc(1, sizeof(*loaded));
	struct component_loader loader = { .project = project, .catalog = catalog };
	json_auto_t *file = project_file_new("Stack");

	if (!load_components(&loader, names, loaded->components, err))
		return false;
	json_object_set(file, "components", names);
	return project_file_save(path, file, err);
}

static void set_names(json_t *names, const char *const components[COMPONENT_TYPE_COUNT],
                      bool defaults)
{
	size_t i;

	for (i = 0; i < COMPONENT_TYPE_COUNT; i++) {
		const char *name = components[i];

		if (!name && defaults && has_default[i])
			name = "default";
		if (name)
			json_object_set_new(names, component_type_name((enum component_type)i),
			                    json_string(name));
	}
}

bool stack_register(struct project *project, const struct catalog *catalog, const char *name,
                    const char *const components[COMPONENT_TYPE_COUNT], struct error **err)
{
	json_auto_t *names = json_object();
	scoped(fd) int lock = -1;

	if (!component_name_check("stack", name, err))
		return false;
	lock = project_lock_changes(project, err);
	if (lock < 0)
		return false;
	if (is_registered(project, name))
		return error_set(err, ERROR_CONFLICT,
		                 "there is a stack named '%s' already; 'stepop stack update %s' "
		                 "changes it, 'stepop stack set %s' makes it the active one",
		                 name, name, name);
	set_names(names, components, true);
	return save(project, catalog, name, names, err);
}

bool stack_update(struct project *project, const struct catalog *catalog, const char *name,
                  const char *const components[COMPONENT_TYPE_COUNT], struct error **err)
{
	json_auto_t *names = NULL;
	scoped(fd) int lock = project_lock_changes(project, err);

	if (lock < 0)
		return false;
	names = stack_components(project, name, err);
	if (!names)
		return false;
	set_names(names, components, false);
	return save(project, catalog, name, names, err);
}

bool stack_delete(struct project *project, const char *name, struct error **err)
{
	scoped(text) char *path = project_file_path(project, "stacks", name);
	scoped(text) char *active = NULL;
	scoped(fd) int lock = project_lock_changes(project, err);

	if (lock < 0)
		return false;
	if (!is_registered(project, name))
		return not_registered(project, name, err);
	if (!strcmp(name, "default"))
		return error_set(err, ERROR_CONFLICT, "stack 'default' always stays");
	active = stack_active(project, err);
	if (!active)
		return false;
	if (!strcmp(active, name))
		return error_set(err, ERROR_CONFLICT,
		                 "stack '%s' is the active one; 'stepop stack set default' makes "
		                 "another one active",
		                 name);
	if (unlink(path) < 0)
		return error_set(err, ERROR_INTERNAL, "delete %s: %s", path, strerror(errno));
	return true;
}
