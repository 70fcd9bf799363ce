/* SPDX-License-Identifier: Apache-2.0 */
/*
 * submit/rbac_diff and rbac_check on a real API server: what differs from the manifests, and what a
 * driver's account has too much. Skipped, aloud, without STEPOP_TEST_KUBECONFIG (an
 * administrator's) and STEPOP_TEST_LIMITED_KUBECONFIG (of a user without rights).
 */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "core/digest.h"
#include "core/http.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_client.h"
#include "submit/kube_object.h"
#include "submit/rbac.h"

#define RBAC_API "rbac.authorization.k8s.io"

static const struct kube_kind cluster_bindings = { "/apis/" RBAC_API "/v1", "clusterrolebindings",
	                                           "ClusterRoleBinding", true };

struct fixture {
	struct loop *loop;
	struct http_client *http;
	struct kube_client *client;
	char *namespace;
	struct rbac_options options;
	json_t *objects;
};

static int set_up(void **state)
{
	const struct kube_config_options options = { .kubeconfig =
		                                             getenv("STEPOP_TEST_KUBECONFIG") };
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	struct error *err = NULL;
	struct kube_config *config = kube_config_load(&options, &err);
	scoped(text) char *digits = digest_random_hex(8);

	assert_ok(config, err);
	fixture->loop = loop_new();
	fixture->http = http_client_new(fixture->loop);
	fixture->client = kube_client_new_take(fixture->http, config);
	fixture->namespace = text_printf("rbac-check-%s", digits);
	fixture->options = (struct rbac_options){ .namespace = fixture->namespace,
		                                  .service_account = "spark",
		                                  .submitter = "alice",
		                                  .parts = RBAC_ALL_PARTS };
	fixture->objects = rbac_objects(&fixture->options, &err);
	assert_ok(fixture->objects, err);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	kube_client_delete(fixture->client, &cluster_bindings, NULL, fixture->namespace, -1, NULL);
	kube_client_delete(fixture->client, &kube_namespaces, NULL, fixture->namespace, -1, NULL);
	kube_client_free(fixture->client);
	http_client_free(fixture->http);
	loop_free(fixture->loop);
	json_decref(fixture->objects);
	free(fixture->namespace);
	free(fixture);
	return 0;
}

static void apply_all(const struct fixture *fixture)
{
	struct error *err = NULL;
	const json_t *object;
	const char *result;
	size_t i;

	json_array_foreach (fixture->objects, i, object)
		assert_ok(rbac_apply(fixture->client, object, &result, &err), err);
}

static json_t *differences(const struct fixture *fixture)
{
	json_t *rows = json_array();
	struct error *err = NULL;
	const json_t *object;
	size_t i;

	json_array_foreach (fixture->objects, i, object)
		assert_ok(rbac_diff(fixture->client, object, rows, &err), err);
	return rows;
}

static void test_rbac_diff__finds_nothing_after_apply(void **state)
{
	const struct fixture *fixture = *state;
	json_auto_t *before = differences(fixture);
	json_auto_t *after = NULL;

	apply_all(fixture);
	after = differences(fixture);

	assert_int_equal(json_array_size(before), json_array_size(fixture->objects));
	assert_int_equal(json_array_size(after), 0);
}

static void test_rbac_diff__tells_what_somebody_changed(void **state)
{
	const struct fixture *fixture = *state;
	json_auto_t *patch = json_pack("{s:[{s:[s], s:[s], s:[s]}]}", "rules", "apiGroups", "*",
	                               "resources", "*", "verbs", "*");
	struct error *err = NULL;
	json_auto_t *patched = NULL, *changed = NULL, *mended = NULL;
	const json_t *row;

	apply_all(fixture);
	patched = kube_client_patch(fixture->client, &kube_roles, fixture->namespace,
	                            "stepop-driver-volumes", patch, &err);
	assert_ok(patched, err);
	changed = differences(fixture);
	apply_all(fixture);
	mended = differences(fixture);

	assert_int_equal(json_array_size(changed), 3);
	row = json_array_get(changed, 2);
	assert_string_equal(json_string_value(json_object_get(row, "object")),
	                    "Role/stepop-driver-volumes");
	assert_string_equal(json_string_value(json_object_get(row, "server")), "[\"*\"]");
	assert_int_equal(json_array_size(mended), 0);
}

/* 'limited' has no rights here: the namespace is passed over, the next object is not. */
static void test_rbac_diff__needs_no_right_to_look_at_the_namespace(void **state)
{
	const struct fixture *fixture = *state;
	const struct kube_config_options options = { .kubeconfig = getenv(
							     "STEPOP_TEST_LIMITED_KUBECONFIG") };
	struct error *unexpected = NULL;
	struct kube_config *config = kube_config_load(&options, &unexpected);
	scoped(kube_client) struct kube_client *limited = NULL;
	json_auto_t *rows = json_array();
	scoped(error) struct error *err = NULL;

	assert_ok(config, unexpected);
	limited = kube_client_new_take(fixture->http, config);
	apply_all(fixture);

	assert_true(rbac_diff(limited, json_array_get(fixture->objects, 0), rows, NULL));
	assert_false(rbac_diff(limited, json_array_get(fixture->objects, 1), rows, &err));
	assert_int_equal(err->kind, ERROR_AUTH);
}

static json_t *real_dangers(const struct fixture *fixture)
{
	struct error *err = NULL;
	json_t *dangers = rbac_find_dangers(fixture->client, &fixture->options, &err);

	assert_ok(dangers, err);
	return dangers;
}

/* What people do when a driver lacks a right. */
static void bind_edit(const struct fixture *fixture)
{
	json_auto_t *binding = kube_object_new(RBAC_API "/v1", "ClusterRoleBinding", NULL,
	                                       fixture->namespace, NULL);
	struct error *err = NULL;
	json_auto_t *stored = NULL;

	json_object_set_new(binding, "roleRef",
	                    json_pack("{s:s, s:s, s:s}", "apiGroup", RBAC_API, "kind",
	                              "ClusterRole", "name", "edit"));
	json_object_set_new(binding, "subjects",
	                    json_pack("[{s:s, s:s, s:s}]", "kind", "ServiceAccount", "name",
	                              "spark", "namespace", fixture->namespace));
	stored = kube_client_create(fixture->client, &cluster_bindings, NULL, binding, 0, &err);
	assert_ok(stored, err);
}

static void test_rbac_dangers__are_seen_with_the_binding_that_is_their_reason(void **state)
{
	const struct fixture *fixture = *state;
	json_auto_t *none = NULL, *some = NULL;
	const json_t *danger;
	size_t i, everywhere = 0;

	apply_all(fixture);
	none = real_dangers(fixture);
	bind_edit(fixture);
	some = real_dangers(fixture);

	assert_int_equal(json_array_size(none), 0);
	assert_true(json_array_size(some) >= 8);
	json_array_foreach (some, i, danger) {
		everywhere += json_is_true(json_object_get(danger, "everywhere"));
		assert_non_null(strstr(json_string_value(json_object_get(danger, "reason")),
		                       "of ClusterRole \"edit\""));
	}
	assert_int_equal(everywhere, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rbac_diff__finds_nothing_after_apply, set_up,
		                                tear_down),
		cmocka_unit_test_setup_teardown(test_rbac_diff__tells_what_somebody_changed, set_up,
		                                tear_down),
		cmocka_unit_test_setup_teardown(
			test_rbac_diff__needs_no_right_to_look_at_the_namespace, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_rbac_dangers__are_seen_with_the_binding_that_is_their_reason, set_up,
			tear_down),
	};
	const char *kubeconfig = getenv("STEPOP_TEST_KUBECONFIG");

	if (!kubeconfig || !*kubeconfig) {
		puts("SKIPPED: comparing rights: STEPOP_TEST_KUBECONFIG is not set");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
