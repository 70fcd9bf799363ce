/* SPDX-License-Identifier: Apache-2.0 */
/* The client as its own parts see it; for cloud/s3_*.c only. */
#ifndef CLOUD_S3_CLIENT_H
#define CLOUD_S3_CLIENT_H

#include <stdbool.h>

#include "cloud/s3.h"

struct s3_call;

struct s3_client {
	struct http_client *http;
	struct aws_chain *chain;     /* NULL: anonymous */
	struct aws_chain *own_chain; /* of keys that were given outright */
	char *endpoint_url;          /* or NULL */
	char *scheme, *host;         /* host with port and base path */
	char *region;
	bool is_aws, is_virtual_host_style;
	char *ca_pem;
	struct http_tls tls;
	char *encryption, *kms_key_id, *storage_class; /* or NULL */
	bool has_bucket_key;
	size_t part_bytes;
	int64_t backoff_ms;
	struct s3_call *waiting; /* for their next try, awaited (cloud/s3_call.c) */
};

/* Requests go there, and are signed for it, from now on. False when it is where they went already,
 * when it can be no region, or when it cannot be followed (`may_rehost`: the host is another one
 * there). */
bool s3_client_move(struct s3_client *client, const char *region, bool may_rehost);
const struct http_tls *s3_client_tls(const struct s3_client *client);

#endif
