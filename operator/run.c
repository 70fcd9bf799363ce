/* SPDX-License-Identifier: Apache-2.0 */
/* Opens what a run needs and checks all of it before anything exists; shows what would be done. */
#include "operator/run.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/digest.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "materializers/materializer.h"
#include "operator/catalog.h"
#include "operator/run_parts.h"
#include "submit/kube_object.h"

/* How many steps run at once: on this machine as many as it has processors, pods as many as there
 * are. */
#define PARALLEL_PODS 64

static void free_operators(struct run *run)
{
	size_t i;

	for (i = 0; i < run->operator_count; i++) {
		step_operator_free(run->operators[i].operator);
		component_free(run->operators[i].owned);
	}
	free(run->operators);
}

static void release_step(struct run_step *step)
{
	loop_cancel(step->fetch_timer);
	run_stage_cancel(step);
	job_free(step->job);
	job_report_release(&step->final);
	if (step->prepared)
		run_launch_release(step->prepared);
	free(step->prepared);
	free(step->work_folder);
	free(step->log_path);
	free(step->detail);
	free(step->message);
	free(step->advice);
	free(step->job_name);
	json_decref(step->artifacts);
}

void run_free(struct run *run)
{
	size_t i;

	if (!run)
		return;
	run_recorder_release(run);
	for (i = 0; run->steps && i < run->pipeline->step_count; i++)
		release_step(&run->steps[i]);
	free(run->steps);
	free_operators(run);
	scheduler_free(run->scheduler);
	graph_free(run->graph);
	metadata_store_free(run->metadata);
	container_registry_free(run->registry);
	artifact_store_free(run->artifacts);
	secret_store_free(run->secrets);
	http_client_free(run->http);
	loop_free(run->loop);
	lease_release(&run->lease);
	stack_free(run->stack);
	pipeline_free(run->pipeline);
	error_free(run->fatal);
	free(run->reason);
	free(run->id);
	free(run->name);
	free(run);
}

/* Sorts by time, and the digits of the id keep two runs of one second apart. */
static char *default_name(const struct run *run)
{
	time_t seconds = run->created_at / 1000;
	struct tm parts;
	char stamp[sizeof("YYYYMMDD-HHMMSS")];

	gmtime_r(&seconds, &parts);
	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &parts);
	return text_printf("%s-%s-%.4s", run->pipeline->name, stamp, run->id);
}

static bool open_registry(struct run *run, struct error **err)
{
	const struct component *component = run->stack->components[COMPONENT_CONTAINER_REGISTRY];

	if (component)
		run->registry = container_registry_open(component, run->secrets, run->http, err);
	return run->registry || !component;
}

static bool open_stores(struct run *run, bool offline, struct error **err)
{
	struct component **components = run->stack->components;

	run->loop = loop_new();
	run->http = http_client_new(run->loop);
	if (components[COMPONENT_SECRETS_MANAGER]) {
		run->secrets = secret_store_open(
			run->project, components[COMPONENT_SECRETS_MANAGER], run->http, err);
		if (!run->secrets)
			return false;
	}
	run->artifacts = artifact_store_open(run->project, components[COMPONENT_ARTIFACT_STORE],
	                                     run->secrets, run->http, err);
	if (!run->artifacts || !open_registry(run, err))
		return false;
	if (offline)
		return true;
	if (!artifact_check(run->artifacts, err))
		return error_wrap(err, "artifact store '%s'",
		                  components[COMPONENT_ARTIFACT_STORE]->name);
	run->metadata = metadata_store_open(run->project, components[COMPONENT_METADATA_STORE],
	                                    run->secrets, err);
	return run->metadata != NULL;
}

static struct run_operator *find_operator(struct run *run, const char *name)
{
	size_t i;

	for (i = 0; i < run->operator_count; i++)
		if (!strcmp(run->operators[i].component->name, name))
			return &run->operators[i];
	return NULL;
}

/* `name` NULL: the stack's. Each component is opened once, whichever steps use it. */
static struct run_operator *open_operator(struct run *run, const char *name, struct error **err)
{
	const struct component *component = run->stack->components[COMPONENT_STEP_OPERATOR];
	struct component *owned = NULL;
	struct run_operator *entry = find_operator(run, name ? name : component->name);

	if (entry)
		return entry;
	if (name && strcmp(name, component->name) != 0) {
		owned = component_load(run->project, catalog_built_in(), COMPONENT_STEP_OPERATOR,
		                       name, err);
		if (!owned)
			return NULL;
		component = owned;
	}
	run->operators = xrealloc(run->operators, run->operator_count + 1, sizeof(*run->operators));
	entry = &run->operators[run->operator_count++];
	*entry = (struct run_operator){ .component = component, .owned = owned };
	entry->operator= step_operator_open(component, &run->context, err);
	return entry->operator? entry : NULL;
}

static struct graph *build_graph(const struct pipeline *pipeline)
{
	struct graph *graph = graph_new(pipeline->step_count);
	size_t i, j;

	for (i = 0; i < pipeline->step_count; i++) {
		const struct step *step = &pipeline->steps[i];

		for (j = 0; j < step->input_count; j++)
			graph_add_edge(graph, step->inputs[j].source, i);
		for (j = 0; j < step->after_count; j++)
			graph_add_edge(graph, step->after[j], i);
	}
	return graph;
}

static bool open_steps(struct run *run, struct error **err)
{
	size_t i;

	run->steps = xcalloc(run->pipeline->step_count, sizeof(*run->steps));
	for (i = 0; i < run->pipeline->step_count; i++) {
		const struct step *step = &run->pipeline->steps[i];
		struct run_operator *operator= open_operator(run, step->operator, err);

		if (!operator)
			return error_wrap(err, "step '%s'", step->name);
		if (!step_operator_check(operator->operator, step, err))
			return false;
		run->steps[i] = (struct run_step){ .run = run,
			                           .step = step,
			                           .index = i,
			                           .operator= operator->operator,
			                           .component = operator->component };
	}
	return true;
}

/* Once all steps are known to be fit: what this makes is there for others to see. */
static bool prepare_steps(struct run *run, struct error **err)
{
	size_t i;

	for (i = 0; i < run->pipeline->step_count; i++)
		if (!step_operator_prepare(run->steps[i].operator, run->steps[i].step, err))
			return false;
	return true;
}

static bool is_remote(const struct run *run)
{
	size_t i;

	for (i = 0; i < run->operator_count; i++)
		if (run->operators[i].operator->flavor->needs_remote_store)
			return true;
	return false;
}

static size_t parallel_limit(const struct run *run)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	int64_t wanted = component_integer(run->stack->components[COMPONENT_ORCHESTRATOR],
	                                   "max_parallel_steps", 0);

	if (wanted > 0)
		return (size_t)wanted;
	if (is_remote(run))
		return PARALLEL_PODS;
	return processors > 2 ? (size_t)processors : 2;
}

static void set_context(struct run *run, const struct run_options *options)
{
	run->context = (struct operator_context){
		.loop = run->loop,
		.http = run->http,
		.secrets = run->secrets,
		.artifacts = run->artifacts,
		.registry = run->registry,
		.run_id = run->id,
		.run_name = run->name,
		.pipeline = run->pipeline->name,
		.code_folder = run->pipeline->folder,
		.kubeconfig = options->kubeconfig,
		.kube_context = options->kube_context,
		.namespace = options->namespace,
		.image_listener = options->image_listener,
		.offline = options->offline,
		.wants_output = options->wants_output,
	};
	run->identity = (struct launch_identity){ .run_id = run->id,
		                                  .run_name = run->name,
		                                  .pipeline = run->pipeline,
		                                  .artifacts = run->artifacts };
}

struct run *run_open(struct project *project, const struct run_options *options, struct error **err)
{
	scoped(run) struct run *run = xcalloc(1, sizeof(*run));

	run->project = project;
	run->state = RUN_RUNNING;
	run->created_at = clock_now_ms();
	run->id = digest_random_hex(32);
	run->pipeline = pipeline_load(options->pipeline_path, options->parameters,
	                              materializer_types(), err);
	if (!run->pipeline)
		return NULL;
	run->name = options->name ? xstrdup(options->name) : default_name(run);
	run->stack = stack_load(project, catalog_built_in(), options->stack, err);
	if (!run->stack)
		return NULL;
	if (!open_stores(run, options->offline, err))
		return error_wrap(err, "open stack '%s'", run->stack->name);
	set_context(run, options);
	if (!open_steps(run, err) || (!options->offline && !prepare_steps(run, err)))
		return error_wrap(err, "prepare '%s'", run->pipeline->name);
	run->graph = build_graph(run->pipeline);
	run->scheduler = scheduler_new(run->graph, parallel_limit(run));
	return take(run);
}

static json_t *input_uris(const struct run_step *step)
{
	json_t *uris = json_object();
	size_t i;

	for (i = 0; i < step->step->input_count; i++) {
		const struct step_input *input = &step->step->inputs[i];
		const struct run_step *source = &step->run->steps[input->source];
		scoped(text) char *uri =
			artifact_uri(step->run->artifacts, step->run->pipeline->name, step->run->id,
		                     source->step->name, source->attempt ? source->attempt : 1,
		                     input->source_output);

		json_object_set_new(uris, input->name, json_string(uri));
	}
	return uris;
}

bool run_launch_prepare(struct run_step *step, int attempt, const json_t *files,
                        struct run_launch *prepared, struct error **err)
{
	struct run *run = step->run;
	json_auto_t *uris = files ? json_incref((json_t *)files)
	                          : step_files_uris(&run->identity, step->step, err);
	json_auto_t *inputs = input_uris(step);

	*prepared = (struct run_launch){ 0 };
	if (!uris)
		return false;
	free(step->work_folder);
	free(step->log_path);
	step->work_folder = step_work_folder(run->project, run->id, step->step->name, attempt);
	step->log_path = file_join(step->work_folder, "log");
	prepared->contract = step_contract_build(&run->identity, step->step, attempt, inputs, uris);
	prepared->launch = (struct step_launch){ .step = step->step,
		                                 .attempt = attempt,
		                                 .code_folder = run->pipeline->folder,
		                                 .work_folder = step->work_folder,
		                                 .log_path = step->log_path,
		                                 .contract = prepared->contract };
	return true;
}

void run_launch_release(struct run_launch *prepared)
{
	json_decref(prepared->contract);
}

static json_t *render_step(struct run *run, size_t index, struct error **err)
{
	struct run_step *step = &run->steps[index];
	struct run_launch prepared;
	json_t *manifests = NULL, *after = json_array(), *rendered;
	const size_t *before;
	size_t count, i;

	if (run_launch_prepare(step, 1, NULL, &prepared, err))
		manifests = step_operator_render(step->operator, & prepared.launch, err);
	before = graph_predecessors(run->graph, index, &count);
	for (i = 0; i < count; i++)
		json_array_append_new(after, json_string(run->steps[before[i]].step->name));
	if (!manifests) {
		json_decref(after);
		run_launch_release(&prepared);
		return error_wrap(err, "step '%s'", step->step->name);
	}
	kube_object_hide_secrets(manifests);
	rendered = json_pack("{s:s, s:s, s:s, s:o, s:O, s:O, s:o}", "name", step->step->name,
	                     "operator", step->component->name, "flavor", step->component->flavor,
	                     "after", after, "settings", step->step->settings, "contract",
	                     prepared.contract, "manifests", manifests);
	run_launch_release(&prepared);
	return rendered;
}

json_t *run_render(struct run *run, struct error **err)
{
	json_auto_t *steps = json_array();
	size_t *order = graph_order(run->graph), i;

	for (i = 0; i < run->pipeline->step_count; i++) {
		json_t *step = render_step(run, order[i], err);

		if (!step)
			break;
		json_array_append_new(steps, step);
	}
	free(order);
	if (i < run->pipeline->step_count)
		return NULL;
	return json_pack("{s:s, s:s, s:s, s:O, s:O}", "pipeline", run->pipeline->name, "run",
	                 run->id, "stack", run->stack->name, "parameters",
	                 run->pipeline->parameters, "steps", steps);
}

const char *run_id(const struct run *run)
{
	return run->id;
}

const char *run_name(const struct run *run)
{
	return run->name;
}

const char *run_stack_name(const struct run *run)
{
	return run->stack->name;
}

enum run_state run_state(const struct run *run)
{
	return run->state;
}

const struct pipeline *run_pipeline(const struct run *run)
{
	return run->pipeline;
}

int64_t run_elapsed_ms(const struct run *run)
{
	return (run->ended_at ? run->ended_at : clock_now_ms()) - run->created_at;
}

void run_step_view(const struct run *run, size_t index, struct step_view *view)
{
	const struct run_step *step = &run->steps[index];

	*view = (struct step_view){
		.name = step->step->name,
		.state = scheduler_state(run->scheduler, index),
		.attempt = step->attempt,
		.detail = step->detail,
		.message = step->message,
		.advice = step->advice,
		.job = step->job_name,
		.log_path = step->log_path,
		.started_at = step->started_at ? step->started_at : step->created_at,
		.ended_at = step->ended_at,
		.workers_ready = step->workers_ready,
		.workers_wanted = step->workers_wanted,
		.artifacts = step->artifacts,
	};
}
