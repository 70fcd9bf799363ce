/* SPDX-License-Identifier: Apache-2.0 */
/* Brings an application's files of this machine to where its pods can read them. */
#ifndef SUBMIT_SPARK_UPLOAD_H
#define SUBMIT_SPARK_UPLOAD_H

#include <jansson.h>
#include <stdbool.h>

#include "core/error.h"
#include "core/http.h"
#include "submit/spark_app.h"

/*
 * Local files (bare paths and file: URIs) are the main resource and what spark.jars, spark.files,
 * spark.archives and spark.submit.pyFiles list. They are brought away, and `app` names them by
 * where they are then, with their "#fragment", in front of what was not local
 * (BasicDriverFeatureStep). A local main jar becomes the last of spark.jars and the resource
 * "spark-internal".
 *
 * With spark.kubernetes.file.upload.path they are put to <path>/spark-upload-<uuid>/<name>, by S3
 * (s3a://, s3://; submit/spark_s3.h) or by copying (file:). The uuid follows from the content and
 * the submission id (or the resource prefix), so that a repeat finds them there; without either it
 * is random. Each content is put once. Without an upload path they travel in app->files, mounted
 * where that is already, else at /opt/stepop/files; driver and executors get them from the driver's
 * file: URIs, the main file is local:.
 *
 * `http` NULL: a dry run, which sends nothing and notes so in `warnings` (an array of texts), but
 * decides on the URIs.
 *
 * NOT_FOUND, AUTH: a file is missing or cannot be read. INVALID: it is a folder; together they are
 * too large for a ConfigMap, or two of one name would meet in it; the upload path is of an unknown
 * scheme. On failure `app` is unchanged, though files may have been put.
 */
bool spark_upload_prepare(struct spark_app *app, struct http_client *http, json_t *warnings,
                          struct error **err);

#endif
