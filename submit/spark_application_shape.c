/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the SparkApplication. */
#include "submit/spark_application_shape.h"

#include <string.h>

#include "core/text.h"
#include "submit/kube_object.h"
#include "submit/spark_conf.h"

#define QUOTES " (numbers and true or false in quotes)"

static bool is_mapping(const json_t *value)
{
	return json_is_object(value);
}

static bool is_list(const json_t *value)
{
	return json_is_array(value);
}

static bool is_anything(const json_t *value)
{
	(void)value;
	return true;
}

static bool is_text(const json_t *value)
{
	return json_is_string(value);
}

static bool is_filled_text(const json_t *value)
{
	return json_is_string(value) && json_string_length(value);
}

static bool is_boolean(const json_t *value)
{
	return json_is_boolean(value);
}

static bool is_within(const json_t *value, json_int_t minimum, json_int_t maximum)
{
	return json_is_integer(value) && json_integer_value(value) >= minimum &&
	       json_integer_value(value) <= maximum;
}

static bool is_count(const json_t *value)
{
	return is_within(value, 1, INT32_MAX);
}

static bool is_count_or_zero(const json_t *value)
{
	return is_within(value, 0, INT32_MAX);
}

static bool is_port(const json_t *value)
{
	return is_within(value, 1, 65535);
}

static bool is_integer(const json_t *value)
{
	return json_is_integer(value);
}

static bool is_one_of(const json_t *value, const char *const *words)
{
	const char *text = json_string_value(value);

	while (*words && !text_equal(*words, text))
		words++;
	return *words != NULL;
}

static bool is_type(const json_t *value)
{
	return is_one_of(value, (const char *const[]){ "Java", "Scala", "Python", "R", NULL });
}

static bool is_mode(const json_t *value)
{
	return is_one_of(value,
	                 (const char *const[]){ "cluster", "client", "in-cluster-client", NULL });
}

static bool is_restart_type(const json_t *value)
{
	return is_one_of(value, (const char *const[]){ "Never", "OnFailure", "Always", NULL });
}

static bool is_secret_type(const json_t *value)
{
	return is_one_of(value, (const char *const[]){ "Generic", "GCPServiceAccount",
	                                               "HadoopDelegationToken", NULL });
}

static bool is_pull_policy(const json_t *value)
{
	return is_one_of(value, (const char *const[]){ "Always", "IfNotPresent", "Never", NULL });
}

/* A Service of the name begins with a letter (RFC 1035); the operator asks for the same. */
static bool is_application_name(const json_t *value)
{
	const char *name = json_string_value(value);

	return name && kube_object_is_label(name) && !(*name >= '0' && *name <= '9');
}

static bool is_name_prefix(const json_t *value)
{
	const char *prefix = json_string_value(value);

	return prefix && *prefix >= 'a' && *prefix <= 'z' && strlen(prefix) <= 58 &&
	       !prefix[strspn(prefix, "abcdefghijklmnopqrstuvwxyz0123456789-")];
}

static bool is_namespace(const json_t *value)
{
	return json_is_string(value) && kube_object_is_label(json_string_value(value));
}

static bool is_pod_name(const json_t *value)
{
	return json_is_string(value) && kube_object_is_subdomain(json_string_value(value));
}

static bool is_spark_memory(const json_t *value)
{
	struct spark_conf *conf = spark_conf_new();
	bool is_good = false;
	int64_t mib;

	if (json_is_string(value)) {
		spark_conf_set(conf, "memory", json_string_value(value));
		is_good = spark_conf_get_mib(conf, "memory", 0, &mib, NULL);
	}
	spark_conf_free(conf);
	return is_good;
}

static bool is_factor(const json_t *value)
{
	struct spark_conf *conf = spark_conf_new();
	bool is_good = false;
	double factor;

	if (json_is_string(value)) {
		spark_conf_set(conf, "factor", json_string_value(value));
		is_good = spark_conf_get_double(conf, "factor", 0, &factor, NULL);
	}
	spark_conf_free(conf);
	return is_good;
}

/* "1", "0.5", "1200m", "2Gi"; the API server knows the rest. */
static bool is_quantity(const json_t *value)
{
	const char *text = json_string_value(value);
	size_t size = text ? strspn(text, "0123456789.") : 0;

	return size &&
	       strspn(text + size, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") ==
	               strlen(text + size);
}

static bool is_quantity_or_number(const json_t *value)
{
	return is_quantity(value) || (json_is_number(value) && json_number_value(value) >= 0);
}

static bool is_named(const json_t *value)
{
	return json_is_object(value) && is_filled_text(json_object_get(value, "name"));
}

static bool is_mount(const json_t *value)
{
	return is_named(value) && is_filled_text(json_object_get(value, "mountPath"));
}

static bool is_absent_or_mappings(const json_t *list)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		if (!json_is_object(item))
			return false;
	return !list || json_is_array(list);
}

/* As far as it is added to. */
static bool is_template(const json_t *value)
{
	static const char *const lists[] = { "containers", "initContainers", "volumes" };
	const json_t *metadata = json_object_get(value, "metadata");
	const json_t *spec = json_object_get(value, "spec");
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lists); i++)
		if (!is_absent_or_mappings(json_object_get(spec, lists[i])))
			return false;
	return json_is_object(value) && (!metadata || json_is_object(metadata)) &&
	       (!spec || json_is_object(spec));
}

static bool is_any_key(const char *key)
{
	return *key != '\0';
}

static bool is_variable(const char *key)
{
	return *key && !strpbrk(key, "= ");
}

#define SHAPE(id, words, test) static const struct shape id = { .expected = words, .accepts = test }

SHAPE(any, "anything", is_anything);
SHAPE(text, "text" QUOTES, is_text);
SHAPE(filled_text, "text" QUOTES ", not empty", is_filled_text);
SHAPE(boolean, "true or false", is_boolean);
SHAPE(count, "a whole number from 1", is_count);
SHAPE(count_or_zero, "a whole number from 0", is_count_or_zero);
SHAPE(integer, "a whole number", is_integer);
SHAPE(port, "a port (1 to 65535)", is_port);
SHAPE(mapping, "a mapping", is_mapping);
SHAPE(list, "a list", is_list);
SHAPE(type, "Java, Scala, Python or R", is_type);
SHAPE(mode, "cluster", is_mode);
SHAPE(restart_type, "Never, OnFailure or Always", is_restart_type);
SHAPE(secret_type, "Generic, GCPServiceAccount or HadoopDelegationToken", is_secret_type);
SHAPE(pull_policy, "Always, IfNotPresent or Never", is_pull_policy);
SHAPE(application_name,
      "a name of lower-case letters, digits and '-' that begins with a letter, at most 63",
      is_application_name);
SHAPE(name_prefix, "lower-case letters, digits and '-' that begin with a letter, at most 58",
      is_name_prefix);
SHAPE(namespace_name, "the name of a namespace", is_namespace);
SHAPE(pod_name, "the name of a pod", is_pod_name);
SHAPE(spark_memory, "an amount of memory as Spark writes it, such as \"512m\" or \"4g\"",
      is_spark_memory);
SHAPE(factor, "a number in quotes, such as \"0.1\"", is_factor);
SHAPE(quantity, "a quantity in quotes, such as \"1\", \"1200m\" or \"2Gi\"", is_quantity);
SHAPE(quantity_or_number, "a quantity, such as 1, 1200m or 2Gi", is_quantity_or_number);
SHAPE(named, "a mapping with a name", is_named);
SHAPE(mount, "a mapping with name and mountPath", is_mount);

#define LIST_OF(id, words, item) \
	static const struct shape id = { .expected = words, .accepts = is_list, .items = &(item) }

SHAPE(template, "a pod's metadata and spec, in which containers and volumes are lists of mappings",
      is_template);

LIST_OF(texts, "a list of texts", text);
LIST_OF(named_list, "a list of mappings with names", named);
LIST_OF(mount_list, "a list of mounts", mount);
LIST_OF(mapping_list, "a list of mappings", mapping);

static const struct shape text_map = { .expected = "a mapping of texts",
	                               .accepts = is_mapping,
	                               .values = &text,
	                               .accepts_key = is_any_key,
	                               .expected_key = "a key is not empty" };
static const struct shape variable_map = { .expected = "a mapping of variables to texts",
	                                   .accepts = is_mapping,
	                                   .values = &text,
	                                   .accepts_key = is_variable,
	                                   .expected_key = "a variable has no '=' and no blank" };
static const struct shape resource_map = { .expected = "a mapping of resources to quantities",
	                                   .accepts = is_mapping,
	                                   .values = &quantity_or_number,
	                                   .accepts_key = is_any_key,
	                                   .expected_key = "a key is not empty" };

#define MAPPING_OF(id, ...)                                                          \
	static const struct field id##_fields[] = { __VA_ARGS__, { .name = NULL } }; \
	static const struct shape id = { .expected = "a mapping",                    \
		                         .accepts = is_mapping,                      \
		                         .fields = id##_fields }
#define FIELD(field, of)                        \
	{                                       \
		.name = (field), .shape = &(of) \
	}
#define REQUIRED(field, of)                                          \
	{                                                            \
		.name = (field), .shape = &(of), .is_required = true \
	}

MAPPING_OF(name_path, REQUIRED("name", filled_text), REQUIRED("path", filled_text));
MAPPING_OF(name_key, REQUIRED("name", filled_text), REQUIRED("key", filled_text));
MAPPING_OF(secret_info, REQUIRED("name", filled_text), REQUIRED("path", filled_text),
           REQUIRED("secretType", secret_type));
MAPPING_OF(gpu, REQUIRED("name", filled_text), REQUIRED("quantity", count));
MAPPING_OF(container_port, REQUIRED("name", filled_text), REQUIRED("protocol", filled_text),
           REQUIRED("containerPort", port));
LIST_OF(name_path_list, "a list of mappings with name and path", name_path);
LIST_OF(secret_list, "a list of secrets", secret_info);
LIST_OF(port_list, "a list of ports", container_port);
static const struct shape key_ref_map = { .expected = "a mapping of variables to name and key",
	                                  .accepts = is_mapping,
	                                  .values = &name_key,
	                                  .accepts_key = is_variable,
	                                  .expected_key = "a variable has no '=' and no blank" };

/* SparkPodSpec: what drivers and executors have in common. */
#define POD_FIELDS                                                                              \
	FIELD("template", template), FIELD("cores", count), FIELD("coreLimit", quantity),       \
		FIELD("coreRequest", quantity), FIELD("memory", spark_memory),                  \
		FIELD("memoryLimit", quantity), FIELD("memoryOverhead", spark_memory),          \
		FIELD("gpu", gpu), FIELD("image", text), FIELD("configMaps", name_path_list),   \
		FIELD("secrets", secret_list), FIELD("env", named_list),                        \
		FIELD("envVars", variable_map), FIELD("envFrom", mapping_list),                 \
		FIELD("envSecretKeyRefs", key_ref_map), FIELD("labels", text_map),              \
		FIELD("annotations", text_map), FIELD("volumeMounts", mount_list),              \
		FIELD("affinity", mapping), FIELD("tolerations", mapping_list),                 \
		FIELD("podSecurityContext", mapping), FIELD("securityContext", mapping),        \
		FIELD("schedulerName", text), FIELD("sidecars", named_list),                    \
		FIELD("initContainers", named_list), FIELD("hostNetwork", boolean),             \
		FIELD("nodeSelector", text_map), FIELD("dnsConfig", mapping),                   \
		FIELD("terminationGracePeriodSeconds", integer), FIELD("serviceAccount", text), \
		FIELD("hostAliases", mapping_list), FIELD("shareProcessNamespace", boolean),    \
		FIELD("javaOptions", text), FIELD("lifecycle", mapping),                        \
		FIELD("ports", port_list), FIELD("priorityClassName", text)

MAPPING_OF(driver, POD_FIELDS, FIELD("podName", pod_name), FIELD("kubernetesMaster", text),
           FIELD("serviceAnnotations", text_map), FIELD("serviceLabels", text_map));
MAPPING_OF(executor, POD_FIELDS, FIELD("instances", count), FIELD("deleteOnTermination", boolean));

MAPPING_OF(deps, FIELD("jars", texts), FIELD("files", texts), FIELD("pyFiles", texts),
           FIELD("packages", texts), FIELD("excludePackages", texts), FIELD("repositories", texts),
           FIELD("archives", texts));

MAPPING_OF(restart_policy, FIELD("type", restart_type),
           FIELD("onSubmissionFailureRetries", count_or_zero),
           FIELD("onFailureRetries", count_or_zero),
           FIELD("onSubmissionFailureRetryInterval", count),
           FIELD("onFailureRetryInterval", count));

MAPPING_OF(prometheus, REQUIRED("jmxExporterJar", filled_text), FIELD("port", port),
           FIELD("portName", filled_text), FIELD("configFile", text), FIELD("configuration", text));

MAPPING_OF(monitoring, REQUIRED("exposeDriverMetrics", boolean),
           REQUIRED("exposeExecutorMetrics", boolean), FIELD("metricsProperties", text),
           FIELD("metricsPropertiesFile", text), FIELD("prometheus", prometheus));

MAPPING_OF(batch_scheduler_options, FIELD("queue", text), FIELD("priorityClassName", text),
           FIELD("resources", resource_map));

MAPPING_OF(dynamic_allocation, FIELD("enabled", boolean), FIELD("initialExecutors", count_or_zero),
           FIELD("minExecutors", count_or_zero), FIELD("maxExecutors", count_or_zero),
           FIELD("shuffleTrackingEnabled", boolean), FIELD("shuffleTrackingTimeout", integer));

MAPPING_OF(spec, REQUIRED("type", type), REQUIRED("sparkVersion", filled_text), FIELD("mode", mode),
           FIELD("suspend", boolean), FIELD("proxyUser", text), FIELD("image", text),
           FIELD("imagePullPolicy", pull_policy), FIELD("imagePullSecrets", texts),
           FIELD("mainClass", text), REQUIRED("mainApplicationFile", filled_text),
           FIELD("arguments", texts), FIELD("sparkConf", text_map), FIELD("hadoopConf", text_map),
           FIELD("sparkConfigMap", text), FIELD("hadoopConfigMap", text),
           FIELD("volumes", named_list), REQUIRED("driver", driver), REQUIRED("executor", executor),
           FIELD("deps", deps), FIELD("restartPolicy", restart_policy),
           FIELD("nodeSelector", text_map), FIELD("failureRetries", integer),
           FIELD("retryInterval", integer), FIELD("pythonVersion", text),
           FIELD("memoryOverheadFactor", factor), FIELD("monitoring", monitoring),
           FIELD("batchScheduler", text), FIELD("batchSchedulerOptions", batch_scheduler_options),
           FIELD("timeToLiveSeconds", integer), FIELD("sparkUIOptions", mapping),
           FIELD("driverIngressOptions", list), FIELD("dynamicAllocation", dynamic_allocation),
           FIELD("driverPodDisruptionBudget", boolean));

/* ObjectMeta: what a person writes, and what the API server has added to what it stores. */
MAPPING_OF(metadata, FIELD("name", application_name), FIELD("generateName", name_prefix),
           FIELD("namespace", namespace_name), FIELD("labels", text_map),
           FIELD("annotations", text_map), FIELD("finalizers", any), FIELD("ownerReferences", any),
           FIELD("uid", any), FIELD("resourceVersion", any), FIELD("generation", any),
           FIELD("creationTimestamp", any), FIELD("deletionTimestamp", any),
           FIELD("deletionGracePeriodSeconds", any), FIELD("selfLink", any),
           FIELD("managedFields", any));

static const struct field application_fields[] = {
	REQUIRED("apiVersion", text), REQUIRED("kind", text), REQUIRED("metadata", metadata),
	REQUIRED("spec", spec),       FIELD("status", any),   { .name = NULL }
};
const struct shape spark_application_shape = { .expected = "a mapping",
	                                       .accepts = is_mapping,
	                                       .fields = application_fields };
