/* SPDX-License-Identifier: Apache-2.0 */
/* The headless Service by which executors find the driver (DriverServiceFeatureStep). */
#include <inttypes.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_build.h"
#include "submit/kube_object.h"
#include "submit/spark_release.h"

static bool check_choice(const struct driver_build *build, const char *key,
                         const char *const *choices, const char **chosen, struct error **err)
{
	const char *value = spark_conf_get(build->conf, key);
	size_t i;

	for (i = 0; choices[i]; i++)
		if (!value || text_equal(value, choices[i])) {
			*chosen = choices[i];
			return true;
		}
	return error_set(err, ERROR_INVALID, "%s: '%s' is not known; '%s' is", key, value,
	                 choices[0]);
}

static bool set_families(struct driver_build *build, json_t *spec, struct error **err)
{
	static const char *const policies[] = { "SingleStack", "PreferDualStack",
		                                "RequireDualStack", NULL };
	static const char *const families[] = { "IPv4", "IPv6", "IPv4,IPv6", "IPv6,IPv4", NULL };
	const char *policy, *family;

	if (!check_choice(build, "spark.kubernetes.driver.service.ipFamilyPolicy", policies,
	                  &policy, err) ||
	    !check_choice(build, "spark.kubernetes.driver.service.ipFamilies", families, &family,
	                  err))
		return false;
	json_object_set_new(spec, "ipFamilyPolicy", json_string(policy));
	json_object_set_new(spec, "ipFamilies", spark_conf_split(family));
	return true;
}

static const struct service_port {
	const char *name, *key;
	int64_t port;
	bool is_written; /* as a property, by which the driver listens there */
} ports[] = {
	{ "driver-rpc-port", "spark.driver.port", 7078, true },
	{ "blockmanager", "spark.driver.blockManager.port", 7079, true },
	{ "spark-ui", "spark.ui.port", 4040, false },
};
static const struct service_port connect_port = { "spark-connect",
	                                          "spark.connect.grpc.binding.port", 15002, false };

/* The new entry of the Service's ports, borrowed; NULL on failure. */
static json_t *add_port(struct driver_build *build, json_t *spec, const struct service_port *port,
                        struct error **err)
{
	scoped(text) char *text = NULL;
	json_t *entry;
	int64_t number;

	if (!spark_conf_get_int(build->conf, port->key, port->port, &number, err))
		return NULL;
	entry = json_pack("{s:s, s:I, s:I}", "name", port->name, "port", (json_int_t)number,
	                  "targetPort", (json_int_t)number);
	driver_build_append(spec, "ports", entry);
	text = text_printf("%" PRId64, number);
	if (port->is_written)
		spark_conf_set(build->conf, port->key, text);
	return entry;
}

/*
 * The Service's block manager port does not follow spark.blockManager.port, and the property is
 * written: the driver then listens on the Service's port, whatever the container says (as seen).
 */
static bool set_ports(struct driver_build *build, json_t *spec, struct error **err)
{
	const char *version = build->app->spark_version;
	json_t *connect;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ports); i++)
		if (!add_port(build, spec, &ports[i], err))
			return false;
	if (!spark_release_has(version, SPARK_CONNECT_PORT))
		return true;
	connect = add_port(build, spec, &connect_port, err);
	if (connect && spark_release_has(version, SPARK_SERVICE_DETAILS))
		json_object_set_new(connect, "appProtocol", json_string("grpc"));
	return connect != NULL;
}

/* In every other release the field is left to the API server, for which it is false too. */
static bool set_readiness(struct driver_build *build, json_t *spec, struct error **err)
{
	bool is_published;

	if (!spark_release_has(build->app->spark_version, SPARK_SERVICE_DETAILS))
		return true;
	if (!spark_conf_get_bool(build->conf,
	                         "spark.kubernetes.driver.service.publishNotReadyAddresses", false,
	                         &is_published, err))
		return false;
	json_object_set_new(spec, "publishNotReadyAddresses", json_boolean(is_published));
	return true;
}

static void set_metadata(struct driver_build *build, json_t *service)
{
	json_auto_t *labels =
		driver_build_properties(build, "spark.kubernetes.driver.service.label.");
	json_auto_t *annotations =
		driver_build_properties(build, "spark.kubernetes.driver.service.annotation.");
	json_t *metadata = json_object_get(service, "metadata");

	if (!json_object_get(labels, "spark-app-selector"))
		json_object_set_new(labels, "spark-app-selector", json_string(build->app->app_id));
	json_object_update(labels, build->app->labels);
	json_object_set(metadata, "labels", labels);
	if (json_object_size(annotations))
		json_object_set(metadata, "annotations", annotations);
}

bool driver_add_service(struct driver_build *build, struct error **err)
{
	scoped(text) char *name = spark_app_service_name(build->app);
	scoped(text) char *host = text_printf("%s.%s.svc", name, build->app->namespace);
	json_t *service = driver_build_add_object(build, "Service", name);
	json_t *spec = json_pack("{s:s, s:O}", "clusterIP", "None", "selector", build->labels);

	json_object_set_new(service, "spec", spec);
	if (spark_conf_get(build->conf, "spark.driver.bindAddress"))
		return error_set(err, ERROR_INVALID,
		                 "spark.driver.bindAddress cannot be set on Kubernetes: the driver "
		                 "binds to its pod's address");
	spark_conf_set(build->conf, "spark.driver.host", host);
	set_metadata(build, service);
	return set_families(build, spec, err) && set_readiness(build, spec, err) &&
	       set_ports(build, spec, err);
}
