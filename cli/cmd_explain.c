/* SPDX-License-Identifier: Apache-2.0 */
/* stepop explain: how a number of a pod comes about. */
#include "cli/commands.h"
#include "cli/submit_source.h"
#include "core/memory.h"
#include "submit/spark_memory.h"

static bool explain_app(const struct spark_app *app, json_t *rows, struct error **err)
{
	struct spark_memory driver, executor;
	json_auto_t *of_driver = NULL;
	json_auto_t *of_executor = NULL;

	if (!spark_memory_of_driver(app, &driver, err) ||
	    !spark_memory_of_executor(app, &executor, err))
		return false;
	of_driver = spark_memory_explain(&driver);
	of_executor = spark_memory_explain(&executor);
	json_array_extend(rows, of_driver);
	json_array_extend(rows, of_executor);
	return true;
}

static bool run_memory(const struct arguments *arguments, struct error **err)
{
	static const struct output_column columns[] = {
		{ "pod", "POD", false },
		{ "part", "PART", false },
		{ "size", "SIZE", false },
		{ "reason", "WHY", false },
		{ 0 },
	};
	scoped(submit_source) struct submit_source *source = submit_source_open(arguments, err);
	json_auto_t *rows = json_array();
	size_t i;

	for (i = 0; source && i < submit_source_count(source); i++) {
		struct spark_app app;
		bool is_fine =
			submit_source_app(source, i, &app, err) && explain_app(&app, rows, err);

		spark_app_release(&app);
		if (!is_fine)
			return false;
	}
	return source && output_rows(stdout, argument_output(arguments), columns, rows, err);
}

const struct command cmd_explain_memory = {
	.words = "explain memory",
	.arguments = "[APP]",
	.summary = "show how the memory of driver and executors is computed",
	.details =
		"Takes what 'stepop submit' takes. Memory that Spark counts on and memory that a\n"
		"pod may use are two things: a pod that is OOMKilled has used more than the sum.\n"
		"Python and R want more overhead than a jar, so say which APP is meant.",
	.options =
		(const struct command_option[]){
			{ "filename", 'f', VALUE_ONE, "FILE",
	                  "SparkApplication manifests instead of APP; '-' is standard input",
	                  NULL },
			{ "spark-version", 0, VALUE_ONE, "VERSION",
	                  "Spark of the image: 3.5 to 4.3; default: by the image's name", NULL },
			{ 0 } },
	.shared_options = submit_source_options,
	.refusal = submit_source_refusal,
	.is_secret = submit_source_is_secret,
	.examples = "  stepop explain memory --driver-memory 4g job.py\n"
		    "  stepop explain memory --properties-file job.conf --class x local:///x.jar\n"
		    "  stepop explain memory -f application.yaml",
	.max_arguments = 100000,
	.takes_program = true,
	.run = run_memory,
};
