/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the driver's objects by a table of feature steps. */
#include "submit/driver_pod.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_build.h"
#include "submit/driver_sensitive.h"
#include "submit/kube_object.h"
#include "submit/spark_release.h"

static const struct driver_feature features[] = {
	{ driver_begin_pod, NULL },
	{ driver_hide_variables, NULL },
	{ driver_add_submit_properties, NULL },
	{ driver_add_metadata, "BasicDriverFeatureStep" },
	{ driver_add_scheduling, "BasicDriverFeatureStep" },
	{ driver_add_image, "BasicDriverFeatureStep" },
	{ driver_add_ports, "BasicDriverFeatureStep" },
	{ driver_add_privileges, "BasicDriverFeatureStep" },
	{ driver_add_environment, "BasicDriverFeatureStep" },
	{ driver_add_cpu, "BasicDriverFeatureStep" },
	{ driver_add_memory, "BasicDriverFeatureStep" },
	{ driver_add_devices, "BasicDriverFeatureStep" },
	{ driver_add_credentials, "DriverKubernetesCredentialsFeatureStep" },
	{ driver_add_service, "DriverServiceFeatureStep" },
	{ driver_add_network_policy, "NetworkPolicyFeatureStep" },
	{ driver_add_secrets, NULL },
	{ driver_mount_secrets, "MountSecretsFeatureStep" },
	{ driver_add_secret_environment, "EnvSecretsFeatureStep" },
	{ driver_mount_volumes, "MountVolumesFeatureStep" },
	{ driver_add_command, "DriverCommandFeatureStep" },
	{ driver_add_hadoop, "HadoopConfDriverFeatureStep" },
	{ driver_add_krb5, "KerberosConfDriverFeatureStep" },
	{ driver_add_kerberos_login, "KerberosConfDriverFeatureStep" },
	{ driver_add_executor_template, "PodTemplateConfigMapStep" },
	{ driver_add_local_folders, "LocalDirsFeatureStep" },
	{ driver_add_pod_group, "VolcanoFeatureStep" },
	{ driver_add_files, NULL },
	{ driver_add_config, NULL }, /* the last of Spark's: it writes down what others have set */
	{ driver_add_extra_objects, NULL },
	{ driver_lay_over, NULL },
	{ driver_restrict, NULL }, /* whatever the others have made */
};

json_t *driver_build_properties(const struct driver_build *build, const char *prefix)
{
	json_t *found = json_object();
	size_t count, i;
	struct spark_conf_entry *entries = spark_conf_entries(build->conf, &count);

	for (i = 0; i < count; i++)
		if (text_starts_with(entries[i].key, prefix))
			json_object_set_new(found, entries[i].key + strlen(prefix),
			                    json_string(entries[i].value));
	free(entries);
	return found;
}

const char *driver_build_either(const struct driver_build *build, const char *key,
                                const char *fallback_key)
{
	const char *value = spark_conf_get(build->conf, key);

	return value ? value : spark_conf_get(build->conf, fallback_key);
}

json_t *driver_build_spec(const struct driver_build *build)
{
	return json_object_get(build->pod, "spec");
}

void driver_build_append(json_t *object, const char *key, json_t *value)
{
	json_t *list = json_object_get(object, key);

	if (!list) {
		list = json_array();
		json_object_set_new(object, key, list);
	}
	json_array_append_new(list, value);
}

void driver_build_merge(json_t *object, const char *key, json_t *entries)
{
	json_t *present = json_object_get(object, key);

	if (present)
		json_object_update(present, entries);
	else if (json_object_size(entries))
		json_object_set(object, key, entries);
	json_decref(entries);
}

void driver_build_add_env(struct driver_build *build, const char *name, const char *value)
{
	driver_build_append(build->container, "env",
	                    json_pack("{s:s, s:s}", "name", name, "value", value));
}

void driver_build_add_secret_env(struct driver_build *build, const char *name, const char *secret,
                                 const char *key)
{
	driver_build_append(build->container, "env",
	                    json_pack("{s:s, s:{s:{s:s, s:s}}}", "name", name, "valueFrom",
	                              "secretKeyRef", "name", secret, "key", key));
}

void driver_build_add_volume(struct driver_build *build, const char *name, const char *type,
                             json_t *source)
{
	driver_build_append(driver_build_spec(build), "volumes",
	                    json_pack("{s:s, s:o}", "name", name, type, source));
}

json_t *driver_build_add_mount(struct driver_build *build, const char *volume, const char *path)
{
	json_t *mount = json_pack("{s:s, s:s}", "name", volume, "mountPath", path);

	driver_build_append(build->container, "volumeMounts", mount);
	return mount;
}

json_t *driver_build_add_object(struct driver_build *build, const char *kind, const char *name)
{
	return driver_build_add_object_of(build, "v1", kind, name);
}

json_t *driver_build_add_object_of(struct driver_build *build, const char *api_version,
                                   const char *kind, const char *name)
{
	json_t *object =
		kube_object_new(api_version, kind, build->app->namespace, name, build->app->labels);

	json_array_append_new(build->others, object);
	return object;
}

/* Secrets and ConfigMaps before what mounts them, the Pod last: it never waits for a mount. */
static json_t *in_creation_order(const struct driver_build *build)
{
	static const char *const kinds[] = { "PodGroup",  "Secret",
		                             "ConfigMap", "PersistentVolumeClaim",
		                             "Service",   "NetworkPolicy" };
	json_t *objects = json_array();
	json_t *object;
	size_t rank, i;

	for (rank = 0; rank < ARRAY_SIZE(kinds); rank++)
		json_array_foreach (build->others, i, object)
			if (text_equal(kube_object_kind(object), kinds[rank]))
				json_array_append(objects, object);
	json_array_append(objects, build->pod);
	return objects;
}

/* Label values are shown and selected by; whatever the caller called things, they are valid. */
static json_t *valid_labels(const json_t *labels)
{
	json_t *valid = json_object();
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)labels, key, value) {
		scoped(text) char *text = kube_object_label_value(json_string_value(value));

		json_object_set_new(valid, key, json_string(text));
	}
	return valid;
}

static void begin(struct driver_build *build)
{
	build->conf = spark_conf_new();
	spark_conf_merge(build->conf, build->app->conf);
	build->others = json_array();
	build->sensitive = driver_sensitive_new(build->conf);
}

static void end(struct driver_build *build)
{
	spark_conf_free(build->conf);
	json_decref(build->pod);
	json_decref(build->labels);
	driver_sensitive_free(build->sensitive);
	json_decref(build->others);
}

static bool add_feature(struct driver_build *build, const struct driver_feature *feature,
                        struct error **err)
{
	return !driver_step_is_wanted(build, feature->step) || feature->add(build, err);
}

static json_t *build_objects(const struct spark_app *app, struct error **err)
{
	struct driver_build build = { .app = app };
	json_t *objects = NULL;
	size_t i = 0;

	begin(&build);
	if (driver_steps_check(&build, features, ARRAY_SIZE(features), err))
		while (i < ARRAY_SIZE(features) && add_feature(&build, &features[i], err))
			i++;
	if (i == ARRAY_SIZE(features))
		objects = in_creation_order(&build);
	end(&build);
	return objects;
}

json_t *driver_objects_build(const struct spark_app *app, struct error **err)
{
	struct spark_app copy = *app; /* shares all but the identity and the labels */
	char **const owned[] = { &copy.resource_prefix, &copy.app_id, &copy.unique_id,
		                 &copy.namespace,       &copy.user,   &copy.spark_version };
	json_t *objects;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(owned); i++)
		*owned[i] = text_copy(*owned[i]);
	spark_app_complete(&copy);
	copy.labels = valid_labels(app->labels);
	objects = spark_release_check(copy.spark_version, err) ? build_objects(&copy, err) : NULL;
	json_decref(copy.labels);
	for (i = 0; i < ARRAY_SIZE(owned); i++)
		free(*owned[i]);
	return objects;
}

/* What somebody else holds too is not ours to wipe. */
static void wipe_values(json_t *values)
{
	const char *key;
	json_t *value;

	if (!values || values->refcount > 1)
		return;
	json_object_foreach (values, key, value)
		if (json_is_string(value) && value->refcount == 1)
			text_wipe((char *)json_string_value(value), json_string_length(value));
}

void driver_objects_free(json_t *objects)
{
	json_t *object;
	size_t i;

	json_array_foreach (objects, i, object)
		if (text_equal(kube_object_kind(object), "Secret") && object->refcount == 1) {
			wipe_values(json_object_get(object, "stringData"));
			wipe_values(json_object_get(object, "data"));
		}
	json_decref(objects);
}

const char *driver_objects_container(const json_t *objects)
{
	const json_t *spec = json_object_get(driver_objects_pod(objects), "spec");
	const json_t *containers = json_object_get(spec, "containers");
	size_t count = json_array_size(containers);

	return json_string_value(json_object_get(json_array_get(containers, count - 1), "name"));
}

void driver_objects_warn(const struct spark_app *app, const json_t *objects, json_t *warnings)
{
	static const char name_key[] = "spark.kubernetes.driver.podTemplateContainerName",
			  account_key[] = "spark.kubernetes.authenticate.driver.serviceAccountName";
	const json_t *spec = json_object_get(driver_objects_pod(objects), "spec");
	const char *name = spark_conf_get(app->conf, name_key);
	const char *account = spark_conf_get(app->conf, account_key);
	const char *used = json_string_value(json_object_get(spec, "serviceAccountName"));
	bool has_template = app->driver_template ||
	                    spark_conf_get(app->conf, "spark.kubernetes.driver.podTemplateFile");
	scoped(text) char *container =
		text_printf("%s: the pod template has no container '%s'; its first one is Spark's",
	                    name_key, name ? name : "");
	scoped(text) char *credentials =
		text_printf("%s: '%s' is not used: the driver has credentials of its own, or "
	                    "the step that sets it is excluded",
	                    account_key, account ? account : "");

	if (name && has_template && !text_equal(name, driver_objects_container(objects)))
		json_array_append_new(warnings, json_string(container));
	if (account && !text_equal(account, used))
		json_array_append_new(warnings, json_string(credentials));
}

json_t *driver_objects_pod(const json_t *objects)
{
	json_t *object;
	size_t i;

	json_array_foreach (objects, i, object)
		if (text_equal(kube_object_kind(object), "Pod"))
			return object;
	return NULL;
}
