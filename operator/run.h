/* SPDX-License-Identifier: Apache-2.0 */
/* One run of a pipeline from start to end: pipeline + stack + metadata, driven by the calling
 * process. */
#ifndef OPERATOR_RUN_H
#define OPERATOR_RUN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "operator/pipeline.h"
#include "operator/state.h"
#include "stacks/component.h"
#include "stacks/image_build.h"

struct run;

struct run_options {
	const char *pipeline_path;
	const json_t *parameters; /* -p: an object of strings; or NULL */
	const char *name;         /* NULL: <pipeline>-<date>-<time>-<4 digits of the id> */
	const char *stack;        /* NULL: the active one */
	const char *kubeconfig, *kube_context, *namespace; /* or NULL */
	const struct image_listener *image_listener;       /* borrowed by the run; or NULL */
	bool offline;      /* --dry-run=client: no network, nothing created, not even metadata */
	bool wants_output; /* observer.output is to be called */
};

/*
 * Loads pipeline and stack, opens the stores and step operators, checks every step: all that can
 * be refused is refused here, before anything exists. The project is kept and must live longer.
 * The caller owns the run.
 */
struct run *run_open(struct project *project, const struct run_options *options,
                     struct error **err);
void run_free(struct run *run);
DEFINE_CLEANUP(run);

/* What would be done: {"run", "pipeline", "stack", "steps": [{…, "manifests": […]}]} in the order
 * of execution. Secret values are replaced. */
json_t *run_render(struct run *run, struct error **err);

/* Called from run_execute(). */
struct run_observer {
	/* State, detail or workers of a step changed. */
	void (*step_changed)(void *context, const struct run *run, size_t step);
	/* Once a second, for what shows passing time; optional. */
	void (*tick)(void *context, const struct run *run);
	/* One line for people: something outside the run's steps matters to it; optional. */
	void (*notice)(void *context, const struct run *run, const char *text);
	/* A piece of a step's output; only with run_options.wants_output. */
	void (*output)(void *context, const struct run *run, size_t step, const char *bytes,
	               size_t size);
};

/*
 * Records the run and drives it to its end. RUN_FAILED when a step failed (the message names the
 * steps), INTERRUPTED or TERMINATED when a signal cancelled it; SIGINT and SIGTERM
 * are taken over meanwhile: the first cancels, the second leaves at once. Other errors: the run
 * could not be driven any further (database, lease).
 */
bool run_execute(struct run *run, const struct run_observer *observer, void *context,
                 struct error **err);

const char *run_id(const struct run *run);
const char *run_name(const struct run *run);
const char *run_stack_name(const struct run *run);
enum run_state run_state(const struct run *run);
const struct pipeline *run_pipeline(const struct run *run);
/* From its creation to its end, or to now. */
int64_t run_elapsed_ms(const struct run *run);

/* What can be told of a step now. Borrowed until the run proceeds. */
struct step_view {
	const char *name;
	enum step_state state;
	int attempt;
	const char *detail;  /* what it waits for, or why it failed; or NULL */
	const char *message; /* traceback, Kubernetes' text; or NULL */
	const char *advice;  /* or NULL */
	const char *job;     /* "namespace/pod", "pid 123"; or NULL */
	const char *log_path;
	int64_t started_at, ended_at; /* ms since the epoch; 0: not yet */
	int workers_ready, workers_wanted;
	const json_t *artifacts; /* array of {"name", "type", "uri", "digest", "metadata":
	                            {"summary", …}}; or NULL */
};
void run_step_view(const struct run *run, size_t step, struct step_view *view);

#endif
