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
 * its feature steps), in the order in which stepop creates it: Secrets, ConfigMaps, claims,
 * Service, and last the Pod. A json array of complete objects (apiVersion, kind, metadata with
 * namespace and labels), without owner references: those need the Pod's uid. Owned by the caller.
 *
 * INVALID, naming the property: what Spark's client refuses (no image, spark.driver.bindAddress,
 * reserved labels, a volume without its options, …). Files that properties name (templates,
 * certificates, keytabs) are read here; those that the application names are taken as they are:
 * spark_upload_prepare() comes before.
 *
 * Where stepop differs from Spark, on purpose:
 * - The Pod is created last, so that it never waits for what it mounts (SPARK-38079).
 * - app->labels are on every object, in the Service's selector, and on executors by
 *   spark.kubernetes.executor.label.*; Spark's ConfigMap has no labels.
 * - enableServiceLinks is false on the driver, unless a pod template says otherwise: the variables
 *   of thousands of Services are too long for a command line.
 * - spark.kubernetes.executor.podNamePrefix is the resource prefix, unless it was set.
 * - Files travel in the ConfigMap <prefix>-files, volume stepop-files; app->secrets become Secrets,
 *   which driver and executors see as variables by secretKeyRef.
 * - What spark.redaction.regex calls sensitive (submit/driver_sensitive.h) travels in the Secret
 *   <prefix>-properties. Its spark.properties is then the one that the driver reads, by a projected
 *   volume; the ConfigMap's has *********(redacted) in those places. Variables (driverEnv.*,
 *   executorEnv.*) become secretKeyRef ones, arguments of the application $(STEPOP_ARGUMENT_<n>).
 * - Names that Spark takes at random (a Service's whose own is too long, the default local folder)
 *   follow from the application; lists without an order are sorted; spark.properties has no date.
 * - Of the client's environment counts what app->client holds, and nothing else.
 * - Port 0 is refused here, not by the API server.
 * - A pod template is read from this machine only, must be a Pod (or tell no kind), may have no
 *   spec, and is refused where a number of it would have to become text and could lose digits
 *   (3.10), or is octal or decimal by the release of Spark (0644).
 * - With app->pod_security "restricted" driver and executors have the security contexts that the
 *   Pod Security Standard asks for (submit/pod_security.h), executors by a template that is made
 *   or added to; they have no token of their account, unless the template says otherwise.
 * - A Hadoop configuration file that is no UTF-8 arrives as it is (3.5 spoils it, 4.3 ends).
 */
json_t *driver_objects_build(const struct spark_app *app, struct error **err);
/* Gives them up, and wipes what Secrets hold where nobody else keeps it. NULL is allowed.
 * `scoped(driver_objects) json_t *`. */
void driver_objects_free(json_t *objects);
static inline void driver_objects_cleanup(json_t **objects)
{
	driver_objects_free(*objects);
}
/* Adds a sentence to `warnings` for what was asked for and is not in `objects`: the container of a
 * template that has no such one, a service account beside credentials. */
void driver_objects_warn(const struct spark_app *app, const json_t *objects, json_t *warnings);

/* The Pod among them; borrowed. */
json_t *driver_objects_pod(const json_t *objects);
/* The name of Spark's container, whose end is the driver's: a pod template's own, or
 * spark-kubernetes-driver. Borrowed. */
const char *driver_objects_container(const json_t *objects);

#endif
