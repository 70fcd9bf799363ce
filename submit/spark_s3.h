/* SPDX-License-Identifier: Apache-2.0 */
/* What Hadoop's S3A file system is told in spark.hadoop.fs.s3a.*, for our own S3 client. */
#ifndef SUBMIT_SPARK_S3_H
#define SUBMIT_SPARK_S3_H

#include <stdbool.h>

#include "cloud/aws_sts.h"
#include "cloud/s3.h"
#include "core/error.h"
#include "submit/spark_conf.h"

/* How to reach one bucket. The options borrow from the conf, the environment and the texts beside
 * them. */
struct spark_s3 {
	struct s3_options options;      /* without a chain */
	struct aws_chain_options chain; /* who we are; first of all, where there is a role */
	struct aws_role role;           /* to be assumed; arn NULL: none */
	bool is_anonymous;              /* nothing is signed: there is no chain */
	char *endpoint_url, *region, *storage_class, *role_duration_s;
};

/*
 * endpoint, endpoint.region, path.style.access, connection.ssl.enabled, access.key, secret.key,
 * session.token, aws.credentials.provider, assumed.role.*, encryption.algorithm, encryption.key
 * (and their older names), create.storage.class, each as fs.s3a.bucket.<bucket>.* before fs.s3a.*.
 * Where no keys are given, and the providers that are named do not forbid it, AWS's standard chain
 * says who we are. INVALID: half of a pair of keys, providers or encryptions that we cannot be.
 * Nobody is asked. The caller releases it.
 */
bool spark_s3_settings(const struct spark_conf *conf, const char *bucket, struct spark_s3 *s3,
                       struct error **err);
void spark_s3_release(struct spark_s3 *s3);

/* A client for them, and the chain behind it, which is the caller's, too, and must live longer. To
 * assume a role STS is asked. */
struct s3_client *spark_s3_open(struct http_client *http, const struct spark_s3 *s3,
                                struct aws_chain **chain, struct error **err);

/* The bucket's own setting, else that for all buckets; NULL when there is none. Borrowed. */
const char *spark_s3_setting(const struct spark_conf *conf, const char *bucket, const char *name);
/* Fills in chain, role and is_anonymous (spark_s3_credentials.c). */
bool spark_s3_credentials(const struct spark_conf *conf, const char *bucket, struct spark_s3 *s3,
                          struct error **err);

#endif
