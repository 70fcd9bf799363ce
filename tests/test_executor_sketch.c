/* SPDX-License-Identifier: Apache-2.0 */
/* submit/executor_sketch: an executor before there is a driver. */
#include "tests/test.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/executor_sketch.h"
#include "submit/kube_object.h"
#include "tests/fakes/spark_objects.h"

/* The sketch of the application, with this property unless it is NULL; owned by the caller. */
static json_t *sketch_of(struct spark_app *app, const char *key, const char *value)
{
	json_auto_t *objects = NULL;

	if (key)
		spark_conf_set(app->conf, key, value);
	objects = spark_objects_built(app);
	return executor_sketch(objects);
}

static void test_executor_sketch__is_a_pod_with_one_container(void **state)
{
	struct spark_app app = spark_objects_python_app();
	json_auto_t *pod =
		sketch_of(&app, "spark.kubernetes.authenticate.driver.serviceAccountName", "spark");

	(void)state;
	assert_string_equal(kube_object_kind(pod), "Pod");
	assert_string_equal(kube_object_namespace(pod), "default");
	assert_string_equal(spark_objects_text(pod, "spec.serviceAccountName"), "spark");
	assert_string_equal(spark_objects_text(pod, "spec.containers.0.name"),
	                    "spark-kubernetes-executor");
	assert_non_null(spark_objects_at(pod, "spec.containers.0.image"));
	spark_app_release(&app);
}

static void test_executor_sketch__begins_with_the_template(void **state)
{
	struct spark_app app = spark_objects_python_app();
	json_auto_t *pod = NULL;

	(void)state;
	app.executor_template = json_pack("{s:{s:b, s:[{s:s, s:s}, {}], s:[{s:s, s:{}}]}}", "spec",
	                                  "hostPID", 1, "containers", "name", "a", "image", "i",
	                                  "volumes", "name", "v", "emptyDir");
	pod = sketch_of(&app, NULL, NULL);

	assert_true(json_is_true(spark_objects_at(pod, "spec.hostPID")));
	assert_string_equal(spark_objects_text(pod, "spec.containers.0.image"), "i");
	assert_string_equal(spark_objects_text(pod, "spec.containers.1.name"), "container-1");
	assert_string_equal(spark_objects_text(pod, "spec.volumes.0.name"), "v");
	spark_app_release(&app);
}

static void test_executor_sketch__has_a_volume_of_each_type(void **state)
{
	static const char *const types[] = { "hostPath", "nfs", "persistentVolumeClaim",
		                             "emptyDir" };
	static const char *const options[] = { "mount.path", "options.path", "options.server",
		                               "options.claimName" };
	struct spark_app app = spark_objects_python_app();
	json_auto_t *pod = NULL;
	const json_t *volumes;
	size_t found = 0, i, j, v;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(types); i++)
		for (j = 0; j < ARRAY_SIZE(options); j++) {
			scoped(text) char *key =
				text_printf("spark.kubernetes.executor.volumes.%s.v%zu.%s",
			                    types[i], i, options[j]);
			scoped(text) char *value = text_printf("/v%zu", i);

			spark_conf_set(app.conf, key, value);
		}
	pod = sketch_of(&app, NULL, NULL);
	volumes = spark_objects_at(pod, "spec.volumes");

	assert_int_equal(json_array_size(volumes), ARRAY_SIZE(types));
	for (v = 0; v < json_array_size(volumes); v++)
		for (i = 0; i < ARRAY_SIZE(types); i++)
			found += json_object_get(json_array_get(volumes, v), types[i]) != NULL;
	assert_int_equal(found, ARRAY_SIZE(types));
	spark_app_release(&app);
}

static void test_executor_sketch__is_none_without_executors(void **state)
{
	struct spark_app app = spark_objects_python_app();
	json_auto_t *pod = sketch_of(&app, "spark.kubernetes.driver.master", "local[2]");

	(void)state;
	assert_null(pod);
	spark_app_release(&app);
}

/* The driver may make sense of what we cannot. */
static void test_executor_sketch__is_none_of_a_template_that_is_no_yaml(void **state)
{
	json_auto_t *objects =
		json_pack("[{s:s, s:{s:s}}, {s:s, s:{s:s}}, {s:s}]", "kind", "ConfigMap", "data",
	                  "podspec-configmap-key", "{ [", "kind", "ConfigMap", "data",
	                  "spark.properties", "a=b\n", "kind", "Pod");
	json_auto_t *pod = executor_sketch(objects);

	(void)state;
	assert_null(pod);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_executor_sketch__is_a_pod_with_one_container),
		cmocka_unit_test(test_executor_sketch__begins_with_the_template),
		cmocka_unit_test(test_executor_sketch__has_a_volume_of_each_type),
		cmocka_unit_test(test_executor_sketch__is_none_without_executors),
		cmocka_unit_test(test_executor_sketch__is_none_of_a_template_that_is_no_yaml),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
