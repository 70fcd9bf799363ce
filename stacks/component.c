/* SPDX-License-Identifier: Apache-2.0 */
/* Component types, flavors by name, and the values of a loaded component. */
#include "stacks/component.h"

#include <assert.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/secret.h"

static const struct {
	const char *name, *label;
} types[COMPONENT_TYPE_COUNT] = {
	[COMPONENT_ORCHESTRATOR] = { "orchestrator", "orchestrator" },
	[COMPONENT_STEP_OPERATOR] = { "step-operator", "step operator" },
	[COMPONENT_ARTIFACT_STORE] = { "artifact-store", "artifact store" },
	[COMPONENT_CONTAINER_REGISTRY] = { "container-registry", "container registry" },
	[COMPONENT_SECRETS_MANAGER] = { "secrets-manager", "secrets manager" },
	[COMPONENT_METADATA_STORE] = { "metadata-store", "metadata store" },
};

const char *component_type_name(enum component_type type)
{
	assert(type < COMPONENT_TYPE_COUNT);
	return types[type].name;
}

const char *component_type_label(enum component_type type)
{
	assert(type < COMPONENT_TYPE_COUNT);
	return types[type].label;
}

bool component_type_find(const char *name, enum component_type *type)
{
	size_t i;

	for (i = 0; i < COMPONENT_TYPE_COUNT; i++) {
		if (strcmp(types[i].name, name))
			continue;
		*type = (enum component_type)i;
		return true;
	}
	return false;
}

bool component_url_check(const char *value, struct error **err)
{
	const char *authority = strstr(value, "://");
	size_t size = authority ? strcspn(authority + 3, "/?#") : 0;

	if (!text_starts_with(value, "http://") && !text_starts_with(value, "https://"))
		return error_set(err, ERROR_INVALID,
		                 "a URL that begins with https:// or http:// is expected");
	authority += 3;
	if (memchr(authority, '@', size))
		return error_set(err, ERROR_INVALID,
		                 "a URL without a user is expected; credentials are for a secret");
	if (!size || *authority == ':' || strpbrk(value, " \t\n"))
		return error_set(err, ERROR_INVALID,
		                 "'%s' is no URL of a server, such as https://host:9000", value);
	return true;
}

const struct component_flavor *catalog_find(const struct catalog *catalog, enum component_type type,
                                            const char *name)
{
	const struct component_flavor *const *flavor;

	for (flavor = catalog->flavors; *flavor; flavor++)
		if ((*flavor)->type == type && !strcmp((*flavor)->name, name))
			return *flavor;
	return NULL;
}

static void *unknown_flavor(const struct catalog *catalog, const char *name, struct error **err)
{
	const struct component_flavor *const *flavor;
	const char **names, *nearest;
	size_t count = 0;

	for (flavor = catalog->flavors; *flavor; flavor++)
		count++;
	names = xcalloc(count + 1, sizeof(*names));
	for (count = 0; catalog->flavors[count]; count++)
		names[count] = catalog->flavors[count]->name;
	nearest = text_nearest(name, names);
	free(names);
	if (nearest)
		return error_set(err, ERROR_INVALID, "unknown flavor '%s'; did you mean '%s'?",
		                 name, nearest);
	return error_set(err, ERROR_INVALID,
	                 "unknown flavor '%s'; 'stepop step-operator flavors' lists those of step "
	                 "operators, and so for each type",
	                 name);
}

const struct component_flavor *catalog_find_any(const struct catalog *catalog, const char *name,
                                                struct error **err)
{
	const struct component_flavor *const *flavor, *found = NULL;
	scoped(text) char *several = NULL;

	for (flavor = catalog->flavors; *flavor; flavor++) {
		char *longer;

		if (strcmp((*flavor)->name, name))
			continue;
		found = *flavor;
		longer = text_printf("%s%s%s", several ? several : "", several ? ", " : "",
		                     component_type_name(found->type));
		free(several);
		several = longer;
	}
	if (!found)
		return unknown_flavor(catalog, name, err);
	if (strchr(several, ','))
		return error_set(err, ERROR_INVALID,
		                 "several types have a flavor '%s' (%s): say which, as in 'stepop "
		                 "%s register NAME --flavor=%s'",
		                 name, several, component_type_name(found->type), name);
	return found;
}

void component_free(struct component *component)
{
	if (!component)
		return;
	free(component->name);
	free(component->flavor);
	/* What component_resolve() made holds values of secrets. */
	secret_values_free(component->options);
	free(component);
}

struct component *component_copy(const struct component *component)
{
	struct component *copy = xcalloc(1, sizeof(*copy));

	copy->type = component->type;
	copy->name = xstrdup(component->name);
	copy->flavor = xstrdup(component->flavor);
	copy->options = json_deep_copy(component->options);
	return copy;
}

/* Values are text, booleans, integers or mappings: what component_load() let through. */
const char *component_text(const struct component *component, const char *option,
                           const char *fallback)
{
	const char *text = json_string_value(json_object_get(component->options, option));

	return text ? text : fallback;
}

bool component_bool(const struct component *component, const char *option, bool fallback)
{
	const json_t *value = json_object_get(component->options, option);

	return json_is_boolean(value) ? json_is_true(value) : fallback;
}

int64_t component_integer(const struct component *component, const char *option, int64_t fallback)
{
	const json_t *value = json_object_get(component->options, option);

	return json_is_integer(value) ? (int64_t)json_integer_value(value) : fallback;
}

int64_t component_duration_ms(const struct component *component, const char *option,
                              int64_t fallback_ms)
{
	const char *text = component_text(component, option, NULL);
	int64_t duration_ms;

	return text && clock_parse_duration(text, &duration_ms) ? duration_ms : fallback_ms;
}
