/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/golden/pipeline: files that pipeline_load() takes, files that it refuses with the words in
 * the .txt beside them, and what docs/pipeline.schema.json thinks of both. A file whose name
 * begins with "semantic-" is refused for what a schema cannot see.
 * STEPOP_UPDATE_GOLDEN=1 writes the .txt files anew.
 */
#include "tests/test.h"

#include <glob.h>
#include <regex.h>
#include <string.h>

#include "core/document.h"
#include "core/file.h"
#include "core/text.h"
#include "operator/pipeline.h"

#define FOLDER "tests/golden/pipeline/"

static const char *const types[] = {
	"spark.dataframe", "spark.model", "pandas.dataframe", "json", "text", NULL
};

static char *replaced(const char *text, const char *from, const char *to)
{
	struct text_stream stream;
	const char *hit;

	text_stream_open(&stream);
	while ((hit = strstr(text, from))) {
		fprintf(stream.file, "%.*s%s", (int)(hit - text), text, to);
		text = hit + strlen(from);
	}
	fputs(text, stream.file);
	return text_stream_take(&stream);
}

/* The message without what differs from one checkout to the next. */
static char *refusal_of(const char *path)
{
	struct error *err = NULL;
	struct pipeline *pipeline = pipeline_load(path, NULL, types, &err);
	scoped(text) char *absolute = file_absolute(FOLDER "invalid");
	scoped(text) char *text = NULL;
	scoped(text) char *shorter = NULL;

	if (pipeline)
		print_error("%s is not refused\n", path);
	assert_null(pipeline);
	assert_int_equal(err->kind, ERROR_INVALID);
	text = error_text(err);
	error_free(err);
	shorter = replaced(text, FOLDER "invalid/", "");
	free(text);
	text = replaced(shorter, absolute, "FOLDER");
	return text_printf("%s\n", text);
}

static void assert_refused_as_expected(const char *path)
{
	scoped(text) char *stem = xstrndup(path, strlen(path) - strlen(".yaml"));
	scoped(text) char *expected_path = text_printf("%s.txt", stem);
	scoped(text) char *expected = NULL;
	scoped(text) char *refusal = refusal_of(path);

	if (getenv("STEPOP_UPDATE_GOLDEN"))
		file_write_atomic(expected_path, refusal, strlen(refusal), 0644, NULL);
	expected = file_read(expected_path, 1 << 20, NULL, NULL);
	if (!text_equal(refusal, expected))
		print_error("%s:\n%s", path, refusal);
	assert_true(text_equal(refusal, expected));
}

static void for_each(const char *pattern, void (*check)(const char *path))
{
	glob_t files;
	size_t i;

	assert_int_equal(glob(pattern, 0, NULL, &files), 0);
	for (i = 0; i < files.gl_pathc; i++)
		check(files.gl_pathv[i]);
	globfree(&files);
}

static void assert_taken(const char *path)
{
	struct error *err = NULL;
	struct pipeline *pipeline = pipeline_load(path, NULL, types, &err);

	assert_ok(pipeline, err);
	pipeline_free(pipeline);
}

static void test_pipeline_load__takes_the_valid_files(void **state)
{
	(void)state;
	for_each(FOLDER "valid/*.yaml", assert_taken);
	for_each("examples/*/pipeline.yaml", assert_taken);
}

static void test_pipeline_load__refuses_the_invalid_files_in_the_words_expected(void **state)
{
	(void)state;
	for_each(FOLDER "invalid/*.yaml", assert_refused_as_expected);
}

/* As much of JSON Schema as the schema of the pipeline file uses; an unknown keyword fails the
 * test. */
struct validator {
	json_t *root;
};

static bool is_valid(const struct validator *validator, const json_t *schema, const json_t *value);

static bool has_type(const char *type, const json_t *value)
{
	return (text_equal(type, "object") && json_is_object(value)) ||
	       (text_equal(type, "array") && json_is_array(value)) ||
	       (text_equal(type, "string") && json_is_string(value)) ||
	       (text_equal(type, "integer") && json_is_integer(value)) ||
	       (text_equal(type, "number") && json_is_number(value)) ||
	       (text_equal(type, "boolean") && json_is_boolean(value)) ||
	       (text_equal(type, "null") && json_is_null(value));
}

static bool matches(const char *pattern, const char *text)
{
	regex_t regex;
	bool is_match;

	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	is_match = !regexec(&regex, text, 0, NULL, 0);
	regfree(&regex);
	return is_match;
}

static bool check_type(const struct validator *validator, const json_t *schema,
                       const json_t *argument, const json_t *value)
{
	json_t *type;
	size_t i;

	(void)validator;
	(void)schema;
	json_array_foreach (argument, i, type)
		if (has_type(json_string_value(type), value))
			return true;
	return json_is_string(argument) && has_type(json_string_value(argument), value);
}

static bool check_const(const struct validator *validator, const json_t *schema,
                        const json_t *argument, const json_t *value)
{
	(void)validator;
	(void)schema;
	return json_equal(argument, value);
}

static bool check_pattern(const struct validator *validator, const json_t *schema,
                          const json_t *argument, const json_t *value)
{
	(void)validator;
	(void)schema;
	return !json_is_string(value) ||
	       matches(json_string_value(argument), json_string_value(value));
}

static bool check_minimum(const struct validator *validator, const json_t *schema,
                          const json_t *argument, const json_t *value)
{
	(void)validator;
	(void)schema;
	return !json_is_number(value) || json_number_value(value) >= json_number_value(argument);
}

static bool check_exclusive_minimum(const struct validator *validator, const json_t *schema,
                                    const json_t *argument, const json_t *value)
{
	(void)validator;
	(void)schema;
	return !json_is_number(value) || json_number_value(value) > json_number_value(argument);
}

static bool check_min_length(const struct validator *validator, const json_t *schema,
                             const json_t *argument, const json_t *value)
{
	(void)validator;
	(void)schema;
	return !json_is_string(value) ||
	       (json_int_t)json_string_length(value) >= json_integer_value(argument);
}

static bool check_min_properties(const struct validator *validator, const json_t *schema,
                                 const json_t *argument, const json_t *value)
{
	(void)validator;
	(void)schema;
	return !json_is_object(value) ||
	       (json_int_t)json_object_size(value) >= json_integer_value(argument);
}

static bool check_required(const struct validator *validator, const json_t *schema,
                           const json_t *argument, const json_t *value)
{
	json_t *name;
	size_t i;

	(void)validator;
	(void)schema;
	json_array_foreach (argument, i, name)
		if (json_is_object(value) && !json_object_get(value, json_string_value(name)))
			return false;
	return true;
}

static bool check_properties(const struct validator *validator, const json_t *schema,
                             const json_t *argument, const json_t *value)
{
	const char *name;
	json_t *member, *expected;

	(void)schema;
	json_object_foreach ((json_t *)value, name, member) {
		expected = json_object_get(argument, name);
		if (expected && !is_valid(validator, expected, member))
			return false;
	}
	return true;
}

static bool check_additional(const struct validator *validator, const json_t *schema,
                             const json_t *argument, const json_t *value)
{
	const json_t *known = json_object_get(schema, "properties");
	const char *name;
	json_t *member;

	json_object_foreach ((json_t *)value, name, member)
		if (!json_object_get(known, name) && !is_valid(validator, argument, member))
			return false;
	return true;
}

static bool check_names(const struct validator *validator, const json_t *schema,
                        const json_t *argument, const json_t *value)
{
	const char *name;
	json_t *member;

	(void)schema;
	json_object_foreach ((json_t *)value, name, member) {
		json_auto_t *text = json_string(name);

		if (!is_valid(validator, argument, text))
			return false;
	}
	return true;
}

static bool check_items(const struct validator *validator, const json_t *schema,
                        const json_t *argument, const json_t *value)
{
	json_t *item;
	size_t i;

	(void)schema;
	json_array_foreach (value, i, item)
		if (!is_valid(validator, argument, item))
			return false;
	return true;
}

static bool check_any_of(const struct validator *validator, const json_t *schema,
                         const json_t *argument, const json_t *value)
{
	json_t *choice;
	size_t i;

	(void)schema;
	json_array_foreach (argument, i, choice)
		if (is_valid(validator, choice, value))
			return true;
	return false;
}

static bool check_not(const struct validator *validator, const json_t *schema,
                      const json_t *argument, const json_t *value)
{
	(void)schema;
	return !is_valid(validator, argument, value);
}

static bool check_reference(const struct validator *validator, const json_t *schema,
                            const json_t *argument, const json_t *value)
{
	const char *reference = json_string_value(argument);
	const json_t *target;

	(void)schema;
	assert_true(text_starts_with(reference, "#/$defs/"));
	target = json_object_get(json_object_get(validator->root, "$defs"),
	                         reference + strlen("#/$defs/"));
	assert_non_null(target);
	return is_valid(validator, target, value);
}

static bool is_only_told(const struct validator *validator, const json_t *schema,
                         const json_t *argument, const json_t *value)
{
	(void)validator;
	(void)schema;
	(void)argument;
	(void)value;
	return true;
}

static bool is_valid(const struct validator *validator, const json_t *schema, const json_t *value)
{
	static const struct {
		const char *keyword;
		bool (*check)(const struct validator *validator, const json_t *schema,
		              const json_t *argument, const json_t *value);
	} keywords[] = {
		{ "type", check_type },
		{ "const", check_const },
		{ "pattern", check_pattern },
		{ "minimum", check_minimum },
		{ "exclusiveMinimum", check_exclusive_minimum },
		{ "minLength", check_min_length },
		{ "minProperties", check_min_properties },
		{ "required", check_required },
		{ "properties", check_properties },
		{ "additionalProperties", check_additional },
		{ "propertyNames", check_names },
		{ "items", check_items },
		{ "anyOf", check_any_of },
		{ "not", check_not },
		{ "$ref", check_reference },
		{ "$schema", is_only_told },
		{ "$id", is_only_told },
		{ "$defs", is_only_told },
		{ "title", is_only_told },
		{ "description", is_only_told },
		{ "examples", is_only_told },
	};
	const char *keyword;
	json_t *argument;
	size_t i;

	if (json_is_boolean(schema))
		return json_is_true(schema);
	json_object_foreach ((json_t *)schema, keyword, argument) {
		for (i = 0; i < ARRAY_SIZE(keywords); i++)
			if (text_equal(keyword, keywords[i].keyword))
				break;
		if (i == ARRAY_SIZE(keywords))
			print_error("the schema uses '%s', which this test does not know\n",
			            keyword);
		assert_true(i < ARRAY_SIZE(keywords));
		if (!keywords[i].check(validator, schema, argument, value))
			return false;
	}
	return true;
}

static bool schema_takes(const char *path)
{
	struct validator validator = { json_load_file("docs/pipeline.schema.json", 0, NULL) };
	struct error *err = NULL;
	struct document *document = document_read(path, &err);
	bool takes;

	assert_non_null(validator.root);
	assert_ok(document, err);
	takes = is_valid(&validator, validator.root, document_root(document));
	document_free(document);
	json_decref(validator.root);
	return takes;
}

static void assert_schema_takes(const char *path)
{
	if (!schema_takes(path))
		print_error("the schema refuses %s\n", path);
	assert_true(schema_takes(path));
}

static void assert_schema_refuses(const char *path)
{
	if (strstr(path, "/semantic-"))
		return;
	if (schema_takes(path))
		print_error("the schema takes %s\n", path);
	assert_false(schema_takes(path));
}

static void test_schema__agrees_with_the_parser(void **state)
{
	(void)state;
	for_each(FOLDER "valid/*.yaml", assert_schema_takes);
	for_each("examples/*/pipeline.yaml", assert_schema_takes);
	for_each(FOLDER "invalid/*.yaml", assert_schema_refuses);
}

/* One fault each, where the files above have many: neither may hide behind another. */
static void test_schema__sees_each_structural_fault_by_itself(void **state)
{
	static const char *const steps[] = {
		"{}",
		"{source: 7}",
		"{source: ''}",
		"{source: {}}",
		"{source: {main: ''}}",
		"{source: {main: 'local:///a', klass: x}}",
		"{source: {main: 'local:///a', args: x}}",
		"{source: {main: 'local:///a', args: [[]]}}",
		"{source: 'steps.py:wrapped', inptus: {}}",
		"{source: 'steps.py:wrapped', retry: {}}",
		"{source: 'steps.py:wrapped', operator: 'a b'}",
		"{source: 'steps.py:wrapped', inputs: {a: b}}",
		"{source: 'steps.py:wrapped', inputs: {class: a.b}}",
		"{source: 'steps.py:wrapped', outputs: {a: 1}}",
		"{source: 'steps.py:wrapped', outputs: [a]}",
		"{source: 'steps.py:wrapped', files: {a: ''}}",
		"{source: 'steps.py:wrapped', files: {spark: 's3://a/b'}}",
		"{source: 'steps.py:wrapped', parameters: {1a: 1}}",
		"{source: 'steps.py:wrapped', after: a}",
		"{source: 'steps.py:wrapped', after: [1]}",
		"{source: 'steps.py:wrapped', settings: {a: 1}}",
		"{source: 'steps.py:wrapped', settings: {start_timeout: 10}}",
		"{source: 'steps.py:wrapped', settings: {start_timeout: 0s}}",
		"{source: 'steps.py:wrapped', settings: {environment: {a-b: 1}}}",
		"{source: 'steps.py:wrapped', settings: {environment: {a: null}}}",
		"{source: 'steps.py:wrapped', settings: {resources: {cpu: 0}}}",
		"{source: 'steps.py:wrapped', settings: {resources: {cpu: 2x}}}",
		"{source: 'steps.py:wrapped', settings: {resources: {memory: 4}}}",
		"{source: 'steps.py:wrapped', settings: {resources: {memory: '4'}}}",
		"{source: 'steps.py:wrapped', settings: {resources: {gpu: -1}}}",
		"{source: 'steps.py:wrapped', settings: {spark: {conf: {a: 1}}}}",
		"{source: 'steps.py:wrapped', settings: {spark: {conf: {spark.a: {}}}}}",
		"{source: 'steps.py:wrapped', settings: {spark: {driver: {instances: 1}}}}",
		"{source: 'steps.py:wrapped', settings: {spark: {driver: {cores: 0}}}}",
		"{source: 'steps.py:wrapped', settings: {spark: {executor: {memory: 4x}}}}",
		"{source: 'steps.py:wrapped', settings: {image: {build: 1}}}",
		"{source: 'steps.py:wrapped', settings: {image: {requirements: ['']}}}",
		"{source: 'steps.py:wrapped', settings: {image: {files: {a: b}}}}",
		"{source: 'steps.py:wrapped', settings: {image: {platform: linux/}}}",
		"{source: 'steps.py:wrapped', settings: {image: {wheels: []}}}",
	};
	struct validator validator = { json_load_file("docs/pipeline.schema.json", 0, NULL) };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		scoped(text) char *yaml =
			text_printf("apiVersion: stepop/v1\nkind: Pipeline\nname: x\n"
		                    "steps:\n  a: %s\n",
		                    steps[i]);
		struct document *document = document_parse("t", yaml, strlen(yaml), NULL);
		struct pipeline *pipeline = pipeline_parse(FOLDER "valid/t.yaml", yaml,
		                                           strlen(yaml), NULL, types, NULL);
		bool takes = is_valid(&validator, validator.root, document_root(document));

		if (takes || pipeline)
			print_error("the %s takes %s\n", takes ? "schema" : "parser", steps[i]);
		assert_true(!takes && !pipeline);
		document_free(document);
	}
	json_decref(validator.root);
}

static void test_documentation__shows_a_pipeline_that_is_taken(void **state)
{
	scoped(text) char *page = file_read("docs/pipeline.md", 1 << 20, NULL, NULL);
	char *begin = strstr(page, "```yaml\n") + strlen("```yaml\n"), *end = strstr(begin, "```");
	json_auto_t *overrides = json_pack("{s:s}", "path", "data.csv");
	struct error *err = NULL;
	struct pipeline *pipeline = pipeline_parse(FOLDER "valid/shown.yaml", begin,
	                                           (size_t)(end - begin), overrides, types, &err);

	(void)state;
	assert_ok(pipeline, err);
	assert_int_equal(pipeline->step_count, 3);
	pipeline_free(pipeline);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pipeline_load__takes_the_valid_files),
		cmocka_unit_test(
			test_pipeline_load__refuses_the_invalid_files_in_the_words_expected),
		cmocka_unit_test(test_schema__agrees_with_the_parser),
		cmocka_unit_test(test_schema__sees_each_structural_fault_by_itself),
		cmocka_unit_test(test_documentation__shows_a_pipeline_that_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
