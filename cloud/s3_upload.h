/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of any size (to 5 TiB) into S3, several requests at once: small files whole, large ones in
 * parts. What is in memory does not depend on the sizes: bodies are read from the files while they
 * are sent. An object appears complete or not at all; an upload in parts that fails, or is
 * cancelled, is aborted, so that nothing of it is left (and paid for).
 */
#ifndef CLOUD_S3_UPLOAD_H
#define CLOUD_S3_UPLOAD_H

#include "cloud/s3.h"

struct s3_upload_file {
	const char *key, *path;
	bool unless_there; /* an object of that size is left as it is */
};

struct s3_upload;

/* Last call, from the loop. `error` (borrowed) is NULL when all files are there; otherwise it is
 * that of the first one that is not, and the others were not begun, or were given up. */
typedef void s3_upload_ended(void *context, const struct error *error);

/* On the loop. `files` is copied; `client` must live until the end. NULL and *err: there is no such
 * file, or names that S3 does not know. */
struct s3_upload *s3_upload_start(struct s3_client *client, const char *bucket,
                                  const struct s3_upload_file *files, size_t count,
                                  s3_upload_ended *ended, void *context, struct error **err);
/* NULL is allowed. No callback comes after this. Waits some seconds at most for the server to drop
 * what was begun. Not to be used once ended() was called. */
void s3_upload_cancel(struct s3_upload *upload);

/* Waits for it without serving the loop; other transfers proceed as in http_perform(). SIGINT and
 * SIGTERM end it: INTERRUPTED, TERMINATED once all is aborted; the signal stays pending, and does
 * afterwards what it always does. */
bool s3_put_files(struct s3_client *client, const char *bucket, const struct s3_upload_file *files,
                  size_t count, struct error **err);

#endif
