/* SPDX-License-Identifier: Apache-2.0 */
/* A bucket is made by a plain signed PUT. */
#include "tests/fakes/s3_server.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/memory.h"
#include "core/text.h"

bool s3_server_find(const char *test, struct s3_server *server)
{
	*server = (struct s3_server){
		.endpoint = getenv("STEPOP_TEST_S3_ENDPOINT"),
		.access_key = getenv("STEPOP_TEST_S3_ACCESS_KEY"),
		.secret_key = getenv("STEPOP_TEST_S3_SECRET_KEY"),
		.bucket = getenv("STEPOP_TEST_S3_BUCKET"),
	};
	if (server->endpoint && server->access_key && server->secret_key && server->bucket)
		return true;
	printf("SKIPPED: %s: no S3 server: STEPOP_TEST_S3_ENDPOINT, _ACCESS_KEY, _SECRET_KEY and "
	       "_BUCKET are not all set\n",
	       test);
	return false;
}

bool s3_server_request(const struct s3_server *server, struct http_client *http, const char *method,
                       const char *key, const char *query, struct http_response *response,
                       struct error **err)
{
	static const char *const headers[] = {
		"x-amz-content-sha256: "
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"Content-Type: application/octet-stream", NULL
	};
	scoped(text) char *path = key ? http_escape(key, true) : NULL;
	scoped(text) char *url =
		text_printf("%s/%s%s%s%s%s", server->endpoint, server->bucket, path ? "/" : "",
	                    path ? path : "", query ? "?" : "", query ? query : "");
	scoped(text) char *keys = text_printf("%s:%s", server->access_key, server->secret_key);
	struct http_request request = { .method = method,
		                        .url = url,
		                        .headers = headers,
		                        .aws_sigv4 = "aws:amz:us-east-1:s3",
		                        .user_password = keys };

	return http_perform(http, &request, response, err);
}

bool s3_server_make_bucket(const struct s3_server *server, struct http_client *http)
{
	struct http_response response = { 0 };
	bool is_made = s3_server_request(server, http, "PUT", NULL, NULL, &response, NULL) &&
	               (response.status == 200 || response.status == 409);

	http_response_release(&response);
	return is_made;
}
