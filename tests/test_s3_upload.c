/* SPDX-License-Identifier: Apache-2.0 */
/* cloud/s3_upload: faults in the middle of an upload that a real server cannot be made to show; the
 * rest is in tests/api/test_api_s3_upload.c. */
#include "tests/test.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cloud/s3_multipart.h"
#include "cloud/s3_upload.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "tests/fakes/fake_http.h"

#define PATIENCE_MS 20000
#define PART_BYTES 1024

struct fixture {
	struct loop *loop;
	struct http_client *http;
	char folder[sizeof("/tmp/stepop-test-XXXXXX")];
	char *large; /* three parts, the last one short */
	char *small;
	/* Answers that tests are made of. */
	char *created, *part, *completed, *late_error, *busy, *denied, *absent, *gone;
};

static char *answer_of(const char *status, const char *headers, const char *body)
{
	return text_printf("HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", status, headers,
	                   strlen(body), body);
}

static char *error_of(const char *status, const char *code)
{
	scoped(text) char *body = text_printf("<Error><Code>%s</Code></Error>", code);

	return answer_of(status, "", body);
}

static char *write_file(const struct fixture *fixture, const char *name, size_t size)
{
	scoped(text) char *bytes = xcalloc(size + 1, 1);
	char *path = file_join(fixture->folder, name);
	struct error *err = NULL;

	memset(bytes, 'x', size);
	assert_ok(file_write(path, bytes, size, 0600, &err), err);
	return path;
}

static int set_up(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));

	fixture->loop = loop_new();
	fixture->http = http_client_new(fixture->loop);
	strcpy(fixture->folder, "/tmp/stepop-test-XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	fixture->large = write_file(fixture, "large", 2 * PART_BYTES + 7);
	fixture->small = write_file(fixture, "small", 9);
	fixture->created = answer_of("200 OK", "",
	                             "<InitiateMultipartUploadResult><UploadId>id+/=</UploadId>"
	                             "</InitiateMultipartUploadResult>");
	fixture->part = answer_of("200 OK", "ETag: \"e\"\r\n", "");
	fixture->completed = answer_of("200 OK", "", "<CompleteMultipartUploadResult/>");
	fixture->late_error = error_of("200 OK", "InternalError");
	fixture->busy = error_of("503 Slow Down", "SlowDown");
	fixture->denied = error_of("403 Forbidden", "AccessDenied");
	fixture->absent = error_of("404 Not Found", "NoSuchKey");
	fixture->gone = error_of("404 Not Found", "NoSuchUpload");
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	char **const texts[] = { &fixture->large, &fixture->small,     &fixture->created,
		                 &fixture->part,  &fixture->completed, &fixture->late_error,
		                 &fixture->busy,  &fixture->denied,    &fixture->absent,
		                 &fixture->gone };

	http_client_free(fixture->http);
	loop_free(fixture->loop);
	file_remove_tree(fixture->folder, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		free(*texts[i]);
	free(fixture);
	return 0;
}

static struct s3_client *client_of(const struct fixture *fixture, struct fake_http *fake)
{
	scoped(text) char *endpoint = fake_http_url(fake, "");
	struct s3_options options = { .endpoint_url = endpoint,
		                      .access_key_id = "AKID",
		                      .secret_access_key = "secret",
		                      .session_token = "token",
		                      .part_bytes = PART_BYTES,
		                      .backoff_ms = 2 };
	struct error *err = NULL;
	struct s3_client *client = s3_client_new(fixture->http, &options, &err);

	assert_ok(client, err);
	return client;
}

/* How many requests had `part` in their head. */
static size_t count_requests(struct fake_http *fake, const char *part)
{
	size_t count = 0;

	for (size_t i = 0; i < fake_http_requests(fake); i++) {
		scoped(text) char *sent = fake_http_request(fake, i);

		count += strstr(sent, part) != NULL;
	}
	return count;
}

#define CREATE "POST /bucket/key?uploads="
#define COMPLETE "POST /bucket/key?uploadId=id%2B%2F%3D"
#define ABORT "DELETE /bucket/key?uploadId=id%2B%2F%3D"
#define PART(number) "PUT /bucket/key?partNumber=" #number "&uploadId=id%2B%2F%3D"

static void test_s3_upload__sends_parts_again_and_completes_them_in_order(void **state)
{
	struct fixture *fixture = *state;
	struct fake_http_answer answers[] = {
		{ .match = CREATE, .bytes = fixture->created },
		{ .match = PART(2), .bytes = fixture->busy },
		{ .match = PART(2), .bytes = "", .after = FAKE_CLOSE },
		{ .match = PART(3),
		  .bytes = "HTTP/1.1 400 Bad\r\nContent-Length: 52\r\n\r\n"
		           "<Error><Code>RequestTimeout</Code></Error>          " },
		{ .match = "PUT ", .bytes = fixture->part, .repeat = true },
		{ .match = COMPLETE, .bytes = fixture->completed },
	};
	scoped(fake_http) struct fake_http *fake =
		fake_http_start(answers, ARRAY_SIZE(answers), NULL);
	scoped(s3_client) struct s3_client *client = client_of(fixture, fake);
	struct error *err = NULL;

	assert_ok(s3_put_file(client, "bucket", "key", fixture->large, &err), err);
	scoped(text) char *last = fake_http_request(fake, fake_http_requests(fake) - 1);

	assert_int_equal(count_requests(fake, PART(1)), 1);
	assert_int_equal(count_requests(fake, PART(2)), 3);
	assert_int_equal(count_requests(fake, PART(3)), 2);
	assert_int_equal(count_requests(fake, ABORT), 0);
	assert_non_null(strstr(last, "<PartNumber>1</PartNumber><ETag>\"e\"</ETag></Part>"
	                             "<Part><PartNumber>2</PartNumber>"));
}

/* S3 answers with 200 before it knows: what went wrong stands in the body. */
static void test_s3_upload__does_not_take_an_error_in_a_200_for_success(void **state)
{
	struct fixture *fixture = *state;
	struct fake_http_answer answers[] = {
		{ .match = CREATE, .bytes = fixture->created },
		{ .match = "PUT ", .bytes = fixture->part, .repeat = true },
		{ .match = COMPLETE, .bytes = fixture->late_error },
		{ .match = COMPLETE, .bytes = fixture->completed },
	};
	scoped(fake_http) struct fake_http *fake =
		fake_http_start(answers, ARRAY_SIZE(answers), NULL);
	scoped(s3_client) struct s3_client *client = client_of(fixture, fake);
	struct error *err = NULL;

	assert_ok(s3_put_file(client, "bucket", "key", fixture->large, &err), err);
	assert_int_equal(count_requests(fake, COMPLETE), 2);
}

static void test_s3_upload__aborts_what_cannot_be_completed(void **state)
{
	struct fixture *fixture = *state;
	struct fake_http_answer answers[] = {
		{ .match = CREATE, .bytes = fixture->created },
		{ .match = "PUT ", .bytes = fixture->part, .repeat = true },
		{ .match = COMPLETE, .bytes = fixture->late_error, .repeat = true },
		{ .match = ABORT, .bytes = "HTTP/1.1 204 No Content\r\n\r\n" },
	};
	scoped(fake_http) struct fake_http *fake =
		fake_http_start(answers, ARRAY_SIZE(answers), NULL);
	scoped(s3_client) struct s3_client *client = client_of(fixture, fake);
	scoped(error) struct error *err = NULL;

	assert_false(s3_put_file(client, "bucket", "key", fixture->large, &err));
	assert_int_equal(err->kind, ERROR_UNAVAILABLE);
	assert_error_contains(err, "s3://bucket/key: the server had an internal error");
	assert_int_equal(count_requests(fake, COMPLETE), 6);
	assert_int_equal(count_requests(fake, ABORT), 1);
}

static void test_s3_upload__aborts_after_a_storm_of_slow_downs(void **state)
{
	struct fixture *fixture = *state;
	struct fake_http_answer answers[] = {
		{ .match = CREATE, .bytes = fixture->created },
		{ .match = "PUT ", .bytes = fixture->busy, .repeat = true },
		{ .match = ABORT, .bytes = "HTTP/1.1 204 No Content\r\n\r\n" },
	};
	scoped(fake_http) struct fake_http *fake =
		fake_http_start(answers, ARRAY_SIZE(answers), NULL);
	scoped(s3_client) struct s3_client *client = client_of(fixture, fake);
	scoped(error) struct error *err = NULL;

	assert_false(s3_put_file(client, "bucket", "key", fixture->large, &err));
	assert_error_contains(err, "slow down");
	assert_int_equal(count_requests(fake, ABORT), 1);
}

/* The answer to the first try was lost; the second finds no upload any more. */
static void test_s3_upload__sees_that_it_had_been_completed_before(void **state)
{
	struct fixture *fixture = *state;
	struct fake_http_answer answers[] = {
		{ .match = CREATE, .bytes = fixture->created },
		{ .match = "PUT ", .bytes = fixture->part, .repeat = true },
		{ .match = COMPLETE, .bytes = "", .after = FAKE_CLOSE },
		{ .match = COMPLETE, .bytes = fixture->gone },
		{ .match = "HEAD /bucket/key",
		  .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 2055\r\n\r\n" },
	};
	scoped(fake_http) struct fake_http *fake =
		fake_http_start(answers, ARRAY_SIZE(answers), NULL);
	scoped(s3_client) struct s3_client *client = client_of(fixture, fake);
	struct error *err = NULL;

	assert_ok(s3_put_file(client, "bucket", "key", fixture->large, &err), err);
}

static void test_s3_upload__says_when_somebody_else_aborted_it(void **state)
{
	struct fixture *fixture = *state;
	struct fake_http_answer answers[] = {
		{ .match = CREATE, .bytes = fixture->created },
		{ .match = "PUT ", .bytes = fixture->part, .repeat = true },
		{ .match = COMPLETE, .bytes = fixture->gone },
		{ .match = "HEAD ",
		  .bytes = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n" },
	};
	scoped(fake_http) struct fake_http *fake =
		fake_http_start(answers, ARRAY_SIZE(answers), NULL);
	scoped(s3_client) struct s3_client *client = client_of(fixture, fake);
	scoped(error) struct error *err = NULL;

	assert_false(s3_put_file(client, "bucket", "key", fixture->large, &err));
	assert_error_contains(err, "lifecycle rule");
}

/* A container's endpoint: each answer has other keys. */
static char *keys_of(const char *id)
{
	scoped(text) char *body =
		text_printf("{\"AccessKeyId\": \"%s\", \"SecretAccessKey\": \"secret\", \"Token\": "
	                    "\"token\", \"Expiration\": \"2999-01-01T00:00:00Z\"}",
	                    id);

	return answer_of("200 OK", "Content-Type: application/json\r\n", body);
}

static void test_s3_upload__renews_credentials_in_the_middle(void **state)
{
	struct fixture *fixture = *state;
	scoped(text) char *first = keys_of("FIRST");
	scoped(text) char *second = keys_of("SECOND");
	struct fake_http_answer keys[] = { { .bytes = first },
		                           { .bytes = second, .repeat = true } };
	scoped(text) char *expired = error_of("400 Bad Request", "ExpiredToken");
	struct fake_http_answer answers[] = {
		{ .match = CREATE, .bytes = fixture->created },
		{ .match = PART(2), .bytes = expired },
		{ .match = "PUT ", .bytes = fixture->part, .repeat = true },
		{ .match = COMPLETE, .bytes = fixture->completed },
	};
	scoped(fake_http) struct fake_http *container =
		fake_http_start(keys, ARRAY_SIZE(keys), NULL);
	scoped(fake_http) struct fake_http *fake =
		fake_http_start(answers, ARRAY_SIZE(answers), NULL);
	scoped(text) char *container_url = fake_http_url(container, "/keys");
	scoped(text) char *endpoint = fake_http_url(fake, "");
	struct error *err = NULL;
	scoped(aws_chain) struct aws_chain *chain = NULL;
	scoped(s3_client) struct s3_client *client = NULL;

	unsetenv("AWS_ACCESS_KEY_ID");
	setenv("AWS_CONFIG_FILE", "/dev/null", 1);
	setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null", 1);
	setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", container_url, 1);
	chain = aws_chain_new(fixture->http, &(struct aws_chain_options){ 0 }, &err);
	assert_ok(chain, err);
	client = s3_client_new(fixture->http,
	                       &(struct s3_options){ .endpoint_url = endpoint,
	                                             .chain = chain,
	                                             .part_bytes = PART_BYTES,
	                                             .backoff_ms = 2 },
	                       &err);
	assert_ok(client, err);
	assert_ok(s3_put_file(client, "bucket", "key", fixture->large, &err), err);
	unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");

	assert_int_equal(count_requests(fake, PART(2)), 2);
	assert_int_equal(count_requests(fake, "Credential=FIRST/") +
	                         count_requests(fake, "Credential=SECOND/"),
	                 6);
	assert_true(count_requests(fake, "Credential=SECOND/") >= 2);
}

static void test_s3_upload__gives_the_others_up_when_one_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct fake_http_answer answers[] = {
		{ .match = "PUT /bucket/denied", .bytes = fixture->denied },
		{ .match = CREATE, .bytes = fixture->created },
		{ .match = "PUT ", .bytes = "", .after = FAKE_HOLD, .repeat = true },
		{ .match = ABORT, .bytes = "HTTP/1.1 204 No Content\r\n\r\n" },
	};
	const struct s3_upload_file files[] = {
		{ .key = "key", .path = fixture->large },
		{ .key = "denied", .path = fixture->small },
		{ .key = "third", .path = fixture->small },
	};
	scoped(fake_http) struct fake_http *fake =
		fake_http_start(answers, ARRAY_SIZE(answers), NULL);
	scoped(s3_client) struct s3_client *client = client_of(fixture, fake);
	scoped(error) struct error *err = NULL;

	assert_false(s3_put_files(client, "bucket", files, ARRAY_SIZE(files), &err));
	assert_error_contains(err, "s3://bucket/denied: access denied");
	assert_int_equal(count_requests(fake, ABORT), 1);
}

static void test_s3_upload__leaves_an_object_of_that_size(void **state)
{
	struct fixture *fixture = *state;
	struct fake_http_answer answers[] = {
		{ .match = "HEAD /bucket/same",
		  .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" },
		{ .match = "HEAD /bucket/other",
		  .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n" },
		{ .match = "HEAD /bucket/hidden",
		  .bytes = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n" },
		{ .match = "PUT /bucket/", .bytes = fixture->part, .repeat = true },
	};
	const struct s3_upload_file files[] = {
		{ .key = "same", .path = fixture->small, .unless_there = true },
		{ .key = "other", .path = fixture->small, .unless_there = true },
		{ .key = "hidden", .path = fixture->small, .unless_there = true },
	};
	scoped(fake_http) struct fake_http *fake =
		fake_http_start(answers, ARRAY_SIZE(answers), NULL);
	scoped(s3_client) struct s3_client *client = client_of(fixture, fake);
	struct error *err = NULL;

	assert_ok(s3_put_files(client, "bucket", files, ARRAY_SIZE(files), &err), err);
	assert_int_equal(count_requests(fake, "PUT /bucket/same"), 0);
	assert_int_equal(count_requests(fake, "PUT /bucket/other"), 1);
	assert_int_equal(count_requests(fake, "PUT /bucket/hidden"), 1);
}

/* ---- on the loop ---- */

struct waiting {
	bool is_over;
	struct error *error;
	size_t ticks;
	struct loop *loop;
	struct loop_source *timer;
	struct fake_http *gate;
};

static void note_end(void *context, const struct error *error)
{
	struct waiting *waiting = context;

	waiting->is_over = true;
	waiting->error = error_copy(error);
}

static bool is_over(const void *context)
{
	return ((const struct waiting *)context)->is_over;
}

/* What must go on while a large file is under way: a lease, say. */
static void tick(void *context)
{
	struct waiting *waiting = context;

	waiting->timer = NULL;
	waiting->ticks++;
	if (waiting->ticks < 3)
		waiting->timer = loop_start_timer(waiting->loop, 1, tick, waiting);
	else
		fake_http_open_gate(waiting->gate);
}

static void test_s3_upload_start__lets_the_loop_go_on(void **state)
{
	struct fixture *fixture = *state;
	struct fake_http_answer answers[] = {
		{ .match = CREATE, .bytes = fixture->created },
		{ .match = PART(1), .bytes = fixture->part, .after = FAKE_GATE },
		{ .match = PART(2), .bytes = "", .after = FAKE_GATE },
		{ .match = "PUT ", .bytes = fixture->part, .repeat = true },
		{ .match = COMPLETE, .bytes = fixture->completed },
	};
	const struct s3_upload_file file = { .key = "key", .path = fixture->large };
	scoped(fake_http) struct fake_http *fake =
		fake_http_start(answers, ARRAY_SIZE(answers), NULL);
	scoped(s3_client) struct s3_client *client = client_of(fixture, fake);
	struct waiting waiting = { .loop = fixture->loop, .gate = fake };
	struct error *err = NULL;

	assert_ok(s3_upload_start(client, "bucket", &file, 1, note_end, &waiting, &err), err);
	assert_false(waiting.is_over);
	tick(&waiting);

	assert_true(loop_run_until(fixture->loop, is_over, &waiting, loop_now_ms() + PATIENCE_MS));
	assert_ok(!waiting.error, waiting.error);
	assert_int_equal(waiting.ticks, 3);
}

static bool has_parts(const void *context)
{
	return count_requests(((const struct waiting *)context)->gate, "PUT ") > 0;
}

static void test_s3_upload_cancel__aborts_and_says_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct fake_http_answer answers[] = {
		{ .match = CREATE, .bytes = fixture->created },
		{ .match = "PUT ", .bytes = "", .after = FAKE_HOLD, .repeat = true },
		{ .match = ABORT, .bytes = "HTTP/1.1 204 No Content\r\n\r\n" },
	};
	const struct s3_upload_file file = { .key = "key", .path = fixture->large };
	scoped(fake_http) struct fake_http *fake =
		fake_http_start(answers, ARRAY_SIZE(answers), NULL);
	scoped(s3_client) struct s3_client *client = client_of(fixture, fake);
	struct waiting waiting = { .loop = fixture->loop, .gate = fake };
	struct error *err = NULL;
	struct s3_upload *upload =
		s3_upload_start(client, "bucket", &file, 1, note_end, &waiting, &err);

	assert_ok(upload, err);
	/* The server notes a request while the loop waits for its answer: looked for in turns. */
	while (!has_parts(&waiting))
		loop_step(fixture->loop, loop_now_ms() + 10);
	s3_upload_cancel(upload);

	assert_int_equal(count_requests(fake, ABORT), 1);
	assert_false(waiting.is_over);
}

static void ignore_signal(int number)
{
	(void)number;
}

/* The signal is pending before anything is sent: it waits until all is tidied up. */
static void test_s3_put_files__end_by_a_signal(void **state)
{
	struct fixture *fixture = *state;
	struct fake_http_answer answers[] = {
		{ .match = CREATE, .bytes = fixture->created },
		{ .match = "PUT ", .bytes = "", .after = FAKE_HOLD, .repeat = true },
		{ .match = ABORT, .bytes = "HTTP/1.1 204 No Content\r\n\r\n" },
	};
	scoped(fake_http) struct fake_http *fake =
		fake_http_start(answers, ARRAY_SIZE(answers), NULL);
	scoped(s3_client) struct s3_client *client = client_of(fixture, fake);
	scoped(error) struct error *err = NULL;
	sigset_t term;

	signal(SIGTERM, ignore_signal);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	raise(SIGTERM);
	assert_false(s3_put_file(client, "bucket", "key", fixture->large, &err));
	sigprocmask(SIG_UNBLOCK, &term, NULL);
	signal(SIGTERM, SIG_DFL);

	assert_int_equal(err->kind, ERROR_TERMINATED);
	assert_int_equal(count_requests(fake, CREATE), count_requests(fake, ABORT));
	assert_int_equal(count_requests(fake, COMPLETE), 0);
}

/* ---- arithmetic ---- */

static void test_s3_multipart__grows_its_parts_to_at_most_10000(void **state)
{
	const int64_t mib = 1 << 20, tib = (int64_t)1 << 40;
	const struct {
		int64_t size_bytes, part_bytes;
		size_t count;
	} cases[] = {
		{ 16 * mib + 1, 16 * mib, 2 },         { 32 * mib, 16 * mib, 2 },
		{ 10000 * 16 * mib, 16 * mib, 10000 }, { 10000 * 16 * mib + 1, 17 * mib, 9412 },
		{ 5 * tib, 525 * mib, 9987 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct s3_multipart parts;

		s3_multipart_init(&parts, cases[i].size_bytes, (size_t)(16 * mib));
		assert_int_equal(parts.part_bytes, cases[i].part_bytes);
		assert_int_equal(parts.count, cases[i].count);
		assert_int_equal(s3_multipart_offset(&parts, parts.count - 1) +
		                         (int64_t)s3_multipart_size(&parts, parts.count - 1),
		                 cases[i].size_bytes);
		s3_multipart_release(&parts);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_s3_upload__sends_parts_again_and_completes_them_in_order),
		TEST(test_s3_upload__does_not_take_an_error_in_a_200_for_success),
		TEST(test_s3_upload__aborts_what_cannot_be_completed),
		TEST(test_s3_upload__aborts_after_a_storm_of_slow_downs),
		TEST(test_s3_upload__sees_that_it_had_been_completed_before),
		TEST(test_s3_upload__says_when_somebody_else_aborted_it),
		TEST(test_s3_upload__renews_credentials_in_the_middle),
		TEST(test_s3_upload__gives_the_others_up_when_one_is_refused),
		TEST(test_s3_upload__leaves_an_object_of_that_size),
		TEST(test_s3_upload_start__lets_the_loop_go_on),
		TEST(test_s3_upload_cancel__aborts_and_says_nothing),
		TEST(test_s3_put_files__end_by_a_signal),
		cmocka_unit_test(test_s3_multipart__grows_its_parts_to_at_most_10000),
	};

	memory_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
