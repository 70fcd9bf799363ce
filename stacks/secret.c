/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets managers by flavor, the callers' side of their hooks, and values wiped after use. */
#include "stacks/secret.h"

#include <assert.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "stacks/secret_reference.h"

static const struct secret_flavor *const flavors[] = { &secret_local, &secret_aws,
	                                               &secret_kubernetes };

const struct secret_flavor *secret_flavor_find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flavors); i++)
		if (!strcmp(flavors[i]->component->name, name))
			return flavors[i];
	return NULL;
}

struct secret_store *secret_store_open(const struct project *project,
                                       const struct component *component, struct http_client *http,
                                       struct error **err)
{
	const struct secret_flavor *flavor = secret_flavor_find(component->flavor);
	struct secret_store *store;

	assert(component->type == COMPONENT_SECRETS_MANAGER);
	if (!flavor)
		return error_set(err, ERROR_INVALID, "no secrets manager has the flavor '%s'",
		                 component->flavor);
	store = flavor->open(project, component, http, err);
	if (!store)
		return error_wrap(err, "secrets manager '%s'", component->name);
	return store;
}

void secret_store_free(struct secret_store *store)
{
	if (store)
		store->flavor->close(store);
}

json_t *secret_get(struct secret_store *store, const char *name, struct error **err)
{
	json_t *values = store->flavor->get(store, name, err);

	if (!values)
		return error_wrap(err, "secret '%s'", name);
	return values;
}

bool secret_put(struct secret_store *store, const char *name, const char *schema,
                const json_t *values, bool create_only, struct error **err)
{
	if (!component_name_check("secret", name, err))
		return false;
	if (!secret_schema_check(schema, values, err) ||
	    !store->flavor->put(store, name, schema, values, create_only, err))
		return error_wrap(err, "secret '%s'", name);
	return true;
}

bool secret_remove(struct secret_store *store, const char *name, struct error **err)
{
	if (!store->flavor->remove(store, name, err))
		return error_wrap(err, "secret '%s'", name);
	return true;
}

json_t *secret_list(struct secret_store *store, struct error **err)
{
	return store->flavor->list(store, err);
}

void secret_probe(struct secret_store *store, struct probe_report *report)
{
	if (store->flavor->probe)
		store->flavor->probe(store, report);
}

/* Somebody else may still hold a value that is counted more than once: it is not ours to wipe. */
static void wipe(json_t *values)
{
	const char *key;
	json_t *value;
	size_t i;

	if (!values || values->refcount != 1)
		return;
	if (json_is_string(values))
		text_wipe((char *)json_string_value(values), json_string_length(values));
	json_object_foreach (values, key, value)
		wipe(value);
	json_array_foreach (values, i, value)
		wipe(value);
}

void secret_values_free(json_t *values)
{
	wipe(values);
	json_decref(values);
}

static void *unknown_key(const json_t *values, const char *name, const char *key,
                         struct error **err)
{
	const char **keys = xcalloc(json_object_size(values) + 1, sizeof(*keys));
	const char *other, *nearest;
	size_t count = 0;
	json_t *value;

	json_object_foreach ((json_t *)values, other, value)
		keys[count++] = other;
	nearest = text_nearest(key, keys);
	free(keys);
	if (nearest)
		return error_set(err, ERROR_NOT_FOUND,
		                 "secret '%s' has no key '%s'; did you mean '%s'?", name, key,
		                 nearest);
	return error_set(err, ERROR_NOT_FOUND,
	                 "secret '%s' has no key '%s'; 'stepop secrets-manager secret describe %s' "
	                 "lists its keys",
	                 name, key, name);
}

const char *secret_value(const json_t *values, const char *name, const char *key,
                         struct error **err)
{
	const char *value = json_string_value(json_object_get(values, key));

	return value ? value : unknown_key(values, name, key, err);
}

static char *value_of(struct secret_store *store, const struct secret_reference *reference,
                      struct error **err)
{
	scoped(text) char *name = xstrndup(reference->name, reference->name_size);
	scoped(text) char *key = xstrndup(reference->key, reference->key_size);
	json_t *values;
	char *copy;

	if (!store)
		return error_set(err, ERROR_INVALID,
		                 "{{%s.%s}} refers to a secret, but the stack has no secrets "
		                 "manager; give it one with 'stepop stack update … -x NAME'",
		                 name, key);
	values = secret_get(store, name, err);
	if (!values)
		return NULL;
	copy = text_copy(secret_value(values, name, key, err));
	secret_values_free(values);
	return copy;
}

/* Appends without leaving a copy of what was there before. */
static void append(char **text, const char *more, size_t more_size)
{
	size_t size = *text ? strlen(*text) : 0;
	char *longer = xcalloc(size + more_size + 1, 1);

	if (*text)
		memcpy(longer, *text, size);
	memcpy(longer + size, more, more_size);
	secret_free(*text);
	*text = longer;
}

char *secret_resolve(struct secret_store *store, const char *text, struct error **err)
{
	scoped(secret) char *resolved = NULL;
	scoped(error) struct error *fault = NULL;
	struct secret_reference found;

	while (secret_reference_next(text, &found, &fault)) {
		scoped(secret) char *value = value_of(store, &found, err);

		if (!value)
			return NULL;
		append(&resolved, text, found.start - text);
		append(&resolved, value, strlen(value));
		text = found.end;
	}
	if (fault)
		return error_pass(err, take(fault));
	append(&resolved, text, strlen(text));
	return take(resolved);
}
