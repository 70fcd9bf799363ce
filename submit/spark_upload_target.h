/* SPDX-License-Identifier: Apache-2.0 */
/* spark.kubernetes.file.upload.path, opened; for submit/spark_upload.c only. */
#ifndef SUBMIT_SPARK_UPLOAD_TARGET_H
#define SUBMIT_SPARK_UPLOAD_TARGET_H

#include <stdbool.h>

#include "core/error.h"
#include "core/http.h"
#include "submit/spark_conf.h"

struct spark_upload_target;

/* s3a://bucket/prefix, s3://bucket/prefix, file:///folder or a folder; sends nothing. Without
 * `http` (kept) it only knows its URI. INVALID for other schemes; AUTH without credentials. */
struct spark_upload_target *spark_upload_target_open(const char *upload_path,
                                                     const struct spark_conf *conf,
                                                     struct http_client *http, struct error **err);
void spark_upload_target_free(struct spark_upload_target *target);
DEFINE_CLEANUP(spark_upload_target);

/* As it was given, without slashes at its end; borrowed. */
const char *spark_upload_target_uri(const struct spark_upload_target *target);

/* The file at `path` is to be put below the target, as `relative` ("spark-upload-…/app.jar"). What
 * is there with that size is the same file: its folder is named after its content. */
void spark_upload_target_add(struct spark_upload_target *target, const char *relative,
                             const char *path);
/* Puts all that was added there, several at once into S3. A signal ends that: INTERRUPTED,
 * TERMINATED. */
bool spark_upload_target_send(struct spark_upload_target *target, struct error **err);

#endif
