/* SPDX-License-Identifier: Apache-2.0 */
/* A step's settings as Spark properties. */
#ifndef OPERATOR_FLAVORS_SPARK_SETTINGS_H
#define OPERATOR_FLAVORS_SPARK_SETTINGS_H

#include <jansson.h>

#include "core/error.h"
#include "operator/pipeline.h"
#include "submit/spark_conf.h"

/*
 * In ascending precedence: `resources` (each executor's cpu, memory, gpu), `spark.driver` and
 * `spark.executor`, `spark.conf`, where null removes. Memory in Kubernetes' or Spark's units
 * becomes Spark's. A fractional cpu becomes spark.kubernetes.executor.request.cores beside the
 * whole cores that Spark wants. Owned by the caller.
 */
struct spark_conf *spark_settings_conf(const struct step *step, struct error **err);

/* Puts them over what `conf` holds; null in `spark.conf` removes there, too. */
bool spark_settings_apply(struct spark_conf *conf, const struct step *step, struct error **err);

/*
 * `conf` as a JSON object of strings, for a `master` that is no Kubernetes: without
 * spark.kubernetes.*, and without the sizes of executors where the master starts none ("local[*]";
 * NULL: it is not known). Owned by the caller.
 */
json_t *spark_settings_json(const struct spark_conf *conf, const char *master);

#endif
