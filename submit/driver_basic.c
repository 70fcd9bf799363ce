/* SPDX-License-Identifier: Apache-2.0 */
/* Spark's BasicDriverFeatureStep, in pieces: metadata, scheduling, image, ports, environment. */
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_build.h"
#include "submit/kube_object.h"

#define SUBDOMAIN_LIMIT 253

/* {{APP_ID}} is the application's id; {{EXECUTOR_ID}} is empty for a driver. Owned by the caller.
 */
static char *substituted(const char *text, const char *app_id)
{
	static const char app[] = "{{APP_ID}}", executor[] = "{{EXECUTOR_ID}}";
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);

	while (*text) {
		if (text_starts_with(text, app)) {
			fputs(app_id, out);
			text += strlen(app);
		} else if (text_starts_with(text, executor)) {
			text += strlen(executor);
		} else {
			fputc(*text++, out);
		}
	}
	return text_stream_take(&stream);
}

/* In 3.5 annotations only; labels keep the braces. */
static json_t *driver_annotations(const struct driver_build *build)
{
	json_t *annotations = driver_build_properties(build, "spark.kubernetes.driver.annotation.");
	const char *key;
	json_t *value;

	json_object_foreach (annotations, key, value) {
		scoped(text) char *text = substituted(json_string_value(value), build->app->app_id);

		json_string_set(value, text);
	}
	if (build->app->annotations)
		json_object_update(annotations, build->app->annotations);
	return annotations;
}

static bool check_reserved(const json_t *labels, struct error **err)
{
	static const char *const reserved[] = { "spark-version", "spark-app-selector",
		                                "spark-app-name", "spark-role" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(reserved); i++)
		if (json_object_get(labels, reserved[i]))
			return error_set(err, ERROR_INVALID,
			                 "spark.kubernetes.driver.label.%s: Spark itself sets the "
			                 "label '%s'; choose another name",
			                 reserved[i], reserved[i]);
	return true;
}

/* Executors get stepop's labels through the properties that the driver reads. */
static void pass_labels_to_executors(struct driver_build *build)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)build->app->labels, key, value) {
		scoped(text) char *property =
			text_printf("spark.kubernetes.executor.label.%s", key);

		spark_conf_set(build->conf, property, json_string_value(value));
	}
}

bool driver_add_metadata(struct driver_build *build, struct error **err)
{
	json_auto_t *labels = driver_build_properties(build, "spark.kubernetes.driver.label.");
	scoped(text) char *name_label = spark_app_name_label(build->app->name);
	json_t *metadata = json_object_get(build->pod, "metadata");
	json_auto_t *annotations = driver_annotations(build);

	if (!kube_object_is_subdomain(kube_object_name(build->pod)))
		return error_set(err, ERROR_INVALID,
		                 "'%s' cannot be the name of a pod: at most %d lower-case letters, "
		                 "digits, '-' and '.'; choose a shorter application name",
		                 kube_object_name(build->pod), SUBDOMAIN_LIMIT);
	if (!check_reserved(labels, err))
		return false;
	json_object_update(labels, build->app->labels);
	json_object_set_new(labels, "spark-version", json_string(build->app->spark_version));
	json_object_set_new(labels, "spark-app-selector", json_string(build->app->app_id));
	json_object_set_new(labels, "spark-app-name", json_string(name_label));
	json_object_set_new(labels, "spark-role", json_string("driver"));
	build->labels = json_incref(labels);
	driver_build_merge(metadata, "labels", json_copy(labels));
	driver_build_merge(metadata, "annotations", take(annotations));
	pass_labels_to_executors(build);
	return true;
}

bool driver_add_scheduling(struct driver_build *build, struct error **err)
{
	json_auto_t *nodes = driver_build_properties(build, "spark.kubernetes.node.selector.");
	json_auto_t *driver_nodes =
		driver_build_properties(build, "spark.kubernetes.driver.node.selector.");
	const char *scheduler = driver_build_either(build, "spark.kubernetes.driver.scheduler.name",
	                                            "spark.kubernetes.scheduler.name");
	json_t *spec = driver_build_spec(build);

	(void)err;
	json_object_update(nodes, driver_nodes);
	driver_build_merge(spec, "nodeSelector", take(nodes));
	if (scheduler)
		json_object_set_new(spec, "schedulerName", json_string(scheduler));
	return true;
}

bool driver_add_image(struct driver_build *build, struct error **err)
{
	static const char *const policies[] = { "IfNotPresent", "Always", "Never", NULL };
	const char *image = driver_build_either(build, "spark.kubernetes.driver.container.image",
	                                        "spark.kubernetes.container.image");
	const char *policy =
		spark_conf_get(build->conf, "spark.kubernetes.container.image.pullPolicy");
	json_auto_t *secrets = driver_build_split(
		spark_conf_get(build->conf, "spark.kubernetes.container.image.pullSecrets"));
	const json_t *secret;
	size_t i;

	if (!image || !*image)
		return error_set(err, ERROR_INVALID,
		                 "no container image; set spark.kubernetes.container.image");
	for (i = 0; policy && policies[i] && !text_equal(policy, policies[i]);)
		i++;
	if (!policies[i])
		return error_set(err, ERROR_INVALID,
		                 "spark.kubernetes.container.image.pullPolicy: '%s' is none of "
		                 "IfNotPresent, Always and Never",
		                 policy);
	json_object_set_new(build->container, "image", json_string(image));
	json_object_set_new(build->container, "imagePullPolicy", json_string(policies[i]));
	json_array_foreach (secrets, i, secret)
		driver_build_append(driver_build_spec(build), "imagePullSecrets",
		                    json_pack("{s:s}", "name", json_string_value(secret)));
	return true;
}

static bool add_port(struct driver_build *build, const char *name, const char *key,
                     const char *fallback_key, int64_t default_port, struct error **err)
{
	const char *used = spark_conf_get(build->conf, key) ? key : fallback_key;
	int64_t port;

	if (!spark_conf_get_int(build->conf, used, default_port, &port, err))
		return false;
	if (port < 1 || port > UINT16_MAX)
		return error_set(err, ERROR_INVALID,
		                 "%s: a pod cannot have port %lld; choose one from 1 to %d", used,
		                 (long long)port, UINT16_MAX);
	driver_build_append(build->container, "ports",
	                    json_pack("{s:s, s:I, s:s}", "name", name, "containerPort",
	                              (json_int_t)port, "protocol", "TCP"));
	return true;
}

bool driver_add_ports(struct driver_build *build, struct error **err)
{
	return add_port(build, "driver-rpc-port", "spark.driver.port", "spark.driver.port", 7078,
	                err) &&
	       add_port(build, "blockmanager", "spark.driver.blockManager.port",
	                "spark.blockManager.port", 7079, err) &&
	       add_port(build, "spark-ui", "spark.ui.port", "spark.ui.port", 4040, err);
}

bool driver_add_environment(struct driver_build *build, struct error **err)
{
	json_auto_t *variables = driver_build_properties(build, "spark.kubernetes.driverEnv.");
	const char *name;
	json_t *value;

	(void)err;
	driver_build_add_env(build, "SPARK_USER", build->app->user);
	driver_build_add_env(build, "SPARK_APPLICATION_ID", build->app->app_id);
	json_object_foreach (variables, name, value)
		driver_build_add_env(build, name, json_string_value(value));
	driver_build_append(build->container, "env",
	                    json_pack("{s:s, s:{s:{s:s, s:s}}}", "name",
	                              "SPARK_DRIVER_BIND_ADDRESS", "valueFrom", "fieldRef",
	                              "apiVersion", "v1", "fieldPath", "status.podIP"));
	return true;
}
