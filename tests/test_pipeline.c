/* SPDX-License-Identifier: Apache-2.0 */
/* operator/pipeline: what a file that is good becomes; overrides; cost. */
#include "tests/test.h"

#include <string.h>
#include <time.h>

#include "core/file.h"
#include "core/text.h"
#include "operator/pipeline.h"

#define FOLDER "tests/golden/pipeline/valid/"
#define HEAD "apiVersion: stepop/v1\nkind: Pipeline\nname: x\n"

static struct pipeline *load_complete(const char *overrides_json)
{
	json_auto_t *overrides = json_loads(overrides_json, 0, NULL);
	struct error *err = NULL;
	struct pipeline *pipeline = pipeline_load(FOLDER "complete.yaml", overrides, NULL, &err);

	assert_ok(pipeline, err);
	return pipeline;
}

static const struct step *find_step(const struct pipeline *pipeline, const char *name)
{
	size_t i;

	for (i = 0; i < pipeline->step_count; i++)
		if (text_equal(pipeline->steps[i].name, name))
			return &pipeline->steps[i];
	fail_msg("no step %s", name);
	return NULL;
}

static void assert_json(const json_t *value, const char *expected)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(3));

	assert_string_equal(text, expected);
	free(text);
}

static void test_pipeline_load__keeps_steps_in_the_order_of_the_file(void **state)
{
	static const char *const names[] = { "importer", "splitter", "trainer", "shared",
		                             "late",     "program",  "script" };
	scoped(pipeline) struct pipeline *pipeline = load_complete("{}");
	scoped(text) char *folder = file_absolute("tests/golden/pipeline/valid");
	size_t i;

	(void)state;
	assert_string_equal(pipeline->name, "complete_pipeline-1");
	assert_string_equal(pipeline->folder, folder);
	assert_true(text_starts_with(pipeline->path, folder));
	assert_int_equal(pipeline->step_count, ARRAY_SIZE(names));
	for (i = 0; i < ARRAY_SIZE(names); i++)
		assert_string_equal(pipeline->steps[i].name, names[i]);
}

static void test_pipeline_load__fills_in_what_a_step_is_given(void **state)
{
	scoped(pipeline) struct pipeline *pipeline = load_complete("{}");
	scoped(text) char *data = file_absolute(FOLDER "data.csv");
	const struct step *importer = find_step(pipeline, "importer");
	const struct step *splitter = find_step(pipeline, "splitter");
	const struct step *trainer = find_step(pipeline, "trainer");

	(void)state;
	assert_string_equal(importer->file, "steps.py");
	assert_string_equal(importer->function, "importer");
	assert_null(importer->operator);
	assert_string_equal(importer->files[0].name, "path");
	assert_string_equal(importer->files[0].path, data);
	assert_string_equal(splitter->outputs[1].name, "test");
	assert_string_equal(splitter->outputs[1].type, "spark.dataframe");
	assert_json(splitter->parameters, "{\"ratios\":[0.7,0.3]}");
	assert_string_equal(trainer->operator, "spark_step_operator");
	assert_string_equal(trainer->inputs[0].source_step, "splitter");
	assert_string_equal(trainer->inputs[0].source_output, "train");
	assert_int_equal(trainer->inputs[0].source, 1);
	assert_json(
		trainer->parameters,
		"{\"depth\":5,\"name\":\"complete_pipeline-1 of s3://bucket/prefix\",\"literal\":"
		"\"${{ x }}\"}");
	assert_string_equal(trainer->files[0].path, "s3a://bucket/labels.csv");
}

static void test_pipeline_load__knows_which_functions_want_a_session(void **state)
{
	scoped(pipeline) struct pipeline *pipeline = load_complete("{}");

	(void)state;
	assert_true(find_step(pipeline, "importer")->wants_spark);
	assert_false(find_step(pipeline, "splitter")->wants_spark);
	assert_true(find_step(pipeline, "shared")->wants_spark); /* imported: it may */
}

static void test_pipeline_load__reads_programs_and_after(void **state)
{
	scoped(pipeline) struct pipeline *pipeline = load_complete("{}");
	const struct step *late = find_step(pipeline, "late");
	const struct step *program = find_step(pipeline, "program");

	(void)state;
	assert_int_equal(late->after_count, 2);
	assert_int_equal(late->after[0], 2);
	assert_int_equal(late->after[1], 3);
	assert_null(program->file);
	assert_string_equal(program->main, "local:///opt/app.jar");
	assert_string_equal(program->main_class, "org.example.Main");
	assert_json(program->args, "[\"--rate\",\"0.5\",\"--n\",\"3\",\"data.csv\"]");
	assert_string_equal(find_step(pipeline, "script")->main, "s3://bucket/prefix/job.py");
}

static void test_pipeline_load__lays_a_steps_settings_over_the_pipelines(void **state)
{
	scoped(pipeline) struct pipeline *pipeline = load_complete("{}");

	(void)state;
	assert_json(find_step(pipeline, "trainer")->settings,
	            "{\"resources\":{\"cpu\":\"500m\",\"memory\":\"2g\",\"gpu\":0},"
	            "\"spark\":{\"driver\":{\"cores\":1,\"memory\":\"512m\",\"memory_overhead\":"
	            "\"384Mi\"},"
	            "\"executor\":{\"instances\":3,\"cores\":2,\"memory\":\"1g\",\"memory_"
	            "overhead\":\"512m\"},"
	            "\"conf\":{\"spark.sql.shuffle.partitions\":8,\"spark.eventLog.enabled\":false,"
	            "\"spark.speculation\":null,\"spark.executor.extraJavaOptions\":\"-Xss4m\"}},"
	            "\"environment\":{\"MODE\":\"production\",\"WORKERS\":\"4\",\"RATE\":\"0.5\","
	            "\"DEBUG\":\"true\"},\"start_timeout\":\"10m\","
	            "\"image\":{\"build\":true,\"requirements\":[\"wheels/\"],"
	            "\"files\":[\"data.csv\"],\"platform\":\"linux/arm64\"}}");
}

static void test_pipeline_load__gives_empty_settings_where_there_are_none(void **state)
{
	struct error *err = NULL;
	scoped(pipeline) struct pipeline *pipeline =
		pipeline_load(FOLDER "minimal.yaml", NULL, NULL, &err);

	(void)state;
	assert_ok(pipeline, err);
	assert_json(pipeline->steps[0].settings, "{}");
	assert_json(pipeline->steps[0].parameters, "{}");
	assert_json(pipeline->parameters, "{}");
}

static void test_pipeline_load__reads_overrides_by_the_type_of_the_default(void **state)
{
	scoped(pipeline) struct pipeline *pipeline =
		load_complete("{\"memory\":\"123m\",\"instances\":\"5\",\"ratios\":\"[0.5, "
	                      "0.5]\",\"unused\":\"{b: yes}\"}");

	(void)state;
	assert_json(pipeline->parameters, "{\"path\":\"data.csv\",\"bucket\":\"s3://bucket/"
	                                  "prefix\",\"ratios\":[0.5,0.5],\"memory\":\"123m\","
	                                  "\"instances\":5,\"unused\":{\"b\":\"yes\"}}");
	assert_json(find_step(pipeline, "splitter")->parameters, "{\"ratios\":[0.5,0.5]}");
	assert_int_equal(
		json_integer_value(json_object_get(
			json_object_get(
				json_object_get(find_step(pipeline, "trainer")->settings, "spark"),
				"executor"),
			"instances")),
		5);
}

static void test_pipeline_parse__keeps_overrides_of_text_as_text(void **state)
{
	static const char yaml[] = HEAD "parameters: {a: x, b: null, c: [1], d: 1.5, e: ''}\n"
					"steps: {s: {source: steps.py:wrapped}}\n";
	json_auto_t *overrides = json_loads("{\"a\":\"123\",\"b\":\"123\",\"c\":\"[a, 2]\","
	                                    "\"d\":\"2\",\"e\":\"true\"}",
	                                    0, NULL);
	struct error *err = NULL;
	scoped(pipeline) struct pipeline *pipeline =
		pipeline_parse(FOLDER "text.yaml", yaml, strlen(yaml), overrides, NULL, &err);

	(void)state;
	assert_ok(pipeline, err);
	assert_json(pipeline->parameters,
	            "{\"a\":\"123\",\"b\":123,\"c\":[\"a\",2],\"d\":2,\"e\":\"true\"}");
}

static void test_pipeline_load__refuses_overrides_that_fit_nothing(void **state)
{
	json_auto_t *overrides = json_pack("{s:s, s:s, s:s, s:s}", "pth", "x", "instances", "many",
	                                   "ratios", "[1", "path", "none.csv");
	struct error *err = NULL;

	(void)state;
	assert_null(pipeline_load(FOLDER "complete.yaml", overrides, NULL, &err));

	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err,
	                      "-p pth: the pipeline has no parameter 'pth'; did you mean 'path'?");
	assert_error_contains(err,
	                      "-p instances: the parameter is a number in the pipeline file, not "
	                      "text");
	assert_error_contains(err, "-p ratios:");
	assert_error_contains(err, "complete.yaml:26:19: there is no file 'none.csv'");
	assert_error_contains(err, "complete.yaml:43:31: 'instances' must be a whole number");
	error_free(err);
}

static void test_pipeline_load__does_not_find_a_missing_file(void **state)
{
	struct error *err = NULL;

	(void)state;
	assert_null(pipeline_load(FOLDER "none.yaml", NULL, NULL, &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	error_free(err);
}

static int64_t cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A chain: every step gets `fields`, and an input from the step before. */
static char *many_steps(int count, const char *input, const char *source_step, const char *fields)
{
	struct text_stream stream;
	int i;

	fputs(HEAD "parameters: {n: 3}\nsettings: {spark: {conf: {spark.a: 1}}}\nsteps:\n",
	      text_stream_open(&stream));
	fputs("  s0: {source: steps.py:importer, parameters: {path: x}, outputs: {o: json}}\n",
	      stream.file);
	for (i = 1; i < count; i++)
		fprintf(stream.file, "  s%d:\n    inputs: {%s: %s%d.o}\n%s", i, input, source_step,
		        i - 1, fields);
	return text_stream_take(&stream);
}

static void test_pipeline_parse__costs_no_more_than_linear_time(void **state)
{
	scoped(text) char *text =
		many_steps(10000, "train", "s",
	                   "    source: steps.py:trainer\n    outputs: {o: json}\n"
	                   "    parameters: {depth: \"${{ parameters.n }}\", more: [1, 2]}\n"
	                   "    settings: {spark: {conf: {spark.b: 2}}}\n");
	int64_t begin = cpu_ms(), spent;
	struct error *err = NULL;
	scoped(pipeline) struct pipeline *pipeline =
		pipeline_parse(FOLDER "many.yaml", text, strlen(text), NULL, NULL, &err);

	(void)state;
	spent = cpu_ms() - begin;
	assert_ok(pipeline, err);
	assert_int_equal(pipeline->step_count, 10000);
	print_message("10000 steps: %d ms of CPU\n", (int)spent);
	/* Half a second without the sanitizers; what is quadratic takes minutes. */
	assert_true(spent < 5000);
}

static void test_pipeline_parse__is_as_quick_when_every_step_is_wrong(void **state)
{
	scoped(text) char *text = many_steps(10000, "trai", "t",
	                                     "    source: steps.py:traner\n"
	                                     "    outputs: {o: jsn}\n    inptus: {}\n");
	int64_t begin = cpu_ms(), spent;
	struct error *err = NULL;

	(void)state;
	assert_null(pipeline_parse(FOLDER "many.yaml", text, strlen(text), NULL, NULL, &err));
	spent = cpu_ms() - begin;
	assert_error_contains(err, "... and ");
	error_free(err);
	print_message("10000 wrong steps: %d ms of CPU\n", (int)spent);
	assert_true(spent < 8000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pipeline_load__keeps_steps_in_the_order_of_the_file),
		cmocka_unit_test(test_pipeline_load__fills_in_what_a_step_is_given),
		cmocka_unit_test(test_pipeline_load__knows_which_functions_want_a_session),
		cmocka_unit_test(test_pipeline_load__reads_programs_and_after),
		cmocka_unit_test(test_pipeline_load__lays_a_steps_settings_over_the_pipelines),
		cmocka_unit_test(test_pipeline_load__gives_empty_settings_where_there_are_none),
		cmocka_unit_test(test_pipeline_load__reads_overrides_by_the_type_of_the_default),
		cmocka_unit_test(test_pipeline_parse__keeps_overrides_of_text_as_text),
		cmocka_unit_test(test_pipeline_load__refuses_overrides_that_fit_nothing),
		cmocka_unit_test(test_pipeline_load__does_not_find_a_missing_file),
		cmocka_unit_test(test_pipeline_parse__costs_no_more_than_linear_time),
		cmocka_unit_test(test_pipeline_parse__is_as_quick_when_every_step_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
