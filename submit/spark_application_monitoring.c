/* SPDX-License-Identifier: Apache-2.0 */
/* spec.monitoring.prometheus: the JMX exporter as an agent of both JVMs, its configuration in a
 * ConfigMap, and the annotations by which Prometheus finds the pods. */
#include "core/memory.h"
#include "core/text.h"
#include "submit/spark_application_load.h"

#define FOLDER "/etc/metrics/conf"
#define METRICS_FILE "metrics.properties"
#define EXPORTER_FILE "prometheus.yaml"
#define DEFAULT_PORT 8090

/* Spark's metrics as MBeans, and those of its JVMs. */
static const char default_metrics[] =
	"*.sink.jmx.class=org.apache.spark.metrics.sink.JmxSink\n"
	"*.source.jvm.class=org.apache.spark.metrics.source.JvmSource\n";

/*
 * An MBean of Spark is metrics:name=<namespace>.<application>.<instance>.<metric>, where the first
 * two are spark.metrics.namespace and the instance is "driver" or an executor's number.
 */
static char *default_exporter(void)
{
	static const struct {
		const char *pattern, *name, *label;
	} instances[] = {
		{ "driver\\.(\\S+)", "spark_driver_$3", "" },
		{ "([0-9]+)\\.(\\S+)", "spark_executor_$4", ", executor_id: \"$3\"" },
	};
	static const struct {
		const char *name, *suffix, *type;
	} attributes[] = { { "Value", "", "GAUGE" }, { "Count", "_count", "COUNTER" } };
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	size_t i, n;

	fputs("lowercaseOutputName: true\nattrNameSnakeCase: true\nrules:\n", out);
	for (i = 0; i < ARRAY_SIZE(instances); i++)
		for (n = 0; n < ARRAY_SIZE(attributes); n++)
			fprintf(out,
			        "- pattern: 'metrics<name=(\\S+?)\\.(\\S+?)\\.%s><>%s'\n"
			        "  name: %s%s\n"
			        "  type: %s\n"
			        "  labels: {app_namespace: \"$1\", app_id: \"$2\"%s}\n",
			        instances[i].pattern, attributes[n].name, instances[i].name,
			        attributes[n].suffix, attributes[n].type, instances[i].label);
	return text_stream_take(&stream);
}

struct exporter {
	const struct application_part *part; /* the spec */
	const json_t *monitoring, *prometheus;
	char *config_map; /* owned */
	json_int_t port;
	char *agent; /* option of a JVM; owned */
};

static const char *text_or(const json_t *object, const char *key, const char *fallback)
{
	const char *text = application_text(object, key);

	return text ? text : fallback;
}

static char *agent_option(const struct exporter *exporter)
{
	return text_printf("-javaagent:%s=%" JSON_INTEGER_FORMAT ":%s",
	                   application_text(exporter->prometheus, "jmxExporterJar"), exporter->port,
	                   text_or(exporter->prometheus, "configFile", FOLDER "/" EXPORTER_FILE));
}

/* What lies in the image already is not made. */
static json_t *config_data(const struct exporter *exporter)
{
	scoped(text) char *fallback = default_exporter();
	json_t *data = json_object();

	if (!application_text(exporter->monitoring, "metricsPropertiesFile"))
		json_object_set_new(data, METRICS_FILE,
		                    json_string(text_or(exporter->monitoring, "metricsProperties",
		                                        default_metrics)));
	if (!application_text(exporter->prometheus, "configFile"))
		json_object_set_new(
			data, EXPORTER_FILE,
			json_string(text_or(exporter->prometheus, "configuration", fallback)));
	return data;
}

/* True when there is one: both files may be in the image. */
static bool add_config_map(const struct exporter *exporter)
{
	struct spark_app *app = exporter->part->loader->app;
	json_auto_t *data = config_data(exporter);

	if (!json_object_size(data))
		return false;
	if (!app->extra_objects)
		app->extra_objects = json_array();
	json_array_append_new(app->extra_objects,
	                      json_pack("{s:s, s:s, s:{s:s}, s:O}", "apiVersion", "v1", "kind",
	                                "ConfigMap", "metadata", "name", exporter->config_map,
	                                "data", data));
	return true;
}

static void set_metrics_properties(const struct exporter *exporter)
{
	const struct spark_app *app = exporter->part->loader->app;
	scoped(text) char *namespace =
		text_printf("%s.%s",
	                    text_or(json_object_get(exporter->part->loader->object, "metadata"),
	                            "namespace", "default"),
	                    app->name);

	application_set(exporter->part, "spark.metrics.namespace", "", namespace);
	application_set(
		exporter->part, "spark.metrics.conf", "",
		text_or(exporter->monitoring, "metricsPropertiesFile", FOLDER "/" METRICS_FILE));
}

/* The options that are there stay in front of the agent. */
static void add_agent(const struct application_part *part, const char *agent)
{
	scoped(text) char *property = application_property(part, "spark.*.extraJavaOptions", "");
	const char *options = spark_conf_get(part->loader->app->conf, property);
	scoped(text) char *both =
		text_printf("%s%s%s", options ? options : "", options ? " " : "", agent);

	application_set(part, property, "", both);
}

static void add_port(const struct exporter *exporter, struct application_pod *pod)
{
	application_append(pod->container, "ports",
	                   json_pack("{s:s, s:I, s:s}", "name",
	                             text_or(exporter->prometheus, "portName", "jmx-exporter"),
	                             "containerPort", exporter->port, "protocol", "TCP"));
}

static void expose(const struct exporter *exporter, struct application_pod *pod, bool has_config)
{
	const struct application_part part = {
		.loader = exporter->part->loader, .path = pod->path, .value = pod->value, .pod = pod
	};
	scoped(text) char *port = text_printf("%" JSON_INTEGER_FORMAT, exporter->port);
	scoped(text) char *volume = application_config_map_volume(exporter->config_map);

	application_set(&part, "spark.kubernetes.*.annotation.", "prometheus.io/scrape", "true");
	application_set(&part, "spark.kubernetes.*.annotation.", "prometheus.io/port", port);
	application_set(&part, "spark.kubernetes.*.annotation.", "prometheus.io/path", "/metrics");
	add_agent(&part, exporter->agent);
	if (!has_config)
		return;
	application_mount_config_map(pod, exporter->config_map, volume, FOLDER);
	if (pod->overlay) /* Spark writes the executors' list of ports itself */
		add_port(exporter, pod);
}

static void read_exporter(const struct exporter *exporter)
{
	struct application_loader *loader = exporter->part->loader;
	bool has_config = add_config_map(exporter);

	set_metrics_properties(exporter);
	if (json_is_true(json_object_get(exporter->monitoring, "exposeDriverMetrics")))
		expose(exporter, &loader->driver, has_config);
	if (json_is_true(json_object_get(exporter->monitoring, "exposeExecutorMetrics")))
		expose(exporter, &loader->executor, has_config);
}

void application_read_monitoring(const struct application_part *part, const char *field,
                                 const json_t *monitoring)
{
	struct exporter exporter = { .part = part,
		                     .monitoring = monitoring,
		                     .prometheus = json_object_get(monitoring, "prometheus") };
	const json_t *port = json_object_get(exporter.prometheus, "port");

	if (!exporter.prometheus) {
		application_warn(part, field,
		                 "only 'prometheus' in it makes anything, here as in the operator");
		return;
	}
	exporter.config_map = text_printf("%s-prom-conf", part->loader->app->name);
	exporter.port = port ? json_integer_value(port) : DEFAULT_PORT;
	exporter.agent = agent_option(&exporter);
	read_exporter(&exporter);
	free(exporter.config_map);
	free(exporter.agent);
}
