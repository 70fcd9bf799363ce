/* SPDX-License-Identifier: Apache-2.0 */
/* submit/follower: every pod comes to its end, whatever the watch goes through. */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/follower.h"
#include "submit/kube_object.h"
#include "tests/fakes/fake_kube.h"

#define PATIENCE_MS 20000

#define POD_AS(name, uid, version, status)                                                     \
	"{\"metadata\": {\"name\": \"" name "\", \"namespace\": \"ns\", \"uid\": \"" uid       \
	"\", \"resourceVersion\": \"" version "\"}, \"spec\": {\"restartPolicy\": \"Never\", " \
	"\"containers\": [{\"name\": \"driver\"}]}, \"status\": " status "}"
#define POD(name, version, status) POD_AS(name, "u-" name, version, status)
#define PENDING "{\"phase\": \"Pending\"}"
#define WAITING(reason)                                                                          \
	"{\"phase\": \"Pending\", \"containerStatuses\": [{\"name\": \"driver\", \"state\": "    \
	"{\"waiting\": {\"reason\": \"" reason "\", \"message\": \"secret \\\"s\\\" not found\"" \
	"}}}]}"
#define STUCK WAITING("CreateContainerError")
#define RUNNING                                                                    \
	"{\"phase\": \"Running\", \"containerStatuses\": [{\"name\": \"driver\", " \
	"\"state\": {\"running\": {}}}]}"
#define EXITED(phase, code)                                                          \
	"{\"phase\": \"" phase "\", \"containerStatuses\": [{\"name\": \"driver\", " \
	"\"state\": {\"terminated\": {\"exitCode\": " #code "}}}]}"
#define LIST(version, items) \
	"{\"metadata\": {\"resourceVersion\": \"" version "\"}, \"items\": [" items "]}"
#define EVENT(type, object) "{\"type\": \"" type "\", \"object\": " object "}"

/* What a test lets the server say: its answers, and the texts that they are made of. */
struct script {
	struct fake_http_answer answers[12];
	char *texts[12];
	size_t count;
};

static struct fake_http_answer *add(struct script *script, const char *match, char *text)
{
	struct fake_http_answer *answer = &script->answers[script->count];

	script->texts[script->count++] = text;
	*answer = (struct fake_http_answer){ .match = match, .bytes = text };
	return answer;
}

static void say_list(struct script *script, const char *match, const char *body)
{
	add(script, match, fake_http_json("200 OK", NULL, body));
}

static void say_watch(struct script *script, const char *match, const char *const *lines,
                      enum fake_http_after after)
{
	add(script, match, fake_http_chunked(lines, after == FAKE_KEEP))->after = after;
}
#define LINES(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define NO_LINES ((const char *const[]){ NULL })

static void release_script(struct script *script)
{
	size_t i;

	for (i = 0; i < script->count; i++)
		free(script->texts[i]);
}
#define SCRIPT(name) __attribute__((__cleanup__(release_script))) struct script name = { 0 }

/* "a:pending a:running !b:Deleted ?c": a changed twice, b ended badly, c was given up. */
struct record {
	struct follower *follower;
	char *text;
	const char *until;   /* reached when the text ends in this */
	const char *free_at; /* this entry frees the follower */
	const char *remove_at;
	const char *removed; /* this item is removed then */
	struct error *error; /* of the last that was given up, or trouble */
	char *advice;
	bool had_pod;
};

static void release_record(struct record *record)
{
	follower_free(record->follower);
	free(record->text);
	free(record->advice);
	error_free(record->error);
}
#define RECORD(name) __attribute__((__cleanup__(release_record))) struct record name = { 0 }

static void note(struct record *record, char *taken)
{
	scoped(text) char *entry = taken;
	scoped(text) char *before = record->text;

	record->text = text_printf("%s%s%s", before ? before : "", before ? " " : "", entry);
	if (text_equal(entry, record->free_at))
		follower_free(take(record->follower));
	if (text_equal(entry, record->remove_at))
		follower_remove(record->follower, record->removed);
}

static void on_changed(void *context, void *item, const struct pod_status *status,
                       const json_t *pod)
{
	assert_non_null(pod);
	note(context, text_printf("%s:%s", (const char *)item, pod_phase_name(status->phase)));
}

static void on_ended(void *context, void *item, const struct pod_status *status, const json_t *pod)
{
	struct record *record = context;

	record->had_pod = pod;
	if (status->phase == POD_SUCCEEDED)
		note(record, text_printf("%s.", (const char *)item));
	else
		note(record, text_printf("!%s:%s:%d", (const char *)item, status->reason,
		                         status->exit_code));
}

static void on_gave_up(void *context, void *item, const struct pod_status *status,
                       const struct error *error)
{
	struct record *record = context;

	error_free(record->error);
	record->error = error_copy(error);
	free(record->advice);
	record->advice = text_copy(status->advice);
	note(record, text_printf("?%s", (const char *)item));
}

static void on_trouble(void *context, const struct error *error)
{
	struct record *record = context;

	if (error && !record->error)
		record->error = error_copy(error);
	note(context, xstrdup(error ? "trouble" : "well"));
}

static const struct follower_events events = { on_changed, on_ended, on_gave_up, on_trouble };

static bool has_reached(const void *context)
{
	const struct record *record = context;

	return record->text && text_ends_with(record->text, record->until);
}

static void wait_until(struct fake_kube *kube, struct record *record, const char *until)
{
	record->until = until;
	if (!loop_run_until(kube->loop, has_reached, record, loop_now_ms() + PATIENCE_MS))
		fail_msg("'%s' does not end in '%s'", record->text ? record->text : "", until);
}

static void open_follower(struct fake_kube *kube, struct script *script, struct record *record,
                          int64_t start_timeout_ms)
{
	const struct follower_options options = { .label_selector = "a=b",
		                                  .start_timeout_ms = start_timeout_ms };

	fake_kube_open(kube, script->answers, script->count);
	record->follower = follower_new(kube->client, &options, &events, record);
}

/* The item is the name. */
static void follow(struct record *record, const char *name)
{
	json_auto_t *pod = kube_object_new("v1", "Pod", "ns", name, NULL);

	json_object_set_new(json_object_get(pod, "metadata"), "uid", json_sprintf("u-%s", name));
	assert_true(follower_add(record->follower, pod, "driver", (void *)name));
}

static void test_follower__watches_one_pod_by_its_name(void **state)
{
	scoped(text) char *list = NULL;
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	say_list(&script, "?limit=", LIST("5", POD("a", "1", PENDING)));
	say_watch(&script, "&resourceVersion=5&",
	          LINES(EVENT("MODIFIED", POD("a", "6", RUNNING)),
	                EVENT("MODIFIED", POD("a", "7", EXITED("Succeeded", 0)))),
	          FAKE_HOLD);
	open_follower(&kube, &script, &record, 0);

	follow(&record, "a");
	assert_null(record.text);
	wait_until(&kube, &record, "a.");

	assert_string_equal(record.text, "a:pending a:running a.");
	list = fake_http_request(kube.server, 0);
	assert_true(text_starts_with(list, "GET /api/v1/namespaces/ns/pods?limit=50&fieldSelector="
	                                   "metadata.name%3Da HTTP"));
	assert_int_equal(follower_count(record.follower), 0);
	assert_false(loop_step(kube.loop, loop_now_ms() + 10)); /* nobody watches any more */
}

static void test_follower__watches_many_by_what_they_have_in_common(void **state)
{
	scoped(text) char *list = NULL;
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	say_list(&script, "labelSelector=a%3Db",
	         LIST("5", POD("a", "1", PENDING) "," POD("foreign", "2",
	                                                  PENDING) "," POD("b", "3", RUNNING)));
	say_watch(&script, "&resourceVersion=5&",
	          LINES(EVENT("MODIFIED", POD("foreign", "6", EXITED("Failed", 1))),
	                EVENT("MODIFIED", POD("b", "7", EXITED("Failed", 3))),
	                EVENT("MODIFIED", POD("a", "8", EXITED("Succeeded", 0)))),
	          FAKE_HOLD);
	open_follower(&kube, &script, &record, 0);

	follow(&record, "a");
	follow(&record, "b");
	wait_until(&kube, &record, "a.");

	assert_string_equal(record.text, "a:pending b:running !b:Error:3 a.");
	assert_int_equal(fake_http_requests(kube.server), 2);
}

static void test_follower__takes_a_wider_watch_when_another_pod_is_added(void **state)
{
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	say_list(&script, "fieldSelector=", LIST("5", POD("a", "1", RUNNING)));
	say_watch(&script, "fieldSelector=", NO_LINES, FAKE_HOLD);
	say_list(&script, "?limit=50&labelSelector=",
	         LIST("6", POD("a", "1", RUNNING) "," POD("b", "2", RUNNING)));
	say_watch(&script, "&resourceVersion=6&",
	          LINES(EVENT("MODIFIED", POD("a", "7", EXITED("Succeeded", 0))),
	                EVENT("MODIFIED", POD("b", "8", EXITED("Succeeded", 0)))),
	          FAKE_HOLD);
	open_follower(&kube, &script, &record, 0);

	follow(&record, "a");
	wait_until(&kube, &record, "a:running");
	follow(&record, "b");
	wait_until(&kube, &record, "b.");

	assert_string_equal(record.text, "a:running b:running a. b.");
}

/* The watch has seen c end before it is asked about it, and g before it knew whom to keep; it knows
 * nothing of d, and another f. */
static void test_follower__finds_what_happened_before_a_pod_was_added(void **state)
{
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	say_list(&script, "?limit=",
	         LIST("5", POD("a", "1", RUNNING) "," POD("b", "2", RUNNING) "," POD("g", "3",
	                                                                             RUNNING)));
	say_watch(&script, "&resourceVersion=5&",
	          LINES(EVENT("ADDED", POD("c", "6", EXITED("Failed", 4))),
	                EVENT("MODIFIED", POD("b", "7", RUNNING))),
	          FAKE_HOLD);
	add(&script, "GET /api/v1/namespaces/ns/pods/g HTTP",
	    fake_http_json("200 OK", NULL, POD("g", "3", RUNNING)));
	add(&script, "GET /api/v1/namespaces/ns/pods/d HTTP",
	    fake_http_json("404 Not Found", NULL, "{\"kind\": \"Status\", \"code\": 404}"));
	add(&script, "GET /api/v1/namespaces/ns/pods/e HTTP",
	    fake_http_json("200 OK", NULL, POD("e", "9", RUNNING)));
	add(&script, "GET /api/v1/namespaces/ns/pods/f HTTP",
	    fake_http_json("200 OK", NULL, POD_AS("f", "another", "9", RUNNING)));
	open_follower(&kube, &script, &record, 0);
	follow(&record, "a");
	follow(&record, "b");
	wait_until(&kube, &record, "b:running b:running");

	follow(&record, "c");
	wait_until(&kube, &record, "!c:Error:4");
	follow(&record, "g");
	wait_until(&kube, &record, "g:running");
	follow(&record, "d");
	wait_until(&kube, &record, "!d:Deleted:0");
	assert_false(record.had_pod);
	follow(&record, "e");
	wait_until(&kube, &record, "e:running");
	follow(&record, "f");
	wait_until(&kube, &record, "!f:Deleted:0");
}

static void test_follower__tells_that_a_pod_was_taken_away(void **state)
{
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	say_list(&script, "?limit=", LIST("5", POD("a", "1", RUNNING) "," POD("b", "2", RUNNING)));
	say_watch(
		&script, "&resourceVersion=5&",
		LINES(EVENT("DELETED", POD("a", "6", RUNNING)), EVENT("ERROR", "{\"code\": 410}")),
		FAKE_HOLD);
	/* another pod of b's name */
	say_list(&script, "?limit=", LIST("9", POD_AS("b", "new", "8", RUNNING)));
	say_watch(&script, "&resourceVersion=9&", NO_LINES, FAKE_HOLD);
	open_follower(&kube, &script, &record, 0);
	follow(&record, "a");
	follow(&record, "b");

	wait_until(&kube, &record, "!b:Deleted:0");

	assert_string_equal(record.text, "a:running b:running !a:Deleted:0 !b:Deleted:0");
	assert_true(record.had_pod);
}

/* A watch that ends says nothing about the pod. */
static void test_follower__goes_on_when_the_watch_ends_without_a_verdict(void **state)
{
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	say_list(&script, "?limit=", LIST("5", POD("a", "1", RUNNING)));
	say_watch(&script, "&resourceVersion=5&", NO_LINES, FAKE_KEEP);
	say_watch(&script, "&resourceVersion=5&", NO_LINES, FAKE_CLOSE);
	add(&script, "&resourceVersion=5&", fake_http_json("500 Oops", NULL, "{}"));
	say_watch(&script, "&resourceVersion=5&",
	          LINES(EVENT("MODIFIED", POD("a", "6", EXITED("Failed", 1)))), FAKE_HOLD);
	open_follower(&kube, &script, &record, 0);
	follow(&record, "a");

	wait_until(&kube, &record, "!a:Error:1");

	assert_string_equal(record.text, "a:running trouble well !a:Error:1");
}

static void test_follower__gives_up_what_cannot_start(void **state)
{
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	say_list(&script, "?limit=",
	         LIST("5", POD("a", "1", WAITING("CreateContainerConfigError")) "," POD("b", "2",
	                                                                                RUNNING)));
	say_watch(&script, "&resourceVersion=5&", NO_LINES, FAKE_HOLD);
	open_follower(&kube, &script, &record, 0);
	follow(&record, "a");
	follow(&record, "b");

	wait_until(&kube, &record, "?a");

	assert_int_equal(record.error->kind, ERROR_TIMEOUT);
	assert_error_contains(record.error, "pod 'a' cannot start: CreateContainerConfigError: "
	                                    "secret \"s\" not found");
	assert_non_null(strstr(record.advice, "a Secret that the pod refers to does not exist"));
	assert_int_equal(follower_count(record.follower), 1);
}

static void test_follower__gives_up_what_has_not_started_in_time(void **state)
{
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	say_list(&script, "?limit=", LIST("5", POD("a", "1", PENDING) "," POD("b", "2", RUNNING)));
	say_watch(&script, "&resourceVersion=5&", NO_LINES, FAKE_HOLD);
	open_follower(&kube, &script, &record, 200);
	follow(&record, "a");
	follow(&record, "b");

	wait_until(&kube, &record, "?a");

	assert_string_equal(record.text, "a:pending b:running ?a");
	assert_int_equal(record.error->kind, ERROR_TIMEOUT);
	assert_error_contains(record.error, "pod 'a' has not started within 200ms");
}

/* Its status says no more than that its container is being created. */
static void test_follower__asks_the_events_why_a_pod_does_not_start(void **state)
{
	scoped(text) char *asked = NULL;
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	say_list(&script, "/pods?limit=", LIST("5", POD("a", "1", WAITING("ContainerCreating"))));
	say_watch(&script, "&resourceVersion=5&", NO_LINES, FAKE_HOLD);
	say_list(&script, "/events?limit=",
	         LIST("9", "{\"type\": \"Warning\", \"reason\": \"FailedMount\", \"message\": "
	                   "\"secret \\\"keys\\\" not found\"}"));
	open_follower(&kube, &script, &record, 200);
	follow(&record, "a");

	wait_until(&kube, &record, "?a");

	asked = fake_http_request(kube.server, 2);
	assert_non_null(strstr(asked, "fieldSelector=involvedObject.uid%3Du-a%2Ctype%3DWarning "));
	assert_error_contains(record.error, "pod 'a' has not started within 200ms: FailedMount: "
	                                    "secret \"keys\" not found");
	assert_non_null(strstr(record.advice, "a Secret that the pod mounts does not exist"));
}

static void test_follower__says_that_it_saw_nothing_until_the_deadline(void **state)
{
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	open_follower(&kube, &script, &record, 300);
	fake_http_free(take(kube.server));
	follow(&record, "a");

	wait_until(&kube, &record, "?a");

	assert_int_equal(record.error->kind, ERROR_TIMEOUT);
	assert_error_contains(record.error, "pod 'a' has not started within 300ms; nothing is seen "
	                                    "of it: cannot reach the API server");
}

static void test_follower_add__follows_a_pod_once(void **state)
{
	json_auto_t *pod = kube_object_new("v1", "Pod", "ns", "a", NULL);
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	open_follower(&kube, &script, &record, 0);
	follow(&record, "a");

	assert_false(follower_add(record.follower, pod, NULL, NULL));
	assert_int_equal(follower_count(record.follower), 1);
}

static void test_follower_remove__tells_nothing_more(void **state)
{
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	say_list(&script, "?limit=", LIST("5", POD("a", "1", RUNNING) "," POD("b", "2", RUNNING)));
	say_watch(&script, "&resourceVersion=5&",
	          LINES(EVENT("MODIFIED", POD("b", "6", EXITED("Failed", 1))),
	                EVENT("MODIFIED", POD("a", "7", EXITED("Failed", 1)))),
	          FAKE_HOLD);
	open_follower(&kube, &script, &record, 0);
	record.remove_at = "a:running";
	record.removed = "b";
	follow(&record, "a");
	follow(&record, "b");

	wait_until(&kube, &record, "!a:Error:1");

	assert_string_equal(record.text, "a:running !a:Error:1");
}

/* All are judged one after the other: their reason is known. */
static void test_follower_remove__is_safe_while_others_are_given_up(void **state)
{
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	say_list(&script, "?limit=",
	         LIST("5", POD("a", "1", STUCK) "," POD("b", "2", STUCK) "," POD("c", "3", STUCK)));
	say_watch(&script, "&resourceVersion=5&", NO_LINES, FAKE_HOLD);
	open_follower(&kube, &script, &record, 100);
	record.remove_at = "?a";
	record.removed = "b";
	follow(&record, "a");
	follow(&record, "b");
	follow(&record, "c");

	wait_until(&kube, &record, "?c");

	assert_true(text_ends_with(record.text, "?a ?c"));
	assert_int_equal(follower_count(record.follower), 0);
}

static void test_follower_free__is_safe_in_any_callback(void **state)
{
	static const char *const places[] = { "a:pending", "!b:Error:1", "?a", "trouble" };
	size_t i;
	(void)state;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		SCRIPT(script);
		FAKE_KUBE(kube);
		RECORD(record);
		say_list(&script,
		         "?limit=", LIST("5", POD("a", "1", PENDING) "," POD("b", "2", PENDING)));
		say_watch(&script, "&resourceVersion=5&",
		          LINES(EVENT("MODIFIED", POD("b", "6", EXITED("Failed", 1)))), FAKE_CLOSE);
		add(&script, "&resourceVersion=6&", fake_http_json("500 Oops", NULL, "{}"));
		say_watch(&script, "&resourceVersion=6&", NO_LINES, FAKE_HOLD);
		open_follower(&kube, &script, &record, 500);
		record.free_at = places[i];
		follow(&record, "a");
		follow(&record, "b");

		wait_until(&kube, &record, places[i]);

		assert_null(record.follower);
		assert_false(loop_step(kube.loop, loop_now_ms() + 10));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_follower__watches_one_pod_by_its_name),
		cmocka_unit_test(test_follower__watches_many_by_what_they_have_in_common),
		cmocka_unit_test(test_follower__takes_a_wider_watch_when_another_pod_is_added),
		cmocka_unit_test(test_follower__finds_what_happened_before_a_pod_was_added),
		cmocka_unit_test(test_follower__tells_that_a_pod_was_taken_away),
		cmocka_unit_test(test_follower__goes_on_when_the_watch_ends_without_a_verdict),
		cmocka_unit_test(test_follower__gives_up_what_cannot_start),
		cmocka_unit_test(test_follower__gives_up_what_has_not_started_in_time),
		cmocka_unit_test(test_follower__asks_the_events_why_a_pod_does_not_start),
		cmocka_unit_test(test_follower__says_that_it_saw_nothing_until_the_deadline),
		cmocka_unit_test(test_follower_add__follows_a_pod_once),
		cmocka_unit_test(test_follower_remove__tells_nothing_more),
		cmocka_unit_test(test_follower_remove__is_safe_while_others_are_given_up),
		cmocka_unit_test(test_follower_free__is_safe_in_any_callback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
