/* SPDX-License-Identifier: Apache-2.0 */
/* What the flavors that run steps on this machine share. */
#include "operator/flavors/local_step.h"

#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/flavors/spark_settings.h"
#include "operator/step_launch.h"

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

static json_t *build_spark(const struct operator_context *context, const struct step_launch *launch,
                           const char *master, struct error **err)
{
	scoped(spark_conf) struct spark_conf *conf = spark_settings_conf(launch->step, err);
	scoped(text) char *name = text_printf("%s-%s", context->pipeline, launch->step->name);
	struct artifact_access access = { 0 };
	json_t *spark = NULL;

	if (!conf)
		return NULL;
	set_defaults(conf);
	artifact_access(context->artifacts, &access);
	if (!access.spark_conf || spark_conf_merge_json(conf, access.spark_conf, err))
		spark = json_pack("{s:s?, s:s, s:o}", "master", master, "app_name", name, "conf",
		                  spark_settings_json(conf, master));
	artifact_access_release(&access);
	return spark;
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

json_t *local_environment(const struct operator_context *context, const struct step_launch *launch,
                          const char *termination_path)
{
	json_t *environment = json_object();
	struct artifact_access access = { 0 };

	artifact_access(context->artifacts, &access);
	/* A copy: releasing `access` wipes its own. */
	if (access.secrets)
		json_object_update_new(environment, json_deep_copy(access.secrets));
	json_object_update(environment, json_object_get(launch->step->settings, "environment"));
	json_object_set_new(environment, "STEPOP_TERMINATION_LOG", json_string(termination_path));
	json_object_set_new(environment, "PYTHONUNBUFFERED", json_string("1"));
	artifact_access_release(&access);
	return environment;
}
