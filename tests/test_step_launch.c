/* SPDX-License-Identifier: Apache-2.0 */
/* operator/step_launch: step.json as docs/step-contract.md shows it, files, who needs Spark. */
#include "tests/test.h"

#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/step_launch.h"
#include "tests/fakes/memory_store.h"
#include "tests/fakes/temporary_project.h"

/* Of "hello". */
#define DATA_DIGEST "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

static const char code[] = "def importer():\n    pass\n"
			   "def splitter(dataset, ratios, path):\n    pass\n"
			   "def plain(x):\n    pass\n"
			   "def session(spark):\n    pass\n";
static const char yaml[] = "apiVersion: stepop/v1\n"
			   "kind: Pipeline\n"
			   "name: spark_pipeline\n"
			   "steps:\n"
			   "  importer:\n"
			   "    source: steps.py:importer\n"
			   "    outputs: {other: json, dataset: spark.dataframe}\n"
			   "  splitter:\n"
			   "    source: steps.py:splitter\n"
			   "    inputs: {dataset: importer.dataset}\n"
			   "    parameters: {ratios: [0.7, 0.2, 0.1]}\n"
			   "    files: {path: data/train.csv}\n"
			   "    outputs: {train: spark.dataframe, test: json}\n"
			   "  plain: {source: 'steps.py:plain', inputs: {x: importer.other}}\n"
			   "  reader: {source: 'steps.py:plain', inputs: {x: importer.dataset}}\n"
			   "  session: {source: 'steps.py:session'}\n"
			   "  writer: {source: 'steps.py:importer', outputs: {m: spark.model}}\n"
			   "  jar: {source: {main: 'local:///app.jar', class: org.x.Main}}\n";

struct launch_test {
	struct temporary_project *temporary;
	struct memory_store store;
	struct pipeline *pipeline;
	struct launch_identity identity;
};

static int setup(void **state)
{
	struct launch_test *test = xcalloc(1, sizeof(*test));
	scoped(text) char *path = NULL;
	void *temporary;
	struct error *err = NULL;

	if (temporary_project_setup(&temporary))
		return -1;
	test->temporary = temporary;
	path = temporary_project_path(test->temporary, "data");
	assert_true(file_make_folders(path, 0755, NULL));
	temporary_project_write(test->temporary, "steps.py", code);
	temporary_project_write(test->temporary, "data/train.csv", "hello");
	temporary_project_write(test->temporary, "data/copy.csv", "hello");
	memory_store_init(&test->store);
	free(path);
	path = temporary_project_path(test->temporary, "pipeline.yaml");
	test->pipeline = pipeline_parse(path, yaml, strlen(yaml), NULL, NULL, &err);
	assert_ok(test->pipeline, err);
	test->identity = (struct launch_identity){ .run_id = "7d1f",
		                                   .run_name = "spark_pipeline-1",
		                                   .pipeline = test->pipeline,
		                                   .artifacts = &test->store.store };
	*state = test;
	return 0;
}

static int teardown(void **state)
{
	struct launch_test *test = *state;
	void *temporary = test->temporary;

	pipeline_free(test->pipeline);
	memory_store_release(&test->store);
	free(test);
	return temporary_project_teardown(&temporary);
}

static const struct step *step_of(const struct launch_test *test, const char *name)
{
	size_t i;

	for (i = 0; i < test->pipeline->step_count; i++)
		if (!strcmp(test->pipeline->steps[i].name, name))
			return &test->pipeline->steps[i];
	fail_msg("no step '%s'", name);
	return NULL;
}

static json_t *contract_of(const struct launch_test *test, const char *name)
{
	const struct step *step = step_of(test, name);
	json_auto_t *uris = json_object();
	json_auto_t *files = step_files_uris(&test->identity, step, NULL);
	size_t i;

	for (i = 0; i < step->input_count; i++)
		json_object_set_new(uris, step->inputs[i].name, json_string("s3://somewhere/"));
	return step_contract_build(&test->identity, step, 1, uris, files);
}

static void test_step_contract_build__is_what_the_contract_shows(void **state)
{
	const char expected[] =
		"{\"version\": 1, \"pipeline\": \"spark_pipeline\","
		" \"run\": {\"id\": \"7d1f\", \"name\": \"spark_pipeline-1\"},"
		" \"step\": \"splitter\", \"attempt\": 1,"
		" \"source\": {\"file\": \"steps.py\", \"function\": \"splitter\"},"
		" \"parameters\": {\"ratios\": [0.7, 0.2, 0.1]},"
		" \"files\": {\"path\": \"s3://bucket/prefix/spark_pipeline/files/" DATA_DIGEST
		"/train.csv\"},"
		" \"inputs\": {\"dataset\": {\"type\": \"spark.dataframe\", \"uri\": "
		"\"s3://somewhere/\"}},"
		" \"outputs\": ["
		"{\"name\": \"train\", \"type\": \"spark.dataframe\", \"uri\": "
		"\"s3://bucket/prefix/spark_pipeline/7d1f/splitter/1/train/\"},"
		"{\"name\": \"test\", \"type\": \"json\", \"uri\": "
		"\"s3://bucket/prefix/spark_pipeline/7d1f/splitter/1/test/\"}],"
		" \"result\": \"s3://bucket/prefix/spark_pipeline/7d1f/splitter/1/result.json\"}";
	json_auto_t *wanted = json_loads(expected, 0, NULL);
	json_auto_t *contract = contract_of(*state, "splitter");
	scoped(text) char *text = json_dumps(contract, JSON_INDENT(1));

	assert_non_null(wanted);
	if (!json_equal(contract, wanted))
		print_error("%s\n", text);
	assert_true(json_equal(contract, wanted));
}

static void test_step_contract_build__of_a_program_has_no_source(void **state)
{
	json_auto_t *contract = contract_of(*state, "jar");

	assert_true(json_is_null(json_object_get(contract, "source")));
}

static void test_step_needs_spark__when_it_takes_a_session_or_a_dataframe(void **state)
{
	static const struct {
		const char *step;
		bool needs;
	} cases[] = { { "importer", true }, { "plain", false }, { "reader", true },
		      { "session", true },  { "writer", true }, { "jar", false } };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *contract = contract_of(*state, cases[i].step);
		bool needs = step_needs_spark(step_of(*state, cases[i].step), contract);

		if (needs != cases[i].needs)
			print_error("%s\n", cases[i].step);
		assert_int_equal(needs, cases[i].needs);
	}
}

static char *uri_of(const struct launch_test *test, const char *path, struct error **err)
{
	struct step_file file = { .name = (char *)"f", .path = (char *)path };
	const struct step step = { .name = (char *)"s", .files = &file, .file_count = 1 };
	json_auto_t *uris = step_files_uris(&test->identity, &step, err);

	return uris ? xstrdup(json_string_value(json_object_get(uris, "f"))) : NULL;
}

static void test_step_files_uris__ask_no_store(void **state)
{
	struct launch_test *test = *state;
	scoped(text) char *path = temporary_project_path(test->temporary, "data/train.csv");
	scoped(text) char *uri = NULL;

	test->store.is_down = true;
	uri = uri_of(test, path, NULL);

	assert_string_equal(uri,
	                    "s3://bucket/prefix/spark_pipeline/files/" DATA_DIGEST "/train.csv");
	assert_int_equal(test->store.put_count, 0);
}

static void test_step_files_uris__name_the_file_that_is_gone(void **state)
{
	scoped(error) struct error *err = NULL;

	assert_null(uri_of(*state, "/nowhere/x.csv", &err));

	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_error_contains(err, "/nowhere/x.csv' of step 's'");
}

#define WITH_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TEST(test_step_contract_build__is_what_the_contract_shows),
		WITH_TEST(test_step_contract_build__of_a_program_has_no_source),
		WITH_TEST(test_step_needs_spark__when_it_takes_a_session_or_a_dataframe),
		WITH_TEST(test_step_files_uris__ask_no_store),
		WITH_TEST(test_step_files_uris__name_the_file_that_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
