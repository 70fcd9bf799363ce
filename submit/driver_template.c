/* SPDX-License-Identifier: Apache-2.0 */
/* Pod templates: what the driver pod begins with (KubernetesUtils.loadPodFromTemplate), and what
 * the executors' will begin with (PodTemplateConfigMapStep). */
#include <string.h>

#include "core/document.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_build.h"
#include "submit/driver_client.h"
#include "submit/kube_object.h"

#define DRIVER_FILE "spark.kubernetes.driver.podTemplateFile"
#define DRIVER_CONTAINER_NAME "spark.kubernetes.driver.podTemplateContainerName"
#define EXECUTOR_FILE "spark.kubernetes.executor.podTemplateFile"
#define EXECUTOR_CONTAINER_NAME "spark.kubernetes.executor.podTemplateContainerName"
#define EXECUTOR_CONTAINER "spark-kubernetes-executor"
#define EXECUTOR_KEY "podspec-configmap-key"
#define EXECUTOR_FOLDER "/opt/spark/pod-template"
#define EXECUTOR_NAME "pod-spec-template.yml"

/* A template while it is checked and mended; `document` is NULL when it came from no file. */
struct template
{
	const struct document *document;
	struct faults *faults;
};

/* What the features add to: it must be of its type, or their additions would be lost. Where the API
 * has text and YAML reads a number, Spark's client makes it text. */
struct part {
	const char *key;
	json_type type;
	bool holds_text;
};

static struct document_position place(const struct template *template, const json_t *parent,
                                      const char *key)
{
	return template->document ? document_key_position(template->document, parent, key)
	                          : (struct document_position){ 0 };
}

/* The text of a scalar, owned by the caller; NULL where a text was not meant, or lost its digits in
 * a number ("3.10"). */
static json_t *text_of(const json_t *value)
{
	scoped(text) char *digits = NULL;

	if (json_is_string(value))
		return json_incref((json_t *)value);
	if (json_is_boolean(value))
		return json_string(json_is_true(value) ? "true" : "false");
	if (!json_is_integer(value))
		return NULL;
	digits = text_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return json_string(digits);
}

static void require_texts(const struct template *template, json_t *parent, const char *key)
{
	json_t *value = json_object_get(parent, key), *item;
	const char *name;
	size_t i;
	bool is_text = true;

	json_array_foreach (value, i, item) {
		json_t *text = text_of(item);

		is_text = is_text && text;
		if (text)
			json_array_set_new(value, i, text);
	}
	json_object_foreach (value, name, item) {
		json_t *text = text_of(item);

		is_text = is_text && text;
		if (text)
			json_object_set_new(value, name, text);
	}
	if (!is_text)
		faults_add(template->faults, template->document, place(template, parent, key),
		           "%s must hold text; put the values in quotes", key);
}

static void check_parts(const struct template *template, json_t *parent, const struct part *parts,
                        size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		const char *key = parts[i].key;
		const json_t *value = json_object_get(parent, key);

		if (json_is_null(value))
			json_object_del(parent, key);
		else if (value && json_typeof(value) != parts[i].type)
			faults_add(template->faults, template->document,
			           place(template, parent, key), "%s must be a %s", key,
			           parts[i].type == JSON_OBJECT ? "mapping" : "list");
		else if (value && parts[i].holds_text)
			require_texts(template, parent, key);
	}
}

static void check_environment(const struct template *template, json_t *container)
{
	json_t *variable;
	size_t i;

	json_array_foreach (json_object_get(container, "env"), i, variable) {
		const json_t *value = json_object_get(variable, "value");
		json_t *text = value ? text_of(value) : NULL;

		if (text)
			json_object_set_new(variable, "value", text);
		else if (value)
			faults_add(template->faults, template->document,
			           place(template, variable, "value"),
			           "the value of a variable must be text; put it in quotes");
	}
}

static void check_containers(const struct template *template, json_t *spec, const char *key)
{
	static const struct part parts[] = {
		{ "args", JSON_ARRAY, true },          { "command", JSON_ARRAY, true },
		{ "env", JSON_ARRAY, false },          { "ports", JSON_ARRAY, false },
		{ "volumeMounts", JSON_ARRAY, false }, { "resources", JSON_OBJECT, false },
	};
	static const struct part sides[] = { { "requests", JSON_OBJECT, false },
		                             { "limits", JSON_OBJECT, false } };
	json_t *container;
	size_t i;

	json_array_foreach (json_object_get(spec, key), i, container) {
		if (!json_is_object(container)) {
			faults_add(template->faults, template->document, place(template, spec, key),
			           "each of the %s must be a mapping", key);
			continue;
		}
		check_parts(template, container, parts, ARRAY_SIZE(parts));
		check_parts(template, json_object_get(container, "resources"), sides,
		            ARRAY_SIZE(sides));
		check_environment(template, container);
	}
}

static void check_pod(const struct template *template, json_t *pod)
{
	static const struct part parts[] = { { "metadata", JSON_OBJECT, false },
		                             { "spec", JSON_OBJECT, false } };
	static const struct part metadata[] = { { "labels", JSON_OBJECT, true },
		                                { "annotations", JSON_OBJECT, true } };
	static const struct part spec[] = {
		{ "containers", JSON_ARRAY, false },       { "initContainers", JSON_ARRAY, false },
		{ "volumes", JSON_ARRAY, false },          { "nodeSelector", JSON_OBJECT, true },
		{ "imagePullSecrets", JSON_ARRAY, false },
	};

	check_parts(template, pod, parts, ARRAY_SIZE(parts));
	check_parts(template, json_object_get(pod, "metadata"), metadata, ARRAY_SIZE(metadata));
	check_parts(template, json_object_get(pod, "spec"), spec, ARRAY_SIZE(spec));
	check_containers(template, json_object_get(pod, "spec"), "containers");
	check_containers(template, json_object_get(pod, "spec"), "initContainers");
}

/* Without a kind it is taken for a Pod, as Spark does. */
static bool check_template(const struct document *document, json_t *pod, struct error **err)
{
	scoped(faults) struct faults *faults = faults_new();
	const struct template template = { document, faults };
	const json_t *kind = json_object_get(pod, "kind");

	if (!json_is_object(pod) || (kind && !text_equal(json_string_value(kind), "Pod")))
		faults_add(faults, document, place(&template, pod, "kind"),
		           "a pod template is a document of the kind Pod, with metadata and spec");
	else
		check_pod(&template, pod);
	return faults_check(faults, err);
}

static json_t *read_template(const char *property, const char *uri, struct error **err)
{
	scoped(text) char *path = driver_client_path(property, uri, err);
	scoped(document) struct document *document = path ? document_read(path, err) : NULL;

	if (!path)
		return NULL;
	if (!document || !check_template(document, document_root(document), err))
		return error_wrap(err, "%s", property);
	return json_incref(document_root(document));
}

/* The template that is given, else the one of the property, else an empty one; owned by the caller.
 */
static json_t *template_of(const struct driver_build *build, const json_t *given,
                           const char *property, struct error **err)
{
	const char *uri = spark_conf_get(build->conf, property);
	json_auto_t *copy = NULL;

	if (!given)
		return uri ? read_template(property, uri, err) : json_object();
	copy = json_deep_copy(given);
	if (!check_template(NULL, copy, err))
		return error_wrap(err, "the %s's pod template",
		                  text_equal(property, DRIVER_FILE) ? "driver" : "executor");
	return take(copy);
}

/* Owned by whoever holds `object`; made when it is missing. */
static json_t *part_of(json_t *object, const char *key, json_t *empty)
{
	if (json_object_get(object, key))
		json_decref(empty);
	else
		json_object_set_new(object, key, empty);
	return json_object_get(object, key);
}

/* KubernetesUtils.selectSparkContainer: the one of that name, else the first. */
static size_t find_container(const json_t *containers, const char *name)
{
	size_t at = 0, found = 0, i;
	json_t *container;

	json_array_foreach (containers, i, container)
		if (name &&
		    text_equal(json_string_value(json_object_get(container, "name")), name)) {
			at = i;
			found++;
		}
	return found == 1 ? at : 0;
}

/* The one that find_container() finds; it is put behind the others. */
static json_t *choose_container(json_t *containers, const char *name)
{
	size_t at = find_container(containers, name);
	json_t *chosen = json_array_get(containers, at);

	if (chosen) {
		json_incref(chosen);
		json_array_remove(containers, at);
	} else {
		chosen = json_object();
	}
	json_array_append_new(containers, chosen);
	return chosen;
}

bool driver_begin_pod(struct driver_build *build, struct error **err)
{
	scoped(text) char *name = spark_app_driver_name(build->app);
	json_auto_t *template = template_of(build, build->app->driver_template, DRIVER_FILE, err);
	json_t *metadata, *spec;

	if (!template)
		return false;
	/* First of all what it is: people read it. */
	build->pod = json_pack("{s:s, s:s}", "apiVersion", "v1", "kind", "Pod");
	json_object_update_missing(build->pod, template);
	metadata = part_of(build->pod, "metadata", json_object());
	spec = part_of(build->pod, "spec", json_object());
	json_object_set_new(metadata, "name", json_string(name));
	json_object_set_new(metadata, "namespace", json_string(build->app->namespace));
	json_object_set_new(spec, "restartPolicy", json_string("Never"));
	part_of(spec, "enableServiceLinks", json_false());
	build->container = choose_container(part_of(spec, "containers", json_array()),
	                                    spark_conf_get(build->conf, DRIVER_CONTAINER_NAME));
	part_of(build->container, "name", json_string("spark-kubernetes-driver"));
	return true;
}

static char *yaml_of(const json_t *value)
{
	struct text_stream stream;

	document_write_yaml(value, text_stream_open(&stream));
	return text_stream_take(&stream);
}

/* As it stands in the file: the driver, not the client, makes sense of it. Owned by the caller. */
static char *executor_file(const struct driver_build *build, struct error **err)
{
	const char *uri = spark_conf_get(build->conf, EXECUTOR_FILE);
	scoped(text) char *path = driver_client_path(EXECUTOR_FILE, uri, err);
	scoped(text) char *text = NULL;
	size_t size;

	text = path ? driver_client_read(EXECUTOR_FILE, path, &size, err) : NULL;
	if (text && !text_is_utf8(text, size))
		return error_set(err, ERROR_INVALID, "%s: '%s' is not UTF-8 text", EXECUTOR_FILE,
		                 path);
	return take(text);
}

/* What there is, with all that pod security wants of executors; owned by the caller. */
static char *restricted_template(const struct driver_build *build, struct error **err)
{
	json_auto_t *pod = template_of(build, build->app->executor_template, EXECUTOR_FILE, err);
	json_auto_t *whole = NULL;
	json_t *containers;

	if (!pod)
		return NULL;
	whole = json_pack("{s:s, s:s}", "apiVersion", "v1", "kind", "Pod");
	json_object_update_missing(whole, pod);
	containers = part_of(part_of(whole, "spec", json_object()), "containers", json_array());
	if (!json_array_size(containers))
		json_array_append_new(containers, json_pack("{s:s}", "name", EXECUTOR_CONTAINER));
	if (!driver_restrict_executors(
		    build, whole,
		    json_array_get(
			    containers,
			    find_container(containers,
	                                   spark_conf_get(build->conf, EXECUTOR_CONTAINER_NAME))),
		    err))
		return NULL;
	return yaml_of(whole);
}

static char *executor_template(const struct driver_build *build, struct error **err)
{
	if (build->app->pod_security == POD_SECURITY_RESTRICTED)
		return restricted_template(build, err);
	if (build->app->executor_template)
		return yaml_of(build->app->executor_template);
	return executor_file(build, err);
}

bool driver_add_executor_template(struct driver_build *build, struct error **err)
{
	scoped(text) char *name =
		text_printf("%s-driver-podspec-conf-map", build->app->resource_prefix);
	scoped(text) char *text = NULL;
	json_t *map;

	if (!build->app->executor_template && !spark_conf_get(build->conf, EXECUTOR_FILE) &&
	    build->app->pod_security == POD_SECURITY_NONE)
		return true;
	text = executor_template(build, err);
	if (!text)
		return false;
	map = driver_build_add_object(build, "ConfigMap", name);
	json_object_set_new(map, "immutable", json_true());
	json_object_set_new(map, "data", json_pack("{s:s}", EXECUTOR_KEY, text));
	driver_build_add_volume(build, "pod-template-volume", "configMap",
	                        json_pack("{s:s, s:[{s:s, s:s}]}", "name", name, "items", "key",
	                                  EXECUTOR_KEY, "path", EXECUTOR_NAME));
	driver_build_add_mount(build, "pod-template-volume", EXECUTOR_FOLDER);
	spark_conf_set(build->conf, EXECUTOR_FILE, EXECUTOR_FOLDER "/" EXECUTOR_NAME);
	return true;
}
