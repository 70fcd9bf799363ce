/* SPDX-License-Identifier: Apache-2.0 */
/* Resolves the references of a component's options, and lists them. */
#include "stacks/component_secrets.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "stacks/component_options.h"
#include "stacks/secret_reference.h"

static bool has_references(const json_t *value)
{
	const char *text = json_string_value(value);
	size_t count = 0;

	return text && secret_references_check(text, &count, NULL) && count > 0;
}

/* What does not fit is not repeated, nor is what the hook says of it: it is a secret. */
static json_t *typed(const struct component_option *option, const char *text, struct error **err)
{
	json_t *value = component_option_value(option, text);

	if (value && (!option->check || option->check(text, NULL)))
		return value;
	secret_values_free(value);
	return error_set(err, ERROR_INVALID,
	                 "the value that it refers to does not fit; it should be: %s",
	                 option->help);
}

static json_t *resolve_text(const struct component_option *option, const json_t *text,
                            struct secret_store *secrets, struct error **err)
{
	scoped(secret) char *resolved = secret_resolve(secrets, json_string_value(text), err);

	if (!resolved)
		return NULL;
	return option ? typed(option, resolved, err) : json_string(resolved);
}

static json_t *resolve_mapping(const json_t *mapping, struct secret_store *secrets,
                               struct error **err)
{
	json_t *resolved = json_object(), *value, *one;
	const char *key;

	json_object_foreach ((json_t *)mapping, key, value) {
		one = has_references(value) ? resolve_text(NULL, value, secrets, err)
		                            : json_deep_copy(value);
		if (!one) {
			secret_values_free(resolved);
			return error_wrap(err, "'%s'", key);
		}
		json_object_set_new(resolved, key, one);
	}
	return resolved;
}

static json_t *resolve_option(const struct component_option *option, const json_t *value,
                              struct secret_store *secrets, struct error **err)
{
	if (json_is_object(value))
		return resolve_mapping(value, secrets, err);
	if (has_references(value))
		return resolve_text(option, value, secrets, err);
	return json_deep_copy(value);
}

struct component *component_resolve(const struct component *component,
                                    const struct component_flavor *flavor,
                                    struct secret_store *secrets, struct error **err)
{
	scoped(component) struct component *resolved = xcalloc(1, sizeof(*resolved));
	const char *name;
	json_t *value, *one;

	resolved->type = component->type;
	resolved->name = xstrdup(component->name);
	resolved->flavor = xstrdup(component->flavor);
	resolved->options = json_object();
	json_object_foreach (component->options, name, value) {
		one = resolve_option(component_option_find(flavor, name), value, secrets, err);
		if (!one)
			return error_wrap(err, "option '%s'", name);
		json_object_set_new(resolved->options, name, one);
	}
	return take(resolved);
}

static void add(json_t *references, const char *option, const char *secret, const char *key)
{
	json_t *reference =
		json_pack("{s:s, s:s, s:s?}", "option", option, "secret", secret, "key", key);
	json_t *other;
	size_t i;

	json_array_foreach (references, i, other)
		if (json_equal(other, reference))
			break;
	if (i == json_array_size(references))
		json_array_append(references, reference);
	json_decref(reference);
}

static void add_all(json_t *references, const char *option, const char *text)
{
	struct secret_reference found;
	bool any = false;

	while (secret_reference_next(text, &found, NULL)) {
		scoped(text) char *name = xstrndup(found.name, found.name_size);
		scoped(text) char *key = xstrndup(found.key, found.key_size);

		add(references, option, name, key);
		text = found.end;
		any = true;
	}
	/* authentication_secret and its like name a secret, and take it whole. */
	if (!any && text_ends_with(option, "_secret"))
		add(references, option, text, NULL);
}

json_t *component_secret_references(const struct component *component)
{
	json_t *references = json_array(), *value, *inner;
	const char *option, *key;

	json_object_foreach (component->options, option, value) {
		if (json_is_string(value))
			add_all(references, option, json_string_value(value));
		json_object_foreach (value, key, inner) {
			scoped(text) char *place = text_printf("%s: %s", option, key);

			if (has_references(inner))
				add_all(references, place, json_string_value(inner));
		}
	}
	return references;
}
