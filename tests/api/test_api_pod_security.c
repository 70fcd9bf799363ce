/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pods of an application in a namespace that enforces Pod Security "restricted", on a real API
 * server, whose admission judges them. Skipped, aloud, without STEPOP_TEST_KUBECONFIG (an
 * administrator's).
 */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "core/digest.h"
#include "core/document.h"
#include "core/http.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_pod.h"
#include "submit/kube_client.h"
#include "submit/kube_object.h"
#include "submit/rbac.h"
#include "submit/submission.h"
#include "submit/submission_rehearsal.h"

struct fixture {
	struct loop *loop;
	struct http_client *http;
	struct kube_client *client;
	char *namespace;
};

static void apply_rights(struct fixture *fixture)
{
	const struct rbac_options options = { .namespace = fixture->namespace,
		                              .service_account = "spark" };
	struct error *err = NULL;
	json_auto_t *objects = rbac_objects(&options, &err);
	const json_t *object;
	const char *result;
	size_t i;

	assert_ok(objects, err);
	json_array_foreach (objects, i, object)
		assert_ok(rbac_apply(fixture->client, object, &result, &err), err);
}

static int set_up(void **state)
{
	const struct kube_config_options options = { .kubeconfig =
		                                             getenv("STEPOP_TEST_KUBECONFIG") };
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	struct error *err = NULL;
	struct kube_config *config = kube_config_load(&options, &err);
	scoped(text) char *digits = digest_random_hex(8);
	json_auto_t *namespace = NULL, *stored = NULL, *labels = NULL;

	assert_ok(config, err);
	fixture->loop = loop_new();
	fixture->http = http_client_new(fixture->loop);
	fixture->client = kube_client_new_take(fixture->http, config);
	fixture->namespace = text_printf("restricted-%s", digits);
	labels = json_pack("{s:s}", "pod-security.kubernetes.io/enforce", "restricted");
	namespace = kube_object_new("v1", "Namespace", NULL, fixture->namespace, labels);
	stored = kube_client_create(fixture->client, &kube_namespaces, NULL, namespace, 0, &err);
	assert_ok(stored, err);
	apply_rights(fixture);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	kube_client_delete(fixture->client, &kube_namespaces, NULL, fixture->namespace, -1, NULL);
	kube_client_free(fixture->client);
	http_client_free(fixture->http);
	loop_free(fixture->loop);
	free(fixture->namespace);
	free(fixture);
	return 0;
}

static void add_volume(struct spark_conf *conf, const char *role, const char *type,
                       const char *option)
{
	scoped(text) char *volume = text_printf("spark.kubernetes.%s.volumes.%s.data", role, type);
	scoped(text) char *path = text_printf("%s.mount.path", volume);
	scoped(text) char *source = text_printf("%s.options.%s", volume, option);

	spark_conf_set(conf, path, "/data");
	spark_conf_set(conf, source, "data");
}

/* With a side car, and volumes of driver and executors. */
static json_t *application_with(const struct fixture *fixture, const char *version,
                                enum pod_security security, const char *executor_volume,
                                const char *option)
{
	struct spark_app app = {
		.name = xstrdup("restricted"),
		.namespace = xstrdup(fixture->namespace),
		.spark_version = xstrdup(version),
		.main_resource = xstrdup("local:///app.jar"),
		.main_class = xstrdup("org.example.Main"),
		.conf = spark_conf_new(),
		.pod_security = security,
		.driver_template = json_pack("{s:{s:[{s:s, s:s}], s:[{s:s}, {s:s, s:s}]}}", "spec",
		                             "initContainers", "name", "first", "image",
		                             "example.org/i:1", "containers", "name", "spark",
		                             "name", "side", "image", "example.org/side:1"),
	};
	struct error *err = NULL;
	json_t *objects;

	add_volume(app.conf, "driver", "persistentVolumeClaim", "claimName");
	add_volume(app.conf, "executor", executor_volume, option);
	spark_conf_set(app.conf, "spark.kubernetes.container.image", "example.org/spark:4.3.0");
	spark_conf_set(app.conf, "spark.kubernetes.authenticate.driver.serviceAccountName",
	               "spark");
	objects = driver_objects_build(&app, &err);
	assert_ok(objects, err);
	spark_app_release(&app);
	return objects;
}

static json_t *application(const struct fixture *fixture, const char *version,
                           enum pod_security security)
{
	return application_with(fixture, version, security, "persistentVolumeClaim", "claimName");
}

static void test_submission_create__is_let_in_where_restricted_is_enforced(void **state)
{
	static const char *const versions[] = { "3.5.9", "4.0.5", "4.3.0" };
	const struct fixture *fixture = *state;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(versions); i++) {
		json_auto_t *objects = application(fixture, versions[i], POD_SECURITY_RESTRICTED);
		struct error *err = NULL;
		json_auto_t *pod = submission_create(fixture->client, objects, &err);

		assert_ok(pod, err);
	}
}

static void test_submission_create__tells_how_a_refused_pod_is_let_in(void **state)
{
	const struct fixture *fixture = *state;
	json_auto_t *objects = application(fixture, "3.5.9", POD_SECURITY_NONE);
	scoped(error) struct error *err = NULL;
	scoped(text) char *advice = NULL;

	assert_null(submission_create(fixture->client, objects, &err));
	advice = submission_advice(err, fixture->namespace, "spark");

	assert_int_equal(err->kind, ERROR_AUTH);
	assert_non_null(strstr(advice, "enforces Pod Security 'restricted:latest'"));
	assert_non_null(strstr(advice, "--pod-security=restricted"));
}

static void test_submission_rehearse__names_the_controls_that_are_violated(void **state)
{
	static const char *const controls[] = { "allowPrivilegeEscalation != false",
		                                "unrestricted capabilities", "runAsNonRoot != true",
		                                "seccompProfile" };
	const struct fixture *fixture = *state;
	json_auto_t *objects = application(fixture, "3.5.9", POD_SECURITY_NONE);
	json_auto_t *rows = json_array();
	struct error *err = NULL;
	const json_t *row;
	const char *message;
	size_t refused = 0, last, i;

	assert_ok(submission_rehearse(fixture->client, objects, rows, &refused, &err), err);

	/* The driver, and the executors that it would make. */
	assert_int_equal(refused, 2);
	for (last = 1; last <= 2; last++) {
		row = json_array_get(rows, json_array_size(rows) - last);
		message = json_string_value(json_object_get(row, "message"));
		for (i = 0; i < ARRAY_SIZE(controls); i++)
			assert_non_null(strstr(message, controls[i]));
	}
}

/* The driver would run, and wait for executors for ever. */
static void test_submission_rehearse__tells_that_only_executors_would_be_refused(void **state)
{
	const struct fixture *fixture = *state;
	json_auto_t *baseline = json_pack("{s:{s:{s:s}}}", "metadata", "labels",
	                                  "pod-security.kubernetes.io/enforce", "baseline");
	json_auto_t *objects =
		application_with(fixture, "3.5.9", POD_SECURITY_NONE, "hostPath", "path");
	json_auto_t *rows = json_array();
	json_auto_t *patched = NULL;
	struct error *err = NULL;
	const json_t *last;
	size_t refused = 0;

	patched = kube_client_patch(fixture->client, &kube_namespaces, NULL, fixture->namespace,
	                            baseline, &err);
	assert_ok(patched, err);
	assert_ok(submission_rehearse(fixture->client, objects, rows, &refused, &err), err);

	assert_int_equal(refused, 1);
	last = json_array_get(rows, json_array_size(rows) - 1);
	assert_string_equal(json_string_value(json_object_get(last, "check")),
	                    "the driver's executors");
	assert_non_null(
		strstr(json_string_value(json_object_get(last, "message")), "hostPath volumes"));
}

static void test_submission_rehearse__takes_what_is_restricted(void **state)
{
	const struct fixture *fixture = *state;
	json_auto_t *objects = application(fixture, "4.3.0", POD_SECURITY_RESTRICTED);
	json_auto_t *rows = json_array();
	struct error *err = NULL;
	size_t refused = 0;

	assert_ok(submission_rehearse(fixture->client, objects, rows, &refused, &err), err);

	assert_int_equal(refused, 0);
	assert_int_equal(json_array_size(rows), json_array_size(objects));
}

/* The ConfigMap of the executors' template; parsed, owned by the caller. */
static json_t *executor_template(const json_t *objects)
{
	const json_t *object;
	size_t i;

	json_array_foreach (objects, i, object) {
		const json_t *data = json_object_get(object, "data");
		const char *text =
			json_string_value(json_object_get(data, "podspec-configmap-key"));
		struct document *document =
			text ? document_parse("template", text, strlen(text), NULL) : NULL;
		json_t *root = document ? json_incref(document_root(document)) : NULL;

		document_free(document);
		if (root)
			return root;
	}
	fail_msg("there is no template");
	return NULL;
}

/* What Spark's driver adds to the template (BasicExecutorFeatureStep, LocalDirsFeatureStep,
 * MountVolumesFeatureStep, ExecutorKubernetesCredentialsFeatureStep). */
static json_t *executor_of(const struct fixture *fixture, const json_t *template)
{
	json_auto_t *whole = kube_object_new("v1", "Pod", fixture->namespace, "r-exec-1", NULL);
	json_auto_t *added =
		json_pack("{s:s, s:s, s:s, s:[{s:s, s:{}}, {s:s, s:{s:s}}, {s:s, s:{s:s}}]}",
	                  "restartPolicy", "Never", "hostname", "r-exec-1", "serviceAccountName",
	                  "spark", "volumes", "name", "spark-local-dir-1", "emptyDir", "name",
	                  "spark-conf-volume-exec", "configMap", "name", "spark-exec-1-conf-map",
	                  "name", "data", "persistentVolumeClaim", "claimName", "data");
	json_auto_t *in_container =
		json_pack("{s:s, s:[s], s:[{s:i, s:s, s:s}]}", "image", "example.org/spark:4.3.0",
	                  "args", "executor", "ports", "containerPort", 7079, "name",
	                  "blockmanager", "protocol", "TCP");
	json_t *spec;

	json_object_update_recursive(whole, (json_t *)template);
	spec = json_object_get(whole, "spec");
	json_object_update(spec, added);
	json_object_update(json_array_get(json_object_get(spec, "containers"), 0), in_container);
	return json_incref(whole);
}

static void test_executors__of_the_template_are_let_in(void **state)
{
	const struct fixture *fixture = *state;
	json_auto_t *objects = application(fixture, "4.3.0", POD_SECURITY_RESTRICTED);
	json_auto_t *template = executor_template(objects);
	json_auto_t *without = json_pack("{s:{s:[{s:s}]}}", "spec", "containers", "name", "spark");
	json_auto_t *executor = executor_of(fixture, template);
	json_auto_t *as_ever = executor_of(fixture, without);
	json_auto_t *stored = NULL;
	struct error *err = NULL;
	scoped(error) struct error *refusal = NULL;
	const json_t *volume;
	size_t i;

	assert_null(kube_client_create(fixture->client, &kube_pods, NULL, as_ever, 0, &refusal));
	assert_error_contains(refusal, "violates PodSecurity");
	stored = kube_client_create(fixture->client, &kube_pods, NULL, executor, 0, &err);
	assert_ok(stored, err);

	/* Nobody has put a token into it. */
	json_array_foreach (json_object_get(json_object_get(stored, "spec"), "volumes"), i, volume)
		assert_null(json_object_get(volume, "projected"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_submission_create__is_let_in_where_restricted_is_enforced, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			test_submission_create__tells_how_a_refused_pod_is_let_in, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			test_submission_rehearse__names_the_controls_that_are_violated, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			test_submission_rehearse__tells_that_only_executors_would_be_refused,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_submission_rehearse__takes_what_is_restricted,
		                                set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_executors__of_the_template_are_let_in, set_up,
		                                tear_down),
	};
	const char *kubeconfig = getenv("STEPOP_TEST_KUBECONFIG");

	if (!kubeconfig || !*kubeconfig) {
		puts("SKIPPED: pod security on a real API server: STEPOP_TEST_KUBECONFIG is not "
		     "set");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
