/* SPDX-License-Identifier: Apache-2.0 */
/* What S3 refused, as an error that says what to do. */
#ifndef CLOUD_S3_ERROR_H
#define CLOUD_S3_ERROR_H

#include <stdbool.h>

#include "core/error.h"
#include "core/http.h"

/* Worth another try: 5xx, SlowDown, a body that took too long. */
bool s3_is_passing(const struct http_response *response);
/* Its body is S3's document for errors, whatever the status says. */
bool s3_has_fault(const struct http_response *response);
/* The session token has expired. An answer to HEAD gives no reason, and so may mean it. */
bool s3_is_expiry(const struct http_response *response, bool is_head);
/* Where the bucket is, when the answer says that it is not here; owned by the caller, else NULL.
 * `at_other_host`: it must be asked for there; otherwise only the signature was wrong. */
char *s3_right_region(const struct http_response *response, bool *at_other_host);

/* For an answer that is no success. `key` may be NULL; `region` is the one that was used. Returns
 * NULL, like error_set(). */
void *s3_error_set(struct error **err, const char *bucket, const char *key, const char *region,
                   const struct http_response *response);

#endif
