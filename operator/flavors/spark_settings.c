/* SPDX-License-Identifier: Apache-2.0 */
/* A step's settings as Spark properties. */
#include "operator/flavors/spark_settings.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"

/* 2, 0.5, "2" and "500m" as Kubernetes reads them. */
static bool parse_cpu(const json_t *value, double *cpus)
{
	const char *text = json_string_value(value);
	char *end;

	if (json_is_number(value)) {
		*cpus = json_number_value(value);
		return *cpus > 0;
	}
	if (!text)
		return false;
	*cpus = strtod(text, &end);
	if (!strcmp(end, "m"))
		*cpus /= 1000;
	else if (*end || end == text)
		return false;
	return *cpus > 0;
}

static bool set_cpu(struct spark_conf *conf, const json_t *value, struct error **err)
{
	scoped(text) char *cores = NULL;
	double cpus;

	if (!parse_cpu(value, &cpus))
		return error_set(err, ERROR_INVALID,
		                 "resources.cpu is no positive number of cores");
	cores = text_printf("%.0f", ceil(cpus));
	spark_conf_set(conf, "spark.executor.cores", cores);
	return true;
}

/* The request goes with the cores that resources.cpu gave: who sets other cores does not mean it.
 */
static void set_cpu_fraction(struct spark_conf *conf, const json_t *value, const json_t *own)
{
	static const char request[] = "spark.kubernetes.executor.request.cores";
	const char *cores = spark_conf_get(conf, "spark.executor.cores");
	scoped(text) char *whole = NULL, *millis = NULL;
	double cpus;

	if (!value || !cores || json_object_get(own, request) || !parse_cpu(value, &cpus) ||
	    cpus >= ceil(cpus))
		return;
	whole = text_printf("%.0f", ceil(cpus));
	/* 0.07 * 1000 is a little above 70. */
	millis = text_printf("%.0fm", ceil(cpus * 1000 - 1e-6));
	if (text_equal(cores, whole))
		spark_conf_set(conf, request, millis);
}

static bool set_memory(struct spark_conf *conf, const char *key, const json_t *value,
                       struct error **err)
{
	const char *quantity = json_string_value(value);
	scoped(text) char *memory = spark_memory_from_quantity(quantity ? quantity : "", err);

	if (!memory)
		return error_wrap(err, "%s", key);
	spark_conf_set(conf, key, memory);
	return true;
}

static void set_scalar(struct spark_conf *conf, const char *key, const json_t *value)
{
	scoped(text) char *text = json_is_string(value) ? xstrdup(json_string_value(value))
	                                                : json_dumps(value, JSON_ENCODE_ANY);

	spark_conf_set(conf, key, text);
}

static bool apply_resources(struct spark_conf *conf, const json_t *resources, struct error **err)
{
	const json_t *cpu = json_object_get(resources, "cpu");
	const json_t *memory = json_object_get(resources, "memory");
	const json_t *gpu = json_object_get(resources, "gpu");

	if (cpu && !set_cpu(conf, cpu, err))
		return false;
	if (memory && !set_memory(conf, "spark.executor.memory", memory, err))
		return false;
	if (json_integer_value(gpu) > 0) {
		set_scalar(conf, "spark.executor.resource.gpu.amount", gpu);
		spark_conf_set(conf, "spark.executor.resource.gpu.vendor", "nvidia.com");
	}
	return true;
}

/* settings.spark.driver and settings.spark.executor: `memory` is spark.driver.memory and so on. */
static bool apply_role(struct spark_conf *conf, const char *role, const json_t *settings,
                       struct error **err)
{
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)settings, name, value) {
		bool overhead = !strcmp(name, "memory_overhead");
		scoped(text) char *key =
			text_printf("spark.%s.%s", role, overhead ? "memoryOverhead" : name);

		if (overhead || !strcmp(name, "memory")) {
			if (!set_memory(conf, key, value, err))
				return false;
		} else {
			set_scalar(conf, key, value);
		}
	}
	return true;
}

struct spark_conf *spark_settings_conf(const struct step *step, struct error **err)
{
	scoped(spark_conf) struct spark_conf *conf = spark_conf_new();
	const json_t *spark = json_object_get(step->settings, "spark");
	const json_t *resources = json_object_get(step->settings, "resources");
	const json_t *own = json_object_get(spark, "conf");

	if (!apply_resources(conf, resources, err) ||
	    !apply_role(conf, "driver", json_object_get(spark, "driver"), err) ||
	    !apply_role(conf, "executor", json_object_get(spark, "executor"), err) ||
	    (own && !spark_conf_merge_json(conf, own, err)))
		return error_wrap(err, "settings of step '%s'", step->name);
	set_cpu_fraction(conf, json_object_get(resources, "cpu"), own);
	return take(conf);
}

bool spark_settings_apply(struct spark_conf *conf, const struct step *step, struct error **err)
{
	scoped(spark_conf) struct spark_conf *settings = spark_settings_conf(step, err);
	const json_t *spark = json_object_get(step->settings, "spark");
	const char *key;
	json_t *value;

	if (!settings)
		return false;
	spark_conf_merge(conf, settings);
	json_object_foreach (json_object_get(spark, "conf"), key, value)
		if (json_is_null(value))
			spark_conf_set(conf, key, NULL);
	return true;
}

static bool is_for_executors(const char *key)
{
	static const char *const keys[] = { "spark.executor.instances", "spark.executor.cores",
		                            "spark.executor.memory",
		                            "spark.executor.memoryOverhead" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(key, keys[i]))
			return true;
	return text_starts_with(key, "spark.executor.resource.");
}

/* local-cluster[…] does start executors. */
static bool has_executors(const char *master)
{
	return master &&
	       (!text_starts_with(master, "local") || text_starts_with(master, "local-cluster["));
}

json_t *spark_settings_json(const struct spark_conf *conf, const char *master)
{
	json_t *object = json_object();
	size_t count, i;
	struct spark_conf_entry *entries = spark_conf_entries(conf, &count);

	for (i = 0; i < count; i++) {
		const char *key = entries[i].key;

		if (!text_starts_with(key, "spark.kubernetes.") &&
		    (has_executors(master) || !is_for_executors(key)))
			json_object_set_new(object, key, json_string(entries[i].value));
	}
	free(entries);
	return object;
}
