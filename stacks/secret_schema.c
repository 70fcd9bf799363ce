/* SPDX-License-Identifier: Apache-2.0 */
/* The schemas of secrets and the check of values against them. */
#include "stacks/secret_schema.h"

#include <ctype.h>
#include <jansson.h>
#include <string.h>

#include "core/document.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/secret.h"

static const struct secret_schema basic = { "basic", "any keys", NULL };

static const struct secret_schema aws = {
	"aws",
	"an access key of AWS, or of anything that speaks S3",
	(const struct secret_schema_key[]){
		{ "aws_access_key_id", true },
		{ "aws_secret_access_key", true },
		{ "aws_session_token", false },
		{ 0 },
	},
};

#define DATABASE_KEYS                                                        \
	(const struct secret_schema_key[])                                   \
	{                                                                    \
		{ "user", true }, { "password", true }, { "ssl_ca", false }, \
			{ "ssl_cert", false }, { "ssl_key", false },         \
		{                                                            \
			NULL, false                                          \
		}                                                            \
	}

static const struct secret_schema mysql = { "mysql", "a user of MySQL or MariaDB", DATABASE_KEYS };
static const struct secret_schema postgres = { "postgres", "a user of PostgreSQL", DATABASE_KEYS };

static const struct secret_schema registry = {
	"registry",
	"a user of a container registry",
	(const struct secret_schema_key[]){
		{ "username", true },
		{ "password", true },
		{ 0 },
	},
};

static const struct secret_schema *const schemas[] = { &aws,      &mysql, &postgres,
	                                               &registry, &basic, NULL };

const struct secret_schema *secret_schema_find(const char *name, struct error **err)
{
	const char *names[ARRAY_SIZE(schemas)] = { 0 };
	const char *nearest;
	size_t i;

	for (i = 0; schemas[i]; i++) {
		if (!strcmp(schemas[i]->name, name))
			return schemas[i];
		names[i] = schemas[i]->name;
	}
	nearest = text_nearest(name, names);
	if (nearest)
		return error_set(err, ERROR_INVALID,
		                 "there is no secret schema '%s'; did you mean '%s'?", name,
		                 nearest);
	return error_set(err, ERROR_INVALID,
	                 "there is no secret schema '%s'; choose aws, mysql, postgres, registry or "
	                 "basic (any keys)",
	                 name);
}

static bool is_key_name(const char *name)
{
	const char *c;

	if (!isalpha((unsigned char)*name) && *name != '_')
		return false;
	for (c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_-.", *c))
			return false;
	return true;
}

static void add(struct faults *faults, const char *key, const char *format, ...)
	__attribute__((__format__(__printf__, 3, 4)));
static void add(struct faults *faults, const char *key, const char *format, ...)
{
	const struct document_position nowhere = { 0 };
	scoped(text) char *text = NULL;
	va_list args;

	va_start(args, format);
	text = text_vprintf(format, args);
	va_end(args);
	faults_add(faults, NULL, nowhere, "--%s: %s", key, text);
}

static void check_value(const char *key, const json_t *value, struct faults *faults)
{
	if (!is_key_name(key))
		add(faults, key, "a key has letters, digits, '_', '-' and '.' only");
	else if (!json_is_string(value))
		add(faults, key, "a text is expected");
	else if (!json_string_length(value))
		add(faults, key, "the value is empty");
}

static void check_known(const struct secret_schema *schema, const char *key, struct faults *faults)
{
	const char **names, *nearest;
	size_t count = 0, i;

	while (schema->keys[count].name)
		count++;
	names = xcalloc(count + 1, sizeof(*names));
	for (i = 0; i < count; i++)
		names[i] = schema->keys[i].name;
	for (i = 0; i < count && strcmp(names[i], key); i++)
		;
	nearest = text_nearest(key, names);
	free(names);
	if (i < count)
		return;
	if (nearest)
		add(faults, key, "the schema has no such key; did you mean '--%s'?", nearest);
	else
		add(faults, key, "schema '%s' has no such key", schema->name);
}

static void check_required(const struct secret_schema *schema, const json_t *values,
                           struct faults *faults)
{
	const struct secret_schema_key *key;

	for (key = schema->keys; key->name; key++)
		if (key->required && !json_object_get(values, key->name))
			add(faults, key->name, "is required by schema '%s'", schema->name);
}

bool secret_schema_check(const char *schema, const json_t *values, struct error **err)
{
	scoped(faults) struct faults *faults = faults_new();
	const struct secret_schema *found = &basic;
	const char *key;
	json_t *value;

	if (schema)
		found = secret_schema_find(schema, err);
	if (!found)
		return false;
	json_object_foreach ((json_t *)values, key, value) {
		check_value(key, value, faults);
		if (found->keys)
			check_known(found, key, faults);
	}
	if (found->keys)
		check_required(found, values, faults);
	if (!json_object_size(values) && !found->keys)
		return error_set(err, ERROR_INVALID, "a secret needs at least one --key=value");
	return faults_check(faults, err);
}
