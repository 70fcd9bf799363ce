/* SPDX-License-Identifier: Apache-2.0 */
/* What Hadoop's S3A file system is told in spark.hadoop.fs.s3a.*, for our own S3 client. */
#ifndef SUBMIT_SPARK_S3_H
#define SUBMIT_SPARK_S3_H

#include <stdbool.h>

#include "cloud/s3.h"
#include "core/error.h"
#include "submit/spark_conf.h"

/* How to reach one bucket. `options` borrows from the conf, the environment and the texts beside
 * it. */
struct spark_s3 {
	struct s3_options options;
	char *endpoint_url, *region;
};

/*
 * endpoint, endpoint.region, access.key, secret.key, session.token, path.style.access and
 * connection.ssl.enabled, each as fs.s3a.bucket.<bucket>.* before fs.s3a.*; credentials and region
 * else from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION and
 * AWS_DEFAULT_REGION. AUTH without credentials, INVALID for half of them. The caller releases it.
 */
bool spark_s3_settings(const struct spark_conf *conf, const char *bucket, struct spark_s3 *s3,
                       struct error **err);
void spark_s3_release(struct spark_s3 *s3);

#endif
