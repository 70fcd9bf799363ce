/* SPDX-License-Identifier: Apache-2.0 */
/* spec.driver and spec.executor: Spark's properties, and the pods that they begin with where Spark
 * has no property. What the operator's webhook writes into a finished pod stands in a template. */
#include <assert.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/spark_application_load.h"

#define CONTAINER_PREFIX "spark-kubernetes-"

/* ---- the pod ---- */

/* By the name that Spark gives it, else the first one (the webhook's findContainer). */
static json_t *spark_container(json_t *containers, const char *name)
{
	json_t *container;
	size_t i;

	json_array_foreach (containers, i, container)
		if (text_equal(json_string_value(json_object_get(container, "name")), name))
			return container;
	return json_array_get(containers, 0);
}

/* A pod of the fields' template, in which Spark's container is there. */
static json_t *pod_of_template(const struct application_pod *pod)
{
	const json_t *template = json_object_get(pod->value, "template");
	scoped(text) char *name = text_printf(CONTAINER_PREFIX "%s", pod->role);
	json_t *object = json_pack("{s:s, s:s}", "apiVersion", "v1", "kind", "Pod");
	json_auto_t *copy = json_deep_copy(template);
	json_t *spec;

	json_object_update_missing(object, copy);
	spec = application_mapping(object, "spec");
	if (!json_array_size(json_object_get(spec, "containers")))
		json_object_set_new(spec, "containers", json_pack("[{s:s}]", "name", name));
	return object;
}

void application_pod_begin(struct application_pod *pod, const json_t *fields)
{
	scoped(text) char *name = text_printf(CONTAINER_PREFIX "%s", pod->role);

	pod->value = fields;
	pod->pod = pod_of_template(pod);
	pod->container =
		spark_container(json_object_get(application_pod_spec(pod), "containers"), name);
}

void application_pod_release(struct application_pod *pod)
{
	json_decref(pod->pod);
	json_decref(pod->overlay);
}

json_t *application_pod_spec(const struct application_pod *pod)
{
	return json_object_get(pod->pod, "spec");
}

void application_pod_add_variable(struct application_pod *pod, json_t *variable)
{
	application_append(pod->overlay ? pod->overlay : pod->container, "env", variable);
}

/* ---- fields that Spark has a property for, of its own kind ---- */

static void read_key_refs(const struct application_part *part, const char *field,
                          const json_t *refs)
{
	const char *variable;
	json_t *ref;

	(void)field;
	json_object_foreach ((json_t *)refs, variable, ref) {
		scoped(text) char *place = text_printf("%s:%s", application_text(ref, "name"),
		                                       application_text(ref, "key"));

		application_set(part, "spark.kubernetes.*.secretKeyRef.", variable, place);
	}
}

static const char *variable_prefix(const struct application_pod *pod)
{
	return text_equal(pod->role, "driver") ? "spark.kubernetes.driverEnv."
	                                       : "spark.executorEnv.";
}

static void read_variables(const struct application_part *part, const char *field,
                           const json_t *variables)
{
	const char *name;
	json_t *value;

	(void)field;
	json_object_foreach ((json_t *)variables, name, value)
		application_set(part, variable_prefix(part->pod), name, json_string_value(value));
}

/* Go's filepath.Join, as far as a mount path needs it. */
static char *path_below(const char *folder, const char *name)
{
	size_t size = strlen(folder);

	while (size && folder[size - 1] == '/')
		size--;
	return text_printf("%.*s/%s", (int)size, folder, name);
}

static const struct {
	const char *type, *variable, *file;
} secret_types[] = {
	{ "GCPServiceAccount", "GOOGLE_APPLICATION_CREDENTIALS", "key.json" },
	{ "HadoopDelegationToken", "HADOOP_TOKEN_FILE_LOCATION", "hadoop.token" },
};

static void read_secrets(const struct application_part *part, const char *field,
                         const json_t *secrets)
{
	json_t *secret;
	size_t i, n;

	(void)field;
	json_array_foreach (secrets, i, secret) {
		const char *folder = application_text(secret, "path");

		application_set(part, "spark.kubernetes.*.secrets.",
		                application_text(secret, "name"), folder);
		for (n = 0; n < ARRAY_SIZE(secret_types); n++) {
			scoped(text) char *path = path_below(folder, secret_types[n].file);

			if (text_equal(application_text(secret, "secretType"),
			               secret_types[n].type))
				application_set(part, variable_prefix(part->pod),
				                secret_types[n].variable, path);
		}
	}
}

/* The operator appends its own to Spark's properties; none is lost here either. */
static void read_scheduler_name(const struct application_part *part, const char *field,
                                const json_t *name)
{
	if (application_text(part->loader->spec, "batchScheduler"))
		application_warn(part, field, "spec.batchScheduler wins");
	else if (json_string_length(name))
		application_set(part, "spark.kubernetes.*.scheduler.name", "",
		                json_string_value(name));
}

static void read_pod_name(const struct application_part *part, const char *field,
                          const json_t *name)
{
	(void)field;
	application_set(part, "spark.kubernetes.driver.pod.name", "", json_string_value(name));
}

/* ---- fields that go into the pod ---- */

static void read_env(const struct application_part *part, const char *field, const json_t *env)
{
	json_t *variable;
	size_t i;

	(void)field;
	json_array_foreach (env, i, variable)
		application_pod_add_variable(part->pod, json_deep_copy(variable));
}

static void append_all(json_t *object, const char *key, const json_t *items)
{
	json_t *item;
	size_t i;

	json_array_foreach (items, i, item)
		application_append(object, key, json_deep_copy(item));
}

static void append_to_container(const struct application_part *part, const char *field,
                                const json_t *items)
{
	append_all(part->pod->container, field, items);
}

static void append_to_pod(const struct application_part *part, const char *field,
                          const json_t *items)
{
	append_all(application_pod_spec(part->pod), field, items);
}

static void set_in_container(const struct application_part *part, const char *field,
                             const json_t *value)
{
	json_object_set_new(part->pod->container, field, json_deep_copy(value));
}

static void set_in_pod(const struct application_part *part, const char *field, const json_t *value)
{
	if (!json_is_string(value) || json_string_length(value))
		json_object_set_new(application_pod_spec(part->pod), field, json_deep_copy(value));
}

static void read_dns(const struct application_part *part, const char *field, const json_t *dns)
{
	(void)field;
	set_in_pod(part, "dnsConfig", dns);
}

static void read_pod_security(const struct application_part *part, const char *field,
                              const json_t *context)
{
	(void)field;
	set_in_pod(part, "securityContext", context);
}

/* Spark 4.3 writes allowPrivilegeEscalation over the template's. */
static void read_security(const struct application_part *part, const char *field,
                          const json_t *context)
{
	const json_t *escalation = json_object_get(context, "allowPrivilegeEscalation");
	scoped(text) char *property = application_property(
		part, "spark.kubernetes.*.securityContext.allowPrivilegeEscalation", "");

	set_in_container(part, field, context);
	if (json_is_boolean(escalation))
		application_set_scalar(part, property, escalation);
}

/* Spark 4.1 writes a period of its own over the executors' template. */
static void read_grace_period(const struct application_part *part, const char *field,
                              const json_t *seconds)
{
	scoped(text) char *period =
		text_printf("%" JSON_INTEGER_FORMAT "s", json_integer_value(seconds));

	set_in_pod(part, field, seconds);
	if (text_equal(part->pod->role, "executor"))
		application_set(part, "spark.kubernetes.executor.terminationGracePeriodSeconds", "",
		                period);
}

static void set_when_true(const struct application_part *part, const char *field,
                          const json_t *value)
{
	if (json_is_true(value))
		set_in_pod(part, field, value);
}

static void read_host_network(const struct application_part *part, const char *field,
                              const json_t *value)
{
	if (!json_is_true(value))
		return;
	set_in_pod(part, field, value);
	json_object_set_new(application_pod_spec(part->pod), "dnsPolicy",
	                    json_string("ClusterFirstWithHostNet"));
}

/* A container that the template has already, by name and image, is not added again. */
static bool has_container(const json_t *containers, const json_t *wanted)
{
	static const char *const keys[] = { "name", "image" };
	const json_t *container;
	size_t i;

	json_array_foreach (containers, i, container)
		if (text_equal(application_text(container, keys[0]),
		               application_text(wanted, keys[0])) &&
		    text_equal(application_text(container, keys[1]),
		               application_text(wanted, keys[1])))
			return true;
	return false;
}

static void add_containers(const struct application_part *part, const char *list,
                           const json_t *containers)
{
	json_t *spec = application_pod_spec(part->pod), *container;
	size_t i;

	json_array_foreach (containers, i, container)
		if (!has_container(json_object_get(spec, list), container))
			application_append(spec, list, json_deep_copy(container));
}

static void read_sidecars(const struct application_part *part, const char *field,
                          const json_t *sidecars)
{
	(void)field;
	add_containers(part, "containers", sidecars);
}

static void read_init_containers(const struct application_part *part, const char *field,
                                 const json_t *containers)
{
	add_containers(part, field, containers);
}

static void read_gpu(const struct application_part *part, const char *field, const json_t *gpu)
{
	json_t *limits = application_mapping(application_mapping(part->pod->container, "resources"),
	                                     "limits");
	json_int_t quantity = json_integer_value(json_object_get(gpu, "quantity"));
	scoped(text) char *amount = text_printf("%" JSON_INTEGER_FORMAT, quantity);

	(void)field;
	json_object_set_new(limits, application_text(gpu, "name"), json_string(amount));
}

/* "2g" and "2gb" are Gi, as everywhere in Spark; "2Gi" is taken as it is. */
static char *memory_quantity(const char *memory)
{
	static const char units[] = "kmgtp";
	size_t size = strspn(memory, "0123456789.");
	char unit = memory[size] | 0x20;
	const char *rest = memory + size;

	if (!*rest || !strchr(units, unit) || (rest[1] && (rest[1] | 0x20) != 'b') ||
	    (rest[1] && rest[2]))
		return xstrdup(memory);
	return text_printf("%.*s%ci", (int)size, memory, unit - 0x20);
}

static void read_memory_limit(const struct application_part *part, const char *field,
                              const json_t *limit)
{
	scoped(text) char *memory = memory_quantity(json_string_value(limit));
	json_t *overlay = part->pod->overlay;

	if (overlay)
		json_object_set_new(
			application_mapping(application_mapping(overlay, "resources"), "limits"),
			"memory", json_string(memory));
	else
		application_warn(part, field,
		                 "Spark sets the executors' limit itself, to what they request, "
		                 "and no template changes that; raise memoryOverhead");
}

static void read_executor_ports(const struct application_part *part, const char *field,
                                const json_t *ports)
{
	if (json_array_size(ports))
		application_warn(part, field,
		                 "Spark writes the executors' list of ports itself; they can be "
		                 "reached all the same, but not by these names");
}

static const struct application_rule pod_rules[] = {
	{ .field = "image", .property = "spark.kubernetes.*.container.image" },
	{ .field = "cores", .property = "spark.*.cores" },
	{ .field = "coreRequest", .property = "spark.kubernetes.*.request.cores" },
	{ .field = "coreLimit", .property = "spark.kubernetes.*.limit.cores" },
	{ .field = "memory", .property = "spark.*.memory" },
	{ .field = "memoryOverhead", .property = "spark.*.memoryOverhead" },
	{ .field = "serviceAccount",
	  .property = "spark.kubernetes.authenticate.*.serviceAccountName" },
	{ .field = "javaOptions", .property = "spark.*.extraJavaOptions" },
	{ .field = "labels", .property = "spark.kubernetes.*.label." },
	{ .field = "annotations", .property = "spark.kubernetes.*.annotation." },
	{ .field = "nodeSelector", .property = "spark.kubernetes.*.node.selector." },
	{ .field = "envSecretKeyRefs", .read = read_key_refs },
	{ .field = "envVars", .read = read_variables },
	{ .field = "secrets", .read = read_secrets },
	{ .field = "env", .read = read_env },
	{ .field = "envFrom", .read = append_to_container },
	{ .field = "configMaps", .read = application_read_config_maps },
	{ .field = "volumeMounts", .read = application_read_mounts },
	{ .field = "hostNetwork", .read = read_host_network },
	{ .field = "hostAliases", .read = append_to_pod },
	{ .field = "initContainers", .read = read_init_containers },
	{ .field = "sidecars", .read = read_sidecars },
	{ .field = "dnsConfig", .read = read_dns },
	{ .field = "priorityClassName", .read = set_in_pod },
	{ .field = "schedulerName", .read = read_scheduler_name },
	{ .field = "affinity", .read = set_in_pod },
	{ .field = "tolerations", .read = append_to_pod },
	{ .field = "memoryLimit", .read = read_memory_limit },
	{ .field = "gpu", .read = read_gpu },
	{ .field = "securityContext", .read = read_security },
	{ .field = "podSecurityContext", .read = read_pod_security },
	{ .field = "terminationGracePeriodSeconds", .read = read_grace_period },
	{ .field = "lifecycle", .read = set_in_container },
	{ .field = "shareProcessNamespace", .read = set_when_true },
	{ .field = NULL },
};

static const struct application_rule driver_rules[] = {
	{ .field = "podName", .read = read_pod_name },
	{ .field = "kubernetesMaster", .property = "spark.kubernetes.driver.master" },
	{ .field = "serviceLabels", .property = "spark.kubernetes.driver.service.label." },
	{ .field = "serviceAnnotations",
	  .property = "spark.kubernetes.driver.service.annotation." },
	{ .field = "ports", .read = append_to_container },
	{ .field = NULL },
};

static const struct application_rule executor_rules[] = {
	{ .field = "instances", .property = "spark.executor.instances" },
	{ .field = "deleteOnTermination",
	  .property = "spark.kubernetes.executor.deleteOnTermination" },
	{ .field = "ports", .read = read_executor_ports },
	{ .field = NULL },
};

/* Those of the SparkApplication are on both pods, but for the labels by which Kueue queues it. */
static void copy_labels(const struct application_part *part)
{
	const json_t *metadata = json_object_get(part->loader->object, "metadata");
	const char *key;
	json_t *value;

	application_set(part, "spark.kubernetes.*.label.", "sparkoperator.k8s.io/app-name",
	                part->loader->app->name);
	json_object_foreach (json_object_get(metadata, "labels"), key, value)
		if (!text_starts_with(key, "kueue.x-k8s.io/"))
			application_set(part, "spark.kubernetes.*.label.", key,
			                json_string_value(value));
}

static void set_image(const struct application_part *part)
{
	const char *image = application_text(part->loader->spec, "image");

	if (image)
		application_set(part, "spark.kubernetes.*.container.image", "", image);
}

void application_pod_read(struct application_loader *loader, struct application_pod *pod)
{
	const struct application_part part = {
		.loader = loader, .path = pod->path, .value = pod->value, .pod = pod
	};

	set_image(&part);
	copy_labels(&part);
	application_apply(&part, pod_rules);
	application_apply(&part, text_equal(pod->role, "driver") ? driver_rules : executor_rules);
}

/* ---- templates ---- */

/* Whether there is more in the pod than Spark's container by its usual name. */
static bool has_more(const struct application_pod *pod)
{
	struct application_pod plain = { .role = pod->role };
	bool is_same;

	application_pod_begin(&plain, NULL);
	is_same = json_equal(plain.pod, pod->pod);
	application_pod_release(&plain);
	return !is_same;
}

/* The operator passes spark-submit its own template, and no other. */
static void leave_template_file(const struct application_part *part)
{
	struct spark_conf *conf = part->loader->app->conf;
	scoped(text) char *file =
		application_property(part, "spark.kubernetes.*.podTemplateFile", "");

	if (!spark_conf_get(conf, file))
		return;
	application_warn(part, "sparkConf", "%s gives way to the template that %s makes", file,
	                 part->pod->path);
	spark_conf_set(conf, file, NULL);
}

/* Spark takes the first container of a template unless it is told a name. */
static void name_container(const struct application_part *part)
{
	const struct application_pod *pod = part->pod;
	const json_t *first =
		json_array_get(json_object_get(application_pod_spec(pod), "containers"), 0);
	scoped(text) char *name = text_printf(CONTAINER_PREFIX "%s", pod->role);

	application_set(part, "spark.kubernetes.*.podTemplateContainerName", "",
	                first == pod->container ? NULL : name);
}

/* Owned by the caller; NULL where there is nothing to say. */
static json_t *end_pod(struct application_loader *loader, struct application_pod *pod)
{
	const struct application_part part = {
		.loader = loader, .path = "spec", .value = loader->spec, .pod = pod
	};

	if (!has_more(pod))
		return NULL;
	leave_template_file(&part);
	name_container(&part);
	return json_incref(pod->pod);
}

void application_pods_end(struct application_loader *loader)
{
	loader->app->driver_template = end_pod(loader, &loader->driver);
	loader->app->executor_template = end_pod(loader, &loader->executor);
	if (json_object_size(loader->driver.overlay))
		loader->app->driver_overlay = json_incref(loader->driver.overlay);
}
