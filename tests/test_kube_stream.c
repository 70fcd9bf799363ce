/* SPDX-License-Identifier: Apache-2.0 */
/* submit/kube_stream: watches and log streams under what networks and API servers do to them. */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_backoff.h"
#include "submit/kube_lines.h"
#include "submit/kube_stream.h"
#include "tests/fakes/fake_kube.h"

#define PATIENCE_MS 20000

#define POD(name, version)                                           \
	"{\"metadata\": {\"name\": \"" name "\", \"uid\": \"u-" name \
	"\", \"resourceVersion\": \"" version "\", \"managedFields\": [1]}}"
#define LIST(version, items) \
	"{\"metadata\": {\"resourceVersion\": \"" version "\"}, \"items\": [" items "]}"
#define EVENT(type, object) "{\"type\": \"" type "\", \"object\": " object "}"
#define GONE                                                                           \
	"{\"kind\": \"Status\", \"code\": 410, \"reason\": \"Expired\", \"message\": " \
	"\"too old resource version\"}"

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

static void say_list(struct script *script, const char *body)
{
	add(script, "?limit=", fake_http_json("200 OK", NULL, body));
}

/* The lines of one watch; then the connection is cut, ends well or stays silent. */
static struct fake_http_answer *say_watch(struct script *script, const char *match,
                                          const char *const *lines, enum fake_http_after after)
{
	struct fake_http_answer *answer =
		add(script, match, fake_http_chunked(lines, after == FAKE_KEEP));

	answer->after = after;
	return answer;
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

/* "+a@1 -b ! *": changed a at resourceVersion 1, deleted b, trouble, synced. */
struct record {
	struct kube_watch *watch;
	char *text;
	const char *until; /* reached when the text ends in this */
	const char *cancel_at;
	struct error *trouble;
};

static void release_record(struct record *record)
{
	kube_watch_cancel(record->watch);
	free(record->text);
	error_free(record->trouble);
}
#define RECORD(name) __attribute__((__cleanup__(release_record))) struct record name = { 0 }

static void note(struct record *record, char *taken)
{
	scoped(text) char *entry = taken;
	scoped(text) char *before = record->text;

	record->text = text_printf("%s%s%s", before ? before : "", before ? " " : "", entry);
	if (record->cancel_at && text_equal(entry, record->cancel_at))
		kube_watch_cancel(take(record->watch));
}

static const char *field(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(json_object_get(object, "metadata"), name));
}

static void on_changed(void *context, json_t *object)
{
	assert_null(json_object_get(json_object_get(object, "metadata"), "managedFields"));
	assert_string_equal(json_string_value(json_object_get(object, "kind")), "Pod");
	note(context,
	     text_printf("+%s@%s", field(object, "name"), field(object, "resourceVersion")));
}

static void on_deleted(void *context, json_t *object)
{
	note(context, text_printf("-%s", field(object, "name")));
}

static void on_synced(void *context)
{
	note(context, xstrdup("*"));
}

static void on_trouble(void *context, const struct error *error)
{
	struct record *record = context;

	if (error && !record->trouble)
		record->trouble = error_copy(error);
	note(context, xstrdup(error ? "!" : "ok"));
}

static const struct kube_watch_events watch_events = {
	.changed = on_changed, .deleted = on_deleted, .synced = on_synced, .trouble = on_trouble
};

static bool has_reached(const void *context)
{
	const struct record *record = context;

	return record->text && text_ends_with(record->text, record->until);
}

static void follow(struct fake_kube *kube, struct record *record, const char *until)
{
	static const struct kube_watch_options options = { .kind = &kube_pods,
		                                           .label_selector = "a=b" };
	scoped(error) struct error *err = NULL;

	if (!record->watch) {
		record->watch =
			kube_watch_start(kube->client, &options, &watch_events, record, &err);
		assert_ok(record->watch, err);
	}
	record->until = until;
	if (!loop_run_until(kube->loop, has_reached, record, loop_now_ms() + PATIENCE_MS))
		fail_msg("'%s' does not end in '%s'", record->text ? record->text : "", until);
}

static void test_kube_watch__lists_then_follows_events(void **state)
{
	scoped(text) char *list = NULL;
	scoped(text) char *watch = NULL;
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	say_list(&script, LIST("5", POD("a", "1") "," POD("b", "2")));
	say_watch(&script, "&resourceVersion=5&",
	          LINES(EVENT("MODIFIED", POD("a", "6")), EVENT("BOOKMARK", POD("", "7")),
	                EVENT("DELETED", POD("b", "8")), EVENT("ADDED", POD("c", "9"))),
	          FAKE_HOLD);
	fake_kube_open(&kube, script.answers, script.count);

	follow(&kube, &record, "+c@9");

	assert_string_equal(record.text, "+a@1 +b@2 * +a@6 -b +c@9");
	list = fake_http_request(kube.server, 0);
	watch = fake_http_request(kube.server, 1);
	assert_true(text_starts_with(
		list, "GET /api/v1/namespaces/spark/pods?limit=500&labelSelector=a%3Db HTTP"));
	assert_non_null(strstr(watch, "?watch=true&allowWatchBookmarks=true&timeoutSeconds="));
}

static void test_kube_watch__resumes_after_a_cut_in_mid_line(void **state)
{
	const char *half = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			   "ffff\r\n" EVENT("ADDED", POD("a", "6")) "\n"
								    "{\"type\": \"ADDED\", \"obj";
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	say_list(&script, LIST("5", ""));
	add(&script, "&resourceVersion=5&", xstrdup(half))->after = FAKE_CLOSE;
	say_watch(&script, "&resourceVersion=6&", LINES(EVENT("ADDED", POD("b", "7"))), FAKE_HOLD);
	fake_kube_open(&kube, script.answers, script.count);

	follow(&kube, &record, "+b@7");

	assert_string_equal(record.text, "* +a@6 +b@7");
}

static void test_kube_watch__resumes_from_a_bookmark(void **state)
{
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	say_list(&script, LIST("5", ""));
	say_watch(&script, "&resourceVersion=5&", LINES(EVENT("BOOKMARK", POD("", "77"))),
	          FAKE_KEEP);
	say_watch(&script, "&resourceVersion=77&", LINES(EVENT("ADDED", POD("b", "78"))),
	          FAKE_HOLD);
	fake_kube_open(&kube, script.answers, script.count);

	follow(&kube, &record, "+b@78");

	assert_string_equal(record.text, "* +b@78");
}

static void expect_relist(struct script *script)
{
	FAKE_KUBE(kube);
	RECORD(record);
	say_list(script, LIST("20", POD("a", "1") "," POD("c", "15")));
	say_watch(script, "&resourceVersion=20&", LINES(EVENT("ADDED", POD("d", "21"))), FAKE_HOLD);
	fake_kube_open(&kube, script->answers, script->count);

	follow(&kube, &record, "+d@21");

	/* a is as it was; b has disappeared while nobody watched */
	assert_string_equal(record.text, "+a@1 +b@2 * +c@15 -b * +d@21");
}

static void test_kube_watch__lists_anew_after_a_gone_status(void **state)
{
	SCRIPT(script);
	(void)state;
	say_list(&script, LIST("5", POD("a", "1") "," POD("b", "2")));
	add(&script, "&resourceVersion=5&", fake_http_json("410 Gone", NULL, GONE));

	expect_relist(&script);
}

static void test_kube_watch__lists_anew_after_a_gone_event(void **state)
{
	SCRIPT(script);
	(void)state;
	say_list(&script, LIST("5", POD("a", "1") "," POD("b", "2")));
	say_watch(&script, "&resourceVersion=5&", LINES(EVENT("ERROR", GONE)), FAKE_HOLD);

	expect_relist(&script);
}

static void test_kube_watch__reads_all_pages_before_it_is_synced(void **state)
{
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	add(&script, "?limit=500&labelSelector",
	    fake_http_json("200 OK", NULL,
	                   "{\"metadata\": {\"resourceVersion\": \"5\", \"continue\": \"c/1\"}, "
	                   "\"items\": [" POD("a", "1") "]}"));
	add(&script, "?limit=500&continue=c%2F1",
	    fake_http_json("200 OK", NULL, LIST("5", POD("b", "2"))));
	say_watch(&script, "&resourceVersion=5&", NO_LINES, FAKE_HOLD);
	fake_kube_open(&kube, script.answers, script.count);

	follow(&kube, &record, "*");

	assert_string_equal(record.text, "+a@1 +b@2 *");
}

static void test_kube_watch__selects_one_by_its_name(void **state)
{
	const struct kube_watch_options options = { .kind = &kube_pods,
		                                    .namespace = "ns",
		                                    .field_selector = "metadata.name=a",
		                                    .page_size = 50 };
	scoped(text) char *list = NULL;
	scoped(text) char *watch = NULL;
	json_auto_t *known = NULL;
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	say_list(&script, LIST("5", POD("a", "1")));
	say_watch(&script, "&resourceVersion=5&", LINES(EVENT("MODIFIED", POD("a", "6"))),
	          FAKE_HOLD);
	fake_kube_open(&kube, script.answers, script.count);
	record.watch = kube_watch_start(kube.client, &options, &watch_events, &record, NULL);

	follow(&kube, &record, "+a@6");

	list = fake_http_request(kube.server, 0);
	watch = fake_http_request(kube.server, 1);
	assert_true(text_starts_with(list, "GET /api/v1/namespaces/ns/pods?limit=50&fieldSelector="
	                                   "metadata.name%3Da HTTP"));
	assert_non_null(strstr(watch, "&fieldSelector=metadata.name%3Da HTTP"));
	known = kube_watch_find(record.watch, "a");
	assert_string_equal(field(known, "resourceVersion"), "6");
	assert_null(kube_watch_find(record.watch, "b"));
}

static bool keeps_a(void *context, const json_t *object)
{
	(void)context;
	return text_equal(field(object, "name"), "a");
}

static void test_kube_watch__keeps_only_what_it_is_asked_to(void **state)
{
	const struct kube_watch_options options = { .kind = &kube_pods, .label_selector = "a=b" };
	struct kube_watch_events events = watch_events;
	json_auto_t *a = NULL;
	json_auto_t *b = NULL;
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	events.keeps = keeps_a;
	say_list(&script, LIST("5", POD("a", "1") "," POD("b", "2")));
	add(&script, "&resourceVersion=5&", fake_http_json("410 Gone", NULL, GONE));
	say_list(&script, LIST("6", POD("a", "1")));
	say_watch(&script, "&resourceVersion=6&", NO_LINES, FAKE_HOLD);
	fake_kube_open(&kube, script.answers, script.count);
	record.watch = kube_watch_start(kube.client, &options, &events, &record, NULL);

	follow(&kube, &record, "*");
	a = kube_watch_find(record.watch, "a");
	b = kube_watch_find(record.watch, "b");
	assert_non_null(a);
	assert_null(b);
	follow(&kube, &record, "-b *");

	assert_string_equal(record.text, "+a@1 +b@2 * -b *");
}

static void test_kube_watch__renews_a_credential_that_ends_while_it_watches(void **state)
{
	char path[] = "/tmp/stepop-test-XXXXXX";
	struct kube_config *config;
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	close(mkstemp(path));
	assert_true(file_write_atomic(path, "new", 3, 0600, NULL));
	say_list(&script, LIST("5", POD("a", "1")));
	say_watch(&script, "Bearer old", LINES(EVENT("MODIFIED", POD("a", "6"))), FAKE_KEEP);
	add(&script, "Bearer old", fake_http_json("401 Unauthorized", NULL, "{}"));
	say_watch(&script, "Bearer new", LINES(EVENT("MODIFIED", POD("a", "7"))), FAKE_HOLD);
	fake_kube_open(&kube, script.answers, script.count);
	config = (struct kube_config *)kube_client_config(kube.client);
	config->token_file = xstrdup(path);
	config->token = xstrdup("old");
	config->token_read_at_ms = loop_now_ms();

	follow(&kube, &record, "+a@7");

	assert_string_equal(record.text, "+a@1 * +a@6 +a@7"); /* nothing to be told of */
	unlink(path);
}

static void test_kube_watch__takes_a_5_mb_object(void **state)
{
	size_t size = 5000000;
	char *filler = xcalloc(size + 1, 1);
	scoped(text) char *event = NULL;
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	memset(filler, 'x', size);
	event = text_printf("{\"type\": \"ADDED\", \"object\": {\"metadata\": {\"name\": \"big\", "
	                    "\"uid\": \"u\", \"resourceVersion\": \"6\"}, \"data\": \"%s\"}}",
	                    filler);
	free(filler);
	say_list(&script, LIST("5", ""));
	say_watch(&script, "&resourceVersion=5&", LINES(event, EVENT("ADDED", POD("b", "7"))),
	          FAKE_HOLD);
	fake_kube_open(&kube, script.answers, script.count);

	follow(&kube, &record, "+b@7");

	assert_string_equal(record.text, "* +big@6 +b@7");
}

static void test_kube_watch__tells_trouble_and_goes_on(void **state)
{
	SCRIPT(script);
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	add(&script, "?limit=",
	    fake_http_json("403 Forbidden", NULL,
	                   "{\"kind\": \"Status\", \"code\": 403, \"message\": \"pods is "
	                   "forbidden\"}"));
	add(&script, "?limit=", fake_http_json("503 Unavailable", NULL, ""));
	say_list(&script, LIST("5", POD("a", "1")));
	add(&script, "?watch=", fake_http_json("500 Oops", NULL, "{}"));
	say_watch(&script, "&resourceVersion=5&", LINES("nonsense"), FAKE_HOLD);
	say_list(&script, LIST("6", POD("a", "2")));
	say_watch(&script, "&resourceVersion=6&", NO_LINES, FAKE_HOLD);
	fake_kube_open(&kube, script.answers, script.count);

	follow(&kube, &record, "+a@2 *");

	assert_string_equal(record.text, "! ! ok +a@1 * ! ok ! ok +a@2 *");
	assert_int_equal(record.trouble->kind, ERROR_AUTH);
	assert_error_contains(record.trouble, "watch pods: pods is forbidden");
}

static void test_kube_watch__tells_that_the_server_is_away(void **state)
{
	FAKE_KUBE(kube);
	RECORD(record);
	(void)state;
	fake_kube_open(&kube, NULL, 0);
	fake_http_free(take(kube.server));

	follow(&kube, &record, "! !");

	assert_error_contains(record.trouble, "cannot reach the API server");
	assert_error_contains(record.trouble, "connection refused");
}

static void test_kube_watch__can_be_cancelled_in_any_callback(void **state)
{
	static const char *const places[] = { "+a@1", "+b@2", "*", "+c@6", "-a", "!" };
	size_t i;
	(void)state;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		scoped(error) struct error *err = NULL;
		SCRIPT(script);
		FAKE_KUBE(kube);
		RECORD(record);
		say_list(&script, LIST("5", POD("a", "1") "," POD("b", "2")));
		say_watch(&script, "?watch=true",
		          LINES(EVENT("ADDED", POD("c", "6")), EVENT("DELETED", POD("a", "7")),
		                EVENT("ERROR", "{\"code\": 500}")),
		          FAKE_HOLD);
		fake_kube_open(&kube, script.answers, script.count);
		record.cancel_at = places[i];
		record.until = "never";
		record.watch = kube_watch_start(kube.client,
		                                &(struct kube_watch_options){ .kind = &kube_pods },
		                                &watch_events, &record, &err);

		loop_run_until(kube.loop, has_reached, &record, loop_now_ms() + PATIENCE_MS);

		if (record.watch)
			fail_msg("'%s' without '%s'", record.text, places[i]);
		assert_true(text_ends_with(record.text, places[i]));
	}
}

/* ---- logs ---- */

struct log {
	struct kube_log_stream *stream;
	char *text;
	int ends;
	struct error *error;
	size_t longest;
	const char *cancel_at;
};

static void release_log(struct log *log)
{
	if (!log->ends)
		kube_log_stream_cancel(log->stream);
	free(log->text);
	error_free(log->error);
}
#define LOG(name) __attribute__((__cleanup__(release_log))) struct log name = { 0 }

static void on_line(void *context, const char *line, size_t size)
{
	struct log *log = context;
	scoped(text) char *before = log->text;
	scoped(text) char *own = xstrndup(line, size);

	log->longest = size > log->longest ? size : log->longest;
	log->text = text_printf("%s%s|", before ? before : "", size < 100 ? own : "long");
	if (text_equal(own, log->cancel_at))
		kube_log_stream_cancel(take(log->stream));
}

static void on_ended(void *context, const struct error *error)
{
	struct log *log = context;

	log->ends++;
	log->error = error_copy(error);
}

static const struct kube_log_events log_events = { on_line, on_ended };

static bool has_ended(const void *context)
{
	return ((const struct log *)context)->ends;
}

static void read_log(struct fake_kube *kube, struct script *script, struct log *log, bool follows)
{
	scoped(error) struct error *err = NULL;

	fake_kube_open(kube, script->answers, script->count);
	log->stream = kube_log_stream_start(kube->client, NULL, "p", "main", follows, &log_events,
	                                    log, &err);
	assert_ok(log->stream, err);
	assert_true(loop_run_until(kube->loop, has_ended, log, loop_now_ms() + PATIENCE_MS) ||
	            log->cancel_at);
}

#define AT(fraction) "2026-11-21T09:00:01" fraction "Z "
#define LATER "2026-11-21T09:00:02.5Z "
#define POD_STATE(state)                                                                      \
	"{\"status\": {\"phase\": \"Running\", \"containerStatuses\": [{\"name\": \"main\", " \
	"\"state\": {\"" state "\": {}}}]}}"

static void say_pod(struct script *script, const char *body)
{
	add(script, "/pods/p HTTP", fake_http_json("200 OK", NULL, body));
}

static void test_kube_log_stream__reads_a_log_once(void **state)
{
	scoped(text) char *sent = NULL;
	SCRIPT(script);
	FAKE_KUBE(kube);
	LOG(log);
	(void)state;
	add(&script, "/pods/p/log?",
	    fake_http_json("200 OK", NULL, AT(".1") "one\n" AT(".2") "\n" LATER "no newline"));

	read_log(&kube, &script, &log, false);

	sent = fake_http_request(kube.server, 0);
	assert_string_equal(log.text, "one||no newline|");
	assert_null(log.error);
	assert_non_null(strstr(sent, "/log?container=main&timestamps=true HTTP"));
}

static void test_kube_log_stream__resumes_without_repeating_or_losing_a_line(void **state)
{
	scoped(text) char *sent = NULL;
	SCRIPT(script);
	FAKE_KUBE(kube);
	LOG(log);
	(void)state;
	/* two lines of one moment; the cut comes in the middle of the third */
	add(&script, "/log?",
	    xstrdup("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n" AT(
		    ".123") "one\n" AT(".123") "one\n" AT(".124") "thr"))
		->after = FAKE_CLOSE;
	add(&script, "&sinceTime=2026-11-21T09%3A00%3A01Z",
	    fake_http_json("200 OK", NULL,
	                   AT(".123") "one\n" AT(".123") "one\n" AT(".124") "three\n" AT(
				   ".124") "four\n" LATER "five\n"));
	say_pod(&script, POD_STATE("terminated"));
	add(&script, "&sinceTime=2026-11-21T09%3A00%3A02Z",
	    fake_http_json("200 OK", NULL, LATER "five\n" LATER "six\n"));

	read_log(&kube, &script, &log, true);

	assert_string_equal(log.text, "one|one|three|four|five|six|");
	assert_null(log.error);
	sent = fake_http_request(kube.server, 3);
	assert_null(strstr(sent, "follow=true"));
}

static void test_kube_log_stream__goes_on_while_the_container_runs(void **state)
{
	SCRIPT(script);
	FAKE_KUBE(kube);
	LOG(log);
	(void)state;
	add(&script, "/log?", fake_http_json("200 OK", NULL, AT(".1") "one\n"));
	say_pod(&script, POD_STATE("running"));
	add(&script, "/log?", fake_http_json("200 OK", NULL, AT(".1") "one\n" AT(".1") "two\n"));
	say_pod(&script, POD_STATE("terminated"));
	add(&script, "/log?", fake_http_json("200 OK", NULL, AT(".1") "one\n" AT(".1") "two\n"));

	read_log(&kube, &script, &log, true);

	assert_string_equal(log.text, "one|two|");
}

static void test_kube_log_stream__waits_for_the_container(void **state)
{
	SCRIPT(script);
	FAKE_KUBE(kube);
	LOG(log);
	(void)state;
	add(&script, "/log?",
	    fake_http_json("400 Bad Request", NULL,
	                   "{\"kind\": \"Status\", \"code\": 400, \"message\": \"container "
	                   "\\\"main\\\" in pod \\\"p\\\" is waiting to start: "
	                   "ContainerCreating\"}"));
	add(&script, "/log?", fake_http_json("200 OK", NULL, AT(".1") "one\n"));
	say_pod(&script, POD_STATE("terminated"));
	add(&script, "/log?", fake_http_json("200 OK", NULL, AT(".1") "one\n"));

	read_log(&kube, &script, &log, true);

	assert_string_equal(log.text, "one|");
	assert_null(log.error);
}

static void test_kube_log_stream__says_why_a_log_cannot_be_had(void **state)
{
	SCRIPT(script);
	FAKE_KUBE(kube);
	LOG(log);
	(void)state;
	add(&script, "/log?",
	    fake_http_json("404 Not Found", NULL,
	                   "{\"kind\": \"Status\", \"code\": 404, \"message\": \"pods \\\"p\\\" "
	                   "not found\"}"));

	read_log(&kube, &script, &log, true);

	assert_null(log.text);
	assert_int_equal(log.error->kind, ERROR_NOT_FOUND);
	assert_error_contains(log.error, "read the log of pod 'p' in namespace 'spark': pods \"p\" "
	                                 "not found");
}

static void test_kube_log_stream__cuts_endless_lines_into_pieces(void **state)
{
	size_t size = (size_t)3 << 20;
	char *filler = xcalloc(size + 1, 1);
	scoped(text) char *body = NULL;
	SCRIPT(script);
	FAKE_KUBE(kube);
	LOG(log);
	(void)state;
	memset(filler, 'x', size);
	body = text_printf(AT(".1") "%s\n" AT(".2") "next\n", filler);
	free(filler);
	add(&script, "/log?", fake_http_json("200 OK", NULL, body));

	read_log(&kube, &script, &log, false);

	assert_string_equal(log.text, "long|long|long|xxxxxxxxxxxxxxxxxxxxxxx|next|");
	assert_true(log.longest <= (size_t)1 << 20);
}

static void test_kube_log_stream__can_be_cancelled_in_a_callback(void **state)
{
	SCRIPT(script);
	FAKE_KUBE(kube);
	LOG(log);
	(void)state;
	log.cancel_at = "one";
	add(&script, "/log?", fake_http_json("200 OK", NULL, AT(".1") "one\n" AT(".2") "two\n"));

	read_log(&kube, &script, &log, true);

	assert_string_equal(log.text, "one|");
	assert_int_equal(log.ends, 0);
}

static void test_kube_backoff__doubles_to_ten_seconds(void **state)
{
	struct kube_backoff backoff = { 0 };
	int64_t last = 0;
	int i;
	(void)state;

	assert_int_equal(kube_backoff_next(&backoff), 0);
	for (i = 0; i < 20; i++)
		last = kube_backoff_next(&backoff);

	assert_in_range(last, 5000, 10000);
	assert_int_equal(backoff.tries, 21);
	kube_backoff_reset(&backoff);
	assert_int_equal(kube_backoff_next(&backoff), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kube_watch__lists_then_follows_events),
		cmocka_unit_test(test_kube_watch__resumes_after_a_cut_in_mid_line),
		cmocka_unit_test(test_kube_watch__resumes_from_a_bookmark),
		cmocka_unit_test(test_kube_watch__lists_anew_after_a_gone_status),
		cmocka_unit_test(test_kube_watch__lists_anew_after_a_gone_event),
		cmocka_unit_test(test_kube_watch__reads_all_pages_before_it_is_synced),
		cmocka_unit_test(test_kube_watch__selects_one_by_its_name),
		cmocka_unit_test(test_kube_watch__keeps_only_what_it_is_asked_to),
		cmocka_unit_test(test_kube_watch__renews_a_credential_that_ends_while_it_watches),
		cmocka_unit_test(test_kube_watch__takes_a_5_mb_object),
		cmocka_unit_test(test_kube_watch__tells_trouble_and_goes_on),
		cmocka_unit_test(test_kube_watch__tells_that_the_server_is_away),
		cmocka_unit_test(test_kube_watch__can_be_cancelled_in_any_callback),
		cmocka_unit_test(test_kube_log_stream__reads_a_log_once),
		cmocka_unit_test(test_kube_log_stream__resumes_without_repeating_or_losing_a_line),
		cmocka_unit_test(test_kube_log_stream__goes_on_while_the_container_runs),
		cmocka_unit_test(test_kube_log_stream__waits_for_the_container),
		cmocka_unit_test(test_kube_log_stream__says_why_a_log_cannot_be_had),
		cmocka_unit_test(test_kube_log_stream__cuts_endless_lines_into_pieces),
		cmocka_unit_test(test_kube_log_stream__can_be_cancelled_in_a_callback),
		cmocka_unit_test(test_kube_backoff__doubles_to_ten_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
