/* SPDX-License-Identifier: Apache-2.0 */
/* oci_blobs_copy(): what is copied, and what happens when either side breaks. */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "cloud/oci_registry.h"
#include "core/memory.h"
#include "core/text.h"
#include "tests/fakes/oci_fixture.h"

/* Long enough for a busy machine; no test waits for it unless it fails. */
#define PATIENCE_MS 20000
#define BLOB "the bytes of a layer"
#define SIZE ((int64_t)sizeof(BLOB) - 1)
#define EMPTY(status, headers) "HTTP/1.1 " status "\r\n" headers "Content-Length: 0\r\n\r\n"
#define ABSENT                                                                       \
	{                                                                            \
		.match = "HEAD /v2/", .bytes = EMPTY("404 None", ""), .repeat = true \
	}
#define SESSION(number)                                                        \
	{                                                                      \
		.match = "POST /v2/to/blobs/uploads/ ",                        \
		.bytes = EMPTY("202 Accepted", "Location: /up/" number "\r\n") \
	}
#define TAKES(number)                                                               \
	{                                                                           \
		.match = "PATCH /up/" number " ",                                   \
		.bytes = EMPTY("202 Accepted", "Location: /up/" number "?done\r\n") \
	}
#define ENDS(number)                                                 \
	{                                                            \
		.match = "PUT /up/" number "?done&digest=sha256%3A", \
		.bytes = EMPTY("201 Created", "")                    \
	}

struct copy {
	struct fake_http *source, *sink;
	struct oci_registry *from, *to;
	char *digest;
	struct oci_blob blob;
	struct oci_copy_request request;
	struct oci_copy_outcome outcome;
	struct error *err;
	bool has_ended;
};

static struct copy *copy_new(const struct oci_fixture *fixture,
                             const struct fake_http_answer *source, size_t source_count,
                             const struct fake_http_answer *sink, size_t sink_count)
{
	struct copy *copy = xcalloc(1, sizeof(*copy));

	copy->source = fake_http_start(source, source_count, NULL);
	copy->sink = fake_http_start(sink, sink_count, NULL);
	copy->from = oci_fixture_open(fixture, copy->source, NULL);
	copy->to = oci_fixture_open(fixture, copy->sink, NULL);
	copy->digest = oci_fixture_digest(BLOB);
	copy->blob = (struct oci_blob){ .digest = copy->digest, .size_bytes = SIZE };
	copy->request = (struct oci_copy_request){ .from = { copy->from, "base/spark" },
		                                   .to = { copy->to, "to" },
		                                   .blobs = &copy->blob,
		                                   .count = 1,
		                                   .context = copy };
	return copy;
}
#define COPY(fixture, source, sink) \
	copy_new(fixture, source, ARRAY_SIZE(source), sink, ARRAY_SIZE(sink))

static void copy_free(struct copy *copy)
{
	oci_registry_free(copy->from);
	oci_registry_free(copy->to);
	fake_http_free(copy->source);
	fake_http_free(copy->sink);
	error_free(copy->err);
	free(copy->digest);
	free(copy);
}
DEFINE_CLEANUP(copy);

static bool run(struct copy *copy)
{
	return oci_blobs_copy(&copy->request, &copy->outcome, &copy->err);
}

/* The request to `sink` that holds `part` has this body. */
static void assert_body(struct copy *copy, const char *part, const char *body)
{
	scoped(text) char *request = oci_fixture_find(copy->sink, part);
	const char *end = request ? strstr(request, "\r\n\r\n") : NULL;

	assert_non_null(end);
	assert_string_equal(end + 4, body);
}

static void assert_copied(struct copy *copy)
{
	assert_int_equal(copy->outcome.copied, 1);
	assert_int_equal(copy->outcome.copied_bytes, SIZE);
}

static const struct fake_http_answer gives = {
	.match = "GET /v2/base/spark/blobs/sha256:",
	.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" BLOB,
	.repeat = true,
};

/* ---- what is copied ---- */

static void test_oci_blobs_copy__streams_what_the_target_lacks(void **state)
{
	const struct fake_http_answer source[] = { gives };
	const struct fake_http_answer sink[] = { ABSENT, SESSION("1"), TAKES("1"), ENDS("1") };
	scoped(copy) struct copy *copy = COPY(*state, source, sink);
	scoped(text) char *patch = NULL;

	assert_ok(run(copy), copy->err);

	assert_copied(copy);
	assert_body(copy, "PATCH /up/1 ", BLOB);
	patch = oci_fixture_find(copy->sink, "PATCH /up/1 ");
	assert_non_null(strstr(patch, "Content-Length: 20\r\n"));
	assert_null(strstr(patch, "Content-Range"));
}

static void test_oci_blobs_copy__copies_nothing_that_is_there(void **state)
{
	const struct fake_http_answer sink[] = {
		{ .match = "HEAD /v2/to/blobs/sha256:", .bytes = EMPTY("200 OK", "") },
	};
	scoped(copy) struct copy *copy = copy_new(*state, NULL, 0, sink, 1);

	assert_ok(run(copy), copy->err);

	assert_int_equal(copy->outcome.present, 1);
	assert_int_equal(copy->outcome.copied, 0);
	assert_int_equal(fake_http_requests(copy->source), 0);
}

static void test_oci_blobs_copy__mounts_within_one_registry(void **state)
{
	static const struct {
		const char *answer;
		size_t mounted, copied;
	} cases[] = {
		{ EMPTY("201 Created", ""), 1, 0 },
		{ EMPTY("202 Accepted", "Location: /up/1\r\n"), 0, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct fake_http_answer sink[] = {
			ABSENT,
			gives,
			TAKES("1"),
			ENDS("1"),
			{ .match = "POST /v2/to/blobs/uploads/?mount=", .bytes = cases[i].answer },
		};
		scoped(copy) struct copy *copy = copy_new(*state, NULL, 0, sink, 5);

		copy->request.from.registry = copy->to;
		assert_ok(run(copy), copy->err);

		assert_int_equal(copy->outcome.mounted, cases[i].mounted);
		assert_int_equal(copy->outcome.copied, cases[i].copied);
	}
}

static void test_oci_blobs_copy__copies_the_same_blob_once(void **state)
{
	const struct fake_http_answer source[] = { gives };
	const struct fake_http_answer sink[] = { ABSENT, SESSION("1"), TAKES("1"), ENDS("1") };
	scoped(copy) struct copy *copy = COPY(*state, source, sink);
	const struct oci_blob twice[] = { copy->blob, copy->blob };

	copy->request.blobs = twice;
	copy->request.count = 2;

	assert_ok(run(copy), copy->err);

	assert_copied(copy);
}

static void test_oci_blobs_copy__ends_an_empty_blob_at_once(void **state)
{
	const struct fake_http_answer sink[] = {
		ABSENT,
		SESSION("1"),
		{ .match = "PUT /up/1?digest=", .bytes = EMPTY("201 Created", "") },
	};
	scoped(copy) struct copy *copy = copy_new(*state, NULL, 0, sink, 3);

	copy->blob.size_bytes = 0;

	assert_ok(run(copy), copy->err);

	assert_int_equal(copy->outcome.copied, 1);
}

static void test_oci_blobs_copy__refuses_what_is_no_digest(void **state)
{
	scoped(copy) struct copy *copy = copy_new(*state, NULL, 0, NULL, 0);

	copy->blob.digest = "sha256:../../etc";

	assert_false(run(copy));

	assert_int_equal(copy->err->kind, ERROR_INVALID);
}

/* ---- the source breaks ---- */

static void test_oci_blobs_copy__goes_on_where_the_source_broke(void **state)
{
	const struct fake_http_answer source[] = {
		{ .match = "GET /v2/base/spark/blobs/sha256:",
		  .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nthe bytes",
		  .after = FAKE_CLOSE },
		{ .match = "Range: bytes=9-\r\n",
		  .bytes = "HTTP/1.1 206 Partial\r\nContent-Length: 11\r\n\r\n of a layer" },
	};
	const struct fake_http_answer sink[] = { ABSENT, SESSION("1"), TAKES("1"), ENDS("1") };
	scoped(copy) struct copy *copy = COPY(*state, source, sink);

	assert_ok(run(copy), copy->err);

	assert_copied(copy);
	assert_body(copy, "PATCH /up/1 ", BLOB);
}

static void test_oci_blobs_copy__asks_a_source_again_that_has_gone_silent(void **state)
{
	const struct fake_http_answer source[] = {
		{ .match = "GET /v2/base/spark/blobs/sha256:",
		  .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nthe bytes",
		  .after = FAKE_HOLD },
		{ .match = "Range: bytes=9-\r\n",
		  .bytes = "HTTP/1.1 206 Partial\r\nContent-Length: 11\r\n\r\n of a layer",
		  .slow_size = 4,
		  .slow_ms = 10 },
	};
	const struct fake_http_answer sink[] = { ABSENT, SESSION("1"), TAKES("1"), ENDS("1") };
	scoped(copy) struct copy *copy = COPY(*state, source, sink);

	oci_registry_free(copy->from);
	copy->from = oci_fixture_open(
		*state, copy->source,
		&(struct oci_registry_options){ .anonymous = true, .stall_timeout_ms = 1000 });
	copy->request.from.registry = copy->from;

	assert_ok(run(copy), copy->err);

	assert_copied(copy);
	assert_body(copy, "PATCH /up/1 ", BLOB);
}

static void test_oci_blobs_copy__begins_anew_where_the_source_knows_no_ranges(void **state)
{
	const struct fake_http_answer source[] = {
		{ .match = "GET /v2/base/spark/blobs/sha256:",
		  .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nthe bytes",
		  .after = FAKE_CLOSE },
		gives,
	};
	/* That the target could go on is of no use then. */
	const struct fake_http_answer sink[] = {
		ABSENT,
		SESSION("1"),
		{ .match = "GET /up/1 ",
		  .bytes = "HTTP/1.1 204 No\r\nRange: 0-8\r\n\r\n",
		  .repeat = true },
		SESSION("2"),
		TAKES("2"),
		ENDS("2"),
	};
	scoped(copy) struct copy *copy = COPY(*state, source, sink);

	assert_ok(run(copy), copy->err);

	assert_copied(copy);
	assert_body(copy, "PATCH /up/2 ", BLOB);
}

static void test_oci_blobs_copy__gives_up_a_source_that_is_away_for_long(void **state)
{
	const struct fake_http_answer source[] = {
		{ .match = "GET /v2/base/spark/blobs/sha256:",
		  .bytes = EMPTY("503 Busy", "Retry-After: 3600\r\n") },
	};
	const struct fake_http_answer sink[] = { ABSENT, SESSION("1") };
	scoped(copy) struct copy *copy = COPY(*state, source, sink);

	assert_false(run(copy));

	assert_int_equal(copy->err->kind, ERROR_UNAVAILABLE);
	assert_error_contains(copy->err, "base/spark, layer 'sha256:");
}

static void test_oci_blobs_copy__refuses_a_source_with_other_sizes(void **state)
{
	static const char *const answers[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nshort",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n" BLOB "s",
	};

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		const struct fake_http_answer source[] = { { .match = "GET /v2/",
			                                     .bytes = answers[i] } };
		const struct fake_http_answer sink[] = { ABSENT, SESSION("1"), TAKES("1") };
		scoped(copy) struct copy *copy = COPY(*state, source, sink);

		assert_false(run(copy));

		assert_int_equal(copy->err->kind, ERROR_INVALID);
		assert_error_contains(copy->err, "the manifest says 20");
	}
}

static void test_oci_blobs_copy__says_that_the_source_does_not_have_it(void **state)
{
	scoped(text) char *refusal = fake_http_json(
		"404 Not Found", NULL,
		"{\"errors\":[{\"code\":\"BLOB_UNKNOWN\",\"message\":\"blob unknown\"}]}");
	const struct fake_http_answer source[] = { { .match = "GET /v2/", .bytes = refusal } };
	const struct fake_http_answer sink[] = { ABSENT, SESSION("1") };
	scoped(copy) struct copy *copy = COPY(*state, source, sink);

	assert_false(run(copy));

	assert_int_equal(copy->err->kind, ERROR_NOT_FOUND);
	assert_error_contains(copy->err, "base/spark, layer 'sha256:");
}

/* ---- the target breaks ---- */

static void test_oci_blobs_copy__goes_on_from_what_the_target_has(void **state)
{
	const struct fake_http_answer source[] = {
		{ .match = "Range: bytes=9-\r\n",
		  .bytes = "HTTP/1.1 206 Partial\r\nContent-Length: 11\r\n\r\n of a layer" },
		gives,
	};
	const struct fake_http_answer sink[] = {
		ABSENT,
		SESSION("1"),
		{ .match = "PATCH /up/1 ", .bytes = "", .after = FAKE_CLOSE },
		{ .match = "GET /up/1 ",
		  .bytes = "HTTP/1.1 204 No\r\nLocation: /up/2\r\nRange: 0-8\r\n\r\n" },
		TAKES("2"),
		ENDS("2"),
	};
	scoped(copy) struct copy *copy = COPY(*state, source, sink);
	scoped(text) char *patch = NULL;

	assert_ok(run(copy), copy->err);

	assert_copied(copy);
	assert_body(copy, "PATCH /up/2 ", " of a layer");
	patch = oci_fixture_find(copy->sink, "PATCH /up/2 ");
	assert_non_null(strstr(patch, "Content-Range: 9-19\r\n"));
}

static void test_oci_blobs_copy__ends_what_the_target_has_whole(void **state)
{
	const struct fake_http_answer source[] = { gives };
	const struct fake_http_answer sink[] = {
		ABSENT,
		SESSION("1"),
		{ .match = "PATCH /up/1 ", .bytes = "", .after = FAKE_CLOSE },
		{ .match = "GET /up/1 ", .bytes = "HTTP/1.1 204 No\r\nRange: 0-19\r\n\r\n" },
		{ .match = "PUT /up/1?digest=", .bytes = EMPTY("201 Created", "") },
	};
	scoped(copy) struct copy *copy = COPY(*state, source, sink);

	assert_ok(run(copy), copy->err);

	assert_copied(copy);
}

static void test_oci_blobs_copy__begins_anew_when_the_upload_is_forgotten(void **state)
{
	const struct fake_http_answer source[] = { gives };
	const struct fake_http_answer sink[] = {
		ABSENT,
		SESSION("1"),
		{ .match = "PATCH /up/1 ", .bytes = EMPTY("503 Busy", "") },
		{ .match = "GET /up/1 ", .bytes = EMPTY("404 Gone", "") },
		SESSION("2"),
		TAKES("2"),
		ENDS("2"),
	};
	scoped(copy) struct copy *copy = COPY(*state, source, sink);

	assert_ok(run(copy), copy->err);

	assert_copied(copy);
	assert_body(copy, "PATCH /up/2 ", BLOB);
}

static void test_oci_blobs_copy__looks_whether_a_lost_answer_was_a_good_one(void **state)
{
	const struct fake_http_answer source[] = { gives };
	const struct fake_http_answer sink[] = {
		{ .match = "HEAD /v2/", .bytes = EMPTY("404 None", "") },
		SESSION("1"),
		TAKES("1"),
		{ .match = "PUT /up/1?done&digest=", .bytes = "", .after = FAKE_CLOSE },
		{ .match = "PUT /up/1?done&digest=",
		  .bytes = "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n"
		           "Content-Length: 56\r\n\r\n"
		           "{\"errors\":[{\"code\":\"BLOB_UPLOAD_UNKNOWN\",\"message\":\"\"}]} " },
		{ .match = "HEAD /v2/", .bytes = EMPTY("200 OK", "") },
	};
	scoped(copy) struct copy *copy = COPY(*state, source, sink);

	assert_ok(run(copy), copy->err);

	assert_copied(copy);
}

static void test_oci_blobs_copy__says_that_the_source_gave_other_bytes(void **state)
{
	scoped(text) char *refusal = fake_http_json(
		"400 Bad Request", NULL,
		"{\"errors\":[{\"code\":\"DIGEST_INVALID\",\"message\":\"no match\"}]}");
	const struct fake_http_answer source[] = { gives };
	const struct fake_http_answer sink[] = {
		ABSENT,
		SESSION("1"),
		TAKES("1"),
		{ .match = "PUT /up/1", .bytes = refusal },
	};
	scoped(copy) struct copy *copy = COPY(*state, source, sink);

	assert_false(run(copy));

	assert_int_equal(copy->err->kind, ERROR_INVALID);
	assert_error_contains(copy->err, "does not have its digest");
}

/* ---- who watches ---- */

static bool stop_at_once(void *context, int64_t copied_bytes, int64_t total_bytes)
{
	(void)context;
	assert_int_equal(copied_bytes, 0);
	assert_int_equal(total_bytes, SIZE);
	return false;
}

static void test_oci_blobs_copy__can_be_stopped(void **state)
{
	const struct fake_http_answer source[] = { gives };
	const struct fake_http_answer sink[] = { ABSENT, SESSION("1"), TAKES("1"), ENDS("1") };
	scoped(copy) struct copy *copy = COPY(*state, source, sink);

	copy->request.progress = stop_at_once;

	assert_false(run(copy));

	assert_int_equal(copy->err->kind, ERROR_CANCELLED);
}

static bool note_progress(void *context, int64_t copied_bytes, int64_t total_bytes)
{
	struct copy *copy = context;

	copy->outcome.copied_bytes = copied_bytes;
	assert_true(copied_bytes <= total_bytes);
	return true;
}

static void note_end(void *context, const struct oci_copy_outcome *outcome,
                     const struct error *error)
{
	struct copy *copy = context;

	assert_int_equal(copy->outcome.copied_bytes, error ? 0 : SIZE); /* it was told of it all */
	copy->outcome = *outcome;
	copy->err = error_copy(error);
	copy->has_ended = true;
}

static bool has_ended(const void *context)
{
	return ((const struct copy *)context)->has_ended;
}

static void test_oci_copy_start__works_on_the_loop(void **state)
{
	struct oci_fixture *fixture = *state;
	const struct fake_http_answer source[] = { gives };
	const struct fake_http_answer sink[] = { ABSENT, SESSION("1"), TAKES("1"), ENDS("1") };
	scoped(copy) struct copy *copy = COPY(*state, source, sink);

	copy->request.progress = note_progress;
	assert_ok(oci_copy_start(fixture->http, &copy->request, note_end, &copy->err), copy->err);
	assert_true(loop_run_until(fixture->loop, has_ended, copy, loop_now_ms() + PATIENCE_MS));

	assert_null(copy->err);
	assert_copied(copy);
}

static void test_oci_copy_start__tells_why_it_failed(void **state)
{
	struct oci_fixture *fixture = *state;
	const struct fake_http_answer sink[] = {
		{ .match = "HEAD /v2/", .bytes = EMPTY("403 Forbidden", "") },
	};
	scoped(copy) struct copy *copy = copy_new(fixture, NULL, 0, sink, 1);

	assert_ok(oci_copy_start(fixture->http, &copy->request, note_end, &copy->err), copy->err);
	assert_true(loop_run_until(fixture->loop, has_ended, copy, loop_now_ms() + PATIENCE_MS));

	assert_int_equal(copy->err->kind, ERROR_AUTH);
}

static void test_oci_copy_cancel__lets_go_of_what_flows(void **state)
{
	struct oci_fixture *fixture = *state;
	const struct fake_http_answer source[] = {
		{ .match = "GET /v2/",
		  .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nthe",
		  .after = FAKE_HOLD },
	};
	const struct fake_http_answer sink[] = { ABSENT, SESSION("1") };
	scoped(copy) struct copy *copy = COPY(fixture, source, sink);
	struct oci_copy *running;

	running = oci_copy_start(fixture->http, &copy->request, note_end, &copy->err);
	while (!oci_fixture_count(copy->source, "GET /v2/"))
		loop_step(fixture->loop, loop_now_ms() + 10);

	oci_copy_cancel(running);

	assert_false(copy->has_ended);
}

static void test_oci_copy_start__has_three_layers_under_way(void **state)
{
	struct oci_fixture *fixture = *state;
	const struct fake_http_answer source[] = {
		{ .match = "GET /v2/",
		  .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nthe",
		  .after = FAKE_HOLD,
		  .repeat = true },
	};
	const struct fake_http_answer sink[] = {
		ABSENT,
		{ .match = "POST /v2/",
		  .bytes = EMPTY("202 Accepted", "Location: /up/1\r\n"),
		  .repeat = true },
	};
	scoped(copy) struct copy *copy = COPY(fixture, source, sink);
	char digests[5][72];
	struct oci_blob blobs[5];
	struct oci_copy *running;

	for (size_t i = 0; i < ARRAY_SIZE(blobs); i++) {
		scoped(text) char *digest =
			oci_fixture_digest((const char[]){ (char)('a' + i), 0 });

		snprintf(digests[i], sizeof(digests[i]), "%s", digest);
		blobs[i] = (struct oci_blob){ .digest = digests[i], .size_bytes = SIZE };
	}
	copy->request.blobs = blobs;
	copy->request.count = ARRAY_SIZE(blobs);

	running = oci_copy_start(fixture->http, &copy->request, note_end, &copy->err);
	while (oci_fixture_count(copy->source, "GET /v2/") < 3)
		loop_step(fixture->loop, loop_now_ms() + 10);

	assert_int_equal(oci_fixture_count(copy->sink, "POST /v2/"), 3);
	oci_copy_cancel(running);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, oci_fixture_setup, oci_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_oci_blobs_copy__streams_what_the_target_lacks),
		TEST(test_oci_blobs_copy__copies_nothing_that_is_there),
		TEST(test_oci_blobs_copy__mounts_within_one_registry),
		TEST(test_oci_blobs_copy__copies_the_same_blob_once),
		TEST(test_oci_blobs_copy__ends_an_empty_blob_at_once),
		TEST(test_oci_blobs_copy__refuses_what_is_no_digest),
		TEST(test_oci_blobs_copy__goes_on_where_the_source_broke),
		TEST(test_oci_blobs_copy__asks_a_source_again_that_has_gone_silent),
		TEST(test_oci_blobs_copy__begins_anew_where_the_source_knows_no_ranges),
		TEST(test_oci_blobs_copy__gives_up_a_source_that_is_away_for_long),
		TEST(test_oci_blobs_copy__refuses_a_source_with_other_sizes),
		TEST(test_oci_blobs_copy__says_that_the_source_does_not_have_it),
		TEST(test_oci_blobs_copy__goes_on_from_what_the_target_has),
		TEST(test_oci_blobs_copy__ends_what_the_target_has_whole),
		TEST(test_oci_blobs_copy__begins_anew_when_the_upload_is_forgotten),
		TEST(test_oci_blobs_copy__looks_whether_a_lost_answer_was_a_good_one),
		TEST(test_oci_blobs_copy__says_that_the_source_gave_other_bytes),
		TEST(test_oci_blobs_copy__can_be_stopped),
		TEST(test_oci_copy_start__works_on_the_loop),
		TEST(test_oci_copy_start__tells_why_it_failed),
		TEST(test_oci_copy_start__has_three_layers_under_way),
		TEST(test_oci_copy_cancel__lets_go_of_what_flows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
