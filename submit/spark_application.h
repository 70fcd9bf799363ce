/* SPDX-License-Identifier: Apache-2.0 */
/* SparkApplication manifests (sparkoperator.k8s.io/v1beta2, of the Kubeflow spark-operator) as
 * applications to submit. docs/spark-application.md lists what becomes of each field. */
#ifndef SUBMIT_SPARK_APPLICATION_H
#define SUBMIT_SPARK_APPLICATION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"

struct spark_app;
struct spark_application_file;

/*
 * All documents of the file (path "-": of the standard input); the items of a List count as
 * documents. INVALID, with all places: what is no SparkApplication of v1beta2; two of one name.
 */
struct spark_application_file *spark_application_file_read(const char *path, struct error **err);
/* The same of text; `name` is used in messages. */
struct spark_application_file *spark_application_file_parse(const char *name, const char *text,
                                                            size_t size, struct error **err);
void spark_application_file_free(struct spark_application_file *file);
DEFINE_CLEANUP(spark_application_file);

size_t spark_application_count(const struct spark_application_file *file);

/*
 * Fills `app` (all zero; the caller releases it, also after a failure) from document `index`: what
 * the operator passes to spark-submit, what its webhook writes into the pods (as templates and
 * overlay), and the objects that it makes for monitoring and batch scheduling. The application's
 * name is its submission id too, so that the same manifest names the same objects each time; a
 * generateName is followed by random digits.
 *
 * A sentence is added to `warnings` (an array) for each field that is given, but means nothing
 * without the operator: "app.yaml:7:3: spec.timeToLiveSeconds: …".
 *
 * INVALID, all faults of the document at once and with places: unknown fields, wrong types, missing
 * fields, a mode other than cluster, a suspended application, mounts of volumes that are not there.
 */
bool spark_application_read(const struct spark_application_file *file, size_t index,
                            struct spark_app *app, json_t *warnings, struct error **err);

#endif
