/* SPDX-License-Identifier: Apache-2.0 */
/* Spark's feature steps by name: which are left out, and which are added (KubernetesDriverBuilder).
 */
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_build.h"
#include "submit/spark_release.h"

#define PACKAGE "org.apache.spark.deploy.k8s.features."
#define ADDED "spark.kubernetes.driver.pod.featureSteps"
#define EXCLUDED "spark.kubernetes.driver.pod.excludedFeatureSteps"
#define VOLCANO "VolcanoFeatureStep"

/* Without these a pod would have neither name nor image, or nothing to run. */
static const char *const indispensable[] = { "BasicDriverFeatureStep", "DriverCommandFeatureStep" };

/* The class names that the property lists; owned by the caller. */
static json_t *listed(const struct driver_build *build, const char *property)
{
	bool is_known = !text_equal(property, EXCLUDED) ||
	                spark_release_has(build->app->spark_version, SPARK_EXCLUDES_STEPS);

	return spark_conf_split(is_known ? spark_conf_get(build->conf, property) : NULL);
}

static bool is_class_of(const char *class, const char *step)
{
	return step && text_starts_with(class, PACKAGE) &&
	       text_equal(class + strlen(PACKAGE), step);
}

static bool is_listed(const struct driver_build *build, const char *property, const char *step)
{
	json_auto_t *classes = listed(build, property);
	const json_t *class;
	size_t i;

	json_array_foreach (classes, i, class)
		if (is_class_of(json_string_value(class), step))
			return true;
	return false;
}

bool driver_step_is_wanted(const struct driver_build *build, const char *step)
{
	if (!step)
		return true;
	if (is_listed(build, EXCLUDED, step))
		return false;
	return !text_equal(step, VOLCANO) || is_listed(build, ADDED, step);
}

static bool check_added(const char *class, struct error **err)
{
	if (is_class_of(class, VOLCANO))
		return true;
	return error_set(err, ERROR_INVALID,
	                 ADDED
	                 ": '%s' is code for the JVM of spark-submit, and stepop has none; only "
	                 "" PACKAGE VOLCANO " is built in",
	                 class);
}

static bool check_excluded(const char *class, const struct driver_feature *features, size_t count,
                           struct error **err)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(indispensable); i++)
		if (is_class_of(class, indispensable[i]))
			return error_set(err, ERROR_INVALID,
			                 EXCLUDED ": there is no driver without '%s'", class);
	for (i = 0; i < count; i++)
		if (is_class_of(class, features[i].step))
			return true;
	return error_set(err, ERROR_INVALID,
	                 EXCLUDED
	                 ": '%s' is none of the steps that make a driver pod; one of them is "
	                 "" PACKAGE "NetworkPolicyFeatureStep",
	                 class);
}

bool driver_steps_check(const struct driver_build *build, const struct driver_feature *features,
                        size_t count, struct error **err)
{
	json_auto_t *added = listed(build, ADDED);
	json_auto_t *excluded = listed(build, EXCLUDED);
	const json_t *class;
	size_t i;

	json_array_foreach (added, i, class)
		if (!check_added(json_string_value(class), err))
			return false;
	json_array_foreach (excluded, i, class)
		if (!check_excluded(json_string_value(class), features, count, err))
			return false;
	return true;
}
