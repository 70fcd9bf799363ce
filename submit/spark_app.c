/* SPDX-License-Identifier: Apache-2.0 */
/* Identity and names of a Spark application, by the rules of Spark's KubernetesConf. */
#include "submit/spark_app.h"

#include <assert.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_object.h"
#include "submit/spark_release.h"

#define DEFAULT_VERSION "3.5.9"
#define PREFIX_LIMIT 52 /* 63 - strlen("-driver-svc") */
#define SERVICE_LIMIT 63
#define NAME_LABEL_LIMIT 63
#define RUN_DIGITS 8
#define HASH_DIGITS 8

void spark_files_free(struct spark_files *files)
{
	if (!files)
		return;
	free(files->mount_path);
	json_decref(files->contents);
	json_decref(files->binaries);
	free(files);
}

void spark_app_release(struct spark_app *app)
{
	char *const texts[] = { app->name,
		                app->resource_prefix,
		                app->app_id,
		                app->unique_id,
		                app->namespace,
		                app->master,
		                app->submission_id,
		                app->user,
		                app->proxy_user,
		                app->spark_version,
		                app->main_class,
		                app->main_resource,
		                app->client.conf_dir,
		                app->client.hadoop_conf_dir,
		                app->client.local_dirs,
		                app->client.pyspark_python,
		                app->client.pyspark_driver_python };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(texts); i++)
		free(texts[i]);
	json_decref(app->args);
	json_decref(app->driver_template);
	json_decref(app->executor_template);
	json_decref(app->driver_overlay);
	json_decref(app->extra_objects);
	spark_conf_free(app->conf);
	json_decref(app->labels);
	json_decref(app->annotations);
	spark_files_free(app->files);
	json_decref(app->secrets);
	*app = (struct spark_app){ 0 };
}

void spark_app_add_secret_env(struct spark_app *app, const char *variable, const char *value)
{
	scoped(text) char *name = text_printf("%s-credentials", app->resource_prefix);
	json_t *data;

	assert(app->resource_prefix);
	if (!app->secrets)
		app->secrets = json_object();
	data = json_object_get(app->secrets, name);
	if (!data) {
		data = json_object();
		json_object_set_new(app->secrets, name, data);
	}
	json_object_set_new(data, variable, json_string(value));
}

/* Lower case; every run of what is not [a-z0-9-], and of '-', becomes one '-'; none in front. */
static char *dashed(const char *text)
{
	char *result = xcalloc(strlen(text) + 1, 1), *out = result;

	for (; *text; text++) {
		char c = *text;

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			*out++ = c;
		else if (out == result || out[-1] != '-')
			*out++ = '-';
	}
	return result;
}

/* Java's trim(), then dashed(). */
static char *dashed_and_trimmed(const char *text)
{
	size_t size = strlen(text);
	scoped(text) char *trimmed = NULL;

	while (size && (unsigned char)text[size - 1] <= ' ')
		size--;
	for (; size && (unsigned char)*text <= ' '; size--)
		text++;
	trimmed = xstrndup(text, size);
	return dashed(trimmed);
}

/* KubernetesConf.getResourceNamePrefix: the digit in front is lost, and nothing is cut. */
static char *prefix_of_name(const char *name, const char *unique_id)
{
	scoped(text) char *whole = text_printf("%s-%s", name, unique_id);
	scoped(text) char *clean = dashed_and_trimmed(whole);
	char *prefix = xstrdup(clean[0] == '-' ? clean + 1 : clean);

	if (prefix[0] >= '0' && prefix[0] <= '9')
		prefix[0] = 'x';
	return prefix;
}

/* KubernetesConf.getAppNameLabel: cut first, then one '-' off either end. */
char *spark_app_name_label(const char *name)
{
	scoped(text) char *clean = dashed_and_trimmed(name);
	const char *start = clean;
	size_t size = strlen(clean);

	if (size > NAME_LABEL_LIMIT)
		size = NAME_LABEL_LIMIT;
	if (size && start[0] == '-') {
		start++;
		size--;
	}
	if (size && start[size - 1] == '-')
		size--;
	return xstrndup(start, size);
}

/* Utils.getCurrentUserName; whoever has a proxy user is that user. */
static char *user_name(const char *proxy_user)
{
	const char *chosen = getenv("SPARK_USER");
	const struct passwd *account;

	if ((chosen && *chosen) || proxy_user)
		return xstrdup(chosen && *chosen ? chosen : proxy_user);
	account = getpwuid(geteuid());
	return account ? xstrdup(account->pw_name) : text_printf("%u", (unsigned)geteuid());
}

/* 64 hex digits from which the ids are taken. */
static char *identity_digits(const struct spark_app *app)
{
	const char *run = json_string_value(json_object_get(app->labels, "stepop.dev/run"));
	const char *name = app->resource_prefix ? app->resource_prefix : app->submission_id;
	scoped(text) char *whole = NULL;

	if (!name)
		return digest_random_hex(64);
	whole = text_printf("%s/%s/%s", app->namespace, name, run ? run : "");
	return digest_bytes(whole, strlen(whole));
}

/* Of the image, if its name tells. What no release is called stays, for the builder to refuse. */
static void complete_version(struct spark_app *app)
{
	const char *own = spark_conf_get(app->conf, "spark.kubernetes.driver.container.image");
	const char *image =
		own ? own : spark_conf_get(app->conf, "spark.kubernetes.container.image");
	char *complete;

	if (!app->spark_version && image)
		app->spark_version = spark_release_of_image(image);
	if (!app->spark_version)
		app->spark_version = xstrdup(DEFAULT_VERSION);
	complete = spark_release_complete(app->spark_version, NULL);
	if (complete) {
		free(app->spark_version);
		app->spark_version = complete;
	}
}

void spark_app_complete(struct spark_app *app)
{
	const char *namespace = spark_conf_get(app->conf, "spark.kubernetes.namespace");
	scoped(text) char *digits = NULL;

	if (!app->namespace)
		app->namespace = xstrdup(namespace ? namespace : "default");
	digits = identity_digits(app);
	if (!app->app_id)
		app->app_id = text_printf("spark-%.32s", digits);
	if (!app->unique_id)
		app->unique_id = xstrndup(digits + 32, 16);
	if (!app->resource_prefix)
		app->resource_prefix = prefix_of_name(app->name, app->unique_id);
	if (!app->user)
		app->user = user_name(app->proxy_user);
	complete_version(app);
}

char *spark_app_driver_name(const struct spark_app *app)
{
	const char *chosen = spark_conf_get(app->conf, "spark.kubernetes.driver.pod.name");

	assert(chosen || app->resource_prefix);
	return chosen ? xstrdup(chosen) : text_printf("%s-driver", app->resource_prefix);
}

/* Spark takes a random id where the name is too long; ours follows from the prefix. */
char *spark_app_service_name(const struct spark_app *app)
{
	scoped(text) char *name = text_printf("%s-driver-svc", app->resource_prefix);
	scoped(text) char *digits = NULL;

	assert(app->resource_prefix);
	if (strlen(name) <= SERVICE_LIMIT)
		return take(name);
	digits = digest_bytes(app->resource_prefix, strlen(app->resource_prefix));
	return text_printf("spark-%.16s-driver-svc", digits);
}

char *spark_app_config_name(const struct spark_app *app)
{
	assert(app->unique_id);
	return text_printf("spark-drv-%s-conf-map", app->unique_id);
}

/* Whether '_' to '-' is all that cleaning changes. */
static bool is_plain(const char *text)
{
	size_t size = strlen(text), i;

	if (strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-") != size)
		return false;
	for (i = 0; i < size; i++)
		if (strchr("_-", text[i]) && (i == 0 || strchr("_-", text[i + 1])))
			return false;
	return size > 0;
}

/* A cleaned part of a name, without '-' at its ends, of at most `limit` characters. */
static char *name_part(const char *text, size_t limit)
{
	scoped(text) char *clean = dashed(text);
	const char *start = clean[0] == '-' ? clean + 1 : clean;
	size_t size = strlen(start);

	if (size > limit)
		size = limit;
	while (size && start[size - 1] == '-')
		size--;
	return size ? xstrndup(start, size) : xstrdup("x");
}

/* "<pipeline>-<run8>-<step>-<attempt>" with room for `reserved` more; pipeline and step share what
 * is left, the shorter one giving way last. */
static char *name_within(const char *pipeline, const char *run, const char *step, int attempt,
                         size_t reserved)
{
	scoped(text) char *number = text_printf("%d", attempt);
	scoped(text) char *run_part = name_part(run, RUN_DIGITS);
	size_t room = PREFIX_LIMIT - 3 - strlen(number) - strlen(run_part) - reserved;
	scoped(text) char *step_part = name_part(step, room - 1);
	size_t step_size = strlen(step_part);
	scoped(text) char *pipeline_part = NULL;

	pipeline_part = name_part(pipeline, step_size < room / 2 ? room - step_size : room / 2);
	step_size = room - strlen(pipeline_part);
	free(step_part);
	step_part = name_part(step, step_size);
	return text_printf("%s-%s-%s-%s", pipeline_part, run_part, step_part, number);
}

char *spark_app_resource_prefix(const char *pipeline, const char *run_id, const char *step,
                                int attempt)
{
	scoped(text) char *whole = text_printf("%s/%s/%s/%d", pipeline, run_id, step, attempt);
	scoped(text) char *digest = digest_bytes(whole, strlen(whole));
	scoped(text) char *run = xstrndup(run_id, RUN_DIGITS);
	scoped(text) char *full = text_printf("%s-%s-%s-%d", pipeline, run, step, attempt);
	/* A Service's name begins with a letter (RFC 1035). */
	bool is_digit = pipeline[0] >= '0' && pipeline[0] <= '9';
	scoped(text) char *named = text_printf("%s%s", is_digit ? "x" : "", pipeline);
	scoped(text) char *name = NULL;

	if (is_plain(full) && strlen(full) + is_digit <= PREFIX_LIMIT)
		return name_within(named, run, step, attempt, 0);
	name = name_within(named, run, step, attempt, HASH_DIGITS + 1);
	return text_printf("%s-%.*s", name, HASH_DIGITS, digest);
}
