/* SPDX-License-Identifier: Apache-2.0 */
/* The XML documents that S3 answers with: errors, and pages of a listing. */
#ifndef CLOUD_S3_ANSWER_H
#define CLOUD_S3_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "cloud/s3.h"
#include "core/error.h"

/* Members are owned, NULL where the answer does not say. */
struct s3_fault {
	char *code; /* "NoSuchKey" */
	char *message;
	char *region;   /* the right one */
	char *endpoint; /* where a redirect leads */
};
void s3_fault_release(struct s3_fault *fault);
/* What is no such document leaves everything NULL. */
void s3_fault_parse(const char *body, size_t size, struct s3_fault *fault);

struct s3_page {
	struct s3_object *objects;
	size_t count;
	char *continuation; /* token of the next page; NULL: this is the last */
};
void s3_page_release(struct s3_page *page);
/* Of ListObjectsV2 with encoding-type=url. INVALID when the answer makes no sense. */
bool s3_page_parse(const char *body, size_t size, struct s3_page *page, struct error **err);

/* Of CreateMultipartUpload; owned by the caller, NULL and INVALID when the answer makes no sense.
 */
char *s3_upload_id_parse(const char *body, size_t size, struct error **err);

/* An ETag without the quotes around it. Owned by the caller. */
char *s3_plain_etag(const char *text);

#endif
