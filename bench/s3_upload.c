/* SPDX-License-Identifier: Apache-2.0 */
/* Puts files into S3 as stepop does, to be timed beside other clients. Who we are, and where S3 is,
 * say AWS's variables. usage: s3_upload BUCKET PREFIX FILE... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/s3_upload.h"
#include "core/memory.h"
#include "core/text.h"

static bool upload(struct http_client *http, const char *bucket, const char *prefix,
                   char *const *paths, size_t count, struct error **err)
{
	scoped(aws_chain) struct aws_chain *chain =
		aws_chain_new(http, &(struct aws_chain_options){ 0 }, err);
	scoped(s3_client) struct s3_client *client =
		chain ? s3_client_new(http, &(struct s3_options){ .chain = chain }, err) : NULL;
	struct s3_upload_file *files = xcalloc(count, sizeof(*files));
	bool is_put;

	for (size_t i = 0; i < count; i++) {
		const char *slash = strrchr(paths[i], '/');

		files[i].key = text_printf("%s%s", prefix, slash ? slash + 1 : paths[i]);
		files[i].path = paths[i];
	}
	is_put = client && s3_put_files(client, bucket, files, count, err);
	for (size_t i = 0; i < count; i++)
		free((char *)files[i].key);
	free(files);
	return is_put;
}

int main(int argc, char **argv)
{
	scoped(loop) struct loop *loop = loop_new();
	scoped(http_client) struct http_client *http = http_client_new(loop);
	scoped(error) struct error *err = NULL;

	memory_init();
	if (argc < 4) {
		fputs("usage: s3_upload BUCKET PREFIX FILE...\n", stderr);
		return 2;
	}
	if (upload(http, argv[1], argv[2], argv + 3, (size_t)argc - 3, &err))
		return 0;
	fputs("s3_upload: ", stderr);
	error_render(err, stderr);
	fputc('\n', stderr);
	return 1;
}
