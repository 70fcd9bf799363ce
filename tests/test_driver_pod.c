/* SPDX-License-Identifier: Apache-2.0 */
/* submit/driver_pod: the objects of an application, compared with what spark-submit sent. */
#include "tests/test.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_pod.h"
#include "submit/kube_object.h"

/* A path in a document: keys and indices between dots, e.g. "spec.containers.0.env". */
static json_t *at(const json_t *value, const char *path)
{
	scoped(text) char *copy = xstrdup(path);
	char *rest = copy, *part;

	while (value && (part = strsep(&rest, ".")))
		value = json_is_array(value) ? json_array_get(value, strtoul(part, NULL, 10))
		                             : json_object_get(value, part);
	return (json_t *)value;
}

static const char *text_at(const json_t *value, const char *path)
{
	const char *text = json_string_value(at(value, path));

	return text ? text : "(none)";
}

static json_t *named(const json_t *list, const char *name)
{
	json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		if (text_equal(json_string_value(json_object_get(item, "name")), name))
			return item;
	return NULL;
}

static json_t *named_object(const json_t *objects, const char *name)
{
	json_t *object;
	size_t i;

	json_array_foreach (objects, i, object)
		if (text_equal(kube_object_name(object), name))
			return object;
	return NULL;
}

static void assert_json_equal(const json_t *actual, const json_t *expected)
{
	scoped(text) char *a =
		json_dumps(actual, JSON_SORT_KEYS | JSON_INDENT(1) | JSON_ENCODE_ANY);
	scoped(text) char *b =
		json_dumps(expected, JSON_SORT_KEYS | JSON_INDENT(1) | JSON_ENCODE_ANY);

	assert_string_equal(a ? a : "(none)", b ? b : "(none)");
}

/* What java.util.Properties reads from the text: a mapping. */
static json_t *parse_properties(const char *text)
{
	json_t *map = json_object();

	while (*text) {
		struct text_stream stream;
		FILE *out = text_stream_open(&stream);
		scoped(text) char *key = NULL;
		scoped(text) char *value = NULL;
		bool is_comment = *text == '#';

		for (; *text && *text != '\n'; text++) {
			if (!key && *text == '=') {
				key = text_stream_take(&stream);
				out = text_stream_open(&stream);
			} else if (*text == '\\') {
				const char *found = strchr("tnrf", *++text);

				fputc(found ? "\t\n\r\f"[found - "tnrf"] : *text, out);
			} else {
				fputc(*text, out);
			}
		}
		text += *text == '\n';
		value = text_stream_take(&stream);
		if (!is_comment)
			json_object_set_new(map, key, json_string(value));
	}
	return map;
}

static json_t *properties_of(const json_t *objects)
{
	json_t *object;
	size_t i;

	json_array_foreach (objects, i, object) {
		const json_t *data = json_object_get(object, "data");
		const json_t *text = json_object_get(data, "spark.properties");

		if (text)
			return parse_properties(json_string_value(text));
	}
	return NULL;
}

static struct spark_app pi_app(void)
{
	struct spark_app app = {
		.name = xstrdup("spark-pi"),
		.resource_prefix = xstrdup("spark-pi-fbe3efa1fcfa5a18"),
		.user = xstrdup("root"),
		.resource = SPARK_RESOURCE_JAVA,
		.main_class = xstrdup("org.apache.spark.examples.SparkPi"),
		.main_resource = xstrdup("local:///opt/spark/examples/jars/spark-examples.jar"),
		.args = json_pack("[s]", "100"),
		.conf = spark_conf_new(),
	};

	spark_conf_set(app.conf, "spark.kubernetes.container.image", "apache/spark:3.5.9");
	spark_conf_set(app.conf, "spark.executor.instances", "2");
	return app;
}

static struct spark_app python_app(void)
{
	struct spark_app app = pi_app();

	free(app.main_class);
	free(app.main_resource);
	app.main_class = NULL;
	app.main_resource = xstrdup("local:///opt/stepop/main.py");
	app.resource = SPARK_RESOURCE_PYTHON;
	return app;
}

static void set_text(char **text, const char *value)
{
	free(*text);
	*text = text_copy(value);
}

/* Builds and fails the test when that fails. */
static json_t *built(const struct spark_app *app)
{
	scoped(error) struct error *err = NULL;
	json_t *objects = driver_objects_build(app, &err);

	assert_ok(objects, err);
	return objects;
}

/* `property` is refused with a message that contains `part`. */
static void assert_refused(const char *property, const char *value, const char *part)
{
	struct spark_app app = python_app();
	scoped(error) struct error *err = NULL;
	json_auto_t *objects = NULL;

	spark_conf_set(app.conf, property, value);
	objects = driver_objects_build(&app, &err);
	if (objects)
		fail_msg("%s=%s is not refused", property, value ? value : "NULL");
	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, part);
	spark_app_release(&app);
}

static void test_driver_objects_build__computes_memory_as_spark_does(void **state)
{
	static const struct {
		enum spark_resource resource;
		const char *key, *value; /* one more property */
		const char *memory, *quantity;
	} cases[] = {
		{ SPARK_RESOURCE_JAVA, "spark.x", "", NULL, "1408Mi" },
		{ SPARK_RESOURCE_JAVA, "spark.x", "", "512m", "896Mi" },
		{ SPARK_RESOURCE_JAVA, "spark.x", "", "1g", "1408Mi" },
		{ SPARK_RESOURCE_JAVA, "spark.x", "", "3840m", "4224Mi" },
		{ SPARK_RESOURCE_JAVA, "spark.x", "", "3841m", "4225Mi" },
		{ SPARK_RESOURCE_JAVA, "spark.x", "", "9999m", "10998Mi" },
		{ SPARK_RESOURCE_JAVA, "spark.x", "", "1000000k", "1360Mi" },
		{ SPARK_RESOURCE_PYTHON, "spark.x", "", "1g", "1433Mi" },
		{ SPARK_RESOURCE_PYTHON, "spark.x", "", "10g", "14336Mi" },
		{ SPARK_RESOURCE_R, "spark.x", "", "1g", "1433Mi" },
		{ SPARK_RESOURCE_PYTHON, "spark.driver.memoryOverheadFactor", "0.25", "4g",
		  "5120Mi" },
		{ SPARK_RESOURCE_PYTHON, "spark.kubernetes.memoryOverheadFactor", "0.5", "4g",
		  "6144Mi" },
		{ SPARK_RESOURCE_JAVA, "spark.driver.memoryOverhead", "10m", "1g", "1034Mi" },
		{ SPARK_RESOURCE_JAVA, "spark.driver.memoryOverhead", "2g", "1g", "3072Mi" },
		{ SPARK_RESOURCE_JAVA, "spark.memory.offHeap.size", "8g", "1g", "1408Mi" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct spark_app app = pi_app();
		json_auto_t *objects = NULL;
		const json_t *pod;

		app.resource = cases[i].resource;
		spark_conf_set(app.conf, "spark.driver.memory", cases[i].memory);
		spark_conf_set(app.conf, cases[i].key, cases[i].value);
		objects = built(&app);
		pod = driver_objects_pod(objects);
		assert_string_equal(text_at(pod, "spec.containers.0.resources.limits.memory"),
		                    cases[i].quantity);
		assert_string_equal(text_at(pod, "spec.containers.0.resources.requests.memory"),
		                    cases[i].quantity);
		spark_app_release(&app);
	}
}

static void test_driver_objects_build__hands_executors_the_common_factor(void **state)
{
	struct spark_app app = python_app();
	json_auto_t *objects = NULL;
	json_auto_t *properties = NULL;

	(void)state;
	spark_conf_set(app.conf, "spark.driver.memoryOverheadFactor", "0.25");
	objects = built(&app);
	properties = properties_of(objects);

	assert_string_equal(json_string_value(json_object_get(
				    properties, "spark.kubernetes.memoryOverheadFactor")),
	                    "0.4");
	spark_app_release(&app);
}

static void test_driver_objects_build__labels_every_object_and_the_executors(void **state)
{
	struct spark_app app = python_app();
	json_auto_t *objects = NULL;
	json_auto_t *properties = NULL;
	json_t *object;
	size_t i;

	(void)state;
	app.labels =
		json_pack("{s:s, s:s}", "stepop.dev/run", "0123456789abcdef", "stepop.dev/step",
	                  "a step with a very long name that no label "
	                  "value can carry in full");
	app.files = xcalloc(1, sizeof(*app.files));
	app.files->mount_path = xstrdup("/opt/stepop");
	app.files->contents = json_pack("{s:s}", "main.py", "pass");
	spark_app_add_secret_env(&app, "AWS_ACCESS_KEY_ID", "hidden");
	objects = built(&app);
	properties = properties_of(objects);

	assert_int_equal(json_array_size(objects), 5);
	json_array_foreach (objects, i, object) {
		assert_string_equal(kube_object_label(object, "stepop.dev/run"),
		                    "0123456789abcdef");
		assert_true(strlen(kube_object_label(object, "stepop.dev/step")) <= 63);
		assert_string_equal(kube_object_namespace(object), "default");
	}
	assert_string_equal(json_string_value(json_object_get(
				    properties, "spark.kubernetes.executor.label.stepop.dev/run")),
	                    "0123456789abcdef");
	assert_string_equal(kube_object_label(driver_objects_pod(objects), "spark-role"), "driver");
	spark_app_release(&app);
}

static void test_driver_objects_build__puts_the_pod_last(void **state)
{
	static const char *const kinds[] = { "Secret", "ConfigMap", "ConfigMap", "Service", "Pod" };
	struct spark_app app = python_app();
	json_auto_t *objects = NULL;
	size_t i;

	(void)state;
	app.files = xcalloc(1, sizeof(*app.files));
	app.files->mount_path = xstrdup("/opt/stepop");
	app.files->contents = json_pack("{s:s}", "main.py", "pass");
	spark_app_add_secret_env(&app, "AWS_ACCESS_KEY_ID", "hidden");
	objects = built(&app);

	assert_int_equal(json_array_size(objects), ARRAY_SIZE(kinds));
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		assert_string_equal(kube_object_kind(json_array_get(objects, i)), kinds[i]);
	spark_app_release(&app);
}

static void test_driver_objects_build__gives_the_same_objects_for_the_same_attempt(void **state)
{
	struct spark_app app = python_app();
	json_auto_t *first = NULL;
	json_auto_t *second = NULL;
	json_auto_t *other = NULL;

	(void)state;
	spark_conf_set(app.conf, "spark.app.submitTime", "1");
	app.labels = json_pack("{s:s}", "stepop.dev/run", "run1");
	first = built(&app);
	second = built(&app);
	json_object_set_new(app.labels, "stepop.dev/run", json_string("run2"));
	other = built(&app);

	assert_json_equal(second, first);
	assert_string_not_equal(kube_object_label(driver_objects_pod(first), "spark-app-selector"),
	                        kube_object_label(driver_objects_pod(other), "spark-app-selector"));
	spark_app_release(&app);
}

static void test_driver_objects_build__names_like_spark_without_a_prefix(void **state)
{
	struct spark_app app = python_app();
	json_auto_t *objects = NULL;
	const char *name;

	(void)state;
	set_text(&app.resource_prefix, NULL);
	set_text(&app.name, "9 Lives");
	objects = built(&app);
	name = kube_object_name(driver_objects_pod(objects));

	assert_true(text_starts_with(name, "x-lives-"));
	assert_true(text_ends_with(name, "-driver"));
	assert_int_equal(strlen(name), strlen("x-lives--driver") + 16);
	spark_app_release(&app);
}

static void test_driver_objects_build__mounts_files_as_a_tree(void **state)
{
	struct spark_app app = python_app();
	json_auto_t *objects = NULL;
	const json_t *map, *items, *item;
	const json_t *volume;
	size_t i;

	(void)state;
	app.files = xcalloc(1, sizeof(*app.files));
	app.files->mount_path = xstrdup("/opt/stepop");
	app.files->contents = json_pack("{s:s, s:s, s:s, s:s, s:s}", "main.py", "1", "a/b.py", "2",
	                                "a_b.py", "3", "a_.b.py", "4", ".x/\xc3\xa4 b", "5");
	objects = built(&app);
	map = named_object(objects, "spark-pi-fbe3efa1fcfa5a18-files");
	volume = named(at(driver_objects_pod(objects), "spec.volumes"), "stepop-files");
	items = at(volume, "configMap.items");

	assert_int_equal(json_object_size(json_object_get(map, "data")), 5);
	assert_int_equal(json_array_size(items), 5);
	json_array_foreach (items, i, item) {
		const char *key = text_at(item, "key");
		const json_t *content = json_object_get(json_object_get(map, "data"), key);

		assert_json_equal(content,
		                  json_object_get(app.files->contents, text_at(item, "path")));
		assert_int_equal(strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		                             "0123456789-._"),
		                 strlen(key));
		assert_false(text_starts_with(key, ".."));
	}
	assert_string_equal(
		text_at(named(at(driver_objects_pod(objects), "spec.containers.0.volumeMounts"),
	                      "stepop-files"),
	                "mountPath"),
		"/opt/stepop");
	spark_app_release(&app);
}

static void assert_files_refused(const char *path, size_t size, const char *part)
{
	struct spark_app app = python_app();
	scoped(error) struct error *err = NULL;
	scoped(text) char *content = xcalloc(size + 1, 1);

	memset(content, 'x', size);
	app.files = xcalloc(1, sizeof(*app.files));
	app.files->mount_path = xstrdup("/opt/stepop");
	app.files->contents = json_pack("{s:s}", path, content);
	assert_null(driver_objects_build(&app, &err));
	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, part);
	spark_app_release(&app);
}

static void test_driver_objects_build__refuses_files_that_no_config_map_can_hold(void **state)
{
	(void)state;
	assert_files_refused("data/big.csv", 901 * 1024, "901 KiB together");
	assert_files_refused("data/big.csv", 901 * 1024, "'data/big.csv', 901 KiB");
	assert_files_refused("../main.py", 1, "'../main.py'");
	assert_files_refused("..x/main.py", 1, "'..x/main.py'");
	assert_files_refused("a/../main.py", 1, "'a/../main.py'");
	assert_files_refused("/main.py", 1, "'/main.py'");
	assert_files_refused("a//b.py", 1, "'a//b.py'");
	assert_files_refused("a/", 1, "'a/'");
	assert_files_refused("", 1, "''");
}

static void test_driver_objects_build__keeps_secret_values_in_the_secret(void **state)
{
	struct spark_app app = python_app();
	json_auto_t *objects = NULL;
	json_auto_t *properties = NULL;
	const json_t *secret, *variable;
	scoped(text) char *others = NULL;

	(void)state;
	spark_app_add_secret_env(&app, "AWS_SECRET_ACCESS_KEY", "very hidden");
	objects = built(&app);
	properties = properties_of(objects);
	secret = json_array_get(objects, 0);
	variable = named(at(driver_objects_pod(objects), "spec.containers.0.env"),
	                 "AWS_SECRET_ACCESS_KEY");

	assert_string_equal(kube_object_name(secret), "spark-pi-fbe3efa1fcfa5a18-credentials");
	assert_string_equal(text_at(secret, "type"), "Opaque");
	assert_string_equal(text_at(secret, "stringData.AWS_SECRET_ACCESS_KEY"), "very hidden");
	assert_string_equal(text_at(variable, "valueFrom.secretKeyRef.name"),
	                    "spark-pi-fbe3efa1fcfa5a18-credentials");
	assert_string_equal(
		json_string_value(json_object_get(
			properties,
			"spark.kubernetes.executor.secretKeyRef.AWS_SECRET_ACCESS_KEY")),
		"spark-pi-fbe3efa1fcfa5a18-credentials:AWS_SECRET_ACCESS_KEY");
	json_array_remove(objects, 0);
	others = json_dumps(objects, 0);
	assert_null(strstr(others, "very hidden"));
	spark_app_release(&app);
}

static void test_driver_objects_build__refuses_what_spark_refuses(void **state)
{
	(void)state;
	assert_refused("spark.kubernetes.container.image", NULL, "no container image");
	assert_refused("spark.driver.bindAddress", "0.0.0.0", "spark.driver.bindAddress");
	assert_refused("spark.kubernetes.driver.label.spark-role", "x", "spark-role");
	assert_refused("spark.kubernetes.driver.secretKeyRef.A", "only-a-name", "<secret>:<key>");
	assert_refused("spark.kubernetes.driver.secretKeyRef.A", "a:b:c", "<secret>:<key>");
	assert_refused("spark.driver.resource.gpu.amount", "1", "vendor");
	assert_refused("spark.driver.resource.gpu.vendor", "nvidia.com",
	               "spark.driver.resource.gpu.amount does not tell how many");
	assert_refused("spark.kubernetes.pyspark.pythonVersion", "2", "'2' is not 3");
	assert_refused("spark.driver.memory", "1.5g", "spark.driver.memory");
	assert_refused("spark.driver.memory", "0", "spark.driver.memory");
	assert_refused("spark.driver.port", "0", "spark.driver.port");
	assert_refused("spark.ui.port", "70000", "spark.ui.port");
	assert_refused("spark.kubernetes.container.image.pullPolicy", "Sometimes", "Sometimes");
	assert_refused("spark.kubernetes.driver.service.ipFamilyPolicy", "Dual", "Dual");
	assert_refused("spark.kubernetes.driver.volumes.cephFS.v.mount.path", "/v", "cephFS");
	assert_refused("spark.kubernetes.driver.volumes.hostPath.v.options.path", "/v",
	               "mount.path");
	assert_refused("spark.kubernetes.executor.volumes.nfs.v.mount.path", "/v",
	               "spark.kubernetes.executor.volumes.nfs.v.options.server");
	assert_refused("spark.kubernetes.driver.volumes.hostPath", "/v", "not written as");
	assert_refused("spark.kubernetes.driver.pod.name", "Upper_Case", "name of a pod");
}

static void test_driver_objects_build__refuses_two_volumes_at_one_path(void **state)
{
	struct spark_app app = python_app();
	scoped(error) struct error *err = NULL;

	(void)state;
	spark_conf_set(app.conf, "spark.kubernetes.driver.volumes.emptyDir.a.mount.path", "/v");
	spark_conf_set(app.conf, "spark.kubernetes.driver.volumes.emptyDir.b.mount.path", "/v");
	assert_null(driver_objects_build(&app, &err));

	assert_error_contains(err, "'a' and 'b'");
	spark_app_release(&app);
}

static void test_driver_objects_build__chooses_python_for_driver_and_workers(void **state)
{
	struct spark_app app = python_app();
	json_auto_t *objects = NULL;
	const json_t *env;

	(void)state;
	spark_conf_set(app.conf, "spark.pyspark.python", "/venv/bin/python");
	objects = built(&app);
	env = at(driver_objects_pod(objects), "spec.containers.0.env");

	assert_string_equal(text_at(named(env, "PYSPARK_PYTHON"), "value"), "/venv/bin/python");
	assert_string_equal(text_at(named(env, "PYSPARK_DRIVER_PYTHON"), "value"),
	                    "/venv/bin/python");
	spark_app_release(&app);
}

static void test_driver_objects_build__lays_local_folders_into_memory(void **state)
{
	struct spark_app app = python_app();
	json_auto_t *objects = NULL;
	const json_t *pod;

	(void)state;
	spark_conf_set(app.conf, "spark.local.dir", "/a,/b");
	spark_conf_set(app.conf, "spark.kubernetes.local.dirs.tmpfs", "true");
	objects = built(&app);
	pod = driver_objects_pod(objects);

	assert_string_equal(
		text_at(named(at(pod, "spec.containers.0.env"), "SPARK_LOCAL_DIRS"), "value"),
		"/a,/b");
	assert_string_equal(
		text_at(named(at(pod, "spec.volumes"), "spark-local-dir-2"), "emptyDir.medium"),
		"Memory");
	spark_app_release(&app);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_driver_objects_build__computes_memory_as_spark_does),
		cmocka_unit_test(test_driver_objects_build__hands_executors_the_common_factor),
		cmocka_unit_test(test_driver_objects_build__labels_every_object_and_the_executors),
		cmocka_unit_test(test_driver_objects_build__puts_the_pod_last),
		cmocka_unit_test(
			test_driver_objects_build__gives_the_same_objects_for_the_same_attempt),
		cmocka_unit_test(test_driver_objects_build__names_like_spark_without_a_prefix),
		cmocka_unit_test(test_driver_objects_build__mounts_files_as_a_tree),
		cmocka_unit_test(
			test_driver_objects_build__refuses_files_that_no_config_map_can_hold),
		cmocka_unit_test(test_driver_objects_build__keeps_secret_values_in_the_secret),
		cmocka_unit_test(test_driver_objects_build__refuses_what_spark_refuses),
		cmocka_unit_test(test_driver_objects_build__refuses_two_volumes_at_one_path),
		cmocka_unit_test(test_driver_objects_build__chooses_python_for_driver_and_workers),
		cmocka_unit_test(test_driver_objects_build__lays_local_folders_into_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
