/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWS Signature Version 4 (IAM User Guide, "Create a signed AWS API request"): of a request's
 * header, and of a URL that somebody else may use. libcurl 7.88 can do the first as well, but
 * signs the parameters of a query in the order in which they stand, and paths as S3 has them.
 */
#ifndef CLOUD_AWS_SIGV4_H
#define CLOUD_AWS_SIGV4_H

#include <stdint.h>

#include "cloud/aws_credentials.h"
#include "core/memory.h"

/* Everything is borrowed. */
struct aws_sigv4_request {
	const char *method;
	/* Absolute, as it is sent: "https://host:8443/a%20path?b=c". The path has neither "." nor
	 * ".." for a segment: nothing is resolved here. */
	const char *url;
	/* "Name: value", NULL at the end; NULL: none. All of them are signed. Host, X-Amz-Date and
	 * X-Amz-Security-Token are not among them. */
	const char *const *headers;
	const char *body_digest; /* SHA-256 as hex digits, or what S3 has for it; NULL: no body */
};

struct aws_sigv4_scope {
	const struct aws_credentials *credentials;
	const char *region, *service; /* "s3": the path is encoded once, for others twice */
	int64_t at_ms;                /* wall time of the signature */
};

/* Lines to send beside those that were signed. */
struct aws_sigv4_headers {
	char *authorization, *date;
	char *token; /* NULL: the credentials have none */
};
void aws_sigv4_headers_free(struct aws_sigv4_headers *headers);
DEFINE_CLEANUP(aws_sigv4_headers);

/* Owned by the caller. */
struct aws_sigv4_headers *aws_sigv4_sign(const struct aws_sigv4_request *request,
                                         const struct aws_sigv4_scope *scope);
/* The URL with the signature in its query; who has it acts for us until it expires. The request's
 * headers must be sent with it. Owned by the caller (secret_free). */
char *aws_sigv4_presign(const struct aws_sigv4_request *request,
                        const struct aws_sigv4_scope *scope, int64_t expires_s);

#endif
