/* SPDX-License-Identifier: Apache-2.0 */
/* Spark's sums of executors, CPU and memory. */
#include "submit/spark_demand.h"

#include <stdlib.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_quantity.h"
#include "submit/spark_memory.h"

#define DEFAULT_EXECUTORS 2
#define MIB (1024.0 * 1024.0)

static int64_t whole(const struct spark_conf *conf, const char *key, int64_t fallback)
{
	int64_t value = fallback;

	spark_conf_get_int(conf, key, fallback, &value, NULL);
	return value;
}

int64_t spark_demand_executors(const struct spark_conf *conf)
{
	static const char *const keys[] = { "spark.executor.instances",
		                            "spark.dynamicAllocation.initialExecutors",
		                            "spark.dynamicAllocation.minExecutors" };
	int64_t most = 0;
	bool is_dynamic = false;
	size_t i;

	spark_conf_get_bool(conf, "spark.dynamicAllocation.enabled", false, &is_dynamic, NULL);
	if (!is_dynamic)
		return whole(conf, keys[0], DEFAULT_EXECUTORS);
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		most = whole(conf, keys[i], 0) > most ? whole(conf, keys[i], 0) : most;
	return most;
}

const char *spark_demand_cpu(const struct spark_app *app, const char *role)
{
	scoped(text) char *request = text_printf("spark.kubernetes.%s.request.cores", role);
	scoped(text) char *cores = text_printf("spark.%s.cores", role);
	const char *text = spark_conf_get(app->conf, request);

	if (!text)
		text = spark_conf_get(app->conf, cores);
	return text ? text : "1";
}

int64_t spark_demand_cpu_milli(const struct spark_app *app, const char *role)
{
	const char *text = spark_demand_cpu(app, role);
	double number = strtod(text, NULL);
	double milli = text_ends_with(text, "m") ? number : 1000 * number;

	return milli >= 0 && milli < 1e12 ? (int64_t)(milli + 0.5) : 0;
}

/* Memory is requested and limited alike; CPU is limited only when a property says so. */
static struct quota_demand demand_of(const struct spark_app *app, const struct spark_memory *memory,
                                     int64_t count)
{
	scoped(text) char *key = text_printf("spark.kubernetes.%s.limit.cores", memory->pod);
	const char *limit = spark_conf_get(app->conf, key);
	double bytes = (double)memory->total_mib * MIB;
	struct quota_demand demand = {
		.what = memory->pod,
		.count = count,
		.cpu = (double)spark_demand_cpu_milli(app, memory->pod) / 1000,
		.memory_bytes = bytes,
		.memory_limit_bytes = bytes,
	};

	if (limit)
		kube_quantity_parse(limit, &demand.cpu_limit);
	return demand;
}

bool spark_demand_of(const struct spark_app *app, struct quota_demand demands[2],
                     struct error **err)
{
	struct spark_memory driver, executor;

	if (!spark_memory_of_driver(app, &driver, err) ||
	    !spark_memory_of_executor(app, &executor, err))
		return false;
	demands[0] = demand_of(app, &driver, 1);
	demands[1] = demand_of(app, &executor, spark_demand_executors(app->conf));
	return true;
}
