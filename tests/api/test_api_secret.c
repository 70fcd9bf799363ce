/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stacks/secret_kubernetes against a real API server; same environment as test_api_kube.c.
 * Skipped, aloud, without it.
 */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "core/digest.h"
#include "core/http.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/probe.h"
#include "stacks/secret.h"
#include "submit/kube_client.h"

struct fixture {
	struct loop *loop;
	struct http_client *http;
	struct kube_client *admin;
	char *namespace;
	struct secret_store *store;
};

static struct secret_store *open_store(const struct fixture *fixture, const char *kubeconfig,
                                       const char *prefix)
{
	json_auto_t *options = json_pack("{s:s, s:s, s:s*}", "namespace", fixture->namespace,
	                                 "kubeconfig", getenv(kubeconfig), "prefix", prefix);
	const struct component component = { COMPONENT_SECRETS_MANAGER, (char *)"cluster",
		                             (char *)"kubernetes", options };
	scoped(error) struct error *err = NULL;
	struct secret_store *store = secret_store_open(NULL, &component, fixture->http, &err);

	assert_ok(store, err);
	return store;
}

static int set_up(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	const struct kube_config_options options = { .kubeconfig =
		                                             getenv("STEPOP_TEST_KUBECONFIG") };
	scoped(text) char *random = digest_random_hex(8);
	scoped(error) struct error *err = NULL;
	struct kube_config *config = kube_config_load(&options, &err);
	json_auto_t *namespace = NULL, *stored = NULL;

	assert_ok(config, err);
	fixture->loop = loop_new();
	fixture->http = http_client_new(fixture->loop);
	fixture->admin = kube_client_new_take(fixture->http, config);
	fixture->namespace = text_printf("stepop-secret-%s", random);
	namespace = json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", "v1", "kind", "Namespace",
	                      "metadata", "name", fixture->namespace);
	stored = kube_client_create(fixture->admin, &kube_namespaces, NULL, namespace, 0, &err);
	assert_ok(stored, err);
	fixture->store = open_store(fixture, "STEPOP_TEST_KUBECONFIG", NULL);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	secret_store_free(fixture->store);
	kube_client_delete(fixture->admin, &kube_namespaces, NULL, fixture->namespace, -1, NULL);
	kube_client_free(fixture->admin);
	http_client_free(fixture->http);
	loop_free(fixture->loop);
	free(fixture->namespace);
	free(fixture);
	return 0;
}

static bool put(struct secret_store *store, const char *name, const char *password,
                bool create_only, struct error **err)
{
	json_t *values = json_pack("{s:s, s:s}", "user", "me", "password", password);
	bool stored = secret_put(store, name, "mysql", values, create_only, err);

	secret_values_free(values);
	return stored;
}

/* Owned by the caller. */
static char *password_of(struct secret_store *store, const char *name)
{
	scoped(error) struct error *err = NULL;
	json_t *values = secret_get(store, name, &err);
	char *password = text_copy(json_string_value(json_object_get(values, "password")));

	assert_ok(values, err);
	secret_values_free(values);
	return password;
}

static void test_api_secret__is_kept_changed_listed_and_removed(void **state)
{
	struct fixture *fixture = *state;
	scoped(secret_store) struct secret_store *other =
		open_store(fixture, "STEPOP_TEST_KUBECONFIG", NULL);
	scoped(error) struct error *err = NULL, *gone = NULL;
	json_auto_t *list = NULL, *empty = NULL;
	json_auto_t *expected = json_pack("[{s:s, s:s, s:[s, s]}]", "name", "rds_auth", "schema",
	                                  "mysql", "keys", "password", "user");
	scoped(text) char *first = NULL, *second = NULL;

	assert_ok(put(fixture->store, "rds_auth", "one\n\xc3\xa4", true, &err), err);
	first = password_of(other, "rds_auth");
	assert_ok(put(fixture->store, "rds_auth", "two", false, &err), err);
	second = password_of(other, "rds_auth");
	list = secret_list(fixture->store, &err);
	assert_ok(list, err);
	assert_ok(secret_remove(fixture->store, "rds_auth", &err), err);
	assert_null(secret_get(other, "rds_auth", &gone));
	empty = secret_list(fixture->store, &err);

	assert_string_equal(first, "one\n\xc3\xa4");
	assert_string_equal(second, "two");
	assert_true(json_equal(list, expected));
	assert_int_equal(gone->kind, ERROR_NOT_FOUND);
	assert_int_equal(json_array_size(empty), 0);
}

static void test_api_secret__takes_keys_away(void **state)
{
	struct fixture *fixture = *state;
	json_auto_t *values = json_pack("{s:s}", "only", "x");
	json_auto_t *kept = NULL;
	scoped(error) struct error *err = NULL;

	assert_ok(put(fixture->store, "a", "x", true, &err), err);
	assert_ok(secret_put(fixture->store, "a", NULL, values, false, &err), err);

	kept = secret_get(fixture->store, "a", &err);
	assert_ok(kept, err);
	assert_true(json_equal(kept, values));
}

static void test_api_secret__refuses_a_name_that_is_taken_and_suggests_a_near_one(void **state)
{
	struct fixture *fixture = *state;
	scoped(error) struct error *err = NULL, *taken = NULL, *near = NULL;

	assert_ok(put(fixture->store, "database", "x", true, &err), err);
	assert_false(put(fixture->store, "database", "y", true, &taken));
	assert_null(secret_get(fixture->store, "databse", &near));

	assert_int_equal(taken->kind, ERROR_CONFLICT);
	assert_error_contains(taken, "secret 'database': Secret 'database' exists already");
	assert_int_equal(near->kind, ERROR_NOT_FOUND);
	assert_error_contains(near, "did you mean 'database'?");
}

/* Read, changed by somebody else, written: what the other one wrote stays. */
static void test_api_secret__notices_that_somebody_came_between(void **state)
{
	struct fixture *fixture = *state;
	scoped(secret_store) struct secret_store *other =
		open_store(fixture, "STEPOP_TEST_KUBECONFIG", NULL);
	scoped(error) struct error *err = NULL, *lost = NULL;
	scoped(text) char *read = NULL, *kept = NULL;

	assert_ok(put(fixture->store, "shared", "one", true, &err), err);
	read = password_of(fixture->store, "shared");
	assert_ok(put(other, "shared", "two", false, &err), err);
	assert_false(put(fixture->store, "shared", "three", false, &lost));
	kept = password_of(other, "shared");

	assert_int_equal(lost->kind, ERROR_CONFLICT);
	assert_error_contains(lost, "somebody else changed it meanwhile");
	assert_string_equal(kept, "two");
}

static void test_api_secret__leaves_alone_what_is_not_its_own(void **state)
{
	struct fixture *fixture = *state;
	json_auto_t *foreign =
		json_pack("{s:s, s:s, s:{s:s}, s:{s:s}}", "apiVersion", "v1", "kind", "Secret",
	                  "metadata", "name", "foreign", "stringData", "password", "theirs");
	json_auto_t *stored = NULL, *list = NULL, *after = NULL;
	scoped(error) struct error *err = NULL, *read = NULL, *changed = NULL, *removed = NULL;

	stored = kube_client_create(fixture->admin, &kube_secrets, fixture->namespace, foreign, 0,
	                            &err);
	assert_ok(stored, err);
	assert_null(secret_get(fixture->store, "foreign", &read));
	assert_false(put(fixture->store, "foreign", "mine", false, &changed));
	assert_false(secret_remove(fixture->store, "foreign", &removed));
	list = secret_list(fixture->store, &err);
	after = kube_client_get(fixture->admin, &kube_secrets, fixture->namespace, "foreign", &err);

	assert_int_equal(read->kind, ERROR_CONFLICT);
	assert_int_equal(changed->kind, ERROR_CONFLICT);
	assert_int_equal(removed->kind, ERROR_CONFLICT);
	assert_error_contains(removed, "was not made by this secrets manager, and is left alone");
	assert_int_equal(json_array_size(list), 0);
	assert_ok(after, err);
	assert_true(json_equal(json_object_get(after, "metadata"),
	                       json_object_get(stored, "metadata")));
}

static void test_api_secret__keeps_those_of_another_prefix_apart(void **state)
{
	struct fixture *fixture = *state;
	scoped(secret_store) struct secret_store *team =
		open_store(fixture, "STEPOP_TEST_KUBECONFIG", "team-");
	scoped(error) struct error *err = NULL;
	scoped(text) char *mine = NULL, *theirs = NULL;
	json_auto_t *list = NULL;

	assert_ok(put(fixture->store, "db", "mine", true, &err), err);
	assert_ok(put(team, "db", "theirs", true, &err), err);
	mine = password_of(fixture->store, "db");
	theirs = password_of(team, "db");
	list = secret_list(team, &err);

	assert_string_equal(mine, "mine");
	assert_string_equal(theirs, "theirs");
	assert_int_equal(json_array_size(list), 1);
}

static const char *result_of(const struct probe_report *report)
{
	return json_string_value(
		json_object_get(json_array_get(probe_report_lines(report), 0), "result"));
}

static void test_api_secret__says_which_rights_are_missing(void **state)
{
	struct fixture *fixture = *state;
	scoped(secret_store) struct secret_store *limited =
		open_store(fixture, "STEPOP_TEST_LIMITED_KUBECONFIG", NULL);
	scoped(probe_report) struct probe_report *good = probe_report_new(NULL, NULL);
	scoped(probe_report) struct probe_report *bad = probe_report_new(NULL, NULL);
	scoped(error) struct error *err = NULL, *denied = NULL;

	secret_probe(fixture->store, good);
	secret_probe(limited, bad);
	assert_null(secret_get(limited, "x", &denied));

	assert_string_equal(result_of(good), "ok");
	assert_string_equal(result_of(bad), "fault");
	assert_false(probe_report_check(bad, &err));
	assert_int_equal(err->kind, ERROR_AUTH);
	assert_int_equal(denied->kind, ERROR_AUTH);
}

static void test_api_secret__needs_an_api_server(void **state)
{
	(void)state;
	print_message("SKIPPED: test_api_secret: STEPOP_TEST_KUBECONFIG and "
	              "STEPOP_TEST_LIMITED_KUBECONFIG are not set\n");
	skip();
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_api_secret__is_kept_changed_listed_and_removed),
		TEST(test_api_secret__takes_keys_away),
		TEST(test_api_secret__refuses_a_name_that_is_taken_and_suggests_a_near_one),
		TEST(test_api_secret__notices_that_somebody_came_between),
		TEST(test_api_secret__leaves_alone_what_is_not_its_own),
		TEST(test_api_secret__keeps_those_of_another_prefix_apart),
		TEST(test_api_secret__says_which_rights_are_missing),
	};

	const struct CMUnitTest skipped[] = { cmocka_unit_test(
		test_api_secret__needs_an_api_server) };

	memory_init();
	if (!getenv("STEPOP_TEST_KUBECONFIG") || !getenv("STEPOP_TEST_LIMITED_KUBECONFIG"))
		return cmocka_run_group_tests(skipped, NULL, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
