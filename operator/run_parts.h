/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of a run share (run.c opens it, run_execute.c drives it, run_record.c records it);
 * nobody else includes it. */
#ifndef OPERATOR_RUN_PARTS_H
#define OPERATOR_RUN_PARTS_H

#include "core/http.h"
#include "core/loop.h"
#include "operator/flavor.h"
#include "operator/graph.h"
#include "operator/run.h"
#include "operator/scheduler.h"
#include "operator/step_launch.h"
#include "operator/step_stage.h"
#include "operator/verdict.h"
#include "stacks/metadata.h"
#include "stacks/secret.h"
#include "stacks/stack.h"

struct run_launch;

/* One step of the run, with its present attempt. */
struct run_step {
	struct run *run;
	const struct step *step;
	size_t index;
	struct step_operator *operator;    /* borrowed from run->operators */
	const struct component *component; /* the operator's; borrowed */
	struct step_stage *stage;          /* its files are under way; or NULL */
	void (*staged)(struct run_step *step, const json_t *files, const struct error *error);
	struct job *job;
	int attempt;   /* 0: not launched yet */
	bool is_noted; /* to be recorded */
	char *work_folder, *log_path;
	char *detail, *message, *advice;
	bool has_exit_code;
	int exit_code;
	char *job_name;
	int64_t created_at, started_at, ended_at;
	int workers_ready, workers_wanted;
	json_t *artifacts;
	/* The job has ended; its result is being fetched. */
	struct job_report final;
	bool has_final;
	int fetch_tries;
	struct loop_source *fetch_timer;
	struct run_step *next_ended;
	/* Prepared, and launched once that is recorded. */
	struct run_launch *prepared;
	struct run_step *next_prepared;
};

struct run_operator {
	const struct component *component; /* of the stack, or owned below */
	struct component *owned;
	struct step_operator *operator;
};

/* What is to be recorded, and when (run_record.c). */
struct run_recorder {
	size_t *steps; /* whose rows changed */
	size_t step_count;
	struct event_row *events; /* their messages are owned */
	size_t event_count;
	bool run_changed, lease_is_due;
	struct loop_source *timer;
	int64_t rest_until_ms;
	int64_t away_since_ms; /* 0: the store is there */
	int64_t pause_ms;      /* before the next attempt to reach it */
};

struct run {
	struct project *project;
	struct pipeline *pipeline;
	struct stack *stack;
	char *id, *name;
	struct loop *loop;
	struct http_client *http;
	struct secret_store *secrets;
	struct artifact_store *artifacts;
	struct container_registry *registry; /* or NULL */
	struct metadata_store *metadata;
	struct operator_context context;
	struct launch_identity identity;
	struct run_operator *operators;
	size_t operator_count;
	struct graph *graph;
	struct scheduler *scheduler;
	struct run_step *steps;
	struct run_step *ended; /* their jobs are freed after the loop's turn */
	struct run_step *prepared, **prepared_end;
	struct run_recorder recorder;
	enum run_state state;
	int64_t created_at, ended_at;
	char *reason;
	struct lease lease;
	const struct run_observer *observer;
	void *observer_context;
	struct loop_source *lease_timer, *interrupt, *terminate, *cancel_timer, *tick_timer;
	int signal_number;   /* that cancelled the run; 0: none */
	bool leaving;        /* a second signal: stop driving at once */
	struct error *fatal; /* the run cannot be driven any further */
};

/* What a run knows as rows (run_rows.c). They borrow from the run, but for the artifacts. */
struct run_row run_row(const struct run *run);
struct step_row run_step_row(const struct run_step *step);
struct attempt_row run_attempt_row(const struct run_step *step);
void run_append_artifact_rows(const struct run_step *step, struct artifact_row **rows,
                              size_t *count);
void run_free_artifact_rows(struct artifact_row *rows, size_t count);
/* Creates the run in the store, with its steps and its lease. */
bool run_record_created(struct run *run, struct error **err);

/*
 * Changes (run_record.c) are noted, and written together: by run_record_turn(), which the engine
 * calls after each turn of its loop and which rests between two writes, or by run_record_flush().
 * While the store is away they are kept, and written when it is back; the steps that run are
 * followed meanwhile. Only what cannot be helped by waiting becomes run->fatal.
 */
void run_recorder_start(struct run *run);
void run_recorder_release(struct run *run);
/* The step's row and its attempt's; `event` (or NULL) is appended with `kind`. */
void run_record_step(struct run_step *step, const char *kind, const char *event);
/* The rows of steps that changed without an attempt of their own (skipped, cancelled). */
void run_record_others(struct run *run, const size_t *steps, size_t count);
void run_record_ended(struct run *run);
/* The lease is to be renewed, which every write does. */
void run_record_lease(struct run *run);
void run_record_turn(struct run *run);
/* True when nothing is left to be written. */
bool run_record_flush(struct run *run);

/* Prepares what is ready and launches what is prepared and recorded (run_launch.c). */
void run_launch_ready(struct run *run);
/* Those that wait for their record have no job yet. */
void run_cancel_prepared(struct run *run);
/* What the jobs of steps report to (run_execute.c). */
extern const struct job_events run_job_events, run_job_events_with_output;
/* The attempt is over: state, reason and artifacts are noted, then the others learn of it. */
void run_end_step(struct run_step *step, enum step_state state);

/* The contract and the rest of a launch (run.c); released with run_launch_release(). */
struct run_launch {
	struct step_launch launch;
	json_t *contract;
};
/* `files`: what run_stage_start() gave; NULL: what it would give. */
bool run_launch_prepare(struct run_step *step, int attempt, const json_t *files,
                        struct run_launch *prepared, struct error **err);
void run_launch_release(struct run_launch *prepared);

/*
 * Puts the files that the step reads into the artifact store while the loop goes on (run_stage.c),
 * and calls `staged` from the loop as step_stage_start() does. False when there are none to put.
 */
bool run_stage_start(struct run_step *step,
                     void (*staged)(struct run_step *step, const json_t *files,
                                    const struct error *error));
/* True when there was something to cancel: `staged` is not called then. */
bool run_stage_cancel(struct run_step *step);

#endif
