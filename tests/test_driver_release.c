/* SPDX-License-Identifier: Apache-2.0 */
/* submit/driver_*: what differs between the releases of Spark. */
#include "tests/test.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_pod.h"
#include "submit/kube_object.h"
#include "tests/fakes/spark_objects.h"

static void set_text(char **text, const char *value)
{
	free(*text);
	*text = text_copy(value);
}

/* The first of these objects, of an application for `version` with one more property. */
static json_t *built(const char *version, const char *property, const char *value)
{
	struct spark_app app = spark_objects_python_app();
	json_t *objects;

	set_text(&app.spark_version, version);
	app.app_id = xstrdup("spark-1");
	spark_conf_set(app.conf, property, value);
	objects = spark_objects_built(&app);
	spark_app_release(&app);
	return objects;
}

static const char *pod_text(const json_t *objects, const char *path)
{
	return spark_objects_text(driver_objects_pod(objects), path);
}

/* For each release, whether `path` of the object of that kind is there. */
struct presence {
	const char *kind, *path;
	const char *from; /* the first release that has it */
};

static void test_driver_objects_build__adds_what_a_release_brought(void **state)
{
	static const char *const versions[] = { "3.5.9", "4.0.5", "4.1.4", "4.2.1", "4.3.0" };
	static const struct presence cases[] = {
		{ "Pod", "spec.containers.0.ports.0", "3.5.9" },
		{ "Pod", "spec.containers.0.ports.3", "4.1.4" },
		{ "Pod", "spec.containers.0.securityContext", "4.3.0" },
		{ "Service", "spec.ports.3", "4.1.4" },
		{ "Service", "spec.ports.3.appProtocol", "4.3.0" },
		{ "Service", "spec.publishNotReadyAddresses", "4.3.0" },
		{ "NetworkPolicy", "spec", "4.2.1" },
	};
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(versions); i++) {
		json_auto_t *objects = built(versions[i], "spark.x", "");

		assert_string_equal(kube_object_label(driver_objects_pod(objects), "spark-version"),
		                    versions[i]);
		for (j = 0; j < ARRAY_SIZE(cases); j++) {
			const json_t *object = spark_objects_of_kind(objects, cases[j].kind);
			bool is_there = object && spark_objects_at(object, cases[j].path);

			if (is_there != (strcmp(versions[i], cases[j].from) >= 0))
				fail_msg("%s: %s %s", versions[i], cases[j].kind, cases[j].path);
		}
	}
}

static void test_driver_objects_build__takes_the_release_from_the_image(void **state)
{
	static const struct {
		const char *image, *version;
	} cases[] = {
		{ "apache/spark:4.2.0-java17", "4.2.0" },
		{ "registry:5000/etl:7-spark4.1", "4.1.4" },
		{ "team/etl:7", "3.5.9" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *objects =
			built(NULL, "spark.kubernetes.driver.container.image", cases[i].image);

		assert_string_equal(kube_object_label(driver_objects_pod(objects), "spark-version"),
		                    cases[i].version);
	}
}

static void test_driver_objects_build__refuses_a_release_that_is_not_known(void **state)
{
	struct spark_app app = spark_objects_python_app();
	scoped(error) struct error *err = NULL;

	(void)state;
	set_text(&app.spark_version, "4.4.0");
	assert_null(driver_objects_build(&app, &err));

	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, "Spark 4.4.0 is not known");
	spark_app_release(&app);
	spark_objects_assert_refused("spark.kubernetes.container.image", "spark:5.0.0",
	                             "Spark 5.0.0 is not known");
}

static void test_driver_objects_build__substitutes_as_the_release_does(void **state)
{
	static const struct {
		const char *version, *property, *value, *path, *expected;
	} cases[] = {
		{ "3.5.9", "spark.kubernetes.driver.label.a", "x-{{APP_ID}}", "metadata.labels.a",
		  "x-{{APP_ID}}" },
		{ "4.0.0", "spark.kubernetes.driver.label.a", "x-{{APP_ID}}", "metadata.labels.a",
		  "x-spark-1" },
		{ "4.0.0", "spark.kubernetes.driver.label.a", "{{APP_ID}}{{EXECUTOR_ID}}",
		  "metadata.labels.a", "spark-1" },
		{ "3.5.9", "spark.kubernetes.driver.annotation.a", "{{APP_ID}}.{{EXECUTOR_ID}}",
		  "metadata.annotations.a", "spark-1." },
		{ "4.0.5", "spark.kubernetes.driver.container.image", "i:{{SPARK_VERSION}}",
		  "spec.containers.0.image", "i:{{SPARK_VERSION}}" },
		{ "4.1", "spark.kubernetes.driver.container.image",
		  "i:{{SPARK_VERSION}}-{{SPARK_VERSION}}", "spec.containers.0.image",
		  "i:4.1.4-4.1.4" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *objects = built(cases[i].version, cases[i].property, cases[i].value);

		assert_string_equal(pod_text(objects, cases[i].path), cases[i].expected);
	}
}

static void test_driver_objects_build__asks_for_privileges_only_when_told_to(void **state)
{
	static const struct {
		const char *common, *own;
		bool is_allowed;
	} cases[] = {
		{ NULL, NULL, false },      { "true", NULL, true },    { NULL, "true", true },
		{ "true", "false", false }, { "false", "true", true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct spark_app app = spark_objects_python_app();
		json_auto_t *objects = NULL;
		const json_t *context;

		set_text(&app.spark_version, "4.3");
		app.driver_template = json_pack(
			"{s:s, s:s, s:{s:[{s:s, s:{s:b, s:i}}]}}", "apiVersion", "v1", "kind",
			"Pod", "spec", "containers", "name", "spark", "securityContext",
			"allowPrivilegeEscalation", !cases[i].is_allowed, "runAsUser", 185);
		spark_conf_set(app.conf,
		               "spark.kubernetes.securityContext.allowPrivilegeEscalation",
		               cases[i].common);
		spark_conf_set(app.conf,
		               "spark.kubernetes.driver.securityContext.allowPrivilegeEscalation",
		               cases[i].own);
		objects = spark_objects_built(&app);
		context = spark_objects_at(driver_objects_pod(objects),
		                           "spec.containers.0.securityContext");

		assert_int_equal(json_is_true(json_object_get(context, "allowPrivilegeEscalation")),
		                 cases[i].is_allowed);
		assert_int_equal(json_integer_value(json_object_get(context, "runAsUser")), 185);
		spark_app_release(&app);
	}
}

static void test_driver_objects_build__publishes_addresses_and_the_connect_port(void **state)
{
	struct spark_app app = spark_objects_python_app();
	json_auto_t *objects = NULL;
	const json_t *service;

	(void)state;
	set_text(&app.spark_version, "4.3.0");
	spark_conf_set(app.conf, "spark.connect.grpc.binding.port", "15555");
	spark_conf_set(app.conf, "spark.kubernetes.driver.service.publishNotReadyAddresses",
	               "true");
	objects = spark_objects_built(&app);
	service = spark_objects_of_kind(objects, "Service");

	assert_true(json_is_true(spark_objects_at(service, "spec.publishNotReadyAddresses")));
	assert_int_equal(json_integer_value(spark_objects_at(service, "spec.ports.3.port")), 15555);
	assert_int_equal(
		json_integer_value(spark_objects_at(driver_objects_pod(objects),
	                                            "spec.containers.0.ports.3.containerPort")),
		15555);
	spark_app_release(&app);
}

static void test_driver_objects_build__runs_as_the_proxy_user(void **state)
{
	static const struct {
		const char *version, *user;
	} cases[] = { { "4.2.1", "root" }, { "4.3.0", "alice" } };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct spark_app app = spark_objects_python_app();
		json_auto_t *objects = NULL;

		set_text(&app.spark_version, cases[i].version);
		app.proxy_user = xstrdup("alice");
		objects = spark_objects_built(&app);

		assert_string_equal(pod_text(objects, "spec.containers.0.env.0.name"),
		                    "SPARK_USER");
		assert_string_equal(pod_text(objects, "spec.containers.0.env.0.value"),
		                    cases[i].user);
		spark_app_release(&app);
	}
}

/* ---- volumes ---- */

#define CLAIM "spark.kubernetes.driver.volumes.persistentVolumeClaim.data."

static json_t *built_with_claim(const char *version, const char *property, const char *value)
{
	struct spark_app app = spark_objects_python_app();
	json_t *objects;

	set_text(&app.spark_version, version);
	app.app_id = xstrdup("spark-1");
	app.labels = json_pack("{s:s}", "stepop.dev/run", "r");
	spark_conf_set(app.conf, CLAIM "mount.path", "/data");
	spark_conf_set(app.conf, CLAIM "options.claimName", "a-OnDemand-b-OnDemand");
	spark_conf_set(app.conf, CLAIM "options.storageClass", "gp");
	spark_conf_set(app.conf, CLAIM "options.sizeLimit", "1Gi");
	spark_conf_set(app.conf, CLAIM "label.team", "etl");
	spark_conf_set(app.conf, CLAIM "label.spark-app-selector", "mine");
	spark_conf_set(app.conf, CLAIM "annotation.a.b/c", "1");
	spark_conf_set(app.conf, property, value);
	objects = spark_objects_built(&app);
	spark_app_release(&app);
	return objects;
}

static void test_driver_mount_volumes__makes_claims_as_the_release_does(void **state)
{
	static const char legacy[] = "spark.kubernetes.legacy.useReadWriteOnceAccessMode";
	static const struct {
		const char *version, *legacy, *mode, *team, *annotation;
	} cases[] = {
		{ "3.5.9", NULL, "ReadWriteOnce", "(none)", "(none)" },
		{ "3.5.9", "false", "ReadWriteOncePod", "(none)", "(none)" },
		{ "4.0.0", NULL, "ReadWriteOncePod", "etl", "1" },
		{ "4.3.0", "true", "ReadWriteOnce", "etl", "1" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *objects = built_with_claim(cases[i].version, legacy, cases[i].legacy);
		const json_t *claim = spark_objects_of_kind(objects, "PersistentVolumeClaim");

		assert_string_equal(spark_objects_text(claim, "spec.accessModes.0"), cases[i].mode);
		assert_string_equal(spark_objects_text(claim, "metadata.labels.team"),
		                    cases[i].team);
		assert_string_equal(spark_objects_text(claim, "metadata.annotations.a.b/c"),
		                    cases[i].annotation);
		assert_string_equal(kube_object_label(claim, "spark-app-selector"), "spark-1");
		assert_string_equal(kube_object_label(claim, "stepop.dev/run"), "r");
	}
}

static void test_driver_mount_volumes__names_every_claim_on_demand(void **state)
{
	json_auto_t *objects = built_with_claim("4.3.0", "spark.x", "");

	(void)state;
	assert_string_equal(
		kube_object_name(spark_objects_of_kind(objects, "PersistentVolumeClaim")),
		"a-spark-pi-fbe3efa1fcfa5a18-driver-pvc-0-b-spark-pi-fbe3efa1fcfa5a18-driver-pvc-"
		"0");
}

static void test_driver_mount_volumes__knows_paths_and_types_of_4_0(void **state)
{
	static const char prefix[] = "spark.kubernetes.driver.volumes.hostPath.h.";
	static const struct {
		const char *version, *type, *expression;
	} cases[] = { { "3.5.9", "", "(none)" }, { "4.0.0", "Directory", "$(POD)" } };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *path = text_printf("%smount.path", prefix);
		scoped(text) char *host = text_printf("%soptions.path", prefix);
		scoped(text) char *type = text_printf("%soptions.type", prefix);
		scoped(text) char *expression = text_printf("%smount.subPathExpr", prefix);
		struct spark_app app = spark_objects_python_app();
		json_auto_t *objects = NULL;
		const json_t *pod;

		set_text(&app.spark_version, cases[i].version);
		spark_conf_set(app.conf, path, "/h");
		spark_conf_set(app.conf, host, "/mnt");
		spark_conf_set(app.conf, type, "Directory");
		spark_conf_set(app.conf, expression, "$(POD)");
		objects = spark_objects_built(&app);
		pod = driver_objects_pod(objects);

		assert_string_equal(
			spark_objects_text(
				spark_objects_item(spark_objects_at(pod, "spec.volumes"), "h"),
				"hostPath.type"),
			cases[i].type);
		assert_string_equal(
			spark_objects_text(
				spark_objects_item(
					spark_objects_at(pod, "spec.containers.0.volumeMounts"),
					"h"),
				"subPathExpr"),
			cases[i].expression);
		spark_app_release(&app);
	}
}

static void assert_volume_refused(const char *version, const char *properties, const char *part)
{
	struct spark_app app = spark_objects_python_app();
	json_auto_t *mapping = json_loads(properties, 0, NULL);
	scoped(error) struct error *err = NULL;
	json_auto_t *objects = NULL;
	const char *key;
	json_t *value;

	set_text(&app.spark_version, version);
	json_object_foreach (mapping, key, value) {
		scoped(text) char *property = text_printf("spark.kubernetes.%s", key);

		spark_conf_set(app.conf, property, json_string_value(value));
	}
	objects = driver_objects_build(&app, &err);
	if (part) {
		assert_null(objects);
		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, part);
	} else {
		assert_ok(objects, err);
	}
	spark_app_release(&app);
}

static void test_driver_mount_volumes__refuses_what_the_release_refuses(void **state)
{
	static const char size[] = "{\"executor.volumes.emptyDir.v.mount.path\": \"/v\","
				   "\"executor.volumes.emptyDir.v.options.sizeLimit\": \"512\"}";
	static const char both[] = "{\"driver.volumes.emptyDir.v.mount.path\": \"/v\","
				   "\"driver.volumes.emptyDir.v.mount.subPath\": \"a\","
				   "\"driver.volumes.emptyDir.v.mount.subPathExpr\": \"b\"}";
	static const char flag[] = "{\"driver.volumes.emptyDir.v.mount.path\": \"/v\","
				   "\"driver.volumes.emptyDir.v.mount.readOnly\": \"yes\"}";
	static const char large[] = "{\"driver.volumes.emptyDir.v.mount.path\": \"/v\","
				    "\"driver.volumes.emptyDir.v.options.sizeLimit\": \"1024\"}";

	(void)state;
	assert_volume_refused("4.0.0", size, "'512' is less than 1Ki");
	assert_volume_refused("3.5.9", size, NULL);
	assert_volume_refused("4.0.0", large, NULL);
	assert_volume_refused("4.0.0", both, "both mount.subPath and mount.subPathExpr");
	assert_volume_refused("3.5.9", both, NULL);
	assert_volume_refused("3.5.9", flag, "mount.readOnly: 'yes' is neither true nor false");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_driver_objects_build__adds_what_a_release_brought),
		cmocka_unit_test(test_driver_objects_build__takes_the_release_from_the_image),
		cmocka_unit_test(test_driver_objects_build__refuses_a_release_that_is_not_known),
		cmocka_unit_test(test_driver_objects_build__substitutes_as_the_release_does),
		cmocka_unit_test(test_driver_objects_build__asks_for_privileges_only_when_told_to),
		cmocka_unit_test(
			test_driver_objects_build__publishes_addresses_and_the_connect_port),
		cmocka_unit_test(test_driver_objects_build__runs_as_the_proxy_user),
		cmocka_unit_test(test_driver_mount_volumes__makes_claims_as_the_release_does),
		cmocka_unit_test(test_driver_mount_volumes__names_every_claim_on_demand),
		cmocka_unit_test(test_driver_mount_volumes__knows_paths_and_types_of_4_0),
		cmocka_unit_test(test_driver_mount_volumes__refuses_what_the_release_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
