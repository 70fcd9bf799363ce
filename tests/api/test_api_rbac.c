/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rights of rbac/ put to use on a real API server: driver and runner with tokens of their
 * accounts, the submitter as the user 'limited', do what Spark and stepop do, and are refused what
 * they must not do. Skipped, aloud, without STEPOP_TEST_KUBECONFIG (an administrator's; beside it
 * lies limited.kubeconfig).
 */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "core/digest.h"
#include "core/file.h"
#include "core/http.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_pod.h"
#include "submit/kube_client.h"
#include "submit/kube_object.h"
#include "submit/rbac.h"
#include "submit/submission.h"
#include "submit/submission_rehearsal.h"

static const struct kube_kind claims = { "/api/v1", "persistentvolumeclaims",
	                                 "PersistentVolumeClaim", false };

struct fixture {
	struct loop *loop;
	struct http_client *http;
	struct kube_client *admin, *driver, *submitter, *runner;
	char *namespace;
};

static struct kube_client *client_of(struct fixture *fixture,
                                     const struct kube_config_options *options)
{
	struct error *err = NULL;
	struct kube_config *config = kube_config_load(options, &err);

	assert_ok(config, err);
	return kube_client_new_take(fixture->http, config);
}

/* A client with a token of the account, as a pod has one. */
static struct kube_client *client_of_account(struct fixture *fixture, const char *name)
{
	scoped(text) char *path = text_printf("serviceaccounts/%s/token", name);
	const struct kube_kind tokens = { "/api/v1", path, "TokenRequest", false };
	json_auto_t *request =
		json_pack("{s:s, s:s, s:{s:[]}}", "apiVersion", "authentication.k8s.io/v1", "kind",
	                  "TokenRequest", "spec", "audiences");
	struct error *err = NULL;
	json_auto_t *answer =
		kube_client_create(fixture->admin, &tokens, fixture->namespace, request, 0, &err);
	const json_t *token = json_object_get(json_object_get(answer, "status"), "token");

	assert_ok(answer, err);
	return client_of(fixture, &(struct kube_config_options){
					  .kubeconfig = getenv("STEPOP_TEST_KUBECONFIG"),
					  .token = json_string_value(token),
				  });
}

/* For driver, submitter and runner. */
static void apply_rights(struct fixture *fixture, unsigned parts)
{
	struct rbac_options options = { .namespace = fixture->namespace,
		                        .service_account = "spark",
		                        .submitter = "limited",
		                        .parts = parts };
	struct error *err = NULL;
	const json_t *object;
	const char *result;
	size_t i, round;

	for (round = 0; round < 2; round++) {
		json_auto_t *objects = rbac_objects(&options, &err);

		assert_ok(objects, err);
		json_array_foreach (objects, i, object)
			assert_ok(rbac_apply(fixture->admin, object, &result, &err), err);
		options.submitter = NULL;
		options.runner = "stepop";
	}
}

static int set_up(void **state)
{
	const char *admin = getenv("STEPOP_TEST_KUBECONFIG");
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	scoped(text) char *folder = file_folder(admin);
	scoped(text) char *limited = file_join(folder, "limited.kubeconfig");
	scoped(text) char *digits = digest_random_hex(8);

	fixture->loop = loop_new();
	fixture->http = http_client_new(fixture->loop);
	fixture->namespace = text_printf("rbac-%s", digits);
	fixture->admin = client_of(fixture, &(struct kube_config_options){ .kubeconfig = admin });
	fixture->submitter =
		client_of(fixture, &(struct kube_config_options){ .kubeconfig = limited });
	apply_rights(fixture, RBAC_SECRETS);
	fixture->driver = client_of_account(fixture, "spark");
	fixture->runner = client_of_account(fixture, "stepop");
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	kube_client_delete(fixture->admin, &kube_namespaces, NULL, fixture->namespace, -1, NULL);
	kube_client_free(fixture->admin);
	kube_client_free(fixture->driver);
	kube_client_free(fixture->submitter);
	kube_client_free(fixture->runner);
	http_client_free(fixture->http);
	loop_free(fixture->loop);
	free(fixture->namespace);
	free(fixture);
	return 0;
}

/* ---- what the driver does ---- */

static json_t *object_of(const struct fixture *fixture, const char *kind, const char *name)
{
	json_auto_t *labels = json_pack("{s:s}", "spark-app-selector", "spark-1");

	return kube_object_new("v1", kind, fixture->namespace, name, labels);
}

static json_t *pod_of(const struct fixture *fixture, const char *name)
{
	json_t *pod = object_of(fixture, "Pod", name);

	json_object_set_new(pod, "spec",
	                    json_pack("{s:[{s:s, s:s}]}", "containers", "name", "spark", "image",
	                              "example.org/spark:3.5.9"));
	return pod;
}

static json_t *claim_of(const struct fixture *fixture, const char *name)
{
	json_t *claim = object_of(fixture, "PersistentVolumeClaim", name);

	json_object_set_new(claim, "spec",
	                    json_pack("{s:[s], s:{s:{s:s}}}", "accessModes", "ReadWriteOnce",
	                              "resources", "requests", "storage", "1Gi"));
	return claim;
}

static bool create(struct kube_client *client, json_t *object_taken, struct error **err)
{
	json_auto_t *object = object_taken;
	json_auto_t *stored =
		kube_client_create(client, kube_kind_of(object), NULL, object, 0, err);

	return stored;
}

static void test_driver__does_what_spark_does(void **state)
{
	static const struct kube_kind *const deleted[] = { &kube_pods, &kube_config_maps,
		                                           &kube_services, &claims };
	const struct fixture *fixture = *state;
	const struct kube_list_options own = { .label_selector = "spark-app-selector=spark-1" };
	const char *namespace = fixture->namespace;
	struct kube_client *driver = fixture->driver;
	json_auto_t *owner = NULL, *ownership = NULL, *pods = NULL, *owned_claims = NULL,
		    *patched = NULL;
	json_auto_t *label = json_pack("{s:{s:{s:s}}}", "metadata", "labels", "spark-exec", "no");
	json_t *map = object_of(fixture, "ConfigMap", "spark-exec-1-conf-map");
	struct error *err = NULL;
	size_t i;

	assert_ok(create(fixture->admin, pod_of(fixture, "d-driver"), &err), err);
	assert_ok(owner = kube_client_get(driver, &kube_pods, namespace, "d-driver", &err), err);
	ownership = kube_object_owner_patch(owner);
	json_object_update_recursive(map, ownership);
	assert_ok(create(driver, map, &err), err);
	assert_ok(create(driver, pod_of(fixture, "d-exec-1"), &err), err);
	assert_ok(create(driver, pod_of(fixture, "d-exec-2"), &err), err);
	assert_ok(pods = kube_client_list(driver, &kube_pods, namespace, &own, NULL, &err), err);
	assert_int_equal(json_array_size(pods), 3);
	assert_ok(owned_claims = kube_client_list(driver, &claims, namespace, &own, NULL, &err),
	          err);
	assert_ok(patched =
	                  kube_client_patch(driver, &kube_pods, namespace, "d-exec-1", label, &err),
	          err);
	assert_ok(kube_client_delete(driver, &kube_pods, namespace, "d-exec-1", 0, &err), err);
	for (i = 0; i < ARRAY_SIZE(deleted); i++)
		assert_ok(kube_client_delete_collection(driver, deleted[i], namespace,
		                                        own.label_selector, &err),
		          err);
}

static void test_driver__makes_claims_once_it_has_that_part(void **state)
{
	struct fixture *fixture = *state;
	scoped(error) struct error *err = NULL;
	struct error *unexpected = NULL;

	assert_false(create(fixture->driver, claim_of(fixture, "exec-1-pvc-0"), &err));
	assert_int_equal(err->kind, ERROR_AUTH);

	apply_rights(fixture, RBAC_SECRETS | RBAC_VOLUMES);
	assert_ok(create(fixture->driver, claim_of(fixture, "exec-1-pvc-0"), &unexpected),
	          unexpected);
}

/* ---- what submitter and runner do ---- */

/* Spark 4.3, a volume on demand, a secret: every kind of object but a PodGroup, which needs
 * Volcano. */
static json_t *application(const struct fixture *fixture, const char *step)
{
	static const char volume[] = "spark.kubernetes.driver.volumes.persistentVolumeClaim.data.";
	static const char *const options[][2] = { { "mount.path", "/data" },
		                                  { "options.claimName", "OnDemand" },
		                                  { "options.storageClass", "standard" },
		                                  { "options.sizeLimit", "1Gi" } };
	struct spark_app app = {
		.name = xstrdup("rights"),
		.resource_prefix = spark_app_resource_prefix("rights", "0123456789", step, 1),
		.namespace = xstrdup(fixture->namespace),
		.spark_version = xstrdup("4.3.0"),
		.main_resource = xstrdup("local:///app.jar"),
		.main_class = xstrdup("org.example.Main"),
		.conf = spark_conf_new(),
		.labels = json_pack("{s:s, s:s}", "stepop.dev/run", "0123456789", "stepop.dev/step",
		                    step),
	};
	struct error *err = NULL;
	json_t *objects;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		scoped(text) char *key = text_printf("%s%s", volume, options[i][0]);

		spark_conf_set(app.conf, key, options[i][1]);
	}
	spark_conf_set(app.conf, "spark.kubernetes.container.image", "example.org/spark:4.3.0");
	spark_conf_set(app.conf, "spark.kubernetes.authenticate.driver.serviceAccountName",
	               "spark");
	spark_app_add_secret_env(&app, "AWS_SECRET_ACCESS_KEY", "hidden");
	objects = driver_objects_build(&app, &err);
	assert_ok(objects, err);
	spark_app_release(&app);
	return objects;
}

static void submit_follow_and_delete(struct fixture *fixture, struct kube_client *client,
                                     const char *step)
{
	scoped(driver_objects) json_t *objects = application(fixture, step);
	struct error *err = NULL;
	json_auto_t *pod = NULL, *again = NULL, *pods = NULL, *events = NULL;
	scoped(text) char *log = NULL;

	assert_int_equal(json_array_size(objects), 6);
	assert_ok(pod = submission_create(client, objects, &err), err);
	assert_ok(again = submission_create(client, objects, &err), err);
	assert_ok(pods = kube_client_list(client, &kube_pods, fixture->namespace, NULL, NULL, &err),
	          err);
	assert_ok(events = kube_client_list(client, &kube_events, fixture->namespace, NULL, NULL,
	                                    &err),
	          err);
	assert_ok(log = kube_client_log(client, fixture->namespace, kube_object_name(pod), NULL,
	                                1024, &err),
	          err);
	assert_ok(submission_delete(client, fixture->namespace, kube_object_name(pod), 0, &err),
	          err);
}

static void test_submitter_and_runner__do_what_stepop_does(void **state)
{
	struct fixture *fixture = *state;

	apply_rights(fixture, RBAC_ALL_PARTS & ~(unsigned)RBAC_SECRETS_MANAGER);
	submit_follow_and_delete(fixture, fixture->submitter, "submitter");
	submit_follow_and_delete(fixture, fixture->runner, "runner");
}

static void test_submitter__looks_at_his_namespace_with_that_part(void **state)
{
	struct fixture *fixture = *state;
	struct kube_client *client = fixture->submitter;
	scoped(error) struct error *before = NULL, *foreign = NULL;
	struct error *err = NULL;
	json_auto_t *namespace = NULL;

	assert_null(kube_client_get(client, &kube_namespaces, NULL, fixture->namespace, &before));
	assert_int_equal(before->kind, ERROR_AUTH);

	apply_rights(fixture, RBAC_STACK_CHECK);
	assert_ok(namespace =
	                  kube_client_get(client, &kube_namespaces, NULL, fixture->namespace, &err),
	          err);
	assert_null(kube_client_get(client, &kube_namespaces, NULL, "default", &foreign));
	assert_int_equal(foreign->kind, ERROR_AUTH);
}

static void test_submitter__is_told_which_part_is_missing(void **state)
{
	struct fixture *fixture = *state;
	scoped(driver_objects) json_t *objects = application(fixture, "without");
	json_auto_t *rows = json_array();
	scoped(error) struct error *err = NULL;
	scoped(text) char *advice = NULL;
	struct error *unexpected = NULL;
	size_t missing = 0;

	assert_null(submission_create(fixture->submitter, objects, &err));
	advice = submission_advice(err, fixture->namespace, "spark");
	assert_ok(submission_check_rights(fixture->submitter, objects, rows, &missing, &unexpected),
	          unexpected);

	assert_non_null(strstr(advice, "--submitter limited --with volumes'"));
	/* Claims and NetworkPolicies: create, get, patch, delete of each. */
	assert_int_equal(missing, 8);
}

/* ---- what they are refused ---- */

static bool try_get(const struct fixture *fixture, struct kube_client *client, const char *path,
                    struct error **err)
{
	scoped(text) char *own = text_printf("/api/v1/namespaces/%s/%s", fixture->namespace, path);
	json_auto_t *answer = kube_client_get_path(client, *path == '/' ? path : own, err);

	return answer;
}

static bool try_create(const struct fixture *fixture, struct kube_client *client, const char *path,
                       struct error **err)
{
	const struct kube_kind kind = { "/api/v1", path, "Pod", false };
	json_auto_t *pod = pod_of(fixture, "d-exec-1");
	json_auto_t *answer = kube_client_create(client, &kind, fixture->namespace, pod, 0, err);

	return answer;
}

static bool try_create_elsewhere(const struct fixture *fixture, struct kube_client *client,
                                 const char *path, struct error **err)
{
	const struct kube_kind kind = { "/api/v1", path, "Pod", false };
	json_auto_t *pod = pod_of(fixture, "stranger");
	json_auto_t *answer = NULL;

	json_object_del(json_object_get(pod, "metadata"), "namespace");
	answer = kube_client_create(client, &kind, "default", pod, 0, err);
	return answer;
}

static bool try_patch(const struct fixture *fixture, struct kube_client *client, const char *path,
                      struct error **err)
{
	const struct kube_kind kind = { "/api/v1", "pods", "Pod", false };
	json_auto_t *patch = json_pack("{s:{s:[{s:s, s:s}]}}", "spec", "ephemeralContainers",
	                               "name", "e", "image", "i");
	json_auto_t *answer =
		kube_client_patch(client, &kind, fixture->namespace, path, patch, err);

	return answer;
}

/* Whoever may bind a role to himself has all rights. */
static bool try_grant(const struct fixture *fixture, struct kube_client *client, const char *role,
                      struct error **err)
{
	json_auto_t *binding = kube_object_new("rbac.authorization.k8s.io/v1", "RoleBinding",
	                                       fixture->namespace, "mine", NULL);
	json_auto_t *answer = NULL;

	json_object_set_new(binding, "roleRef",
	                    json_pack("{s:s, s:s, s:s}", "apiGroup", "rbac.authorization.k8s.io",
	                              "kind", "ClusterRole", "name", role));
	json_object_set_new(binding, "subjects",
	                    json_pack("[{s:s, s:s, s:s}]", "kind", "ServiceAccount", "name",
	                              "spark", "namespace", fixture->namespace));
	answer = kube_client_create(client, &kube_role_bindings, fixture->namespace, binding, 0,
	                            err);
	return answer;
}

static const struct attempt {
	bool (*attempt)(const struct fixture *fixture, struct kube_client *client, const char *path,
	                struct error **err);
	const char *path;
} attempts[] = {
	{ try_get, "secrets" },
	{ try_get, "serviceaccounts/spark" },
	{ try_get, "/api/v1/secrets" },
	{ try_get, "/api/v1/pods" },
	{ try_get, "/api/v1/nodes" },
	{ try_get, "/api/v1/namespaces" },
	{ try_get, "/api/v1/namespaces/kube-system/configmaps" },
	{ try_get, "/api/v1/namespaces/default/pods" },
	{ try_get, "/apis/rbac.authorization.k8s.io/v1/clusterroles" },
	{ try_get, "/metrics" },
	{ try_get, "/logs" },
	{ try_create_elsewhere, "pods" },
	{ try_create, "pods/d-exec-1/exec" },
	{ try_create, "pods/d-exec-1/attach" },
	{ try_create, "pods/d-exec-1/portforward" },
	{ try_create, "pods/d-exec-1/eviction" },
	{ try_create, "pods/d-exec-1/binding" },
	{ try_create, "serviceaccounts/spark/token" },
	{ try_create, "serviceaccounts" },
	{ try_patch, "d-exec-1/ephemeralcontainers" },
	{ try_patch, "d-exec-1/status" },
	{ try_grant, "edit" },
	{ try_grant, "cluster-admin" },
};

static void test_nobody__may_do_anything_else(void **state)
{
	struct fixture *fixture = *state;
	struct kube_client *const clients[] = { fixture->driver, fixture->submitter,
		                                fixture->runner };
	struct error *unexpected = NULL;
	size_t i, c;

	assert_ok(create(fixture->admin, pod_of(fixture, "d-exec-1"), &unexpected), unexpected);
	for (c = 0; c < ARRAY_SIZE(clients); c++)
		for (i = 0; i < ARRAY_SIZE(attempts); i++) {
			scoped(error) struct error *err = NULL;

			if (attempts[i].attempt(fixture, clients[c], attempts[i].path, &err))
				fail_msg("client %zu is not refused '%s'", c, attempts[i].path);
			if (err->kind != ERROR_AUTH)
				fail_msg("client %zu, '%s': %s", c, attempts[i].path, err->message);
		}
}

static void test_driver__may_not_do_what_a_submitter_may(void **state)
{
	struct fixture *fixture = *state;
	scoped(driver_objects) json_t *objects = application(fixture, "driver");
	scoped(error) struct error *err = NULL, *no_secret = NULL, *no_log = NULL;

	assert_null(submission_create(fixture->driver, objects, &err));
	assert_int_equal(err->kind, ERROR_AUTH);
	assert_null(kube_client_get(fixture->driver, &kube_secrets, fixture->namespace, "any",
	                            &no_secret));
	assert_int_equal(no_secret->kind, ERROR_AUTH);
	assert_null(
		kube_client_log(fixture->driver, fixture->namespace, "any", NULL, 1024, &no_log));
	assert_int_equal(no_log->kind, ERROR_AUTH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_driver__does_what_spark_does, set_up,
		                                tear_down),
		cmocka_unit_test_setup_teardown(test_driver__makes_claims_once_it_has_that_part,
		                                set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_submitter_and_runner__do_what_stepop_does,
		                                set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_submitter__looks_at_his_namespace_with_that_part, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_submitter__is_told_which_part_is_missing,
		                                set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nobody__may_do_anything_else, set_up,
		                                tear_down),
		cmocka_unit_test_setup_teardown(test_driver__may_not_do_what_a_submitter_may,
		                                set_up, tear_down),
	};
	const char *kubeconfig = getenv("STEPOP_TEST_KUBECONFIG");

	if (!kubeconfig || !*kubeconfig) {
		puts("SKIPPED: rights at work: STEPOP_TEST_KUBECONFIG is not set");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
