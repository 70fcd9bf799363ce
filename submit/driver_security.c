/* SPDX-License-Identifier: Apache-2.0 */
/* Pod security of driver and executors, where the application asks for it. */
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_build.h"
#include "submit/pod_security.h"
#include "submit/spark_release.h"

#define EXECUTOR_VOLUMES "spark.kubernetes.executor.volumes."
#define TEMPLATE_STEP "PodTemplateConfigMapStep"

/* Executors' volumes are made of properties, by the driver: what it will make is known by now. */
static bool check_executor_volumes(const struct driver_build *build, bool *has_claims,
                                   struct error **err)
{
	json_auto_t *volumes = driver_build_properties(build, EXECUTOR_VOLUMES);
	const char *key;
	json_t *value;

	*has_claims = false;
	json_object_foreach (volumes, key, value) {
		scoped(text) char *type = xstrndup(key, strcspn(key, "."));

		if (!pod_security_allows_volume(type))
			return error_set(err, ERROR_INVALID,
			                 "%s%s: pod security 'restricted' does not allow a %s",
			                 EXECUTOR_VOLUMES, key, type);
		*has_claims = *has_claims || text_equal(type, "persistentVolumeClaim");
	}
	return true;
}

/* Since 4.3 the driver writes it over what the template says. */
static bool check_escalation(const struct driver_build *build, struct error **err)
{
	static const char common[] = "spark.kubernetes.securityContext.allowPrivilegeEscalation",
			  own[] = "spark.kubernetes.executor.securityContext."
				  "allowPrivilegeEscalation";
	bool is_common_allowed, is_allowed;

	if (!spark_release_has(build->app->spark_version, SPARK_PRIVILEGE_ESCALATION))
		return true;
	if (!spark_conf_get_bool(build->conf, common, false, &is_common_allowed, err) ||
	    !spark_conf_get_bool(build->conf, own, is_common_allowed, &is_allowed, err))
		return false;
	return !is_allowed || error_set(err, ERROR_INVALID,
	                                "%s: pod security 'restricted' does not allow it", own);
}

bool driver_restrict_executors(const struct driver_build *build, json_t *pod, json_t *container,
                               struct error **err)
{
	json_t *spec = json_object_get(pod, "spec");
	bool has_claims;

	if (!check_executor_volumes(build, &has_claims, err) || !check_escalation(build, err))
		return false;
	if (!pod_security_restrict(pod, container, has_claims, err))
		return error_wrap(err, "the executors");
	/* Their account is the driver's: without its token they cannot make pods. */
	if (!json_object_get(spec, "automountServiceAccountToken"))
		json_object_set_new(spec, "automountServiceAccountToken", json_false());
	return true;
}

bool driver_restrict(struct driver_build *build, struct error **err)
{
	if (build->app->pod_security == POD_SECURITY_NONE)
		return true;
	if (!driver_step_is_wanted(build, TEMPLATE_STEP))
		return error_set(err, ERROR_INVALID,
		                 "pod security reaches the executors by their pod template; "
		                 "'%s' cannot be excluded with it",
		                 TEMPLATE_STEP);
	return pod_security_restrict(build->pod, build->container, false, err) ||
	       error_wrap(err, "the driver");
}
