/* SPDX-License-Identifier: Apache-2.0 */
/* stepop secrets-manager secret …: values go in, names and keys come out. */
#include <string.h>

#include "cli/change.h"
#include "cli/commands.h"
#include "cli/secret_values.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/catalog.h"
#include "stacks/project_file.h"
#include "stacks/secret.h"
#include "stacks/stack.h"
#include "stacks/stack_secrets.h"

/* Without -x: the active stack's secrets manager, else the only one that there is. */
static char *manager_name(const struct project *project, struct error **err)
{
	const char *type = component_type_name(COMPONENT_SECRETS_MANAGER);
	json_auto_t *components = stack_components(project, NULL, err), *names = NULL;
	const char *name = json_string_value(json_object_get(components, type));
	scoped(text) char *list = NULL;

	if (!components)
		return NULL;
	if (name)
		return xstrdup(name);
	names = component_names(project, COMPONENT_SECRETS_MANAGER, err);
	if (!names)
		return NULL;
	if (json_array_size(names) == 1)
		return xstrdup(json_string_value(json_array_get(names, 0)));
	if (!json_array_size(names))
		return error_set(err, ERROR_NOT_FOUND,
		                 "no secrets manager is registered; 'stepop secrets-manager "
		                 "register vault --flavor=local' makes one");
	return error_set(err, ERROR_USAGE,
	                 "the active stack has no secrets manager, and several are registered: "
	                 "choose one with --secrets-manager ('stepop secrets-manager list')");
}

/* A secrets manager and what it rests on. */
struct vault {
	struct project *project;
	struct loop *loop;
	struct http_client *http;
	struct secret_store *store;
	char *manager; /* the component's name */
};

static void vault_free(struct vault *vault)
{
	if (!vault)
		return;
	secret_store_free(vault->store);
	http_client_free(vault->http);
	loop_free(vault->loop);
	project_free(vault->project);
	free(vault->manager);
	free(vault);
}
DEFINE_CLEANUP(vault);

static bool open_store(struct vault *vault, const char *given, struct error **err)
{
	scoped(component) struct component *component = NULL;

	vault->project = project_open(NULL, err);
	if (!vault->project)
		return false;
	vault->manager = given ? xstrdup(given) : manager_name(vault->project, err);
	if (!vault->manager)
		return false;
	component = component_load(vault->project, catalog_built_in(), COMPONENT_SECRETS_MANAGER,
	                           vault->manager, err);
	if (!component)
		return false;
	vault->store = secret_store_open(vault->project, component, vault->http, err);
	return vault->store;
}

static struct vault *vault_open(const struct arguments *arguments, struct error **err)
{
	scoped(vault) struct vault *vault = xcalloc(1, sizeof(*vault));

	vault->loop = loop_new();
	vault->http = http_client_new(vault->loop);
	if (!open_store(vault, argument_option(arguments, "secrets-manager"), err))
		return NULL;
	return take(vault);
}

/* {"name", "schema", "keys"} of one secret; NOT_FOUND. */
static json_t *describe(struct secret_store *store, const char *name, struct error **err)
{
	json_auto_t *list = secret_list(store, err);
	json_t *row;
	size_t i;

	if (!list)
		return NULL;
	json_array_foreach (list, i, row)
		if (text_equal(json_string_value(json_object_get(row, "name")), name))
			return json_incref(row);
	secret_values_free(secret_get(store, name, err)); /* says what is near */
	return NULL;
}

static bool run_register(const struct arguments *arguments, struct error **err)
{
	const char *name = argument_at(arguments, 0),
		   *schema = argument_option(arguments, "schema");
	scoped(vault) struct vault *vault = vault_open(arguments, err);
	json_t *values = vault ? secret_values_read(argument_open(arguments), schema, err) : NULL;
	bool stored = values && secret_put(vault->store, name, schema, values, true, err);

	secret_values_free(values);
	secret_values_wipe(argument_open(arguments));
	if (!stored)
		return false;
	return change_report(argument_output(arguments), "secret", name, "registered", err);
}

/* Keys that are not named keep their values. */
static bool merge(const struct arguments *arguments, json_t *values, const char *schema,
                  struct error **err)
{
	json_t *changes = secret_values_read(argument_open(arguments), NULL, err);
	const char *const *unset;
	size_t count = argument_many(arguments, "unset", &unset), i;

	if (!changes)
		return false;
	json_object_update(values, changes);
	count += json_object_size(changes);
	secret_values_free(changes);
	for (i = 0; unset[i]; i++)
		if (json_object_del(values, unset[i]))
			return error_set(err, ERROR_NOT_FOUND, "--unset=%s: there is no such key",
			                 unset[i]);
	if (!count && !schema)
		return error_set(err, ERROR_USAGE,
		                 "nothing to change: give --key=value or --unset");
	return true;
}

static bool update(const struct arguments *arguments, struct secret_store *store,
                   struct error **err)
{
	const char *name = argument_at(arguments, 0),
		   *schema = argument_option(arguments, "schema");
	json_auto_t *described = describe(store, name, err);
	json_t *values = described ? secret_get(store, name, err) : NULL;
	bool stored;

	if (!values)
		return false;
	stored = merge(arguments, values, schema, err);
	if (!schema)
		schema = json_string_value(json_object_get(described, "schema"));
	stored = stored && secret_put(store, name, schema, values, false, err);
	secret_values_free(values);
	return stored;
}

static bool run_update(const struct arguments *arguments, struct error **err)
{
	scoped(vault) struct vault *vault = vault_open(arguments, err);
	scoped(fd) int lock = vault ? project_lock_changes(vault->project, err) : -1;
	bool updated = lock >= 0 && update(arguments, vault->store, err);

	secret_values_wipe(argument_open(arguments));
	if (!updated)
		return false;
	return change_report(argument_output(arguments), "secret", argument_at(arguments, 0),
	                     "updated", err);
}

static bool run_list(const struct arguments *arguments, struct error **err)
{
	static const struct output_column columns[] = {
		{ "name", "NAME", false },
		{ "schema", "SCHEMA", false },
		{ "keys", "KEYS", false },
		{ 0 },
	};
	scoped(vault) struct vault *vault = vault_open(arguments, err);
	json_auto_t *rows = vault ? secret_list(vault->store, err) : NULL;

	return rows && output_rows(stdout, argument_output(arguments), columns, rows, err);
}

static bool run_describe(const struct arguments *arguments, struct error **err)
{
	scoped(vault) struct vault *vault = vault_open(arguments, err);
	json_auto_t *object = vault ? describe(vault->store, argument_at(arguments, 0), err) : NULL;

	return object && output_object(stdout, argument_output(arguments), object, err);
}

static bool check_unused(const struct arguments *arguments, const struct vault *vault,
                         struct error **err)
{
	const char *name = argument_at(arguments, 0);
	scoped(text) char *users = NULL;

	if (argument_switch(arguments, "force"))
		return true;
	users = stack_secret_users(vault->project, catalog_built_in(), vault->manager, name);
	return !users || error_set(err, ERROR_CONFLICT,
	                           "secret '%s' is used by %s; change what refers to it first, or "
	                           "give --force",
	                           name, users);
}

static bool run_delete(const struct arguments *arguments, struct error **err)
{
	const char *name = argument_at(arguments, 0);
	scoped(vault) struct vault *vault = vault_open(arguments, err);

	if (!vault || !check_unused(arguments, vault, err) ||
	    !secret_remove(vault->store, name, err))
		return false;
	return change_report(argument_output(arguments), "secret", name, "deleted", err);
}

#define MANAGER_OPTION                                                             \
	{                                                                          \
		"secrets-manager", 'x', VALUE_ONE, "NAME",                         \
			"which secrets manager; default: the active stack's", NULL \
	}
#define SCHEMA_OPTION                                                              \
	{                                                                          \
		"schema", 0, VALUE_ONE, "SCHEMA",                                  \
			"aws, mysql, postgres, registry or basic (any keys)", NULL \
	}

static const char values_help[] =
	"Values: --key=value, --key=@FILE (one newline at its end is dropped), --key=- (standard "
	"input);\n--key=@@text is the text '@text'. On a terminal the keys that the schema needs "
	"are asked for,\nwithout echo. No command shows a value.";

static const struct command_option manager_options[] = { MANAGER_OPTION, { 0 } };

const struct command cmd_secret_register = {
	.words = "secrets-manager secret register",
	.arguments = "NAME",
	.summary = "keep a new secret",
	.details = values_help,
	.options = (const struct command_option[]){ SCHEMA_OPTION, MANAGER_OPTION, { 0 } },
	.examples = "  stepop secrets-manager secret register s3_authentication --schema=aws \\\n"
		    "    --aws_access_key_id=@id.txt --aws_secret_access_key=@key.txt",
	.min_arguments = 1,
	.max_arguments = 1,
	.open_options = true,
	.secret_options = true,
	.run = run_register,
};

const struct command cmd_secret_update = {
	.words = "secrets-manager secret update",
	.arguments = "NAME",
	.summary = "change values of a secret; the other keys stay",
	.details = values_help,
	.options =
		(const struct command_option[]){
			SCHEMA_OPTION,
			MANAGER_OPTION,
			{ "unset", 0, VALUE_MANY, "KEY", "remove this key", NULL },
			{ 0 },
		},
	.min_arguments = 1,
	.max_arguments = 1,
	.open_options = true,
	.secret_options = true,
	.run = run_update,
};

const struct command cmd_secret_list = {
	.words = "secrets-manager secret list",
	.arguments = "",
	.summary = "list secrets and their keys, not their values",
	.options = manager_options,
	.run = run_list,
};

const struct command cmd_secret_describe = {
	.words = "secrets-manager secret describe",
	.arguments = "NAME",
	.summary = "show the keys of a secret, not their values",
	.options = manager_options,
	.min_arguments = 1,
	.max_arguments = 1,
	.run = run_describe,
};

const struct command cmd_secret_delete = {
	.words = "secrets-manager secret delete",
	.arguments = "NAME",
	.summary = "delete a secret that no stack uses",
	.options =
		(const struct command_option[]){
			MANAGER_OPTION,
			{ "force", 0, VALUE_NONE, NULL, "even though something refers to it",
	                  NULL },
			{ 0 },
		},
	.min_arguments = 1,
	.max_arguments = 1,
	.run = run_delete,
};
