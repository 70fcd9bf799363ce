/* SPDX-License-Identifier: Apache-2.0 */
/* Registers a stack and its components from one document: all of it, or nothing. */
#include <string.h>
#include <unistd.h>

#include "core/check.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/component_file.h"
#include "stacks/project_file.h"
#include "stacks/stack.h"
#include "stacks/stack_export.h"

struct import {
	struct project *project;
	const struct catalog *catalog;
	struct stack *stack; /* as the document has it */
	bool is_there[COMPONENT_TYPE_COUNT], stack_is_there;
	json_t *written; /* paths, to take back */
};

static bool is_version(const json_t *value)
{
	return text_equal(json_string_value(value), "stepop/v1");
}

static bool is_kind(const json_t *value)
{
	return text_equal(json_string_value(value), "StackExport");
}

static bool is_text(const json_t *value)
{
	return json_is_string(value);
}

static bool is_mapping(const json_t *value)
{
	return json_is_object(value);
}

static const struct shape version_shape = { .expected = "'stepop/v1'", .accepts = is_version };
static const struct shape kind_shape = { .expected = "'StackExport', as 'stepop stack export' "
	                                             "writes it",
	                                 .accepts = is_kind };
static const struct shape text_shape = { .expected = "text", .accepts = is_text };
static const struct shape mapping_shape = { .expected = "a mapping", .accepts = is_mapping };

static const struct field component_fields[] = {
	{ .name = "name", .shape = &text_shape, .is_required = true },
	{ .name = "flavor", .shape = &text_shape, .is_required = true },
	{ .name = "options", .shape = &mapping_shape },
	{ .name = NULL },
};
static const struct shape component_shape = { .expected = "a mapping",
	                                      .accepts = is_mapping,
	                                      .fields = component_fields };
static const struct field type_fields[] = {
	{ .name = "orchestrator", .shape = &component_shape, .is_required = true },
	{ .name = "step-operator", .shape = &component_shape, .is_required = true },
	{ .name = "artifact-store", .shape = &component_shape, .is_required = true },
	{ .name = "container-registry", .shape = &component_shape },
	{ .name = "secrets-manager", .shape = &component_shape },
	{ .name = "metadata-store", .shape = &component_shape, .is_required = true },
	{ .name = NULL },
};
static const struct shape components_shape = { .expected = "a mapping",
	                                       .accepts = is_mapping,
	                                       .fields = type_fields };
static const struct field export_fields[] = {
	{ .name = "apiVersion", .shape = &version_shape, .is_required = true },
	{ .name = "kind", .shape = &kind_shape, .is_required = true },
	{ .name = "name", .shape = &text_shape, .is_required = true },
	{ .name = "components", .shape = &components_shape, .is_required = true },
	{ .name = NULL },
};
static const struct shape export_shape = { .expected = "a mapping",
	                                   .accepts = is_mapping,
	                                   .fields = export_fields };

static struct component *read_component(const struct import *import,
                                        const struct document *document, enum component_type type,
                                        const json_t *object, struct faults *faults)
{
	struct component *component = xcalloc(1, sizeof(*component));
	const json_t *name = json_object_get(object, "name");
	scoped(error) struct error *err = NULL;

	component->type = type;
	component->name = xstrdup(json_string_value(name));
	if (!component_name_check(component_type_label(type), component->name, &err))
		faults_add(faults, document, document_position(document, name), "%s", err->message);
	component_file_parse(component, import->catalog, document, object, faults);
	return component;
}

static bool read_stack(struct import *import, const struct document *document, const char *name,
                       struct error **err)
{
	scoped(faults) struct faults *faults = faults_new();
	const struct check check = { .document = document, .faults = faults };
	const json_t *root = document_root(document), *components;
	size_t i;

	check_shape(&check, root, &export_shape, "the file", document_position(document, root));
	if (!faults_check(faults, err))
		return false;
	import->stack->name =
		xstrdup(name ? name : json_string_value(json_object_get(root, "name")));
	if (!component_name_check("stack", import->stack->name, err))
		return false;
	components = json_object_get(root, "components");
	for (i = 0; i < COMPONENT_TYPE_COUNT; i++) {
		enum component_type type = (enum component_type)i;
		const json_t *object = json_object_get(components, component_type_name(type));

		if (object)
			import->stack->components[i] =
				read_component(import, document, type, object, faults);
	}
	return faults_check(faults, err);
}

/* "path, region": the options in which the two differ; owned by the caller. */
static char *differences(const json_t *a, const json_t *b)
{
	json_auto_t *all = json_copy((json_t *)a);
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	const char *name, *comma = "";
	json_t *value;

	json_object_update_missing(all, (json_t *)b);
	json_object_foreach (all, name, value) {
		if (json_equal(json_object_get(a, name), json_object_get(b, name)))
			continue;
		fprintf(out, "%s%s", comma, name);
		comma = ", ";
	}
	return text_stream_take(&stream);
}

static void add_conflict(struct faults *faults, const struct component *wanted,
                         const struct component *there)
{
	const struct document_position nowhere = { 0 };
	const char *label = component_type_label(wanted->type);
	scoped(text) char *options = differences(wanted->options, there->options);

	if (!text_equal(wanted->flavor, there->flavor))
		faults_add(faults, NULL, nowhere,
		           "%s '%s' is registered with flavor '%s', not '%s'", label, wanted->name,
		           there->flavor, wanted->flavor);
	else
		faults_add(faults, NULL, nowhere, "%s '%s' is registered with other options (%s)",
		           label, wanted->name, options);
}

static bool find_component(struct import *import, const struct component *wanted,
                           struct faults *faults, struct error **err)
{
	scoped(component) struct component *there = NULL;

	if (!component_is_registered(import->project, wanted->type, wanted->name))
		return true;
	there = component_load(import->project, import->catalog, wanted->type, wanted->name, err);
	if (!there)
		return false;
	import->is_there[wanted->type] = text_equal(wanted->flavor, there->flavor) &&
	                                 json_equal(wanted->options, there->options);
	if (!import->is_there[wanted->type])
		add_conflict(faults, wanted, there);
	return true;
}

/* Component type -> name, as stack files have it. Owned by the caller. */
static json_t *component_names_of(const struct stack *stack)
{
	json_t *names = json_object();
	size_t i;

	for (i = 0; i < COMPONENT_TYPE_COUNT; i++)
		if (stack->components[i])
			json_object_set_new(names, component_type_name((enum component_type)i),
			                    json_string(stack->components[i]->name));
	return names;
}

static bool find_stack(struct import *import, struct faults *faults, struct error **err)
{
	const struct document_position nowhere = { 0 };
	const char *name = import->stack->name;
	json_auto_t *wanted = component_names_of(import->stack), *there = NULL;
	scoped(error) struct error *absent = NULL;
	scoped(text) char *types = NULL;

	there = stack_components(import->project, name, &absent);
	if (!there && absent->kind == ERROR_NOT_FOUND)
		return true;
	if (!there)
		return error_pass(err, take(absent));
	import->stack_is_there = json_equal(wanted, there);
	types = differences(wanted, there);
	if (!import->stack_is_there)
		faults_add(faults, NULL, nowhere,
		           "stack '%s' is registered with other components (%s); take another "
		           "name with --name",
		           name, types);
	return true;
}

/* Everything that stands in the way, at once. */
static bool find_conflicts(struct import *import, struct error **err)
{
	scoped(faults) struct faults *faults = faults_new();
	scoped(error) struct error *conflicts = NULL;
	size_t i;

	for (i = 0; i < COMPONENT_TYPE_COUNT; i++)
		if (import->stack->components[i] &&
		    !find_component(import, import->stack->components[i], faults, err))
			return false;
	if (!find_stack(import, faults, err))
		return false;
	if (faults_check(faults, &conflicts))
		return true;
	conflicts->kind = ERROR_CONFLICT;
	return error_pass(err, take(conflicts));
}

static bool write_stack(struct import *import, struct error **err)
{
	scoped(text) char *path = project_file_path(import->project, "stacks", import->stack->name);
	json_auto_t *file = project_file_new("Stack");

	if (import->stack_is_there)
		return true;
	json_object_set_new(file, "components", component_names_of(import->stack));
	json_array_append_new(import->written, json_string(path));
	return project_file_save(path, file, err);
}

/* The stack's file comes last: nothing refers to what is not there yet. */
static bool write_all(struct import *import, struct error **err)
{
	size_t i;

	for (i = 0; i < COMPONENT_TYPE_COUNT; i++) {
		const struct component *component = import->stack->components[i];
		scoped(text) char *path = NULL;

		if (!component || import->is_there[i])
			continue;
		path = component_file_path(import->project, component->type, component->name);
		json_array_append_new(import->written, json_string(path));
		if (!component_file_save(import->project, import->catalog, component, err))
			return false;
	}
	return write_stack(import, err);
}

static void take_back(const struct import *import)
{
	json_t *path;
	size_t i;

	json_array_foreach (import->written, i, path)
		unlink(json_string_value(path));
}

static void add_change(json_t *changes, const char *type, const char *name, bool is_there)
{
	json_array_append_new(changes,
	                      json_pack("{s:s, s:s, s:s}", "type", type, "name", name, "result",
	                                is_there ? "there already" : "registered"));
}

static json_t *changes_of(const struct import *import)
{
	const struct stack *stack = import->stack;
	json_t *changes = json_array();
	size_t i;

	for (i = 0; i < COMPONENT_TYPE_COUNT; i++)
		if (stack->components[i])
			add_change(changes, component_type_name((enum component_type)i),
			           stack->components[i]->name, import->is_there[i]);
	add_change(changes, "stack", stack->name, import->stack_is_there);
	return json_pack("{s:s, s:o}", "name", stack->name, "changes", changes);
}

json_t *stack_import(struct project *project, const struct catalog *catalog,
                     const struct document *document, const char *name, struct error **err)
{
	scoped(stack) struct stack *stack = xcalloc(1, sizeof(*stack));
	json_auto_t *written = json_array();
	struct import import = {
		.project = project, .catalog = catalog, .stack = stack, .written = written
	};
	scoped(fd) int lock = -1;

	if (!read_stack(&import, document, name, err))
		return NULL;
	lock = project_lock_changes(project, err);
	if (lock < 0 || !find_conflicts(&import, err))
		return NULL;
	if (!write_all(&import, err)) {
		take_back(&import);
		return NULL;
	}
	return changes_of(&import);
}
