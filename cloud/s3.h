/* SPDX-License-Identifier: Apache-2.0 */
/* Objects in S3 and what speaks its API: get, ranges, put, head, delete, listing. Signed by libcurl
 * (SigV4). */
#ifndef CLOUD_S3_H
#define CLOUD_S3_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/http.h"

struct s3_client;

struct s3_options {
	const char *endpoint_url; /* NULL: AWS's for the region; with an endpoint the bucket goes
	                             into the path */
	const char *region;       /* NULL: us-east-1 */
	const char *access_key_id, *secret_access_key; /* NULL: anonymous */
	const char *session_token;                     /* or NULL */
	bool virtual_host_style; /* only with endpoint_url; AWS itself always gets it, unless the
	                            bucket has dots */
};

/* Options are copied (and wiped by s3_client_free). `http` is kept and must live longer. */
struct s3_client *s3_client_new(struct http_client *http, const struct s3_options *options,
                                struct error **err);
void s3_client_free(struct s3_client *client);
DEFINE_CLEANUP(s3_client);

struct s3_object {
	char *key;
	int64_t size_bytes;
	char *etag;
};
void s3_objects_free(struct s3_object *objects, size_t count);

/*
 * Keys are without a leading slash. Errors name bucket and key: NOT_FOUND (NoSuchKey, NoSuchBucket,
 * told apart in the message), AUTH (AccessDenied, SignatureDoesNotMatch, InvalidAccessKeyId,
 * ExpiredToken, with what to do), CONFLICT (412), UNAVAILABLE/TIMEOUT after 3 tries with back-off
 * (5xx, SlowDown, connection), INVALID (wrong region: says which is right).
 */
/* `offset` may be negative: the last bytes. size_bytes 0: to the end. Body is owned by the caller,
 * NUL-terminated. */
char *s3_get(struct s3_client *client, const char *bucket, const char *key, int64_t offset,
             size_t size_bytes, size_t limit_bytes, size_t *got, struct error **err);
bool s3_put(struct s3_client *client, const char *bucket, const char *key, const void *bytes,
            size_t size, const char *content_type, struct error **err);
bool s3_put_file(struct s3_client *client, const char *bucket, const char *key, const char *path,
                 struct error **err);
/* False with NOT_FOUND when there is none. `etag` (owned by the caller) and `size_bytes` may be
 * NULL. */
bool s3_head(struct s3_client *client, const char *bucket, const char *key, int64_t *size_bytes,
             char **etag, struct error **err);
bool s3_delete(struct s3_client *client, const char *bucket, const char *key, struct error **err);
/* All objects below the prefix, page by page; more than `limit` is INVALID. */
bool s3_list(struct s3_client *client, const char *bucket, const char *prefix, size_t limit,
             struct s3_object **objects, size_t *count, struct error **err);
/* NOT_FOUND: no such bucket; AUTH: not ours. */
bool s3_head_bucket(struct s3_client *client, const char *bucket, struct error **err);

#endif
