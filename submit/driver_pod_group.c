/* SPDX-License-Identifier: Apache-2.0 */
/* The PodGroup by which Volcano schedules a driver and its executors together
 * (VolcanoFeatureStep). */
#include <string.h>

#include "core/document.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_build.h"
#include "submit/driver_client.h"
#include "submit/kube_object.h"
#include "submit/spark_release.h"

#define API_VERSION "scheduling.volcano.sh/v1beta1"
#define KIND "PodGroup"
#define FILE_PROPERTY "spark.kubernetes.scheduler.volcano.podGroupTemplateFile"
#define TEXT_PROPERTY "spark.kubernetes.scheduler.volcano.podGroupTemplateJson"

static bool is_or_absent(const json_t *object, const char *key, const char *value)
{
	const json_t *present = json_object_get(object, key);

	return !present || text_equal(json_string_value(present), value);
}

static bool is_object_or_absent(const json_t *object, const char *key)
{
	const json_t *present = json_object_get(object, key);

	return !present || json_is_null(present) || json_is_object(present);
}

static bool is_template(const json_t *object)
{
	const json_t *metadata = json_object_get(object, "metadata");

	return json_is_object(object) && is_or_absent(object, "apiVersion", API_VERSION) &&
	       is_or_absent(object, "kind", KIND) && is_object_or_absent(object, "metadata") &&
	       is_object_or_absent(object, "spec") && is_object_or_absent(metadata, "labels") &&
	       is_object_or_absent(metadata, "annotations");
}

static struct document *read_file(const char *uri, struct error **err)
{
	scoped(text) char *path = driver_client_path(FILE_PROPERTY, uri, err);

	return path ? document_read(path, err) : NULL;
}

/* What the user wrote, or NULL for nothing; false on an error. The file goes before the text. */
static bool read_template(const struct driver_build *build, struct document **document,
                          struct error **err)
{
	const char *uri = spark_conf_get(build->conf, FILE_PROPERTY);
	const char *text = spark_conf_get(build->conf, TEXT_PROPERTY);
	bool is_text = !uri && text &&
	               spark_release_has(build->app->spark_version, SPARK_POD_GROUP_IN_LINE);

	*document = NULL;
	if (!uri && !is_text)
		return true;
	*document =
		uri ? read_file(uri, err) : document_parse(TEXT_PROPERTY, text, strlen(text), err);
	if (*document && is_template(document_root(*document)))
		return true;
	if (*document)
		return error_set(err, ERROR_INVALID,
		                 "%s: '%s' is no " KIND " of " API_VERSION
		                 ", with metadata and spec",
		                 uri ? FILE_PROPERTY : TEXT_PROPERTY, document_name(*document));
	return error_wrap(err, "%s", uri ? FILE_PROPERTY : TEXT_PROPERTY);
}

/* What the template says goes under what is ours. */
static void merge_template(json_t *group, const json_t *template)
{
	json_t *own = json_object_get(group, "metadata");
	json_t *metadata = json_deep_copy(json_object_get(template, "metadata"));
	json_t *spec = json_object_get(template, "spec");

	if (json_is_object(metadata)) {
		json_object_update_recursive(metadata, own);
		json_object_set(group, "metadata", metadata);
	}
	json_decref(metadata);
	json_object_set_new(group, "spec",
	                    json_is_object(spec) ? json_incref(spec) : json_object());
}

static void annotate_pod(struct driver_build *build, const char *group)
{
	driver_build_merge(json_object_get(build->pod, "metadata"), "annotations",
	                   json_pack("{s:s}", "scheduling.k8s.io/group-name", group));
}

bool driver_add_pod_group(struct driver_build *build, struct error **err)
{
	scoped(text) char *name = text_printf("%s-podgroup", build->app->app_id);
	scoped(document) struct document *template = NULL;

	if (!read_template(build, &template, err))
		return false;
	merge_template(driver_build_add_object_of(build, API_VERSION, KIND, name),
	               template ? document_root(template) : NULL);
	annotate_pod(build, name);
	return true;
}
