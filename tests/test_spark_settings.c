/* SPDX-License-Identifier: Apache-2.0 */
/* operator/flavors/spark_settings: a step's settings as Spark properties. */
#include "tests/test.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "operator/flavors/spark_settings.h"

struct settings_test {
	const char *name, *settings, *properties;
};

static const struct settings_test table[] = {
	{ "nothing", "{}", "{}" },
	{ "whole cpus", "{'resources': {'cpu': 2}}", "{'spark.executor.cores': '2'}" },
	{ "whole cpus as text", "{'resources': {'cpu': '3'}}", "{'spark.executor.cores': '3'}" },
	{ "half a cpu", "{'resources': {'cpu': 0.5}}",
	  "{'spark.executor.cores': '1', 'spark.kubernetes.executor.request.cores': '500m'}" },
	{ "millis", "{'resources': {'cpu': '2500m'}}",
	  "{'spark.executor.cores': '3', 'spark.kubernetes.executor.request.cores': '2500m'}" },
	{ "millis that no double holds", "{'resources': {'cpu': '2007m'}}",
	  "{'spark.executor.cores': '3', 'spark.kubernetes.executor.request.cores': '2007m'}" },
	{ "millis that are whole", "{'resources': {'cpu': '4000m'}}",
	  "{'spark.executor.cores': '4'}" },
	{ "memory of Kubernetes and of Spark",
	  "{'resources': {'memory': '4Gi'}, 'spark': {'driver': {'memory': '2g'}}}",
	  "{'spark.executor.memory': '4096m', 'spark.driver.memory': '2048m'}" },
	{ "gpus", "{'resources': {'gpu': 2}}",
	  "{'spark.executor.resource.gpu.amount': '2', 'spark.executor.resource.gpu.vendor': "
	  "'nvidia.com'}" },
	{ "no gpus", "{'resources': {'gpu': 0}}", "{}" },
	{ "driver and executor",
	  "{'spark': {'driver': {'cores': 1, 'memory': '1g', 'memory_overhead': '512Mi'}, "
	  "'executor': {'instances': 4, 'cores': 2, 'memory': '2g', 'memory_overhead': '1Gi'}}}",
	  "{'spark.driver.cores': '1', 'spark.driver.memory': '1024m', "
	  "'spark.driver.memoryOverhead': '512m', 'spark.executor.instances': '4', "
	  "'spark.executor.cores': '2', 'spark.executor.memory': '2048m', "
	  "'spark.executor.memoryOverhead': '1024m'}" },
	{ "executor over resources",
	  "{'resources': {'cpu': 2, 'memory': '4Gi'}, 'spark': {'executor': {'memory': '1g'}}}",
	  "{'spark.executor.cores': '2', 'spark.executor.memory': '1024m'}" },
	{ "conf over executor",
	  "{'spark': {'executor': {'memory': '1g'}, 'conf': {'spark.executor.memory': '3g'}}}",
	  "{'spark.executor.memory': '3g'}" },
	{ "other cores drop the request",
	  "{'resources': {'cpu': 0.5}, 'spark': {'executor': {'cores': 4}}}",
	  "{'spark.executor.cores': '4'}" },
	{ "a request of one's own stays",
	  "{'resources': {'cpu': 0.5}, 'spark': {'conf': "
	  "{'spark.kubernetes.executor.request.cores': '100m'}}}",
	  "{'spark.executor.cores': '1', 'spark.kubernetes.executor.request.cores': '100m'}" },
	{ "scalars as Spark writes them",
	  "{'spark': {'conf': {'spark.a': true, 'spark.b': 8, 'spark.c': 0.1, 'spark.d': 'x y'}}}",
	  "{'spark.a': 'true', 'spark.b': '8', 'spark.c': '0.1', 'spark.d': 'x y'}" },
	{ "null removes",
	  "{'resources': {'cpu': 0.5, 'memory': '4Gi'}, 'spark': {'conf': "
	  "{'spark.executor.memory': "
	  "null, 'spark.kubernetes.executor.request.cores': null}}}",
	  "{'spark.executor.cores': '1'}" },
};

/* JSON with ' for ". */
static json_t *parse(const char *text)
{
	scoped(text) char *quoted = xstrdup(text);
	json_t *value;
	char *at;

	for (at = quoted; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	value = json_loads(quoted, 0, NULL);
	assert_non_null(value);
	return value;
}

static struct spark_conf *conf_of(const char *settings, struct error **err)
{
	json_auto_t *parsed = parse(settings);
	struct step step = { .name = (char *)"trainer", .settings = parsed };

	return spark_settings_conf(&step, err);
}

static json_t *object_of(const struct spark_conf *conf)
{
	json_t *object = json_object();
	size_t count, i;
	struct spark_conf_entry *entries = spark_conf_entries(conf, &count);

	for (i = 0; i < count; i++)
		json_object_set_new(object, entries[i].key, json_string(entries[i].value));
	free(entries);
	return object;
}

static void assert_json(const char *name, const json_t *actual, const char *expected)
{
	json_auto_t *wanted = parse(expected);
	scoped(text) char *text = json_dumps(actual, JSON_SORT_KEYS);

	if (!json_equal(actual, wanted))
		print_error("%s: %s\n", name, text);
	assert_true(json_equal(actual, wanted));
}

static void test_spark_settings_conf__turns_settings_into_properties(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		struct error *err = NULL;
		scoped(spark_conf) struct spark_conf *conf = conf_of(table[i].settings, &err);
		json_auto_t *actual = NULL;

		assert_ok(conf, err);
		actual = object_of(conf);

		assert_json(table[i].name, actual, table[i].properties);
	}
}

static void test_spark_settings_conf__says_which_setting_of_which_step_is_wrong(void **state)
{
	static const struct {
		const char *settings, *part;
	} cases[] = {
		{ "{'resources': {'cpu': 'many'}}", "resources.cpu" },
		{ "{'resources': {'cpu': -1}}", "resources.cpu" },
		{ "{'resources': {'memory': '4'}}", "spark.executor.memory" },
		{ "{'spark': {'driver': {'memory_overhead': 512}}}",
		  "spark.driver.memoryOverhead" },
		{ "{'spark': {'conf': {'spark.a': [1]}}}", "'spark.a'" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(error) struct error *err = NULL;

		assert_null(conf_of(cases[i].settings, &err));

		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, "step 'trainer'");
		assert_error_contains(err, cases[i].part);
	}
}

#define EVERYTHING                                                                               \
	"{'resources': {'cpu': 0.5, 'memory': '1Gi', 'gpu': 1}, 'spark': {'driver': {'memory': " \
	"'1g'}, 'executor': {'instances': 2, 'memory_overhead': '1g'}, 'conf': "                 \
	"{'spark.sql.shuffle.partitions': 8, 'spark.kubernetes.namespace': 'x', "                \
	"'spark.executor.extraJavaOptions': '-Xss4m'}}}"
#define OF_ANY_MASTER                                                           \
	"'spark.driver.memory': '1024m', 'spark.sql.shuffle.partitions': '8', " \
	"'spark.executor.extraJavaOptions': '-Xss4m'"
#define OF_EXECUTORS                                                                        \
	"'spark.executor.cores': '1', 'spark.executor.memory': '1024m', "                   \
	"'spark.executor.memoryOverhead': '1024m', 'spark.executor.instances': '2', "       \
	"'spark.executor.resource.gpu.amount': '1', 'spark.executor.resource.gpu.vendor': " \
	"'nvidia.com'"

static void test_spark_settings_json__leaves_out_what_the_master_does_not_have(void **state)
{
	static const struct {
		const char *master;
		bool has_executors;
	} cases[] = {
		{ NULL, false },
		{ "local", false },
		{ "local[*]", false },
		{ "local[4]", false },
		{ "local-cluster[2,1,1024]", true },
		{ "spark://host:7077", true },
	};
	scoped(spark_conf) struct spark_conf *conf = conf_of(EVERYTHING, NULL);
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *object = spark_settings_json(conf, cases[i].master);

		assert_json(cases[i].master ? cases[i].master : "(none)", object,
		            cases[i].has_executors ? "{" OF_ANY_MASTER ", " OF_EXECUTORS "}"
		                                   : "{" OF_ANY_MASTER "}");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spark_settings_conf__turns_settings_into_properties),
		cmocka_unit_test(
			test_spark_settings_conf__says_which_setting_of_which_step_is_wrong),
		cmocka_unit_test(
			test_spark_settings_json__leaves_out_what_the_master_does_not_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
