/* SPDX-License-Identifier: Apache-2.0 */
/*
 * submit/submission and submit/rbac against a real API server: STEPOP_TEST_KUBECONFIG is an
 * admin's; limited.kubeconfig beside it belongs to the user 'limited', who has no rights of his own
 * (tests/cluster/control_plane.sh makes both). Skipped, aloud, without it.
 */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/digest.h"
#include "core/file.h"
#include "core/http.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_pod.h"
#include "submit/kube_object.h"
#include "submit/rbac.h"
#include "submit/submission.h"

#define PATIENCE_MS 20000

static const struct kube_kind quotas = { "/api/v1", "resourcequotas", "ResourceQuota", false };

struct fixture {
	struct loop *loop;
	struct http_client *http;
	struct kube_client *admin, *limited;
	char *namespace; /* of this test */
};

static struct kube_client *client_of(struct fixture *fixture, const char *kubeconfig)
{
	struct error *err = NULL;
	const struct kube_config_options options = { .kubeconfig = kubeconfig };
	struct kube_config *config = kube_config_load(&options, &err);

	assert_ok(config, err);
	return kube_client_new_take(fixture->http, config);
}

static struct rbac_options rights_in(const struct fixture *fixture)
{
	return (struct rbac_options){ .namespace = fixture->namespace,
		                      .service_account = "spark",
		                      .submitter = "limited",
		                      .parts = RBAC_SECRETS };
}

/* Namespace, driver's account and its rights; with `with_submitter` those of 'limited' as well. */
static void apply_rights(struct fixture *fixture, bool with_submitter)
{
	struct rbac_options options = rights_in(fixture);
	struct error *err = NULL;
	json_auto_t *objects = NULL;
	const json_t *object;
	const char *result;
	size_t i;

	if (!with_submitter)
		options.submitter = NULL;
	objects = rbac_objects(&options, &err);
	assert_ok(objects, err);
	json_array_foreach (objects, i, object)
		assert_ok(rbac_apply(fixture->admin, object, &result, &err), err);
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
	fixture->admin = client_of(fixture, admin);
	fixture->limited = client_of(fixture, limited);
	fixture->namespace = text_printf("submission-%s", digits);
	apply_rights(fixture, false);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	kube_client_delete(fixture->admin, &kube_namespaces, NULL, fixture->namespace, -1, NULL);
	kube_client_free(fixture->admin);
	kube_client_free(fixture->limited);
	http_client_free(fixture->http);
	loop_free(fixture->loop);
	free(fixture->namespace);
	free(fixture);
	return 0;
}

/* A Python application with everything: Secret, files, conf, Service, Pod. */
static json_t *application(const struct fixture *fixture, const char *step, const char *account)
{
	struct spark_app app = {
		.name = xstrdup("api test"),
		.resource_prefix = spark_app_resource_prefix("api", "0123456789", step, 1),
		.namespace = xstrdup(fixture->namespace),
		.resource = SPARK_RESOURCE_PYTHON,
		.main_resource = xstrdup("local:///opt/stepop/main.py"),
		.conf = spark_conf_new(),
		.labels = json_pack("{s:s, s:s, s:s}", "stepop.dev/run", "0123456789",
		                    "stepop.dev/step", step, "stepop.dev/attempt", "1"),
		.files = xcalloc(1, sizeof(struct spark_files)),
	};
	struct error *err = NULL;
	json_t *objects;

	app.files->mount_path = xstrdup("/opt/stepop");
	app.files->contents =
		json_pack("{s:s, s:s}", "main.py", "pass", ".a/..b/_ \xc3\xa4.py", "1");
	spark_conf_set(app.conf, "spark.kubernetes.container.image", "example.org/spark:3.5.9");
	spark_conf_set(app.conf, "spark.kubernetes.authenticate.driver.serviceAccountName",
	               account);
	spark_app_add_secret_env(&app, "AWS_SECRET_ACCESS_KEY", "hidden");
	objects = driver_objects_build(&app, &err);
	assert_ok(objects, err);
	spark_app_release(&app);
	return objects;
}

static json_t *stored(const struct fixture *fixture, const json_t *object)
{
	const struct kube_kind *kind = kube_kind_find(
		json_string_value(json_object_get(object, "apiVersion")), kube_object_kind(object));

	return kube_client_get(fixture->admin, kind, fixture->namespace, kube_object_name(object),
	                       NULL);
}

/* Only what is on its way out may still be there. */
static void assert_nothing_left(const struct fixture *fixture, const json_t *objects)
{
	const json_t *object;
	size_t i;

	json_array_foreach (objects, i, object) {
		json_auto_t *one = stored(fixture, object);

		if (one && !kube_object_is_terminating(one))
			fail_msg("%s '%s' is left behind", kube_object_kind(object),
			         kube_object_name(object));
	}
}

static void assert_advice(const struct fixture *fixture, const struct error *err,
                          enum error_kind kind, const char *part)
{
	scoped(text) char *advice = submission_advice(err, fixture->namespace, "spark");

	assert_int_equal(err->kind, kind);
	if (!advice || !strstr(advice, part)) {
		scoped(text) char *text = error_text(err);

		fail_msg("'%s' gives the advice '%s'", text, advice);
	}
}

static void test_submission_create__makes_all_objects_and_owns_them(void **state)
{
	const struct fixture *fixture = *state;
	json_auto_t *objects = application(fixture, "train", "spark");
	scoped(error) struct error *err = NULL;
	json_auto_t *pod = submission_create(fixture->admin, objects, &err);
	const json_t *object;
	size_t i;

	assert_ok(pod, err);
	assert_int_equal(json_array_size(objects), 5);
	json_array_foreach (objects, i, object) {
		json_auto_t *one = stored(fixture, object);

		assert_non_null(one);
		assert_string_equal(kube_object_label(one, "stepop.dev/step"), "train");
		if (strcmp(kube_object_kind(object), "Pod"))
			assert_true(kube_object_is_owned_by(one, pod));
	}
}

static void test_submission_create__adopts_its_own_objects(void **state)
{
	const struct fixture *fixture = *state;
	json_auto_t *objects = application(fixture, "train", "spark");
	scoped(error) struct error *err = NULL;
	json_auto_t *first = submission_create(fixture->admin, objects, &err);
	json_auto_t *second = NULL;

	assert_ok(first, err);
	second = submission_create(fixture->admin, objects, &err);

	assert_ok(second, err);
	assert_string_equal(kube_object_uid(second), kube_object_uid(first));
}

static void test_submission_create__refuses_what_belongs_to_somebody_else(void **state)
{
	const struct fixture *fixture = *state;
	json_auto_t *objects = application(fixture, "train", "spark");
	json_t *theirs = json_array_get(objects, 2);
	json_auto_t *foreign = kube_object_new("v1", "ConfigMap", fixture->namespace,
	                                       kube_object_name(theirs), NULL);
	scoped(error) struct error *err = NULL;
	json_auto_t *made = NULL;

	made = kube_client_create(fixture->admin, &kube_config_maps, fixture->namespace, foreign, 0,
	                          &err);
	assert_ok(made, err);
	assert_null(submission_create(fixture->admin, objects, &err));

	assert_int_equal(err->kind, ERROR_CONFLICT);
	assert_error_contains(err, "was not made by stepop");
	json_decref(made);
	made = stored(fixture, theirs);
	assert_non_null(made);
	json_array_remove(objects, 2);
	assert_nothing_left(fixture, objects);
}

static void test_submission_delete__takes_the_pod_and_is_repeatable(void **state)
{
	const struct fixture *fixture = *state;
	json_auto_t *objects = application(fixture, "train", "spark");
	scoped(error) struct error *err = NULL;
	json_auto_t *pod = submission_create(fixture->admin, objects, &err);
	json_auto_t *left = NULL;
	int i;

	assert_ok(pod, err);
	for (i = 0; i < 2; i++)
		assert_ok(submission_delete(fixture->admin, fixture->namespace,
		                            kube_object_name(pod), 0, &err),
		          err);
	left = stored(fixture, pod);
	assert_null(left);
}

static void test_submission_create__explains_a_missing_service_account(void **state)
{
	const struct fixture *fixture = *state;
	json_auto_t *objects = application(fixture, "train", "nobody");
	scoped(error) struct error *err = NULL;

	assert_null(submission_create(fixture->admin, objects, &err));

	assert_advice(fixture, err, ERROR_AUTH, "the service account 'nobody' does not exist");
	assert_nothing_left(fixture, objects);
}

static void test_submission_create__explains_a_missing_namespace(void **state)
{
	struct fixture *fixture = *state;
	struct fixture elsewhere = *fixture;
	json_auto_t *objects = NULL;
	scoped(error) struct error *err = NULL;
	char missing[] = "no-such-namespace";

	elsewhere.namespace = missing;
	objects = application(&elsewhere, "train", "spark");
	assert_null(submission_create(fixture->admin, objects, &err));

	assert_advice(&elsewhere, err, ERROR_NOT_FOUND,
	              "the namespace 'no-such-namespace' does not exist");
}

/* Admission refuses everything until the controller has counted once. */
static void wait_for_quota(const struct fixture *fixture, const char *name)
{
	int64_t deadline_ms = clock_now_ms() + PATIENCE_MS;
	bool is_counted = false;

	while (!is_counted && clock_now_ms() < deadline_ms) {
		json_auto_t *quota =
			kube_client_get(fixture->admin, &quotas, fixture->namespace, name, NULL);

		is_counted = json_object_get(json_object_get(quota, "status"), "hard");
	}
	assert_true(is_counted);
}

static void test_submission_create__explains_a_quota(void **state)
{
	const struct fixture *fixture = *state;
	json_auto_t *objects = application(fixture, "train", "spark");
	json_auto_t *quota =
		kube_object_new("v1", "ResourceQuota", fixture->namespace, "small", NULL);
	json_auto_t *made = NULL;
	scoped(error) struct error *err = NULL;

	json_object_set_new(quota, "spec", json_pack("{s:{s:s}}", "hard", "limits.memory", "1Gi"));
	made = kube_client_create(fixture->admin, &quotas, fixture->namespace, quota, 0, &err);
	assert_ok(made, err);
	wait_for_quota(fixture, "small");
	assert_null(submission_create(fixture->admin, objects, &err));

	assert_advice(fixture, err, ERROR_AUTH, "the quota 'small' of namespace");
	assert_nothing_left(fixture, objects);
}

static void test_submission_create__explains_resources_that_do_not_fit_together(void **state)
{
	const struct fixture *fixture = *state;
	json_auto_t *objects = application(fixture, "train", "spark");
	json_t *containers =
		json_object_get(json_object_get(driver_objects_pod(objects), "spec"), "containers");
	json_t *resources = json_object_get(json_array_get(containers, 0), "resources");
	scoped(error) struct error *err = NULL;

	json_object_set_new(json_object_get(resources, "limits"), "cpu", json_string("100m"));
	assert_null(submission_create(fixture->admin, objects, &err));

	assert_advice(fixture, err, ERROR_INVALID, "spark.kubernetes.driver.limit.cores");
	assert_nothing_left(fixture, objects);
}

static void test_submission_create__explains_what_is_forbidden(void **state)
{
	const struct fixture *fixture = *state;
	json_auto_t *objects = application(fixture, "train", "spark");
	scoped(error) struct error *err = NULL;

	assert_null(submission_create(fixture->limited, objects, &err));

	assert_advice(fixture, err, ERROR_AUTH, "'limited' may not create secrets");
	assert_nothing_left(fixture, objects);
}

static void test_rbac_apply__lets_the_submitter_submit_and_delete(void **state)
{
	struct fixture *fixture = *state;
	json_auto_t *objects = application(fixture, "train", "spark");
	scoped(error) struct error *err = NULL;
	json_auto_t *pod = NULL;

	apply_rights(fixture, true);
	apply_rights(fixture, true);
	pod = submission_create(fixture->limited, objects, &err);

	assert_ok(pod, err);
	assert_ok(submission_delete(fixture->limited, fixture->namespace, kube_object_name(pod), 0,
	                            &err),
	          err);
}

/* How many of the rights of `who` are answered so. */
static size_t count_rights(const json_t *rights, const char *who, const char *allowed)
{
	const json_t *right;
	size_t count = 0, i;

	json_array_foreach (rights, i, right)
		count += text_equal(json_string_value(json_object_get(right, "who")), who) &&
		         text_equal(json_string_value(json_object_get(right, "allowed")), allowed);
	return count;
}

static json_t *checked_rights(const struct fixture *fixture, struct kube_client *client,
                              const struct rbac_options *options)
{
	struct error *err = NULL;
	json_t *rights = rbac_rights(options, &err);
	json_t *right;
	size_t i;

	assert_ok(rights, err);
	json_array_foreach (rights, i, right)
		assert_ok(rbac_check(client, fixture->namespace, right, &err), err);
	return rights;
}

static void test_rbac_check__sees_the_rights_come(void **state)
{
	struct fixture *fixture = *state;
	const struct rbac_options options = rights_in(fixture);
	scoped(text) char *account =
		text_printf("system:serviceaccount:%s:spark", fixture->namespace);
	json_auto_t *before = checked_rights(fixture, fixture->admin, &options);
	json_auto_t *after = NULL;

	apply_rights(fixture, true);
	after = checked_rights(fixture, fixture->admin, &options);

	assert_int_equal(count_rights(before, "limited", "yes"), 0);
	assert_int_equal(count_rights(before, account, "no"), 0);
	assert_int_equal(count_rights(after, "limited", "yes") +
	                         count_rights(after, account, "yes"),
	                 json_array_size(after));
}

static void test_rbac_check__asks_about_oneself_without_rights_to_ask_about_others(void **state)
{
	struct fixture *fixture = *state;
	struct rbac_options options = rights_in(fixture);
	scoped(text) char *account =
		text_printf("system:serviceaccount:%s:spark", fixture->namespace);
	json_auto_t *rights = NULL;

	apply_rights(fixture, true);
	options.submitter = NULL;
	rights = checked_rights(fixture, fixture->limited, &options);

	assert_int_equal(count_rights(rights, RBAC_OWN_RIGHTS, "yes") +
	                         count_rights(rights, account, "unknown"),
	                 json_array_size(rights));
}

static void test_rbac_apply__gives_the_driver_nothing_else(void **state)
{
	static const char *const denied[][2] = {
		{ "get", "secrets" },      { "list", "secrets" },      { "create", "secrets" },
		{ "list", "configmaps" },  { "create", "services" },   { "get", "pods/log" },
		{ "create", "pods/exec" }, { "delete", "configmaps" }, { "get", "serviceaccounts" },
	};
	struct fixture *fixture = *state;
	const struct rbac_options options = rights_in(fixture);
	json_auto_t *rights = rbac_rights(&options, NULL);
	json_t *right = json_array_get(rights, 0); /* the driver's first */
	scoped(error) struct error *err = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(denied); i++) {
		json_object_set_new(right, "verb", json_string(denied[i][0]));
		json_object_set_new(right, "resource", json_string(denied[i][1]));
		assert_ok(rbac_check(fixture->admin, fixture->namespace, right, &err), err);
		assert_string_equal(json_string_value(json_object_get(right, "allowed")), "no");
	}
	assert_ok(rbac_check(fixture->admin, "default", right, &err), err);
	assert_string_equal(json_string_value(json_object_get(right, "allowed")), "no");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_submission_create__makes_all_objects_and_owns_them, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_submission_create__adopts_its_own_objects,
		                                set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_submission_create__refuses_what_belongs_to_somebody_else, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			test_submission_delete__takes_the_pod_and_is_repeatable, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_submission_create__explains_a_missing_service_account, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			test_submission_create__explains_a_missing_namespace, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_submission_create__explains_a_quota, set_up,
		                                tear_down),
		cmocka_unit_test_setup_teardown(
			test_submission_create__explains_resources_that_do_not_fit_together, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(test_submission_create__explains_what_is_forbidden,
		                                set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_rbac_apply__lets_the_submitter_submit_and_delete, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rbac_check__sees_the_rights_come, set_up,
		                                tear_down),
		cmocka_unit_test_setup_teardown(
			test_rbac_check__asks_about_oneself_without_rights_to_ask_about_others,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rbac_apply__gives_the_driver_nothing_else,
		                                set_up, tear_down),
	};
	const char *kubeconfig = getenv("STEPOP_TEST_KUBECONFIG");

	if (!kubeconfig || !*kubeconfig) {
		print_message("skipped: STEPOP_TEST_KUBECONFIG names no API server\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
