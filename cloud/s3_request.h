/* SPDX-License-Identifier: Apache-2.0 */
/* One request to S3: its URL, headers, signature, and refusal. */
#ifndef CLOUD_S3_REQUEST_H
#define CLOUD_S3_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "cloud/s3.h"
#include "core/error.h"
#include "core/http.h"

/* Everything is borrowed. */
struct s3_request {
	const char *method, *bucket, *key; /* key NULL: the bucket */
	const char *query;                 /* escaped, or NULL */
	const char *const *headers;        /* further ones, NULL at the end; NULL: none */
	const char *range, *content_type;  /* or NULL */
	const void *body;
	int body_fd; /* as in http_request */
	int64_t body_offset;
	size_t body_size;
	const char *body_digest; /* NULL: there is no body */
	size_t answer_max;       /* 0: S3_ANSWER_MAX_BYTES */
	bool makes_object;       /* encryption and storage class are for it to say */
	bool may_fail_late;      /* a 200 may hold an error: CompleteMultipartUpload */
	unsigned tries;          /* 0: 3 */
	int64_t timeout_ms;      /* of each try; 0: by the size of body and answer */
};

#define S3_ANSWER_MAX_BYTES ((size_t)8 << 20) /* a page of a listing, an error */

/* INVALID when bucket or key would lead elsewhere. */
bool s3_request_check(const struct s3_request *request, struct error **err);

/* A request as it is sent now; its signature is good for some minutes. */
struct s3_signed {
	struct http_request http; /* borrows from what is beside it, and from the s3_request */
	char *url;
	char **lines;
};
bool s3_request_sign(struct s3_client *client, const struct s3_request *request,
                     struct s3_signed *prepared, struct error **err);
void s3_signed_release(struct s3_signed *prepared);

/* Waits for the final answer, whatever it is; 5xx and lost connections are tried again, so only
 * requests that can be repeated without harm may come here. The caller releases the response. */
bool s3_perform(struct s3_client *client, const struct s3_request *request,
                struct http_response *response, struct error **err);
/* For requests whose answer holds nothing. */
bool s3_perform_plain(struct s3_client *client, const struct s3_request *request,
                      struct error **err);

bool s3_is_success(const struct http_response *response);
/* Sets the error of an answer that is none. */
void *s3_refused(const struct s3_client *client, const struct s3_request *request,
                 const struct http_response *response, struct error **err);

#endif
