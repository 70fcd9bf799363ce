/* SPDX-License-Identifier: Apache-2.0 */
/* Names, sizes, memory and substitutions of thousands of random inputs, as Spark's own code made
 * them (tests/parity/tables/, written by tests/parity/Tables.scala). */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_pod.h"
#include "submit/kube_object.h"
#include "submit/spark_app.h"
#include "submit/spark_conf.h"
#include "submit/spark_release.h"

static const char *const versions[] = { "3.5.9", "4.3.0" };

/* A line of a table: JSON values between tabs. */
static json_t *read_row(char *line)
{
	json_t *row = json_array();
	char *value;

	while ((value = strsep(&line, "\t")))
		json_array_append_new(row, json_loads(value, JSON_DECODE_ANY, NULL));
	return row;
}

static const char *text_of(const json_t *row, size_t column)
{
	return json_string_value(json_array_get(row, column));
}

/* Calls `holds` for each row of both versions' tables; tells those for which it does not hold. */
static void check_table(const char *table, bool (*holds)(const char *version, const json_t *row))
{
	size_t i, wrong = 0, size = 0;
	scoped(text) char *line = NULL;

	for (i = 0; i < ARRAY_SIZE(versions); i++) {
		scoped(text) char *path =
			text_printf("tests/parity/tables/%s/%s.tsv", versions[i], table);
		scoped(file) FILE *file = fopen(path, "r");

		assert_non_null(file);
		while (getline(&line, &size, file) > 0) {
			scoped(text) char *copy = xstrdup(line);
			json_auto_t *row = read_row(line);

			if (!holds(versions[i], row) && ++wrong <= 20)
				print_error("%s: %s", versions[i], copy);
		}
	}
	if (wrong)
		fail_msg("%zu rows of '%s' do not hold", wrong, table);
}

static struct spark_app app_of(const char *version, const char *name)
{
	struct spark_app app = { .name = xstrdup(name),
		                 .spark_version = xstrdup(version),
		                 .app_id = xstrdup("spark-0123456789abcdef0123456789abcdef"),
		                 .main_class = xstrdup("Main"),
		                 .main_resource = xstrdup("local:///a.jar"),
		                 .conf = spark_conf_new() };

	spark_conf_set(app.conf, "spark.kubernetes.container.image", "x");
	return app;
}

/* name, the prefix without the id at its end, the label */
static bool name_holds(const char *version, const json_t *row)
{
	struct spark_app app = app_of(version, text_of(row, 0));
	scoped(text) char *label = spark_app_name_label(app.name);
	size_t head = strlen(text_of(row, 1));
	bool holds;

	spark_app_complete(&app);
	holds = text_equal(label, text_of(row, 2)) && strlen(app.resource_prefix) == head + 16 &&
	        !strncmp(app.resource_prefix, text_of(row, 1), head);
	spark_app_release(&app);
	return holds;
}

static void test_parity_tables__names_are_sparks(void **state)
{
	(void)state;
	check_table("names", name_holds);
}

/* text, MiB or null. What is more than 2 PiB is refused: no machine has it. */
static bool size_holds(const char *version, const json_t *row)
{
	scoped(spark_conf) struct spark_conf *conf = spark_conf_new();
	scoped(error) struct error *err = NULL;
	const json_t *expected = json_array_get(row, 1);
	int64_t mib = 0;

	spark_conf_set(conf, "spark.driver.memory", text_of(row, 0));
	if (spark_conf_has_binary_unit(conf, "spark.driver.memory") &&
	    !spark_release_has(version, SPARK_BINARY_UNITS))
		return json_is_null(expected);
	if (!spark_conf_get_mib(conf, "spark.driver.memory", 0, &mib, &err))
		return json_is_null(expected) || json_integer_value(expected) > INT32_MAX;
	return json_is_integer(expected) && json_integer_value(expected) == mib;
}

static void test_parity_tables__sizes_are_sparks(void **state)
{
	(void)state;
	check_table("sizes", size_holds);
}

static void set_resource(struct spark_app *app, const char *resource)
{
	static const struct {
		const char *name, *file;
		enum spark_resource resource;
	} resources[] = {
		{ "java", "local:///a.jar", SPARK_RESOURCE_JAVA },
		{ "python", "local:///a.py", SPARK_RESOURCE_PYTHON },
		{ "r", "local:///a.R", SPARK_RESOURCE_R },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(resources); i++)
		if (text_equal(resource, resources[i].name)) {
			app->resource = resources[i].resource;
			free(app->main_resource);
			app->main_resource = xstrdup(resources[i].file);
		}
}

/* The text of spark.properties; borrowed. */
static const char *properties_of(const json_t *objects)
{
	const char *text;
	json_t *object;
	size_t i;

	json_array_foreach (objects, i, object) {
		text = json_string_value(
			json_object_get(json_object_get(object, "data"), "spark.properties"));
		if (text)
			return text;
	}
	return "";
}

static bool memory_is(const json_t *objects, json_int_t mib, const char *factor)
{
	scoped(text) char *quantity = text_printf("%" JSON_INTEGER_FORMAT "Mi", mib);
	scoped(text) char *property =
		text_printf("\nspark.kubernetes.memoryOverheadFactor=%s\n", factor);
	scoped(text) char *properties = text_printf("\n%s", properties_of(objects));
	json_t *container = json_array_get(
		json_object_get(json_object_get(driver_objects_pod(objects), "spec"), "containers"),
		0);
	json_t *limits = json_object_get(json_object_get(container, "resources"), "limits");

	return text_equal(json_string_value(json_object_get(limits, "memory")), quantity) &&
	       strstr(properties, property);
}

/* resource, the values of `keys` or null, MiB and factor, both null if refused */
static bool memory_holds(const char *version, const json_t *row)
{
	static const char *const keys[] = { "spark.driver.memory", "spark.driver.memoryOverhead",
		                            "spark.driver.memoryOverheadFactor",
		                            "spark.kubernetes.memoryOverheadFactor",
		                            "spark.driver.minMemoryOverhead" };
	struct spark_app app = app_of(version, "app");
	scoped(error) struct error *err = NULL;
	json_auto_t *objects = NULL;
	const json_t *mib = json_array_get(row, 1 + ARRAY_SIZE(keys));
	size_t i;

	set_resource(&app, text_of(row, 0));
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (text_of(row, i + 1))
			spark_conf_set(app.conf, keys[i], text_of(row, i + 1));
	objects = driver_objects_build(&app, &err);
	spark_app_release(&app);
	if (!objects || json_is_null(mib))
		return !objects && json_is_null(mib);
	return memory_is(objects, json_integer_value(mib), text_of(row, 2 + ARRAY_SIZE(keys)));
}

static void test_parity_tables__memory_is_sparks(void **state)
{
	(void)state;
	check_table("memory", memory_holds);
}

/* text, what it is as an annotation, and as a label */
static bool substitution_holds(const char *version, const json_t *row)
{
	struct spark_app app = app_of(version, "app");
	scoped(error) struct error *err = NULL;
	json_auto_t *objects = NULL;
	json_t *metadata;

	spark_conf_set(app.conf, "spark.kubernetes.driver.annotation.a", text_of(row, 0));
	spark_conf_set(app.conf, "spark.kubernetes.driver.label.l", text_of(row, 0));
	objects = driver_objects_build(&app, &err);
	spark_app_release(&app);
	metadata = json_object_get(driver_objects_pod(objects), "metadata");
	return text_equal(json_string_value(
				  json_object_get(json_object_get(metadata, "annotations"), "a")),
	                  text_of(row, 1)) &&
	       text_equal(
		       json_string_value(json_object_get(json_object_get(metadata, "labels"), "l")),
		       text_of(row, 2));
}

static void test_parity_tables__substitutions_are_sparks(void **state)
{
	(void)state;
	check_table("substitutions", substitution_holds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parity_tables__names_are_sparks),
		cmocka_unit_test(test_parity_tables__sizes_are_sparks),
		cmocka_unit_test(test_parity_tables__memory_is_sparks),
		cmocka_unit_test(test_parity_tables__substitutions_are_sparks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
