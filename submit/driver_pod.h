/* SPDX-License-Identifier: Apache-2.0 */
/* The objects of one Spark application: pure functions from a spark_app to driver Pod, Service,
 * ConfigMaps, Secrets. */
#ifndef SUBMIT_DRIVER_POD_H
#define SUBMIT_DRIVER_POD_H

#include <jansson.h>

#include "core/error.h"
#include "submit/spark_app.h"

/*
 * What spark-submit --deploy-mode cluster would create (Spark 3.5: KubernetesDriverBuilder and
 * its feature steps), in the order in which stepop creates it: Secrets, ConfigMaps, Service, and
 * last the Pod. A json array of complete objects (apiVersion, kind, metadata with namespace and
 * labels), without owner references: those need the Pod's uid. Owned by the caller.
 * INVALID: what Spark's client refuses (facts: no image, spark.driver.bindAddress, reserved labels,
 * …).
 */
json_t *driver_objects_build(const struct spark_app *app, struct error **err);

/* The Pod among them; borrowed. */
json_t *driver_objects_pod(const json_t *objects);

#endif
