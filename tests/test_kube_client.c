/* SPDX-License-Identifier: Apache-2.0 */
/* submit/kube_client: what the real API server cannot be made to show. */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_client.h"
#include "submit/kube_request.h"
#include "tests/fakes/fake_kube.h"

#define STATUS(code, reason, message)                                                           \
	"{\"kind\": \"Status\", \"apiVersion\": \"v1\", \"status\": \"Failure\", \"message\": " \
	"\"" message "\", \"reason\": \"" reason "\", \"code\": " #code "}"

/* One answer after the other, all in JSON; freed by release_script(). */
struct script {
	struct fake_http_answer answers[8];
	char *texts[8];
	size_t count;
};

static void say(struct script *script, const char *status, const char *headers, const char *body)
{
	script->texts[script->count] = fake_http_json(status, headers, body);
	script->answers[script->count].bytes = script->texts[script->count];
	script->count++;
}

static void release_script(struct script *script)
{
	size_t i;

	for (i = 0; i < script->count; i++)
		free(script->texts[i]);
}
#define SCRIPT(name) __attribute__((__cleanup__(release_script))) struct script name = { 0 }

static void test_kube_client_get__turns_refusals_into_errors(void **state)
{
	static const struct {
		const char *status, *body;
		enum error_kind kind;
		const char *message;
	} cases[] = {
		{ "404 Not Found", STATUS(404, "NotFound", "pods \\\"x\\\" not found"),
		  ERROR_NOT_FOUND, "get Pod 'x' in namespace 'spark': pods \"x\" not found" },
		{ "403 Forbidden", STATUS(403, "Forbidden", "pods is forbidden"), ERROR_AUTH,
		  "pods is forbidden" },
		{ "401 Unauthorized", STATUS(401, "Unauthorized", "Unauthorized"), ERROR_AUTH,
		  "the API server does not accept our credentials (Unauthorized); log in again" },
		{ "409 Conflict", STATUS(409, "AlreadyExists", "exists"), ERROR_CONFLICT,
		  "exists" },
		{ "410 Gone", STATUS(410, "Expired", "too old"), ERROR_GONE, "too old" },
		{ "422 Unprocessable", STATUS(422, "Invalid", "bad field"), ERROR_INVALID,
		  "bad field" },
		{ "400 Bad Request", "Client sent an HTTP request to an HTTPS server.\n",
		  ERROR_INVALID, "HTTP status 400: Client sent an HTTP request" },
		{ "404 Not Found", "<html>nginx</html>", ERROR_NOT_FOUND,
		  "the server answered with HTTP status 404" },
		{ "302 Found", "", ERROR_INVALID, "this is no Kubernetes API server" },
		{ "200 OK", "<html>hello</html>", ERROR_INVALID, "is no JSON object" },
	};
	size_t i;
	(void)state;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(error) struct error *err = NULL;
		SCRIPT(script);
		FAKE_KUBE(kube);
		say(&script, cases[i].status, NULL, cases[i].body);
		fake_kube_open(&kube, script.answers, script.count);

		assert_null(kube_client_get(kube.client, &kube_pods, NULL, "x", &err));

		assert_int_equal(err->kind, cases[i].kind);
		assert_error_contains(err, cases[i].message);
		assert_int_equal(fake_http_requests(kube.server), 1);
	}
}

static void test_kube_client_get__tries_again_when_the_server_is_busy(void **state)
{
	scoped(error) struct error *err = NULL;
	json_auto_t *pod = NULL;
	int64_t began_ms = loop_now_ms();
	SCRIPT(script);
	FAKE_KUBE(kube);
	(void)state;
	say(&script, "429 Too Many Requests", "Retry-After: 1\r\n", STATUS(429, "TooMany", "busy"));
	say(&script, "503 Unavailable", NULL, "");
	say(&script, "500 Oops", NULL, STATUS(500, "InternalError", "etcd"));
	say(&script, "200 OK", NULL, "{\"kind\": \"Pod\"}");
	fake_kube_open(&kube, script.answers, script.count);

	pod = kube_client_get(kube.client, &kube_pods, NULL, "x", &err);

	assert_ok(pod, err);
	assert_int_equal(fake_http_requests(kube.server), 4);
	assert_int_equal(fake_http_connections(kube.server), 1);
	assert_true(loop_now_ms() - began_ms >= 1000);
}

static void test_kube_client_clock_ahead__compares_the_server_s_clock_with_ours(void **state)
{
	scoped(error) struct error *err = NULL;
	json_auto_t *pod = NULL;
	int64_t ahead_ms = 0, expected_ms;
	SCRIPT(script);
	FAKE_KUBE(kube);
	(void)state;
	say(&script, "200 OK", "Date: Fri, 01 Jan 2100 00:00:00 GMT\r\n", "{\"kind\": \"Pod\"}");
	fake_kube_open(&kube, script.answers, script.count);

	assert_false(kube_client_clock_ahead(kube.client, &ahead_ms));
	pod = kube_client_get(kube.client, &kube_pods, NULL, "x", &err);

	assert_ok(pod, err);
	assert_true(kube_client_clock_ahead(kube.client, &ahead_ms));
	expected_ms = INT64_C(4102444800500) - clock_now_ms();
	assert_true(ahead_ms >= expected_ms && ahead_ms < expected_ms + 60000);
}

static void test_kube_client_get__gives_up_after_four_tries(void **state)
{
	scoped(error) struct error *err = NULL;
	struct fake_http_answer answers[] = {
		{ .bytes = "HTTP/1.1 503 No\r\nContent-Length: 9\r\n\r\nno etcd\r\n",
		  .repeat = true },
	};
	FAKE_KUBE(kube);
	(void)state;
	fake_kube_open(&kube, answers, 1);

	assert_null(kube_client_get(kube.client, &kube_pods, NULL, "x", &err));

	assert_int_equal(err->kind, ERROR_UNAVAILABLE);
	assert_error_contains(err, "the server answered with HTTP status 503: no etcd");
	assert_int_equal(fake_http_requests(kube.server), 4);
}

static void test_kube_client_create__tries_again_after_a_cut(void **state)
{
	scoped(error) struct error *err = NULL;
	json_auto_t *object = json_pack("{s:{s:s}}", "metadata", "name", "x");
	SCRIPT(script);
	FAKE_KUBE(kube);
	(void)state;
	say(&script, "201 Created", NULL, "{");
	script.answers[0] =
		(struct fake_http_answer){ .bytes = "HTTP/1.1 20", .after = FAKE_CLOSE };
	say(&script, "409 Conflict", NULL, STATUS(409, "AlreadyExists", "it exists"));
	fake_kube_open(&kube, script.answers, script.count);

	assert_null(kube_client_create(kube.client, &kube_pods, NULL, object, 0, &err));

	assert_int_equal(err->kind, ERROR_CONFLICT);
	assert_error_contains(err, "create Pod 'x' in namespace 'spark': it exists");
	assert_int_equal(fake_http_requests(kube.server), 2);
}

static void test_kube_client_get__says_that_the_server_cannot_be_reached(void **state)
{
	scoped(error) struct error *err = NULL;
	FAKE_KUBE(kube);
	(void)state;
	fake_kube_open(&kube, NULL, 0);
	fake_http_free(take(kube.server));

	assert_null(kube_client_get(kube.client, &kube_pods, "a", "x", &err));

	assert_int_equal(err->kind, ERROR_UNAVAILABLE);
	assert_error_contains(err, "get Pod 'x' in namespace 'a': cannot reach the API server; see "
	                           "that it runs, and that context 'test' of a file is the one you "
	                           "mean: cannot connect to http://127.0.0.1:");
	assert_error_contains(err, ": connection refused");
}

static void test_kube_client_get__waits_no_longer_than_the_config_says(void **state)
{
	static const struct fake_http_answer silence[] = {
		{ .bytes = "HTTP/1.1 200 OK\r\n", .after = FAKE_HOLD },
	};
	struct kube_config *config = xcalloc(1, sizeof(*config));
	scoped(kube_client) struct kube_client *client = NULL;
	scoped(error) struct error *err = NULL;
	int64_t begun_ms;
	FAKE_KUBE(kube);
	(void)state;
	fake_kube_open(&kube, silence, ARRAY_SIZE(silence));
	config->server = fake_http_url(kube.server, "");
	config->source = xstrdup("a file");
	config->request_timeout_ms = 50;
	client = kube_client_new_take(kube.http, config);
	begun_ms = loop_now_ms();

	assert_null(kube_client_get(client, &kube_pods, "a", "x", &err));

	assert_int_equal(err->kind, ERROR_TIMEOUT);
	assert_true(loop_now_ms() - begun_ms < 10000); /* the client's own limit is 30 s */
	kube_client_free(take(client));                /* before the HTTP client */
}

static void test_kube_client__never_addresses_something_else(void **state)
{
	static const char *const names[] = { "", ".", ".." };
	size_t i;
	FAKE_KUBE(kube);
	(void)state;
	fake_kube_open(&kube, NULL, 0);

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		scoped(error) struct error *name = NULL;
		scoped(error) struct error *namespace = NULL;
		scoped(error) struct error *apply = NULL;
		json_auto_t *object = json_pack("{s:{s:s}}", "metadata", "name", names[i]);

		assert_false(kube_client_delete(kube.client, &kube_pods, "a", names[i], -1, &name));
		assert_false(
			kube_client_delete(kube.client, &kube_pods, names[i], "x", -1, &namespace));
		assert_null(kube_client_apply(kube.client, &kube_pods, "a", object, 0, &apply));
		assert_int_equal(name->kind, ERROR_INVALID);
		assert_int_equal(namespace->kind, ERROR_INVALID);
		assert_int_equal(apply->kind, ERROR_INVALID);
	}
	assert_false(kube_client_delete_collection(kube.client, &kube_pods, "a", "", NULL));
	assert_int_equal(fake_http_requests(kube.server), 0);
}

static void test_kube_client__escapes_names_and_selectors(void **state)
{
	struct kube_list_options options = { .label_selector = "a=b,c in (d)", .page_size = 7 };
	scoped(text) char *delete = NULL;
	scoped(text) char *list = NULL;
	json_auto_t *items = NULL;
	SCRIPT(script);
	FAKE_KUBE(kube);
	(void)state;
	say(&script, "200 OK", NULL, "{}");
	say(&script, "200 OK", NULL, "{\"items\": []}");
	fake_kube_open(&kube, script.answers, script.count);

	assert_true(kube_client_delete(kube.client, &kube_pods, "n/s", "../x?y", 5, NULL));
	items = kube_client_list(kube.client, &kube_pods, "ns", &options, NULL, NULL);

	delete = fake_http_request(kube.server, 0);
	list = fake_http_request(kube.server, 1);
	assert_true(text_starts_with(
		delete, "DELETE /api/v1/namespaces/n%2Fs/pods/..%2Fx%3Fy HTTP/1.1\r\n"));
	assert_non_null(strstr(delete, "\"propagationPolicy\":\"Background\""));
	assert_non_null(strstr(delete, "\"gracePeriodSeconds\":5"));
	assert_true(text_starts_with(list, "GET /api/v1/namespaces/ns/pods?limit=7&labelSelector="
	                                   "a%3Db%2Cc%20in%20%28d%29 HTTP/1.1\r\n"));
}

static void test_kube_client_list__begins_anew_when_pages_expire(void **state)
{
	scoped(text) char *version = NULL;
	scoped(error) struct error *err = NULL;
	json_auto_t *items = NULL;
	SCRIPT(script);
	FAKE_KUBE(kube);
	(void)state;
	say(&script, "200 OK", NULL,
	    "{\"metadata\": {\"continue\": \"next\"}, \"items\": [{\"metadata\": {\"name\": "
	    "\"a\"}}]}");
	say(&script, "410 Gone", NULL, STATUS(410, "Expired", "too old"));
	say(&script, "200 OK", NULL,
	    "{\"metadata\": {\"resourceVersion\": \"9\"}, \"items\": [{\"metadata\": {\"name\": "
	    "\"b\", \"managedFields\": []}}]}");
	fake_kube_open(&kube, script.answers, script.count);

	items = kube_client_list(kube.client, &kube_pods, NULL, NULL, &version, &err);

	assert_ok(items, err);
	assert_int_equal(json_array_size(items), 1);
	assert_string_equal(version, "9");
	assert_string_equal(json_string_value(json_object_get(json_array_get(items, 0), "kind")),
	                    "Pod");
	assert_null(json_object_get(json_object_get(json_array_get(items, 0), "metadata"),
	                            "managedFields"));
}

static void test_kube_client__renews_a_credential_once_after_401(void **state)
{
	char path[] = "/tmp/stepop-test-XXXXXX";
	scoped(error) struct error *err = NULL;
	scoped(text) char *first = NULL;
	scoped(text) char *second = NULL;
	json_auto_t *pod = NULL;
	struct kube_config *config;
	SCRIPT(script);
	FAKE_KUBE(kube);
	(void)state;
	close(mkstemp(path));
	say(&script, "401 Unauthorized", NULL, STATUS(401, "Unauthorized", "Unauthorized"));
	say(&script, "200 OK", NULL, "{}");
	fake_kube_open(&kube, script.answers, script.count);
	config = (struct kube_config *)kube_client_config(kube.client);
	config->token_file = xstrdup(path);
	config->token = xstrdup("old");
	config->token_read_at_ms = loop_now_ms();
	assert_true(file_write_atomic(path, "new\n", 4, 0600, NULL));

	pod = kube_client_get(kube.client, &kube_pods, NULL, "x", &err);

	unlink(path);
	first = fake_http_request(kube.server, 0);
	second = fake_http_request(kube.server, 1);
	assert_ok(pod, err);
	assert_non_null(strstr(first, "\r\nAuthorization: Bearer old\r\n"));
	assert_non_null(strstr(second, "\r\nAuthorization: Bearer new\r\n"));
}

static void test_kube_client_log__gives_the_end_in_whole_lines(void **state)
{
	scoped(error) struct error *err = NULL;
	scoped(text) char *log = NULL;
	scoped(text) char *sent = NULL;
	SCRIPT(script);
	FAKE_KUBE(kube);
	(void)state;
	say(&script, "200 OK", NULL, "first line\nsecond line\nthird\n");
	fake_kube_open(&kube, script.answers, script.count);

	log = kube_client_log(kube.client, NULL, "p", "main", 20, &err);

	sent = fake_http_request(kube.server, 0);
	assert_ok(log, err);
	assert_string_equal(log, "second line\nthird\n");
	assert_non_null(strstr(sent, "/pods/p/log?container=main&tailLines=2 HTTP"));
}

static void test_kube_kind_find__knows_kinds_by_version_and_name(void **state)
{
	(void)state;

	assert_ptr_equal(kube_kind_find("v1", "Pod"), &kube_pods);
	assert_ptr_equal(kube_kind_find("rbac.authorization.k8s.io/v1", "Role"), &kube_roles);
	assert_string_equal(kube_kind_find("batch/v1", "Job")->plural, "jobs");
	assert_null(kube_kind_find("v2", "Pod"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kube_client_get__turns_refusals_into_errors),
		cmocka_unit_test(test_kube_client_get__tries_again_when_the_server_is_busy),
		cmocka_unit_test(
			test_kube_client_clock_ahead__compares_the_server_s_clock_with_ours),
		cmocka_unit_test(test_kube_client_get__gives_up_after_four_tries),
		cmocka_unit_test(test_kube_client_create__tries_again_after_a_cut),
		cmocka_unit_test(test_kube_client_get__says_that_the_server_cannot_be_reached),
		cmocka_unit_test(test_kube_client_get__waits_no_longer_than_the_config_says),
		cmocka_unit_test(test_kube_client__never_addresses_something_else),
		cmocka_unit_test(test_kube_client__escapes_names_and_selectors),
		cmocka_unit_test(test_kube_client_list__begins_anew_when_pages_expire),
		cmocka_unit_test(test_kube_client__renews_a_credential_once_after_401),
		cmocka_unit_test(test_kube_client_log__gives_the_end_in_whole_lines),
		cmocka_unit_test(test_kube_kind_find__knows_kinds_by_version_and_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
