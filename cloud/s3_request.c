/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request of S3's REST API. libcurl (7.88) signs the path and the query as they stand in the
 * URL, and the body by the x-amz-content-sha256 header: so both are written in SigV4's canonical
 * form here (RFC 3986, parameters in order), and the header is always sent, with the real digest.
 */
#include "cloud/s3_request.h"

#include <ctype.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/s3_error.h"
#include "core/memory.h"
#include "core/text.h"

#define EMPTY_DIGEST "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ANSWER_MAX_BYTES ((size_t)8 << 20) /* a page of a listing, an error */

enum {
	TRIES = 3,
	BACKOFF_MS = 200,
	BACKOFF_MAX_MS = 5000,
	TIMEOUT_MS = 30000,
	BYTES_PER_MS_MIN = 100, /* slower transfers are given up */
	KEY_MAX = 1024,
	HEADERS_MAX = 6,
};

struct s3_client {
	struct http_client *http;
	char *scheme, *host; /* host with port and base path */
	char *region;
	char *signer;   /* NULL: anonymous */
	char *key_pair; /* "id:secret" */
	char *token_header;
	bool is_aws, is_virtual_host_style;
};

void s3_client_free(struct s3_client *client)
{
	if (!client)
		return;
	free(client->scheme);
	free(client->host);
	free(client->region);
	free(client->signer);
	secret_free(client->key_pair);
	secret_free(client->token_header);
	free(client);
}

/* "http://host:9000/" -> "http", "host:9000" */
static bool set_endpoint(struct s3_client *client, const char *url, struct error **err)
{
	const char *host = strstr(url, "://");
	size_t size;

	if (!host || (!text_starts_with(url, "http://") && !text_starts_with(url, "https://")))
		return error_set(err, ERROR_INVALID,
		                 "endpoint '%s' is no URL: it should look like "
		                 "http://minio.example:9000",
		                 url);
	client->scheme = xstrndup(url, (size_t)(host - url));
	host += 3;
	size = strlen(host);
	while (size > 0 && host[size - 1] == '/')
		size--;
	if (size == 0 || strcspn(host, "?#@ ") < size)
		return error_set(err, ERROR_INVALID,
		                 "endpoint '%s' should be just scheme, host and port, such as "
		                 "http://minio.example:9000",
		                 strchr(url, '@') ? "…" : url);
	client->host = xstrndup(host, size);
	return true;
}

static bool region_is_good(const char *region)
{
	return *region && strlen(region) <= 64 &&
	       region[strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

static void set_credentials(struct s3_client *client, const struct s3_options *options)
{
	if (!options->access_key_id || !options->secret_access_key)
		return;
	client->signer = text_printf("aws:amz:%s:s3", client->region);
	client->key_pair = text_printf("%s:%s", options->access_key_id, options->secret_access_key);
	if (options->session_token)
		client->token_header =
			text_printf("x-amz-security-token: %s", options->session_token);
}

/* They become header lines and half of "id:secret": a line break from a file would do harm. */
static bool credentials_are_good(const struct s3_options *options, struct error **err)
{
	const char *const all[] = { options->access_key_id, options->secret_access_key,
		                    options->session_token };
	static const char *const names[] = { "access key id", "secret access key",
		                             "session token" };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		const unsigned char *at = (const unsigned char *)(all[i] ? all[i] : "x");

		if (!*at)
			return error_set(err, ERROR_INVALID, "the %s is empty", names[i]);
		for (; *at; at++)
			if (!isgraph(*at) || (i == 0 && *at == ':'))
				return error_set(err, ERROR_INVALID,
				                 "the %s has a blank, a line break or another "
				                 "character that cannot be part of it",
				                 names[i]);
	}
	return true;
}

struct s3_client *s3_client_new(struct http_client *http, const struct s3_options *options,
                                struct error **err)
{
	scoped(s3_client) struct s3_client *client = xcalloc(1, sizeof(*client));

	client->http = http;
	client->region = xstrdup(options->region ? options->region : "us-east-1");
	if (!region_is_good(client->region))
		return error_set(err, ERROR_INVALID,
		                 "'%s' is no region: it should look like eu-central-1",
		                 client->region);
	if (!credentials_are_good(options, err))
		return NULL;
	if (options->endpoint_url) {
		if (!set_endpoint(client, options->endpoint_url, err))
			return NULL;
		client->is_virtual_host_style = options->virtual_host_style;
	} else {
		client->is_aws = client->is_virtual_host_style = true;
		client->scheme = xstrdup("https");
		client->host = text_printf("s3.%s.amazonaws.com%s", client->region,
		                           text_starts_with(client->region, "cn-") ? ".cn" : "");
	}
	set_credentials(client, options);
	return take(client);
}

/* Bucket and key become part of a URL: nothing may lead elsewhere. */
static bool names_are_good(const char *bucket, const char *key, struct error **err)
{
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

/* Once, whatever the answer is. */
static bool perform_once(struct s3_client *client, const struct s3_request *request,
                         struct http_response *response, struct error **err)
{
	scoped(text) char *url = request_url(client, request);
	scoped(text) char *digest =
		text_printf("x-amz-content-sha256: %s",
	                    request->body_digest ? request->body_digest : EMPTY_DIGEST);
	scoped(text) char *range = request->range ? text_printf("Range: %s", request->range) : NULL;
	scoped(text) char *type =
		text_printf("Content-Type: %s", request->content_type ? request->content_type : "");
	const char *headers[HEADERS_MAX] = { digest };
	size_t count = 1;

	if (range)
		headers[count++] = range;
	if (request->content_type)
		headers[count++] = type;
	if (client->token_header)
		headers[count++] = client->token_header;
	return http_perform(client->http,
	                    &(struct http_request){
				    .method = request->method,
				    .url = url,
				    .headers = headers,
				    .body = request->body,
				    .body_fd = request->body_fd,
				    .body_size = request->body_size,
				    .aws_sigv4 = client->signer,
				    .user_password = client->key_pair,
				    .timeout_ms = TIMEOUT_MS + (int64_t)((request->body_size +
	                                                                  request->answer_max) /
	                                                                 BYTES_PER_MS_MIN),
				    .max_response_bytes = request->answer_max > ANSWER_MAX_BYTES
	                                                          ? request->answer_max
	                                                          : ANSWER_MAX_BYTES,
			    },
	                    response, err);
}

/* Between two tries of a request that the caller waits for anyway. */
static void back_off(int try, const struct http_response *response)
{
	int64_t delay_ms = (int64_t)BACKOFF_MS << (2 * try);

	if (response->retry_after_ms > delay_ms)
		delay_ms = response->retry_after_ms;
	poll(NULL, 0, (int)(delay_ms < BACKOFF_MAX_MS ? delay_ms : BACKOFF_MAX_MS));
}

bool s3_perform(struct s3_client *client, const struct s3_request *request,
                struct http_response *response, struct error **err)
{
	if (!names_are_good(request->bucket, request->key, err))
		return false;
	for (int try = 0;; try++) {
		struct error *error = NULL;
		bool is_last = try + 1 == TRIES;

		http_response_release(response);
		if (perform_once(client, request, response, &error)) {
			if (is_last || !s3_is_passing(response))
				return true;
		} else if (is_last || !error_is_retryable(error)) {
			error_pass(err, error);
			return error_wrap(err, "s3://%s/%s", request->bucket,
			                  request->key ? request->key : "");
		}
		error_free(error);
		back_off(try, response);
	}
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

bool s3_perform_plain(struct s3_client *client, const struct s3_request *request,
                      struct error **err)
{
	struct http_response response = { 0 };
	bool is_good = s3_perform(client, request, &response, err) &&
	               (s3_is_success(&response) || s3_refused(client, request, &response, err));

	http_response_release(&response);
	return is_good;
}
