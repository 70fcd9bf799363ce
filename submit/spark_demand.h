/* SPDX-License-Identifier: Apache-2.0 */
/* What an application asks the cluster for at its start: how many executors, how much CPU. */
#ifndef SUBMIT_SPARK_DEMAND_H
#define SUBMIT_SPARK_DEMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "submit/quota_room.h"
#include "submit/spark_app.h"

/* SchedulerBackendUtils.getInitialTargetExecutorNumber. */
int64_t spark_demand_executors(const struct spark_conf *conf);
/* The CPU that one pod requests, as the properties have it; borrowed from them. */
const char *spark_demand_cpu(const struct spark_app *app, const char *role);
/* Thousandths of a CPU that one pod requests; `role` is "driver" or "executor". */
int64_t spark_demand_cpu_milli(const struct spark_app *app, const char *role);

/* The driver, and the executors that it begins with, as quotas count them. INVALID names the
 * property. */
bool spark_demand_of(const struct spark_app *app, struct quota_demand demands[2],
                     struct error **err);

#endif
