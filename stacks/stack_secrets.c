/* SPDX-License-Identifier: Apache-2.0 */
/* Looks up every reference of every component. */
#include "stacks/stack_secrets.h"

#include "core/memory.h"
#include "core/text.h"
#include "stacks/component_secrets.h"

/* `*is_there`: the secret itself, whatever its keys. */
static bool look_up(struct secret_store *secrets, const char *name, const char *key, bool *is_there,
                    struct error **err)
{
	json_t *values;
	bool found;

	*is_there = false;
	if (!secrets)
		return error_set(err, ERROR_INVALID,
		                 "it refers to secret '%s', but the stack has no secrets manager "
		                 "that can be opened; 'stepop stack update … -x NAME' gives it one",
		                 name);
	values = secret_get(secrets, name, err);
	if (!values)
		return false;
	*is_there = true;
	found = !key || secret_value(values, name, key, err);
	secret_values_free(values);
	return found;
}

static bool probe_reference(const struct stack *stack, struct secret_store *secrets,
                            const json_t *reference, struct probe_report *report)
{
	const struct component *manager = stack->components[COMPONENT_SECRETS_MANAGER];
	const char *option = json_string_value(json_object_get(reference, "option"));
	const char *name = json_string_value(json_object_get(reference, "secret"));
	const char *key = json_string_value(json_object_get(reference, "key"));
	scoped(error) struct error *err = NULL;
	scoped(text) char *advice = NULL;
	bool is_there;

	if (look_up(secrets, name, key, &is_there, &err))
		return true;
	if (manager && err->kind == ERROR_NOT_FOUND)
		advice = text_printf("stepop secrets-manager secret %s %s -x %s --%s=@FILE",
		                     is_there ? "update" : "register", name, manager->name,
		                     key ? key : "KEY");
	error_wrap(&err, "option '%s'", option);
	probe_fault(report, "secrets", advice, err);
	return false;
}

bool stack_secrets_probe(const struct stack *stack, enum component_type type,
                         struct secret_store *secrets, struct probe_report *report)
{
	const struct component *component = stack->components[type];
	json_auto_t *references = component ? component_secret_references(component) : NULL;
	size_t i, found = 0, count = json_array_size(references);
	json_t *reference;

	if (!count)
		return true;
	probe_begin(report, type, component->name);
	json_array_foreach (references, i, reference)
		found += probe_reference(stack, secrets, reference, report);
	if (found == count)
		probe_ok(report, "secrets", "%zu of %zu references found", found, count);
	return found == count;
}

static bool refers_to(const struct component *component, const char *secret)
{
	json_auto_t *references = component_secret_references(component);
	const json_t *reference;
	size_t i;

	json_array_foreach (references, i, reference)
		if (text_equal(json_string_value(json_object_get(reference, "secret")), secret))
			return true;
	return false;
}

static void add_users(FILE *out, const struct stack *stack, const char *secret, size_t *count)
{
	size_t i;

	for (i = 0; i < COMPONENT_TYPE_COUNT; i++) {
		const struct component *component = stack->components[i];

		if (component && refers_to(component, secret))
			fprintf(out, "%s%s '%s' of stack '%s'", (*count)++ ? ", " : "",
			        component_type_label(component->type), component->name,
			        stack->name);
	}
}

char *stack_secret_users(const struct project *project, const struct catalog *catalog,
                         const char *manager, const char *secret)
{
	json_auto_t *names = stack_names(project, NULL);
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	scoped(text) char *users = NULL;
	size_t count = 0, i;
	json_t *name;

	json_array_foreach (names, i, name) {
		scoped(stack) struct stack *stack =
			stack_load(project, catalog, json_string_value(name), NULL);
		const struct component *own =
			stack ? stack->components[COMPONENT_SECRETS_MANAGER] : NULL;

		if (own && text_equal(own->name, manager))
			add_users(out, stack, secret, &count);
	}
	users = text_stream_take(&stream);
	return count ? take(users) : NULL;
}
