/* SPDX-License-Identifier: Apache-2.0 */
/* What the flavors that run steps on this machine share. */
#include "operator/flavors/local_step.h"

#include <string.h>

#include "core/datadir.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/flavors/process.h"
#include "operator/flavors/spark_settings.h"
#include "operator/step_launch.h"
#include "stacks/secret.h"

#define ENVIRONMENT_PROVIDER "com.amazonaws.auth.EnvironmentVariableCredentialsProvider"

struct local_operator *local_operator_of(struct step_operator *operator)
{
	return container_of(operator, struct local_operator, base);
}

bool local_operator_init(struct local_operator *local, const struct flavor *flavor,
                         const struct component *component, const struct operator_context *context,
                         struct error **err)
{
	char *main = datadir_find("runtime/main.py", err);

	if (!main)
		return false;
	local->base.flavor = flavor;
	local->context = context;
	local->python = local_python(component);
	local->main = main;
	return true;
}

void local_operator_release(struct local_operator *local)
{
	free(local->python);
	free(local->main);
}

json_t *local_render(struct step_operator *operator, const struct step_launch * launch,
                     struct error **err)
{
	(void)operator;
	(void)launch;
	(void)err;
	return json_array();
}

char *local_python(const struct component *component)
{
	const char *python = component_text(component, "python", NULL);
	const char *environment = getenv("VIRTUAL_ENV");

	if (python)
		return xstrdup(python);
	return environment && *environment ? file_join(environment, "bin/python3")
	                                   : xstrdup("python3");
}

/* Steps run side by side: without a UI none fights for a port, and no progress bar fills the log.
 */
static void set_defaults(struct spark_conf *conf)
{
	spark_conf_set_default(conf, "spark.ui.enabled", "false");
	spark_conf_set_default(conf, "spark.ui.showConsoleProgress", "false");
}

struct spark_conf *local_conf(const struct operator_context *context, const struct step *step,
                              struct error **err)
{
	scoped(spark_conf) struct spark_conf *conf = spark_conf_new();
	struct artifact_access access = { 0 };
	bool ok;

	artifact_access(context->artifacts, &access);
	ok = !access.spark_conf || spark_conf_merge_json(conf, access.spark_conf, err);
	if (access.own_identity)
		spark_conf_set(conf, "spark.hadoop.fs.s3a.aws.credentials.provider",
		               ENVIRONMENT_PROVIDER);
	artifact_access_release(&access);
	if (!ok || !spark_settings_apply(conf, step, err))
		return NULL;
	set_defaults(conf);
	return take(conf);
}

static json_t *build_spark(const struct operator_context *context, const struct step_launch *launch,
                           const char *master, struct error **err)
{
	scoped(spark_conf) struct spark_conf *conf = local_conf(context, launch->step, err);
	scoped(text) char *name = text_printf("%s-%s", context->pipeline, launch->step->name);

	if (!conf)
		return NULL;
	return json_pack("{s:s?, s:s, s:o}", "master", master, "app_name", name, "conf",
	                 spark_settings_json(conf, master));
}

char *local_contract_write(const struct operator_context *context, const struct step_launch *launch,
                           const char *master, struct error **err)
{
	json_auto_t *contract = json_copy(launch->contract);
	scoped(text) char *path = file_join(launch->work_folder, "step.json");
	scoped(text) char *text = NULL;
	json_t *spark = json_null();

	if (step_needs_spark(launch->step, contract)) {
		spark = build_spark(context, launch, master, err);
		if (!spark)
			return NULL;
	}
	json_object_set_new(contract, "code", json_string(launch->code_folder));
	json_object_set_new(contract, "spark", spark);
	text = json_dumps(contract, JSON_INDENT(2));
	if (!file_write(path, text, strlen(text), 0644, err))
		return NULL;
	return take(path);
}

/* Keys that were given, else those that we have at the moment: a process has no identity of its
 * own.
 */
static json_t *build_credentials(struct artifact_store *artifacts, struct error **err)
{
	struct artifact_access access = { 0 };
	json_t *credentials;

	artifact_access(artifacts, &access);
	/* A copy: releasing `access` wipes its own. */
	credentials = access.own_identity ? artifact_session(artifacts, err)
	                                  : json_deep_copy(access.secrets);
	artifact_access_release(&access);
	return credentials;
}

/* What the artifact store needs, settings.environment, and the runtime's own variables. */
static json_t *build_environment(const struct operator_context *context,
                                 const struct step_launch *launch, const char *termination_path,
                                 struct error **err)
{
	json_t *environment = build_credentials(context->artifacts, err);

	if (!environment)
		return NULL;
	json_object_update(environment, json_object_get(launch->step->settings, "environment"));
	json_object_set_new(environment, "STEPOP_TERMINATION_LOG", json_string(termination_path));
	json_object_set_new(environment, "PYTHONUNBUFFERED", json_string("1"));
	return environment;
}

struct job *local_start(struct local_operator *local, const struct step_launch *launch,
                        const char *const *argv, const struct job_events *events, void *context,
                        struct error **err)
{
	scoped(text) char *result = file_join(launch->work_folder, "termination");
	json_t *environment = build_environment(local->context, launch, result, err);
	struct process_start start = { .flavor = local->base.flavor,
		                       .loop = local->context->loop,
		                       .argv = argv,
		                       .environment = environment,
		                       .folder = launch->work_folder,
		                       .log_path = launch->log_path,
		                       .result_path = result };
	struct job *job = environment ? process_job_start(&start, events, context, err) : NULL;

	secret_values_free(environment);
	return job;
}
