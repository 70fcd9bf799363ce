/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloud/s3 against a real S3 server: STEPOP_TEST_S3_ENDPOINT, _ACCESS_KEY, _SECRET_KEY and _BUCKET
 * (made when it is absent; what is put there is deleted). Skipped, aloud, without them.
 */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cloud/s3.h"
#include "core/digest.h"
#include "core/file.h"
#include "core/http.h"
#include "core/memory.h"
#include "core/text.h"
#include "tests/fakes/s3_server.h"

struct fixture {
	struct loop *loop;
	struct http_client *http;
	struct s3_client *client;
	struct s3_server server;
	char *prefix; /* of this run */
};

static struct s3_client *client_with(const struct fixture *fixture, const char *region,
                                     const char *access_key, const char *secret_key,
                                     const char *token)
{
	struct error *err = NULL;
	struct s3_options options = { .endpoint_url = fixture->server.endpoint,
		                      .region = region,
		                      .access_key_id = access_key,
		                      .secret_access_key = secret_key,
		                      .session_token = token };
	struct s3_client *client;

	assert_ok(client = s3_client_new(fixture->http, &options, &err), err);
	return client;
}

static int set_up(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	scoped(text) char *random = digest_random_hex(12);

	*state = fixture;
	assert_true(s3_server_find("test_api_s3", &fixture->server));
	fixture->loop = loop_new();
	fixture->http = http_client_new(fixture->loop);
	fixture->prefix = text_printf("stepop-test/%s/", random);
	fixture->client = client_with(fixture, "us-east-1", fixture->server.access_key,
	                              fixture->server.secret_key, NULL);
	assert_true(s3_server_make_bucket(&fixture->server, fixture->http));
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	struct s3_object *objects = NULL;
	size_t count = 0;

	s3_list(fixture->client, fixture->server.bucket, fixture->prefix, 10000, &objects, &count,
	        NULL);
	for (size_t i = 0; i < count; i++)
		s3_delete(fixture->client, fixture->server.bucket, objects[i].key, NULL);
	s3_objects_free(objects, count);
	s3_client_free(fixture->client);
	http_client_free(fixture->http);
	loop_free(fixture->loop);
	free(fixture->prefix);
	free(fixture);
	return 0;
}

static char *key_of(const struct fixture *fixture, const char *name)
{
	return text_printf("%s%s", fixture->prefix, name);
}

static void put(const struct fixture *fixture, const char *name, const char *text)
{
	struct error *err = NULL;
	scoped(text) char *key = key_of(fixture, name);

	assert_ok(s3_put(fixture->client, fixture->server.bucket, key, text, strlen(text), NULL,
	                 &err),
	          err);
}

/* Every character that a file of Spark or of a user may have in its name. */
static void test_s3__signs_every_key_that_it_may_meet(void **state)
{
	static const char *const names[] = {
		"part-00000-4e9d0412.c000.snappy.parquet",
		"a b/c  d",
		"plus+plus",
		"per%cent%41",
		"x=1/y=a:b",
		"üñïçødé/日本語/😀",
		"!\"#$&'()*,;<>?@[\\]^`{|}~",
		"_SUCCESS",
	};
	struct fixture *fixture = *state;
	struct error *err = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		scoped(text) char *key = key_of(fixture, names[i]);
		scoped(text) char *body = NULL;
		struct s3_object *objects = NULL;
		size_t got = 0, count = 0;

		put(fixture, names[i], names[i]);
		assert_ok(body = s3_get(fixture->client, fixture->server.bucket, key, 0, 0, 1000,
		                        &got, &err),
		          err);
		assert_string_equal(body, names[i]);
		assert_int_equal(got, strlen(names[i]));
		assert_ok(s3_list(fixture->client, fixture->server.bucket, key, 10, &objects,
		                  &count, &err),
		          err);
		assert_int_equal(count, 1);
		assert_string_equal(objects[0].key, key);
		s3_objects_free(objects, count);
		assert_ok(s3_delete(fixture->client, fixture->server.bucket, key, &err), err);
	}
}

static void test_s3_get__reads_ranges_from_both_ends(void **state)
{
	static const struct {
		int64_t offset;
		size_t size;
		const char *expected;
	} cases[] = {
		{ 0, 0, "0123456789" }, { 2, 3, "234" },  { 7, 0, "789" },
		{ 7, 100, "789" },      { -3, 0, "789" }, { -3, 2, "78" },
		{ 10, 5, "" },          { 11, 0, "" },    { -65536, 0, "0123456789" },
	};
	struct fixture *fixture = *state;
	scoped(text) char *key = key_of(fixture, "digits");

	put(fixture, "digits", "0123456789");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error *err = NULL;
		size_t got = 99;
		scoped(text) char *body = s3_get(fixture->client, fixture->server.bucket, key,
		                                 cases[i].offset, cases[i].size, 1000, &got, &err);

		assert_ok(body, err);
		assert_string_equal(body, cases[i].expected);
		assert_int_equal(got, strlen(cases[i].expected));
	}
}

static void test_s3_get__reads_the_end_of_an_empty_object(void **state)
{
	struct fixture *fixture = *state;
	struct error *err = NULL;
	scoped(text) char *key = key_of(fixture, "empty");
	scoped(text) char *body = NULL;
	size_t got = 1;

	put(fixture, "empty", "");
	assert_ok(
		body = s3_get(fixture->client, fixture->server.bucket, key, -10, 0, 10, &got, &err),
		err);
	assert_int_equal(got, 0);
}

static void test_s3_get__refuses_more_than_its_limit(void **state)
{
	struct fixture *fixture = *state;
	scoped(error) struct error *err = NULL;
	scoped(text) char *key = key_of(fixture, "large");

	put(fixture, "large", "0123456789");
	assert_null(s3_get(fixture->client, fixture->server.bucket, key, 0, 0, 9, NULL, &err));
	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, "more than 9 bytes");
}

static void test_s3_put_file__uploads_what_head_and_get_find(void **state)
{
	enum { SIZE = 3 * 1024 * 1024 + 7 };
	struct fixture *fixture = *state;
	struct error *err = NULL;
	scoped(text) char *key = key_of(fixture, "file");
	scoped(text) char *bytes = xcalloc(SIZE, 1), *body = NULL, *etag = NULL;
	char path[] = "/tmp/stepop-test-XXXXXX";
	int fd = mkstemp(path);
	int64_t size_bytes = 0;
	size_t got = 0;
	bool is_put;

	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = (char)(i * 31 >> 3);
	assert_int_equal(write(fd, bytes, SIZE), SIZE);
	close(fd);
	is_put = s3_put_file(fixture->client, fixture->server.bucket, key, path, &err);
	unlink(path);

	assert_ok(is_put, err);
	assert_ok(s3_head(fixture->client, fixture->server.bucket, key, &size_bytes, &etag, &err),
	          err);
	assert_int_equal(size_bytes, SIZE);
	assert_int_equal(strlen(etag), 32); /* without quotes */
	assert_ok(
		body = s3_get(fixture->client, fixture->server.bucket, key, 0, 0, SIZE, &got, &err),
		err);
	assert_int_equal(got, SIZE);
	assert_memory_equal(body, bytes, SIZE);
}

static void test_s3_list__goes_through_all_pages_in_order(void **state)
{
	enum { COUNT = 1003 };
	struct fixture *fixture = *state;
	struct error *err = NULL;
	struct s3_object *objects = NULL;
	scoped(text) char *prefix = key_of(fixture, "many/");
	size_t count = 0;

	for (int i = 0; i < COUNT; i++) {
		scoped(text) char *name = text_printf("many/%04d", i);

		put(fixture, name, "x");
	}
	assert_ok(s3_list(fixture->client, fixture->server.bucket, prefix, COUNT, &objects, &count,
	                  &err),
	          err);
	assert_int_equal(count, COUNT);
	assert_true(text_ends_with(objects[0].key, "many/0000"));
	assert_true(text_ends_with(objects[COUNT - 1].key, "many/1002"));
	s3_objects_free(objects, count);

	assert_false(s3_list(fixture->client, fixture->server.bucket, prefix, COUNT - 1, &objects,
	                     &count, &err));
	assert_error_contains(err, "more than 1002");
	error_free(err);
}

static void test_s3__tells_a_missing_object_from_a_missing_bucket(void **state)
{
	struct fixture *fixture = *state;
	struct error *err = NULL;

	assert_false(s3_head(fixture->client, fixture->server.bucket, "no/such", NULL, NULL, &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_error_contains(err, "no such object");
	error_free(take(err));
	assert_false(s3_head(fixture->client, "stepop-no-such-bucket", "x", NULL, NULL, &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_error_contains(err, "no such bucket");
	error_free(take(err));
	assert_false(s3_head_bucket(fixture->client, "stepop-no-such-bucket", &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	error_free(err);
}

static void test_s3__says_which_credential_is_wrong(void **state)
{
	struct fixture *fixture = *state;
	scoped(s3_client) struct s3_client *unknown =
		client_with(fixture, "us-east-1", "AKIDUNKNOWN", "x", NULL);
	scoped(s3_client) struct s3_client *wrong =
		client_with(fixture, "us-east-1", fixture->server.access_key, "wrong", NULL);
	scoped(s3_client) struct s3_client *stale =
		client_with(fixture, "us-east-1", fixture->server.access_key,
	                    fixture->server.secret_key, "stale");
	scoped(s3_client) struct s3_client *nobody =
		client_with(fixture, "us-east-1", NULL, NULL, NULL);
	static const char *const parts[] = { "not known there", "typing error",
		                             "session token is not valid", "access denied" };
	struct s3_client *clients[] = { unknown, wrong, stale, nobody };

	for (size_t i = 0; i < ARRAY_SIZE(clients); i++) {
		scoped(error) struct error *err = NULL;

		assert_false(s3_head_bucket(clients[i], fixture->server.bucket, &err));
		assert_error_contains(err, parts[i]);
		assert_int_equal(err->kind, ERROR_AUTH);
	}
}

static char *between(const char *text, const char *start, const char *end)
{
	const char *from = strstr(text, start), *to;

	assert_non_null(from);
	from += strlen(start);
	to = strstr(from, end);
	assert_non_null(to);
	return xstrndup(from, (size_t)(to - from));
}

/* Temporary credentials from the server's own STS: the token must be signed as well. */
static void test_s3__takes_temporary_credentials(void **state)
{
	static const char form[] = "Action=AssumeRole&Version=2011-06-15&DurationSeconds=900";
	struct fixture *fixture = *state;
	struct error *err = NULL;
	struct http_response response = { 0 };
	scoped(text) char *keys =
		text_printf("%s:%s", fixture->server.access_key, fixture->server.secret_key);
	scoped(text) char *digest = digest_bytes(form, strlen(form));
	scoped(text) char *header = text_printf("x-amz-content-sha256: %s", digest);
	const char *headers[] = { header, "Content-Type: application/x-www-form-urlencoded", NULL };
	struct http_request request = { .method = "POST",
		                        .url = fixture->server.endpoint,
		                        .headers = headers,
		                        .body = form,
		                        .body_size = strlen(form),
		                        .aws_sigv4 = "aws:amz:us-east-1:sts",
		                        .user_password = keys };

	assert_ok(http_perform(fixture->http, &request, &response, &err), err);
	assert_int_equal(response.status, 200);
	scoped(text) char *id = between(response.body, "<AccessKeyId>", "<");
	scoped(text) char *secret = between(response.body, "<SecretAccessKey>", "<");
	scoped(text) char *token = between(response.body, "<SessionToken>", "<");
	scoped(s3_client) struct s3_client *client =
		client_with(fixture, "us-east-1", id, secret, token);
	http_response_release(&response);

	scoped(text) char *key = key_of(fixture, "by token");
	assert_ok(s3_put(client, fixture->server.bucket, key, "x", 1, "text/plain", &err), err);
	assert_ok(s3_head(client, fixture->server.bucket, key, NULL, NULL, &err), err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_s3__signs_every_key_that_it_may_meet),
		cmocka_unit_test(test_s3_get__reads_ranges_from_both_ends),
		cmocka_unit_test(test_s3_get__reads_the_end_of_an_empty_object),
		cmocka_unit_test(test_s3_get__refuses_more_than_its_limit),
		cmocka_unit_test(test_s3_put_file__uploads_what_head_and_get_find),
		cmocka_unit_test(test_s3_list__goes_through_all_pages_in_order),
		cmocka_unit_test(test_s3__tells_a_missing_object_from_a_missing_bucket),
		cmocka_unit_test(test_s3__says_which_credential_is_wrong),
		cmocka_unit_test(test_s3__takes_temporary_credentials),
	};

	struct s3_server server;

	memory_init();
	if (!s3_server_find("test_api_s3", &server))
		return 0;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
