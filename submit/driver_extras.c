/* SPDX-License-Identifier: Apache-2.0 */
/* What a manifest asks for beyond Spark's rules: objects of its own, and changes to the finished
 * container. */
#include <string.h>

#include "core/text.h"
#include "submit/driver_build.h"
#include "submit/kube_object.h"

bool driver_add_extra_objects(struct driver_build *build, struct error **err)
{
	const json_t *extra;
	size_t i;

	(void)err;
	json_array_foreach (build->app->extra_objects, i, extra) {
		const char *version = json_string_value(json_object_get(extra, "apiVersion"));
		json_t *object = driver_build_add_object_of(build, version, kube_object_kind(extra),
		                                            kube_object_name(extra));

		json_object_update_missing(object, (json_t *)extra);
	}
	return true;
}

/* Kubernetes takes the last of two variables of one name. */
bool driver_lay_over(struct driver_build *build, struct error **err)
{
	const json_t *overlay = build->app->driver_overlay;
	json_t *resources = json_object_get(overlay, "resources"), *variable;
	size_t i;

	(void)err;
	json_array_foreach (json_object_get(overlay, "env"), i, variable)
		driver_build_append(build->container, "env", json_incref(variable));
	if (resources && !json_object_get(build->container, "resources"))
		json_object_set_new(build->container, "resources", json_object());
	if (resources)
		json_object_update_recursive(json_object_get(build->container, "resources"),
		                             resources);
	return true;
}
