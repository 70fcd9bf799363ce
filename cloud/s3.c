/* SPDX-License-Identifier: Apache-2.0 */
/* What can be done with objects, in terms of single requests. */
#include "cloud/s3.h"

#include <stdlib.h>
#include <string.h>

#include "cloud/s3_answer.h"
#include "cloud/s3_checksum.h"
#include "cloud/s3_request.h"
#include "cloud/s3_upload.h"
#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"

void s3_objects_free(struct s3_object *objects, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(objects[i].key);
		free(objects[i].etag);
	}
	free(objects);
}

static char *range_of(int64_t offset, size_t size)
{
	if (offset < 0)
		return text_printf("bytes=%lld", (long long)offset);
	if (size > 0)
		return text_printf("bytes=%lld-%lld", (long long)offset,
		                   (long long)offset + (long long)size - 1);
	return offset > 0 ? text_printf("bytes=%lld-", (long long)offset) : NULL;
}

static char *take_body(struct http_response *response, const struct s3_request *request,
                       size_t wanted, size_t limit, size_t *got, struct error **err)
{
	/* Of fewer bytes than asked for from the end, some servers give the whole as 200. */
	if (request->range && response->status == 200 && wanted > 0 && response->body_size > wanted)
		return error_set(err, ERROR_INVALID,
		                 "s3://%s/%s: the server does not understand ranges",
		                 request->bucket, request->key);
	if (!request->range && !s3_checksum_fits(response))
		return error_set(err, ERROR_UNAVAILABLE,
		                 "s3://%s/%s: what arrived does not fit the checksum that the "
		                 "server keeps of it",
		                 request->bucket, request->key);
	if (response->body_size > limit)
		return error_set(err, ERROR_INVALID, "s3://%s/%s has more than %zu bytes",
		                 request->bucket, request->key, limit);
	*got = response->body_size;
	return take(response->body);
}

char *s3_get(struct s3_client *client, const char *bucket, const char *key, int64_t offset,
             size_t size_bytes, size_t limit_bytes, size_t *got, struct error **err)
{
	struct http_response response = { 0 };
	static const char *const whole[] = { S3_CHECKSUM_MODE, NULL };
	scoped(text) char *range = range_of(offset, size_bytes);
	struct s3_request request = { .method = "GET",
		                      .headers = range ? NULL : whole,
		                      .bucket = bucket,
		                      .key = key,
		                      .range = range,
		                      .answer_max = limit_bytes };
	size_t wanted = offset < 0 ? (size_t)-offset : size_bytes;
	size_t ignored;
	char *body = NULL;

	if (!got)
		got = &ignored;
	if (!s3_perform(client, &request, &response, err)) {
		http_response_release(&response);
		return NULL;
	}
	if (response.status == 416) { /* there is nothing at that place */
		*got = 0;
		body = xstrdup("");
	} else if (s3_is_success(&response)) {
		body = take_body(&response, &request, wanted, limit_bytes, got, err);
	} else {
		s3_refused(client, &request, &response, err);
	}
	/* From the end, fewer than all of them may be wanted. */
	if (body && offset < 0 && size_bytes > 0 && *got > size_bytes) {
		*got = size_bytes;
		body[size_bytes] = '\0';
	}
	http_response_release(&response);
	return body;
}

static bool put(struct s3_client *client, struct s3_request *request, struct error **err)
{
	scoped(text) char *digest = digest_bytes(request->body, request->body_size);

	request->method = "PUT";
	request->body_digest = digest;
	request->makes_object = true;
	if (!request->content_type)
		request->content_type = "application/octet-stream";
	return s3_perform_plain(client, request, err);
}

bool s3_put(struct s3_client *client, const char *bucket, const char *key, const void *bytes,
            size_t size, const char *content_type, struct error **err)
{
	struct s3_request request = { .bucket = bucket,
		                      .key = key,
		                      .body = bytes ? bytes : "",
		                      .body_size = size,
		                      .content_type = content_type };

	return put(client, &request, err);
}

bool s3_put_new(struct s3_client *client, const char *bucket, const char *key, const void *bytes,
                size_t size, struct error **err)
{
	static const char *const headers[] = { "If-None-Match: *", NULL };
	struct s3_request request = { .bucket = bucket,
		                      .key = key,
		                      .body = bytes ? bytes : "",
		                      .body_size = size,
		                      .headers = headers };

	return put(client, &request, err);
}

bool s3_put_file(struct s3_client *client, const char *bucket, const char *key, const char *path,
                 struct error **err)
{
	const struct s3_upload_file file = { .key = key, .path = path };

	return s3_put_files(client, bucket, &file, 1, err);
}

/* An answer to HEAD has no body and so gives no reason: the same question as GET does. */
static void *refused_head(struct s3_client *client, const char *bucket, const char *key, int status,
                          struct error **err)
{
	struct error *reason = NULL;
	size_t got;

	free(s3_get(client, bucket, key, 0, 1, 1, &got, &reason));
	if (reason)
		return error_pass(err, reason);
	return error_set(err, ERROR_UNAVAILABLE, "s3://%s/%s: the server answered with status %d",
	                 bucket, key, status);
}

bool s3_head(struct s3_client *client, const char *bucket, const char *key, int64_t *size_bytes,
             char **etag, struct error **err)
{
	struct http_response response = { 0 };
	struct s3_request request = { .method = "HEAD", .bucket = bucket, .key = key };
	bool is_good = s3_perform(client, &request, &response, err);

	if (is_good && !s3_is_success(&response))
		is_good = refused_head(client, bucket, key, response.status, err);
	else if (is_good && response.content_length < 0 && size_bytes)
		is_good = error_set(err, ERROR_INVALID,
		                    "s3://%s/%s: the server does not say how long it is", bucket,
		                    key);
	if (is_good && size_bytes)
		*size_bytes = response.content_length;
	if (is_good && etag)
		*etag = s3_plain_etag(response.etag ? response.etag : "");
	http_response_release(&response);
	return is_good;
}

bool s3_delete(struct s3_client *client, const char *bucket, const char *key, struct error **err)
{
	return s3_perform_plain(
		client, &(struct s3_request){ .method = "DELETE", .bucket = bucket, .key = key },
		err);
}
