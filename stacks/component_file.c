/* SPDX-License-Identifier: Apache-2.0 */
/* Component files: register, update, load, delete, list. */
#include "stacks/component_file.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/document.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/component_options.h"
#include "stacks/project_file.h"
#include "stacks/stack.h"

#define NAME_LIMIT 63

bool component_name_check(const char *what, const char *name, struct error **err)
{
	const char *c;

	if (!isalpha((unsigned char)*name) || strlen(name) > NAME_LIMIT)
		return error_set(err, ERROR_INVALID,
		                 "%s '%s': a name begins with a letter and has at most %d "
		                 "characters",
		                 what, name, NAME_LIMIT);
	for (c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '_' && *c != '-')
			return error_set(err, ERROR_INVALID,
			                 "%s '%s': only letters, digits, '_' and '-' may be in a "
			                 "name",
			                 what, name);
	return true;
}

static char *folder_of(enum component_type type)
{
	return text_printf("components/%s", component_type_name(type));
}

char *component_file_path(const struct project *project, enum component_type type, const char *name)
{
	scoped(text) char *folder = folder_of(type);

	return project_file_path(project, folder, name);
}

json_t *component_names(const struct project *project, enum component_type type, struct error **err)
{
	scoped(text) char *folder = folder_of(type);

	return project_file_names(project, folder, err);
}

static void *not_registered(const struct project *project, enum component_type type,
                            const char *name, struct error **err)
{
	json_auto_t *names = component_names(project, type, NULL);
	const char *nearest = project_file_nearest(names, name);

	if (nearest)
		return error_set(err, ERROR_NOT_FOUND, "no %s named '%s'; did you mean '%s'?",
		                 component_type_label(type), name, nearest);
	return error_set(err, ERROR_NOT_FOUND,
	                 "no %s named '%s'; 'stepop %s register %s --flavor=…' makes one",
	                 component_type_label(type), name, component_type_name(type), name);
}

bool component_is_registered(const struct project *project, enum component_type type,
                             const char *name)
{
	scoped(text) char *path = component_file_path(project, type, name);

	return component_name_check("component", name, NULL) && file_exists(path);
}

bool component_file_save(const struct project *project, const struct catalog *catalog,
                         const struct component *component, struct error **err)
{
	const struct component_flavor *flavor =
		catalog_find(catalog, component->type, component->flavor);
	scoped(text) char *path = component_file_path(project, component->type, component->name);
	json_auto_t *file = project_file_new("Component");
	json_auto_t *options = component_options_normal(flavor, component->options);

	json_object_set_new(file, "flavor", json_string(component->flavor));
	if (json_object_size(options))
		json_object_set(file, "options", options);
	return project_file_save(path, file, err);
}

static const struct component_flavor *
flavor_of(const struct catalog *catalog, const struct component *component, struct error **err)
{
	const struct component_flavor *flavor, *other;

	flavor = catalog_find(catalog, component->type, component->flavor);
	if (flavor)
		return flavor;
	other = catalog_find_any(catalog, component->flavor, err);
	if (!other)
		return NULL;
	return error_set(err, ERROR_INVALID, "flavor '%s' is one of type '%s', not '%s'",
	                 component->flavor, component_type_name(other->type),
	                 component_type_name(component->type));
}

static bool check(const struct catalog *catalog, const struct component *component,
                  struct error **err)
{
	const struct component_flavor *flavor = flavor_of(catalog, component, err);
	scoped(faults) struct faults *faults = faults_new();

	if (!flavor)
		return false;
	component_options_check(flavor, component->options, NULL, faults);
	return faults_check(faults, err);
}

bool component_register(struct project *project, const struct catalog *catalog,
                        const struct component *component, struct error **err)
{
	const char *label = component_type_label(component->type);
	scoped(fd) int lock = -1;

	if (!component_name_check(label, component->name, err) || !check(catalog, component, err))
		return false;
	lock = project_lock_changes(project, err);
	if (lock < 0)
		return false;
	if (component_is_registered(project, component->type, component->name))
		return error_set(err, ERROR_CONFLICT,
		                 "%s '%s' is there already; 'stepop %s update %s' changes it",
		                 label, component->name, component_type_name(component->type),
		                 component->name);
	return component_file_save(project, catalog, component, err);
}

static void read_flavor(struct component *component, const struct catalog *catalog,
                        const struct document *document, const json_t *object,
                        struct faults *faults)
{
	const json_t *value = json_object_get(object, "flavor");
	scoped(error) struct error *err = NULL;

	if (!json_is_string(value)) {
		faults_add(faults, document, document_position(document, value ? value : object),
		           "'flavor' is missing or no text");
		return;
	}
	free(component->flavor);
	component->flavor = xstrdup(json_string_value(value));
	if (!flavor_of(catalog, component, &err))
		faults_add(faults, document, document_position(document, value), "%s",
		           err->message);
}

static void read_options(struct component *component, const struct catalog *catalog,
                         const struct document *document, const json_t *object,
                         struct faults *faults)
{
	const struct component_flavor *flavor;
	json_t *value = json_object_get(object, "options");
	json_auto_t *options = json_is_null(value) || !value ? json_object() : json_incref(value);

	flavor = component->flavor ? catalog_find(catalog, component->type, component->flavor)
	                           : NULL;
	if (!flavor)
		return;
	if (!json_is_object(options)) {
		faults_add(faults, document, document_position(document, value),
		           "'options' must be a mapping");
		return;
	}
	component_options_check(flavor, options, document, faults);
	component->options = component_options_normal(flavor, options);
}

void component_file_parse(struct component *component, const struct catalog *catalog,
                          const struct document *document, const json_t *object,
                          struct faults *faults)
{
	read_flavor(component, catalog, document, object, faults);
	read_options(component, catalog, document, object, faults);
}

struct component *component_load(const struct project *project, const struct catalog *catalog,
                                 enum component_type type, const char *name, struct error **err)
{
	static const char *const fields[] = { "flavor", "options", NULL };
	scoped(component) struct component *component = xcalloc(1, sizeof(*component));
	scoped(faults) struct faults *faults = faults_new();
	scoped(text) char *path = component_file_path(project, type, name);
	scoped(document) struct document *document = NULL;

	if (!component_is_registered(project, type, name))
		return not_registered(project, type, name, err);
	document = project_file_read(path, "Component", fields, faults, err);
	if (!document)
		return NULL;
	component->type = type;
	component->name = xstrdup(name);
	component_file_parse(component, catalog, document, document_root(document), faults);
	if (!faults_check(faults, err))
		return NULL;
	return take(component);
}

static void merge(json_t *stored, const json_t *options)
{
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)options, name, value) {
		if (json_is_null(value))
			json_object_del(stored, name);
		else
			json_object_set(stored, name, value);
	}
}

bool component_update(struct project *project, const struct catalog *catalog,
                      enum component_type type, const char *name, const json_t *options,
                      struct error **err)
{
	scoped(component) struct component *component = NULL;
	scoped(fd) int lock = project_lock_changes(project, err);

	if (lock < 0)
		return false;
	component = component_load(project, catalog, type, name, err);
	if (!component)
		return false;
	merge(component->options, options);
	return check(catalog, component, err) &&
	       component_file_save(project, catalog, component, err);
}

/* The stacks that have the component, as "'a', 'b'"; NULL: none; owned by the caller. */
static char *stacks_with(const struct project *project, enum component_type type, const char *name)
{
	json_auto_t *stacks = stack_names(project, NULL);
	char *users = NULL;
	json_t *stack;
	size_t i;

	json_array_foreach (stacks, i, stack) {
		const char *user = json_string_value(stack);
		json_auto_t *components = stack_components(project, user, NULL);
		const json_t *used = json_object_get(components, component_type_name(type));
		char *longer;

		if (!text_equal(json_string_value(used), name))
			continue;
		longer = text_printf("%s%s'%s'", users ? users : "", users ? ", " : "", user);
		free(users);
		users = longer;
	}
	return users;
}

bool component_delete(struct project *project, enum component_type type, const char *name,
                      struct error **err)
{
	scoped(text) char *path = component_file_path(project, type, name);
	scoped(text) char *users = NULL;
	scoped(fd) int lock = project_lock_changes(project, err);

	if (lock < 0)
		return false;
	if (!component_is_registered(project, type, name))
		return not_registered(project, type, name, err);
	users = stacks_with(project, type, name);
	if (users)
		return error_set(err, ERROR_CONFLICT,
		                 "%s '%s' is part of stack %s; delete the stack, or give it "
		                 "another %s, first",
		                 component_type_label(type), name, users,
		                 component_type_label(type));
	if (unlink(path) < 0)
		return error_set(err, ERROR_INTERNAL, "delete %s: %s", path, strerror(errno));
	return true;
}
