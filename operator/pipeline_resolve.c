/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters, their overrides, and the expressions that refer to them. */
#include <string.h>

#include "core/text.h"
#include "operator/expression.h"
#include "operator/pipeline_load.h"

/* Booleans are one type, and so are numbers. */
static const char *type_name(const json_t *value)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "a mapping", [JSON_ARRAY] = "a list",  [JSON_STRING] = "text",
		[JSON_INTEGER] = "a number", [JSON_REAL] = "a number", [JSON_TRUE] = "a boolean",
		[JSON_FALSE] = "a boolean",  [JSON_NULL] = "null",
	};

	return names[json_typeof(value)];
}

/* What the text of -p means: owned; NULL after a fault. */
static json_t *override_value(struct loader *loader, const char *key, const json_t *given,
                              const json_t *declared)
{
	scoped(text) char *name = text_printf("-p %s", key);
	const char *text = json_string_value(given);
	scoped(document) struct document *document = NULL;

	if (!text)
		return json_deep_copy(given);
	if (!*text || json_is_string(declared))
		return json_string(text);
	document = document_parse_faults(name, text, strlen(text), loader->check.faults);
	return document ? json_deep_copy(document_root(document)) : NULL;
}

static void apply_override(struct loader *loader, const char *key, const json_t *given)
{
	json_t *parameters = loader->pipeline->parameters;
	const json_t *declared = json_object_get(parameters, key);
	scoped(text) char *suggestion = NULL;
	json_t *value;

	if (!declared) {
		suggestion = check_suggestion_of_keys(&loader->check, key, parameters);
		faults_add(loader->check.faults, NULL, (struct document_position){ 0 },
		           "-p %s: the pipeline has no parameter '%s'%s", key, key, suggestion);
		return;
	}
	value = override_value(loader, key, given, declared);
	if (value && !json_is_null(declared) && !text_equal(type_name(declared), type_name(value)))
		faults_add(loader->check.faults, NULL, (struct document_position){ 0 },
		           "-p %s: the parameter is %s in the pipeline file, not %s", key,
		           type_name(declared), type_name(value));
	if (value)
		json_object_set_new_nocheck(parameters, key, value);
}

/* Parameters are what expressions refer to. */
static void refuse_expressions(struct loader *loader, const json_t *value)
{
	const char *key;
	json_t *part;
	size_t i;

	if (json_is_string(value) && strstr(json_string_value(value), "${{"))
		LOADER_FAULT(loader, document_position(loader->document, value),
		             "expressions are not resolved in the pipeline's parameters");
	json_array_foreach (value, i, part)
		refuse_expressions(loader, part);
	json_object_foreach ((json_t *)value, key, part)
		refuse_expressions(loader, part);
}

void pipeline_load_parameters(struct loader *loader, const json_t *overrides)
{
	const json_t *declared = json_object_get(document_root(loader->document), "parameters");
	const char *key;
	json_t *given;

	refuse_expressions(loader, declared);
	loader->pipeline->parameters =
		json_is_object(declared) ? json_deep_copy(declared) : json_object();
	json_object_foreach ((json_t *)overrides, key, given)
		apply_override(loader, key, given);
	loader->scope = json_pack("{s:O, s:{s:s}}", "parameters", loader->pipeline->parameters,
	                          "pipeline", "name", loader->pipeline->name);
}

static void add_expression_fault(void *context, const json_t *at, const char *message)
{
	struct loader *loader = context;

	LOADER_FAULT(loader, document_position(loader->document, at), "%s", message);
}

/* String by string, so that one bad expression spoils nothing else. */
static json_t *resolve_text(struct loader *loader, const json_t *text)
{
	json_t *resolved;

	if (!strstr(json_string_value(text), "${{"))
		return json_incref((json_t *)text);
	resolved = expression_resolve(text, loader->scope, add_expression_fault, loader);
	return resolved ? resolved : json_incref((json_t *)loader->check.unknown);
}

/* What holds no expression is shared with the document, and so are its places. */
static json_t *resolve(struct loader *loader, const json_t *value)
{
	json_t *copy, *part, *resolved;
	bool is_same = true;
	const char *key;
	size_t i;

	if (json_is_string(value))
		return resolve_text(loader, value);
	if (!json_is_array(value) && !json_is_object(value))
		return json_incref((json_t *)value);
	copy = json_is_array(value) ? json_array() : json_object();
	json_array_foreach (value, i, part) {
		resolved = resolve(loader, part);
		is_same = is_same && resolved == part;
		json_array_append_new(copy, resolved);
	}
	json_object_foreach ((json_t *)value, key, part) {
		resolved = resolve(loader, part);
		is_same = is_same && resolved == part;
		json_object_set_new_nocheck(copy, key, resolved);
	}
	if (!is_same)
		return copy;
	json_decref(copy);
	return json_incref((json_t *)value);
}

/* The edges of the graph can be seen without knowing the parameters. */
static bool is_resolved_field(const char *key)
{
	static const char *const literal[] = { "inputs", "outputs", "after", NULL };
	size_t i;

	for (i = 0; literal[i]; i++)
		if (text_equal(key, literal[i]))
			return false;
	return true;
}

static json_t *resolve_step(struct loader *loader, const json_t *step)
{
	json_t *copy, *field;
	const char *key;

	if (!json_is_object(step))
		return json_incref((json_t *)step);
	copy = json_object();
	json_object_foreach ((json_t *)step, key, field)
		json_object_set_new_nocheck(copy, key,
		                            is_resolved_field(key) ? resolve(loader, field)
		                                                   : json_incref(field));
	return copy;
}

static json_t *resolve_steps(struct loader *loader, const json_t *steps)
{
	json_t *copy, *step;
	const char *name;

	if (!json_is_object(steps))
		return json_incref((json_t *)steps);
	copy = json_object();
	json_object_foreach ((json_t *)steps, name, step)
		json_object_set_new_nocheck(copy, name, resolve_step(loader, step));
	return copy;
}

void pipeline_load_resolve(struct loader *loader)
{
	const json_t *root = document_root(loader->document);
	json_t *value;
	const char *key;

	loader->resolved = json_is_object(root) ? json_object() : json_incref((json_t *)root);
	json_object_foreach ((json_t *)root, key, value) {
		json_t *copy = text_equal(key, "settings") ? resolve(loader, value)
		               : text_equal(key, "steps")  ? resolve_steps(loader, value)
		                                           : json_incref(value);

		json_object_set_new_nocheck(loader->resolved, key, copy);
	}
	document_copy_places(loader->document, root, loader->resolved);
}
