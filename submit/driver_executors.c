/* SPDX-License-Identifier: Apache-2.0 */
/* Refuses what the driver would die of when it asks for its first executors; spark-submit lets it
 * through. */
#include <inttypes.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_build.h"
#include "submit/kube_object.h"
#include "submit/spark_release.h"

#define BATCH_DELAY "spark.kubernetes.allocation.batch.delay"
#define DEFAULT_BATCH_DELAY_MS 1000
#define SHORT_BATCH_DELAY_MS 100 /* too short since 4.0 */
#define NAME_PREFIX "spark.kubernetes.executor.podNamePrefix"
#define NAME_PREFIX_LIMIT 237 /* 253, less "-exec-" and ten digits */

static bool check_positive(const struct driver_build *build, const char *property,
                           struct error **err)
{
	int64_t number;

	if (!spark_conf_get_int(build->conf, property, 1, &number, err))
		return false;
	if (number < 1)
		return error_set(err, ERROR_INVALID, "%s must be at least 1", property);
	return true;
}

static bool check_batch_delay(const struct driver_build *build, struct error **err)
{
	bool is_strict =
		spark_release_has(build->app->spark_version, SPARK_CHECKS_ALLOCATION_DELAY);
	int64_t above_ms = is_strict ? SHORT_BATCH_DELAY_MS : 0, delay_ms;

	if (!spark_conf_get_ms(build->conf, BATCH_DELAY, DEFAULT_BATCH_DELAY_MS, &delay_ms, err))
		return false;
	if (delay_ms <= above_ms)
		return error_set(err, ERROR_INVALID, "%s must be more than %" PRId64 "ms",
		                 BATCH_DELAY, above_ms);
	return true;
}

static bool check_name_prefix(const struct driver_build *build, struct error **err)
{
	const char *prefix = spark_conf_get(build->conf, NAME_PREFIX);

	if (!prefix || (strlen(prefix) <= NAME_PREFIX_LIMIT && kube_object_is_subdomain(prefix)))
		return true;
	return error_set(err, ERROR_INVALID,
	                 "%s: '%s' cannot begin the names of pods: at most %d lower-case letters, "
	                 "digits, '-' and '.'",
	                 NAME_PREFIX, prefix, NAME_PREFIX_LIMIT);
}

bool driver_check_executors(struct driver_build *build, struct error **err)
{
	return check_positive(build, "spark.kubernetes.allocation.batch.size", err) &&
	       check_positive(build, "spark.kubernetes.allocation.maxPendingPods", err) &&
	       check_batch_delay(build, err) && check_name_prefix(build, err);
}
