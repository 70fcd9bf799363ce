/* SPDX-License-Identifier: Apache-2.0 */
/* The spec of a SparkApplication, in the order in which the operator makes spark-submit's arguments
 * of it: what comes later wins. */
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/spark_application_load.h"
#include "submit/spark_release.h"

/* ---- what is run ---- */

static void copy_text(char **into, const json_t *text)
{
	if (json_string_length(text))
		*into = xstrdup(json_string_value(text));
}

static void read_version(const struct application_part *part, const char *field,
                         const json_t *version)
{
	struct spark_app *app = part->loader->app;
	scoped(error) struct error *err = NULL;
	scoped(text) char *why = NULL;

	app->spark_version = spark_release_complete(json_string_value(version), &err);
	if (app->spark_version)
		return;
	copy_text(&app->spark_version, version);
	why = error_text(err);
	application_fault(part, field, "%s", why);
}

static void read_proxy_user(const struct application_part *part, const char *field,
                            const json_t *user)
{
	(void)field;
	copy_text(&part->loader->app->proxy_user, user);
}

static void read_mode(const struct application_part *part, const char *field, const json_t *mode)
{
	if (!text_equal(json_string_value(mode), "cluster"))
		application_fault(
			part, field,
			"'%s' runs the driver outside of a pod of its own; only 'cluster' "
			"is submitted",
			json_string_value(mode));
}

static void read_suspend(const struct application_part *part, const char *field,
                         const json_t *suspend)
{
	if (json_is_true(suspend))
		application_fault(part, field,
		                  "a suspended application is not submitted; set it to false");
}

static const struct {
	enum spark_resource resource;
	const char *types[2], *endings[2];
} resources[] = {
	{ SPARK_RESOURCE_PYTHON, { "Python" }, { ".py" } },
	{ SPARK_RESOURCE_R, { "R" }, { ".R", ".r" } },
	{ SPARK_RESOURCE_JAVA, { "Java", "Scala" }, { "", NULL } },
};

/* spark-submit goes by the name of the file, and so does the operator through it. */
static void read_main_file(const struct application_part *part, const char *field,
                           const json_t *file)
{
	struct spark_app *app = part->loader->app;
	const char *type = application_text(part->value, "type");
	size_t i = 0, n;
	bool is_found = false;

	app->main_resource = xstrdup(json_string_value(file));
	while (!is_found) {
		for (n = 0; n < 2 && resources[i].endings[n]; n++)
			is_found = is_found ||
			           text_ends_with(app->main_resource, resources[i].endings[n]);
		i += !is_found;
	}
	app->resource = resources[i].resource;
	if (!text_equal(type, resources[i].types[0]) && !text_equal(type, resources[i].types[1]))
		application_warn(part, field,
		                 "spark-submit goes by the file's name and runs it as %s, whatever "
		                 "spec.type says",
		                 resources[i].types[0]);
}

static void read_main_class(const struct application_part *part)
{
	struct spark_app *app = part->loader->app;
	const char *class = application_text(part->value, "mainClass");

	if (app->resource == SPARK_RESOURCE_JAVA && !class)
		application_fault(part, "mainApplicationFile",
		                  "spec.mainClass says which class of a jar is run; it is missing");
	else if (app->resource == SPARK_RESOURCE_JAVA)
		app->main_class = xstrdup(class);
	else if (class)
		application_warn(part, "mainClass", "only a jar has one");
}

static void read_arguments(const struct application_part *part, const char *field,
                           const json_t *arguments)
{
	(void)field;
	part->loader->app->args = json_deep_copy(arguments);
}

/* ---- properties ---- */

/* Of sparkConf: what another field, or the submission, decides. */
static const struct {
	const char *property, *instead;
} decided[] = {
	{ "spark.master", "the cluster that is submitted to decides" },
	{ "spark.submit.deployMode", "spec.mode decides" },
	{ "spark.app.name", "metadata.name decides" },
};

static const char *decided_by(const char *property)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(decided); i++)
		if (text_equal(decided[i].property, property))
			return decided[i].instead;
	return text_starts_with(property, "spark.")
	               ? NULL
	               : "Spark drops what does not begin with 'spark.'";
}

static void check_namespace(const struct application_part *part, const json_t *conf)
{
	const char *own = part->loader->app->namespace;
	const char *other = application_text(conf, "spark.kubernetes.namespace");
	const struct application_part within = { .loader = part->loader,
		                                 .path = "spec.sparkConf",
		                                 .value = conf };

	if (own && other && !text_equal(own, other))
		application_fault(&within, "spark.kubernetes.namespace",
		                  "metadata.namespace is '%s'; leave this out", own);
}

static void read_spark_conf(const struct application_part *part, const char *field,
                            const json_t *conf)
{
	const struct application_part within = { .loader = part->loader,
		                                 .path = "spec.sparkConf",
		                                 .value = conf };
	const char *key, *instead;
	json_t *value;

	(void)field;
	check_namespace(part, conf);
	json_object_foreach ((json_t *)conf, key, value) {
		instead = decided_by(key);
		if (instead)
			application_warn(&within, key, "%s", instead);
		else
			spark_conf_set(part->loader->app->conf, key, json_string_value(value));
	}
}

static void read_node_selector(const struct application_part *part, const char *field,
                               const json_t *selector)
{
	const struct application_loader *loader = part->loader;
	const char *key;
	json_t *value;

	if (json_object_get(loader->driver.value, field) ||
	    json_object_get(loader->executor.value, field))
		application_fault(part, field,
		                  "it cannot stand beside spec.driver.nodeSelector or "
		                  "spec.executor.nodeSelector; write it in both of these");
	json_object_foreach ((json_t *)selector, key, value)
		application_set(part, "spark.kubernetes.node.selector.", key,
		                json_string_value(value));
}

static const struct application_rule dynamic_allocation_rules[] = {
	{ .field = "enabled", .property = "spark.dynamicAllocation.enabled" },
	{ .field = "initialExecutors", .property = "spark.dynamicAllocation.initialExecutors" },
	{ .field = "minExecutors", .property = "spark.dynamicAllocation.minExecutors" },
	{ .field = "maxExecutors", .property = "spark.dynamicAllocation.maxExecutors" },
	{ .field = "shuffleTrackingEnabled",
	  .property = "spark.dynamicAllocation.shuffleTracking.enabled" },
	{ .field = "shuffleTrackingTimeout",
	  .property = "spark.dynamicAllocation.shuffleTracking.timeout" },
	{ .field = NULL },
};

static bool is_dynamic(const struct application_loader *loader)
{
	const json_t *allocation = json_object_get(loader->spec, "dynamicAllocation");
	bool is_enabled = false;

	if (allocation)
		return json_is_true(json_object_get(allocation, "enabled"));
	spark_conf_get_bool(loader->app->conf, "spark.dynamicAllocation.enabled", false,
	                    &is_enabled, NULL);
	return is_enabled;
}

static void read_dynamic_allocation(const struct application_part *part, const char *field,
                                    const json_t *allocation)
{
	const struct application_part within = { .loader = part->loader,
		                                 .path = "spec.dynamicAllocation",
		                                 .value = allocation };
	const bool is_default = !json_object_get(allocation, "shuffleTrackingEnabled");

	if (!is_dynamic(part->loader)) {
		if (json_object_size(allocation) > 1)
			application_warn(part, field, "it is not enabled");
		return;
	}
	application_apply(&within, dynamic_allocation_rules);
	if (is_default)
		application_set(part, "spark.dynamicAllocation.shuffleTracking.enabled", "",
		                "true");
}

static const struct application_rule deps_rules[] = {
	{ .field = "jars", .property = "spark.jars" },
	{ .field = "files", .property = "spark.files" },
	{ .field = "pyFiles", .property = "spark.submit.pyFiles" },
	{ .field = "archives", .property = "spark.archives" },
	{ .field = "packages", .property = "spark.jars.packages" },
	{ .field = "excludePackages", .property = "spark.jars.excludes" },
	{ .field = "repositories", .property = "spark.jars.repositories" },
	{ .field = NULL },
};

static void read_deps(const struct application_part *part, const char *field, const json_t *deps)
{
	const struct application_part within = { .loader = part->loader,
		                                 .path = "spec.deps",
		                                 .value = deps };

	(void)field;
	application_apply(&within, deps_rules);
}

/* ---- pods ---- */

static void read_volumes(const struct application_part *part, const char *field,
                         const json_t *volumes)
{
	json_t *volume;
	size_t i;

	(void)field;
	json_array_foreach (volumes, i, volume)
		json_object_set(part->loader->volumes, application_text(volume, "name"), volume);
}

/* SetSparkApplicationDefaults: what neither the fields nor sparkConf say. */
static void set_defaults(struct application_loader *loader)
{
	static const struct {
		const char *property, *value;
	} defaults[] = {
		{ "spark.driver.cores", "1" },
		{ "spark.driver.memory", "1g" },
		{ "spark.executor.cores", "1" },
		{ "spark.executor.memory", "1g" },
	};
	scoped(text) char *pod = text_printf("%s-driver", loader->app->name);
	struct spark_conf *conf = loader->app->conf;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(defaults); i++)
		spark_conf_set_default(conf, defaults[i].property, defaults[i].value);
	if (!is_dynamic(loader))
		spark_conf_set_default(conf, "spark.executor.instances", "1");
	spark_conf_set_default(conf, "spark.kubernetes.driver.pod.name", pod);
}

static void read_driver(const struct application_part *part, const char *field,
                        const json_t *driver)
{
	(void)field;
	(void)driver;
	application_pod_read(part->loader, &part->loader->driver);
}

static void read_executor(const struct application_part *part, const char *field,
                          const json_t *executor)
{
	(void)field;
	(void)executor;
	application_pod_read(part->loader, &part->loader->executor);
	set_defaults(part->loader);
}

static void add_folder_variable(struct application_pod *pod, const char *variable,
                                const char *folder)
{
	application_pod_add_variable(pod,
	                             json_pack("{s:s, s:s}", "name", variable, "value", folder));
}

static void read_hadoop_config_map(const struct application_part *part, const char *field,
                                   const json_t *map)
{
	struct application_pod *const pods[] = { &part->loader->driver, &part->loader->executor };
	size_t i;

	(void)field;
	for (i = 0; json_string_length(map) && i < ARRAY_SIZE(pods); i++) {
		application_mount_config_map(pods[i], json_string_value(map),
		                             "hadoop-configmap-volume", "/etc/hadoop/conf");
		add_folder_variable(pods[i], "HADOOP_CONF_DIR", "/etc/hadoop/conf");
	}
}

/* Spark sets SPARK_CONF_DIR itself; in executors, where nothing can be laid over, only
 * spark.executorEnv comes after that. */
static void read_spark_config_map(const struct application_part *part, const char *field,
                                  const json_t *map)
{
	struct application_pod *const pods[] = { &part->loader->driver, &part->loader->executor };
	size_t i;

	(void)field;
	if (!json_string_length(map))
		return;
	for (i = 0; i < ARRAY_SIZE(pods); i++)
		application_mount_config_map(pods[i], json_string_value(map),
		                             "spark-configmap-volume", "/etc/spark/conf");
	add_folder_variable(&part->loader->driver, "SPARK_CONF_DIR", "/etc/spark/conf");
	application_set(part, "spark.executorEnv.SPARK_CONF_DIR", "", "/etc/spark/conf");
}

/* ---- what only an operator can do ---- */

static void read_restart_policy(const struct application_part *part, const char *field,
                                const json_t *policy)
{
	const char *type = application_text(policy, "type");

	if (type && !text_equal(type, "Never"))
		application_warn(part, field,
		                 "nothing restarts the application (%s asks for it); its end is "
		                 "told, and whoever submits it decides",
		                 type);
}

#define NO_RETRIES "nothing is submitted again; whoever submits it decides"

static const struct application_rule spec_rules[] = {
	{ .field = "sparkVersion", .read = read_version },
	{ .field = "mode", .read = read_mode },
	{ .field = "suspend", .read = read_suspend },
	{ .field = "proxyUser", .read = read_proxy_user },
	{ .field = "mainApplicationFile", .read = read_main_file },
	{ .field = "arguments", .read = read_arguments },
	{ .field = "image", .property = "spark.kubernetes.container.image" },
	{ .field = "imagePullPolicy", .property = "spark.kubernetes.container.image.pullPolicy" },
	{ .field = "imagePullSecrets", .property = "spark.kubernetes.container.image.pullSecrets" },
	{ .field = "pythonVersion", .property = "spark.kubernetes.pyspark.pythonVersion" },
	{ .field = "memoryOverheadFactor", .property = "spark.kubernetes.memoryOverheadFactor" },
	{ .field = "sparkConf", .read = read_spark_conf },
	{ .field = "hadoopConf", .property = "spark.hadoop." },
	{ .field = "volumes", .read = read_volumes },
	{ .field = "driver", .read = read_driver },
	{ .field = "executor", .read = read_executor },
	{ .field = "nodeSelector", .read = read_node_selector },
	{ .field = "dynamicAllocation", .read = read_dynamic_allocation },
	{ .field = "deps", .read = read_deps },
	{ .field = "hadoopConfigMap", .read = read_hadoop_config_map },
	{ .field = "sparkConfigMap", .read = read_spark_config_map },
	{ .field = "monitoring", .read = application_read_monitoring },
	{ .field = "batchScheduler", .read = application_read_scheduler },
	{ .field = "batchSchedulerOptions", .read = application_read_scheduler_options },
	{ .field = "restartPolicy", .read = read_restart_policy },
	{ .field = "failureRetries", .ignored = NO_RETRIES },
	{ .field = "retryInterval", .ignored = NO_RETRIES },
	{ .field = "timeToLiveSeconds",
	  .ignored = "nothing deletes the driver pod; 'kubectl delete pod' takes all with it" },
	{ .field = "sparkUIOptions",
	  .ignored = "no Service or Ingress is made for the Spark UI; 'kubectl port-forward' shows "
	             "it" },
	{ .field = "driverIngressOptions",
	  .ignored = "no Service or Ingress is made for the driver's ports" },
	{ .field = "driverPodDisruptionBudget",
	  .ignored = "no PodDisruptionBudget is made, as in an operator without "
	             "--enable-driver-pdb" },
	{ .field = NULL },
};

void application_read_spec(struct application_loader *loader)
{
	const struct application_part part = { .loader = loader,
		                               .path = "spec",
		                               .value = loader->spec };

	loader->volumes = json_object();
	loader->driver.overlay = json_object();
	application_pod_begin(&loader->driver, json_object_get(loader->spec, "driver"));
	application_pod_begin(&loader->executor, json_object_get(loader->spec, "executor"));
	application_apply(&part, spec_rules);
	read_main_class(&part);
	application_pods_end(loader);
}
