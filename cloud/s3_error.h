/* SPDX-License-Identifier: Apache-2.0 */
/* What S3 refused, as an error that says what to do. */
#ifndef CLOUD_S3_ERROR_H
#define CLOUD_S3_ERROR_H

#include <stdbool.h>

#include "core/error.h"
#include "core/http.h"

/* Worth another try: 5xx, SlowDown and the like. */
bool s3_is_passing(const struct http_response *response);

/* For an answer that is no success. `key` may be NULL; `region` is the one that was used. Returns
 * NULL, like error_set(). */
void *s3_error_set(struct error **err, const char *bucket, const char *key, const char *region,
                   const struct http_response *response);

#endif
