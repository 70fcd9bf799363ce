/* SPDX-License-Identifier: Apache-2.0 */
/* The real S3 server that the environment names for tests. */
#ifndef TESTS_FAKES_S3_SERVER_H
#define TESTS_FAKES_S3_SERVER_H

#include <stdbool.h>

#include "core/http.h"

/* Borrowed from the environment. */
struct s3_server {
	const char *endpoint, *access_key, *secret_key, *bucket;
};

/* From STEPOP_TEST_S3_ENDPOINT, _ACCESS_KEY, _SECRET_KEY and _BUCKET. False, said on stdout for
 * `test`, when one of them is unset. */
bool s3_server_find(const char *test, struct s3_server *server);
/* Makes the bucket unless it is there. stepop itself never makes buckets. */
bool s3_server_make_bucket(const struct s3_server *server, struct http_client *http);
/* One request for a key (NULL: the bucket) with a canonical query (NULL: none), signed by libcurl:
 * another hand than stepop's own. */
bool s3_server_request(const struct s3_server *server, struct http_client *http, const char *method,
                       const char *key, const char *query, struct http_response *response,
                       struct error **err);

#endif
