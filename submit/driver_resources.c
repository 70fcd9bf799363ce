/* SPDX-License-Identifier: Apache-2.0 */
/* CPU, memory with its overhead, and devices of the driver. */
#include <inttypes.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_build.h"

#define DEFAULT_MEMORY_MIB 1024
#define MINIMUM_OVERHEAD_MIB 384 /* fixed in 3.5 */
#define JVM_FACTOR 0.1
#define OTHER_FACTOR 0.4 /* Python and R */

/* `side` is "requests" or "limits". */
static void set_resource(struct driver_build *build, const char *side, const char *resource,
                         const char *quantity)
{
	json_t *resources = json_object_get(build->container, "resources");

	if (!resources) {
		resources = json_object();
		json_object_set_new(build->container, "resources", resources);
	}
	driver_build_merge(resources, side, json_pack("{s:s}", resource, quantity));
}

bool driver_add_cpu(struct driver_build *build, struct error **err)
{
	const char *request = driver_build_either(build, "spark.kubernetes.driver.request.cores",
	                                          "spark.driver.cores");
	const char *limit = spark_conf_get(build->conf, "spark.kubernetes.driver.limit.cores");

	(void)err;
	set_resource(build, "requests", "cpu", request ? request : "1");
	if (limit)
		set_resource(build, "limits", "cpu", limit);
	return true;
}

static bool read_factor(const struct driver_build *build, const char *key, double fallback,
                        double *factor, struct error **err)
{
	double value;

	if (!spark_conf_get_double(build->conf, key, fallback, &value, err))
		return false;
	if (value < 0)
		return error_set(err, ERROR_INVALID, "%s must not be negative", key);
	*factor = value;
	return true;
}

/*
 * The factor that executors inherit is not the driver's own: spark.driver.memoryOverheadFactor
 * counts here only (BasicDriverFeatureStep.defaultOverheadFactor).
 */
static bool read_overhead(struct driver_build *build, int64_t memory_mib, int64_t *overhead_mib,
                          struct error **err)
{
	bool is_jvm = build->app->resource == SPARK_RESOURCE_JAVA;
	double common = 0, own = 0;
	int64_t computed;
	scoped(text) char *text = NULL;

	if (!read_factor(build, "spark.kubernetes.memoryOverheadFactor",
	                 is_jvm ? JVM_FACTOR : OTHER_FACTOR, &common, err) ||
	    !read_factor(build, "spark.driver.memoryOverheadFactor", common, &own, err))
		return false;
	text = spark_number_text(common);
	spark_conf_set(build->conf, "spark.kubernetes.memoryOverheadFactor", text);
	computed = (int64_t)(own * (double)memory_mib);
	if (computed < MINIMUM_OVERHEAD_MIB)
		computed = MINIMUM_OVERHEAD_MIB;
	return spark_conf_get_mib(build->conf, "spark.driver.memoryOverhead", computed,
	                          overhead_mib, err);
}

bool driver_add_memory(struct driver_build *build, struct error **err)
{
	int64_t memory_mib, overhead_mib;
	scoped(text) char *quantity = NULL;

	if (!spark_conf_get_mib(build->conf, "spark.driver.memory", DEFAULT_MEMORY_MIB, &memory_mib,
	                        err))
		return false;
	if (memory_mib < 1)
		return error_set(err, ERROR_INVALID, "spark.driver.memory must be at least 1m");
	if (!read_overhead(build, memory_mib, &overhead_mib, err))
		return false;
	quantity = text_printf("%" PRId64 "Mi", memory_mib + overhead_mib);
	set_resource(build, "requests", "memory", quantity);
	set_resource(build, "limits", "memory", quantity);
	return true;
}

static bool add_device(struct driver_build *build, const char *name, struct error **err)
{
	scoped(text) char *amount_key = text_printf("spark.driver.resource.%s.amount", name);
	scoped(text) char *vendor_key = text_printf("spark.driver.resource.%s.vendor", name);
	const char *vendor = spark_conf_get(build->conf, vendor_key);
	scoped(text) char *resource = text_printf("%s/%s", vendor ? vendor : "", name);
	scoped(text) char *quantity = NULL;
	int64_t amount;

	if (!spark_conf_get_int(build->conf, amount_key, 0, &amount, err))
		return false;
	if (amount <= 0)
		return true;
	if (!vendor)
		return error_set(err, ERROR_INVALID,
		                 "%s is set without %s (nvidia.com, for example)", amount_key,
		                 vendor_key);
	quantity = text_printf("%" PRId64, amount);
	set_resource(build, "limits", resource, quantity);
	return true;
}

bool driver_add_devices(struct driver_build *build, struct error **err)
{
	json_auto_t *settings = driver_build_properties(build, "spark.driver.resource.");
	const char *key;
	json_t *value;

	json_object_foreach (settings, key, value) {
		scoped(text) char *name = NULL;

		if (!text_ends_with(key, ".amount"))
			continue;
		name = xstrndup(key, strlen(key) - strlen(".amount"));
		if (!add_device(build, name, err))
			return false;
	}
	return true;
}
