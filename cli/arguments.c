/* SPDX-License-Identifier: Apache-2.0 */
/* Reads argv by the tables of commands and options. */
#include "cli/command.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"

#define MAX_WORDS 3

struct arguments {
	const struct command *command;
	const char **positional;
	size_t positional_count;
	json_t *values;       /* option name -> array of strings; switches: an empty array */
	json_t *open;         /* open option, snake case -> string */
	const char **scratch; /* what argument_many() gave last */
};

void arguments_free(struct arguments *arguments)
{
	if (!arguments)
		return;
	free(arguments->positional);
	json_decref(arguments->values);
	json_decref(arguments->open);
	free(arguments->scratch);
	free(arguments);
}

/* "service_account" and "service-account" are the same option. */
static bool same_name(const char *typed, size_t size, const char *name)
{
	size_t i;

	for (i = 0; i < size && name[i]; i++)
		if (typed[i] != name[i] && !(typed[i] == '_' && name[i] == '-') &&
		    !(typed[i] == '-' && name[i] == '_'))
			return false;
	return i == size && !name[i];
}

static const struct command_option *find_in(const struct command_option *options, const char *typed,
                                            size_t size, char letter)
{
	for (; options && options->name; options++)
		if (letter ? options->letter == letter : same_name(typed, size, options->name))
			return options;
	return NULL;
}

/* Of the command's own tables. */
static const struct command_option *find_option(const struct command *command, const char *typed,
                                                size_t size, char letter)
{
	const struct command_option *found;

	if (!command)
		return NULL;
	found = find_in(command->options, typed, size, letter);
	if (!found && command->shared_options)
		found = find_in(command->shared_options(), typed, size, letter);
	return found;
}

static bool is_help(const char *argument)
{
	return !strcmp(argument, "-h") || !strcmp(argument, "--help");
}

/* "register" of "stack register" at `position` words. */
static bool word_matches(const struct command *command, const char *const *words, size_t count)
{
	const char *rest = command->words;
	size_t i;

	for (i = 0; i < count; i++) {
		size_t size = strlen(words[i]);

		if (strncmp(rest, words[i], size) || (rest[size] && rest[size] != ' '))
			return false;
		rest += size + (rest[size] == ' ');
	}
	return !*rest;
}

static const struct command *find_command(const char *const *words, size_t count)
{
	const struct command *const *command;

	for (command = command_list(); *command; command++)
		if (word_matches(*command, words, count))
			return *command;
	return NULL;
}

/* "stack" alone: "'stack' goes with register, list, …" */
static char *group_verbs(const char *word)
{
	scoped(text) char *prefix = text_printf("%s ", word);
	const struct command *const *command;
	struct text_stream stream;
	bool any = false;

	text_stream_open(&stream);
	for (command = command_list(); *command; command++)
		if (text_starts_with((*command)->words, prefix)) {
			fprintf(stream.file, "%s%s", any ? ", " : "",
			        (*command)->words + strlen(prefix));
			any = true;
		}
	return text_stream_take(&stream);
}

/* Suggests among whole command lines and their first words. */
static void *unknown_command(const char *const *words, size_t count, struct error **err)
{
	const struct command *const *command;
	const char *typed = words[0], *near;
	scoped(text) char *two = count > 1 ? text_printf("%s %s", words[0], words[1]) : NULL;
	scoped(text) char *verbs = group_verbs(typed);
	const char **names;
	size_t n = 0;

	if (*verbs && !two)
		return error_set(err, ERROR_USAGE, "'%s' goes with one of: %s", typed, verbs);
	for (command = command_list(); *command; command++)
		n++;
	names = xcalloc(n + 1, sizeof(*names));
	for (n = 0, command = command_list(); *command; command++)
		names[n++] = (*command)->words;
	near = two ? text_nearest(two, names) : NULL;
	near = near ? near : text_nearest(typed, names);
	free(names);
	error_set(err, ERROR_USAGE, "unknown command '%s'%s%s%s", two ? two : typed,
	          near ? "; did you mean '" : "; 'stepop help' lists the commands",
	          near ? near : "", near ? "'?" : "");
	return NULL;
}

struct reader {
	struct arguments *arguments;
	char **argv;
	int argc, at;
	struct error **err;
};

static void *unknown_option(struct reader *reader, const char *typed, size_t size)
{
	const struct command *command = reader->arguments->command;
	const struct command_option *tables[] = {
		command ? command->options : NULL,
		command && command->shared_options ? command->shared_options() : NULL,
		command_global_options(),
	};
	scoped(text) char *name = xstrndup(typed, size);
	const char *refusal = command && command->refusal ? command->refusal(name) : NULL;
	const char *names[96], *near;
	size_t n = 0, i;

	if (refusal)
		return error_set(reader->err, ERROR_USAGE, "--%s %s", name, refusal);
	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		const struct command_option *option = tables[i];

		for (; option && option->name && n < ARRAY_SIZE(names) - 1; option++)
			names[n++] = option->name;
	}
	names[n] = NULL;
	near = text_nearest(name, names);
	return error_set(reader->err, ERROR_USAGE, "unknown option '--%s'%s%s%s", name,
	                 near ? "; did you mean '--" : "", near ? near : "", near ? "'?" : "");
}

static bool check_choice(struct reader *reader, const struct command_option *option,
                         const char *value)
{
	const char *const *choice;
	struct text_stream stream;
	scoped(text) char *list = NULL;

	if (!option->choices)
		return true;
	text_stream_open(&stream);
	for (choice = option->choices; *choice; choice++) {
		if (!strcmp(*choice, value)) {
			free(text_stream_take(&stream));
			return true;
		}
		fprintf(stream.file, "%s%s", choice == option->choices ? "" : ", ", *choice);
	}
	list = text_stream_take(&stream);
	return error_set(reader->err, ERROR_USAGE, "--%s is one of %s; not '%s'", option->name,
	                 list, value);
}

/* What is behind the '=' of an argument vanishes from the process list. */
static void wipe_argument(char *value)
{
	memset(value, '*', strlen(value));
}

/* `value` NULL: the next argument is the value. */
static bool take_option(struct reader *reader, const struct command_option *option, char *value)
{
	const struct command *command = reader->arguments->command;
	json_t *values = json_object_get(reader->arguments->values, option->name);

	if (option->value == VALUE_NONE && value)
		return error_set(reader->err, ERROR_USAGE, "--%s takes no value", option->name);
	if (!values) {
		values = json_array();
		json_object_set_new(reader->arguments->values, option->name, values);
	}
	if (option->value == VALUE_NONE)
		return true;
	if (!value && reader->at < reader->argc)
		value = reader->argv[reader->at++];
	if (!value)
		return error_set(reader->err, ERROR_USAGE, "--%s needs a value: %s", option->name,
		                 option->placeholder);
	if (!check_choice(reader, option, value))
		return false;
	if (option->value == VALUE_ONE)
		json_array_clear(values);
	if (json_array_append_new(values, json_string(value)))
		return error_set(reader->err, ERROR_USAGE, "the value of --%s is not UTF-8",
		                 option->name);
	if (command && command->is_secret && strchr(value, '=') &&
	    command->is_secret(option, value))
		wipe_argument(strchr(value, '=') + 1);
	return true;
}

/* The second and later values of one option make it an array. Takes over `value`. */
static bool add_open(json_t *open, const char *name, json_t *value)
{
	json_t *there = json_object_get(open, name), *array;

	if (!value || !there)
		return !json_object_set_new(open, name, value);
	if (json_is_array(there))
		return !json_array_append_new(there, value);
	array = json_array();
	json_array_append(array, there);
	json_array_append_new(array, value);
	return !json_object_set_new(open, name, array);
}

/* "-1" and "-" (standard input) are values; "-q" is an option, lest it becomes a password. */
static bool is_value(const char *argument)
{
	return *argument != '-' || !argument[1] || strchr("0123456789.", argument[1]);
}

static bool take_open(struct reader *reader, const char *typed, size_t size, char *value)
{
	scoped(text) char *name = xstrndup(typed, size);
	bool secret = reader->arguments->command->secret_options, added;
	char *at;

	for (at = name; *at; at++)
		*at = *at == '-' ? '_' : *at;
	if (!value && reader->at < reader->argc && is_value(reader->argv[reader->at]))
		value = reader->argv[reader->at++];
	added = add_open(reader->arguments->open, name,
	                 value    ? json_string(value)
	                 : secret ? json_null()
	                          : json_string("true"));
	if (value && secret)
		wipe_argument(value);
	if (!added)
		return error_set(reader->err, ERROR_USAGE, "the value of --%s is not UTF-8", name);
	return true;
}

/* Of the global options, those that an open option never means. */
static bool is_never_open(const struct command_option *option)
{
	static const char *const names[] = { "output", "quiet", "verbose", "no-color", "progress" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(option->name, names[i]))
			return true;
	return false;
}

static bool take_long(struct reader *reader, char *argument)
{
	const struct command *command = reader->arguments->command;
	const char *typed = argument + 2;
	size_t size = strcspn(typed, "=");
	char *value = typed[size] ? argument + 2 + size + 1 : NULL;
	const struct command_option *option = find_option(command, typed, size, 0);
	const struct command_option *global = find_in(command_global_options(), typed, size, 0);

	if (!option && global && (!command || !command->open_options || is_never_open(global)))
		option = global;
	if (option)
		return take_option(reader, option, value);
	if (command && command->open_options && size)
		return take_open(reader, typed, size, value);
	return unknown_option(reader, typed, size);
}

/* -v, -fn NAME, -nNAME, -o=json */
static bool take_short(struct reader *reader, char *argument)
{
	const struct command *command = reader->arguments->command;
	char *letter = argument + 1;

	while (*letter) {
		const struct command_option *option = find_option(command, NULL, 0, *letter);
		char *rest = letter + 1 + (letter[1] == '=');

		option = option ? option : find_in(command_global_options(), NULL, 0, *letter);
		if (!option)
			return error_set(reader->err, ERROR_USAGE, "unknown option '-%c'", *letter);
		if (option->value != VALUE_NONE)
			return take_option(reader, option, *rest ? rest : NULL);
		if (!take_option(reader, option, NULL))
			return false;
		letter++;
	}
	return true;
}

/* The words of the command stand first among what is no global option. */
static bool find_words(struct reader *reader, bool *help)
{
	struct arguments *arguments = reader->arguments;
	const char *words[MAX_WORDS];
	const struct command *found = NULL;
	size_t count = 0;
	int after = reader->at;

	while (reader->at < reader->argc && count < MAX_WORDS) {
		char *argument = reader->argv[reader->at];

		if (is_help(argument)) {
			*help = true;
			reader->at++;
			continue;
		}
		if (*argument == '-' && argument[1]) {
			if (found)
				break;
			reader->at++;
			if (!(argument[1] == '-' ? take_long(reader, argument)
			                         : take_short(reader, argument)))
				return false;
			after = reader->at;
			continue;
		}
		words[count++] = argument;
		reader->at++;
		if (find_command(words, count)) {
			found = find_command(words, count);
			after = reader->at;
			if (found->takes_program)
				break;
		}
	}
	arguments->command = found;
	reader->at = after;
	return found || *help || (count && unknown_command(words, count, reader->err)) || !count;
}

static bool check_count(const struct arguments *arguments, struct error **err)
{
	const struct command *command = arguments->command;

	if (arguments->positional_count < command->min_arguments)
		return error_set(err, ERROR_USAGE, "'%s' needs %s", command->words,
		                 command->arguments);
	if (arguments->positional_count > command->max_arguments)
		return error_set(err, ERROR_USAGE, "unexpected argument '%s'",
		                 arguments->positional[command->max_arguments]);
	return true;
}

static bool read_rest(struct reader *reader, bool *help)
{
	struct arguments *arguments = reader->arguments;
	bool names_only = false;

	while (reader->at < reader->argc) {
		char *argument = reader->argv[reader->at++];

		if (names_only || *argument != '-' || !argument[1]) {
			arguments->positional[arguments->positional_count++] = argument;
			names_only = names_only || arguments->command->takes_program;
		} else if (!strcmp(argument, "--")) {
			names_only = true;
		} else if (is_help(argument)) {
			*help = true;
		} else if (!(argument[1] == '-' ? take_long(reader, argument)
		                                : take_short(reader, argument))) {
			return false;
		}
	}
	return true;
}

struct arguments *arguments_parse(int argc, char **argv, const struct command **command, bool *help,
                                  struct error **err)
{
	scoped(arguments) struct arguments *arguments = xcalloc(1, sizeof(*arguments));
	struct reader reader = { .arguments = arguments, .argv = argv, .argc = argc, .err = err };
	bool found;

	*command = NULL;
	*help = false;
	arguments->positional = xcalloc((size_t)argc + 1, sizeof(*arguments->positional));
	arguments->values = json_object();
	arguments->open = json_object();
	found = find_words(&reader, help);
	*command = arguments->command;
	if (!found || (*command && !read_rest(&reader, help)))
		return NULL;
	if (*command && !*help && !check_count(arguments, err))
		return NULL;
	return take(arguments);
}

const char *argument_option(const struct arguments *arguments, const char *name)
{
	const json_t *values = json_object_get(arguments->values, name);

	return json_string_value(json_array_get(values, json_array_size(values) - 1));
}

bool argument_switch(const struct arguments *arguments, const char *name)
{
	return json_object_get(arguments->values, name) != NULL;
}

size_t argument_many(const struct arguments *arguments, const char *name,
                     const char *const **values)
{
	const json_t *array = json_object_get(arguments->values, name);
	size_t count = json_array_size(array), i;
	struct arguments *owner = (struct arguments *)arguments;

	owner->scratch = xrealloc(owner->scratch, count + 1, sizeof(*owner->scratch));
	for (i = 0; i < count; i++)
		owner->scratch[i] = json_string_value(json_array_get(array, i));
	owner->scratch[count] = NULL;
	*values = owner->scratch;
	return count;
}

size_t argument_count(const struct arguments *arguments)
{
	return arguments->positional_count;
}

const char *argument_at(const struct arguments *arguments, size_t index)
{
	return index < arguments->positional_count ? arguments->positional[index] : NULL;
}

const struct command *argument_command(const struct arguments *arguments)
{
	return arguments->command;
}

const json_t *argument_open(const struct arguments *arguments)
{
	return arguments->open;
}

enum output_format argument_output(const struct arguments *arguments)
{
	static const char *const names[] = {
		[OUTPUT_TABLE] = "table", [OUTPUT_WIDE] = "wide", [OUTPUT_JSON] = "json",
		[OUTPUT_YAML] = "yaml",   [OUTPUT_NAME] = "name",
	};
	const char *name = argument_option(arguments, "output");
	size_t i;

	for (i = 0; name && i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return (enum output_format)i;
	return OUTPUT_TABLE;
}
