/* SPDX-License-Identifier: Apache-2.0 */
/* Pod templates of any kind under pod security: what is not refused has no container that the
 * standard would not let in. */
#include <stdint.h>

#include "core/document.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_pod.h"
#include "submit/executor_sketch.h"
#include "submit/spark_app.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_containers(const json_t *containers)
{
	const json_t *container;
	size_t i;

	json_array_foreach (containers, i, container) {
		const json_t *context = json_object_get(container, "securityContext");
		const json_t *capabilities = json_object_get(context, "capabilities");
		const json_t *dropped = json_array_get(json_object_get(capabilities, "drop"), 0);

		if (!json_is_false(json_object_get(context, "allowPrivilegeEscalation")) ||
		    json_is_true(json_object_get(context, "privileged")) ||
		    !text_equal(json_string_value(dropped), "ALL"))
			abort();
	}
}

static void check_pod(const json_t *pod)
{
	const json_t *spec = json_object_get(pod, "spec");
	const json_t *context = json_object_get(spec, "securityContext");

	if (!json_is_true(json_object_get(context, "runAsNonRoot")))
		abort();
	check_containers(json_object_get(spec, "containers"));
	check_containers(json_object_get(spec, "initContainers"));
}

static void check_executors(const json_t *objects)
{
	const json_t *object;
	size_t i;

	json_array_foreach (objects, i, object) {
		const json_t *held = json_object_get(object, "data");
		const json_t *text = json_object_get(held, "podspec-configmap-key");
		struct document *template =
			text ? document_parse("template", json_string_value(text),
		                              json_string_length(text), NULL)
			     : NULL;

		if (text && !template)
			abort(); /* it was written by us */
		if (template)
			check_pod(document_root(template));
		document_free(template);
	}
}

static void build(json_t *template)
{
	struct spark_app app = {
		.name = xstrdup("fuzz"),
		.main_resource = xstrdup("local:///a.jar"),
		.main_class = xstrdup("A"),
		.conf = spark_conf_new(),
		.pod_security = POD_SECURITY_RESTRICTED,
		.driver_template = json_incref(template),
		.executor_template = json_incref(template),
	};
	struct error *err = NULL;
	json_t *objects;

	spark_conf_set(app.conf, "spark.kubernetes.container.image", "spark:3.5.9");
	objects = driver_objects_build(&app, &err);
	if (!objects && err->kind != ERROR_INVALID)
		abort();
	if (objects) {
		check_pod(driver_objects_pod(objects));
		check_executors(objects);
	}
	error_free(err);
	driver_objects_free(objects);
	spark_app_release(&app);
}

/* The text as it stands in a file of the user's, with the least that a sketch is made of. */
static void sketch(const uint8_t *data, size_t size)
{
	json_t *text = json_stringn((const char *)data, size);
	json_t *objects = json_pack("[{s:s, s:{s:o*, s:s}}, {s:s, s:{s:s}}]", "kind", "ConfigMap",
	                            "data", "podspec-configmap-key", text, "spark.properties",
	                            "a=b\n", "kind", "Pod", "metadata", "namespace", "n");
	json_t *pod = executor_sketch(objects);

	if (pod && !json_array_size(json_object_get(json_object_get(pod, "spec"), "containers")))
		abort();
	json_decref(pod);
	json_decref(objects);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct document *document = document_parse("fuzz", (const char *)data, size, NULL);

	if (document && json_is_object(document_root(document)))
		build(document_root(document));
	document_free(document);
	sketch(data, size);
	return 0;
}
