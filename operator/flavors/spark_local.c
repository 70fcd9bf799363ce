/* SPDX-License-Identifier: Apache-2.0 */
/* Flavor spark-local: a step is a Spark application of this machine, started by its spark-submit;
 * JVM steps too. */
#include <string.h>

#include "core/datadir.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/flavors/flavors.h"
#include "operator/flavors/local_step.h"
#include "operator/flavors/process.h"
#include "operator/flavors/spark_settings.h"

struct spark_local_operator {
	struct step_operator base;
	const struct operator_context *context;
	char *master, *submit, *python, *main;
};

static struct spark_local_operator *spark_local_of(struct step_operator *operator)
{
	return container_of(operator, struct spark_local_operator, base);
}

static void spark_local_close(struct step_operator *operator)
{
	struct spark_local_operator *local = spark_local_of(operator);

	free(local->master);
	free(local->submit);
	free(local->python);
	free(local->main);
	free(local);
}

/* Option `spark_home`, else $SPARK_HOME, else the one beside the Python (PyPI's pyspark), else of
 * the PATH. */
static char *find_submit(const struct component *component, const char *python)
{
	const char *home = component_text(component, "spark_home", getenv("SPARK_HOME"));
	scoped(text) char *folder = file_folder(python);
	scoped(text) char *beside = file_join(folder, "spark-submit");

	if (home && *home)
		return file_join(home, "bin/spark-submit");
	return strchr(python, '/') && file_exists(beside) ? take(beside) : xstrdup("spark-submit");
}

static struct step_operator *spark_local_open(const struct component *component,
                                              const struct operator_context *context,
                                              struct error **err)
{
	scoped(text) char *main = datadir_find("runtime/main.py", err);
	struct spark_local_operator *local;

	if (!main)
		return NULL;
	local = xcalloc(1, sizeof(*local));
	local->base.flavor = &flavor_spark_local;
	local->context = context;
	local->master = xstrdup(component_text(component, "master", "local[*]"));
	local->python = local_python(component);
	local->submit = find_submit(component, local->python);
	local->main = take(main);
	return &local->base;
}

static bool spark_local_check(struct step_operator *operator, const struct step * step,
                              struct error **err)
{
	scoped(spark_conf) struct spark_conf *conf = spark_settings_conf(step, err);

	(void)operator;
	return conf != NULL;
}

static json_t *spark_local_render(struct step_operator *operator, const struct step_launch * launch,
                                  struct error **err)
{
	(void)operator;
	(void)launch;
	(void)err;
	return json_array();
}

/* "local:///x.jar" is a path of the container; here it is one of this machine. */
static const char *main_path(const char *main)
{
	return text_starts_with(main, "local://") ? main + strlen("local://") : main;
}

static void add(json_t *argv, const char *text)
{
	json_array_append_new(argv, json_string(text));
}

static bool add_conf(json_t *argv, const struct spark_local_operator *local,
                     const struct step_launch *launch, struct error **err)
{
	scoped(spark_conf) struct spark_conf *conf = spark_settings_conf(launch->step, err);
	json_auto_t *object = NULL;
	const char *key;
	json_t *value;

	if (!conf)
		return false;
	spark_conf_set_default(conf, "spark.ui.enabled", "false");
	spark_conf_set_default(conf, "spark.ui.showConsoleProgress", "false");
	spark_conf_set_default(conf, "spark.pyspark.python", local->python);
	object = spark_settings_json(conf, local->master);
	json_object_foreach (object, key, value) {
		scoped(text) char *pair = text_printf("%s=%s", key, json_string_value(value));

		add(argv, "--conf");
		add(argv, pair);
	}
	return true;
}

/* spark-submit --master M --name N --conf … (main.py step.json | --class C app.jar args…) */
static json_t *build_argv(const struct spark_local_operator *local,
                          const struct step_launch *launch, const char *contract,
                          struct error **err)
{
	const struct step *step = launch->step;
	json_auto_t *argv = json_array();
	json_t *argument;
	size_t i;

	add(argv, local->submit);
	add(argv, "--master");
	add(argv, local->master);
	add(argv, "--name");
	add(argv, step->name);
	if (!add_conf(argv, local, launch, err))
		return NULL;
	if (step->function) {
		add(argv, local->main);
		add(argv, contract);
		return take(argv);
	}
	if (step->main_class) {
		add(argv, "--class");
		add(argv, step->main_class);
	}
	add(argv, main_path(step->main));
	json_array_foreach (step->args, i, argument)
		json_array_append(argv, argument);
	return take(argv);
}

static struct job *spark_local_launch(struct step_operator *operator,
                                      const struct step_launch * launch,
                                      const struct job_events *events, void *context,
                                      struct error **err)
{
	struct spark_local_operator *local = spark_local_of(operator);
	scoped(text) char *contract = local_contract_write(local->context, launch, NULL, err);
	scoped(text) char *result = file_join(launch->work_folder, "termination");
	json_auto_t *arguments = contract ? build_argv(local, launch, contract, err) : NULL;
	json_auto_t *environment = NULL;
	const char **argv;
	struct job *job;
	json_t *argument;
	size_t i;

	if (!arguments)
		return NULL;
	environment = local_environment(local->context, launch, result);
	argv = xcalloc(json_array_size(arguments) + 1, sizeof(*argv));
	json_array_foreach (arguments, i, argument)
		argv[i] = json_string_value(argument);
	job = process_job_start(&(struct process_start){ .flavor = &flavor_spark_local,
	                                                 .loop = local->context->loop,
	                                                 .argv = argv,
	                                                 .environment = environment,
	                                                 .folder = launch->work_folder,
	                                                 .log_path = launch->log_path,
	                                                 .result_path = result },
	                        events, context, err);
	free(argv);
	return job;
}

const struct flavor flavor_spark_local = {
	.abi = FLAVOR_ABI,
	.component =
		&(const struct component_flavor){
			.type = COMPONENT_STEP_OPERATOR,
			.name = "spark-local",
			.help = "a step is a Spark application of this machine",
			.options =
				(const struct component_option[]){
					{ "master", OPTION_TEXT, false,
	                                  "local[*] (the default), local[N] or spark://host:port",
	                                  NULL },
					{ "spark_home", OPTION_TEXT, false,
	                                  "folder of Spark; default: $SPARK_HOME, else the pyspark "
	                                  "of the Python, else spark-submit of the PATH",
	                                  NULL },
					{ "python", OPTION_TEXT, false,
	                                  "Python of the driver; default: of the active virtual "
	                                  "environment, else python3",
	                                  NULL },
					{ 0 } },
		},
	.open = spark_local_open,
	.check = spark_local_check,
	.render = spark_local_render,
	.launch = spark_local_launch,
	.cancel = process_job_cancel,
	.describe = process_job_describe,
	.free_job = process_job_free,
	.close = spark_local_close,
};
