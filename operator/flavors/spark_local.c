/* SPDX-License-Identifier: Apache-2.0 */
/* Flavor spark-local: a step is a Spark application of this machine, started by its spark-submit;
 * JVM steps too. */
#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/flavors/flavors.h"
#include "operator/flavors/local_step.h"
#include "operator/flavors/process.h"
#include "operator/flavors/spark_settings.h"

struct spark_local_operator {
	struct local_operator local;
	char *master, *submit;
};

static struct spark_local_operator *spark_local_of(struct step_operator *operator)
{
	return container_of(local_operator_of(operator), struct spark_local_operator, local);
}

static void spark_local_close(struct step_operator *operator)
{
	struct spark_local_operator *spark = spark_local_of(operator);

	local_operator_release(&spark->local);
	free(spark->master);
	free(spark->submit);
	free(spark);
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
	struct spark_local_operator *spark = xcalloc(1, sizeof(*spark));

	if (!local_operator_init(&spark->local, &flavor_spark_local, component, context, err)) {
		free(spark);
		return NULL;
	}
	spark->master = xstrdup(component_text(component, "master", "local[*]"));
	spark->submit = find_submit(component, spark->local.python);
	return &spark->local.base;
}

static bool spark_local_check(struct step_operator *operator, const struct step * step,
                              struct error **err)
{
	scoped(spark_conf) struct spark_conf *conf = spark_settings_conf(step, err);

	(void)operator;
	return conf != NULL;
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

static bool add_conf(json_t *argv, const struct spark_local_operator *spark,
                     const struct step_launch *launch, struct error **err)
{
	scoped(spark_conf) struct spark_conf *conf =
		local_conf(spark->local.context, launch->step, err);
	json_auto_t *object = NULL;
	const char *key;
	json_t *value;

	if (!conf)
		return false;
	spark_conf_set_default(conf, "spark.pyspark.python", spark->local.python);
	object = spark_settings_json(conf, spark->master);
	json_object_foreach (object, key, value) {
		scoped(text) char *pair = text_printf("%s=%s", key, json_string_value(value));

		add(argv, "--conf");
		add(argv, pair);
	}
	return true;
}

/* spark-submit --master M --name N --conf … (main.py step.json | --class C app.jar args…) */
static json_t *build_argv(const struct spark_local_operator *spark,
                          const struct step_launch *launch, const char *contract,
                          struct error **err)
{
	const struct step *step = launch->step;
	json_auto_t *argv = json_array();
	json_t *argument;
	size_t i;

	add(argv, spark->submit);
	add(argv, "--master");
	add(argv, spark->master);
	add(argv, "--name");
	add(argv, step->name);
	if (!add_conf(argv, spark, launch, err))
		return NULL;
	if (step->function) {
		add(argv, spark->local.main);
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
	struct spark_local_operator *spark = spark_local_of(operator);
	scoped(text) char *contract = local_contract_write(spark->local.context, launch, NULL, err);
	json_auto_t *arguments = contract ? build_argv(spark, launch, contract, err) : NULL;
	const char **argv;
	struct job *job;
	json_t *argument;
	size_t i;

	if (!arguments)
		return NULL;
	argv = xcalloc(json_array_size(arguments) + 1, sizeof(*argv));
	json_array_foreach (arguments, i, argument)
		argv[i] = json_string_value(argument);
	job = local_start(&spark->local, launch, argv, events, context, err);
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
			.shown = (const char *const[]){ "master", "spark_home", "python", NULL },
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
	.render = local_render,
	.launch = spark_local_launch,
	.cancel = process_job_cancel,
	.describe = process_job_describe,
	.free_job = process_job_free,
	.close = spark_local_close,
};
