/* SPDX-License-Identifier: Apache-2.0 */
/* What the driver runs (DriverCommandFeatureStep), and the properties that every submission sets.
 */
#include <inttypes.h>
#include <string.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_build.h"
#include "submit/driver_sensitive.h"
#include "submit/kube_object.h"
#include "submit/spark_release.h"

#define EXECUTOR_PREFIX_LIMIT 237

static const struct {
	const char *type, *main_class;
} resources[] = {
	[SPARK_RESOURCE_JAVA] = { "java", NULL },
	[SPARK_RESOURCE_PYTHON] = { "python", "org.apache.spark.deploy.PythonRunner" },
	[SPARK_RESOURCE_R] = { "r", "org.apache.spark.deploy.RRunner" },
};

static bool is_internal(const char *resource)
{
	return text_equal(resource, "spark-internal");
}

/* SparkSubmit appends the main jar to spark.jars, and writes the list of a JVM's application even
 * where it is empty. */
static void add_main_jar(struct driver_build *build)
{
	const char *jars = spark_conf_get(build->conf, "spark.jars");
	const char *main_jar =
		is_internal(build->app->main_resource) ? "" : build->app->main_resource;
	scoped(text) char *both = text_printf("%s%s%s", jars ? jars : "",
	                                      jars && *jars && *main_jar ? "," : "", main_jar);

	if (build->app->resource == SPARK_RESOURCE_JAVA)
		spark_conf_set(build->conf, "spark.jars", both);
}

/* Executors carry the driver's prefix in their names; Spark would make up another one. */
static void name_executors(struct driver_build *build)
{
	const char *prefix = build->app->resource_prefix;

	if (strlen(prefix) <= EXECUTOR_PREFIX_LIMIT && kube_object_is_subdomain(prefix))
		spark_conf_set_default(build->conf, "spark.kubernetes.executor.podNamePrefix",
		                       prefix);
}

bool driver_add_submit_properties(struct driver_build *build, struct error **err)
{
	const struct spark_app *app = build->app;
	const char *master = app->master ? app->master : "https://kubernetes.default.svc";
	scoped(text) char *url =
		text_printf("%s%s", text_starts_with(master, "k8s://") ? "" : "k8s://", master);
	scoped(text) char *time = text_printf("%" PRId64, clock_now_ms());

	(void)err;
	spark_conf_set(build->conf, "spark.app.id", app->app_id);
	spark_conf_set(build->conf, "spark.app.name", app->name);
	spark_conf_set(build->conf, "spark.master", url);
	spark_conf_set(build->conf, "spark.submit.deployMode", "cluster");
	spark_conf_set(build->conf, "spark.kubernetes.submitInDriver", "true");
	spark_conf_set(build->conf, "spark.kubernetes.driver.pod.name",
	               kube_object_name(build->pod));
	spark_conf_set(build->conf, "spark.kubernetes.resource.type",
	               resources[app->resource].type);
	spark_conf_set_default(build->conf, "spark.submit.pyFiles", "");
	spark_conf_set_default(build->conf, "spark.app.submitTime", time);
	if (!text_equal(app->namespace, "default"))
		spark_conf_set(build->conf, "spark.kubernetes.namespace", app->namespace);
	add_main_jar(build);
	name_executors(build);
	return true;
}

static bool check_main_class(const struct spark_app *app, struct error **err)
{
	return app->main_class || resources[app->resource].main_class ||
	       error_set(err, ERROR_INVALID, "the application '%s' needs its main class (class: …)",
	                 app->main_resource);
}

static void add_argument(struct driver_build *build, const char *text)
{
	driver_build_append(build->container, "args", json_string(text));
}

/* Kubernetes puts the variable's value in the place of $(…) when it starts the container. */
static void add_hidden_argument(struct driver_build *build, size_t number, const char *text)
{
	scoped(text) char *variable = text_printf("STEPOP_ARGUMENT_%zu", number);
	scoped(text) char *reference = text_printf("$(%s)", variable);
	scoped(text) char *key = text_printf("argument.%zu", number);
	scoped(text) char *secret = driver_build_hide(build, key, text);

	driver_build_add_secret_env(build, variable, secret, key);
	add_argument(build, reference);
}

static void add_application_arguments(struct driver_build *build)
{
	const char *previous = NULL;
	const json_t *argument;
	size_t i;

	json_array_foreach (build->app->args, i, argument) {
		const char *text = json_string_value(argument);

		if (driver_sensitive_is_argument(build->sensitive, previous, text))
			add_hidden_argument(build, i + 1, text);
		else
			add_argument(build, text);
		previous = text;
	}
}

static const char *first_set(const char *const *values, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (values[i])
			return values[i];
	return NULL;
}

/* Properties, and then the client's own variables; the driver's is that of all unless it is set. */
static void choose_python(struct driver_build *build)
{
	const struct spark_client *client = &build->app->client;
	const char *common = spark_conf_get(build->conf, "spark.pyspark.python");
	const char *own = spark_conf_get(build->conf, "spark.pyspark.driver.python");
	const char *const all[] = { common, client->pyspark_python };
	const char *const drivers[] = { own, common, client->pyspark_driver_python,
		                        client->pyspark_python };
	const char *python = first_set(all, ARRAY_SIZE(all));
	const char *driver_python = first_set(drivers, ARRAY_SIZE(drivers));

	if (python)
		driver_build_add_env(build, "PYSPARK_PYTHON", python);
	if (driver_python)
		driver_build_add_env(build, "PYSPARK_DRIVER_PYTHON", driver_python);
}

/* What is no 3 is an error as long as Spark looks; since 4.1 it does not. */
static bool check_python_version(const struct driver_build *build, struct error **err)
{
	const char *version = spark_conf_get(build->conf, "spark.kubernetes.pyspark.pythonVersion");

	if (!version || text_equal(version, "3") ||
	    spark_release_has(build->app->spark_version, SPARK_FORGETS_PYTHON_VERSION))
		return true;
	return error_set(err, ERROR_INVALID,
	                 "spark.kubernetes.pyspark.pythonVersion: '%s' is not 3, the only one that "
	                 "Spark %s knows",
	                 version, build->app->spark_version);
}

bool driver_add_command(struct driver_build *build, struct error **err)
{
	const struct spark_app *app = build->app;
	const char *main_class =
		app->main_class ? app->main_class : resources[app->resource].main_class;

	if (!check_main_class(app, err))
		return false;
	add_argument(build, "driver");
	if (app->proxy_user) {
		add_argument(build, "--proxy-user");
		add_argument(build, app->proxy_user);
	}
	add_argument(build, "--properties-file");
	add_argument(build, "/opt/spark/conf/spark.properties");
	add_argument(build, "--class");
	add_argument(build, main_class);
	add_argument(build, app->main_resource);
	add_application_arguments(build);
	if (app->resource != SPARK_RESOURCE_PYTHON)
		return true;
	choose_python(build);
	return check_python_version(build, err);
}
