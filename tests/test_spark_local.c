/* SPDX-License-Identifier: Apache-2.0 */
/* operator/flavors/spark_local: what spark-submit is called with; a script stands in for it. */
#include "tests/test.h"

#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/catalog.h"
#include "tests/fakes/run_project.h"

#define SETTINGS                                                                         \
	"  settings: {resources: {cpu: 2, memory: 4Gi}, spark: {conf: {spark.x: 'a b', " \
	"spark.kubernetes.namespace: n}}}\n"
#define PROGRAM                                                                                 \
	"job:\n  source: {main: 'local:///app.jar', class: org.x.Main, args: [--day, 'b c']}\n" \
	"  operator: spark\n" SETTINGS
#define FUNCTION "job:\n  source: steps.py:f\n  operator: spark\n" SETTINGS

/* spark_home/bin/spark-submit writes its arguments, one per line, into the log. */
static void register_spark(const struct temporary_project *temporary, const char *master)
{
	static const char script[] = "#!/bin/sh\nprintf '%s\\n' \"$@\"\n";
	scoped(text) char *folder = file_join(temporary->folder, "bin");
	scoped(text) char *submit = file_join(folder, "spark-submit");
	json_auto_t *options = json_pack("{s:s, s:s, s:s}", "master", master, "spark_home",
	                                 temporary->folder, "python", "/py/bin/python3");
	const struct component component = { .type = COMPONENT_STEP_OPERATOR,
		                             .name = (char *)"spark",
		                             .flavor = (char *)"spark-local",
		                             .options = options };
	struct error *err = NULL;

	assert_ok(file_make_folders(folder, 0755, &err), err);
	assert_ok(file_write_atomic(submit, script, strlen(script), 0755, &err), err);
	assert_ok(component_register(temporary->project, catalog_built_in(), &component, &err),
	          err);
}

/* The arguments of the only step. */
static char *arguments_of(const struct temporary_project *temporary, const char *steps)
{
	scoped(run) struct run *run = NULL;
	struct step_view view;

	run_project_write(temporary, "def f():\n    pass\n", steps);
	run = run_project_open(temporary, NULL);
	run_execute(run, &run_project_observer, NULL, NULL);
	run_step_view(run, 0, &view);
	return file_read(view.log_path, 1 << 20, NULL, NULL);
}

static void test_spark_local__submits_a_program_to_a_local_master(void **state)
{
	scoped(text) char *arguments = NULL;

	register_spark(*state, "local[2]");
	arguments = arguments_of(*state, PROGRAM);

	assert_string_equal(arguments, "--master\nlocal[2]\n--name\njob\n"
	                               "--conf\nspark.pyspark.python=/py/bin/python3\n"
	                               "--conf\nspark.ui.enabled=false\n"
	                               "--conf\nspark.ui.showConsoleProgress=false\n"
	                               "--conf\nspark.x=a b\n"
	                               "--class\norg.x.Main\n/app.jar\n--day\nb c\n");
}

static void test_spark_local__gives_the_executors_of_a_cluster_their_size(void **state)
{
	scoped(text) char *arguments = NULL;

	register_spark(*state, "spark://host:7077");
	arguments = arguments_of(*state, PROGRAM);

	assert_true(text_starts_with(arguments, "--master\nspark://host:7077\n"));
	assert_non_null(strstr(arguments, "--conf\nspark.executor.cores=2\n"));
	assert_non_null(strstr(arguments, "--conf\nspark.executor.memory=4096m\n"));
	assert_null(strstr(arguments, "spark.kubernetes"));
}

static void test_spark_local__submits_a_function_through_the_runtime(void **state)
{
	scoped(text) char *arguments = NULL;

	register_spark(*state, "local[*]");
	arguments = arguments_of(*state, FUNCTION);

	assert_non_null(strstr(arguments, "/runtime/main.py\n"));
	assert_true(text_ends_with(arguments, "/job/1/step.json\n"));
}

#define WITH_PROJECT(test) \
	cmocka_unit_test_setup_teardown(test, temporary_project_setup, temporary_project_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PROJECT(test_spark_local__submits_a_program_to_a_local_master),
		WITH_PROJECT(test_spark_local__gives_the_executors_of_a_cluster_their_size),
		WITH_PROJECT(test_spark_local__submits_a_function_through_the_runtime),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
