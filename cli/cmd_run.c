/* SPDX-License-Identifier: Apache-2.0 */
/* stepop run: a pipeline, once, from start to end. */
#include <string.h>

#include "cli/commands.h"
#include "cli/image_progress.h"
#include "cli/progress.h"
#include "core/document.h"
#include "core/memory.h"
#include "operator/run.h"

/* -p key=value, as given; their types are the pipeline's matter. */
static json_t *read_parameters(const struct arguments *arguments, struct error **err)
{
	json_auto_t *parameters = json_object();
	const char *const *values;
	size_t count = argument_many(arguments, "parameter", &values), i;

	for (i = 0; i < count; i++) {
		const char *equals = strchr(values[i], '=');
		scoped(text) char *key = NULL;

		if (!equals || equals == values[i])
			return error_set(err, ERROR_USAGE, "--parameter is key=value; not '%s'",
			                 values[i]);
		key = xstrndup(values[i], (size_t)(equals - values[i]));
		json_object_set_new(parameters, key, json_string(equals + 1));
	}
	return take(parameters);
}

/* Takes the manifests out of the plan's steps, in the order of creation. */
static json_t *take_manifests(json_t *plan)
{
	json_t *all = json_array(), *step;
	size_t i;

	json_array_foreach (json_object_get(plan, "steps"), i, step) {
		json_array_extend(all, json_object_get(step, "manifests"));
		json_object_del(step, "manifests");
	}
	return all;
}

/* The plan as YAML, then every manifest as a document of its own, as kubectl reads them. */
static bool print_plan(struct run *run, enum output_format format, struct error **err)
{
	json_auto_t *plan = run_render(run, err);
	json_auto_t *manifests = NULL;

	if (!plan)
		return false;
	if (format == OUTPUT_JSON)
		return output_object(stdout, format, plan, err);
	manifests = take_manifests(plan);
	fputs("# the plan\n", stdout);
	document_write_yaml(plan, stdout);
	return output_manifests(stdout, OUTPUT_YAML, manifests, err);
}

static bool execute(struct run *run, const struct arguments *arguments, struct error **err)
{
	scoped(progress) struct progress *progress = progress_new(arguments);
	bool ok;

	progress_begin(progress, run);
	ok = run_execute(run, progress_observer(progress), progress, err);
	progress_end(progress, run);
	if (!ok && run_state(run) == RUN_RUNNING)
		return false;
	fflush(stderr);
	if (!summary_print(run, argument_output(arguments), stdout, ok ? err : NULL))
		return false;
	fflush(stdout);
	summary_print_failures(run, stderr);
	return ok;
}

static bool run_run(const struct arguments *arguments, struct error **err)
{
	json_auto_t *parameters = read_parameters(arguments, err);
	bool dry = argument_option(arguments, "dry-run") != NULL;
	struct image_progress progress = { .is_quiet = argument_switch(arguments, "quiet") };
	const struct image_listener listener = { image_progress_say, &progress };
	struct run_options options = {
		.pipeline_path = argument_at(arguments, 0),
		.parameters = parameters,
		.name = argument_option(arguments, "name"),
		.stack = argument_option(arguments, "stack"),
		.kubeconfig = argument_option(arguments, "kubeconfig"),
		.kube_context = argument_option(arguments, "context"),
		.namespace = argument_option(arguments, "namespace"),
		.image_listener = &listener,
		.offline = dry,
		.wants_output = argument_switch(arguments, "verbose"),
	};
	scoped(project) struct project *project = NULL;
	scoped(run) struct run *run = NULL;

	if (!parameters)
		return false;
	project = project_open(".", err);
	if (!project)
		return false;
	run = run_open(project, &options, err);
	if (!run)
		return false;
	if (dry)
		return print_plan(run, argument_output(arguments), err);
	return execute(run, arguments, err);
}

const struct command cmd_run = {
	.words = "run",
	.arguments = "PIPELINE.yaml",
	.summary = "run a pipeline on the active stack",
	.details =
		"Waits for the end and tells how each step went. Ctrl-C cancels the run: pods and\n"
		"processes are ended, the run is recorded as cancelled.",
	.options =
		(const struct command_option[]){
			{ "stack", 's', VALUE_ONE, "NAME", "this stack instead of the active one",
	                  NULL },
			{ "parameter", 'p', VALUE_MANY, "KEY=VALUE", "a parameter of the pipeline",
	                  NULL },
			{ "name", 0, VALUE_ONE, "NAME", "name of the run", NULL },
			{ "dry-run", 0, VALUE_ONE, "KIND",
	                  "client: print the plan and the manifests, without a network",
	                  (const char *const[]){ "client", NULL } },
			{ 0 } },
	.examples = "  stepop run pipeline.yaml\n"
		    "  stepop run pipeline.yaml -s spark_stack -p trees=20\n"
		    "  stepop run pipeline.yaml --dry-run=client | less",
	.min_arguments = 1,
	.max_arguments = 1,
	.run = run_run,
};
