/* SPDX-License-Identifier: Apache-2.0 */
/* Options of components: read from the command line, checked wherever they come from. */
#include "stacks/component_options.h"

#include <string.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/secret_reference.h"

/* Where faults of one set of options go. */
struct checker {
	const struct component_flavor *flavor;
	const struct document *document; /* NULL: the command line */
	const json_t *options;
	struct faults *faults;
};

static const char *dashes(const struct checker *checker)
{
	return checker->document ? "" : "--";
}

static void fault(const struct checker *checker, const char *name, const char *format, ...)
	__attribute__((__format__(__printf__, 3, 4)));
static void fault(const struct checker *checker, const char *name, const char *format, ...)
{
	struct document_position at = { 0 };
	scoped(text) char *text = NULL;
	va_list args;

	va_start(args, format);
	text = text_vprintf(format, args);
	va_end(args);
	if (checker->document)
		at = document_key_position(checker->document, checker->options, name);
	faults_add(checker->faults, checker->document, at, "%s%s: %s", dashes(checker), name, text);
}

/* The option's own name for what may be an alias. */
static const char *own_name(const struct component_flavor *flavor, const char *name)
{
	const struct component_alias *alias;

	for (alias = flavor->aliases; alias && alias->alias; alias++)
		if (!strcmp(alias->alias, name))
			return alias->option;
	return name;
}

const struct component_option *component_option_find(const struct component_flavor *flavor,
                                                     const char *name)
{
	const struct component_option *option;

	name = own_name(flavor, name);
	for (option = flavor->options; option && option->name; option++)
		if (!strcmp(option->name, name))
			return option;
	return NULL;
}

static const char *nearest_option(const struct component_flavor *flavor, const char *name)
{
	const struct component_option *option;
	const char **names, *nearest;
	size_t count = 0;

	for (option = flavor->options; option && option->name; option++)
		count++;
	names = xcalloc(count + 1, sizeof(*names));
	for (count = 0, option = flavor->options; option && option->name; option++)
		names[count++] = option->name;
	nearest = text_nearest(name, names);
	free(names);
	return nearest;
}

static void unknown_option(const struct checker *checker, const char *name)
{
	const struct component_flavor *flavor = checker->flavor;
	const char *nearest = nearest_option(flavor, name);

	if (nearest)
		fault(checker, name, "flavor '%s' has no such option; did you mean '%s%s'?",
		      flavor->name, dashes(checker), nearest);
	else if (secret_is_sensitive_name(name))
		fault(checker, name,
		      "looks like the value of a secret, which no component holds; keep it in a "
		      "secrets manager ('stepop secrets-manager secret register NAME') and refer "
		      "to it");
	else
		fault(checker, name,
		      "flavor '%s' has no such option; 'stepop %s flavors %s' lists them",
		      flavor->name, component_type_name(flavor->type), flavor->name);
}

/* The value is not repeated in what is said: it may be a secret that went astray. */
static bool check_text(const struct checker *checker, const char *name, const char *text,
                       bool sensitive_name, size_t *references)
{
	scoped(error) struct error *err = NULL;

	if (!secret_references_check(text, references, &err)) {
		fault(checker, name, "%s", err->message);
		return false;
	}
	if (*references && checker->flavor->type == COMPONENT_SECRETS_MANAGER) {
		fault(checker, name,
		      "refers to a secret, but a secrets manager cannot be opened with what lies "
		      "in "
		      "it; give the value itself, or leave it to the environment");
		return false;
	}
	if ((sensitive_name && !*references) || secret_is_sensitive_value(text)) {
		fault(checker, name,
		      "holds the value of a secret; keep that in a secrets manager ('stepop "
		      "secrets-manager secret register NAME') and refer to it");
		return false;
	}
	return true;
}

static void add_error(const struct checker *checker, const char *name, const struct error *err)
{
	scoped(text) char *why = error_text(err);

	fault(checker, name, "%s", why);
}

static void check_entry(const struct checker *checker, const struct component_option *option,
                        const char *place, const char *key, const json_t *value)
{
	scoped(error) struct error *err = NULL;
	size_t references = 0;

	if (json_is_string(value)) {
		if (check_text(checker, place, json_string_value(value),
		               secret_is_sensitive_name(key), &references) &&
		    references && option->check && !option->check(key, &err))
			add_error(checker, place, err);
	} else if (!json_is_boolean(value) && !json_is_number(value)) {
		fault(checker, place, "a text, a number or a boolean is expected");
	}
}

static void check_mapping(const struct checker *checker, const struct component_option *option,
                          const char *name, const json_t *mapping)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)mapping, key, value) {
		scoped(text) char *place = text_printf("%s: %s", name, key);

		check_entry(checker, option, place, key, value);
	}
}

static bool is_shown(const struct component_flavor *flavor, const char *option)
{
	const char *const *shown = flavor->shown;

	while (shown && *shown && strcmp(*shown, option) != 0)
		shown++;
	return shown && *shown;
}

/* Hooks of flavors see values, not references to them. */
static void check_hook(const struct checker *checker, const struct component_option *option,
                       const char *name, const char *text)
{
	scoped(error) struct error *err = NULL;
	size_t references = 0;

	if (!check_text(checker, name, text, false, &references))
		return;
	if (references && is_shown(checker->flavor, option->name))
		fault(checker, name,
		      "refers to a secret, but others can read this option's value, in pods or in "
		      "arguments; give the value itself");
	else if (!references && option->check && !option->check(text, &err))
		add_error(checker, name, err);
}

static char *scalar_text(const json_t *value)
{
	if (json_is_string(value))
		return xstrdup(json_string_value(value));
	return json_dumps(value, JSON_ENCODE_ANY);
}

static const char *const expected[] = {
	[OPTION_TEXT] = "a text is expected",
	[OPTION_BOOL] = "true or false is expected",
	[OPTION_INTEGER] = "a whole number is expected",
	[OPTION_DURATION] = "a duration like 30s, 10m or 2h is expected",
	[OPTION_JSON] = "a mapping is expected, as in '{\"spark.executor.instances\": 2}'",
};

static size_t count_references(const char *text)
{
	size_t count = 0;

	secret_references_check(text, &count, NULL);
	return count;
}

/* A reference stands for a value of any scalar kind; what it stands for is known at use only. */
static bool is_of_kind(const json_t *value, enum option_kind kind)
{
	int64_t duration_ms;

	if (kind != OPTION_JSON && json_is_string(value) &&
	    count_references(json_string_value(value)))
		return true;
	switch (kind) {
	case OPTION_TEXT: /* a hand-written 1.5 or true is meant as text */
		return json_is_string(value) || json_is_number(value) || json_is_boolean(value);
	case OPTION_BOOL:
		return json_is_boolean(value);
	case OPTION_INTEGER:
		return json_is_integer(value);
	case OPTION_DURATION:
		return json_is_string(value) &&
		       clock_parse_duration(json_string_value(value), &duration_ms);
	case OPTION_JSON:
		return json_is_object(value);
	}
	return false;
}

static void check_option(const struct checker *checker, const char *name, const json_t *value)
{
	const struct component_option *option = component_option_find(checker->flavor, name);
	scoped(text) char *text = NULL;

	if (!option) {
		unknown_option(checker, name);
	} else if (!is_of_kind(value, option->kind)) {
		fault(checker, name, "%s", expected[option->kind]);
	} else if (option->kind == OPTION_JSON) {
		check_mapping(checker, option, name, value);
	} else if (json_is_string(value) && !*json_string_value(value)) {
		fault(checker, name, "the value is empty");
	} else {
		text = scalar_text(value);
		check_hook(checker, option, name, text);
	}
}

/* The value of an option under any of its names. */
static json_t *value_of(const struct component_flavor *flavor, const json_t *options,
                        const char *option)
{
	json_t *value = json_object_get(options, option);
	const struct component_alias *alias;

	for (alias = flavor->aliases; !value && alias && alias->alias; alias++)
		if (!strcmp(alias->option, option))
			value = json_object_get(options, alias->alias);
	return value;
}

static void check_required(const struct checker *checker)
{
	const struct component_option *option;

	for (option = checker->flavor->options; option && option->name; option++)
		if (option->required && !value_of(checker->flavor, checker->options, option->name))
			fault(checker, option->name, "is required: %s", option->help);
}

static void check_twice(const struct checker *checker)
{
	const struct component_alias *alias;

	for (alias = checker->flavor->aliases; alias && alias->alias; alias++)
		if (json_object_get(checker->options, alias->alias) &&
		    value_of(checker->flavor, checker->options, alias->option) !=
		            json_object_get(checker->options, alias->alias))
			fault(checker, alias->alias, "is the same as '%s%s': give one of them",
			      dashes(checker), alias->option);
}

static void check_all(const struct checker *checker)
{
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)checker->options, name, value)
		check_option(checker, name, value);
	check_twice(checker);
}

void component_options_check(const struct component_flavor *flavor, const json_t *options,
                             const struct document *document, struct faults *faults)
{
	const struct checker checker = { flavor, document, options, faults };

	check_all(&checker);
	check_required(&checker);
}

json_t *component_options_normal(const struct component_flavor *flavor, const json_t *options)
{
	const struct component_option *option;
	json_t *normal = json_object();

	for (option = flavor->options; option && option->name; option++) {
		json_t *value = value_of(flavor, options, option->name);
		scoped(text) char *text = NULL;

		if (!value)
			continue;
		if (option->kind == OPTION_TEXT && !json_is_string(value)) {
			text = scalar_text(value);
			json_object_set_new(normal, option->name, json_string(text));
		} else {
			json_object_set(normal, option->name, value);
		}
	}
	return normal;
}

/* Either a JSON mapping or one pair, KEY=VALUE, of which there may be several. */
static json_t *parse_mapping(const char *text)
{
	const char *equals = strchr(text, '=');
	json_t *mapping;

	if (text[strspn(text, " \t\n")] == '{')
		return json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	if (!equals || equals == text)
		return NULL;
	mapping = json_object();
	if (json_object_setn_new(mapping, text, equals - text, json_string(equals + 1))) {
		json_decref(mapping);
		return NULL;
	}
	return mapping;
}

/* NULL when it cannot be read as the kind; a malformed duration is seen by the check. */
static json_t *parse_text(const char *text, enum option_kind kind)
{
	int64_t number;

	if (kind != OPTION_JSON && count_references(text))
		return json_string(text);
	switch (kind) {
	case OPTION_TEXT:
	case OPTION_DURATION:
		return json_string(text);
	case OPTION_BOOL:
		if (!strcmp(text, "true") || !strcmp(text, "false"))
			return json_boolean(!strcmp(text, "true"));
		return NULL;
	case OPTION_INTEGER:
		return text_to_int64(text, INT64_MIN, INT64_MAX, &number) ? json_integer(number)
		                                                          : NULL;
	case OPTION_JSON:
		return parse_mapping(text);
	}
	return NULL;
}

json_t *component_option_value(const struct component_option *option, const char *text)
{
	json_t *value = parse_text(text, option->kind);

	if (value && is_of_kind(value, option->kind))
		return value;
	json_decref(value);
	return NULL;
}

/* Repeated mappings are merged; of anything else the second is a mistake. */
static json_t *parse_repeated(const struct checker *checker, const char *name, const json_t *texts,
                              enum option_kind kind)
{
	json_auto_t *merged = json_object();
	json_t *text;
	size_t i;

	if (kind != OPTION_JSON) {
		fault(checker, name, "is given more than once");
		return NULL;
	}
	json_array_foreach (texts, i, text) {
		json_auto_t *part = parse_mapping(json_string_value(text));

		if (!part) {
			fault(checker, name, "%s", expected[kind]);
			return NULL;
		}
		json_object_update(merged, part);
	}
	return take(merged);
}

static void parse_option(const struct checker *checker, const char *name, const json_t *text,
                         json_t *options)
{
	const struct component_option *option = component_option_find(checker->flavor, name);
	json_t *value;

	if (!option) {
		unknown_option(checker, name);
		return;
	}
	if (json_is_array(text)) {
		value = parse_repeated(checker, name, text, option->kind);
	} else {
		value = parse_text(json_string_value(text), option->kind);
		if (!value)
			fault(checker, name, "%s", expected[option->kind]);
	}
	if (value)
		json_object_set_new(options, name, value);
}

json_t *component_options_parse(const struct component_flavor *flavor, const json_t *texts,
                                unsigned flags, struct error **err)
{
	scoped(faults) struct faults *faults = faults_new();
	json_auto_t *options = json_object();
	struct checker checker = { flavor, NULL, options, faults };
	const char *name;
	json_t *text;

	json_object_foreach ((json_t *)texts, name, text)
		parse_option(&checker, name, text, options);
	check_all(&checker);
	checker.options = texts; /* what could not be read is not missing as well */
	if (!(flags & COMPONENT_OPTIONS_PARTIAL))
		check_required(&checker);
	if (!faults_check(faults, err))
		return NULL;
	return component_options_normal(flavor, options);
}
