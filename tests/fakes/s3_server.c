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

bool s3_server_make_bucket(const struct s3_server *server, struct http_client *http)
{
	static const char *const headers[] = {
		"x-amz-content-sha256: "
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"Content-Type: application/octet-stream", NULL
	};
	struct http_response response = { 0 };
	scoped(text) char *url = text_printf("%s/%s", server->endpoint, server->bucket);
	scoped(text) char *keys = text_printf("%s:%s", server->access_key, server->secret_key);
	struct http_request request = { .method = "PUT",
		                        .url = url,
		                        .headers = headers,
		                        .aws_sigv4 = "aws:amz:us-east-1:s3",
		                        .user_password = keys };
	bool is_made = http_perform(http, &request, &response, NULL) &&
	               (response.status == 200 || response.status == 409);

	http_response_release(&response);
	return is_made;
}
