/* SPDX-License-Identifier: Apache-2.0 */
/* Sketches an executor of a submission's objects. */
#include "submit/executor_sketch.h"

#include <string.h>

#include "core/document.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_pod.h"
#include "submit/kube_object.h"
#include "submit/spark_conf.h"
#include "submit/spark_properties_file.h"

#define VOLUMES "spark.kubernetes.executor.volumes."
#define PLACEHOLDER "example.org/executor"

/* What one of the objects has in `data` under `key`; borrowed, or NULL. */
static const char *find_data(const json_t *objects, const char *key)
{
	const json_t *object;
	size_t i;

	json_array_foreach (objects, i, object) {
		const json_t *data = json_object_get(object, "data");
		const char *text = json_string_value(json_object_get(data, key));

		if (text && text_equal(kube_object_kind(object), "ConfigMap"))
			return text;
	}
	return NULL;
}

static struct spark_conf *properties_of(const json_t *objects)
{
	const char *text = find_data(objects, "spark.properties");
	scoped(spark_conf) struct spark_conf *conf = spark_conf_new();

	return text && spark_properties_parse(text, strlen(text), conf, NULL) ? take(conf) : NULL;
}

/* spec of the template, of which it may have none; owned by the caller; NULL: it cannot be read. */
static json_t *spec_of_template(const json_t *objects)
{
	const char *text = find_data(objects, "podspec-configmap-key");
	scoped(document) struct document *document =
		text ? document_parse("the executors' template", text, strlen(text), NULL) : NULL;
	const json_t *spec = document ? json_object_get(document_root(document), "spec") : NULL;

	if (text && !document)
		return NULL;
	return json_is_object(spec) ? json_deep_copy(spec) : json_object();
}

/* A source that the API takes, of a type that Spark knows. */
static json_t *source_of(const char *type)
{
	if (text_equal(type, "hostPath"))
		return json_pack("{s:s}", "path", "/");
	if (text_equal(type, "nfs"))
		return json_pack("{s:s, s:s}", "server", "nfs", "path", "/");
	if (text_equal(type, "persistentVolumeClaim"))
		return json_pack("{s:s}", "claimName", "claim");
	return text_equal(type, "emptyDir") ? json_object() : NULL;
}

/* One volume of each type that the properties name. */
static void add_volumes(const struct spark_conf *conf, json_t *spec)
{
	json_auto_t *types = json_object();
	json_t *volumes = json_object_get(spec, "volumes");
	size_t count, i;
	struct spark_conf_entry *entries = spark_conf_entries(conf, &count);

	if (!json_is_array(volumes)) {
		volumes = json_array();
		json_object_set_new(spec, "volumes", volumes);
	}
	for (i = 0; i < count; i++) {
		const char *rest = text_starts_with(entries[i].key, VOLUMES)
		                           ? entries[i].key + strlen(VOLUMES)
		                           : "";
		scoped(text) char *type = xstrndup(rest, strcspn(rest, "."));
		json_t *source = json_object_get(types, type) ? NULL : source_of(type);
		scoped(text) char *name = text_printf("stepop-sketch-%zu", json_object_size(types));

		if (!source)
			continue;
		json_object_set_new(types, type, json_true());
		json_array_append_new(volumes, json_pack("{s:s, s:o}", "name", name, type, source));
	}
	free(entries);
}

static void add_containers(json_t *spec)
{
	json_t *containers = json_object_get(spec, "containers"), *container;
	size_t i;

	if (!json_array_size(containers)) {
		containers = json_pack("[{s:s}]", "name", "spark-kubernetes-executor");
		json_object_set_new(spec, "containers", containers);
	}
	json_array_foreach (containers, i, container) {
		scoped(text) char *name = text_printf("container-%zu", i);

		if (!json_object_get(container, "image"))
			json_object_set_new(container, "image", json_string(PLACEHOLDER));
		if (!json_object_get(container, "name"))
			json_object_set_new(container, "name", json_string(name));
	}
}

/* Executors in the driver's own process are no pods. */
static bool makes_executors(const struct spark_conf *conf)
{
	const char *master = spark_conf_get(conf, "spark.kubernetes.driver.master");

	return !master || !text_starts_with(master, "local");
}

json_t *executor_sketch(const json_t *objects)
{
	const json_t *driver = driver_objects_pod(objects);
	const json_t *account =
		json_object_get(json_object_get(driver, "spec"), "serviceAccountName");
	scoped(spark_conf) struct spark_conf *conf = properties_of(objects);
	json_t *spec, *pod;

	if (!conf || !makes_executors(conf))
		return NULL;
	spec = spec_of_template(objects);
	if (!spec)
		return NULL;
	add_volumes(conf, spec);
	add_containers(spec);
	json_object_set_new(spec, "restartPolicy", json_string("Never"));
	if (account)
		json_object_set(spec, "serviceAccountName", (json_t *)account);
	pod = kube_object_new("v1", "Pod", kube_object_namespace(driver), "stepop-executor-sketch",
	                      NULL);
	json_object_set_new(pod, "spec", spec);
	return pod;
}
