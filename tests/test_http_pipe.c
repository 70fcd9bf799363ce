/* SPDX-License-Identifier: Apache-2.0 */
/* core/http_pipe: what one stream receives another one sends. */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "core/http.h"
#include "core/memory.h"
#include "core/text.h"
#include "tests/fakes/fake_http.h"

/* Long enough for a busy machine; no test waits for it unless it fails. */
#define PATIENCE_MS 20000
#define CAPACITY ((size_t)64 << 10)
#define BLOB_BYTES ((size_t)3 << 20)

/* ---- the ring ---- */

static void test_http_pipe_put__takes_all_or_nothing(void **state)
{
	scoped(http_pipe) struct http_pipe *pipe = http_pipe_new(8);

	(void)state;
	assert_true(http_pipe_put(pipe, "abcd", 4));
	assert_true(http_pipe_put(pipe, "efg", 3));
	assert_false(http_pipe_put(pipe, "hi", 2));

	assert_int_equal(http_pipe_received(pipe), 7);
}

static void test_http_pipe_take__gives_bytes_in_their_order_across_the_end(void **state)
{
	scoped(http_pipe) struct http_pipe *pipe = http_pipe_new(8);
	char bytes[9] = { 0 };

	(void)state;
	assert_true(http_pipe_put(pipe, "abcd", 4));
	assert_true(http_pipe_put(pipe, "ef", 2));
	assert_int_equal(http_pipe_take(pipe, bytes, 5), 5);
	assert_string_equal(bytes, "abcde");
	assert_true(http_pipe_put(pipe, "ghij", 4));

	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(http_pipe_take(pipe, bytes, 8), 5);

	assert_string_equal(bytes, "fghij");
	assert_int_equal(http_pipe_sent(pipe), 10);
}

static void test_http_pipe_wakes_writer__once_half_of_it_is_free(void **state)
{
	scoped(http_pipe) struct http_pipe *pipe = http_pipe_new(8);
	char bytes[8];

	(void)state;
	assert_true(http_pipe_put(pipe, "abcd", 4));
	assert_true(http_pipe_put(pipe, "efgh", 4));
	assert_false(http_pipe_wakes_writer(pipe)); /* it does not wait */
	assert_false(http_pipe_put(pipe, "i", 1));
	http_pipe_take(pipe, bytes, 3);
	assert_false(http_pipe_wakes_writer(pipe));
	http_pipe_take(pipe, bytes, 1);

	assert_true(http_pipe_wakes_writer(pipe));
	assert_false(http_pipe_wakes_writer(pipe));
}

static void test_http_pipe_wakes_reader__once_half_or_the_rest_is_there(void **state)
{
	scoped(http_pipe) struct http_pipe *pipe = http_pipe_new(8);
	char bytes[8];

	(void)state;
	assert_int_equal(http_pipe_take(pipe, bytes, 8), 0);
	assert_true(http_pipe_put(pipe, "abc", 3));
	assert_false(http_pipe_wakes_reader(pipe, 100));
	assert_true(http_pipe_wakes_reader(pipe, 3));
	assert_false(http_pipe_wakes_reader(pipe, 3)); /* woken already */
}

/* ---- two streams ---- */

struct fixture {
	struct loop *loop;
	struct http_client *client;
	struct http_pipe *pipe;
	char *blob, *download; /* the answer that it comes in */
	size_t download_size;
	int ended;
	int status;          /* of the one that ended last */
	struct error *error; /* of any of them */
	char *body;          /* of the one that ended last */
};

static int set_up(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	scoped(text) char *head =
		text_printf("HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", BLOB_BYTES);

	fixture->loop = loop_new();
	fixture->client = http_client_new(fixture->loop);
	fixture->pipe = http_pipe_new(CAPACITY);
	fixture->blob = xcalloc(BLOB_BYTES + 1, 1);
	for (size_t i = 0; i < BLOB_BYTES; i++)
		fixture->blob[i] = (char)('a' + (i * 7 + i / 26) % 26);
	fixture->download = text_printf("%s%s", head, fixture->blob);
	fixture->download_size = strlen(fixture->download);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	http_client_free(fixture->client);
	http_pipe_free(fixture->pipe);
	loop_free(fixture->loop);
	error_free(fixture->error);
	free(fixture->blob);
	free(fixture->download);
	free(fixture->body);
	free(fixture);
	return 0;
}

static void ended(void *context, const struct http_response *response, const struct error *error)
{
	struct fixture *fixture = context;

	fixture->ended++;
	fixture->status = response->status;
	free(fixture->body);
	fixture->body = xstrdup(response->body);
	if (error && !fixture->error)
		fixture->error = error_copy(error);
}

static const struct http_events events = { .ended = ended };

static void start(struct fixture *fixture, struct fake_http *fake, bool sends)
{
	scoped(text) char *url = fake_http_url(fake, "/blob");
	const struct http_request request = {
		.method = sends ? "PUT" : "GET",
		.url = url,
		.pipe = sends ? NULL : fixture->pipe,
		.body_pipe = sends ? fixture->pipe : NULL,
		.body_size = sends ? BLOB_BYTES : 0,
	};
	struct error *err = NULL;

	assert_ok(http_start(fixture->client, &request, &events, fixture, &err), err);
}

static bool has_ended_once(const void *context)
{
	return ((const struct fixture *)context)->ended >= 1;
}

static bool has_ended_twice(const void *context)
{
	return ((const struct fixture *)context)->ended >= 2;
}

static void run_until(struct fixture *fixture, bool (*done)(const void *context))
{
	assert_true(loop_run_until(fixture->loop, done, fixture, loop_now_ms() + PATIENCE_MS));
}

static void assert_arrived(const struct fixture *fixture, struct fake_http *sink, size_t index)
{
	scoped(text) char *request = fake_http_request(sink, index);
	const char *body = request ? strstr(request, "\r\n\r\n") : NULL;

	assert_non_null(body);
	assert_true(text_equal(body + 4, fixture->blob));
	assert_null(fixture->error);
}

static const struct fake_http_answer created = {
	.bytes = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
};

static void test_http_pipe__carries_more_than_it_holds(void **state)
{
	struct fixture *fixture = *state;
	const struct fake_http_answer download = { .bytes = fixture->download,
		                                   .size = fixture->download_size };
	scoped(fake_http) struct fake_http *source = fake_http_start(&download, 1, NULL);
	scoped(fake_http) struct fake_http *sink = fake_http_start(&created, 1, NULL);

	start(fixture, sink, true);
	start(fixture, source, false);
	run_until(fixture, has_ended_twice);

	assert_arrived(fixture, sink, 0);
	assert_int_equal(http_pipe_sent(fixture->pipe), BLOB_BYTES);
}

static void test_http_pipe__holds_the_writer_back_while_nobody_reads(void **state)
{
	struct fixture *fixture = *state;
	const struct fake_http_answer answers[] = {
		{ .match = "GET /blob",
		  .bytes = fixture->download,
		  .size = fixture->download_size },
		{ .match = "GET /other", .bytes = "HTTP/1.1 204 No\r\n\r\n", .repeat = true },
	};
	scoped(fake_http) struct fake_http *source =
		fake_http_start(answers, ARRAY_SIZE(answers), NULL);
	scoped(fake_http) struct fake_http *sink = fake_http_start(&created, 1, NULL);
	scoped(text) char *other = fake_http_url(source, "/other");

	start(fixture, source, false);
	while (http_pipe_received(fixture->pipe) < (int64_t)CAPACITY / 2)
		loop_step(fixture->loop, loop_now_ms() + PATIENCE_MS);
	for (int i = 0; i < 20; i++) {
		struct http_response response = { 0 };

		assert_true(http_perform(fixture->client, &(struct http_request){ .url = other },
		                         &response, NULL));
		http_response_release(&response);
	}

	assert_true(http_pipe_received(fixture->pipe) <= (int64_t)CAPACITY);
	assert_int_equal(fixture->ended, 0);
	start(fixture, sink, true);
	run_until(fixture, has_ended_twice);
	assert_arrived(fixture, sink, 0);
}

static void test_http_pipe__goes_on_from_another_source_when_one_breaks(void **state)
{
	struct fixture *fixture = *state;
	size_t head = fixture->download_size - BLOB_BYTES, first = 1000003;
	scoped(text) char *rest_head = text_printf(
		"HTTP/1.1 206 Partial\r\nContent-Length: %zu\r\n\r\n", BLOB_BYTES - first);
	scoped(text) char *rest = text_printf("%s%s", rest_head, fixture->blob + first);
	const struct fake_http_answer answers[] = {
		{ .bytes = fixture->download, .size = head + first, .after = FAKE_CLOSE },
		{ .bytes = rest },
	};
	scoped(fake_http) struct fake_http *source = fake_http_start(answers, 2, NULL);
	scoped(fake_http) struct fake_http *sink = fake_http_start(&created, 1, NULL);

	start(fixture, sink, true);
	start(fixture, source, false);
	run_until(fixture, has_ended_once);
	assert_error_contains(fixture->error, "broke off the connection");
	error_free(take(fixture->error));
	assert_int_equal(http_pipe_received(fixture->pipe), first);
	start(fixture, source, false);
	fixture->ended = 0;
	run_until(fixture, has_ended_twice);

	assert_arrived(fixture, sink, 0);
}

static void test_http_pipe__does_not_carry_what_an_error_says(void **state)
{
	struct fixture *fixture = *state;
	scoped(text) char *refusal = fake_http_json("404 Not Found", NULL, "{\"errors\":[]}");
	const struct fake_http_answer answer = { .bytes = refusal };
	scoped(fake_http) struct fake_http *source = fake_http_start(&answer, 1, NULL);

	start(fixture, source, false);
	run_until(fixture, has_ended_once);

	assert_int_equal(fixture->status, 404);
	assert_string_equal(fixture->body, "{\"errors\":[]}");
	assert_int_equal(http_pipe_received(fixture->pipe), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_http_pipe_put__takes_all_or_nothing),
		cmocka_unit_test(test_http_pipe_take__gives_bytes_in_their_order_across_the_end),
		cmocka_unit_test(test_http_pipe_wakes_writer__once_half_of_it_is_free),
		cmocka_unit_test(test_http_pipe_wakes_reader__once_half_or_the_rest_is_there),
		TEST(test_http_pipe__carries_more_than_it_holds),
		TEST(test_http_pipe__holds_the_writer_back_while_nobody_reads),
		TEST(test_http_pipe__goes_on_from_another_source_when_one_breaks),
		TEST(test_http_pipe__does_not_carry_what_an_error_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
