/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects in S3 and what speaks its API: get, ranges, put, files of any size, head, delete,
 * listing.
 */
#ifndef CLOUD_S3_H
#define CLOUD_S3_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cloud/aws_credentials.h"
#include "core/error.h"
#include "core/http.h"

struct s3_client;

struct s3_options {
	const char *endpoint_url; /* NULL: the chain's, else AWS's for the region */
	const char *region;       /* NULL: the chain's, else us-east-1 */
	/* Kept, and must live longer. NULL: the keys below; anonymous where they are NULL, too. */
	struct aws_chain *chain;
	const char *access_key_id, *secret_access_key;
	const char *session_token; /* or NULL */
	bool virtual_host_style;   /* only with an endpoint; AWS itself always gets it, unless the
	                              bucket has dots */
	const char *ca_pem;        /* certificates to trust; NULL: the chain's, else the system's */
	/* How objects are encrypted: "AES256" (SSE-S3), "aws:kms", "aws:kms:dsse"; NULL: as the
	 * bucket says. */
	const char *encryption;
	const char *kms_key_id;    /* of "aws:kms"; NULL: the account's own key for S3 */
	bool bucket_key;           /* fewer requests to KMS */
	const char *storage_class; /* "STANDARD_IA"; NULL: STANDARD */
	size_t part_bytes;         /* of multipart uploads, and the size up to which a file is put
	                              whole; 0: 16 MiB */
	int64_t backoff_ms;        /* before a second try, more before later ones; 0: 200 */
};

/* Options are copied (and wiped by s3_client_free). `http` is kept and must live longer. */
struct s3_client *s3_client_new(struct http_client *http, const struct s3_options *options,
                                struct error **err);
void s3_client_free(struct s3_client *client);
DEFINE_CLEANUP(s3_client);
/* The one in use: what the options say, until the server has named the bucket's own. Borrowed until
 * the next request. */
const char *s3_client_region(const struct s3_client *client);
/* "http://minio:9000", by option or from the chain; NULL: AWS's own. Borrowed. */
const char *s3_client_endpoint(const struct s3_client *client);

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
 * and jitter (5xx, SlowDown, connection), INVALID (wrong region: says which is right). AWS's word
 * for the right region is followed; credentials that the server calls expired are asked for anew
 * once. None of these calls serves the loop; other transfers proceed as in http_perform().
 */
/* `offset` may be negative: the last bytes. size_bytes 0: to the end. Body is owned by the caller,
 * NUL-terminated. A whole object is held against the checksum that the server keeps of it, if it
 * does. */
char *s3_get(struct s3_client *client, const char *bucket, const char *key, int64_t offset,
             size_t size_bytes, size_t limit_bytes, size_t *got, struct error **err);
bool s3_put(struct s3_client *client, const char *bucket, const char *key, const void *bytes,
            size_t size, const char *content_type, struct error **err);
/* Only where there is nothing yet: else CONFLICT. */
bool s3_put_new(struct s3_client *client, const char *bucket, const char *key, const void *bytes,
                size_t size, struct error **err);
/* As s3_put_files() (cloud/s3_upload.h) does it with one. */
bool s3_put_file(struct s3_client *client, const char *bucket, const char *key, const char *path,
                 struct error **err);
/* False with NOT_FOUND when there is none. `etag` (owned by the caller) and `size_bytes` may be
 * NULL. */
bool s3_head(struct s3_client *client, const char *bucket, const char *key, int64_t *size_bytes,
             char **etag, struct error **err);
bool s3_delete(struct s3_client *client, const char *bucket, const char *key, struct error **err);

/* Called for each object of a listing, in order of keys; `object` is borrowed, what is taken out of
 * it is set to NULL. False, with *err set, ends the listing. */
typedef bool s3_visit(void *context, struct s3_object *object, struct error **err);
/* All objects below the prefix; no more than one page of them is in memory. */
bool s3_list_each(struct s3_client *client, const char *bucket, const char *prefix, s3_visit *visit,
                  void *context, struct error **err);
/* The same into memory; more than `limit` is INVALID. */
bool s3_list(struct s3_client *client, const char *bucket, const char *prefix, size_t limit,
             struct s3_object **objects, size_t *count, struct error **err);
/* NOT_FOUND: no such bucket; AUTH: not ours. */
bool s3_head_bucket(struct s3_client *client, const char *bucket, struct error **err);

#endif
