/* SPDX-License-Identifier: Apache-2.0 */
/* Does a namespace have room for an application? Pure functions on ResourceQuotas and LimitRanges.
 */
#ifndef SUBMIT_QUOTA_ROOM_H
#define SUBMIT_QUOTA_ROOM_H

#include <jansson.h>
#include <stdint.h>

/* So many pods of one kind, each with one container. */
struct quota_demand {
	const char *what; /* "driver", "executor" */
	int64_t count;
	double cpu, memory_bytes; /* requested by each */
	double cpu_limit;         /* 0: none */
	double memory_limit_bytes;
};

/*
 * What the pods of `demands` lack under the objects of `quotas` (ResourceQuota: what is left of
 * "pods", requests and limits for all together) and `ranges` (LimitRange: the most that one
 * container or pod may have). An array of sentences, empty when there is room; owned by the caller.
 * Quotas of scopes that such pods are not in are left out.
 */
json_t *quota_room_lacks(const json_t *quotas, const json_t *ranges,
                         const struct quota_demand *demands, size_t count);

#endif
