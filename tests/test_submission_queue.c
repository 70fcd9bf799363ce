/* SPDX-License-Identifier: Apache-2.0 */
/* submit/submission_queue: how many at a time, in which order, and that one's failure is its own.
 */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_object.h"
#include "submit/submission_queue.h"
#include "tests/fakes/fake_kube.h"

#define PATIENCE_MS 20000
#define STATUS(code, message) \
	"{\"kind\": \"Status\", \"code\": " #code ", \"message\": \"" message "\"}"
#define STORED(kind, name)                                                                  \
	"{\"apiVersion\": \"v1\", \"kind\": \"" kind "\", \"metadata\": {\"name\": \"" name \
	"\", \"namespace\": \"ns\", \"uid\": \"u-" name                                     \
	"\", \"labels\": {\"stepop.dev/submission\": \"1\"}}}"

/* What a test lets the server say: its answers, and the texts that they are made of. */
struct script {
	struct fake_http_answer answers[16];
	char *texts[16];
	size_t count;
};

static struct fake_http_answer *say(struct script *script, const char *match, const char *status,
                                    const char *body)
{
	struct fake_http_answer *answer = &script->answers[script->count];

	script->texts[script->count] = fake_http_json(status, "Retry-After: 0\r\n", body);
	*answer = (struct fake_http_answer){ .match = match,
		                             .bytes = script->texts[script->count++] };
	return answer;
}

static void release_script(struct script *script)
{
	size_t i;

	for (i = 0; i < script->count; i++)
		free(script->texts[i]);
}
#define SCRIPT(name) __attribute__((__cleanup__(release_script))) struct script name = { 0 }

/* "next(1) +1 -2 .": asked for the first, it was submitted, the second failed, all are done. */
struct record {
	struct submission_queue *queue;
	size_t applications, given, in_flight, most_in_flight;
	struct error *error; /* the last */
	char *text;
	const char *free_at, *cancel_at;
	bool done;
};

static void release_record(struct record *record)
{
	submission_queue_free(record->queue);
	error_free(record->error);
	free(record->text);
}
#define RECORD(name) __attribute__((__cleanup__(release_record))) struct record name = { 0 }

static void note(struct record *record, char *taken)
{
	scoped(text) char *entry = taken;
	scoped(text) char *before = record->text;

	record->text = text_printf("%s%s%s", before ? before : "", before ? " " : "", entry);
	if (text_equal(entry, record->free_at))
		submission_queue_free(take(record->queue));
	if (text_equal(entry, record->cancel_at))
		submission_queue_cancel(record->queue);
}

/* A ConfigMap and a Pod; items are 1, 2, 3 … */
static json_t *on_next(void *context, void **item)
{
	struct record *record = context;
	json_auto_t *labels = json_pack("{s:s}", "stepop.dev/submission", "1");
	scoped(text) char *name = NULL;
	json_t *objects;

	if (record->given == record->applications)
		return NULL;
	*item = (void *)(uintptr_t)++record->given;
	name = text_printf("d%zu", record->given);
	objects = json_array();
	json_array_append_new(objects, kube_object_new("v1", "ConfigMap", "ns", name, labels));
	json_array_append_new(objects, kube_object_new("v1", "Pod", "ns", name, labels));
	record->in_flight++;
	if (record->in_flight > record->most_in_flight)
		record->most_in_flight = record->in_flight;
	return objects;
}

static void on_submitted(void *context, void *item, const json_t *pod)
{
	struct record *record = context;

	assert_string_equal(kube_object_kind(pod), "Pod");
	record->in_flight--;
	note(record, text_printf("+%zu", (size_t)(uintptr_t)item));
}

static void on_failed(void *context, void *item, const struct error *error)
{
	struct record *record = context;

	record->in_flight--;
	error_free(record->error);
	record->error = error_copy(error);
	note(record, text_printf("-%zu", (size_t)(uintptr_t)item));
}

static void on_done(void *context)
{
	struct record *record = context;

	assert_true(submission_queue_is_done(record->queue));
	record->done = true;
	note(record, xstrdup("."));
}

static const struct submission_queue_events events = { on_next, on_submitted, on_failed, on_done };

static bool is_done(const void *context)
{
	return ((const struct record *)context)->done;
}

static void run(struct fake_kube *kube, struct script *script, struct record *record,
                size_t in_flight)
{
	fake_kube_open(kube, script->answers, script->count);
	record->queue = submission_queue_start(kube->client, in_flight, &events, record);
	assert_int_equal(record->given, 0);
	assert_true(loop_run_until(kube->loop, is_done, record, loop_now_ms() + PATIENCE_MS) ||
	            record->free_at);
}

static char *methods(struct fake_kube *kube)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	size_t i;

	for (i = 0; i < fake_http_requests(kube->server); i++) {
		scoped(text) char *request = fake_http_request(kube->server, i);

		fprintf(out, "%.*s%s ", (int)strcspn(request, " "), request,
		        strstr(request, "/pods") ? " pod" : "");
	}
	return text_stream_take(&stream);
}

static void say_success(struct script *script)
{
	say(script, "POST /api/v1/namespaces/ns/configmaps", "201 Created",
	    STORED("ConfigMap", "d"))
		->repeat = true;
	say(script, "POST /api/v1/namespaces/ns/pods", "201 Created", STORED("Pod", "d"))->repeat =
		true;
	say(script, "PATCH /api/v1/namespaces/ns/configmaps", "200 OK", STORED("ConfigMap", "d"))
		->repeat = true;
}

static void test_submission_queue__submits_all_in_order_when_one_at_a_time(void **state)
{
	scoped(text) char *sent = NULL;
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	say_success(&script);
	record.applications = 3;

	run(&kube, &script, &record, 1);

	sent = methods(&kube);
	assert_string_equal(record.text, "+1 +2 +3 .");
	assert_int_equal(record.most_in_flight, 1);
	assert_int_equal(fake_http_connections(kube.server), 1);
	assert_string_equal(sent, "POST POST pod PATCH POST POST pod PATCH POST POST pod PATCH ");
}

static void test_submission_queue__keeps_no_more_than_so_many_in_flight(void **state)
{
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	say_success(&script);
	record.applications = 50;

	run(&kube, &script, &record, 8);

	assert_int_equal(record.given, 50);
	assert_int_equal(record.most_in_flight, 8);
	assert_int_equal(fake_http_requests(kube.server), 150);
	assert_in_range(fake_http_connections(kube.server), 1, 8);
}

static void test_submission_queue__goes_on_when_one_fails(void **state)
{
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	say(&script, "\"name\":\"d2\"", "403 Forbidden", STATUS(403, "configmaps is forbidden"));
	say_success(&script);
	record.applications = 3;

	run(&kube, &script, &record, 1);

	assert_string_equal(record.text, "+1 -2 +3 .");
	assert_int_equal(record.error->kind, ERROR_AUTH);
	assert_error_contains(record.error,
	                      "create ConfigMap 'd2' in namespace 'ns': configmaps is "
	                      "forbidden");
}

static void test_submission_queue__goes_on_when_names_are_no_names(void **state)
{
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	say(&script, "POST", "409 Conflict", STATUS(409, "exists"))->repeat = true;
	say(&script, "GET", "200 OK", "{\"metadata\": {}}")->repeat = true;
	record.applications = 200;

	run(&kube, &script, &record, 3);

	assert_int_equal(record.given, 200);
	assert_int_equal(record.error->kind, ERROR_CONFLICT);
	assert_true(text_ends_with(record.text, " ."));
}

static void test_submission_queue__undoes_what_failed(void **state)
{
	scoped(text) char *sent = NULL;
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	say(&script, "POST /api/v1/namespaces/ns/pods", "422 No", STATUS(422, "bad image"));
	say(&script, "DELETE /api/v1/namespaces/ns/configmaps/d1", "200 OK", "{}");
	say_success(&script);
	record.applications = 1;

	run(&kube, &script, &record, 0);

	sent = methods(&kube);
	assert_string_equal(record.text, "-1 .");
	assert_int_equal(record.error->kind, ERROR_INVALID);
	assert_string_equal(sent, "POST POST pod DELETE ");
}

static void test_submission_queue__sends_again_what_got_no_answer(void **state)
{
	scoped(text) char *sent = NULL;
	int i;
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	for (i = 0; i < 4; i++) /* as often as one request is tried */
		say(&script, "POST /api/v1/namespaces/ns/pods", "503 Unavailable", "");
	say_success(&script);
	record.applications = 1;

	run(&kube, &script, &record, 0);

	sent = methods(&kube);
	assert_string_equal(record.text, "+1 .");
	assert_string_equal(sent, "POST POST pod POST pod POST pod POST pod POST POST pod PATCH ");
}

static void test_submission_queue__gives_up_after_three_tries(void **state)
{
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	say(&script, "POST", "504 Gateway Timeout", "")->repeat = true;
	record.applications = 1;

	run(&kube, &script, &record, 0);

	assert_string_equal(record.text, "-1 .");
	assert_int_equal(record.error->kind, ERROR_TIMEOUT);
	assert_int_equal(fake_http_requests(kube.server), 3 * 4);
}

static void test_submission_queue_cancel__lets_those_in_flight_end(void **state)
{
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	say_success(&script);
	record.applications = 100;
	record.cancel_at = "+1";

	run(&kube, &script, &record, 1);

	assert_string_equal(record.text, "+1 .");
}

static void test_submission_queue__is_done_when_there_is_nothing(void **state)
{
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;

	run(&kube, &script, &record, 4);

	assert_string_equal(record.text, ".");
	assert_false(loop_step(kube.loop, loop_now_ms() + 10));
}

static void test_submission_queue__can_be_freed_in_any_callback(void **state)
{
	static const char *const places[] = { "+1", "-2", "." };
	size_t i;
	(void)state;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		SCRIPT(script);
		FAKE_KUBE(kube);
		RECORD(record);
		say(&script, "\"name\":\"d2\"", "422 No", STATUS(422, "no"));
		say_success(&script);
		record.applications = 2;
		record.free_at = places[i];

		run(&kube, &script, &record, 1);

		assert_true(text_ends_with(record.text, places[i]));
		assert_false(loop_step(kube.loop, loop_now_ms() + 10));
	}
}

static void test_submission_queue_free__drops_what_is_in_flight(void **state)
{
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	record.applications = 4;
	say(&script, "POST", "201 Created", "{}")->after = FAKE_HOLD;
	fake_kube_open(&kube, script.answers, script.count);
	record.queue = submission_queue_start(kube.client, 2, &events, &record);

	while (!fake_http_requests(kube.server))
		loop_step(kube.loop, loop_now_ms() + 10);
	submission_queue_free(take(record.queue));

	assert_false(loop_step(kube.loop, loop_now_ms() + 10));
	assert_null(record.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_submission_queue__submits_all_in_order_when_one_at_a_time),
		cmocka_unit_test(test_submission_queue__keeps_no_more_than_so_many_in_flight),
		cmocka_unit_test(test_submission_queue__goes_on_when_one_fails),
		cmocka_unit_test(test_submission_queue__goes_on_when_names_are_no_names),
		cmocka_unit_test(test_submission_queue__undoes_what_failed),
		cmocka_unit_test(test_submission_queue__sends_again_what_got_no_answer),
		cmocka_unit_test(test_submission_queue__gives_up_after_three_tries),
		cmocka_unit_test(test_submission_queue_cancel__lets_those_in_flight_end),
		cmocka_unit_test(test_submission_queue__is_done_when_there_is_nothing),
		cmocka_unit_test(test_submission_queue__can_be_freed_in_any_callback),
		cmocka_unit_test(test_submission_queue_free__drops_what_is_in_flight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
