/* SPDX-License-Identifier: Apache-2.0 */
/* cli/arguments: what was typed, checked against the commands' tables. */
#include "tests/test.h"

#include <string.h>

#include "cli/command.h"
#include "core/memory.h"
#include "core/text.h"

/* A line typed at a shell: words between blanks. */
struct line {
	char *text;
	char **words;
	int count;
};

static struct line line_split(const char *text)
{
	struct line line = { .text = xstrdup(text) };
	char *rest = line.text, *word;

	line.words = xcalloc(strlen(text) + 1, sizeof(*line.words));
	while ((word = strsep(&rest, " ")))
		line.words[line.count++] = word;
	return line;
}

static void line_release(struct line *line)
{
	free(line->text);
	free(line->words);
}

/* "stack list [a b] output=json quiet {"key":"value"}": options in the order of `names`. */
static char *describe(const struct arguments *arguments)
{
	static const char *const names[] = { "output",       "namespace", "stack", "name",
		                             "orchestrator", "flavor",    "quiet", "verbose",
		                             "set",          "follow",    NULL };
	struct text_stream stream;
	scoped(text) char *open = json_dumps(argument_open(arguments), JSON_COMPACT);
	const char *const *values;
	size_t i, count = argument_many(arguments, "parameter", &values);

	text_stream_open(&stream);
	fprintf(stream.file, "%s", argument_command(arguments)->words);
	for (i = 0; i < argument_count(arguments); i++)
		fprintf(stream.file, " [%s]", argument_at(arguments, i));
	for (i = 0; names[i]; i++) {
		const char *value = argument_option(arguments, names[i]);

		if (value)
			fprintf(stream.file, " %s=%s", names[i], value);
		else if (argument_switch(arguments, names[i]))
			fprintf(stream.file, " %s", names[i]);
	}
	for (i = 0; i < count; i++)
		fprintf(stream.file, " parameter=%s", values[i]);
	if (strcmp(open, "{}") != 0)
		fprintf(stream.file, " %s", open);
	return text_stream_take(&stream);
}

struct parse_test {
	const char *line, *expected;
};

static const struct parse_test accepted[] = {
	{ "stack list", "stack list" },
	{ "run p.yaml", "run [p.yaml]" },
	/* Options before the command, between and after the names. */
	{ "-o json stack list", "stack list output=json" },
	{ "-q --output=yaml stack list", "stack list output=yaml quiet" },
	{ "run --stack s p.yaml", "run [p.yaml] stack=s" },
	{ "run p.yaml --stack s", "run [p.yaml] stack=s" },
	{ "logs @latest -f trainer", "logs [@latest] [trainer] follow" },
	/* Ways to give a value. */
	{ "run p.yaml --stack=s", "run [p.yaml] stack=s" },
	{ "run p.yaml -s s", "run [p.yaml] stack=s" },
	{ "run p.yaml -ss", "run [p.yaml] stack=s" },
	{ "run p.yaml -s=s", "run [p.yaml] stack=s" },
	{ "run p.yaml -nspark -o=json", "run [p.yaml] output=json namespace=spark" },
	{ "run p.yaml -qv", "run [p.yaml] quiet verbose" },
	{ "run p.yaml -qns", "run [p.yaml] namespace=s quiet" },
	{ "run p.yaml --name=a=b", "run [p.yaml] name=a=b" },
	{ "run p.yaml --name=", "run [p.yaml] name=" },
	{ "run p.yaml --name --help", "run [p.yaml] name=--help" },
	/* Repeated: the last one, or all. */
	{ "run p.yaml --name a --name b", "run [p.yaml] name=b" },
	{ "run p.yaml -p a=1 --parameter=b=2 -pc=3",
	  "run [p.yaml] parameter=a=1 parameter=b=2 parameter=c=3" },
	/* Only names after "--". */
	{ "run -- -p", "run [-p]" },
	{ "run -", "run [-]" },
	/* A command's own option wins over a global one. */
	{ "stack register s -o local", "stack register [s] orchestrator=local" },
	{ "stack register s --output json -o local",
	  "stack register [s] output=json orchestrator=local" },
	{ "-o json stack register s", "stack register [s] output=json" },
	/* Open options, in either case. */
	{ "register --flavor local me --python=/x", "register [me] flavor=local "
	                                            "{\"python\":\"/x\"}" },
	{ "register me --service-account=a --docker_parent_image i",
	  "register [me] {\"service_account\":\"a\",\"docker_parent_image\":\"i\"}" },
	{ "register me --a-b 1 --a_b=2 --a-b 3", "register [me] {\"a_b\":[\"1\",\"2\",\"3\"]}" },
	{ "register me --path-style --region r",
	  "register [me] {\"path_style\":\"true\",\"region\":\"r\"}" },
	{ "register me --path-style", "register [me] {\"path_style\":\"true\"}" },
	{ "register me --level -1 --file -", "register [me] {\"level\":\"-1\",\"file\":\"-\"}" },
	{ "register me --path-style -o json",
	  "register [me] output=json {\"path_style\":\"true\"}" },
	{ "register me --path-style -q", "register [me] quiet {\"path_style\":\"true\"}" },
	{ "register me --namespace=spark -n other --output json",
	  "register [me] output=json namespace=other {\"namespace\":\"spark\"}" },
	/* What follows a program is its own. */
	{ "submit a.py -h --output json -- x", "submit [a.py] [-h] [--output] [json] [--] [x]" },
	{ "submit --name n -o json a.py --name m",
	  "submit [a.py] [--name] [m] output=json name=n" },
	{ "-q submit -c spark.a=b a.py", "submit [a.py] quiet" },
	/* A secret without a value will be asked for. */
	{ "secrets-manager secret register s --token --other=1",
	  "secrets-manager secret register [s] {\"token\":null,\"other\":\"1\"}" },
	{ "secrets-manager secret register s --token -q",
	  "secrets-manager secret register [s] quiet {\"token\":null}" },
};

static void test_arguments_parse__takes_what_people_type(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(accepted); i++) {
		struct line line = line_split(accepted[i].line);
		const struct command *command;
		struct error *err = NULL;
		bool help;
		scoped(arguments) struct arguments *arguments =
			arguments_parse(line.count, line.words, &command, &help, &err);
		scoped(text) char *actual = NULL;

		if (!arguments)
			print_error("%s\n", accepted[i].line);
		assert_ok(arguments, err);
		actual = describe(arguments);

		if (strcmp(actual, accepted[i].expected) != 0)
			print_error("%s\n", accepted[i].line);
		assert_string_equal(actual, accepted[i].expected);
		assert_ptr_equal(command, argument_command(arguments));
		assert_false(help);
		line_release(&line);
	}
}

static const struct parse_test refused[] = {
	{ "strat list", "unknown command 'strat list'; did you mean 'stack list'?" },
	{ "stack lst", "unknown command 'stack lst'; did you mean 'stack list'?" },
	{ "rnu p.yaml", "did you mean 'run'?" },
	{ "xyzzy", "'stepop help' lists the commands" },
	{ "stack", "'stack' goes with one of: register, list, describe" },
	{ "run p.yaml --stak s", "unknown option '--stak'; did you mean '--stack'?" },
	{ "run p.yaml --outptu=json", "did you mean '--output'?" },
	{ "run p.yaml --zzz", "unknown option '--zzz'" },
	{ "run p.yaml -z", "unknown option '-z'" },
	{ "--zzz run p.yaml", "unknown option '--zzz'" },
	{ "run p.yaml --name", "--name needs a value: NAME" },
	{ "run p.yaml -o", "--output needs a value: FORMAT" },
	{ "run p.yaml -o toml", "--output is one of table, wide, json, yaml, name; not 'toml'" },
	{ "run p.yaml --quiet=yes", "--quiet takes no value" },
	{ "run p.yaml --name=\xff", "the value of --name is not UTF-8" },
	{ "register me --token=\xff", "the value of --token is not UTF-8" },
	{ "submit --queue q a.py", "--queue" },
	{ "submit --driver-memry 1g a.py", "did you mean '--driver-memory'?" },
	{ "run", "'run' needs PIPELINE.yaml" },
	{ "run a.yaml b.yaml", "unexpected argument 'b.yaml'" },
	{ "stack list x", "unexpected argument 'x'" },
};

static void test_arguments_parse__says_what_is_wrong_and_what_was_meant(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		struct line line = line_split(refused[i].line);
		const struct command *command;
		scoped(error) struct error *err = NULL;
		bool help;

		assert_null(arguments_parse(line.count, line.words, &command, &help, &err));

		assert_int_equal(err->kind, ERROR_USAGE);
		assert_error_contains(err, refused[i].expected);
		line_release(&line);
	}
}

static void test_arguments_parse__knows_the_command_whose_help_may_follow(void **state)
{
	struct line line = line_split("run a.yaml b.yaml");
	const struct command *command;
	bool help;

	(void)state;
	assert_null(arguments_parse(line.count, line.words, &command, &help, NULL));

	assert_string_equal(command->words, "run");
	line_release(&line);
}

static void test_arguments_parse__sees_that_help_is_wanted(void **state)
{
	static const struct parse_test cases[] = {
		{ "--help", NULL },
		{ "-h", NULL },
		{ "run --help", "run" },
		{ "--help run", "run" },
		{ "stack register -h", "stack register" },
		{ "run a.yaml b.yaml c.yaml --help", "run" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct line line = line_split(cases[i].line);
		const struct command *command;
		struct error *err = NULL;
		bool help;
		scoped(arguments) struct arguments *arguments =
			arguments_parse(line.count, line.words, &command, &help, &err);

		assert_ok(arguments, err);
		assert_true(help);
		assert_string_equal(command ? command->words : "(none)",
		                    cases[i].expected ? cases[i].expected : "(none)");
		line_release(&line);
	}
}

static void test_arguments_parse__of_nothing_is_no_command(void **state)
{
	char *none[] = { NULL };
	const struct command *command;
	bool help;
	struct error *err = NULL;
	scoped(arguments) struct arguments *arguments =
		arguments_parse(0, none, &command, &help, &err);

	(void)state;
	assert_ok(arguments, err);
	assert_null(command);
	assert_false(help);
}

/* What `ps` shows to everyone on the machine. */
static void test_arguments_parse__wipes_the_values_of_secrets(void **state)
{
	struct line line =
		line_split("secrets-manager secret register s --token=abc --password defg");
	const struct command *command;
	bool help;
	scoped(arguments) struct arguments *arguments =
		arguments_parse(line.count, line.words, &command, &help, NULL);
	const json_t *open = argument_open(arguments);

	(void)state;
	assert_string_equal(line.words[4], "--token=***");
	assert_string_equal(line.words[6], "****");
	assert_string_equal(json_string_value(json_object_get(open, "token")), "abc");
	assert_string_equal(json_string_value(json_object_get(open, "password")), "defg");
	line_release(&line);
}

static void test_arguments_parse__wipes_secret_properties_and_no_others(void **state)
{
	struct line line = line_split(
		"submit --conf spark.hadoop.fs.s3a.secret.key=hidden -c spark.app.name=seen a.py");
	const struct command *command;
	bool help;
	scoped(arguments) struct arguments *arguments =
		arguments_parse(line.count, line.words, &command, &help, NULL);
	const char *const *values;

	(void)state;
	assert_int_equal(argument_many(arguments, "conf", &values), 2);
	assert_string_equal(values[0], "spark.hadoop.fs.s3a.secret.key=hidden");
	assert_string_equal(line.words[2], "spark.hadoop.fs.s3a.secret.key=******");
	assert_string_equal(line.words[4], "spark.app.name=seen");
	line_release(&line);
}

static void test_argument_output__is_a_table_unless_said(void **state)
{
	static const struct {
		const char *line;
		enum output_format format;
	} cases[] = { { "stack list", OUTPUT_TABLE },
		      { "stack list -o wide", OUTPUT_WIDE },
		      { "stack list -o json", OUTPUT_JSON },
		      { "stack list -o yaml", OUTPUT_YAML },
		      { "stack list -o name", OUTPUT_NAME } };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct line line = line_split(cases[i].line);
		const struct command *command;
		bool help;
		scoped(arguments) struct arguments *arguments =
			arguments_parse(line.count, line.words, &command, &help, NULL);

		assert_int_equal(argument_output(arguments), cases[i].format);
		line_release(&line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arguments_parse__takes_what_people_type),
		cmocka_unit_test(test_arguments_parse__says_what_is_wrong_and_what_was_meant),
		cmocka_unit_test(test_arguments_parse__knows_the_command_whose_help_may_follow),
		cmocka_unit_test(test_arguments_parse__sees_that_help_is_wanted),
		cmocka_unit_test(test_arguments_parse__of_nothing_is_no_command),
		cmocka_unit_test(test_arguments_parse__wipes_the_values_of_secrets),
		cmocka_unit_test(test_arguments_parse__wipes_secret_properties_and_no_others),
		cmocka_unit_test(test_argument_output__is_a_table_unless_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
