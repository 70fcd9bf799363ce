/* SPDX-License-Identifier: Apache-2.0 */
/* From spark-submit's options, its files of properties and its environment to a spark_app. */
#include "submit/spark_arguments.h"

#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/jar_manifest.h"
#include "submit/spark_arguments_check.h"
#include "submit/spark_properties_file.h"
#include "submit/spark_uri.h"

#define INTERNAL "spark-internal"

static const char *option(const struct spark_arguments *arguments, const char *name)
{
	return json_string_value(json_object_get(arguments->options, name));
}

/* An empty variable counts as none. */
static const char *variable(const struct spark_arguments *arguments, const char *name)
{
	const char *value = arguments->environment ? arguments->environment(name) : getenv(name);

	return value && *value ? value : NULL;
}

static void warn(json_t *warnings, char *text)
{
	json_array_append_new(warnings, json_string(text));
	free(text);
}

/* ---- where properties come from ---- */

/* $SPARK_CONF_DIR, else $SPARK_HOME/conf, where it is a folder; owned by the caller, or NULL. */
static char *conf_folder(const struct spark_arguments *arguments)
{
	const char *chosen = variable(arguments, "SPARK_CONF_DIR");
	const char *home = variable(arguments, "SPARK_HOME");
	scoped(text) char *folder = NULL;

	if (chosen)
		folder = xstrdup(chosen);
	else if (home)
		folder = file_join(home, "conf");
	return folder && file_exists(folder) ? take(folder) : NULL;
}

static bool read_defaults(const struct spark_arguments *arguments, struct spark_conf *conf,
                          struct error **err)
{
	bool is_wanted =
		!option(arguments, "properties-file") || option(arguments, "load-spark-defaults");
	scoped(text) char *folder = is_wanted ? conf_folder(arguments) : NULL;
	scoped(text) char *path = folder ? file_join(folder, "spark-defaults.conf") : NULL;

	return !path || !file_exists(path) || spark_properties_file_read(path, conf, err);
}

/* One file, or the several of a repeated option. */
static bool read_files(const json_t *paths, struct spark_conf *conf, struct error **err)
{
	const json_t *path;
	size_t i;

	if (json_is_string(paths))
		return spark_properties_file_read(json_string_value(paths), conf, err);
	json_array_foreach (paths, i, path)
		if (!spark_properties_file_read(json_string_value(path), conf, err))
			return false;
	return true;
}

/* SparkSubmitUtils.parseSparkConfProperty */
static bool set_conf(struct spark_conf *conf, const char *text, struct error **err)
{
	const char *equals = strchr(text, '=');
	scoped(text) char *key = equals ? xstrndup(text, (size_t)(equals - text)) : NULL;

	if (!key)
		return error_set(err, ERROR_USAGE, "--conf is property=value, not '%s'", text);
	spark_conf_set(conf, key, equals + 1);
	return true;
}

/* SparkSubmitArguments.ignoreNonSparkProperties */
static void drop_foreign_properties(struct spark_conf *conf, json_t *warnings)
{
	scoped(spark_conf) struct spark_conf *all = spark_conf_new();
	struct spark_conf_entry *entries;
	size_t count, i;

	spark_conf_merge(all, conf);
	entries = spark_conf_entries(all, &count);
	for (i = 0; i < count; i++) {
		if (text_starts_with(entries[i].key, "spark."))
			continue;
		warn(warnings, text_printf("'%s' is ignored: it is no Spark property, which begin "
		                           "with 'spark.'",
		                           entries[i].key));
		spark_conf_set(conf, entries[i].key, NULL);
	}
	free(entries);
}

/* Those of least weight first. */
static bool read_properties(const struct spark_arguments *arguments, struct spark_conf *conf,
                            json_t *warnings, struct error **err)
{
	const json_t *options = arguments->options;
	size_t i;

	if (!read_defaults(arguments, conf, err) ||
	    !read_files(json_object_get(options, "properties-file"), conf, err) ||
	    !read_files(json_object_get(options, "extra-properties-file"), conf, err))
		return false;
	for (i = 0; i < arguments->conf_count; i++)
		if (!set_conf(conf, arguments->conf[i], err))
			return false;
	drop_foreign_properties(conf, warnings);
	return true;
}

static void apply_options(const struct spark_arguments *arguments, struct spark_conf *conf)
{
	const struct spark_argument_option *known;

	for (known = spark_argument_options(); known->name; known++) {
		const char *value = option(arguments, known->name);

		if (known->property && value)
			spark_conf_set(conf, known->property, value);
	}
}

/* SparkSubmitArguments.loadEnvironmentArguments */
static void apply_fallbacks(const struct spark_arguments *arguments, struct spark_conf *conf)
{
	static const struct {
		const char *property, *variable;
	} variables[] = {
		{ "spark.master", "MASTER" },
		{ "spark.submit.deployMode", "DEPLOY_MODE" },
		{ "spark.driver.memory", "SPARK_DRIVER_MEMORY" },
		{ "spark.executor.memory", "SPARK_EXECUTOR_MEMORY" },
		{ "spark.executor.cores", "SPARK_EXECUTOR_CORES" },
	};
	static const char *const kerberos[] = { "keytab", "principal" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(variables); i++)
		spark_conf_set_default(conf, variables[i].property,
		                       variable(arguments, variables[i].variable));
	for (i = 0; i < ARRAY_SIZE(kerberos); i++) {
		scoped(text) char *key = text_printf("spark.kerberos.%s", kerberos[i]);
		scoped(text) char *old = text_printf("spark.yarn.%s", kerberos[i]);

		spark_conf_set_default(conf, key, spark_conf_get(conf, old));
	}
}

/* ---- what they mean ---- */

/* Utils.checkAndGetK8sMasterUrl */
static bool take_master(struct spark_app *app, json_t *warnings, struct error **err)
{
	const char *master = spark_conf_get(app->conf, "spark.master");
	const char *url = master ? master + strlen("k8s://") : NULL;

	if (master && !text_starts_with(master, "k8s://"))
		return error_set(err, ERROR_INVALID,
		                 "the master '%s' is no Kubernetes API server; write it as "
		                 "k8s://https://host:port, or leave it out for the kubeconfig's",
		                 master);
	if (url && strstr(url, "://") && !text_starts_with(url, "https://") &&
	    !text_starts_with(url, "http://"))
		return error_set(err, ERROR_INVALID,
		                 "the master '%s' must be reached by https or http", master);
	if (url && text_starts_with(url, "http://"))
		warn(warnings, text_printf("the master '%s' is reached by http, which anybody on "
		                           "the way can read",
		                           master));
	if (url && *url)
		app->master = strstr(url, "://") ? xstrdup(url) : text_printf("https://%s", url);
	spark_conf_set(app->conf, "spark.master", NULL);
	return true;
}

static enum spark_resource resource_kind(const char *resource)
{
	if (text_ends_with(resource, ".py"))
		return SPARK_RESOURCE_PYTHON;
	if (text_ends_with(resource, ".R") || text_ends_with(resource, ".r"))
		return SPARK_RESOURCE_R;
	return SPARK_RESOURCE_JAVA;
}

static void take_resource(const struct spark_arguments *arguments, struct spark_app *app)
{
	app->resource = resource_kind(arguments->resource);
	app->main_resource = text_equal(arguments->resource, INTERNAL)
	                             ? xstrdup(INTERNAL)
	                             : spark_uri_resolve(arguments->resource);
	app->args = arguments->args ? json_deep_copy(arguments->args) : json_array();
}

/* SparkSubmit.prepareSubmitEnvironment: a jar may say which of its classes is the main one. */
static bool find_main_class(const char *resource, char **main_class, struct error **err)
{
	scoped(text) char *path = spark_uri_path(resource);

	if (!spark_uri_is_local(resource) || text_equal(resource, INTERNAL))
		return error_set(
			err, ERROR_USAGE,
			"the main class of '%s' is not known, for only jars on this machine "
			"are opened; name it with --class",
			resource);
	if (!jar_manifest_main_class(path, main_class, err))
		return error_wrap(err, "find the main class; or name it with --class");
	return *main_class ||
	       error_set(err, ERROR_INVALID,
	                 "the manifest of '%s' has no Main-Class; name it with --class", path);
}

static bool take_main_class(const struct spark_arguments *arguments, struct spark_app *app,
                            struct error **err)
{
	const char *chosen = option(arguments, "class");

	if (app->resource != SPARK_RESOURCE_JAVA)
		return true;
	if (!chosen)
		return find_main_class(app->main_resource, &app->main_class, err);
	app->main_class = xstrdup(chosen);
	return true;
}

/* As Spark has it, before the main class is looked for in a jar; --class counts for Python, too. */
static void take_name(const struct spark_arguments *arguments, struct spark_app *app)
{
	const char *chosen = spark_conf_get(app->conf, "spark.app.name");
	const char *main_class = option(arguments, "class");
	const char *slash = strrchr(app->main_resource, '/');

	if (chosen)
		app->name = xstrdup(chosen);
	else if (main_class)
		app->name = xstrdup(main_class);
	else
		app->name = xstrdup(slash ? slash + 1 : app->main_resource);
	spark_conf_set(app->conf, "spark.app.name", app->name);
}

static bool expand_lists(struct spark_conf *conf, struct error **err)
{
	static const char *const lists[] = { "spark.jars", "spark.files", "spark.archives",
		                             "spark.submit.pyFiles" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lists); i++) {
		const char *list = spark_conf_get(conf, lists[i]);
		json_auto_t *uris = list ? spark_uri_expand(list, err) : NULL;
		scoped(text) char *expanded = uris ? spark_uri_join(uris) : NULL;

		if (list && !uris)
			return error_wrap(err, "%s", lists[i]);
		spark_conf_set(conf, lists[i], expanded);
	}
	return true;
}

/* ---- this machine ---- */

static char *variable_copy(const struct spark_arguments *arguments, const char *name)
{
	return text_copy(variable(arguments, name));
}

static void take_client(const struct spark_arguments *arguments, struct spark_app *app,
                        json_t *warnings)
{
	struct spark_client *client = &app->client;
	scoped(text) char *script = NULL;

	client->conf_dir = conf_folder(arguments);
	client->hadoop_conf_dir = variable_copy(arguments, "HADOOP_CONF_DIR");
	client->local_dirs = variable_copy(arguments, "SPARK_LOCAL_DIRS");
	client->pyspark_python = variable_copy(arguments, "PYSPARK_PYTHON");
	client->pyspark_driver_python = variable_copy(arguments, "PYSPARK_DRIVER_PYTHON");
	script = client->conf_dir ? file_join(client->conf_dir, "spark-env.sh") : NULL;
	if (script && file_exists(script))
		warn(warnings,
		     text_printf("'%s' is not run: set the variables that it sets before", script));
}

/* Utils.getCurrentUserName, as far as variables say; else spark_app_complete() takes the proxy user
 * or the account's name. */
static void take_user(const struct spark_arguments *arguments, struct spark_app *app)
{
	app->proxy_user = text_copy(option(arguments, "proxy-user"));
	app->user = variable_copy(arguments, "SPARK_USER");
	if (!app->user && !app->proxy_user)
		app->user = variable_copy(arguments, "HADOOP_USER_NAME");
}

/* ---- all together ---- */

/* Properties and master. */
static bool resolve_settings(const struct spark_arguments *arguments, struct spark_app *app,
                             json_t *warnings, struct error **err)
{
	app->conf = spark_conf_new();
	if (!read_properties(arguments, app->conf, warnings, err))
		return false;
	apply_options(arguments, app->conf);
	apply_fallbacks(arguments, app->conf);
	return take_master(app, warnings, err);
}

static bool resolve(const struct spark_arguments *arguments, struct spark_app *app,
                    json_t *warnings, struct error **err)
{
	if (!resolve_settings(arguments, app, warnings, err) ||
	    !spark_arguments_check(arguments, app->conf, err))
		return false;
	take_resource(arguments, app);
	take_name(arguments, app);
	if (!take_main_class(arguments, app, err) || !expand_lists(app->conf, err))
		return false;
	/* The driver's address is its pod's: SparkSubmit drops what was set. */
	spark_conf_set(app->conf, "spark.driver.host", NULL);
	take_client(arguments, app, warnings);
	take_user(arguments, app);
	app->spark_version = text_copy(arguments->spark_version);
	app->submission_id = text_copy(arguments->submission_id);
	return true;
}

static bool resolve_by(bool (*how)(const struct spark_arguments *arguments, struct spark_app *app,
                                   json_t *warnings, struct error **err),
                       const struct spark_arguments *arguments, struct spark_app *app,
                       json_t *warnings, struct error **err)
{
	struct spark_app found = { 0 };

	if (!how(arguments, &found, warnings, err)) {
		spark_app_release(&found);
		return false;
	}
	*app = found;
	return true;
}

bool spark_arguments_resolve(const struct spark_arguments *arguments, struct spark_app *app,
                             json_t *warnings, struct error **err)
{
	return resolve_by(resolve, arguments, app, warnings, err);
}

bool spark_arguments_resolve_settings(const struct spark_arguments *arguments,
                                      struct spark_app *app, json_t *warnings, struct error **err)
{
	return resolve_by(resolve_settings, arguments, app, warnings, err);
}
