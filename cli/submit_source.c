/* SPDX-License-Identifier: Apache-2.0 */
/* Applications from spark-submit's arguments, or from SparkApplication manifests. */
#include "cli/submit_source.h"

#include <assert.h>
#include <string.h>

#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_sensitive.h"
#include "submit/spark_application.h"
#include "submit/spark_arguments.h"
#include "submit/spark_release.h"

#define MAX_OPTIONS 64

struct submit_source {
	const struct arguments *arguments;
	struct spark_application_file *file; /* NULL: the arguments are the application */
	char *random_id;                     /* of an application that was given none */
	char *server, *namespace;            /* of the cluster, once it is known */
	bool *is_told;                       /* whose warnings were shown */
	size_t count;
};

const struct command_option *submit_source_options(void)
{
	static struct command_option options[MAX_OPTIONS];
	const struct spark_argument_option *known = spark_argument_options();
	size_t i;

	if (options[0].name)
		return options;
	for (i = 0; known[i].name; i++) {
		assert(i < MAX_OPTIONS - 1);
		options[i] = (struct command_option){
			.name = known[i].name,
			.letter = known[i].letter,
			.value = known[i].is_switch       ? VALUE_NONE
			         : known[i].is_repeatable ? VALUE_MANY
			                                  : VALUE_ONE,
			.placeholder = known[i].placeholder,
			.help = known[i].help,
		};
	}
	return options;
}

const char *submit_source_refusal(const char *option)
{
	return spark_argument_refusal(option);
}

bool submit_source_is_secret(const struct command_option *option, const char *pair)
{
	scoped(spark_conf) struct spark_conf *none = spark_conf_new();
	scoped(driver_sensitive) struct driver_sensitive *sensitive = NULL;
	const char *equals = strchr(pair, '=');
	scoped(text) char *key = xstrndup(pair, (size_t)(equals - pair));

	if (!text_equal(option->name, "conf"))
		return false;
	sensitive = driver_sensitive_new(none);
	return driver_sensitive_is_property(sensitive, key, equals + 1);
}

/* What was typed of spark-submit's options but --conf. */
static void typed_options(const struct arguments *arguments, json_t *typed)
{
	const struct command_option *option = submit_source_options();

	for (; option->name; option++) {
		const char *const *values;
		size_t count = argument_many(arguments, option->name, &values), i;
		json_auto_t *many = json_array();

		for (i = 0; i < count; i++)
			json_array_append_new(many, json_string(values[i]));
		if (!argument_switch(arguments, option->name) || text_equal(option->name, "conf"))
			continue;
		if (option->value == VALUE_MANY)
			json_object_set(typed, option->name, many);
		else
			json_object_set_new(typed, option->name,
			                    json_string(count ? values[count - 1] : ""));
	}
}

static struct submit_source *open_file(struct submit_source *source, const char *path,
                                       struct error **err)
{
	source->file = spark_application_file_read(path, err);
	if (!source->file) {
		submit_source_free(source);
		return NULL;
	}
	source->count = spark_application_count(source->file);
	source->is_told = xcalloc(source->count, sizeof(*source->is_told));
	return source;
}

struct submit_source *submit_source_open(const struct arguments *arguments, struct error **err)
{
	struct submit_source *source = xcalloc(1, sizeof(*source));
	const char *path = argument_option(arguments, "filename");

	source->arguments = arguments;
	if (path)
		return open_file(source, path, err);
	source->count = 1;
	source->is_told = xcalloc(1, sizeof(*source->is_told));
	source->random_id = digest_random_hex(32);
	return source;
}

void submit_source_free(struct submit_source *source)
{
	if (!source)
		return;
	spark_application_file_free(source->file);
	free(source->random_id);
	free(source->server);
	free(source->namespace);
	free(source->is_told);
	free(source);
}

void submit_source_set_cluster(struct submit_source *source, const struct kube_config *config)
{
	free(source->server);
	free(source->namespace);
	source->server = xstrdup(config->server);
	source->namespace = xstrdup(config->namespace);
}

size_t submit_source_count(const struct submit_source *source)
{
	return source->count;
}

/* `options` and `program` are filled, and borrowed by the result. */
static bool type_arguments(const struct arguments *typed, json_t *options, json_t *program,
                           struct spark_arguments *arguments, struct error **err)
{
	size_t i;

	typed_options(typed, options);
	for (i = 1; i < argument_count(typed); i++)
		if (json_array_append_new(program, json_string(argument_at(typed, i))))
			return error_set(err, ERROR_USAGE,
			                 "argument %zu of the application is not UTF-8", i);
	*arguments = (struct spark_arguments){
		.options = options,
		.resource = argument_at(typed, 0),
		.args = program,
		.spark_version = argument_option(typed, "spark-version"),
	};
	arguments->conf_count = argument_many(typed, "conf", &arguments->conf);
	return true;
}

static bool read_arguments(struct submit_source *source, struct spark_app *app, json_t *warnings,
                           struct error **err)
{
	const char *id = argument_option(source->arguments, "submission-id");
	json_auto_t *options = json_object();
	json_auto_t *program = json_array();
	struct spark_arguments arguments;

	if (!type_arguments(source->arguments, options, program, &arguments, err))
		return false;
	arguments.submission_id = id ? id : source->random_id;
	return spark_arguments_resolve(&arguments, app, warnings, err);
}

/* --conf and --spark-version hold for every application of a file. */
static bool override_file(struct submit_source *source, struct spark_app *app, struct error **err)
{
	const char *version = argument_option(source->arguments, "spark-version");
	const char *const *conf;
	size_t count = argument_many(source->arguments, "conf", &conf), i;

	for (i = 0; i < count; i++) {
		const char *equals = strchr(conf[i], '=');
		scoped(text) char *key =
			equals ? xstrndup(conf[i], (size_t)(equals - conf[i])) : NULL;

		if (!equals)
			return error_set(err, ERROR_USAGE, "--conf is key=value; not '%s'",
			                 conf[i]);
		spark_conf_set(app->conf, key, equals + 1);
	}
	if (version) {
		free(app->spark_version);
		app->spark_version = xstrdup(version);
	}
	return true;
}

void submit_source_warn(const struct submit_source *source, const json_t *warnings)
{
	const json_t *warning;
	size_t i;

	if (argument_switch(source->arguments, "quiet"))
		return;
	json_array_foreach (warnings, i, warning)
		fprintf(stderr, "stepop: warning: %s\n", json_string_value(warning));
}

static bool set_version(struct spark_app *app, struct error **err)
{
	scoped(text) char *version = NULL;

	if (!app->spark_version)
		return true;
	version = spark_release_complete(app->spark_version, err);
	if (!version)
		return false;
	free(app->spark_version);
	app->spark_version = take(version);
	return true;
}

/* -n wins over all that says where. */
static void set_place(struct submit_source *source, struct spark_app *app)
{
	const char *namespace = argument_option(source->arguments, "namespace");
	bool is_open = !app->namespace && !spark_conf_get(app->conf, "spark.kubernetes.namespace");

	if (!namespace && source->file && is_open)
	namespace = source->namespace;
	if (namespace) {
		free(app->namespace);
		app->namespace = xstrdup(namespace);
		spark_conf_set(app->conf, "spark.kubernetes.namespace", namespace);
	}
	if (!app->master)
		app->master = text_copy(source->server);
}

/* Names and labels, and what else was typed. */
static bool complete(struct submit_source *source, struct spark_app *app, struct error **err)
{
	const char *security = argument_option(source->arguments, "pod-security");

	set_place(source, app);
	if (!set_version(app, err) ||
	    (security && !pod_security_parse(security, &app->pod_security, err)))
		return false;
	spark_app_complete(app);
	if (!app->labels)
		app->labels = json_object();
	json_object_set_new(app->labels, "app.kubernetes.io/managed-by", json_string("stepop"));
	json_object_set_new(app->labels, "stepop.dev/submission", json_string(app->unique_id));
	return true;
}

bool submit_source_app(struct submit_source *source, size_t index, struct spark_app *app,
                       struct error **err)
{
	json_auto_t *warnings = json_array();
	bool is_read;

	assert(index < source->count);
	*app = (struct spark_app){ 0 };
	if (source->file)
		is_read = spark_application_read(source->file, index, app, warnings, err) &&
		          override_file(source, app, err);
	else
		is_read = read_arguments(source, app, warnings, err);
	if (!source->is_told[index])
		submit_source_warn(source, warnings);
	source->is_told[index] = true;
	return is_read && complete(source, app, err);
}

bool submit_source_settings(const struct arguments *arguments, struct spark_app *app,
                            struct error **err)
{
	json_auto_t *options = json_object();
	json_auto_t *program = json_array();
	json_auto_t *warnings = json_array();
	struct spark_arguments typed;
	const char *namespace = argument_option(arguments, "namespace");

	*app = (struct spark_app){ 0 };
	if (!type_arguments(arguments, options, program, &typed, err) ||
	    !spark_arguments_resolve_settings(&typed, app, warnings, err))
		return false;
	if (namespace)
		spark_conf_set(app->conf, "spark.kubernetes.namespace", namespace);
	return true;
}
