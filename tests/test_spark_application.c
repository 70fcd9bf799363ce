/* SPDX-License-Identifier: Apache-2.0 */
/*
 * submit/spark_application: manifests of tests/golden/spark_application become the applications in
 * the .app files beside them. STEPOP_UPDATE_GOLDEN=1 writes those anew.
 */
#include "tests/test.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/document.h"
#include "core/file.h"
#include "core/text.h"
#include "submit/driver_pod.h"
#include "submit/kube_object.h"
#include "submit/spark_app.h"
#include "submit/spark_application.h"
#include "submit/spark_application_shape.h"

#define FOLDER "tests/golden/spark_application/"

/* ---- what is read, as a document ---- */

static void set_text(json_t *object, const char *key, const char *text)
{
	if (text)
		json_object_set_new(object, key, json_string(text));
}

static void set_value(json_t *object, const char *key, json_t *value)
{
	if (value)
		json_object_set(object, key, value);
}

static json_t *properties_of(const struct spark_app *app)
{
	json_t *properties = json_object();
	size_t count, i;
	struct spark_conf_entry *entries = spark_conf_entries(app->conf, &count);

	for (i = 0; i < count; i++)
		set_text(properties, entries[i].key, entries[i].value);
	free(entries);
	return properties;
}

static json_t *describe(const struct spark_app *app, json_t *warnings)
{
	static const char *const resources[] = { "java", "python", "r" };
	json_t *description = json_object();

	set_text(description, "name", app->name);
	set_text(description, "namespace", app->namespace);
	set_text(description, "submission_id", app->submission_id);
	set_text(description, "spark_version", app->spark_version);
	set_text(description, "proxy_user", app->proxy_user);
	set_text(description, "resource", resources[app->resource]);
	set_text(description, "main_class", app->main_class);
	set_text(description, "main_resource", app->main_resource);
	set_value(description, "args", app->args);
	json_object_set_new(description, "properties", properties_of(app));
	set_value(description, "driver_template", app->driver_template);
	set_value(description, "driver_overlay", app->driver_overlay);
	set_value(description, "executor_template", app->executor_template);
	set_value(description, "extra_objects", app->extra_objects);
	set_value(description, "warnings", warnings);
	return description;
}

static char *yaml_of(const json_t *value)
{
	struct text_stream stream;

	assert_true(document_write_yaml(value, text_stream_open(&stream)));
	return text_stream_take(&stream);
}

/* ---- reading ---- */

/* The application of the only document of `yaml`; fails the test when it is refused. */
static struct spark_app read_app(const char *yaml, json_t *warnings)
{
	struct error *err = NULL;
	struct spark_app app = { 0 };
	scoped(spark_application_file) struct spark_application_file *file =
		spark_application_file_parse("t.yaml", yaml, strlen(yaml), &err);

	assert_ok(file, err);
	assert_int_equal(spark_application_count(file), 1);
	assert_ok(spark_application_read(file, 0, &app, warnings, &err), err);
	return app;
}

/* Owned by the caller; NULL when all is well. */
static char *refusal_of(const char *yaml)
{
	scoped(error) struct error *err = NULL;
	scoped(spark_application_file) struct spark_application_file *file =
		spark_application_file_parse("t.yaml", yaml, strlen(yaml), &err);
	json_auto_t *warnings = json_array();
	size_t i;

	for (i = 0; file && !err && i < spark_application_count(file); i++) {
		struct spark_app app = { 0 };

		spark_application_read(file, i, &app, warnings, &err);
		spark_app_release(&app);
	}
	if (!err)
		return NULL;
	assert_int_equal(err->kind, ERROR_INVALID);
	return error_text(err);
}

#define HEAD "apiVersion: sparkoperator.k8s.io/v1beta2\nkind: SparkApplication\n"
#define METADATA "metadata: {name: x, namespace: n}\n"
#define SPEC                      \
	"spec:\n"                 \
	"  type: Scala\n"         \
	"  sparkVersion: 3.5.9\n" \
	"  image: i\n"            \
	"  mainClass: M\n"        \
	"  mainApplicationFile: local:///a.jar\n"
#define ROLES "  driver: {}\n  executor: {}\n"

/* A whole manifest around `fields`, which begin in line 10. */
#define MANIFEST(fields) HEAD METADATA SPEC fields

static struct spark_app read_golden(const char *name, json_t *warnings)
{
	scoped(text) char *path = text_printf(FOLDER "%s", name);
	struct error *err = NULL;
	struct spark_app app = { 0 };
	scoped(spark_application_file) struct spark_application_file *file =
		spark_application_file_read(path, &err);

	assert_ok(file, err);
	assert_ok(spark_application_read(file, 0, &app, warnings, &err), err);
	return app;
}

/* ---- golden files ---- */

static void check_golden(const char *name)
{
	scoped(text) char *path = text_printf(FOLDER "%.*s.app", (int)strlen(name) - 5, name);
	json_auto_t *warnings = json_array();
	struct spark_app app = read_golden(name, warnings);
	json_auto_t *description = describe(&app, warnings);
	scoped(text) char *text = yaml_of(description);
	scoped(text) char *expected = NULL;

	if (getenv("STEPOP_UPDATE_GOLDEN"))
		file_write_atomic(path, text, strlen(text), 0644, NULL);
	expected = file_read(path, 1 << 20, NULL, NULL);
	if (!text_equal(text, expected))
		print_error("%s becomes another application:\n%s", name, text);
	assert_true(text_equal(text, expected));
	spark_app_release(&app);
}

static void test_spark_application_read__makes_of_manifests_what_the_operator_does(void **state)
{
	DIR *folder = opendir(FOLDER);
	const struct dirent *item;
	int count = 0;

	(void)state;
	assert_non_null(folder);
	while ((item = readdir(folder)))
		if (text_ends_with(item->d_name, ".yaml")) {
			check_golden(item->d_name);
			count++;
		}
	closedir(folder);
	assert_true(count >= 10);
}

/* ---- faults ---- */

static void test_spark_application_read__refuses_what_is_wrong_in_a_manifest(void **state)
{
	static const struct {
		const char *yaml, *message;
	} cases[] = {
		{ MANIFEST("  driver: {memry: 1g}\n  executor: {}\n"),
		  "t.yaml:10:12: unknown field 'memry'; did you mean 'memory'?" },
		{ MANIFEST("  sparkconf: {}\n" ROLES), "did you mean 'sparkConf'?" },
		{ MANIFEST("  driver: {}\n"), "t.yaml:4:1: 'spec' lacks the field 'executor'" },
		{ HEAD METADATA "spec: {driver: {}, executor: {}}\n",
		  "'spec' lacks the field 'mainApplicationFile'" },
		{ HEAD "metadata: {namespace: n}\n" SPEC ROLES,
		  "t.yaml:3:1: 'metadata' lacks the field 'name' (or 'generateName')" },
		{ HEAD "metadata: {name: 9lives}\n" SPEC ROLES, "begins with a letter" },
		{ MANIFEST("  driver: {cores: \"1\"}\n  executor: {}\n"),
		  "t.yaml:10:19: 'cores' must be a whole number from 1, not '1'" },
		{ MANIFEST("  driver: {cores: 0}\n  executor: {}\n"), "from 1, not 0" },
		{ MANIFEST("  driver: {memory: 512}\n  executor: {}\n"),
		  "'memory' must be an amount of memory" },
		{ MANIFEST("  driver: {memory: 1.5g}\n  executor: {}\n"),
		  "'memory' must be an amount of memory" },
		{ MANIFEST("  driver: {coreLimit: 1}\n  executor: {}\n"),
		  "'coreLimit' must be a quantity in quotes" },
		{ MANIFEST("  sparkConf: {spark.x: 1}\n" ROLES),
		  "'spark.x' must be text (numbers and true or false in quotes), not 1" },
		{ MANIFEST("  memoryOverheadFactor: much\n" ROLES), "a number in quotes" },
		{ MANIFEST("  imagePullPolicy: Sometimes\n" ROLES),
		  "Always, IfNotPresent or Never, not 'Sometimes'" },
		{ MANIFEST("  mode: client\n" ROLES), "only 'cluster' is submitted" },
		{ MANIFEST("  suspend: true\n" ROLES),
		  "t.yaml:10:3: spec.suspend: a suspended application is not submitted" },
		{ MANIFEST("  driver: {secrets: [{name: s, path: /s}]}\n  executor: {}\n"),
		  "lacks the field 'secretType'" },
		{ MANIFEST("  driver: {env: [{value: x}]}\n  executor: {}\n"),
		  "a mapping with a name" },
		{ MANIFEST("  driver: {gpu: {name: g, quantity: 0}}\n  executor: {}\n"),
		  "'quantity' must be a whole number from 1" },
		{ MANIFEST("  driver: {template: {spec: {containers: [x]}}}\n  executor: {}\n"),
		  "'template' must be a pod's metadata and spec" },
		{ MANIFEST("  volumes: [{name: data, emptyDir: {}}]\n"
		           "  driver: {volumeMounts: [{name: dta, mountPath: /d}]}\n"
		           "  executor: {}\n"),
		  "spec.driver.volumeMounts: there is no volume 'dta' in spec.volumes; did you "
		  "mean "
		  "'data'?" },
		{ MANIFEST("  volumes: [{name: spark-local-dir-1, configMap: {name: c}}]\n"
		           "  driver: {}\n"
		           "  executor: {volumeMounts: [{name: spark-local-dir-1, mountPath: "
		           "/d}]}\n"),
		  "spec.executor.volumeMounts: the volume 'spark-local-dir-1' holds local "
		  "folders" },
		{ MANIFEST("  nodeSelector: {a: b}\n  driver: {nodeSelector: {c: d}}\n"
		           "  executor: {}\n"),
		  "spec.nodeSelector: it cannot stand beside" },
		{ MANIFEST("  sparkConf: {spark.kubernetes.namespace: other}\n" ROLES),
		  "spec.sparkConf.spark.kubernetes.namespace: metadata.namespace is 'n'" },
		{ HEAD METADATA "spec: {type: Scala, sparkVersion: 3.5.9, mainApplicationFile: "
		                "'local:///a.jar', driver: {}, executor: {}}\n",
		  "spec.mainClass says which class of a jar is run; it is missing" },
		{ MANIFEST("  monitoring: {exposeDriverMetrics: true}\n" ROLES),
		  "lacks the field 'exposeExecutorMetrics'" },
		{ HEAD METADATA "spec: {type: R, sparkVersion: 2.4.8, mainApplicationFile: a.R, "
		                "driver: {}, executor: {}}\n",
		  "t.yaml:4:17: spec.sparkVersion: " },
		{ MANIFEST("  batchScheduler: volcano\n  sparkConf: {spark.memory.offHeap.enabled: "
		           "maybe}\n" ROLES),
		  "spec.batchScheduler: it is told how much memory is needed: " },
		{ MANIFEST("  sparkVersion: 3.5\n" ROLES), "duplicate key 'sparkVersion'" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *refusal = refusal_of(cases[i].yaml);

		if (!refusal || !strstr(refusal, cases[i].message))
			print_error("%s\nis answered by: %s\nnot by: %s\n", cases[i].yaml,
			            refusal ? refusal : "nothing", cases[i].message);
		assert_true(refusal && strstr(refusal, cases[i].message));
	}
}

static void test_spark_application_read__tells_all_faults_at_once(void **state)
{
	scoped(text) char *refusal = refusal_of(
		MANIFEST("  bogus: 1\n  driver: {cores: many}\n  executor: {instances: -1}\n"));

	(void)state;
	assert_non_null(refusal);
	assert_non_null(strstr(refusal, "t.yaml:10:3: unknown field 'bogus'"));
	assert_non_null(strstr(refusal, "t.yaml:11:19: 'cores' must be"));
	assert_non_null(strstr(refusal, "t.yaml:12:25: 'instances' must be"));
}

static void test_spark_application_file_parse__refuses_other_kinds_by_name_and_place(void **state)
{
	static const struct {
		const char *yaml, *message;
	} cases[] = {
		{ "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n",
		  "t.yaml:2:1: a ConfigMap is not submitted" },
		{ "apiVersion: sparkoperator.k8s.io/v1beta2\nkind: ScheduledSparkApplication\n",
		  "t.yaml:2:1: a ScheduledSparkApplication needs the operator's clock" },
		{ "apiVersion: sparkoperator.k8s.io/v1beta1\nkind: SparkApplication\n",
		  "t.yaml:2:1: sparkoperator.k8s.io/v1beta1 is not supported" },
		{ "apiVersion: sparkoperator.k8s.io/v1alpha1\nkind: SparkConnect\n",
		  "a SparkConnect is not submitted" },
		{ "name: x\n", "this is no object of Kubernetes" },
		{ "- x\n", "this is no object of Kubernetes" },
		{ MANIFEST(ROLES) "---\napiVersion: v1\nkind: Secret\n",
		  "t.yaml:14:1: a Secret is not submitted" },
		{ MANIFEST(ROLES) "---\n" MANIFEST(ROLES),
		  "t.yaml:15:12: another application 'x' stands in line 3" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *refusal = refusal_of(cases[i].yaml);

		if (!refusal || !strstr(refusal, cases[i].message))
			print_error("%s\nis answered by: %s\nnot by: %s\n", cases[i].yaml,
			            refusal ? refusal : "nothing", cases[i].message);
		assert_true(refusal && strstr(refusal, cases[i].message));
	}
}

/* ---- warnings ---- */

static void test_spark_application_read__warns_of_what_only_an_operator_does(void **state)
{
	static const struct {
		const char *fields, *warning;
	} cases[] = {
		{ "  restartPolicy: {type: Always}\n" ROLES, "t.yaml:10:3: spec.restartPolicy: " },
		{ "  restartPolicy: {type: Never, onFailureRetries: 3}\n" ROLES, NULL },
		{ "  timeToLiveSeconds: 60\n" ROLES, "spec.timeToLiveSeconds: nothing deletes" },
		{ "  failureRetries: 1\n" ROLES,
		  "spec.failureRetries: nothing is submitted again" },
		{ "  sparkUIOptions: {serviceType: NodePort}\n" ROLES,
		  "spec.sparkUIOptions: no Service" },
		{ "  driverIngressOptions: [{servicePort: 1}]\n" ROLES,
		  "spec.driverIngressOptions: no Service" },
		{ "  driverPodDisruptionBudget: false\n" ROLES, NULL },
		{ "  driverPodDisruptionBudget: true\n" ROLES,
		  "spec.driverPodDisruptionBudget: no PodDisruptionBudget" },
		{ "  monitoring: {exposeDriverMetrics: true, exposeExecutorMetrics: true}\n" ROLES,
		  "spec.monitoring: only 'prometheus'" },
		{ "  batchSchedulerOptions: {queue: q}\n" ROLES,
		  "spec.batchSchedulerOptions: means nothing without" },
		{ "  dynamicAllocation: {enabled: false, maxExecutors: 3}\n" ROLES,
		  "spec.dynamicAllocation: it is not enabled" },
		{ "  sparkConf: {spark.master: local}\n" ROLES, "spec.sparkConf.spark.master: " },
		{ "  sparkConf: {hive.x: y}\n" ROLES, "spec.sparkConf.hive.x: Spark drops what" },
		{ "  driver: {}\n  executor: {memoryLimit: 1g}\n",
		  "t.yaml:11:14: spec.executor.memoryLimit: Spark sets" },
		{ "  sparkConf: {\"a\\e[1m\\nb\": y}\n" ROLES,
		  "spec.sparkConf.a [1m b: Spark drops" },
		{ "  suspend: false\n  proxyUser: ''\n" ROLES, NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *yaml = text_printf(HEAD METADATA SPEC "%s", cases[i].fields);
		json_auto_t *warnings = json_array();
		struct spark_app app = read_app(yaml, warnings);
		const char *found = json_string_value(json_array_get(warnings, 0));

		assert_int_equal(json_array_size(warnings), cases[i].warning ? 1 : 0);
		if (cases[i].warning && !strstr(found, cases[i].warning))
			fail_msg("'%s' instead of '%s'", found, cases[i].warning);
		spark_app_release(&app);
	}
}

static void test_spark_application_read__takes_what_kubectl_gets(void **state)
{
	static const char yaml[] =
		"apiVersion: v1\nkind: List\nitems:\n"
		"- apiVersion: sparkoperator.k8s.io/v1beta2\n"
		"  kind: SparkApplication\n"
		"  metadata:\n"
		"    name: x\n"
		"    uid: 6f4a\n"
		"    annotations:\n"
		"      kubectl.kubernetes.io/last-applied-configuration: '{}'\n"
		"  spec: {type: Python, sparkVersion: 4.0.1, mainApplicationFile: 'local:///a.py', "
		"driver: {cores: null}, executor: {}}\n"
		"  status: {applicationState: {state: COMPLETED}}\n";
	json_auto_t *warnings = json_array();
	struct spark_app app = read_app(yaml, warnings);

	(void)state;
	assert_string_equal(app.name, "x");
	assert_null(app.namespace);
	assert_string_equal(spark_conf_get(app.conf, "spark.driver.cores"), "1");
	assert_int_equal(json_array_size(warnings), 2);
	assert_non_null(strstr(json_string_value(json_array_get(warnings, 0)), "metadata.uid: "));
	assert_non_null(strstr(json_string_value(json_array_get(warnings, 1)), "status: "));
	spark_app_release(&app);
}

/* ---- names ---- */

static void test_spark_application_read__generates_a_name_as_the_api_server_does(void **state)
{
	static const char yaml[] = HEAD "metadata: {generateName: nightly-}\n" SPEC ROLES;
	json_auto_t *warnings = json_array();
	struct spark_app first = read_app(yaml, warnings), second = read_app(yaml, warnings);

	(void)state;
	assert_int_equal(strlen(first.name), strlen("nightly-") + 5);
	assert_true(text_starts_with(first.name, "nightly-"));
	assert_string_not_equal(first.name, second.name);
	assert_string_equal(first.name, first.submission_id);
	spark_app_release(&first);
	spark_app_release(&second);
}

static json_t *objects_of(const struct spark_app *app)
{
	struct error *err = NULL;
	json_t *objects = driver_objects_build(app, &err);

	assert_ok(objects, err);
	return objects;
}

static void test_spark_application_read__names_the_same_objects_each_time(void **state)
{
	json_auto_t *warnings = json_array();
	struct spark_app first = read_golden("pi.yaml", warnings);
	struct spark_app second = read_golden("pi.yaml", warnings);
	json_auto_t *objects = objects_of(&first);
	json_auto_t *again = objects_of(&second);
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(objects), json_array_size(again));
	for (i = 0; i < json_array_size(objects); i++)
		assert_string_equal(kube_object_name(json_array_get(objects, i)),
		                    kube_object_name(json_array_get(again, i)));
	assert_true(json_equal(driver_objects_pod(objects), driver_objects_pod(again)));
	assert_string_equal(kube_object_name(driver_objects_pod(objects)), "spark-pi-driver");
	assert_string_equal(kube_object_namespace(driver_objects_pod(objects)), "analytics");
	assert_string_equal(kube_object_label(driver_objects_pod(objects), "team"), "driving");
	assert_string_equal(
		kube_object_label(driver_objects_pod(objects), "sparkoperator.k8s.io/app-name"),
		"spark-pi");
	assert_null(kube_object_label(driver_objects_pod(objects), "kueue.x-k8s.io/queue-name"));
	spark_app_release(&first);
	spark_app_release(&second);
}

/* ---- objects ---- */

static const json_t *find_object(const json_t *objects, const char *kind, const char *name)
{
	const json_t *object;
	size_t i;

	json_array_foreach (objects, i, object)
		if (text_equal(kube_object_kind(object), kind) &&
		    text_equal(kube_object_name(object), name))
			return object;
	return NULL;
}

static void test_spark_application_read__adds_the_operators_objects(void **state)
{
	static const struct {
		const char *manifest, *version, *kind, *name;
	} cases[] = {
		{ "monitoring.yaml", "v1", "ConfigMap", "watched-prom-conf" },
		{ "volcano.yaml", "scheduling.volcano.sh/v1beta1", "PodGroup", "spark-gang-pg" },
		{ "kube-scheduler.yaml", "scheduling.x-k8s.io/v1alpha1", "PodGroup",
		  "together-pg" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *warnings = json_array();
		struct spark_app app = read_golden(cases[i].manifest, warnings);
		json_auto_t *objects = NULL;
		const json_t *object;

		app.labels = json_pack("{s:s}", "stepop.dev/submission", "0123456789abcdef");
		objects = objects_of(&app);
		object = find_object(objects, cases[i].kind, cases[i].name);
		assert_non_null(object);
		assert_string_equal(json_string_value(json_object_get(object, "apiVersion")),
		                    cases[i].version);
		assert_string_equal(kube_object_namespace(object), app.namespace);
		assert_string_equal(kube_object_label(object, "stepop.dev/submission"),
		                    "0123456789abcdef");
		assert_ptr_equal(json_array_get(objects, json_array_size(objects) - 1),
		                 driver_objects_pod(objects));
		spark_app_release(&app);
	}
}

/* The last variable of a name counts, and the limit is the manifest's. */
static void test_spark_application_read__lays_over_the_drivers_container(void **state)
{
	json_auto_t *warnings = json_array();
	struct spark_app app = read_golden("volumes.yaml", warnings);
	json_auto_t *objects = objects_of(&app);
	const json_t *spec = json_object_get(driver_objects_pod(objects), "spec");
	const json_t *containers = json_object_get(spec, "containers");
	const json_t *container = json_array_get(containers, json_array_size(containers) - 1);
	const json_t *env = json_object_get(container, "env"), *limits;

	(void)state;
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(env, json_array_size(env) - 1), "value")),
	                    "/etc/spark/conf");
	limits = json_object_get(json_object_get(container, "resources"), "limits");
	assert_string_equal(json_string_value(json_object_get(limits, "memory")), "3Gi");
	spark_app_release(&app);
}

static const json_t *item_named(const json_t *list, const char *name)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		if (text_equal(json_string_value(json_object_get(item, "name")), name))
			return item;
	return NULL;
}

static void test_spark_application_read__begins_pods_as_a_webhook_ends_them(void **state)
{
	static const char *const in_pod[] = {
		"affinity",        "tolerations",           "dnsConfig",
		"dnsPolicy",       "hostAliases",           "terminationGracePeriodSeconds",
		"initContainers",  "hostNetwork",           "priorityClassName",
		"securityContext", "shareProcessNamespace",
	};
	static const char *const in_container[] = { "lifecycle", "envFrom" };
	json_auto_t *warnings = json_array();
	struct spark_app app = read_golden("pods.yaml", warnings);
	json_auto_t *objects = objects_of(&app);
	const json_t *template = json_object_get(app.driver_template, "spec");
	const json_t *spec = json_object_get(driver_objects_pod(objects), "spec");
	const json_t *container =
		item_named(json_object_get(spec, "containers"), "spark-kubernetes-driver");
	const json_t *env = json_object_get(container, "env");
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(in_pod); i++)
		assert_true(json_equal(json_object_get(spec, in_pod[i]),
		                       json_object_get(template, in_pod[i])));
	for (i = 0; i < ARRAY_SIZE(in_container); i++)
		assert_non_null(json_object_get(container, in_container[i]));
	assert_non_null(item_named(json_object_get(spec, "containers"), "shipper"));
	assert_string_equal(json_string_value(json_object_get(spec, "schedulerName")),
	                    "binpacking");
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(env, json_array_size(env) - 1), "name")),
	                    "NODE");
	assert_true(json_is_true(json_object_get(json_object_get(container, "securityContext"),
	                                         "allowPrivilegeEscalation")));
	spark_app_release(&app);
}

/* ---- what goes with it ---- */

static void test_spark_application_read__takes_the_examples_without_a_warning(void **state)
{
	static const struct {
		const char *path;
		size_t count;
	} examples[] = {
		{ "examples/spark_application/pi.yaml", 1 },
		{ "examples/spark_application/two_stages.yaml", 2 },
	};
	json_auto_t *warnings = json_array();
	size_t i, n;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(examples); i++) {
		struct error *err = NULL;
		scoped(spark_application_file) struct spark_application_file *file =
			spark_application_file_read(examples[i].path, &err);

		assert_ok(file, err);
		assert_int_equal(spark_application_count(file), examples[i].count);
		for (n = 0; n < examples[i].count; n++) {
			struct spark_app app = { 0 };

			assert_ok(spark_application_read(file, n, &app, warnings, &err), err);
			spark_app_release(&app);
		}
	}
	assert_int_equal(json_array_size(warnings), 0);
}

static const struct shape *shape_of(const struct shape *shape, const char *name)
{
	const struct field *field = shape->fields;

	while (!text_equal(field->name, name))
		field++;
	return field->shape;
}

/* Each field stands in the text as `field`, or with what it is part of or made of. */
static void assert_documented(const struct shape *shape, const char *text)
{
	static const char *const forms[] = { "`%s`", ".%s`", "`%s." };
	const struct field *field;

	for (field = shape->fields; field->name; field++) {
		bool is_there = false;
		size_t i;

		for (i = 0; i < ARRAY_SIZE(forms); i++) {
			const char *at = strchr(forms[i], '%');
			scoped(text) char *form = text_printf("%.*s%s%s", (int)(at - forms[i]),
			                                      forms[i], field->name, at + 2);

			is_there = is_there || strstr(text, form);
		}
		if (!is_there)
			fail_msg("docs/spark-application.md does not tell of '%s'", field->name);
	}
}

static void test_spark_application_shape__is_documented_field_by_field(void **state)
{
	static const char *const parts[] = { "driver", "executor", "deps",
		                             "batchSchedulerOptions" };
	const struct shape *spec = shape_of(&spark_application_shape, "spec");
	scoped(text) char *text = file_read("docs/spark-application.md", 1 << 20, NULL, NULL);
	size_t i;

	(void)state;
	assert_non_null(text);
	assert_documented(spec, text);
	for (i = 0; i < ARRAY_SIZE(parts); i++)
		assert_documented(shape_of(spec, parts[i]), text);
}

/* ---- cost ---- */

static double cpu_seconds(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

/* `count` applications in one file; how long reading them all takes. */
static double cost_of(int count)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	json_auto_t *warnings = json_array();
	scoped(text) char *yaml = NULL;
	struct spark_application_file *file;
	struct error *err = NULL;
	double begin;
	size_t n;
	int i;

	for (i = 0; i < count; i++)
		fprintf(out, HEAD "metadata: {name: app-%d, namespace: n}\n" SPEC ROLES "---\n", i);
	yaml = text_stream_take(&stream);
	begin = cpu_seconds();
	file = spark_application_file_parse("t.yaml", yaml, strlen(yaml), &err);
	assert_ok(file, err);
	assert_int_equal(spark_application_count(file), count);
	for (n = 0; n < spark_application_count(file); n++) {
		struct spark_app app = { 0 };

		assert_ok(spark_application_read(file, n, &app, warnings, &err), err);
		spark_app_release(&app);
	}
	spark_application_file_free(file);
	return cpu_seconds() - begin;
}

static void test_spark_application_file_parse__costs_the_same_for_each_of_many(void **state)
{
	double few = cost_of(100), many = cost_of(2000);

	(void)state;
	assert_true(many < 20 * few * 5 + 0.2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_spark_application_read__makes_of_manifests_what_the_operator_does),
		cmocka_unit_test(test_spark_application_read__refuses_what_is_wrong_in_a_manifest),
		cmocka_unit_test(test_spark_application_read__tells_all_faults_at_once),
		cmocka_unit_test(
			test_spark_application_file_parse__refuses_other_kinds_by_name_and_place),
		cmocka_unit_test(test_spark_application_read__warns_of_what_only_an_operator_does),
		cmocka_unit_test(test_spark_application_read__takes_what_kubectl_gets),
		cmocka_unit_test(
			test_spark_application_read__generates_a_name_as_the_api_server_does),
		cmocka_unit_test(test_spark_application_read__names_the_same_objects_each_time),
		cmocka_unit_test(test_spark_application_read__adds_the_operators_objects),
		cmocka_unit_test(test_spark_application_read__lays_over_the_drivers_container),
		cmocka_unit_test(test_spark_application_read__takes_the_examples_without_a_warning),
		cmocka_unit_test(test_spark_application_read__begins_pods_as_a_webhook_ends_them),
		cmocka_unit_test(test_spark_application_shape__is_documented_field_by_field),
		cmocka_unit_test(
			test_spark_application_file_parse__costs_the_same_for_each_of_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
