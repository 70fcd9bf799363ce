/* SPDX-License-Identifier: Apache-2.0 */
/* core/http: requests that wait, and streams on the loop. */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/http.h"
#include "core/memory.h"
#include "core/text.h"
#include "tests/fakes/fake_http.h"

/* Long enough for a busy machine; no test waits for it unless it fails. */
#define PATIENCE_MS 20000

struct fixture {
	struct loop *loop;
	struct http_client *client;
	struct fake_ca *ca;
};

static int set_up(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));

	fixture->loop = loop_new();
	fixture->client = http_client_new(fixture->loop);
	fixture->ca = fake_ca_new();
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	http_client_free(fixture->client);
	loop_free(fixture->loop);
	fake_ca_free(fixture->ca);
	free(fixture);
	return 0;
}

static void release_response(struct http_response *response)
{
	http_response_release(response);
}
#define RESPONSE(name) \
	__attribute__((__cleanup__(release_response))) struct http_response name = { 0 }

/* ---- requests that wait ---- */

static void test_http_perform__returns_status_head_and_body(void **state)
{
	struct fixture *fixture = *state;
	struct fake_http_answer answers[] = {
		{ .bytes = "HTTP/1.1 429 Too Many\r\nContent-Type: text/plain\r\nRetry-After: 7\r\n"
		           "ETag: \"abc\"\r\nx-amz-request-id: R1\r\nContent-Length: "
		           "4\r\n\r\nslow" },
	};
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *url = fake_http_url(fake, "/a?b=c");
	scoped(error) struct error *err = NULL;
	struct http_request request = { .url = url };
	RESPONSE(response);

	assert_ok(http_perform(fixture->client, &request, &response, &err), err);

	assert_int_equal(response.status, 429);
	assert_string_equal(response.body, "slow");
	assert_int_equal(response.body_size, 4);
	assert_string_equal(response.content_type, "text/plain");
	assert_string_equal(response.etag, "\"abc\"");
	assert_string_equal(response.request_id, "R1");
	assert_int_equal(response.retry_after_ms, 7000);
	assert_int_equal(response.content_length, 4);
	scoped(text) char *any_case = http_response_header(&response, "X-AMZ-Request-Id");
	scoped(text) char *first_part = http_response_header(&response, "x-amz");
	assert_string_equal(any_case, "R1");
	assert_null(first_part);
}

static void test_http_perform__sends_method_headers_and_body(void **state)
{
	struct fixture *fixture = *state;
	scoped(text) char *ok = fake_http_json("200 OK", NULL, "{}");
	struct fake_http_answer answers[] = { { .bytes = ok } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *url = fake_http_url(fake, "/x");
	scoped(text) char *sent = NULL;
	scoped(error) struct error *err = NULL;
	const char *const headers[] = { "X-One: 1", "Content-Type: application/json", NULL };
	struct http_request request = { .method = "PATCH",
		                        .url = url,
		                        .headers = headers,
		                        .body = "{\"a\":1}",
		                        .body_size = 7 };
	RESPONSE(response);

	assert_ok(http_perform(fixture->client, &request, &response, &err), err);

	sent = fake_http_request(fake, 0);
	assert_true(text_starts_with(sent, "PATCH /x HTTP/1.1\r\n"));
	assert_non_null(strstr(sent, "\r\nX-One: 1\r\n"));
	assert_non_null(strstr(sent, "\r\nContent-Length: 7\r\n"));
	assert_non_null(strstr(sent, "\r\nUser-Agent: stepop/"));
	assert_non_null(strstr(sent, "\r\n\r\n{\"a\":1}"));
	assert_null(strstr(sent, "Expect"));
	assert_null(strstr(sent, "urlencoded"));
	assert_int_equal(response.retry_after_ms, -1);
}

static void test_http_perform__sends_an_empty_body_with_its_length(void **state)
{
	struct fixture *fixture = *state;
	scoped(text) char *ok = fake_http_json("200 OK", NULL, "{}");
	struct fake_http_answer answers[] = { { .bytes = ok } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *url = fake_http_url(fake, "/x?uploads=");
	scoped(text) char *sent = NULL;
	scoped(error) struct error *err = NULL;
	struct http_request request = { .method = "POST", .url = url };
	RESPONSE(response);

	assert_ok(http_perform(fixture->client, &request, &response, &err), err);

	sent = fake_http_request(fake, 0);
	assert_non_null(strstr(sent, "\r\nContent-Length: 0\r\n"));
	assert_null(strstr(sent, "Content-Type"));
}

static void test_http_perform__sends_a_file_as_body(void **state)
{
	struct fixture *fixture = *state;
	scoped(text) char *ok = fake_http_json("200 OK", NULL, "{}");
	struct fake_http_answer answers[] = { { .bytes = ok } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *url = fake_http_url(fake, "/object");
	scoped(text) char *sent = NULL;
	scoped(error) struct error *err = NULL;
	scoped(file) FILE *file = tmpfile();
	struct http_request request = {
		.method = "PUT", .url = url, .body_size = 11, .body_offset = 6
	};
	RESPONSE(response);
	fputs("part: from a file, more", file);
	fflush(file);
	request.body_fd = fileno(file);

	assert_ok(http_perform(fixture->client, &request, &response, &err), err);

	sent = fake_http_request(fake, 0);
	assert_true(text_starts_with(sent, "PUT /object HTTP/1.1\r\n"));
	assert_non_null(strstr(sent, "\r\nContent-Length: 11\r\n"));
	assert_true(text_ends_with(sent, "\r\n\r\nfrom a file"));
}

static void test_http_perform__reuses_the_connection(void **state)
{
	struct fixture *fixture = *state;
	scoped(text) char *ok = fake_http_json("200 OK", NULL, "{}");
	struct fake_http_answer answers[] = { { .bytes = ok, .repeat = true } };
	struct fake_certificate certificate = fake_ca_issue(fixture->ca, "IP:127.0.0.1", 3600);
	struct fake_http_options options = { .certificate = &certificate };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, &options);
	scoped(text) char *url = fake_http_url(fake, "/");
	scoped(error) struct error *err = NULL;
	struct http_tls tls = { .ca_pem = fake_ca_pem(fixture->ca) };
	struct http_request request = { .url = url, .tls = &tls };
	int i;

	for (i = 0; i < 5; i++) {
		RESPONSE(response);

		assert_ok(http_perform(fixture->client, &request, &response, &err), err);
		assert_int_equal(response.status, 200);
	}

	assert_int_equal(fake_http_requests(fake), 5);
	assert_int_equal(fake_http_connections(fake), 1);
	fake_certificate_release(&certificate);
}

static void test_http_perform__does_not_follow_redirects(void **state)
{
	struct fixture *fixture = *state;
	scoped(text) char *moved = fake_http_json("302 Found", "Location: /other\r\n", "");
	struct fake_http_answer answers[] = { { .bytes = moved, .repeat = true } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *url = fake_http_url(fake, "/");
	scoped(error) struct error *err = NULL;
	struct http_request request = { .url = url };
	RESPONSE(response);

	assert_ok(http_perform(fixture->client, &request, &response, &err), err);

	assert_int_equal(response.status, 302);
	assert_int_equal(fake_http_requests(fake), 1);
}

static void test_http_perform__bounds_the_answer(void **state)
{
	struct fixture *fixture = *state;
	scoped(text) char *big = fake_http_json("200 OK", NULL, "0123456789");
	struct fake_http_answer answers[] = { { .bytes = big, .repeat = true } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *url = fake_http_url(fake, "/");
	scoped(error) struct error *err = NULL;
	struct http_request request = { .url = url, .max_response_bytes = 10 };
	RESPONSE(fits);
	RESPONSE(response);

	assert_ok(http_perform(fixture->client, &request, &fits, &err), err);
	request.max_response_bytes = 9;
	assert_false(http_perform(fixture->client, &request, &response, &err));

	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, "larger than 9 bytes");
}

static void test_http_perform__reaches_a_unix_socket(void **state)
{
	struct fixture *fixture = *state;
	char path[] = "/tmp/stepop-test-XXXXXX";
	scoped(text) char *ok = fake_http_json("200 OK", NULL, "{}");
	struct fake_http_answer answers[] = { { .bytes = ok } };
	struct fake_http_options options = { .unix_socket = path };
	struct http_request request = { .url = "http://localhost/x", .unix_socket = path };
	scoped(error) struct error *err = NULL;
	RESPONSE(response);
	close(mkstemp(path));
	unlink(path);
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, &options);

	assert_ok(http_perform(fixture->client, &request, &response, &err), err);

	assert_int_equal(response.status, 200);
}

static void test_http_perform__goes_through_the_proxy(void **state)
{
	struct fixture *fixture = *state;
	scoped(text) char *ok = fake_http_json("200 OK", NULL, "{}");
	struct fake_http_answer answers[] = { { .bytes = ok } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *proxy = fake_http_url(fake, "");
	scoped(text) char *sent = NULL;
	scoped(error) struct error *err = NULL;
	struct http_request request = { .url = "http://far.example/x", .proxy_url = proxy };
	RESPONSE(response);

	assert_ok(http_perform(fixture->client, &request, &response, &err), err);

	sent = fake_http_request(fake, 0);
	assert_true(text_starts_with(sent, "GET http://far.example/x HTTP/1.1\r\n"));
}

static void test_http_perform__signs_for_aws(void **state)
{
	struct fixture *fixture = *state;
	scoped(text) char *ok = fake_http_json("200 OK", NULL, "{}");
	struct fake_http_answer answers[] = { { .bytes = ok } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *url = fake_http_url(fake, "/bucket/key");
	scoped(text) char *sent = NULL;
	scoped(error) struct error *err = NULL;
	const char *const headers[] = { "x-amz-content-sha256: UNSIGNED-PAYLOAD", NULL };
	struct http_request request = { .url = url,
		                        .headers = headers,
		                        .aws_sigv4 = "aws:amz:us-east-1:s3",
		                        .user_password = "AKID:secret-key" };
	RESPONSE(response);

	assert_ok(http_perform(fixture->client, &request, &response, &err), err);

	sent = fake_http_request(fake, 0);
	assert_non_null(strstr(sent, "Authorization: AWS4-HMAC-SHA256 Credential=AKID/"));
	assert_non_null(strstr(sent, "x-amz-content-sha256"));
	assert_null(strstr(sent, "secret-key"));
}

/* ---- what goes wrong ---- */

static struct error *perform_error(struct fixture *fixture, const struct http_request *request)
{
	struct error *err = NULL;
	RESPONSE(response);

	assert_false(http_perform(fixture->client, request, &response, &err));
	assert_non_null(err);
	return err;
}

static void test_http_perform__says_that_the_connection_was_refused(void **state)
{
	scoped(text) char *url = text_printf("http://127.0.0.1:%d/", fake_http_closed_port());
	struct http_request request = { .url = url };
	scoped(error) struct error *err = perform_error(*state, &request);

	assert_int_equal(err->kind, ERROR_UNAVAILABLE);
	assert_error_contains(err, "cannot connect to http://127.0.0.1:");
	assert_error_contains(err, ": connection refused");
}

static void test_http_perform__says_that_a_name_is_not_known(void **state)
{
	struct http_request request = { .url = "https://no-such-host.invalid/x?token=hidden",
		                        .proxy_url = "" };
	scoped(error) struct error *err = perform_error(*state, &request);

	assert_int_equal(err->kind, ERROR_UNAVAILABLE);
	assert_string_equal(err->message, "cannot reach https://no-such-host.invalid: the name "
	                                  "'no-such-host.invalid' is not known (DNS)");
}

static void test_http_perform__refuses_unusable_urls(void **state)
{
	static const struct {
		const char *url, *message;
	} cases[] = {
		{ "ftp://host/", "URLs begin with https:// or http://, not ftp://" },
		{ "https://", "'https://' is not a usable URL" },
		{ "https://user:pw@host/", "the URL of host 'host' has a user name in it" },
		{ "https://host:port/?X=hidden", "'https://host:port/' is not a usable URL" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_request request = { .url = cases[i].url };
		scoped(error) struct error *err = perform_error(*state, &request);

		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, cases[i].message);
	}
}

static void test_http_perform__times_out_without_an_answer(void **state)
{
	struct fake_http_answer answers[] = { { .bytes = "", .after = FAKE_HOLD } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *url = fake_http_url(fake, "/");
	struct http_request request = { .url = url, .timeout_ms = 50 };
	scoped(error) struct error *err = perform_error(*state, &request);

	assert_int_equal(err->kind, ERROR_TIMEOUT);
	assert_error_contains(err, "no answer from http://127.0.0.1:");
	assert_error_contains(err, "within 50ms");
}

static void test_http_client_set_deadline__bounds_requests_and_waits(void **state)
{
	struct fixture *fixture = *state;
	struct fake_http_answer answers[] = { { .bytes = "", .after = FAKE_HOLD } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *url = fake_http_url(fake, "/");
	const struct http_request request = { .url = url };
	scoped(error) struct error *first = NULL, *second = NULL;
	int64_t began_ms = loop_now_ms();

	http_client_set_deadline(fixture->client, began_ms + 50);
	first = perform_error(fixture, &request);
	http_wait(fixture->client, 10 * PATIENCE_MS);
	second = perform_error(fixture, &request);

	assert_int_equal(first->kind, ERROR_TIMEOUT);
	assert_error_contains(first, "no answer from http://127.0.0.1:");
	assert_int_equal(second->kind, ERROR_TIMEOUT);
	assert_in_range(loop_now_ms() - began_ms, 50, PATIENCE_MS);
}

static void test_http_perform__says_that_an_answer_was_cut(void **state)
{
	static const char *const cut[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n012",
		"HTTP/1.1 200 OK\r\nContent-Le",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
		"",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cut); i++) {
		struct fake_http_answer answers[] = { { .bytes = cut[i], .after = FAKE_CLOSE } };
		scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
		scoped(text) char *url = fake_http_url(fake, "/");
		struct http_request request = { .url = url };
		scoped(error) struct error *err = perform_error(*state, &request);

		assert_int_equal(err->kind, ERROR_UNAVAILABLE);
		assert_error_contains(err, "broke off the connection");
	}
}

static void test_http_perform__says_that_an_answer_is_garbage(void **state)
{
	struct fake_http_answer answers[] = { { .bytes = "SSH-2.0-OpenSSH_9.2\r\n",
		                                .after = FAKE_CLOSE } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *url = fake_http_url(fake, "/");
	struct http_request request = { .url = url };
	scoped(error) struct error *err = perform_error(*state, &request);

	assert_int_equal(err->kind, ERROR_UNAVAILABLE);
	assert_error_contains(err, "is not HTTP");
}

/* ---- TLS ---- */

struct tls_case {
	const char *names; /* in the server's certificate */
	long valid_s;
	bool wants_client_certificate;
	struct http_tls tls;
};

/* The error of one request to a server as the case has it; NULL when it answered. */
static struct error *perform_tls(struct fixture *fixture, const struct tls_case *tls_case,
                                 char **sent)
{
	scoped(text) char *ok = fake_http_json("200 OK", NULL, "{}");
	struct fake_http_answer answers[] = { { .bytes = ok } };
	struct fake_certificate certificate = fake_ca_issue(
		fixture->ca, tls_case->names, tls_case->valid_s ? tls_case->valid_s : 3600);
	struct fake_http_options options = {
		.certificate = &certificate,
		.client_ca_pem =
			tls_case->wants_client_certificate ? fake_ca_pem(fixture->ca) : NULL,
	};
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, &options);
	scoped(text) char *url = fake_http_url(fake, "/");
	struct http_request request = { .url = url, .tls = &tls_case->tls };
	struct error *err = NULL;
	RESPONSE(response);

	http_perform(fixture->client, &request, &response, &err);
	if (sent)
		*sent = fake_http_request(fake, 0);
	fake_certificate_release(&certificate);
	return err;
}

static void test_http_tls__trusts_the_given_authority(void **state)
{
	struct fixture *fixture = *state;
	struct tls_case right = { .names = "IP:127.0.0.1",
		                  .tls = { .ca_pem = fake_ca_pem(fixture->ca) } };
	scoped(error) struct error *err = perform_tls(fixture, &right, NULL);

	assert_ok(!err, err);
}

static void test_http_tls__names_an_untrusted_certificate(void **state)
{
	struct tls_case unknown = { .names = "IP:127.0.0.1" };
	scoped(error) struct error *err = perform_tls(*state, &unknown, NULL);

	assert_non_null(err);
	assert_int_equal(err->kind, ERROR_AUTH);
	assert_error_contains(err, "the certificate of https://127.0.0.1:");
	assert_error_contains(err, "is not trusted (unable to get local issuer certificate); "
	                           "name the certificate authority that signed it");
}

static void test_http_tls__names_a_wrong_host(void **state)
{
	struct fixture *fixture = *state;
	struct tls_case wrong = { .names = "DNS:other.example",
		                  .tls = { .ca_pem = fake_ca_pem(fixture->ca) } };
	scoped(error) struct error *err = perform_tls(fixture, &wrong, NULL);

	assert_non_null(err);
	assert_int_equal(err->kind, ERROR_AUTH);
	assert_error_contains(err, "is not made for the name '127.0.0.1'");
}

static void test_http_tls__names_an_expired_certificate(void **state)
{
	struct fixture *fixture = *state;
	struct tls_case expired = { .names = "IP:127.0.0.1",
		                    .valid_s = -60,
		                    .tls = { .ca_pem = fake_ca_pem(fixture->ca) } };
	scoped(error) struct error *err = perform_tls(fixture, &expired, NULL);

	assert_non_null(err);
	assert_int_equal(err->kind, ERROR_AUTH);
	assert_error_contains(err, "has expired");
}

static void test_http_tls__verifies_the_server_name_instead_of_the_host(void **state)
{
	struct fixture *fixture = *state;
	struct tls_case named = { .names = "DNS:kubernetes.default",
		                  .tls = { .ca_pem = fake_ca_pem(fixture->ca),
		                           .server_name = "kubernetes.default" } };
	struct tls_case other = named;
	scoped(text) char *sent = NULL;
	scoped(error) struct error *right = NULL;
	scoped(error) struct error *wrong = NULL;
	other.names = "IP:127.0.0.1";

	right = perform_tls(fixture, &named, &sent);
	wrong = perform_tls(fixture, &other, NULL);

	assert_ok(!right, right);
	assert_non_null(strstr(sent, "\r\nHost: 127.0.0.1:"));
	assert_error_contains(wrong, "is not made for the name 'kubernetes.default'");
}

static void test_http_tls__skips_verification_on_request(void **state)
{
	struct tls_case insecure = { .names = "DNS:other.example", .tls = { .insecure = true } };
	scoped(error) struct error *err = perform_tls(*state, &insecure, NULL);

	assert_ok(!err, err);
}

static void test_http_tls__presents_a_client_certificate(void **state)
{
	struct fixture *fixture = *state;
	struct fake_certificate mine = fake_ca_issue(fixture->ca, "DNS:me", 3600);
	struct tls_case without = { .names = "IP:127.0.0.1",
		                    .wants_client_certificate = true,
		                    .tls = { .ca_pem = fake_ca_pem(fixture->ca) } };
	struct tls_case with = without;
	scoped(error) struct error *refused = NULL;
	scoped(error) struct error *accepted = NULL;
	with.tls.certificate_pem = mine.certificate_pem;
	with.tls.key_pem = mine.key_pem;

	refused = perform_tls(fixture, &without, NULL);
	accepted = perform_tls(fixture, &with, NULL);

	assert_ok(!accepted, accepted);
	assert_non_null(refused);
	assert_int_equal(refused->kind, ERROR_AUTH);
	assert_error_contains(refused, "does not accept our client certificate, or asks for one");
	fake_certificate_release(&mine);
}

static void test_http_tls__refuses_unreadable_material(void **state)
{
	struct fixture *fixture = *state;
	struct tls_case bad_ca = { .names = "IP:127.0.0.1", .tls = { .ca_pem = "nonsense" } };
	struct tls_case bad_key = { .names = "IP:127.0.0.1",
		                    .tls = { .ca_pem = fake_ca_pem(fixture->ca),
		                             .certificate_pem = fake_ca_pem(fixture->ca),
		                             .key_pem = "nonsense" } };
	struct tls_case half = { .names = "IP:127.0.0.1",
		                 .tls = { .certificate_pem = fake_ca_pem(fixture->ca) } };
	scoped(error) struct error *ca = perform_tls(fixture, &bad_ca, NULL);
	scoped(error) struct error *key = perform_tls(fixture, &bad_key, NULL);
	scoped(error) struct error *alone = perform_tls(fixture, &half, NULL);

	assert_int_equal(ca->kind, ERROR_INVALID);
	assert_error_contains(ca, "the certificate authority given for https://127.0.0.1:");
	assert_int_equal(key->kind, ERROR_INVALID);
	assert_error_contains(key, "the client certificate for https://127.0.0.1:");
	assert_error_contains(alone, "must be given together");
}

static void test_http_tls__says_that_the_server_speaks_no_tls(void **state)
{
	struct fake_http_answer answers[] = { { .bytes = "HTTP/1.1 400 Bad\r\n\r\n",
		                                .after = FAKE_CLOSE } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *url = text_printf("https://127.0.0.1:%d/", fake_http_port(fake));
	struct http_request request = { .url = url };
	scoped(error) struct error *err = perform_error(*state, &request);

	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, "does not speak TLS; is it meant to be http://?");
}

/* ---- streams ---- */

struct stream {
	struct fixture *fixture;
	struct http_transfer *transfer;
	char *text;
	int heads, status, ends;
	struct error *error;
	char *whole; /* the body where there is no data() */
	size_t stop_at, cancel_at;
	const struct http_request *nested;
	int nested_status;
	bool in_callback, overlapped;
};

static void stream_release(struct stream *stream)
{
	free(stream->text);
	free(stream->whole);
	error_free(stream->error);
}
#define STREAM(name) \
	__attribute__((__cleanup__(stream_release))) struct stream name = { .fixture = *state }

static void on_head(void *context, int status, const struct http_response *head)
{
	struct stream *stream = context;

	assert_int_equal(head->status, status);
	stream->heads++;
	stream->status = status;
}

static bool on_data(void *context, const char *bytes, size_t size)
{
	struct stream *stream = context;
	scoped(text) char *before = stream->text;
	size_t length;

	stream->overlapped |= stream->in_callback;
	stream->in_callback = true;
	stream->text = text_printf("%s%.*s", before ? before : "", (int)size, bytes);
	length = strlen(stream->text);
	if (stream->nested) {
		scoped(error) struct error *err = NULL;
		RESPONSE(response);

		assert_ok(http_perform(stream->fixture->client, stream->nested, &response, &err),
		          err);
		stream->nested_status = response.status;
		stream->nested = NULL;
	}
	if (stream->cancel_at && length >= stream->cancel_at)
		http_cancel(take(stream->transfer));
	stream->in_callback = false;
	return !stream->stop_at || length < stream->stop_at;
}

static void on_ended(void *context, const struct http_response *response, const struct error *error)
{
	struct stream *stream = context;

	stream->ends++;
	stream->error = error_copy(error);
	if (response->body)
		stream->whole = xstrdup(response->body);
}

static const struct http_events stream_events = { on_head, on_data, on_ended };
static const struct http_events whole_events = { .ended = on_ended };

static bool has_ended(const void *context)
{
	return ((const struct stream *)context)->ends;
}

static bool has_text(const void *context)
{
	return ((const struct stream *)context)->text;
}

static bool has_head(const void *context)
{
	return ((const struct stream *)context)->heads;
}

static bool never(const void *context)
{
	(void)context;
	return false;
}

static void start(struct stream *stream, const struct http_request *request,
                  const struct http_events *events)
{
	scoped(error) struct error *err = NULL;

	stream->transfer = http_start(stream->fixture->client, request, events, stream, &err);
	assert_ok(stream->transfer, err);
}

static bool run(struct stream *stream, bool (*done)(const void *context))
{
	return loop_run_until(stream->fixture->loop, done, stream, loop_now_ms() + PATIENCE_MS);
}

static void test_http_start__streams_head_data_and_end(void **state)
{
	const char *const lines[] = { "one", "two", NULL };
	scoped(text) char *chunked = fake_http_chunked(lines, true);
	struct fake_http_answer answers[] = { { .bytes = chunked, .slow_ms = 1, .slow_size = 20 } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *url = fake_http_url(fake, "/watch");
	struct http_request request = { .url = url };
	STREAM(stream);

	start(&stream, &request, &stream_events);
	assert_int_equal(stream.heads, 0);
	assert_true(run(&stream, has_ended));

	assert_int_equal(stream.heads, 1);
	assert_int_equal(stream.status, 200);
	assert_string_equal(stream.text, "one\ntwo\n");
	assert_null(stream.error);
}

static void test_http_start__gathers_the_body_without_data(void **state)
{
	scoped(text) char *ok = fake_http_json("200 OK", NULL, "{\"a\": 1}");
	struct fake_http_answer answers[] = { { .bytes = ok } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *url = fake_http_url(fake, "/");
	struct http_request request = { .url = url };
	STREAM(stream);

	start(&stream, &request, &whole_events);
	assert_true(run(&stream, has_ended));

	assert_string_equal(stream.whole, "{\"a\": 1}");
}

static void test_http_start__leaves_nothing_to_wait_for(void **state)
{
	scoped(text) char *ok = fake_http_json("200 OK", NULL, "{}");
	struct fake_http_answer answers[] = { { .bytes = ok } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *url = fake_http_url(fake, "/");
	struct http_request request = { .url = url, .idle_timeout_ms = PATIENCE_MS };
	STREAM(stream);

	start(&stream, &request, &whole_events);

	assert_false(run(&stream, never));
	assert_int_equal(stream.ends, 1);
	assert_false(loop_step(stream.fixture->loop, loop_now_ms() + PATIENCE_MS));
}

static void test_http_start__tells_a_cut_stream(void **state)
{
	const char *const lines[] = { "one", NULL };
	scoped(text) char *chunked = fake_http_chunked(lines, false);
	struct fake_http_answer answers[] = { { .bytes = chunked, .after = FAKE_CLOSE } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *url = fake_http_url(fake, "/");
	struct http_request request = { .url = url };
	STREAM(stream);

	start(&stream, &request, &stream_events);
	assert_true(run(&stream, has_ended));

	assert_string_equal(stream.text, "one\n");
	assert_non_null(stream.error);
	assert_int_equal(stream.error->kind, ERROR_UNAVAILABLE);
}

static void test_http_start__tells_a_refused_connection(void **state)
{
	scoped(text) char *url = text_printf("http://127.0.0.1:%d/", fake_http_closed_port());
	struct http_request request = { .url = url };
	STREAM(stream);

	start(&stream, &request, &stream_events);
	assert_true(run(&stream, has_ended));

	assert_int_equal(stream.heads, 0);
	assert_error_contains(stream.error, "connection refused");
}

static void test_http_start__times_out_a_silent_stream(void **state)
{
	const char *const lines[] = { "one", NULL };
	scoped(text) char *chunked = fake_http_chunked(lines, false);
	struct fake_http_answer answers[] = { { .bytes = chunked, .after = FAKE_HOLD } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *url = fake_http_url(fake, "/");
	struct http_request request = { .url = url, .idle_timeout_ms = 60 };
	STREAM(stream);

	start(&stream, &request, &stream_events);
	assert_true(run(&stream, has_ended));

	assert_string_equal(stream.text, "one\n");
	assert_int_equal(stream.error->kind, ERROR_TIMEOUT);
	assert_error_contains(stream.error, "nothing came from http://127.0.0.1:");
}

static void test_http_start__ends_when_data_says_so(void **state)
{
	const char *const lines[] = { "one", "two", NULL };
	scoped(text) char *chunked = fake_http_chunked(lines, false);
	struct fake_http_answer answers[] = { { .bytes = chunked, .after = FAKE_HOLD } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *url = fake_http_url(fake, "/");
	struct http_request request = { .url = url };
	STREAM(stream);
	stream.stop_at = 1;

	start(&stream, &request, &stream_events);
	assert_true(run(&stream, has_ended));

	assert_int_equal(stream.error->kind, ERROR_CANCELLED);
	assert_int_equal(stream.ends, 1);
}

static void test_http_cancel__is_safe_inside_a_callback(void **state)
{
	const char *const lines[] = { "one", NULL };
	scoped(text) char *chunked = fake_http_chunked(lines, false);
	struct fake_http_answer answers[] = { { .bytes = chunked, .after = FAKE_HOLD } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *url = fake_http_url(fake, "/");
	struct http_request request = { .url = url };
	STREAM(stream);
	stream.cancel_at = 1;

	start(&stream, &request, &stream_events);

	assert_false(run(&stream, has_ended));
	assert_string_equal(stream.text, "one\n");
	assert_null(stream.transfer);
	assert_int_equal(stream.ends, 0);
}

static void test_http_cancel__is_safe_at_any_time(void **state)
{
	struct fake_http_answer answers[] = { { .bytes = "", .after = FAKE_HOLD, .repeat = true } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *url = fake_http_url(fake, "/");
	struct http_request request = { .url = url, .idle_timeout_ms = PATIENCE_MS };
	STREAM(early);
	STREAM(left);

	http_cancel(NULL);
	start(&early, &request, &stream_events);
	http_cancel(early.transfer);
	start(&left, &request, &stream_events);
	loop_step(left.fixture->loop, loop_now_ms() + PATIENCE_MS);

	assert_int_equal(early.heads + early.ends + left.ends, 0);
	/* `left` is dropped by http_client_free() without a callback */
}

static void test_http_perform__works_inside_a_callback_and_holds_back_others(void **state)
{
	const char *const lines[] = { "first", "second", NULL };
	scoped(text) char *chunked = fake_http_chunked(lines, true);
	scoped(text) char *slow = fake_http_json("201 Created", NULL, "{}");
	struct fake_http_answer answers[] = {
		{ .match = "GET /watch", .bytes = chunked, .slow_ms = 1, .slow_size = 100 },
		{ .match = "POST /slow", .bytes = slow, .slow_ms = 20, .slow_size = 30 },
	};
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 2, NULL);
	scoped(text) char *watch_url = fake_http_url(fake, "/watch");
	scoped(text) char *slow_url = fake_http_url(fake, "/slow");
	struct http_request watch = { .url = watch_url };
	struct http_request post = { .method = "POST", .url = slow_url };
	STREAM(stream);
	stream.nested = &post;

	start(&stream, &watch, &stream_events);
	assert_true(run(&stream, has_ended));

	assert_int_equal(stream.nested_status, 201);
	assert_string_equal(stream.text, "first\nsecond\n");
	assert_false(stream.overlapped);
}

static void test_http_perform__lets_streams_proceed_but_tells_them_later(void **state)
{
	const char *const lines[] = { "event", NULL };
	scoped(text) char *chunked = fake_http_chunked(lines, true);
	scoped(text) char *slow = fake_http_json("200 OK", NULL, "{}");
	struct fake_http_answer answers[] = {
		{ .match = "GET /watch", .bytes = chunked },
		{ .match = "GET /slow", .bytes = slow, .slow_ms = 20, .slow_size = 20 },
	};
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 2, NULL);
	scoped(text) char *watch_url = fake_http_url(fake, "/watch");
	scoped(text) char *slow_url = fake_http_url(fake, "/slow");
	struct http_request watch = { .url = watch_url };
	struct http_request get = { .url = slow_url };
	scoped(error) struct error *err = NULL;
	RESPONSE(response);
	STREAM(stream);

	start(&stream, &watch, &stream_events);
	assert_ok(http_perform(stream.fixture->client, &get, &response, &err), err);

	assert_int_equal(fake_http_requests(fake), 2);
	assert_int_equal(stream.heads, 0);
	assert_null(stream.text);
	assert_true(run(&stream, has_ended));
	assert_string_equal(stream.text, "event\n");
}

/* 5 MB in one line while a request waits: the server is held back, nothing is lost. */
static void test_http_perform__holds_a_large_stream_back(void **state)
{
	struct fixture *fixture = *state;
	size_t size = 5000000;
	char *line = xcalloc(size + 1, 1);
	const char *const lines[] = { line, NULL };
	scoped(text) char *chunked = NULL;
	scoped(text) char *slow = fake_http_json("200 OK", NULL, "{}");
	STREAM(stream);

	memset(line, 'x', size);
	chunked = fake_http_chunked(lines, true);
	free(line);
	struct fake_http_answer answers[] = {
		{ .match = "GET /watch", .bytes = chunked },
		{ .match = "GET /slow", .bytes = slow, .slow_ms = 20, .slow_size = 10 },
	};
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 2, NULL);
	scoped(text) char *watch_url = fake_http_url(fake, "/watch");
	scoped(text) char *slow_url = fake_http_url(fake, "/slow");
	struct http_request watch = { .url = watch_url };
	struct http_request get = { .url = slow_url };
	scoped(error) struct error *err = NULL;
	RESPONSE(response);

	start(&stream, &watch, &stream_events);
	assert_true(run(&stream, has_head));
	assert_ok(http_perform(fixture->client, &get, &response, &err), err);
	assert_true(run(&stream, has_ended));

	assert_null(stream.error);
	assert_int_equal(strlen(stream.text), size + 1);
}

/* What is awaited is told of alone; the stream beside it proceeds, and is told of by the loop. */
static void test_http_await__tells_only_of_what_is_awaited(void **state)
{
	const char *const lines[] = { "event", NULL };
	scoped(text) char *chunked = fake_http_chunked(lines, true);
	scoped(text) char *ok = fake_http_json("200 OK", NULL, "{}");
	struct fake_http_answer answers[] = {
		{ .match = "GET /watch", .bytes = chunked },
		{ .match = "GET /awaited",
		  .bytes = ok,
		  .repeat = true,
		  .slow_ms = 10,
		  .slow_size = 50 },
	};
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 2, NULL);
	scoped(text) char *watch_url = fake_http_url(fake, "/watch");
	scoped(text) char *awaited_url = fake_http_url(fake, "/awaited");
	struct http_request watch = { .url = watch_url };
	struct http_request get = { .url = awaited_url, .is_awaited = true };
	STREAM(stream);
	STREAM(one);
	STREAM(other);

	start(&stream, &watch, &stream_events);
	start(&one, &get, &stream_events);
	start(&other, &get, &stream_events);
	while (!one.ends || !other.ends)
		http_await(one.fixture->client, loop_now_ms() + PATIENCE_MS, -1);

	assert_int_equal(stream.heads, 0);
	assert_true(run(&stream, has_ended));
	assert_string_equal(stream.text, "event\n");
	assert_string_equal(one.text, "{}");
}

static void count_tick(void *context)
{
	++*(size_t *)context;
}

/* An answer of 20 pieces, 5 ms apart: what must not wait with the request is called meanwhile. */
static void test_http_client_set_tick__calls_while_a_request_waits(void **state)
{
	struct fixture *fixture = *state;
	scoped(text) char *ok = fake_http_json("200 OK", NULL, "{}");
	struct fake_http_answer answers[] = {
		{ .bytes = ok, .repeat = true, .slow_ms = 5, .slow_size = strlen(ok) / 20 },
	};
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *url = fake_http_url(fake, "/slow");
	struct http_request request = { .url = url };
	scoped(error) struct error *err = NULL;
	size_t ticks = 0;

	for (int i = 0; i < 2; i++) {
		RESPONSE(response);

		http_client_set_tick(fixture->client, 10, i ? NULL : count_tick, &ticks);
		if (i)
			ticks = 0;
		assert_ok(http_perform(fixture->client, &request, &response, &err), err);
		if (i)
			assert_int_equal(ticks, 0);
		else
			assert_true(ticks > 2);
	}
}

static void test_http_await__ends_when_it_is_woken(void **state)
{
	struct fake_http_answer answers[] = { { .bytes = "", .after = FAKE_HOLD } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *url = fake_http_url(fake, "/never");
	struct http_request get = { .url = url, .is_awaited = true };
	int64_t deadline_ms = loop_now_ms() + PATIENCE_MS;
	int pipe_fds[2];
	STREAM(stream);

	start(&stream, &get, &stream_events);
	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(write(pipe_fds[1], "x", 1), 1);
	http_await(stream.fixture->client, deadline_ms, pipe_fds[0]);
	close(pipe_fds[0]);
	close(pipe_fds[1]);

	assert_true(loop_now_ms() < deadline_ms);
	assert_int_equal(stream.ends, 0);
}

static void test_http_client__can_go_while_a_stream_runs(void **state)
{
	const char *const lines[] = { "one", NULL };
	scoped(text) char *chunked = fake_http_chunked(lines, false);
	struct fake_http_answer answers[] = { { .bytes = chunked, .after = FAKE_HOLD } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *url = fake_http_url(fake, "/");
	struct http_request request = { .url = url, .idle_timeout_ms = PATIENCE_MS };
	struct fixture *fixture = *state;
	STREAM(stream);

	start(&stream, &request, &stream_events);
	assert_true(run(&stream, has_text));
	http_client_free(fixture->client);
	fixture->client = NULL;

	assert_int_equal(stream.ends, 0);
}

static void test_http_escape__keeps_unreserved_characters_only(void **state)
{
	scoped(text) char *all = http_escape("a-b_c.d~e/f g+h%\xc3\xa4?", false);
	scoped(text) char *path = http_escape("a/b c", true);
	(void)state;

	assert_string_equal(all, "a-b_c.d~e%2Ff%20g%2Bh%25%C3%A4%3F");
	assert_string_equal(path, "a/b%20c");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_http_perform__returns_status_head_and_body),
		TEST(test_http_perform__sends_method_headers_and_body),
		TEST(test_http_perform__sends_an_empty_body_with_its_length),
		TEST(test_http_perform__sends_a_file_as_body),
		TEST(test_http_perform__reuses_the_connection),
		TEST(test_http_perform__does_not_follow_redirects),
		TEST(test_http_perform__bounds_the_answer),
		TEST(test_http_perform__reaches_a_unix_socket),
		TEST(test_http_perform__goes_through_the_proxy),
		TEST(test_http_perform__signs_for_aws),
		TEST(test_http_perform__says_that_the_connection_was_refused),
		TEST(test_http_perform__says_that_a_name_is_not_known),
		TEST(test_http_perform__refuses_unusable_urls),
		TEST(test_http_perform__times_out_without_an_answer),
		TEST(test_http_client_set_deadline__bounds_requests_and_waits),
		TEST(test_http_perform__says_that_an_answer_was_cut),
		TEST(test_http_perform__says_that_an_answer_is_garbage),
		TEST(test_http_tls__trusts_the_given_authority),
		TEST(test_http_tls__names_an_untrusted_certificate),
		TEST(test_http_tls__names_a_wrong_host),
		TEST(test_http_tls__names_an_expired_certificate),
		TEST(test_http_tls__verifies_the_server_name_instead_of_the_host),
		TEST(test_http_tls__skips_verification_on_request),
		TEST(test_http_tls__presents_a_client_certificate),
		TEST(test_http_tls__refuses_unreadable_material),
		TEST(test_http_tls__says_that_the_server_speaks_no_tls),
		TEST(test_http_start__streams_head_data_and_end),
		TEST(test_http_start__gathers_the_body_without_data),
		TEST(test_http_start__leaves_nothing_to_wait_for),
		TEST(test_http_start__tells_a_cut_stream),
		TEST(test_http_start__tells_a_refused_connection),
		TEST(test_http_start__times_out_a_silent_stream),
		TEST(test_http_start__ends_when_data_says_so),
		TEST(test_http_cancel__is_safe_inside_a_callback),
		TEST(test_http_cancel__is_safe_at_any_time),
		TEST(test_http_perform__works_inside_a_callback_and_holds_back_others),
		TEST(test_http_perform__lets_streams_proceed_but_tells_them_later),
		TEST(test_http_perform__holds_a_large_stream_back),
		TEST(test_http_await__tells_only_of_what_is_awaited),
		TEST(test_http_client_set_tick__calls_while_a_request_waits),
		TEST(test_http_await__ends_when_it_is_woken),
		TEST(test_http_client__can_go_while_a_stream_runs),
		cmocka_unit_test(test_http_escape__keeps_unreserved_characters_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
