/* SPDX-License-Identifier: Apache-2.0 */
/* submit/kube_exchange: kube_client's rules, told from the loop. */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/text.h"
#include "submit/kube_exchange.h"
#include "submit/kube_send.h"
#include "tests/fakes/fake_kube.h"

#define PATIENCE_MS 20000
#define STATUS(code, message) \
	"{\"kind\": \"Status\", \"code\": " #code ", \"message\": \"" message "\"}"
#define MANY 5

static const struct kube_place place = { &kube_pods, "ns", "x" };

/* What came of the requests of a test. */
struct outcome {
	size_t wanted, ends;
	char *name; /* of the last answer */
	struct error *error;
};

static void release_outcome(struct outcome *outcome)
{
	free(outcome->name);
	error_free(outcome->error);
}
#define OUTCOME(name) \
	__attribute__((__cleanup__(release_outcome))) struct outcome name = { .wanted = 1 }

static void on_ended(void *context, json_t *answer, const struct error *error)
{
	struct outcome *outcome = context;

	assert_true(!answer || !error);
	outcome->ends++;
	free(outcome->name);
	outcome->name = text_copy(json_string_value(json_object_get(answer, "name")));
	error_free(outcome->error);
	outcome->error = error_copy(error);
}

static bool has_ended(const void *context)
{
	const struct outcome *outcome = context;

	return outcome->ends == outcome->wanted;
}

static struct kube_exchange *start_get(struct fake_kube *kube, struct outcome *outcome)
{
	scoped(error) struct error *err = NULL;
	struct kube_call *call = kube_call_new_get(&place, &err);

	assert_ok(call, err);
	return kube_exchange_start_take(kube->client, call, on_ended, outcome);
}

static void wait_for(struct fake_kube *kube, struct outcome *outcome)
{
	assert_int_equal(outcome->ends, 0); /* never from within the start */
	assert_true(loop_run_until(kube->loop, has_ended, outcome, loop_now_ms() + PATIENCE_MS));
}

static void test_kube_exchange__tells_the_answer_from_the_loop(void **state)
{
	scoped(text) char *ok = fake_http_json("200 OK", NULL, "{\"name\": \"x\"}");
	const struct fake_http_answer answers[] = { { .bytes = ok } };
	FAKE_KUBE(kube);
	OUTCOME(outcome);
	(void)state;
	fake_kube_open(&kube, answers, 1);

	start_get(&kube, &outcome);
	wait_for(&kube, &outcome);

	assert_null(outcome.error);
	assert_string_equal(outcome.name, "x");
}

static void test_kube_exchange__sends_a_body_with_its_type(void **state)
{
	scoped(text) char *ok = fake_http_json("201 Created", NULL, "{\"name\": \"x\"}");
	const struct fake_http_answer answers[] = { { .bytes = ok } };
	json_auto_t *object = json_pack("{s:{s:s}}", "metadata", "name", "x");
	scoped(text) char *sent = NULL;
	FAKE_KUBE(kube);
	OUTCOME(outcome);
	(void)state;
	fake_kube_open(&kube, answers, 1);

	kube_exchange_start_take(kube.client,
	                         kube_call_new_create(&place, object, KUBE_DRY_RUN, NULL), on_ended,
	                         &outcome);
	wait_for(&kube, &outcome);

	sent = fake_http_request(kube.server, 0);
	assert_true(text_starts_with(
		sent, "POST /api/v1/namespaces/ns/pods?fieldManager=stepop&dryRun=All HTTP"));
	assert_non_null(strstr(sent, "Content-Type: application/json\r\n"));
	assert_true(text_ends_with(sent, "{\"metadata\":{\"name\":\"x\"}}"));
}

static void test_kube_exchange__tries_again_when_the_server_is_busy(void **state)
{
	scoped(text) char *busy =
		fake_http_json("429 Too Many Requests", "Retry-After: 0\r\n", STATUS(429, "busy"));
	scoped(text) char *ok = fake_http_json("200 OK", NULL, "{\"name\": \"x\"}");
	const struct fake_http_answer answers[] = { { .bytes = busy },
		                                    { .bytes = "HTTP/1.1 20", .after = FAKE_CLOSE },
		                                    { .bytes = ok } };
	FAKE_KUBE(kube);
	OUTCOME(outcome);
	(void)state;
	fake_kube_open(&kube, answers, 3);

	start_get(&kube, &outcome);
	wait_for(&kube, &outcome);

	assert_string_equal(outcome.name, "x");
	assert_int_equal(fake_http_requests(kube.server), 3);
}

static void test_kube_exchange__does_not_read_what_is_blind(void **state)
{
	const struct fake_http_answer answers[] = {
		{ .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<html" },
		{ .bytes = "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n" },
	};
	struct kube_call *call;
	size_t i;
	FAKE_KUBE(kube);
	(void)state;
	fake_kube_open(&kube, answers, 2);

	for (i = 0; i < 2; i++) {
		OUTCOME(outcome);
		call = kube_call_new_get(&place, NULL);
		call->blind = true;
		kube_exchange_start_take(kube.client, call, on_ended, &outcome);
		wait_for(&kube, &outcome);

		assert_null(outcome.name);
		if (i)
			assert_int_equal(outcome.error->kind, ERROR_NOT_FOUND);
		else
			assert_null(outcome.error);
	}
}

static void test_kube_exchange__turns_refusals_into_errors(void **state)
{
	static const struct {
		const char *status, *body, *message;
		enum error_kind kind;
		size_t requests;
	} cases[] = {
		{ "404 Not Found", STATUS(404, "no such pod"),
		  "get Pod 'x' in namespace 'ns': no such pod", ERROR_NOT_FOUND, 1 },
		{ "409 Conflict", STATUS(409, "exists"), "exists", ERROR_CONFLICT, 1 },
		{ "200 OK", "<html>", "get Pod 'x' in namespace 'ns': what http://", ERROR_INVALID,
		  1 },
		{ "503 No", "", "HTTP status 503", ERROR_UNAVAILABLE, 4 },
	};
	size_t i;
	(void)state;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *text = fake_http_json(cases[i].status, NULL, cases[i].body);
		const struct fake_http_answer answers[] = { { .bytes = text, .repeat = true } };
		FAKE_KUBE(kube);
		OUTCOME(outcome);
		fake_kube_open(&kube, answers, 1);

		start_get(&kube, &outcome);
		wait_for(&kube, &outcome);

		assert_int_equal(outcome.error->kind, cases[i].kind);
		assert_error_contains(outcome.error, cases[i].message);
		assert_int_equal(fake_http_requests(kube.server), cases[i].requests);
	}
}

static void test_kube_exchange__says_that_the_server_cannot_be_reached(void **state)
{
	FAKE_KUBE(kube);
	OUTCOME(outcome);
	(void)state;
	fake_kube_open(&kube, NULL, 0);
	fake_http_free(take(kube.server));

	start_get(&kube, &outcome);
	wait_for(&kube, &outcome);

	assert_int_equal(outcome.error->kind, ERROR_UNAVAILABLE);
	assert_error_contains(outcome.error,
	                      "get Pod 'x' in namespace 'ns': cannot reach the API server");
}

static void test_kube_exchange__tells_a_fault_of_its_own_from_the_loop(void **state)
{
	struct kube_config *config;
	FAKE_KUBE(kube);
	OUTCOME(outcome);
	(void)state;
	fake_kube_open(&kube, NULL, 0);
	config = (struct kube_config *)kube_client_config(kube.client);
	config->token_file = xstrdup("/nonexistent/token");

	start_get(&kube, &outcome);
	wait_for(&kube, &outcome);

	assert_error_contains(outcome.error, "get Pod 'x' in namespace 'ns': ");
	assert_error_contains(outcome.error, "/nonexistent/token");
}

static void test_kube_exchange__renews_a_credential_once_for_many(void **state)
{
	char path[] = "/tmp/stepop-test-XXXXXX";
	scoped(text) char *refusal =
		fake_http_json("401 Unauthorized", NULL, STATUS(401, "Unauthorized"));
	scoped(text) char *ok = fake_http_json("200 OK", NULL, "{\"name\": \"x\"}");
	const struct fake_http_answer answers[] = {
		{ .match = "Bearer old", .bytes = refusal, .repeat = true },
		{ .match = "Bearer new", .bytes = ok, .repeat = true },
	};
	struct kube_config *config;
	size_t i;
	FAKE_KUBE(kube);
	OUTCOME(outcome);
	(void)state;
	close(mkstemp(path));
	assert_true(file_write_atomic(path, "new", 3, 0600, NULL));
	fake_kube_open(&kube, answers, 2);
	config = (struct kube_config *)kube_client_config(kube.client);
	config->token_file = xstrdup(path);
	config->token = xstrdup("old");
	config->token_read_at_ms = loop_now_ms();

	outcome.wanted = MANY;
	for (i = 0; i < MANY; i++)
		start_get(&kube, &outcome);
	wait_for(&kube, &outcome);

	assert_string_equal(outcome.name, "x");
	assert_int_equal(fake_http_requests(kube.server), 2 * MANY);
	assert_int_equal(kube.client->renewals, 1);
	unlink(path);
}

static void test_kube_exchange_cancel__is_safe_at_any_time(void **state)
{
	scoped(text) char *busy = fake_http_json("503 No", "Retry-After: 5\r\n", "");
	const struct fake_http_answer answers[] = { { .bytes = busy, .repeat = true } };
	struct kube_exchange *waiting;
	FAKE_KUBE(kube);
	OUTCOME(outcome);
	(void)state;
	fake_kube_open(&kube, answers, 1);

	kube_exchange_cancel(NULL);
	kube_exchange_cancel(start_get(&kube, &outcome));
	waiting = start_get(&kube, &outcome);
	while (!fake_http_requests(kube.server))
		loop_step(kube.loop, loop_now_ms() + 10);
	loop_step(kube.loop, loop_now_ms() + 100);
	kube_exchange_cancel(waiting);

	assert_false(loop_step(kube.loop, loop_now_ms() + 10)); /* nothing is left behind */
	assert_int_equal(outcome.ends, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kube_exchange__tells_the_answer_from_the_loop),
		cmocka_unit_test(test_kube_exchange__sends_a_body_with_its_type),
		cmocka_unit_test(test_kube_exchange__tries_again_when_the_server_is_busy),
		cmocka_unit_test(test_kube_exchange__does_not_read_what_is_blind),
		cmocka_unit_test(test_kube_exchange__turns_refusals_into_errors),
		cmocka_unit_test(test_kube_exchange__says_that_the_server_cannot_be_reached),
		cmocka_unit_test(test_kube_exchange__tells_a_fault_of_its_own_from_the_loop),
		cmocka_unit_test(test_kube_exchange__renews_a_credential_once_for_many),
		cmocka_unit_test(test_kube_exchange_cancel__is_safe_at_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
