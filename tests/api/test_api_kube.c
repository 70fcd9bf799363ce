/* SPDX-License-Identifier: Apache-2.0 */
/*
 * submit/kube_* against a real API server: STEPOP_TEST_KUBECONFIG (an administrator's) and
 * STEPOP_TEST_LIMITED_KUBECONFIG (of a user without rights). Skipped, aloud, without them.
 */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_client.h"
#include "submit/kube_stream.h"

#define PATIENCE_MS 30000
#define MANY 600

struct fixture {
	struct loop *loop;
	struct http_client *http;
	struct kube_client *client;
	char *namespace; /* of this run; deleted at the end */
};

static struct kube_client *open_client(const struct fixture *fixture,
                                       const struct kube_config_options *options)
{
	struct error *err = NULL;
	struct kube_config *config = kube_config_load(options, &err);

	assert_ok(config, err);
	return kube_client_new_take(fixture->http, config);
}

static int set_up(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	struct kube_config_options options = { .kubeconfig = getenv("STEPOP_TEST_KUBECONFIG") };
	scoped(text) char *random = digest_random_hex(8);
	scoped(error) struct error *err = NULL;
	json_auto_t *namespace = NULL;
	json_auto_t *stored = NULL;

	fixture->loop = loop_new();
	fixture->http = http_client_new(fixture->loop);
	fixture->client = open_client(fixture, &options);
	fixture->namespace = text_printf("stepop-test-%s", random);
	namespace = json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", "v1", "kind", "Namespace",
	                      "metadata", "name", fixture->namespace);
	assert_ok(stored = kube_client_create(fixture->client, &kube_namespaces, NULL, namespace, 0,
	                                      &err),
	          err);
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

/* Owned by the caller. */
static json_t *config_map(const char *name, const char *value)
{
	return json_pack("{s:s, s:s, s:{s:s, s:{s:s}}, s:{s:s}}", "apiVersion", "v1", "kind",
	                 "ConfigMap", "metadata", "name", name, "labels", "app", "test", "data",
	                 "key", value);
}

static const char *metadata(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(json_object_get(object, "metadata"), key));
}

static const char *data(const json_t *object)
{
	return json_string_value(json_object_get(json_object_get(object, "data"), "key"));
}

static void create(struct fixture *fixture, const char *name, const char *value)
{
	json_auto_t *object = config_map(name, value);
	json_auto_t *stored = NULL;
	scoped(error) struct error *err = NULL;

	assert_ok(stored = kube_client_create(fixture->client, &kube_config_maps,
	                                      fixture->namespace, object, 0, &err),
	          err);
}

static void test_api_kube__creates_gets_patches_applies_and_deletes(void **state)
{
	struct fixture *fixture = *state;
	struct kube_client *client = fixture->client;
	const char *namespace = fixture->namespace;
	json_auto_t *first = config_map("a", "1");
	json_auto_t *third = config_map("a", "3");
	json_auto_t *patch = json_pack("{s:{s:s}}", "data", "key", "2");
	json_auto_t *created = NULL, *got = NULL, *patched = NULL, *applied = NULL;
	scoped(error) struct error *err = NULL;
	scoped(error) struct error *again = NULL;
	scoped(error) struct error *gone = NULL;

	assert_ok(created =
	                  kube_client_create(client, &kube_config_maps, namespace, first, 0, &err),
	          err);
	assert_ok(got = kube_client_get(client, &kube_config_maps, namespace, "a", &err), err);
	assert_ok(patched =
	                  kube_client_patch(client, &kube_config_maps, namespace, "a", patch, &err),
	          err);
	assert_ok(applied = kube_client_apply(client, &kube_config_maps, namespace, third, 0, &err),
	          err);
	assert_null(kube_client_create(client, &kube_config_maps, namespace, first, 0, &again));
	assert_ok(kube_client_delete(client, &kube_config_maps, namespace, "a", -1, &err), err);
	assert_null(kube_client_get(client, &kube_config_maps, namespace, "a", &gone));

	assert_string_equal(metadata(created, "uid"), metadata(got, "uid"));
	assert_string_equal(data(got), "1");
	assert_string_equal(data(patched), "2");
	assert_string_equal(data(applied), "3");
	assert_int_equal(again->kind, ERROR_CONFLICT);
	assert_error_contains(again, "create ConfigMap 'a' in namespace 'stepop-test-");
	assert_error_contains(again, "configmaps \"a\" already exists");
	assert_int_equal(gone->kind, ERROR_NOT_FOUND);
	assert_error_contains(gone, "configmaps \"a\" not found");
}

static void test_api_kube__stores_nothing_in_a_dry_run(void **state)
{
	struct fixture *fixture = *state;
	json_auto_t *object = config_map("dry", "1");
	json_auto_t *created = NULL, *applied = NULL;
	scoped(error) struct error *err = NULL;
	scoped(error) struct error *absent = NULL;

	assert_ok(created = kube_client_create(fixture->client, &kube_config_maps,
	                                       fixture->namespace, object, KUBE_DRY_RUN, &err),
	          err);
	assert_ok(applied = kube_client_apply(fixture->client, &kube_config_maps,
	                                      fixture->namespace, object, KUBE_DRY_RUN, &err),
	          err);

	assert_null(kube_client_get(fixture->client, &kube_config_maps, fixture->namespace, "dry",
	                            &absent));
	assert_int_equal(absent->kind, ERROR_NOT_FOUND);
}

static void test_api_kube__says_what_is_invalid(void **state)
{
	struct fixture *fixture = *state;
	json_auto_t *object = config_map("Not_A_Name", "1");
	json_auto_t *map = config_map("x", "1");
	scoped(error) struct error *invalid = NULL;
	scoped(error) struct error *no_namespace = NULL;

	assert_null(kube_client_create(fixture->client, &kube_config_maps, fixture->namespace,
	                               object, 0, &invalid));
	assert_null(kube_client_create(fixture->client, &kube_config_maps, "no-such-namespace", map,
	                               0, &no_namespace));

	assert_int_equal(invalid->kind, ERROR_INVALID);
	assert_error_contains(invalid, "metadata.name");
	assert_int_equal(no_namespace->kind, ERROR_NOT_FOUND);
	assert_error_contains(no_namespace, "namespaces \"no-such-namespace\" not found");
}

static void test_api_kube__lists_and_deletes_more_than_a_page(void **state)
{
	struct fixture *fixture = *state;
	struct kube_list_options options = { .label_selector = "app=test" };
	scoped(text) char *version = NULL;
	scoped(error) struct error *err = NULL;
	json_auto_t *items = NULL, *rest = NULL;
	int i;

	for (i = 0; i < MANY; i++) {
		scoped(text) char *name = text_printf("map-%d", i);

		create(fixture, name, "v");
	}
	assert_ok(items = kube_client_list(fixture->client, &kube_config_maps, fixture->namespace,
	                                   &options, &version, &err),
	          err);
	assert_ok(kube_client_delete_collection(fixture->client, &kube_config_maps,
	                                        fixture->namespace, "app=test", &err),
	          err);
	assert_ok(rest = kube_client_list(fixture->client, &kube_config_maps, fixture->namespace,
	                                  &options, NULL, &err),
	          err);

	assert_int_equal(json_array_size(items), MANY);
	assert_true(version && *version);
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(items, 0), "apiVersion")), "v1");
	assert_int_equal(json_array_size(rest), 0);
}

static void test_api_kube__names_who_may_not_do_what(void **state)
{
	struct fixture *fixture = *state;
	struct kube_config_options options = { .kubeconfig =
		                                       getenv("STEPOP_TEST_LIMITED_KUBECONFIG") };
	scoped(kube_client) struct kube_client *limited = open_client(fixture, &options);
	scoped(error) struct error *err = NULL;

	assert_null(kube_client_list(limited, &kube_pods, fixture->namespace, NULL, NULL, &err));

	assert_int_equal(err->kind, ERROR_AUTH);
	assert_error_contains(err, "list pods in namespace 'stepop-test-");
	assert_error_contains(err, "pods is forbidden: User \"limited\" cannot list resource");
}

/* A copy of the administrator's file, with another user. Owned by the caller, unlinked by him. */
static char *kubeconfig_with_user(struct fixture *fixture, const char *user)
{
	const struct kube_config *config = kube_client_config(fixture->client);
	scoped(text) char *ca = base64_encode(config->ca_pem, strlen(config->ca_pem));
	scoped(text) char *text = text_printf(
		"current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n"
		"clusters: [{name: c, cluster: {server: '%s', certificate-authority-data: %s}}]\n"
		"users: [{name: u, user: {%s}}]\n",
		config->server, ca, user);
	char *path = xstrdup("/tmp/stepop-test-XXXXXX");

	close(mkstemp(path));
	assert_true(file_write_atomic(path, text, strlen(text), 0600, NULL));
	return path;
}

static void test_api_kube__logs_in_by_an_exec_plugin(void **state)
{
	struct fixture *fixture = *state;
	scoped(text) char *path = kubeconfig_with_user(
		fixture,
		"exec: {apiVersion: client.authentication.k8s.io/v1, command: printf, args: "
		"['{\"apiVersion\": \"client.authentication.k8s.io/v1\", \"kind\": "
		"\"ExecCredential\", \"status\": {\"token\": \"limited-token\"}}']}");
	struct kube_config_options options = { .kubeconfig = path };
	scoped(kube_client) struct kube_client *client = open_client(fixture, &options);
	scoped(error) struct error *err = NULL;
	unlink(path);

	assert_null(kube_client_list(client, &kube_pods, fixture->namespace, NULL, NULL, &err));

	assert_error_contains(err, "User \"limited\" cannot list");
}

static void test_api_kube__says_that_a_token_is_not_accepted(void **state)
{
	struct fixture *fixture = *state;
	scoped(text) char *path = kubeconfig_with_user(fixture, "token: wrong");
	struct kube_config_options options = { .kubeconfig = path };
	scoped(kube_client) struct kube_client *client = open_client(fixture, &options);
	scoped(error) struct error *err = NULL;
	unlink(path);

	assert_null(kube_client_get_path(client, "/api", &err));

	assert_int_equal(err->kind, ERROR_AUTH);
	assert_error_contains(err, "the API server does not accept our credentials (Unauthorized)");
}

static void test_api_kube__does_not_trust_just_any_server(void **state)
{
	struct fixture *fixture = *state;
	const struct kube_config *known = kube_client_config(fixture->client);
	struct kube_config *config = xcalloc(1, sizeof(*config));
	scoped(kube_client) struct kube_client *client = NULL;
	scoped(error) struct error *err = NULL;
	config->server = xstrdup(known->server);
	config->namespace = xstrdup("default");
	config->context = xstrdup("mine");
	config->source = xstrdup("config");
	client = kube_client_new_take(fixture->http, config);

	assert_null(kube_client_get_path(client, "/version", &err));

	assert_int_equal(err->kind, ERROR_AUTH);
	assert_error_contains(err, "see certificate-authority-data and client-certificate-data of "
	                           "context 'mine' of config");
	assert_error_contains(err, "is not trusted");
}

/* ---- watches ---- */

struct record {
	int changed, deleted, synced;
	char *last;
	int wanted_changed, wanted_deleted;
};

static void on_changed(void *context, json_t *object)
{
	struct record *record = context;

	record->changed++;
	free(record->last);
	record->last = xstrdup(metadata(object, "name"));
}

static void on_deleted(void *context, json_t *object)
{
	struct record *record = context;

	record->deleted++;
	free(record->last);
	record->last = xstrdup(metadata(object, "name"));
}

static void on_synced(void *context)
{
	((struct record *)context)->synced++;
}

static void on_trouble(void *context, const struct error *error)
{
	scoped(text) char *text = error_text(error);

	(void)context;
	print_error("trouble: %s\n", text);
}

static const struct kube_watch_events watch_events = {
	.changed = on_changed, .deleted = on_deleted, .synced = on_synced, .trouble = on_trouble
};

static bool has_all(const void *context)
{
	const struct record *record = context;

	return record->synced && record->changed >= record->wanted_changed &&
	       record->deleted >= record->wanted_deleted;
}

static void wait_for(struct fixture *fixture, struct record *record, int changed, int deleted)
{
	record->wanted_changed = changed;
	record->wanted_deleted = deleted;
	assert_true(loop_run_until(fixture->loop, has_all, record, loop_now_ms() + PATIENCE_MS));
}

static struct kube_watch *start_watch(struct fixture *fixture, struct record *record)
{
	const struct kube_watch_options options = { .kind = &kube_config_maps,
		                                    .namespace = fixture->namespace,
		                                    .label_selector = "app=test" };
	scoped(error) struct error *err = NULL;
	struct kube_watch *watch =
		kube_watch_start(fixture->client, &options, &watch_events, record, &err);

	assert_ok(watch, err);
	return watch;
}

static void test_api_kube_watch__sees_what_is_and_what_happens(void **state)
{
	struct fixture *fixture = *state;
	struct record record = { 0 };
	json_auto_t *patch = json_pack("{s:{s:s}}", "data", "key", "2");
	json_auto_t *patched = NULL;
	scoped(error) struct error *err = NULL;
	struct kube_watch *watch;

	create(fixture, "before", "1");
	watch = start_watch(fixture, &record);
	wait_for(fixture, &record, 1, 0);
	create(fixture, "after", "1");
	wait_for(fixture, &record, 2, 0);
	assert_string_equal(record.last, "after");
	patched = kube_client_patch(fixture->client, &kube_config_maps, fixture->namespace,
	                            "before", patch, &err);
	assert_ok(patched, err);
	wait_for(fixture, &record, 3, 0);
	assert_string_equal(record.last, "before");
	assert_ok(kube_client_delete(fixture->client, &kube_config_maps, fixture->namespace,
	                             "after", -1, &err),
	          err);
	wait_for(fixture, &record, 3, 1);
	assert_string_equal(record.last, "after");

	assert_int_equal(record.synced, 1);
	kube_watch_cancel(watch);
	free(record.last);
}

static void test_api_kube_watch__reports_more_than_a_page_then_is_synced(void **state)
{
	struct fixture *fixture = *state;
	struct record record = { 0 };
	struct kube_watch *watch;
	int i;

	for (i = 0; i < MANY; i++) {
		scoped(text) char *name = text_printf("map-%d", i);

		create(fixture, name, "v");
	}
	watch = start_watch(fixture, &record);
	wait_for(fixture, &record, MANY, 0);

	assert_int_equal(record.changed, MANY);
	kube_watch_cancel(watch);
	free(record.last);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void test_api_kube__needs_an_api_server(void **state)
{
	(void)state;
	print_message("SKIPPED: test_api_kube: STEPOP_TEST_KUBECONFIG and "
	              "STEPOP_TEST_LIMITED_KUBECONFIG are not set\n");
	skip();
}

int main(void)
{
	const struct CMUnitTest skipped[] = { cmocka_unit_test(
		test_api_kube__needs_an_api_server) };
	const struct CMUnitTest tests[] = {
		TEST(test_api_kube__creates_gets_patches_applies_and_deletes),
		TEST(test_api_kube__stores_nothing_in_a_dry_run),
		TEST(test_api_kube__says_what_is_invalid),
		TEST(test_api_kube__lists_and_deletes_more_than_a_page),
		TEST(test_api_kube__names_who_may_not_do_what),
		TEST(test_api_kube__logs_in_by_an_exec_plugin),
		TEST(test_api_kube__says_that_a_token_is_not_accepted),
		TEST(test_api_kube__does_not_trust_just_any_server),
		TEST(test_api_kube_watch__sees_what_is_and_what_happens),
		TEST(test_api_kube_watch__reports_more_than_a_page_then_is_synced),
	};

	if (!getenv("STEPOP_TEST_KUBECONFIG") || !getenv("STEPOP_TEST_LIMITED_KUBECONFIG"))
		return cmocka_run_group_tests(skipped, NULL, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
