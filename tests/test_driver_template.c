/* SPDX-License-Identifier: Apache-2.0 */
/* submit/driver_template: pods that begin as a template says, held against what spark-submit 3.5.9
 * made of the same template. */
#include "tests/test.h"

#include <string.h>
#include <unistd.h>

#include "core/document.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_pod.h"
#include "submit/kube_object.h"
#include "tests/fakes/spark_objects.h"

static const char template_text[] =
	"metadata:\n"
	"  name: ignored\n"
	"  namespace: ignored\n"
	"  labels: {tl: x, n: 5, b: true, l1: template}\n"
	"  annotations: {ta: y}\n"
	"spec:\n"
	"  restartPolicy: Always\n"
	"  serviceAccountName: tsa\n"
	"  schedulerName: tsched\n"
	"  nodeSelector: {a: t, z: t}\n"
	"  imagePullSecrets: [{name: tsec}]\n"
	"  tolerations: [{key: k, operator: Exists}]\n"
	"  initContainers: [{name: i, image: 'i:1'}]\n"
	"  volumes: [{name: tv, emptyDir: {}}]\n"
	"  containers:\n"
	"  - {name: first, image: 'f:1'}\n"
	"  - name: main\n"
	"    image: m:1\n"
	"    imagePullPolicy: Never\n"
	"    args: [targ, 7]\n"
	"    env: [{name: FOO, value: t}, {name: NUM, value: 5}, {name: SPARK_USER, value: t}]\n"
	"    ports: [{containerPort: 1, name: p}]\n"
	"    resources: {requests: {cpu: 9, ephemeral-storage: 1Gi}, limits: {cpu: 9}}\n"
	"    volumeMounts: [{name: tv, mountPath: /tv}]\n"
	"    securityContext: {runAsUser: 5}\n"
	"  - {name: third, image: 't:1'}\n";

static char *write_file(const char *text)
{
	char *path = xstrdup("/tmp/stepop-template-XXXXXX");
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	assert_true(file_write(path, text, strlen(text), 0600, NULL));
	return path;
}

/* An application whose driver begins with `text`; the file is at *path, to be removed. */
static struct spark_app templated_app(const char *property, const char *text, char **path)
{
	struct spark_app app = spark_objects_python_app();

	*path = write_file(text);
	spark_conf_set(app.conf, property, *path);
	return app;
}

static void done(struct spark_app *app, char *path)
{
	unlink(path);
	free(path);
	spark_app_release(app);
}

static void assert_template_refused(const char *text, const char *part)
{
	char *path;
	struct spark_app app =
		templated_app("spark.kubernetes.driver.podTemplateFile", text, &path);
	scoped(error) struct error *err = NULL;
	json_auto_t *objects = driver_objects_build(&app, &err);

	if (objects)
		fail_msg("accepted: %s", text);
	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, "spark.kubernetes.driver.podTemplateFile");
	assert_error_contains(err, part);
	done(&app, path);
}

static void assert_json_text(const json_t *value, const char *expected)
{
	scoped(text) char *text = json_dumps(value, JSON_SORT_KEYS | JSON_ENCODE_ANY);

	assert_string_equal(text ? text : "(none)", expected);
}

static void test_driver_template__gives_way_where_spark_decides(void **state)
{
	char *path;
	struct spark_app app =
		templated_app("spark.kubernetes.driver.podTemplateFile", template_text, &path);
	json_auto_t *objects = NULL;
	const json_t *pod;

	(void)state;
	spark_conf_set(app.conf, "spark.kubernetes.driver.podTemplateContainerName", "main");
	objects = spark_objects_built(&app);
	pod = driver_objects_pod(objects);

	assert_string_equal(kube_object_name(pod), "spark-pi-fbe3efa1fcfa5a18-driver");
	assert_string_equal(kube_object_namespace(pod), "default");
	assert_string_equal(spark_objects_text(pod, "kind"), "Pod");
	assert_string_equal(spark_objects_text(pod, "spec.restartPolicy"), "Never");
	assert_string_equal(spark_objects_text(pod, "spec.containers.2.image"),
	                    "apache/spark:3.5.9");
	assert_string_equal(spark_objects_text(pod, "spec.containers.2.imagePullPolicy"),
	                    "IfNotPresent");
	assert_json_text(spark_objects_at(pod, "spec.containers.2.resources"),
	                 "{\"limits\": {\"cpu\": 9, \"memory\": \"1433Mi\"}, \"requests\": "
	                 "{\"cpu\": \"1\", \"ephemeral-storage\": \"1Gi\", \"memory\": "
	                 "\"1433Mi\"}}");
	done(&app, path);
}

static void test_driver_template__is_added_to_where_both_have_a_say(void **state)
{
	char *path;
	struct spark_app app =
		templated_app("spark.kubernetes.driver.podTemplateFile", template_text, &path);
	json_auto_t *objects = NULL;
	const json_t *pod, *container;

	(void)state;
	spark_conf_set(app.conf, "spark.kubernetes.driver.podTemplateContainerName", "main");
	spark_conf_set(app.conf, "spark.kubernetes.driver.label.l1", "conf");
	spark_conf_set(app.conf, "spark.kubernetes.driver.annotation.ca", "conf");
	spark_conf_set(app.conf, "spark.kubernetes.driverEnv.FOO", "bar");
	spark_conf_set(app.conf, "spark.kubernetes.node.selector.a", "c");
	spark_conf_set(app.conf, "spark.kubernetes.container.image.pullSecrets", "s1");
	objects = spark_objects_built(&app);
	pod = driver_objects_pod(objects);
	container = spark_objects_at(pod, "spec.containers.2");

	assert_string_equal(kube_object_label(pod, "tl"), "x");
	assert_string_equal(kube_object_label(pod, "n"), "5");
	assert_string_equal(kube_object_label(pod, "b"), "true");
	assert_string_equal(kube_object_label(pod, "l1"), "conf");
	assert_string_equal(kube_object_label(pod, "spark-role"), "driver");
	assert_json_text(spark_objects_at(pod, "metadata.annotations"),
	                 "{\"ca\": \"conf\", \"ta\": \"y\"}");
	assert_json_text(spark_objects_at(pod, "spec.nodeSelector"),
	                 "{\"a\": \"c\", \"z\": \"t\"}");
	assert_json_text(spark_objects_at(pod, "spec.imagePullSecrets"),
	                 "[{\"name\": \"tsec\"}, {\"name\": \"s1\"}]");
	assert_string_equal(spark_objects_text(container, "args.0"), "targ");
	assert_string_equal(spark_objects_text(container, "args.1"), "7");
	assert_string_equal(spark_objects_text(container, "args.2"), "driver");
	assert_json_text(spark_objects_at(container, "env.1"),
	                 "{\"name\": \"NUM\", \"value\": \"5\"}");
	assert_json_text(spark_objects_at(container, "env.2"),
	                 "{\"name\": \"SPARK_USER\", \"value\": \"t\"}");
	assert_json_text(spark_objects_at(container, "env.3"),
	                 "{\"name\": \"SPARK_USER\", \"value\": \"root\"}");
	assert_json_text(spark_objects_at(container, "env.5"),
	                 "{\"name\": \"FOO\", \"value\": \"bar\"}");
	assert_string_equal(spark_objects_text(container, "ports.0.name"), "p");
	assert_string_equal(spark_objects_text(container, "ports.1.name"), "driver-rpc-port");
	assert_string_equal(spark_objects_text(container, "volumeMounts.0.name"), "tv");
	assert_string_equal(spark_objects_text(pod, "spec.volumes.0.name"), "tv");
	done(&app, path);
}

static void test_driver_template__keeps_what_spark_knows_nothing_of(void **state)
{
	char *path;
	struct spark_app app =
		templated_app("spark.kubernetes.driver.podTemplateFile", template_text, &path);
	json_auto_t *objects = NULL;
	const json_t *pod;

	(void)state;
	spark_conf_set(app.conf, "spark.kubernetes.driver.podTemplateContainerName", "main");
	objects = spark_objects_built(&app);
	pod = driver_objects_pod(objects);

	assert_string_equal(spark_objects_text(pod, "spec.serviceAccountName"), "tsa");
	assert_string_equal(spark_objects_text(pod, "spec.schedulerName"), "tsched");
	assert_string_equal(spark_objects_text(pod, "spec.tolerations.0.key"), "k");
	assert_string_equal(spark_objects_text(pod, "spec.initContainers.0.name"), "i");
	assert_json_text(spark_objects_at(pod, "spec.containers.2.securityContext"),
	                 "{\"runAsUser\": 5}");
	done(&app, path);
}

static void test_driver_template__puts_sparks_container_behind_the_others(void **state)
{
	static const struct {
		const char *wanted, *last;
	} cases[] = { { "main", "main" }, { "wrong", "first" }, { NULL, "first" } };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		char *path;
		struct spark_app app = templated_app("spark.kubernetes.driver.podTemplateFile",
		                                     template_text, &path);
		json_auto_t *objects = NULL;
		const json_t *pod;

		spark_conf_set(app.conf, "spark.kubernetes.driver.podTemplateContainerName",
		               cases[i].wanted);
		objects = spark_objects_built(&app);
		pod = driver_objects_pod(objects);
		assert_int_equal(json_array_size(spark_objects_at(pod, "spec.containers")), 3);
		assert_string_equal(spark_objects_text(pod, "spec.containers.2.name"),
		                    cases[i].last);
		assert_string_equal(driver_objects_container(objects), cases[i].last);
		done(&app, path);
	}
}

static void test_driver_template__without_the_wanted_container_is_told(void **state)
{
	static const struct {
		const char *wanted, *warning;
	} cases[] = { { "main", NULL }, { NULL, NULL }, { "wrong", "no container 'wrong'" } };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		char *path;
		struct spark_app app = templated_app("spark.kubernetes.driver.podTemplateFile",
		                                     template_text, &path);
		json_auto_t *warnings = json_array();
		json_auto_t *objects = NULL;

		spark_conf_set(app.conf, "spark.kubernetes.driver.podTemplateContainerName",
		               cases[i].wanted);
		objects = spark_objects_built(&app);
		driver_objects_warn(&app, objects, warnings);
		assert_int_equal(json_array_size(warnings), cases[i].warning ? 1 : 0);
		if (cases[i].warning)
			assert_non_null(strstr(json_string_value(json_array_get(warnings, 0)),
			                       cases[i].warning));
		done(&app, path);
	}
}

static void test_driver_template__is_not_what_the_service_selects_by(void **state)
{
	char *path;
	struct spark_app app =
		templated_app("spark.kubernetes.driver.podTemplateFile", template_text, &path);
	json_auto_t *objects = NULL;
	const json_t *selector;

	(void)state;
	objects = spark_objects_built(&app);
	selector = spark_objects_at(spark_objects_of_kind(objects, "Service"), "spec.selector");

	assert_null(json_object_get(selector, "tl"));
	assert_string_equal(spark_objects_text(selector, "spark-role"), "driver");
	done(&app, path);
}

static void test_driver_template__may_have_no_container(void **state)
{
	static const char *const texts[] = {
		"kind: Pod\n",
		"kind: Pod\nmetadata:\nspec:\n",
		"kind: Pod\nspec: {tolerations: []}\n",
		"kind: Pod\nspec: {containers: [{image: x}]}\n",
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		char *path;
		struct spark_app app =
			templated_app("spark.kubernetes.driver.podTemplateFile", texts[i], &path);
		json_auto_t *objects = spark_objects_built(&app);

		assert_string_equal(driver_objects_container(objects), "spark-kubernetes-driver");
		done(&app, path);
	}
}

static void test_driver_template__can_turn_service_links_on(void **state)
{
	struct spark_app app = spark_objects_python_app();
	json_auto_t *objects = NULL;

	(void)state;
	app.driver_template = json_pack("{s:{s:b}}", "spec", "enableServiceLinks", 1);
	objects = spark_objects_built(&app);

	assert_true(json_is_true(
		spark_objects_at(driver_objects_pod(objects), "spec.enableServiceLinks")));
	spark_app_release(&app);
}

static void test_driver_template__comes_from_the_caller_too_and_is_left_alone(void **state)
{
	struct spark_app app = spark_objects_python_app();
	json_auto_t *objects = NULL;
	json_auto_t *before = NULL;

	(void)state;
	app.driver_template = json_pack("{s:{s:[{s:s, s:[{s:s, s:i}]}]}}", "spec", "containers",
	                                "name", "mine", "env", "name", "N", "value", 1);
	before = json_deep_copy(app.driver_template);
	objects = spark_objects_built(&app);

	assert_string_equal(driver_objects_container(objects), "mine");
	assert_true(json_equal(app.driver_template, before));
	spark_app_release(&app);
}

static void test_driver_template__names_the_place_of_what_is_wrong(void **state)
{
	(void)state;
	assert_template_refused("kind: Service\nspec: {}\n", ":1:1: a pod template is");
	assert_template_refused("- kind: Pod\n", "a pod template is");
	assert_template_refused("kind: Pod\nspec:\n  containers: {name: x}\n",
	                        ":3:3: containers must be a list");
	assert_template_refused("kind: Pod\nspec:\n  containers: [x]\n",
	                        ":3:3: each of the containers must be a mapping");
	assert_template_refused("kind: Pod\nmetadata: []\n", ":2:1: metadata must be a mapping");
	assert_template_refused("kind: Pod\nmetadata:\n  labels: {v: 3.10}\n",
	                        ":3:3: labels must hold text; put the values in quotes");
	assert_template_refused(
		"kind: Pod\nspec:\n  containers:\n  - env: [{name: A, value: []}]\n",
		":4:21: the value of a variable must be text");
	assert_template_refused("kind: Pod\nspec:\n  containers: [{resources: {limits: 5}}]\n",
	                        "limits must be a mapping");
	assert_template_refused("kind: [Pod\n", "2:1:");
}

static void test_driver_template__is_read_from_this_machine_only(void **state)
{
	static const char *const elsewhere[] = { "s3a://bucket/t.yaml", "https://h/t.yaml",
		                                 "hdfs:///t.yaml" };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(elsewhere); i++) {
		spark_objects_assert_refused("spark.kubernetes.driver.podTemplateFile",
		                             elsewhere[i], "does not lie on this machine");
		spark_objects_assert_refused("spark.kubernetes.executor.podTemplateFile",
		                             elsewhere[i], "does not lie on this machine");
	}
}

static void test_driver_template__is_found_by_a_file_uri(void **state)
{
	static const char *const prefixes[] = { "file://", "file:", "local://", "file://localhost",
		                                "file:///%2e%2E" };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(prefixes); i++) {
		char *path = write_file("kind: Pod\nspec: {containers: [{name: found}]}\n");
		scoped(text) char *uri = text_printf("%s%s", prefixes[i], path);
		struct spark_app app = spark_objects_python_app();
		json_auto_t *objects = NULL;

		spark_conf_set(app.conf, "spark.kubernetes.driver.podTemplateFile", uri);
		objects = spark_objects_built(&app);
		assert_string_equal(driver_objects_container(objects), "found");
		done(&app, path);
	}
}

static void test_driver_template__is_not_found_with_its_property_named(void **state)
{
	struct spark_app app = spark_objects_python_app();
	scoped(error) struct error *err = NULL;

	(void)state;
	spark_conf_set(app.conf, "spark.kubernetes.driver.podTemplateFile", "/nowhere/t.yaml");
	assert_null(driver_objects_build(&app, &err));

	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_error_contains(err, "spark.kubernetes.driver.podTemplateFile");
	assert_error_contains(err, "/nowhere/t.yaml");
	spark_app_release(&app);
}

static void test_executor_template__travels_as_it_is_written(void **state)
{
	static const char text[] = "# mine\nspec: {containers: [{name: e, env: [{value: 5}]}]}\n";
	char *path;
	struct spark_app app =
		templated_app("spark.kubernetes.executor.podTemplateFile", text, &path);
	json_auto_t *objects = NULL;
	json_auto_t *properties = NULL;
	const json_t *map, *pod;

	(void)state;
	objects = spark_objects_built(&app);
	properties = spark_objects_properties(objects);
	map = spark_objects_named(objects, "spark-pi-fbe3efa1fcfa5a18-driver-podspec-conf-map");
	pod = driver_objects_pod(objects);

	assert_string_equal(spark_objects_text(map, "data.podspec-configmap-key"), text);
	assert_true(json_is_true(json_object_get(map, "immutable")));
	assert_json_text(spark_objects_at(pod, "spec.volumes.0"),
	                 "{\"configMap\": {\"items\": [{\"key\": \"podspec-configmap-key\", "
	                 "\"path\": \"pod-spec-template.yml\"}], \"name\": "
	                 "\"spark-pi-fbe3efa1fcfa5a18-driver-podspec-conf-map\"}, \"name\": "
	                 "\"pod-template-volume\"}");
	assert_json_text(spark_objects_at(pod, "spec.containers.0.volumeMounts.0"),
	                 "{\"mountPath\": \"/opt/spark/pod-template\", \"name\": "
	                 "\"pod-template-volume\"}");
	assert_string_equal(json_string_value(json_object_get(
				    properties, "spark.kubernetes.executor.podTemplateFile")),
	                    "/opt/spark/pod-template/pod-spec-template.yml");
	done(&app, path);
}

static void test_executor_template__is_written_down_when_the_caller_made_it(void **state)
{
	struct spark_app app = spark_objects_python_app();
	json_auto_t *objects = NULL;
	scoped(document) struct document *document = NULL;
	const json_t *map;
	const char *text;

	(void)state;
	app.executor_template =
		json_pack("{s:s, s:{s:s}}", "kind", "Pod", "spec", "priorityClassName", "low");
	objects = spark_objects_built(&app);
	map = spark_objects_named(objects, "spark-pi-fbe3efa1fcfa5a18-driver-podspec-conf-map");
	text = spark_objects_text(map, "data.podspec-configmap-key");
	document = document_parse("t", text, strlen(text), NULL);

	assert_non_null(document);
	assert_true(json_equal(document_root(document), app.executor_template));
	spark_app_release(&app);
}

static void test_executor_template__must_be_text(void **state)
{
	char *path;
	struct spark_app app =
		templated_app("spark.kubernetes.executor.podTemplateFile", "spec: \xff\n", &path);
	scoped(error) struct error *err = NULL;

	(void)state;
	assert_null(driver_objects_build(&app, &err));

	assert_error_contains(err, "is not UTF-8 text");
	done(&app, path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_driver_template__gives_way_where_spark_decides),
		cmocka_unit_test(test_driver_template__is_added_to_where_both_have_a_say),
		cmocka_unit_test(test_driver_template__keeps_what_spark_knows_nothing_of),
		cmocka_unit_test(test_driver_template__puts_sparks_container_behind_the_others),
		cmocka_unit_test(test_driver_template__without_the_wanted_container_is_told),
		cmocka_unit_test(test_driver_template__is_not_what_the_service_selects_by),
		cmocka_unit_test(test_driver_template__may_have_no_container),
		cmocka_unit_test(test_driver_template__can_turn_service_links_on),
		cmocka_unit_test(test_driver_template__comes_from_the_caller_too_and_is_left_alone),
		cmocka_unit_test(test_driver_template__names_the_place_of_what_is_wrong),
		cmocka_unit_test(test_driver_template__is_read_from_this_machine_only),
		cmocka_unit_test(test_driver_template__is_found_by_a_file_uri),
		cmocka_unit_test(test_driver_template__is_not_found_with_its_property_named),
		cmocka_unit_test(test_executor_template__travels_as_it_is_written),
		cmocka_unit_test(test_executor_template__is_written_down_when_the_caller_made_it),
		cmocka_unit_test(test_executor_template__must_be_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
