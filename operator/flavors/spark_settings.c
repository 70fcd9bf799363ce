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
	scoped(text) char *cores = NULL, *millis = NULL;
	double cpus;

	if (!parse_cpu(value, &cpus))
		return error_set(err, ERROR_INVALID,
		                 "resources.cpu is no positive number of cores");
	cores = text_printf("%.0f", ceil(cpus));
	spark_conf_set(conf, "spark.executor.cores", cores);
	if (cpus >= ceil(cpus))
		return true;
	millis = text_printf("%.0fm", ceil(cpus * 1000));
	spark_conf_set(conf, "spark.kubernetes.executor.request.cores", millis);
	return true;
}

static bool set_memory(struct spark_conf *conf, const char *key, const json_t *value,
                       struct error **err)
{
	scoped(text) char *number =
		json_is_integer(value) ? text_printf("%lldm", (long long)json_integer_value(value))
				       : NULL;
	scoped(text) char *memory =
		spark_memory_from_quantity(number                     ? number
	                                   : json_string_value(value) ? json_string_value(value)
	                                                              : "",
	                                   err);

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
		scoped(text) char *key = text_printf("spark.%s.%s", role, name);

		if (!strcmp(name, "memory") || !strcmp(name, "memoryOverhead")) {
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
	const json_t *own = json_object_get(spark, "conf");

	if (!apply_resources(conf, json_object_get(step->settings, "resources"), err) ||
	    !apply_role(conf, "driver", json_object_get(spark, "driver"), err) ||
	    !apply_role(conf, "executor", json_object_get(spark, "executor"), err) ||
	    (own && !spark_conf_merge_json(conf, own, err)))
		return error_wrap(err, "settings of step '%s'", step->name);
	return take(conf);
}

static bool is_for_pods(const char *key)
{
	return text_starts_with(key, "spark.kubernetes.") ||
	       !strcmp(key, "spark.executor.instances") || !strcmp(key, "spark.executor.memory") ||
	       text_starts_with(key, "spark.executor.resource.") ||
	       !strcmp(key, "spark.executor.cores");
}

json_t *spark_settings_json(const struct spark_conf *conf, bool local)
{
	json_t *object = json_object();
	size_t count, i;
	struct spark_conf_entry *entries = spark_conf_entries(conf, &count);

	for (i = 0; i < count; i++)
		if (!local || !is_for_pods(entries[i].key))
			json_object_set_new(object, entries[i].key, json_string(entries[i].value));
	free(entries);
	return object;
}
