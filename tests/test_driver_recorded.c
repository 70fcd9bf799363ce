/* SPDX-License-Identifier: Apache-2.0 */
/* submit/driver_*: all objects of an application, held against what spark-submit sent (see
 * tests/golden/objects/README.md). */
#include "tests/test.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_pod.h"
#include "submit/kube_object.h"
#include "tests/fakes/spark_objects.h"

#define CLIENT "tests/golden/objects/client"
#define POD "objects.0"
#define CONTAINER POD ".spec.containers.0"

static json_t *load(const char *version, const char *name)
{
	scoped(text) char *path =
		text_printf("tests/golden/objects/spark-%s-%s.json", version, name);
	json_error_t error;
	json_t *recorded = json_load_file(path, 0, &error);

	if (!recorded)
		fail_msg("%s: %s", path, error.text);
	return recorded;
}

/* Everywhere in `value`, keys left alone; `value` is given up. */
static json_t *replaced(json_t *value, const char *from, const char *to)
{
	scoped(text) char *text = json_dumps(value, 0);
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	scoped(text) char *result = NULL;
	const char *at, *found;

	for (at = text; (found = strstr(at, from)); at = found + strlen(from))
		fprintf(out, "%.*s%s", (int)(found - at), at, to);
	fputs(at, out);
	result = text_stream_take(&stream);
	json_decref(value);
	return json_loads(result, 0, NULL);
}

static const char *name_of_kind(const json_t *objects, const char *kind)
{
	return kube_object_name(spark_objects_of_kind(objects, kind));
}

static const char *local_folder(const json_t *container)
{
	return spark_objects_text(
		spark_objects_item(json_object_get(container, "volumeMounts"), "spark-local-dir-1"),
		"mountPath");
}

/* Names that Spark takes at random: a long Service's, the number of a claim, the local folder. */
static json_t *take_over_names(json_t *recorded, const json_t *objects)
{
	static const char *const kinds[] = { "Service", "PersistentVolumeClaim" };
	const json_t *pod = driver_objects_pod(objects);
	scoped(text) char *folder = xstrdup(local_folder(spark_objects_at(recorded, CONTAINER)));
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		const char *theirs = name_of_kind(json_object_get(recorded, "objects"), kinds[i]);
		scoped(text) char *from = text_copy(theirs);

		if (from)
			recorded = replaced(recorded, from, name_of_kind(objects, kinds[i]));
	}
	return replaced(recorded, folder, local_folder(spark_objects_at(pod, "spec.containers.0")));
}

/* submit/driver_pod.h says why. */
static void apply_deviations(json_t *recorded, const struct spark_app *app)
{
	json_t *namespace = json_string(app->namespace), *object;
	size_t i;

	json_array_foreach (json_object_get(recorded, "objects"), i, object)
		json_object_set(json_object_get(object, "metadata"), "namespace", namespace);
	json_decref(namespace);
	json_object_set_new(spark_objects_at(recorded, POD ".spec"), "enableServiceLinks",
	                    json_false());
	json_object_set_new(json_object_get(recorded, "properties"),
	                    "spark.kubernetes.executor.podNamePrefix",
	                    json_string(app->resource_prefix));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(spark_objects_text(*(json_t *const *)a, "name"),
	              spark_objects_text(*(json_t *const *)b, "name"));
}

/* Some lists have no order in Spark. */
static void sort_list(json_t *list)
{
	size_t count = json_array_size(list), i;
	json_t **items = xcalloc(count, sizeof(*items));

	for (i = 0; i < count; i++)
		items[i] = json_incref(json_array_get(list, i));
	qsort(items, count, sizeof(*items), by_name);
	json_array_clear(list);
	for (i = 0; i < count; i++)
		json_array_append_new(list, items[i]);
	free(items);
}

static void sort_lists(json_t *pod)
{
	json_t *container = spark_objects_at(pod, "spec.containers.0");

	sort_list(spark_objects_at(pod, "spec.volumes"));
	sort_list(json_object_get(container, "volumeMounts"));
	sort_list(json_object_get(container, "env"));
}

static void assert_json_equal(const json_t *actual, const json_t *expected)
{
	scoped(text) char *a = json_dumps(actual, JSON_SORT_KEYS | JSON_INDENT(1));
	scoped(text) char *b = json_dumps(expected, JSON_SORT_KEYS | JSON_INDENT(1));

	assert_string_equal(a ? a : "(none)", b ? b : "(none)");
}

static void assert_same_object(const json_t *objects, json_t *expected)
{
	json_t *object, *found = NULL;
	size_t i;

	json_array_foreach (objects, i, object)
		if (text_equal(kube_object_kind(object), kube_object_kind(expected)) &&
		    text_equal(kube_object_name(object), kube_object_name(expected)))
			found = object;
	if (text_equal(kube_object_kind(expected), "Pod")) {
		sort_lists(found);
		sort_lists(expected);
	}
	json_object_del(json_object_get(found, "data"), "spark.properties");
	assert_json_equal(found, expected);
}

/* `recorded` is given up. */
static void assert_as_recorded(struct spark_app *app, json_t *recorded)
{
	json_auto_t *objects = NULL;
	json_auto_t *properties = NULL;
	json_t *expected;
	size_t i;

	spark_app_complete(app);
	objects = spark_objects_built(app);
	properties = spark_objects_properties(objects);
	recorded = take_over_names(recorded, objects);
	apply_deviations(recorded, app);

	assert_json_equal(properties, json_object_get(recorded, "properties"));
	json_array_foreach (json_object_get(recorded, "objects"), i, expected)
		assert_same_object(objects, expected);
	assert_int_equal(json_array_size(objects), i);
	json_decref(recorded);
	spark_app_release(app);
}

/* What the steps wrote is taken away; what they replaced is the caller's to set. */
static struct spark_conf *submitted_conf(const json_t *recorded)
{
	static const char *const made[] = {
		"spark.app.id",
		"spark.app.name",
		"spark.driver.host",
		"spark.driver.port",
		"spark.driver.blockManager.port",
		"spark.kubernetes.authenticate.driver.mounted.caCertFile",
		"spark.kubernetes.authenticate.driver.mounted.oauthTokenFile",
		"spark.kubernetes.driver.pod.name",
		"spark.kubernetes.executor.hadoopConfigMapName",
		"spark.kubernetes.memoryOverheadFactor",
		"spark.kubernetes.resource.type",
		"spark.kubernetes.submitInDriver",
		"spark.master",
		"spark.submit.deployMode",
	};
	struct spark_conf *conf = spark_conf_new();
	size_t i;

	assert_true(spark_conf_merge_json(conf, json_object_get(recorded, "properties"), NULL));
	for (i = 0; i < ARRAY_SIZE(made); i++)
		spark_conf_set(conf, made[i], NULL);
	return conf;
}

/* Identity, properties and arguments, from `first_argument` on, of what was recorded. */
static struct spark_app recorded_app(const json_t *recorded, const char *version,
                                     size_t first_argument)
{
	const json_t *objects = json_object_get(recorded, "objects");
	const char *pod = name_of_kind(objects, "Pod");
	const char *config =
		kube_object_name(json_array_get(objects, json_array_size(objects) - 1));
	const json_t *args = spark_objects_at(recorded, CONTAINER ".args");
	struct spark_app app = {
		.name = xstrdup(spark_objects_text(recorded, "properties.spark.app.name")),
		.resource_prefix = xstrndup(pod, strlen(pod) - strlen("-driver")),
		.app_id = xstrdup(
			kube_object_label(json_array_get(objects, 0), "spark-app-selector")),
		.unique_id = xstrndup(config + strlen("spark-drv-"), 16),
		.user = xstrdup(spark_objects_text(recorded, CONTAINER ".env.0.value")),
		.master = xstrdup("http://127.0.0.1:18899"),
		.spark_version = xstrdup(version),
		.main_class = xstrdup(json_string_value(json_array_get(args, first_argument - 2))),
		.main_resource =
			xstrdup(json_string_value(json_array_get(args, first_argument - 1))),
		.args = json_array(),
		.conf = submitted_conf(recorded),
	};
	size_t i;

	for (i = first_argument; i < json_array_size(args); i++)
		json_array_append(app.args, json_array_get(args, i));
	return app;
}

static const char *const versions[] = { "3.5.9", "4.3.0" };

static void test_driver_objects_build__equals_a_recorded_jvm_application(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(versions); i++) {
		json_t *recorded = load(versions[i], "simple");
		struct spark_app app = recorded_app(recorded, versions[i], 6);

		app.resource = SPARK_RESOURCE_JAVA;
		spark_conf_set(app.conf, "spark.jars", NULL);
		assert_as_recorded(&app, recorded);
	}
}

static void test_driver_objects_build__equals_a_recorded_python_application(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(versions); i++) {
		json_t *recorded = load(versions[i], "full");
		struct spark_app app = recorded_app(recorded, versions[i], 8);

		app.resource = SPARK_RESOURCE_PYTHON;
		app.proxy_user = xstrdup("alice");
		app.client.hadoop_conf_dir = xstrdup(CLIENT "/hadoop");
		spark_conf_set(app.conf, "spark.kubernetes.authenticate.driver.oauthToken", "tok");
		spark_conf_set(app.conf, "spark.kubernetes.executor.podTemplateFile",
		               CLIENT "/executor.yaml");
		assert_as_recorded(&app, recorded);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_driver_objects_build__equals_a_recorded_jvm_application),
		cmocka_unit_test(test_driver_objects_build__equals_a_recorded_python_application),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
