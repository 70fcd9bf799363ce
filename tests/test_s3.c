/* SPDX-License-Identifier: Apache-2.0 */
/* cloud/s3: answers and faults that a real server cannot be made to show; the rest is in
 * tests/api/test_api_s3.c. */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "cloud/s3.h"
#include "cloud/s3_answer.h"
#include "core/memory.h"
#include "core/text.h"
#include "tests/fakes/fake_http.h"

struct fixture {
	struct loop *loop;
	struct http_client *http;
};

static int set_up(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));

	fixture->loop = loop_new();
	fixture->http = http_client_new(fixture->loop);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	http_client_free(fixture->http);
	loop_free(fixture->loop);
	free(fixture);
	return 0;
}

static struct s3_client *client_of(const struct fixture *fixture, const char *endpoint)
{
	struct error *err = NULL;
	struct s3_options options = { .endpoint_url = endpoint,
		                      .region = "us-east-1",
		                      .access_key_id = "AKID",
		                      .secret_access_key = "never-shown",
		                      .session_token = "token-never-shown",
		                      .backoff_ms = 5 };
	struct s3_client *client;

	assert_ok(client = s3_client_new(fixture->http, &options, &err), err);
	return client;
}

static char *answer_of(const char *status, const char *body)
{
	return text_printf("HTTP/1.1 %s\r\nContent-Type: application/xml\r\n"
	                   "Content-Length: %zu\r\n\r\n%s",
	                   status, strlen(body), body);
}

/* What s3_get() says when the server answers so; the key pair is in none of it. */
static struct error *refusal(const struct fixture *fixture, const char *status, const char *body)
{
	scoped(text) char *bytes = answer_of(status, body);
	struct fake_http_answer answers[] = { { .bytes = bytes, .repeat = true } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *endpoint = fake_http_url(fake, "");
	scoped(s3_client) struct s3_client *client = client_of(fixture, endpoint);
	struct error *err = NULL;
	scoped(text) char *text = NULL;

	assert_null(s3_get(client, "bucket", "a/key", 0, 0, 1000, NULL, &err));
	text = error_text(err);
	assert_null(strstr(text, "never-shown"));
	return err;
}

static void test_s3_errors__say_what_is_wrong_and_what_to_do(void **state)
{
	static const struct {
		const char *status, *code, *more;
		enum error_kind kind;
		const char *part;
	} cases[] = {
		{ "404 Not Found", "NoSuchBucket", "", ERROR_NOT_FOUND, "no such bucket" },
		{ "404 Not Found", "NoSuchKey", "", ERROR_NOT_FOUND,
		  "s3://bucket/a/key: there is no such object" },
		{ "403 Forbidden", "AccessDenied", "", ERROR_AUTH, "s3:GetObject" },
		{ "403 Forbidden", "InvalidAccessKeyId", "", ERROR_AUTH, "not known there" },
		{ "403 Forbidden", "SignatureDoesNotMatch", "", ERROR_AUTH,
		  "secret access key does not belong" },
		{ "400 Bad Request", "ExpiredToken", "", ERROR_AUTH, "has expired" },
		{ "403 Forbidden", "RequestTimeTooSkewed", "", ERROR_AUTH, "clock" },
		{ "301 Moved", "PermanentRedirect",
		  "<Endpoint>bucket.s3-eu-west-1.amazonaws.com</Endpoint>", ERROR_INVALID,
		  "set --region=eu-west-1" },
		{ "301 Moved", "PermanentRedirect",
		  "<Endpoint>s3s3.s3.eu-north-1.amazonaws.com</Endpoint>", ERROR_INVALID,
		  "set --region=eu-north-1" },
		{ "400 Bad Request", "AuthorizationHeaderMalformed", "", ERROR_INVALID,
		  "'us-east-1' is not the bucket's region" },
		{ "412 Precondition Failed", "PreconditionFailed", "", ERROR_CONFLICT, "else" },
		{ "418 Teapot", "Teapot", "<Message>short and stout</Message>", ERROR_INVALID,
		  "short and stout" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *body = text_printf("<?xml version=\"1.0\"?><Error><Code>%s"
		                                      "</Code>%s</Error>",
		                                      cases[i].code, cases[i].more);
		scoped(error) struct error *err = refusal(*state, cases[i].status, body);

		assert_error_contains(err, cases[i].part);
		assert_int_equal(err->kind, cases[i].kind);
	}
}

static void test_s3_errors__take_an_answer_that_is_not_from_s3(void **state)
{
	scoped(error) struct error *err = refusal(*state, "404 Not Found", "<html>no</body>");

	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_error_contains(err, "is the endpoint an S3 server?");
}

static void test_s3_get__tries_again_when_the_server_is_overloaded(void **state)
{
	scoped(text) char *busy =
		answer_of("503 Slow Down", "<Error><Code>SlowDown</Code></Error>");
	scoped(text) char *good = answer_of("200 OK", "content");
	struct fake_http_answer answers[] = { { .bytes = busy },
		                              { .bytes = "", .after = FAKE_CLOSE },
		                              { .bytes = good } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 3, NULL);
	scoped(text) char *endpoint = fake_http_url(fake, "/");
	scoped(s3_client) struct s3_client *client = client_of(*state, endpoint);
	struct error *err = NULL;
	scoped(text) char *body = NULL;
	size_t got = 0;

	assert_ok(body = s3_get(client, "bucket", "key", 0, 0, 100, &got, &err), err);

	assert_string_equal(body, "content");
	assert_int_equal(got, 7);
	assert_int_equal(fake_http_requests(fake), 3);
}

static void test_s3_get__gives_up_after_three_tries(void **state)
{
	scoped(text) char *busy =
		answer_of("503 Slow Down", "<Error><Code>SlowDown</Code></Error>");
	struct fake_http_answer answers[] = { { .bytes = busy, .repeat = true } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *endpoint = fake_http_url(fake, "");
	scoped(s3_client) struct s3_client *client = client_of(*state, endpoint);
	scoped(error) struct error *err = NULL;

	assert_null(s3_get(client, "bucket", "key", 0, 0, 100, NULL, &err));

	assert_int_equal(err->kind, ERROR_UNAVAILABLE);
	assert_error_contains(err, "slow down");
	assert_int_equal(fake_http_requests(fake), 3);
}

static void test_s3_get__signs_range_token_and_escaped_path(void **state)
{
	scoped(text) char *good = answer_of("206 Partial", "end");
	struct fake_http_answer answers[] = { { .bytes = good } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *endpoint = fake_http_url(fake, "");
	scoped(s3_client) struct s3_client *client = client_of(*state, endpoint);
	scoped(text) char *body = s3_get(client, "bucket", "a b/ä+=.txt", -3, 0, 100, NULL, NULL);
	scoped(text) char *sent = fake_http_request(fake, 0);

	assert_string_equal(body, "end");
	assert_non_null(strstr(sent, "GET /bucket/a%20b/%C3%A4%2B%3D.txt HTTP/1.1\r\n"));
	assert_non_null(strstr(sent, "Range: bytes=-3\r\n"));
	assert_non_null(strstr(sent, "Credential=AKID/"));
	assert_non_null(strstr(sent, "x-amz-security-token,")
	                        ? strstr(sent, "x-amz-security-token,")
	                        : strstr(sent, ";x-amz-security-token"));
	assert_null(strstr(sent, "secret"));
}

/* Of "123456789", the check value of catalogues of such codes. */
static void test_s3_get__holds_what_arrives_against_the_checksum(void **state)
{
	static const struct {
		const char *header;
		bool fits;
	} cases[] = {
		{ "x-amz-checksum-crc32: y/Q5Jg==", true },
		{ "x-amz-checksum-crc32c: 4waSgw==", true },
		{ "x-amz-checksum-crc64nvme: rosUhgp5mIg=", true },
		{ "x-amz-checksum-sha256: FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=", true },
		{ "x-amz-checksum-sha256: FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiY=", false },
		{ "x-amz-checksum-crc32: y/Q5Jw==", false },
		{ "x-amz-checksum-crc32: y/Q5Jw==-3", true },
		{ "x-amz-checksum-sha1: unknown", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *good = text_printf("HTTP/1.1 200 OK\r\n%s\r\nContent-Length: 9"
		                                      "\r\n\r\n123456789",
		                                      cases[i].header);
		struct fake_http_answer answers[] = { { .bytes = good } };
		scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
		scoped(text) char *endpoint = fake_http_url(fake, "");
		scoped(s3_client) struct s3_client *client = client_of(*state, endpoint);
		scoped(error) struct error *err = NULL;
		scoped(text) char *body = s3_get(client, "bucket", "key", 0, 0, 100, NULL, &err);

		if (cases[i].fits)
			assert_ok(body, err);
		else
			assert_error_contains(err, "does not fit the checksum");
	}
}

/* As MinIO with MINIO_REGION answers: the host is the right one, the signature was not. */
static void test_s3_get__signs_for_the_region_that_the_server_names(void **state)
{
	scoped(text) char *wrong =
		answer_of("400 Bad Request", "<Error><Code>AuthorizationHeaderMalformed</Code>"
	                                     "<Region>ap-south-1</Region></Error>");
	scoped(text) char *good = answer_of("200 OK", "content");
	struct fake_http_answer answers[] = { { .bytes = wrong },
		                              { .bytes = good, .repeat = true } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 2, NULL);
	scoped(text) char *endpoint = fake_http_url(fake, "");
	scoped(s3_client) struct s3_client *client = client_of(*state, endpoint);
	struct error *err = NULL;

	for (int i = 0; i < 2; i++) {
		scoped(text) char *body = NULL;

		assert_ok(body = s3_get(client, "bucket", "key", 0, 0, 100, NULL, &err), err);
	}
	scoped(text) char *second = fake_http_request(fake, 1);

	assert_non_null(strstr(second, "/ap-south-1/s3/aws4_request"));
	assert_string_equal(s3_client_region(client), "ap-south-1");
	assert_int_equal(fake_http_requests(fake), 3);
}

/* Keys that were given outright are what they are: nobody has newer ones. */
static void test_s3_get__does_not_try_expired_keys_again(void **state)
{
	scoped(text) char *expired =
		answer_of("400 Bad Request", "<Error><Code>ExpiredToken</Code></Error>");
	struct fake_http_answer answers[] = { { .bytes = expired, .repeat = true } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *endpoint = fake_http_url(fake, "");
	scoped(s3_client) struct s3_client *client = client_of(*state, endpoint);
	scoped(error) struct error *err = NULL;

	assert_null(s3_get(client, "bucket", "key", 0, 0, 100, NULL, &err));
	assert_error_contains(err, "has expired");
	assert_int_equal(fake_http_requests(fake), 1);
}

static void test_s3_put__says_how_the_object_is_to_be_kept(void **state)
{
	struct fixture *fixture = *state;
	scoped(text) char *good = answer_of("200 OK", "");
	struct fake_http_answer answers[] = { { .bytes = good } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *endpoint = fake_http_url(fake, "");
	struct s3_options options = { .endpoint_url = endpoint,
		                      .access_key_id = "AKID",
		                      .secret_access_key = "secret",
		                      .encryption = "aws:kms",
		                      .kms_key_id = "alias/key",
		                      .bucket_key = true,
		                      .storage_class = "STANDARD_IA" };
	struct error *err = NULL;
	scoped(s3_client) struct s3_client *client = s3_client_new(fixture->http, &options, &err);

	assert_ok(client, err);
	assert_ok(s3_put_new(client, "bucket", "key", "x", 1, &err), err);
	scoped(text) char *sent = fake_http_request(fake, 0);

	assert_non_null(strstr(sent, "\r\nx-amz-server-side-encryption: aws:kms\r\n"));
	assert_non_null(
		strstr(sent, "\r\nx-amz-server-side-encryption-aws-kms-key-id: alias/key\r\n"));
	assert_non_null(
		strstr(sent, "\r\nx-amz-server-side-encryption-bucket-key-enabled: true\r\n"));
	assert_non_null(strstr(sent, "\r\nx-amz-storage-class: STANDARD_IA\r\n"));
	assert_non_null(strstr(sent, "\r\nIf-None-Match: *\r\n"));
}

static void test_s3__refuses_names_that_would_lead_elsewhere(void **state)
{
	static const char *const keys[] = { "", "a/../b", "..", "./a", "a/." };
	scoped(s3_client) struct s3_client *client = client_of(*state, "http://127.0.0.1:9");
	struct error *err = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		assert_null(s3_get(client, "bucket", keys[i], 0, 0, 10, NULL, &err));
		assert_int_equal(err->kind, ERROR_INVALID);
		error_free(take(err));
	}
	assert_null(s3_get(client, "a.b/c", "key", 0, 0, 10, NULL, &err));
	assert_error_contains(err, "no name of a bucket");
	error_free(err);
}

static void test_s3_client_new__refuses_what_cannot_work(void **state)
{
	static const struct {
		struct s3_options options;
		const char *part;
	} cases[] = {
		{ { .endpoint_url = "minio:9000" }, "http://minio.example:9000" },
		{ { .endpoint_url = "http://" }, "scheme, host and port" },
		{ { .endpoint_url = "http://key:pass@host" }, "…" },
		{ { .region = "EU (Frankfurt)" }, "eu-central-1" },
		{ { .encryption = "SSE-KMS" }, "AES256, aws:kms" },
		{ { .encryption = "AES256", .kms_key_id = "alias/x" }, "not aws:kms" },
		{ { .encryption = "aws:kms", .kms_key_id = "a\nb" }, "line break" },
		{ { .access_key_id = "AK", .secret_access_key = "geheim\n" }, "line break" },
		{ { .access_key_id = "", .secret_access_key = "geheim" }, "is missing" },
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(error) struct error *err = NULL;
		scoped(text) char *text = NULL;

		assert_null(s3_client_new(fixture->http, &cases[i].options, &err));
		assert_error_contains(err, cases[i].part);
		text = error_text(err);
		assert_null(strstr(text, "geheim"));
		assert_null(strstr(text, "pass"));
	}
}

static void test_s3_page_parse__decodes_keys_and_follows_the_token(void **state)
{
	static const char body[] =
		"<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
		"<IsTruncated>true</IsTruncated><NextContinuationToken>a&amp;b</"
		"NextContinuationToken>"
		"<Contents><Key>x/a+b%2B%C3%A4</Key><Size>12</Size><ETag>&#34;e1&#34;</ETag></"
		"Contents>"
		"<Contents><Key>y</Key><Size>0</Size></Contents></ListBucketResult>";
	struct error *err = NULL;
	struct s3_page page;

	(void)state;
	assert_ok(s3_page_parse(body, sizeof(body) - 1, &page, &err), err);

	assert_int_equal(page.count, 2);
	assert_string_equal(page.objects[0].key, "x/a b+ä");
	assert_int_equal(page.objects[0].size_bytes, 12);
	assert_string_equal(page.objects[0].etag, "e1");
	assert_null(page.objects[1].etag);
	assert_string_equal(page.continuation, "a&b");
	s3_page_release(&page);
}

static void test_s3_page_parse__refuses_what_makes_no_sense(void **state)
{
	static const char *const bodies[] = {
		"",
		"<ListBucketResult>",
		"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
		"<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>",
		"<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></"
		"ListBucketResult>",
		"<!DOCTYPE x [<!ENTITY a \"aaaa\">]><ListBucketResult></ListBucketResult>",
		"<a><a><a><a><a><a><a><a><a></a></a></a></a></a></a></a></a></a>",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		scoped(error) struct error *err = NULL;
		struct s3_page page;

		assert_false(s3_page_parse(bodies[i], strlen(bodies[i]), &page, &err));
		assert_int_equal(err->kind, ERROR_INVALID);
		assert_null(page.objects);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_s3_errors__say_what_is_wrong_and_what_to_do),
		cmocka_unit_test(test_s3_errors__take_an_answer_that_is_not_from_s3),
		cmocka_unit_test(test_s3_get__tries_again_when_the_server_is_overloaded),
		cmocka_unit_test(test_s3_get__gives_up_after_three_tries),
		cmocka_unit_test(test_s3_get__signs_range_token_and_escaped_path),
		cmocka_unit_test(test_s3_get__holds_what_arrives_against_the_checksum),
		cmocka_unit_test(test_s3_get__signs_for_the_region_that_the_server_names),
		cmocka_unit_test(test_s3_get__does_not_try_expired_keys_again),
		cmocka_unit_test(test_s3_put__says_how_the_object_is_to_be_kept),
		cmocka_unit_test(test_s3__refuses_names_that_would_lead_elsewhere),
		cmocka_unit_test(test_s3_client_new__refuses_what_cannot_work),
		cmocka_unit_test(test_s3_page_parse__decodes_keys_and_follows_the_token),
		cmocka_unit_test(test_s3_page_parse__refuses_what_makes_no_sense),
	};

	memory_init();
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
