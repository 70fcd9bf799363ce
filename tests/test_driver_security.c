/* SPDX-License-Identifier: Apache-2.0 */
/* submit/driver_security: pod security of driver and executors, where an application asks for it.
 */
#include "tests/test.h"

#include <string.h>

#include "core/document.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_pod.h"
#include "tests/fakes/spark_objects.h"

static struct spark_app restricted_app(void)
{
	struct spark_app app = spark_objects_python_app();

	app.pod_security = POD_SECURITY_RESTRICTED;
	return app;
}

/* The executors' template among the objects, parsed; owned by the caller. */
static struct document *template_of(const json_t *objects)
{
	const json_t *map =
		spark_objects_named(objects, "spark-pi-fbe3efa1fcfa5a18-driver-podspec-conf-map");
	const char *text = spark_objects_text(map, "data.podspec-configmap-key");
	scoped(error) struct error *err = NULL;
	struct document *document = document_parse("template", text, strlen(text), &err);

	assert_ok(document, err);
	return document;
}

static void test_driver_security__is_not_there_unless_it_is_asked_for(void **state)
{
	struct spark_app app = spark_objects_python_app();
	json_auto_t *objects = spark_objects_built(&app);
	const json_t *pod = driver_objects_pod(objects);

	(void)state;
	assert_null(spark_objects_at(pod, "spec.securityContext"));
	assert_null(spark_objects_at(pod, "spec.containers.0.securityContext"));
	assert_null(
		spark_objects_named(objects, "spark-pi-fbe3efa1fcfa5a18-driver-podspec-conf-map"));
	spark_app_release(&app);
}

static void test_driver_security__restricts_the_driver(void **state)
{
	struct spark_app app = restricted_app();
	json_auto_t *objects = spark_objects_built(&app);
	const json_t *spec = json_object_get(driver_objects_pod(objects), "spec");

	(void)state;
	assert_true(json_is_true(spark_objects_at(spec, "securityContext.runAsNonRoot")));
	assert_string_equal(spark_objects_text(spec, "securityContext.seccompProfile.type"),
	                    "RuntimeDefault");
	assert_int_equal(json_integer_value(
				 spark_objects_at(spec, "containers.0.securityContext.runAsUser")),
	                 POD_SECURITY_SPARK_USER);
	assert_null(spark_objects_at(spec, "automountServiceAccountToken"));
	spark_app_release(&app);
}

static void test_driver_security__gives_executors_a_template(void **state)
{
	struct spark_app app = restricted_app();
	json_auto_t *objects = spark_objects_built(&app);
	json_auto_t *properties = spark_objects_properties(objects);
	scoped(document) struct document *template = template_of(objects);
	const json_t *pod = document_root(template);

	(void)state;
	assert_string_equal(
		spark_objects_text(properties, "spark.kubernetes.executor.podTemplateFile"),
		"/opt/spark/pod-template/pod-spec-template.yml");
	assert_string_equal(spark_objects_text(pod, "spec.containers.0.name"),
	                    "spark-kubernetes-executor");
	assert_true(json_is_false(spark_objects_at(
		pod, "spec.containers.0.securityContext.allowPrivilegeEscalation")));
	assert_true(json_is_false(spark_objects_at(pod, "spec.automountServiceAccountToken")));
	assert_null(spark_objects_at(pod, "spec.securityContext.fsGroup"));
	spark_app_release(&app);
}

static void test_driver_security__adds_to_the_template_that_executors_have(void **state)
{
	struct spark_app app = restricted_app();
	json_auto_t *objects = NULL;
	scoped(document) struct document *template = NULL;
	const json_t *pod;

	(void)state;
	app.executor_template =
		json_pack("{s:{s:{s:s}}, s:{s:b, s:[{s:s, s:s}, {s:s}]}}", "metadata", "labels",
	                  "a", "b", "spec", "automountServiceAccountToken", 1, "containers", "name",
	                  "side", "image", "i", "name", "main");
	spark_conf_set(app.conf, "spark.kubernetes.executor.podTemplateContainerName", "main");
	objects = spark_objects_built(&app);
	template = template_of(objects);
	pod = document_root(template);

	assert_string_equal(spark_objects_text(pod, "metadata.labels.a"), "b");
	assert_true(json_is_true(spark_objects_at(pod, "spec.automountServiceAccountToken")));
	assert_string_equal(spark_objects_text(pod, "spec.containers.0.name"), "side");
	assert_string_equal(
		spark_objects_text(pod, "spec.containers.0.securityContext.capabilities.drop.0"),
		"ALL");
	assert_null(spark_objects_at(pod, "spec.containers.0.securityContext.runAsUser"));
	assert_non_null(spark_objects_at(pod, "spec.containers.1.securityContext.runAsUser"));
	spark_app_release(&app);
}

static void test_driver_security__makes_claims_the_users(void **state)
{
	static const char *const roles[] = { "driver", "executor" };
	struct spark_app app = restricted_app();
	json_auto_t *objects = NULL;
	scoped(document) struct document *template = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(roles); i++) {
		scoped(text) char *volume = text_printf(
			"spark.kubernetes.%s.volumes.persistentVolumeClaim.data", roles[i]);
		scoped(text) char *path = text_printf("%s.mount.path", volume);
		scoped(text) char *claim = text_printf("%s.options.claimName", volume);

		spark_conf_set(app.conf, path, "/data");
		spark_conf_set(app.conf, claim, "data");
	}
	objects = spark_objects_built(&app);
	template = template_of(objects);

	assert_int_equal(json_integer_value(spark_objects_at(driver_objects_pod(objects),
	                                                     "spec.securityContext.fsGroup")),
	                 POD_SECURITY_SPARK_USER);
	assert_int_equal(json_integer_value(spark_objects_at(document_root(template),
	                                                     "spec.securityContext.fsGroup")),
	                 POD_SECURITY_SPARK_USER);
	spark_app_release(&app);
}

/* Properties that contradict, one release each; two properties where a volume needs them. */
static void test_driver_security__refuses_properties_that_contradict_it(void **state)
{
	static const char host[] = "spark.kubernetes.executor.volumes.hostPath.data.";
	static const struct {
		const char *version, *key, *value, *part;
	} cases[] = {
		{ "3.5.9", "volume", "executor", "hostPath.data.mount.path: pod security" },
		{ "3.5.9", "volume", "driver", "the driver: pod security 'restricted' does not" },
		{ "4.3.0", "spark.kubernetes.securityContext.allowPrivilegeEscalation", "true",
		  "spark.kubernetes.executor.securityContext.allowPrivilegeEscalation: pod" },
		{ "4.3.0", "spark.kubernetes.driver.securityContext.allowPrivilegeEscalation",
		  "true", "container 'spark-kubernetes-driver': allowPrivilegeEscalation is true" },
		{ "4.3.0", "spark.kubernetes.driver.pod.excludedFeatureSteps",
		  "org.apache.spark.deploy.k8s.features.PodTemplateConfigMapStep",
		  "'PodTemplateConfigMapStep' cannot be excluded" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct spark_app app = restricted_app();
		scoped(error) struct error *err = NULL;
		json_auto_t *objects = NULL;

		app.spark_version = xstrdup(cases[i].version);
		if (strcmp(cases[i].key, "volume")) {
			spark_conf_set(app.conf, cases[i].key, cases[i].value);
		} else {
			const char *rest = strstr(host, ".volumes.");
			scoped(text) char *path = text_printf("spark.kubernetes.%s%smount.path",
			                                      cases[i].value, rest);
			scoped(text) char *source = text_printf("spark.kubernetes.%s%soptions.path",
			                                        cases[i].value, rest);

			spark_conf_set(app.conf, path, "/data");
			spark_conf_set(app.conf, source, "/srv");
		}
		objects = driver_objects_build(&app, &err);

		if (objects)
			fail_msg("%s is not refused", cases[i].key);
		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, cases[i].part);
		spark_app_release(&app);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_driver_security__is_not_there_unless_it_is_asked_for),
		cmocka_unit_test(test_driver_security__restricts_the_driver),
		cmocka_unit_test(test_driver_security__gives_executors_a_template),
		cmocka_unit_test(test_driver_security__adds_to_the_template_that_executors_have),
		cmocka_unit_test(test_driver_security__makes_claims_the_users),
		cmocka_unit_test(test_driver_security__refuses_properties_that_contradict_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
