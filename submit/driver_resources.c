/* SPDX-License-Identifier: Apache-2.0 */
/* CPU, memory with its overhead, and devices of the driver. */
#include <inttypes.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_build.h"
#include "submit/spark_memory.h"

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
	const char *request = spark_conf_get(build->conf, "spark.kubernetes.driver.request.cores");
	const char *limit = spark_conf_get(build->conf, "spark.kubernetes.driver.limit.cores");
	scoped(text) char *number = NULL;
	int64_t cores;

	if (!spark_conf_get_int(build->conf, "spark.driver.cores", 1, &cores, err))
		return false;
	if (cores < 1)
		return error_set(err, ERROR_INVALID, "spark.driver.cores must be at least 1");
	number = text_printf("%" PRId64, cores);
	set_resource(build, "requests", "cpu", request ? request : number);
	if (limit)
		set_resource(build, "limits", "cpu", limit);
	return true;
}

/* The factor that executors inherit is written down, for the driver to find. */
bool driver_add_memory(struct driver_build *build, struct error **err)
{
	struct spark_memory memory;
	scoped(text) char *factor = NULL;
	scoped(text) char *quantity = NULL;

	if (!spark_memory_of_driver(build->app, &memory, err))
		return false;
	factor = spark_number_text(memory.inherited_factor);
	spark_conf_set(build->conf, "spark.kubernetes.memoryOverheadFactor", factor);
	quantity = text_printf("%" PRId64 "Mi", memory.total_mib);
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

	if (!spark_conf_get(build->conf, amount_key))
		return error_set(err, ERROR_INVALID,
		                 "spark.driver.resource.%s is described, but %s does not tell how "
		                 "many",
		                 name, amount_key);
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

/* ResourceUtils.listResourceIds: whatever is said of a device, there must be some of it. */
bool driver_add_devices(struct driver_build *build, struct error **err)
{
	json_auto_t *settings = driver_build_properties(build, "spark.driver.resource.");
	const char *key;
	json_t *value;

	json_object_foreach (settings, key, value) {
		scoped(text) char *name = NULL;

		name = xstrndup(key, strcspn(key, "."));
		if (!add_device(build, name, err))
			return false;
	}
	return true;
}
