/* SPDX-License-Identifier: Apache-2.0 */
/* Sums up what pods ask for, and compares it with what a namespace allows. */
#include "submit/quota_room.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_object.h"
#include "submit/kube_quantity.h"

/* Keys of ResourceQuota.spec.hard, and the member of a demand that each counts. */
static const struct {
	const char *key;
	size_t offset; /* of a double; NO_MEMBER: pods themselves */
	bool is_bytes;
} resources[] = {
#define NO_MEMBER SIZE_MAX
	{ "pods", NO_MEMBER, false },
	{ "count/pods", NO_MEMBER, false },
	{ "cpu", offsetof(struct quota_demand, cpu), false },
	{ "requests.cpu", offsetof(struct quota_demand, cpu), false },
	{ "limits.cpu", offsetof(struct quota_demand, cpu_limit), false },
	{ "memory", offsetof(struct quota_demand, memory_bytes), true },
	{ "requests.memory", offsetof(struct quota_demand, memory_bytes), true },
	{ "limits.memory", offsetof(struct quota_demand, memory_limit_bytes), true },
};

static double member(const struct quota_demand *demand, size_t offset)
{
	return offset == NO_MEMBER ? 1 : *(const double *)((const char *)demand + offset);
}

static double sum(const struct quota_demand *demands, size_t count, size_t offset)
{
	double total = 0;
	size_t i;

	for (i = 0; i < count; i++)
		total += (double)demands[i].count * member(&demands[i], offset);
	return total;
}

static bool amount_of(const json_t *object, const char *key, double *amount)
{
	const json_t *value = json_object_get(object, key);

	if (json_is_number(value)) {
		*amount = json_number_value(value);
		return true;
	}
	return json_is_string(value) && kube_quantity_parse(json_string_value(value), amount);
}

/* Pods of Spark have requests, and no activeDeadlineSeconds. */
static bool applies(const json_t *quota)
{
	const json_t *spec = json_object_get(quota, "spec");
	const json_t *scopes = json_object_get(spec, "scopes");
	const json_t *scope;
	size_t i;

	if (json_object_get(spec, "scopeSelector"))
		return false;
	json_array_foreach (scopes, i, scope)
		if (!text_equal(json_string_value(scope), "NotTerminating") &&
		    !text_equal(json_string_value(scope), "NotBestEffort"))
			return false;
	return true;
}

static void compare_quota(const json_t *quota, const struct quota_demand *demands, size_t count,
                          json_t *lacks)
{
	const json_t *status = json_object_get(quota, "status");
	const json_t *hard = json_object_get(json_object_get(quota, "spec"), "hard");
	size_t i;

	for (i = 0; i < ARRAY_SIZE(resources); i++) {
		double limit, used = 0, need = sum(demands, count, resources[i].offset);
		scoped(text) char *needed = NULL, *left = NULL, *most = NULL, *text = NULL;

		if (!amount_of(hard, resources[i].key, &limit))
			continue;
		amount_of(json_object_get(status, "used"), resources[i].key, &used);
		if (need <= limit - used)
			continue;
		needed = kube_quantity_text(need, resources[i].is_bytes);
		left = kube_quantity_text(limit > used ? limit - used : 0, resources[i].is_bytes);
		most = kube_quantity_text(limit, resources[i].is_bytes);
		text = text_printf("%s: %s needed, quota '%s' has %s of %s left", resources[i].key,
		                   needed, kube_object_name(quota), left, most);
		json_array_append_new(lacks, json_string(text));
	}
}

static void compare_range(const char *name, const json_t *limit, const struct quota_demand *demand,
                          json_t *lacks)
{
	const json_t *max = json_object_get(limit, "max");
	const char *type = json_string_value(json_object_get(limit, "type"));
	double cpu = demand->cpu_limit > demand->cpu ? demand->cpu_limit : demand->cpu, most;
	double memory = demand->memory_limit_bytes;
	scoped(text) char *wanted = NULL, *allowed = NULL, *text = NULL;
	bool is_memory = amount_of(max, "memory", &most) && memory > most;

	if (!text_equal(type, "Container") && !text_equal(type, "Pod"))
		return;
	if (!is_memory && !(amount_of(max, "cpu", &most) && cpu > most))
		return;
	wanted = kube_quantity_text(is_memory ? memory : cpu, is_memory);
	allowed = kube_quantity_text(most, is_memory);
	text = text_printf("%s: %s for each %s, limit range '%s' allows %s",
	                   is_memory ? "memory" : "cpu", wanted, demand->what, name, allowed);
	json_array_append_new(lacks, json_string(text));
}

json_t *quota_room_lacks(const json_t *quotas, const json_t *ranges,
                         const struct quota_demand *demands, size_t count)
{
	json_t *lacks = json_array();
	const json_t *object, *limit;
	size_t i, j, k;

	json_array_foreach (quotas, i, object)
		if (applies(object))
			compare_quota(object, demands, count, lacks);
	json_array_foreach (ranges, i, object)
		json_array_foreach (json_object_get(json_object_get(object, "spec"), "limits"), j,
		                    limit)
			for (k = 0; k < count; k++)
				compare_range(kube_object_name(object), limit, &demands[k], lacks);
	return lacks;
}
