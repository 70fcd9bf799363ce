/* SPDX-License-Identifier: Apache-2.0 */
/* One request to S3: its URL, signature, tries and refusal. */
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
	const char *query;                 /* canonical, or NULL */
	const char *range, *content_type;  /* or NULL */
	const void *body;
	int body_fd;
	size_t body_size;
	const char *body_digest; /* NULL: there is no body */
	size_t answer_max;       /* 0: ANSWER_MAX_BYTES */
};

/* Any final answer is a success; 5xx and lost connections are tried again, so only requests that
 * can be repeated without harm may come here. The caller releases the response. */
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
