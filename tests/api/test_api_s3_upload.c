/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloud/s3_upload against a real S3 server; same environment as test_api_s3.c. Skipped, aloud,
 * without it. Encryption takes a server that has a key (MINIO_KMS_SECRET_KEY=stepop-key:…).
 */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cloud/s3.h"
#include "cloud/s3_upload.h"
#include "core/digest.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "tests/fakes/s3_server.h"

#define PATIENCE_MS 30000
#define PART_BYTES ((size_t)5 << 20) /* S3 takes no smaller ones, but for the last */
#define LARGE_BYTES (2 * PART_BYTES + 4711)
#define KMS_KEY "stepop-key"

struct fixture {
	struct loop *loop;
	struct http_client *http;
	struct s3_client *client;
	struct s3_server server;
	char folder[sizeof("/tmp/stepop-test-XXXXXX")];
	char *prefix; /* of this run */
	char *large, *large_bytes;
};

static struct s3_client *client_with(const struct fixture *fixture, struct s3_options options)
{
	struct error *err = NULL;
	struct s3_client *client;

	options.endpoint_url = fixture->server.endpoint;
	options.access_key_id = fixture->server.access_key;
	options.secret_access_key = fixture->server.secret_key;
	options.part_bytes = PART_BYTES;
	assert_ok(client = s3_client_new(fixture->http, &options, &err), err);
	return client;
}

static void write_large(struct fixture *fixture)
{
	struct error *err = NULL;

	fixture->large = file_join(fixture->folder, "large");
	fixture->large_bytes = xcalloc(LARGE_BYTES, 1);
	for (size_t i = 0; i < LARGE_BYTES; i++)
		fixture->large_bytes[i] = (char)(i * 2654435761U >> 13);
	assert_ok(file_write(fixture->large, fixture->large_bytes, LARGE_BYTES, 0600, &err), err);
}

static int set_up(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	scoped(text) char *random = digest_random_hex(12);

	*state = fixture;
	assert_true(s3_server_find("test_api_s3_upload", &fixture->server));
	fixture->loop = loop_new();
	fixture->http = http_client_new(fixture->loop);
	fixture->prefix = text_printf("stepop-test/%s/", random);
	fixture->client = client_with(fixture, (struct s3_options){ 0 });
	strcpy(fixture->folder, "/tmp/stepop-test-XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	write_large(fixture);
	assert_true(s3_server_make_bucket(&fixture->server, fixture->http));
	return 0;
}

static bool delete_object(void *context, struct s3_object *object, struct error **err)
{
	const struct fixture *fixture = context;

	return s3_delete(fixture->client, fixture->server.bucket, object->key, err);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	s3_list_each(fixture->client, fixture->server.bucket, fixture->prefix, delete_object,
	             fixture, NULL);
	s3_client_free(fixture->client);
	http_client_free(fixture->http);
	loop_free(fixture->loop);
	file_remove_tree(fixture->folder, NULL);
	free(fixture->prefix);
	free(fixture->large);
	free(fixture->large_bytes);
	free(fixture);
	return 0;
}

static char *key_of(const struct fixture *fixture, const char *name)
{
	return text_printf("%s%s", fixture->prefix, name);
}

/* Status and head of the object, asked for by a plain signed request. */
static char *head_of(const struct fixture *fixture, const char *key)
{
	struct http_response response = { 0 };
	struct error *err = NULL;
	char *head;

	assert_ok(s3_server_request(&fixture->server, fixture->http, "HEAD", key, NULL, &response,
	                            &err),
	          err);
	head = take(response.head);
	http_response_release(&response);
	return head;
}

/* How many uploads in parts the server keeps for the key. */
static size_t count_unfinished(const struct fixture *fixture, const char *key)
{
	scoped(text) char *escaped = http_escape(key, false);
	scoped(text) char *query = text_printf("prefix=%s&uploads=", escaped);
	struct http_response response = { 0 };
	struct error *err = NULL;
	size_t count = 0;

	assert_ok(s3_server_request(&fixture->server, fixture->http, "GET", NULL, query, &response,
	                            &err),
	          err);
	assert_int_equal(response.status, 200);
	for (const char *at = response.body; (at = strstr(at, "<UploadId>")); at++)
		count++;
	http_response_release(&response);
	return count;
}

static void assert_holds_large(const struct fixture *fixture, const char *key)
{
	struct error *err = NULL;
	scoped(text) char *body = NULL;
	size_t got = 0;

	assert_ok(body = s3_get(fixture->client, fixture->server.bucket, key, 0, 0, LARGE_BYTES,
	                        &got, &err),
	          err);
	assert_int_equal(got, LARGE_BYTES);
	assert_memory_equal(body, fixture->large_bytes, LARGE_BYTES);
}

static void test_s3_put_file__puts_a_large_one_together_of_its_parts(void **state)
{
	struct fixture *fixture = *state;
	struct error *err = NULL;
	scoped(text) char *key = key_of(fixture, "in parts + 日本語");
	scoped(text) char *etag = NULL;
	int64_t size_bytes = 0;

	assert_ok(s3_put_file(fixture->client, fixture->server.bucket, key, fixture->large, &err),
	          err);

	assert_ok(s3_head(fixture->client, fixture->server.bucket, key, &size_bytes, &etag, &err),
	          err);
	assert_int_equal(size_bytes, LARGE_BYTES);
	assert_true(text_ends_with(etag, "-3"));
	assert_holds_large(fixture, key);
	assert_int_equal(count_unfinished(fixture, key), 0);
}

static void test_s3_put_files__takes_many_and_empty_ones(void **state)
{
	enum { COUNT = 40 };
	struct fixture *fixture = *state;
	struct error *err = NULL;
	struct s3_upload_file files[COUNT];
	scoped(text) char *path = file_join(fixture->folder, "small");
	scoped(text) char *empty = file_join(fixture->folder, "empty");
	scoped(text) char *prefix = key_of(fixture, "many/");
	struct s3_object *objects = NULL;
	size_t count = 0;

	assert_ok(file_write(path, "small", 5, 0600, &err), err);
	assert_ok(file_write(empty, "", 0, 0600, &err), err);
	for (size_t i = 0; i < COUNT; i++)
		files[i] = (struct s3_upload_file){ .key = text_printf("%s%02zu", prefix, i),
			                            .path = i % 2 ? path : empty,
			                            .unless_there = i % 3 == 0 };
	assert_ok(s3_put_files(fixture->client, fixture->server.bucket, files, COUNT, &err), err);
	for (size_t i = 0; i < COUNT; i++)
		free((char *)files[i].key);

	assert_ok(s3_list(fixture->client, fixture->server.bucket, prefix, COUNT, &objects, &count,
	                  &err),
	          err);
	assert_int_equal(count, COUNT);
	assert_int_equal(objects[0].size_bytes, 0);
	assert_int_equal(objects[1].size_bytes, 5);
	s3_objects_free(objects, count);
}

static void test_s3_put_file__names_the_file_that_is_not_there(void **state)
{
	struct fixture *fixture = *state;
	scoped(error) struct error *err = NULL;

	assert_false(s3_put_file(fixture->client, fixture->server.bucket, "x", "/no/such", &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_error_contains(err, "/no/such");
}

static void test_s3__encrypts_as_it_is_told(void **state)
{
	static const struct {
		struct s3_options options;
		const char *parts[2];
	} cases[] = {
		{ { .encryption = "AES256" }, { "X-Amz-Server-Side-Encryption: AES256" } },
		{ { .encryption = "aws:kms", .kms_key_id = KMS_KEY },
		  { "X-Amz-Server-Side-Encryption: aws:kms", KMS_KEY } },
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(s3_client) struct s3_client *client = client_with(fixture, cases[i].options);
		scoped(text) char *whole = key_of(fixture, "encrypted/whole");
		scoped(text) char *in_parts = key_of(fixture, "encrypted/in parts");
		struct error *err = NULL;

		assert_ok(s3_put(client, fixture->server.bucket, whole, "x", 1, NULL, &err), err);
		assert_ok(
			s3_put_file(client, fixture->server.bucket, in_parts, fixture->large, &err),
			err);
		scoped(text) char *whole_head = head_of(fixture, whole);
		scoped(text) char *parts_head = head_of(fixture, in_parts);

		for (size_t k = 0; k < 2 && cases[i].parts[k]; k++) {
			assert_non_null(strstr(whole_head, cases[i].parts[k]));
			assert_non_null(strstr(parts_head, cases[i].parts[k]));
		}
		assert_holds_large(fixture, in_parts);
	}
}

static void test_s3__says_that_there_is_no_such_key_of_kms(void **state)
{
	struct fixture *fixture = *state;
	scoped(s3_client) struct s3_client *client =
		client_with(fixture, (struct s3_options){ .encryption = "aws:kms",
	                                                  .kms_key_id = "no-such-key" });
	scoped(error) struct error *err = NULL;
	scoped(text) char *key = key_of(fixture, "unencrypted");

	assert_false(s3_put(client, fixture->server.bucket, key, "x", 1, NULL, &err));
	assert_error_contains(err, "no such KMS key");
}

static void test_s3_put_new__is_refused_where_something_is(void **state)
{
	struct fixture *fixture = *state;
	struct error *err = NULL;
	scoped(text) char *key = key_of(fixture, "once");
	scoped(text) char *body = NULL;

	assert_ok(s3_put_new(fixture->client, fixture->server.bucket, key, "first", 5, &err), err);
	assert_false(s3_put_new(fixture->client, fixture->server.bucket, key, "second", 6, &err));
	assert_int_equal(err->kind, ERROR_CONFLICT);
	error_free(take(err));

	assert_ok(body = s3_get(fixture->client, fixture->server.bucket, key, 0, 0, 10, NULL, &err),
	          err);
	assert_string_equal(body, "first");
}

/* ---- on the loop ---- */

struct waiting {
	bool is_over;
	struct error *error;
	size_t ticks;
	struct loop *loop;
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

static void test_s3_upload_start__ends_on_the_loop(void **state)
{
	struct fixture *fixture = *state;
	scoped(text) char *key = key_of(fixture, "by the loop");
	const struct s3_upload_file file = { .key = key, .path = fixture->large };
	struct waiting waiting = { 0 };
	struct error *err = NULL;

	assert_ok(s3_upload_start(fixture->client, fixture->server.bucket, &file, 1, note_end,
	                          &waiting, &err),
	          err);
	assert_true(loop_run_until(fixture->loop, is_over, &waiting, loop_now_ms() + PATIENCE_MS));
	assert_ok(!waiting.error, waiting.error);
	assert_holds_large(fixture, key);
}

/* Whenever it is: nothing of it is left. */
static void test_s3_upload_cancel__leaves_nothing(void **state)
{
	struct fixture *fixture = *state;

	for (size_t turns = 4; turns <= 64; turns *= 2) {
		scoped(text) char *key = key_of(fixture, "cancelled");
		const struct s3_upload_file file = { .key = key, .path = fixture->large };
		struct waiting waiting = { 0 };
		struct error *err = NULL;
		struct s3_upload *upload = s3_upload_start(fixture->client, fixture->server.bucket,
		                                           &file, 1, note_end, &waiting, &err);

		assert_ok(upload, err);
		for (size_t i = 0; i < turns && !waiting.is_over; i++)
			loop_step(fixture->loop, loop_now_ms() + PATIENCE_MS);
		if (!waiting.is_over)
			s3_upload_cancel(upload);
		assert_int_equal(count_unfinished(fixture, key), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_s3_put_file__puts_a_large_one_together_of_its_parts),
		cmocka_unit_test(test_s3_put_files__takes_many_and_empty_ones),
		cmocka_unit_test(test_s3_put_file__names_the_file_that_is_not_there),
		cmocka_unit_test(test_s3__encrypts_as_it_is_told),
		cmocka_unit_test(test_s3__says_that_there_is_no_such_key_of_kms),
		cmocka_unit_test(test_s3_put_new__is_refused_where_something_is),
		cmocka_unit_test(test_s3_upload_start__ends_on_the_loop),
		cmocka_unit_test(test_s3_upload_cancel__leaves_nothing),
	};
	struct s3_server server;

	memory_init();
	if (!s3_server_find("test_api_s3_upload", &server))
		return 0;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
