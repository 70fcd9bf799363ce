/* SPDX-License-Identifier: Apache-2.0 */
/* Spark's BasicDriverFeatureStep, in pieces: metadata, scheduling, image, ports, environment. */
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_build.h"
#include "submit/kube_object.h"
#include "submit/spark_release.h"

#define SUBDOMAIN_LIMIT 253

struct substitution {
	const char *placeholder, *value;
};

/* Owned by the caller. */
static char *substituted(const char *text, const struct substitution *substitutions, size_t count)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	size_t i;

	while (*text) {
		for (i = 0; i < count; i++)
			if (text_starts_with(text, substitutions[i].placeholder))
				break;
		if (i < count) {
			fputs(substitutions[i].value, out);
			text += strlen(substitutions[i].placeholder);
		} else {
			fputc(*text++, out);
		}
	}
	return text_stream_take(&stream);
}

/* Utils.substituteAppNExecIds within every value; a driver has no executor id. */
static void substitute_ids(const struct driver_build *build, json_t *texts)
{
	const struct substitution ids[] = { { "{{APP_ID}}", build->app->app_id },
		                            { "{{EXECUTOR_ID}}", "" } };
	const char *key;
	json_t *value;

	json_object_foreach (texts, key, value) {
		scoped(text) char *text =
			substituted(json_string_value(value), ids, ARRAY_SIZE(ids));

		json_string_set(value, text);
	}
}

static json_t *driver_annotations(const struct driver_build *build)
{
	json_t *annotations = driver_build_properties(build, "spark.kubernetes.driver.annotation.");

	substitute_ids(build, annotations);
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
	if (spark_release_has(build->app->spark_version, SPARK_SUBSTITUTES_LABELS))
		substitute_ids(build, labels);
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

/* The image's name, owned by the caller; NULL when there is none. */
static char *image_name(const struct driver_build *build)
{
	const struct substitution version = { "{{SPARK_VERSION}}", build->app->spark_version };
	const char *image = driver_build_either(build, "spark.kubernetes.driver.container.image",
	                                        "spark.kubernetes.container.image");

	if (!image || !*image)
		return NULL;
	return spark_release_has(build->app->spark_version, SPARK_SUBSTITUTES_IMAGES)
	               ? substituted(image, &version, 1)
	               : xstrdup(image);
}

bool driver_add_image(struct driver_build *build, struct error **err)
{
	static const char *const policies[] = { "IfNotPresent", "Always", "Never", NULL };
	scoped(text) char *image = image_name(build);
	const char *policy =
		spark_conf_get(build->conf, "spark.kubernetes.container.image.pullPolicy");
	json_auto_t *secrets = spark_conf_split(
		spark_conf_get(build->conf, "spark.kubernetes.container.image.pullSecrets"));
	const json_t *secret;
	size_t i;

	if (!image)
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
	bool has_connect = spark_release_has(build->app->spark_version, SPARK_CONNECT_PORT);

	return add_port(build, "driver-rpc-port", "spark.driver.port", "spark.driver.port", 7078,
	                err) &&
	       add_port(build, "blockmanager", "spark.driver.blockManager.port",
	                "spark.blockManager.port", 7079, err) &&
	       add_port(build, "spark-ui", "spark.ui.port", "spark.ui.port", 4040, err) &&
	       (!has_connect || add_port(build, "spark-connect", "spark.connect.grpc.binding.port",
	                                 "spark.connect.grpc.binding.port", 15002, err));
}

/* Over a template's own security context, of which all else stays. */
bool driver_add_privileges(struct driver_build *build, struct error **err)
{
	static const char common[] = "spark.kubernetes.securityContext.allowPrivilegeEscalation";
	static const char own[] =
		"spark.kubernetes.driver.securityContext.allowPrivilegeEscalation";
	json_t *context = json_object_get(build->container, "securityContext");
	bool is_common_allowed, is_allowed;

	if (!spark_release_has(build->app->spark_version, SPARK_PRIVILEGE_ESCALATION))
		return true;
	if (!spark_conf_get_bool(build->conf, common, false, &is_common_allowed, err) ||
	    !spark_conf_get_bool(build->conf, own, is_common_allowed, &is_allowed, err))
		return false;
	if (!context) {
		context = json_object();
		json_object_set_new(build->container, "securityContext", context);
	}
	json_object_set_new(context, "allowPrivilegeEscalation", json_boolean(is_allowed));
	return true;
}

/*
 * Before 4.3 spark-submit is the proxy user while it builds the pod, and $SPARK_USER, which
 * app->user then is, goes before any user.
 */
static const char *user_of(const struct spark_app *app)
{
	return app->proxy_user && spark_release_has(app->spark_version, SPARK_USER_IS_PROXY_USER)
	               ? app->proxy_user
	               : app->user;
}

bool driver_add_environment(struct driver_build *build, struct error **err)
{
	json_auto_t *variables = driver_build_properties(build, "spark.kubernetes.driverEnv.");
	const char *name;
	json_t *value;

	(void)err;
	driver_build_add_env(build, "SPARK_USER", user_of(build->app));
	driver_build_add_env(build, "SPARK_APPLICATION_ID", build->app->app_id);
	json_object_foreach (variables, name, value)
		driver_build_add_env(build, name, json_string_value(value));
	driver_build_append(build->container, "env",
	                    json_pack("{s:s, s:{s:{s:s, s:s}}}", "name",
	                              "SPARK_DRIVER_BIND_ADDRESS", "valueFrom", "fieldRef",
	                              "apiVersion", "v1", "fieldPath", "status.podIP"));
	return true;
}
