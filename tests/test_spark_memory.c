/* SPDX-License-Identifier: Apache-2.0 */
/* submit/spark_memory: the memory of driver and executors, and its explanation. */
#include "tests/test.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/spark_memory.h"

#define PROPERTIES 3

struct property {
	const char *key, *value;
};

static struct spark_app app_of(enum spark_resource resource, const char *version,
                               const struct property *properties)
{
	struct spark_app app = {
		.resource = resource,
		.spark_version = xstrdup(version),
		.conf = spark_conf_new(),
	};
	size_t i;

	for (i = 0; i < PROPERTIES && properties[i].key; i++)
		spark_conf_set(app.conf, properties[i].key, properties[i].value);
	return app;
}

static void test_spark_memory_of_driver__counts_as_spark_does(void **state)
{
	static const struct {
		enum spark_resource resource;
		const char *version;
		struct property properties[PROPERTIES];
		int64_t total_mib;
	} cases[] = {
		{ SPARK_RESOURCE_JAVA, "3.5.9", { { NULL } }, 1408 },
		{ SPARK_RESOURCE_JAVA, "3.5.9", { { "spark.driver.memory", "9999m" } }, 10998 },
		{ SPARK_RESOURCE_PYTHON, "3.5.9", { { "spark.driver.memory", "1g" } }, 1433 },
		{ SPARK_RESOURCE_R, "4.3.0", { { "spark.driver.memory", "10g" } }, 14336 },
		{ SPARK_RESOURCE_JAVA,
		  "3.5.9",
		  { { "spark.driver.minMemoryOverhead", "1g" } },
		  1408 },
		{ SPARK_RESOURCE_JAVA,
		  "4.0.0",
		  { { "spark.driver.minMemoryOverhead", "1g" } },
		  2048 },
		{ SPARK_RESOURCE_JAVA,
		  "4.0.0",
		  { { "spark.driver.minMemoryOverhead", "0" } },
		  1126 },
		{ SPARK_RESOURCE_JAVA,
		  "4.0.0",
		  { { "spark.driver.minMemoryOverhead", "1g" },
		    { "spark.driver.memoryOverhead", "100" } },
		  1124 },
		{ SPARK_RESOURCE_PYTHON,
		  "4.3.0",
		  { { "spark.driver.memoryOverheadFactor", "1.5" },
		    { "spark.kubernetes.memoryOverheadFactor", "2" } },
		  2560 },
		{ SPARK_RESOURCE_JAVA,
		  "4.3.0",
		  { { "spark.kubernetes.memoryOverheadFactor", "0" },
		    { "spark.driver.memory", "100g" } },
		  102784 },
		{ SPARK_RESOURCE_JAVA,
		  "4.3.0",
		  { { "spark.driver.memoryOverheadFactor", "1e300" } },
		  1024 + (int64_t)INT32_MAX },
		{ SPARK_RESOURCE_JAVA, "4.2.0", { { "spark.driver.memory", "4GiB" } }, 4505 },
		{ SPARK_RESOURCE_PYTHON,
		  "4.3.0",
		  { { "spark.memory.offHeap.enabled", "true" },
		    { "spark.memory.offHeap.size", "1g" } },
		  1433 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct spark_app app =
			app_of(cases[i].resource, cases[i].version, cases[i].properties);
		scoped(error) struct error *err = NULL;
		struct spark_memory memory;

		assert_ok(spark_memory_of_driver(&app, &memory, &err), err);
		assert_int_equal(memory.total_mib, cases[i].total_mib);
		spark_app_release(&app);
	}
}

static void test_spark_memory_of_executor__adds_python_and_off_heap(void **state)
{
	static const struct {
		enum spark_resource resource;
		const char *version;
		struct property properties[PROPERTIES];
		int64_t total_mib;
	} cases[] = {
		{ SPARK_RESOURCE_PYTHON, "3.5.9", { { "spark.executor.memory", "1g" } }, 1433 },
		{ SPARK_RESOURCE_PYTHON,
		  "3.5.9",
		  { { "spark.executor.pyspark.memory", "1g" } },
		  2457 },
		{ SPARK_RESOURCE_JAVA,
		  "3.5.9",
		  { { "spark.executor.pyspark.memory", "1g" } },
		  1408 },
		{ SPARK_RESOURCE_JAVA,
		  "4.3.0",
		  { { "spark.memory.offHeap.enabled", "true" },
		    { "spark.memory.offHeap.size", "2097152" } },
		  1410 },
		{ SPARK_RESOURCE_JAVA, "4.3.0", { { "spark.memory.offHeap.size", "1g" } }, 1408 },
		{ SPARK_RESOURCE_JAVA,
		  "4.3.0",
		  { { "spark.kubernetes.memoryOverheadFactor", "0.5" },
		    { "spark.driver.memoryOverheadFactor", "0.9" },
		    { "spark.executor.memory", "4g" } },
		  6144 },
		{ SPARK_RESOURCE_JAVA,
		  "4.3.0",
		  { { "spark.executor.memoryOverheadFactor", "0.25" },
		    { "spark.executor.memory", "4g" } },
		  5120 },
		{ SPARK_RESOURCE_JAVA,
		  "4.3.0",
		  { { "spark.executor.minMemoryOverhead", "1g" } },
		  2048 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct spark_app app =
			app_of(cases[i].resource, cases[i].version, cases[i].properties);
		scoped(error) struct error *err = NULL;
		struct spark_memory memory;

		assert_ok(spark_memory_of_executor(&app, &memory, &err), err);
		assert_int_equal(memory.total_mib, cases[i].total_mib);
		spark_app_release(&app);
	}
}

static void test_spark_memory__refuses_what_spark_refuses(void **state)
{
	static const struct {
		bool (*compute)(const struct spark_app *app, struct spark_memory *memory,
		                struct error **err);
		struct property properties[PROPERTIES];
		const char *part;
	} cases[] = {
		{ spark_memory_of_driver,
		  { { "spark.driver.memory", "0" } },
		  "spark.driver.memory must be at least 1m" },
		{ spark_memory_of_driver,
		  { { "spark.driver.memory", "1023k" } },
		  "spark.driver.memory must be at least 1m" },
		{ spark_memory_of_driver, { { "spark.driver.memory", "1.5g" } }, "'1.5g'" },
		{ spark_memory_of_driver,
		  { { "spark.driver.memoryOverhead", "-1g" } },
		  "spark.driver.memoryOverhead: '-1g'" },
		{ spark_memory_of_driver,
		  { { "spark.driver.memoryOverheadFactor", "0" } },
		  "spark.driver.memoryOverheadFactor must be greater than 0" },
		{ spark_memory_of_driver,
		  { { "spark.kubernetes.memoryOverheadFactor", "-0.1" } },
		  "spark.kubernetes.memoryOverheadFactor must not be negative" },
		{ spark_memory_of_executor,
		  { { "spark.executor.memory", "x" } },
		  "spark.executor.memory: 'x'" },
		{ spark_memory_of_executor,
		  { { "spark.memory.offHeap.enabled", "true" } },
		  "spark.memory.offHeap.size must be at least 1m" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct spark_app app = app_of(SPARK_RESOURCE_JAVA, "4.3.0", cases[i].properties);
		scoped(error) struct error *err = NULL;
		struct spark_memory memory;

		assert_false(cases[i].compute(&app, &memory, &err));
		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, cases[i].part);
		spark_app_release(&app);
	}
}

static void test_spark_memory__knows_binary_units_since_4_2(void **state)
{
	static const struct property properties[PROPERTIES] = { { "spark.driver.memory", "4Gi" } };
	static const char *const versions[] = { "3.5.9", "4.1.4" };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(versions); i++) {
		struct spark_app app = app_of(SPARK_RESOURCE_JAVA, versions[i], properties);
		scoped(error) struct error *err = NULL;
		struct spark_memory memory;

		assert_false(spark_memory_of_driver(&app, &memory, &err));
		assert_error_contains(err, "does not know the unit of '4Gi'");
		spark_app_release(&app);
	}
}

/* "part size: reason" lines. */
static char *explained(const struct spark_memory *memory)
{
	json_auto_t *rows = spark_memory_explain(memory);
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	const json_t *row;
	size_t i;

	json_array_foreach (rows, i, row)
		fprintf(out, "%s %s: %s\n", json_string_value(json_object_get(row, "part")),
		        json_string_value(json_object_get(row, "size")),
		        json_string_value(json_object_get(row, "reason")));
	return text_stream_take(&stream);
}

static void test_spark_memory_explain__names_where_each_term_came_from(void **state)
{
	static const struct property defaults[PROPERTIES] = { { NULL } };
	static const struct property chosen[PROPERTIES] = {
		{ "spark.executor.memory", "4g" },
		{ "spark.kubernetes.memoryOverheadFactor", "0.25" },
		{ "spark.executor.pyspark.memory", "512m" },
	};
	struct spark_app app = app_of(SPARK_RESOURCE_JAVA, "3.5.9", defaults);
	struct spark_memory memory;
	scoped(text) char *driver = NULL;
	scoped(text) char *executor = NULL;

	(void)state;
	assert_true(spark_memory_of_driver(&app, &memory, NULL));
	driver = explained(&memory);
	spark_app_release(&app);
	app = app_of(SPARK_RESOURCE_PYTHON, "4.3.0", chosen);
	assert_true(spark_memory_of_executor(&app, &memory, NULL));
	executor = explained(&memory);
	spark_app_release(&app);

	assert_string_equal(
		driver,
		"heap 1024Mi: Spark's default; spark.driver.memory sets it\n"
		"overhead 384Mi: at least 384Mi (fixed before Spark 4.0); 0.1 x 1024Mi is 102Mi "
		"only "
		"(Spark's default for Java and Scala; spark.driver.memoryOverheadFactor sets it)\n"
		"pod 1408Mi: request and limit of the container; beyond it lies OOMKilled\n");
	assert_string_equal(
		executor,
		"heap 4096Mi: spark.executor.memory\n"
		"overhead 1024Mi: 0.25 x 4096Mi (spark.kubernetes.memoryOverheadFactor)\n"
		"python 512Mi: spark.executor.pyspark.memory\n"
		"pod 5632Mi: request and limit of the container; beyond it lies OOMKilled\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spark_memory_of_driver__counts_as_spark_does),
		cmocka_unit_test(test_spark_memory_of_executor__adds_python_and_off_heap),
		cmocka_unit_test(test_spark_memory__refuses_what_spark_refuses),
		cmocka_unit_test(test_spark_memory__knows_binary_units_since_4_2),
		cmocka_unit_test(test_spark_memory_explain__names_where_each_term_came_from),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
