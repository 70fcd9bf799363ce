/* SPDX-License-Identifier: Apache-2.0 */
/* What the driver takes from the machine that submits: its configuration folder and its
 * environment. Held against what spark-submit 3.5.9 made of the same. */
#include "tests/test.h"

#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_pod.h"
#include "tests/fakes/spark_objects.h"

#define SIZE_PROPERTY "spark.kubernetes.configMap.maxSize"

static int make_folder(void **state)
{
	*state = xstrdup("/tmp/stepop-conf-XXXXXX");
	return mkdtemp(*state) ? 0 : -1;
}

static int remove_folder(void **state)
{
	file_remove_tree(*state, NULL);
	free(*state);
	return 0;
}

static void put(const char *folder, const char *name, const char *text)
{
	scoped(text) char *path = file_join(folder, name);

	assert_true(file_write(path, text, strlen(text), 0600, NULL));
}

/* "a,b": the paths of the conf volume; owned by the caller. */
static char *mounted_files(const json_t *objects)
{
	const json_t *volumes = spark_objects_at(driver_objects_pod(objects), "spec.volumes");
	const json_t *items = spark_objects_at(
		spark_objects_item(volumes, "spark-conf-volume-driver"), "configMap.items");
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	const json_t *item;
	size_t i;

	json_array_foreach (items, i, item) {
		assert_string_equal(spark_objects_text(item, "key"),
		                    spark_objects_text(item, "path"));
		assert_int_equal(json_integer_value(json_object_get(item, "mode")), 420);
		fprintf(out, "%s%s", i ? "," : "", spark_objects_text(item, "path"));
	}
	return text_stream_take(&stream);
}

static void assert_mounted(const struct spark_app *app, const char *expected)
{
	json_auto_t *objects = spark_objects_built(app);
	scoped(text) char *files = mounted_files(objects);

	assert_string_equal(files, expected);
}

static const json_t *config_data(const json_t *objects)
{
	json_t *object;
	size_t i;

	json_array_foreach (objects, i, object)
		if (spark_objects_at(object, "data.spark.properties"))
			return json_object_get(object, "data");
	return NULL;
}

static void test_conf_folder__sends_what_is_configuration(void **state)
{
	const char *folder = *state;
	struct spark_app app = spark_objects_python_app();
	scoped(text) char *sub = file_join(folder, "sub");
	json_auto_t *objects = NULL;
	const json_t *data;

	put(folder, "log4j2.properties", "1\n");
	put(folder, "spark-env.sh", "# e\n");
	put(folder, "hive-site.xml", "<configuration/>\n");
	put(folder, ".hid", "1\n");
	put(folder, "spark-defaults.conf", "spark.x 1\n");
	put(folder, "sparkles.conf", "1\n");
	put(folder, "spark.properties", "spark.x=1\n");
	put(folder, "x.template", "1\n");
	put(folder, "a.zip", "1\n");
	put(folder, "a.tar", "1\n");
	put(folder, "bin.txt", "bad \xff");
	assert_true(file_make_folders(sub, 0700, NULL));
	app.client.conf_dir = xstrdup(folder);
	objects = spark_objects_built(&app);
	data = config_data(objects);

	assert_mounted(&app, ".hid,hive-site.xml,log4j2.properties,spark-env.sh,spark.properties");
	assert_string_equal(spark_objects_text(data, "hive-site.xml"), "<configuration/>\n");
	assert_string_equal(spark_objects_text(data, "spark.kubernetes.namespace"), "default");
	assert_int_equal(json_object_size(data), 6);
	spark_app_release(&app);
}

/* The same folder and limits as recorded: 6 + 9 + 16 + 19 units, and 30 more are not below 80. */
static void test_conf_folder__takes_the_smallest_as_far_as_they_fit(void **state)
{
	static const struct {
		const char *limit, *files;
	} cases[] = {
		{ "80", ".hid,log4j2.properties,spark-env.sh,spark.properties,uni.txt" },
		{ "81", ".hid,hive-site.xml,log4j2.properties,spark-env.sh,spark.properties,"
		        "uni.txt" },
		{ "16", ".hid,spark.properties,uni.txt" },
		{ "15", ".hid,spark.properties" },
		{ "6", "spark.properties" },
	};
	const char *folder = *state;
	struct spark_app app = spark_objects_python_app();
	size_t i;

	put(folder, ".hid", "1\n");
	put(folder, "uni.txt", "\xc3\xa9\n");
	put(folder, "spark-env.sh", "env\n");
	put(folder, "log4j2.properties", "1\n");
	put(folder, "hive-site.xml", "<configuration/>\n");
	app.client.conf_dir = xstrdup(folder);

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		spark_conf_set(app.conf, SIZE_PROPERTY, cases[i].limit);
		assert_mounted(&app, cases[i].files);
	}
	spark_app_release(&app);
}

static void test_conf_folder__counts_characters_as_java_does(void **state)
{
	struct spark_app app = spark_objects_python_app();

	put(*state, "x", "\xf0\x9f\x98\x80"); /* four bytes, two units: three with the name */
	app.client.conf_dir = xstrdup(*state);
	spark_conf_set(app.conf, SIZE_PROPERTY, "5");

	assert_mounted(&app, "spark.properties,x");
	put(*state, "a", "");
	spark_conf_set(app.conf, SIZE_PROPERTY, "5");
	assert_mounted(&app, "a,spark.properties,x");
	put(*state, "b", "");
	assert_mounted(&app, "a,b,spark.properties");
	spark_app_release(&app);
}

static void test_conf_folder__may_be_missing(void **state)
{
	struct spark_app app = spark_objects_python_app();

	(void)state;
	app.client.conf_dir = xstrdup("/nowhere/conf");

	assert_mounted(&app, "spark.properties");
	spark_app_release(&app);
}

static void test_conf_folder__refuses_names_that_are_no_keys(void **state)
{
	struct spark_app app = spark_objects_python_app();
	scoped(error) struct error *err = NULL;

	put(*state, "metrics.conf~", "x");
	app.client.conf_dir = xstrdup(*state);
	assert_null(driver_objects_build(&app, &err));

	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, "metrics.conf~' cannot be the key of a ConfigMap");
	spark_app_release(&app);
}

static void test_conf_folder__refuses_a_limit_beyond_a_config_map(void **state)
{
	(void)state;
	spark_objects_assert_refused(SIZE_PROPERTY, "2000000", SIZE_PROPERTY);
	spark_objects_assert_refused(SIZE_PROPERTY, "0", "from 1 to");
	spark_objects_assert_refused(SIZE_PROPERTY, "much", SIZE_PROPERTY);
}

static const char *variable(const json_t *objects, const char *name)
{
	const json_t *env = spark_objects_at(driver_objects_pod(objects), "spec.containers.0.env");

	return spark_objects_text(spark_objects_item(env, name), "value");
}

static void test_client_environment__chooses_the_python(void **state)
{
	static const struct {
		const char *own, *common, *client_own, *client_common;
		const char *driver, *all;
	} cases[] = {
		{ NULL, NULL, NULL, NULL, "(none)", "(none)" },
		{ NULL, NULL, NULL, "p1", "p1", "p1" },
		{ NULL, NULL, "p2", NULL, "p2", "(none)" },
		{ NULL, NULL, "p2", "p1", "p2", "p1" },
		{ NULL, "c1", "p2", "p1", "c1", "c1" },
		{ "c2", NULL, "p2", "p1", "c2", "p1" },
		{ "c2", "c1", NULL, NULL, "c2", "c1" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct spark_app app = spark_objects_python_app();
		json_auto_t *objects = NULL;

		spark_conf_set(app.conf, "spark.pyspark.driver.python", cases[i].own);
		spark_conf_set(app.conf, "spark.pyspark.python", cases[i].common);
		app.client.pyspark_driver_python = text_copy(cases[i].client_own);
		app.client.pyspark_python = text_copy(cases[i].client_common);
		objects = spark_objects_built(&app);
		assert_string_equal(variable(objects, "PYSPARK_DRIVER_PYTHON"), cases[i].driver);
		assert_string_equal(variable(objects, "PYSPARK_PYTHON"), cases[i].all);
		spark_app_release(&app);
	}
}

static void test_client_environment__chooses_local_folders_over_properties(void **state)
{
	static const struct {
		const char *inherited, *configured, *expected;
	} cases[] = {
		{ "/l1,/l2", "/l3", "/l1,/l2" },
		{ NULL, "/l3", "/l3" },
		{ "", "/l3", "/l3" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct spark_app app = spark_objects_python_app();
		json_auto_t *objects = NULL;

		app.client.local_dirs = text_copy(cases[i].inherited);
		spark_conf_set(app.conf, "spark.local.dir", cases[i].configured);
		objects = spark_objects_built(&app);
		assert_string_equal(variable(objects, "SPARK_LOCAL_DIRS"), cases[i].expected);
		spark_app_release(&app);
	}
}

static void test_proxy_user__is_told_to_the_drivers_own_spark_submit(void **state)
{
	static const char *const expected[] = { "driver", "--proxy-user", "bob",
		                                "--properties-file" };
	struct spark_app app = spark_objects_python_app();
	json_auto_t *objects = NULL;
	const json_t *args;
	size_t i;

	(void)state;
	app.proxy_user = xstrdup("bob");
	objects = spark_objects_built(&app);
	args = spark_objects_at(driver_objects_pod(objects), "spec.containers.0.args");

	for (i = 0; i < ARRAY_SIZE(expected); i++)
		assert_string_equal(json_string_value(json_array_get(args, i)), expected[i]);
	spark_app_release(&app);
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_folder(test_conf_folder__sends_what_is_configuration),
		with_folder(test_conf_folder__takes_the_smallest_as_far_as_they_fit),
		with_folder(test_conf_folder__counts_characters_as_java_does),
		with_folder(test_conf_folder__may_be_missing),
		with_folder(test_conf_folder__refuses_names_that_are_no_keys),
		with_folder(test_conf_folder__refuses_a_limit_beyond_a_config_map),
		with_folder(test_client_environment__chooses_the_python),
		with_folder(test_client_environment__chooses_local_folders_over_properties),
		with_folder(test_proxy_user__is_told_to_the_drivers_own_spark_submit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
