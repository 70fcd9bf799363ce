/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of one large object, by S3's rules ("Amazon S3 multipart upload limits"); no I/O. */
#ifndef CLOUD_S3_MULTIPART_H
#define CLOUD_S3_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/memory.h"

#define S3_OBJECT_MAX_BYTES ((int64_t)5 << 40)
#define S3_PARTS_MAX 10000

struct s3_multipart {
	char *upload_id; /* owned; NULL: the server has not given one yet */
	int64_t size_bytes, part_bytes;
	size_t count;      /* of parts */
	size_t next, done; /* parts that were taken, and that have arrived */
	char **etags;      /* of those that have arrived; owned */
};

/* Parts of at least `part_bytes`: of more, where there would be too many. */
void s3_multipart_init(struct s3_multipart *parts, int64_t size_bytes, size_t part_bytes);
void s3_multipart_release(struct s3_multipart *parts);

/* Part `index` (from 0) is these bytes of the file. */
int64_t s3_multipart_offset(const struct s3_multipart *parts, size_t index);
size_t s3_multipart_size(const struct s3_multipart *parts, size_t index);
/* Takes over `etag`. */
void s3_multipart_arrived(struct s3_multipart *parts, size_t index, char *etag);
bool s3_multipart_is_whole(const struct s3_multipart *parts);

/* Queries of the requests, and the body of CompleteMultipartUpload. Owned by the caller. */
char *s3_multipart_part_query(const struct s3_multipart *parts, size_t index);
char *s3_multipart_query(const struct s3_multipart *parts);
char *s3_multipart_body(const struct s3_multipart *parts);

#endif
