/* SPDX-License-Identifier: Apache-2.0 */
/* The NetworkPolicy by which executors answer pods of their own application only
 * (NetworkPolicyFeatureStep). */
#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_build.h"
#include "submit/spark_release.h"

/* Without policyTypes: the API server derives Ingress, and nothing is said of what goes out. */
static json_t *policy_spec(const char *app_id)
{
	return json_pack("{s:{s:{s:s, s:s}}, s:[{s:[{s:{s:{s:s}}}]}]}", "podSelector",
	                 "matchLabels", "spark-role", "executor", "spark-app-selector", app_id,
	                 "ingress", "from", "podSelector", "matchLabels", "spark-app-selector",
	                 app_id);
}

bool driver_add_network_policy(struct driver_build *build, struct error **err)
{
	const char *app_id = build->app->app_id;
	scoped(text) char *name = text_printf("%s-policy", build->app->resource_prefix);
	json_auto_t *labels = json_pack("{s:s}", "spark-app-selector", app_id);
	json_t *policy;

	(void)err;
	if (!spark_release_has(build->app->spark_version, SPARK_NETWORK_POLICY))
		return true;
	policy = driver_build_add_object_of(build, "networking.k8s.io/v1", "NetworkPolicy", name);
	json_object_update(labels, build->app->labels);
	json_object_set(json_object_get(policy, "metadata"), "labels", labels);
	json_object_set_new(policy, "spec", policy_spec(app_id));
	return true;
}
