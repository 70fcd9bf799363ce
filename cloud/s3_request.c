/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request of S3's REST API. The digest of the body is always signed, in
 * x-amz-content-sha256: what arrives otherwise than it was sent is refused by the server.
 */
#include "cloud/s3_request.h"

#include <stdlib.h>
#include <string.h>

#include "cloud/aws_sigv4.h"
#include "cloud/s3_call.h"
#include "cloud/s3_client.h"
#include "cloud/s3_error.h"
#include "core/clock.h"
#include "core/memory.h"
#include "core/text.h"

#define EMPTY_DIGEST "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

enum {
	TIMEOUT_MS = 30000,
	STALL_TIMEOUT_MS = 60000,
	BYTES_PER_MS_MIN = 100, /* slower answers are given up */
	KEY_MAX = 1024,
	LINES_MAX = 24,
};

/* Bucket and key become part of a URL: nothing may lead elsewhere. */
bool s3_request_check(const struct s3_request *request, struct error **err)
{
	const char *bucket = request->bucket, *key = request->key;
	const char *segment = key;

	if (!*bucket || strlen(bucket) > 255 || *bucket == '.' || *bucket == '-' ||
	    bucket[strspn(bucket, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                          "0123456789.-_")])
		return error_set(err, ERROR_INVALID, "'%s' is no name of a bucket", bucket);
	if (!key)
		return true;
	if (!*key || strlen(key) > KEY_MAX)
		return error_set(err, ERROR_INVALID, "keys in S3 have 1 to %d bytes: s3://%s/%.80s",
		                 KEY_MAX, bucket, key);
	for (; segment; segment = strchr(segment, '/'), segment = segment ? segment + 1 : NULL) {
		size_t size = strcspn(segment, "/");

		if ((size == 1 && *segment == '.') || (size == 2 && !memcmp(segment, "..", 2)))
			return error_set(err, ERROR_INVALID,
			                 "'.' and '..' cannot be parts of a key: s3://%s/%s",
			                 bucket, key);
	}
	return true;
}

static char *request_url(const struct s3_client *client, const struct s3_request *request)
{
	/* A certificate for *.s3.… does not cover a bucket with dots. */
	bool in_host =
		client->is_virtual_host_style && !(client->is_aws && strchr(request->bucket, '.'));
	scoped(text) char *key = request->key ? http_escape(request->key, true) : xstrdup("");

	return text_printf("%s://%s%s%s%s%s/%s%s%s", client->scheme, in_host ? request->bucket : "",
	                   in_host ? "." : "", client->host, in_host ? "" : "/",
	                   in_host ? "" : request->bucket, key, request->query ? "?" : "",
	                   request->query ? request->query : "");
}

static void add_line(struct s3_signed *prepared, char *line)
{
	size_t count = 0;

	while (prepared->lines[count])
		count++;
	prepared->lines[count] = line;
}

static void add_header(struct s3_signed *prepared, const char *name, const char *value)
{
	if (value)
		add_line(prepared, text_printf("%s: %s", name, value));
}

/* API reference, "PutObject" and "CreateMultipartUpload". */
static void add_keeping(const struct s3_client *client, struct s3_signed *prepared)
{
	bool has_bucket_key = client->has_bucket_key && client->encryption;

	add_header(prepared, "x-amz-server-side-encryption", client->encryption);
	add_header(prepared, "x-amz-server-side-encryption-aws-kms-key-id", client->kms_key_id);
	add_header(prepared, "x-amz-server-side-encryption-bucket-key-enabled",
	           has_bucket_key ? "true" : NULL);
	add_header(prepared, "x-amz-storage-class", client->storage_class);
}

static void add_signature(const struct s3_client *client, const struct s3_request *request,
                          const struct aws_credentials *credentials, struct s3_signed *prepared)
{
	const struct aws_sigv4_request plain = { .method = request->method,
		                                 .url = prepared->url,
		                                 .headers = (const char *const *)prepared->lines,
		                                 .body_digest = request->body_digest };
	const struct aws_sigv4_scope scope = { .credentials = credentials,
		                               .region = client->region,
		                               .service = "s3",
		                               .at_ms = clock_now_ms() };
	scoped(aws_sigv4_headers) struct aws_sigv4_headers *signature =
		aws_sigv4_sign(&plain, &scope);

	add_line(prepared, take(signature->date));
	if (signature->token)
		add_line(prepared, take(signature->token));
	add_line(prepared, take(signature->authorization));
}

static int64_t timeout_of(const struct s3_request *request)
{
	if (request->timeout_ms)
		return request->timeout_ms;
	return TIMEOUT_MS +
	       (int64_t)((request->body_size + request->answer_max) / BYTES_PER_MS_MIN);
}

static struct http_request http_of(struct s3_client *client, const struct s3_request *request,
                                   const struct s3_signed *prepared)
{
	bool is_file = !request->body && request->body_size;
	size_t answer_max = request->answer_max;

	return (struct http_request){
		.method = request->method,
		.url = prepared->url,
		.headers = (const char *const *)prepared->lines,
		.body = request->body,
		.body_fd = request->body_fd,
		.body_offset = request->body_offset,
		.body_size = request->body_size,
		.tls = s3_client_tls(client),
		.timeout_ms = is_file ? 0 : timeout_of(request),
		.stall_timeout_ms = is_file ? STALL_TIMEOUT_MS : 0,
		.max_response_bytes =
			answer_max > S3_ANSWER_MAX_BYTES ? answer_max : S3_ANSWER_MAX_BYTES,
	};
}

bool s3_request_sign(struct s3_client *client, const struct s3_request *request,
                     struct s3_signed *prepared, struct error **err)
{
	struct error *failure = NULL;
	const struct aws_credentials *credentials =
		client->chain ? aws_chain_get(client->chain, &failure) : NULL;

	if (failure)
		return error_pass(err, failure);
	*prepared = (struct s3_signed){ .url = request_url(client, request),
		                        .lines = xcalloc(LINES_MAX, sizeof(char *)) };
	add_header(prepared, "x-amz-content-sha256",
	           request->body_digest ? request->body_digest : EMPTY_DIGEST);
	add_header(prepared, "Range", request->range);
	add_header(prepared, "Content-Type", request->content_type);
	for (const char *const *line = request->headers; line && *line; line++)
		add_line(prepared, xstrdup(*line));
	if (request->makes_object)
		add_keeping(client, prepared);
	if (credentials)
		add_signature(client, request, credentials, prepared);
	prepared->http = http_of(client, request, prepared);
	return true;
}

void s3_signed_release(struct s3_signed *prepared)
{
	for (char **line = prepared->lines; line && *line; line++)
		secret_free(*line);
	free(prepared->lines);
	free(prepared->url);
	*prepared = (struct s3_signed){ 0 };
}

void *s3_refused(const struct s3_client *client, const struct s3_request *request,
                 const struct http_response *response, struct error **err)
{
	return s3_error_set(err, request->bucket, request->key, client->region, response);
}

bool s3_is_success(const struct http_response *response)
{
	return response->status >= 200 && response->status < 300;
}

/* ---- waiting for one ---- */

struct awaited {
	bool is_over;
	struct http_response *response;
	struct error *error;
};

static void note_end(void *context, struct http_response *response, struct error *error)
{
	struct awaited *awaited = context;

	awaited->is_over = true;
	awaited->error = error_copy(error);
	if (error)
		return;
	*awaited->response = *response;
	*response = (struct http_response){ 0 };
}

bool s3_perform(struct s3_client *client, const struct s3_request *request,
                struct http_response *response, struct error **err)
{
	struct awaited awaited = { .response = response };

	if (!s3_call_start(client, request, true, note_end, &awaited, err))
		return false;
	while (!awaited.is_over)
		s3_call_await(client, -1);
	return !awaited.error || error_pass(err, awaited.error);
}

bool s3_perform_plain(struct s3_client *client, const struct s3_request *request,
                      struct error **err)
{
	struct http_response response = { 0 };
	bool is_good = s3_perform(client, request, &response, err) &&
	               (s3_is_success(&response) || s3_refused(client, request, &response, err));

	http_response_release(&response);
	return is_good;
}
