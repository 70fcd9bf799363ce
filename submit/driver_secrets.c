/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of the driver: those that exist, mounted or as variables, and the one stepop makes. */
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_build.h"
#include "submit/driver_client.h"
#include "submit/driver_sensitive.h"
#include "submit/kube_object.h"

/* A name that shells and the kubelet take for a variable. */
static bool is_variable(const char *name)
{
	size_t size = strlen(name);

	return size && !(name[0] >= '0' && name[0] <= '9') &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") ==
	               size;
}

static void refer_to(struct driver_build *build, const char *role, const char *variable,
                     const char *secret)
{
	scoped(text) char *property =
		text_printf("spark.kubernetes.%s.secretKeyRef.%s", role, variable);
	scoped(text) char *reference = text_printf("%s:%s", secret, variable);

	spark_conf_set(build->conf, property, reference);
}

/* stringData stays in this one object: properties and variables only name the key. */
static bool add_secret(struct driver_build *build, const char *name, json_t *data,
                       struct error **err)
{
	json_t *secret;
	const char *variable;
	json_t *value;

	if (!kube_object_is_subdomain(name))
		return error_set(err, ERROR_INVALID, "'%s' cannot be the name of a Secret", name);
	json_object_foreach (data, variable, value) {
		if (!is_variable(variable))
			return error_set(err, ERROR_INVALID,
			                 "'%s' cannot be the name of an environment variable",
			                 variable);
		refer_to(build, "driver", variable, name);
		refer_to(build, "executor", variable, name);
	}
	secret = driver_build_add_object(build, "Secret", name);
	json_object_set_new(secret, "type", json_string("Opaque"));
	json_object_set_new(secret, "immutable", json_true());
	json_object_set(secret, "stringData", data);
	return true;
}

bool driver_add_secrets(struct driver_build *build, struct error **err)
{
	const char *name;
	json_t *data;

	json_object_foreach (build->app->secrets, name, data)
		if (!add_secret(build, name, data, err))
			return false;
	return true;
}

static json_t *find_secret(const struct driver_build *build, const char *name)
{
	json_t *object;
	size_t i;

	json_array_foreach (build->others, i, object)
		if (text_equal(kube_object_kind(object), "Secret") &&
		    text_equal(kube_object_name(object), name))
			return object;
	return NULL;
}

char *driver_build_hide(struct driver_build *build, const char *key, const char *value)
{
	char *name = text_printf("%s-properties", build->app->resource_prefix);
	json_t *secret = find_secret(build, name);

	if (!secret) {
		secret = driver_build_add_object(build, "Secret", name);
		json_object_set_new(secret, "type", json_string("Opaque"));
		json_object_set_new(secret, "immutable", json_true());
	}
	driver_build_merge(secret, "stringData", json_pack("{s:s}", key, value));
	return name;
}

/* One row of environment: its properties give way to references, which the features of secretKeyRef
 * (the driver's own, and the executors' in the driver) turn into variables. */
static bool hide_variables(struct driver_build *build, const char *prefix, const char *role,
                           struct error **err)
{
	json_auto_t *variables = driver_build_properties(build, prefix);
	const char *name;
	json_t *value;

	json_object_foreach (variables, name, value) {
		scoped(text) char *property = text_printf("%s%s", prefix, name);
		scoped(text) char *reference_property =
			text_printf("spark.kubernetes.%s.secretKeyRef.%s", role, name);
		scoped(text) char *key = text_printf("%s.%s", role, name);
		scoped(text) char *secret = NULL;
		scoped(text) char *reference = NULL;

		if (!driver_sensitive_is_property(build->sensitive, property,
		                                  json_string_value(value)))
			continue;
		if (!driver_client_is_key(key))
			return error_set(err, ERROR_INVALID,
			                 "%s holds a secret, and '%s' cannot be the key of one; "
			                 "choose another name for the variable",
			                 property, name);
		secret = driver_build_hide(build, key, json_string_value(value));
		reference = text_printf("%s:%s", secret, key);
		spark_conf_set(build->conf, property, NULL);
		spark_conf_set_default(build->conf, reference_property, reference);
	}
	return true;
}

bool driver_hide_variables(struct driver_build *build, struct error **err)
{
	return hide_variables(build, "spark.kubernetes.driverEnv.", "driver", err) &&
	       hide_variables(build, "spark.executorEnv.", "executor", err);
}

bool driver_mount_secrets(struct driver_build *build, struct error **err)
{
	json_auto_t *secrets = driver_build_properties(build, "spark.kubernetes.driver.secrets.");
	const char *name;
	json_t *path;

	(void)err;
	json_object_foreach (secrets, name, path) {
		scoped(text) char *volume = text_printf("%s-volume", name);

		driver_build_add_volume(build, volume, "secret",
		                        json_pack("{s:s}", "secretName", name));
		driver_build_add_mount(build, volume, json_string_value(path));
	}
	return true;
}

bool driver_add_secret_environment(struct driver_build *build, struct error **err)
{
	json_auto_t *references =
		driver_build_properties(build, "spark.kubernetes.driver.secretKeyRef.");
	const char *variable;
	json_t *value;

	json_object_foreach (references, variable, value) {
		const char *reference = json_string_value(value);
		const char *colon = strchr(reference, ':');
		scoped(text) char *secret = NULL;

		if (!colon || strchr(colon + 1, ':'))
			return error_set(err, ERROR_INVALID,
			                 "spark.kubernetes.driver.secretKeyRef.%s must be written "
			                 "as <secret>:<key>",
			                 variable);
		secret = xstrndup(reference, (size_t)(colon - reference));
		driver_build_add_secret_env(build, variable, secret, colon + 1);
	}
	return true;
}
