/* SPDX-License-Identifier: Apache-2.0 */
/* Drives a run: launches what is ready, takes in how jobs end, until every step is in a final
 * state. */
#include <signal.h>
#include <string.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/text.h"
#include "materializers/materializer.h"
#include "operator/run_parts.h"

#define LEASE_RENEWAL_MS 10000
#define TICK_MS 1000
#define RESULT_LIMIT_BYTES (16u << 20)
#define FETCH_TRIES 6
#define FETCH_DELAY_MS 500
/* A job that does not end when it is asked to is left to the cluster's garbage collection. */
#define CANCEL_PATIENCE_MS 60000

static void job_changed(void *context, struct job *job, const struct job_report *report);
static void job_output(void *context, struct job *job, const char *bytes, size_t size);

const struct job_events run_job_events = { .changed = job_changed };
const struct job_events run_job_events_with_output = { .changed = job_changed,
	                                               .output = job_output };

static enum step_state state_of(const struct run_step *step)
{
	return scheduler_state(step->run->scheduler, step->index);
}

static void notify(struct run *run, size_t index)
{
	run->observer->step_changed(run->observer_context, run, index);
}

static void replace(char **text, char *by)
{
	free(*text);
	*text = by;
}

static char *copy(const char *text)
{
	return text && *text ? xstrdup(text) : NULL;
}

/* Steps whose state changed because of another's end. */
struct others {
	struct run *run;
	const char *reason; /* "needs 'trainer', which failed" */
	size_t *steps;
	size_t count;
};

static void note_other(void *context, size_t index)
{
	struct others *others = context;
	struct run_step *step = &others->run->steps[index];

	if (step_state_is_final(state_of(step))) {
		step->ended_at = clock_now_ms();
		replace(&step->detail, copy(others->reason));
	}
	/* Doubled when full, so that a step's end costs what it changes and not the size of the
	 * run. */
	if (!(others->count & (others->count - 1)))
		others->steps = xrealloc(others->steps, others->count ? 2 * others->count : 1,
		                         sizeof(*others->steps));
	others->steps[others->count++] = index;
}

static void flush_others(struct others *others)
{
	size_t i;

	run_record_others(others->run, others->steps, others->count);
	for (i = 0; i < others->count; i++)
		notify(others->run, others->steps[i]);
	free(others->steps);
}

/* The attempt is over: state, reason and artifacts are recorded together, then the others learn of
 * it. */
void run_end_step(struct run_step *step, enum step_state state)
{
	struct run *run = step->run;
	scoped(text) char *reason =
		text_printf("needs '%s', which %s", step->step->name,
	                    state == STEP_CANCELLED ? "was cancelled" : "failed");
	scoped(text) char *event = NULL;
	struct others others = { .run = run, .reason = reason };

	step->ended_at = clock_now_ms();
	step->next_ended = run->ended;
	run->ended = step;
	scheduler_ended(run->scheduler, step->index, state, note_other, &others);
	event = text_printf("%s%s%s", step_state_name(state), step->detail ? ": " : "",
	                    step->detail ? step->detail : "");
	run_record_step(step, "state", event);
	notify(run, step->index);
	flush_others(&others);
}

static const struct step_output *find_output(const struct step *step, const char *name)
{
	size_t i;

	for (i = 0; i < step->output_count; i++)
		if (!strcmp(step->outputs[i].name, name))
			return &step->outputs[i];
	return NULL;
}

/*
 * Looks at the artifact itself: what the step claims to have saved must be there. A store that
 * cannot be reached now is no reason to fail a step that succeeded.
 */
static bool describe_output(struct run_step *step, const struct step_output *output,
                            const json_t *claimed, struct error **err)
{
	const struct materializer *materializer = materializer_find(output->type);
	struct artifact_store *store = step->run->artifacts;
	scoped(text) char *uri = artifact_uri(store, step->run->pipeline->name, step->run->id,
	                                      step->step->name, step->attempt, output->name);
	scoped(error) struct error *trouble = NULL;
	json_t *metadata = materializer_describe(materializer, store, uri, &trouble);
	scoped(text) char *digest =
		metadata ? materializer_digest(materializer, store, uri, NULL) : NULL;

	if (!metadata && !error_is_retryable(trouble))
		return error_pass(err, take(trouble));
	if (!metadata)
		metadata = json_object();
	json_object_update_missing(metadata, json_object_get(claimed, "metadata"));
	json_array_append_new(step->artifacts,
	                      json_pack("{s:s, s:s, s:s, s:s?, s:o}", "name", output->name, "type",
	                                output->type, "uri", uri, "digest", digest, "metadata",
	                                metadata));
	return true;
}

static bool describe_outputs(struct run_step *step, const json_t *outputs, struct error **err)
{
	const char *name;
	json_t *claimed;

	json_decref(step->artifacts);
	step->artifacts = json_array();
	json_object_foreach ((json_t *)outputs, name, claimed) {
		const struct step_output *output = find_output(step->step, name);

		if (output && !describe_output(step, output, claimed, err))
			return error_wrap(err, "output '%s' is not there as it should be", name);
	}
	return true;
}

static void settle(struct run_step *step, const json_t *result, const struct error *result_error)
{
	struct verdict_case of = { .run_id = step->run->id,
		                   .step = step->step->name,
		                   .attempt = step->attempt,
		                   .has_function = step->step->function != NULL,
		                   .outputs = step->step->outputs,
		                   .output_count = step->step->output_count };
	scoped(error) struct error *err = NULL;
	struct verdict verdict;

	verdict_reach(&of, &step->final, result, result_error, &verdict);
	step->has_exit_code = step->final.has_exit_code;
	step->exit_code = step->final.exit_code;
	if (verdict.succeeded && !describe_outputs(step, verdict.outputs, &err)) {
		verdict.succeeded = false;
		verdict.reason = error_text(err);
	}
	replace(&step->detail, take(verdict.reason));
	replace(&step->message, take(verdict.message));
	replace(&step->advice, take(verdict.advice));
	if (verdict.warning)
		run_record_step(step, "warning", verdict.warning);
	step->workers_ready = 0;
	run_end_step(step, verdict.succeeded          ? STEP_SUCCEEDED
	                   : step->run->signal_number ? STEP_CANCELLED
	                                              : STEP_FAILED);
	verdict_release(&verdict);
}

/* NULL with *err NULL: there is none. */
static json_t *fetch_result(struct run_step *step, struct error **err)
{
	struct run *run = step->run;
	scoped(text) char *folder = artifact_uri(run->artifacts, run->pipeline->name, run->id,
	                                         step->step->name, step->attempt, NULL);
	scoped(text) char *uri = text_printf("%sresult.json", folder);
	scoped(error) struct error *trouble = NULL;
	size_t size;
	scoped(text) char *text =
		artifact_get(run->artifacts, uri, 0, 0, RESULT_LIMIT_BYTES, &size, &trouble);

	if (text)
		return json_loadb(text, size, 0, NULL);
	if (trouble->kind != ERROR_NOT_FOUND)
		error_pass(err, take(trouble));
	return NULL;
}

static void collect(void *context)
{
	struct run_step *step = context;
	scoped(error) struct error *err = NULL;
	json_auto_t *result = fetch_result(step, &err);

	step->fetch_timer = NULL;
	if (err && error_is_retryable(err) && ++step->fetch_tries < FETCH_TRIES) {
		step->fetch_timer = loop_start_timer(step->run->loop,
		                                     (int64_t)FETCH_DELAY_MS << step->fetch_tries,
		                                     collect, step);
		return;
	}
	settle(step, result, err);
}

static void keep_final(struct run_step *step, const struct job_report *report)
{
	step->has_final = true;
	step->final = (struct job_report){
		.phase = report->phase,
		.reason = copy(report->reason),
		.message = copy(report->message),
		.advice = copy(report->advice),
		.has_exit_code = report->has_exit_code,
		.exit_code = report->exit_code,
		.result = copy(report->result),
	};
}

/* Progress before the end. Recorded only when what a person would be told has changed. */
static void note_progress(struct run_step *step, const struct job_report *report)
{
	bool started = report->phase == JOB_RUNNING && !step->started_at;
	const char *reason = report->reason && *report->reason ? report->reason : NULL;
	bool other_reason = !text_equal(step->detail, reason);

	step->workers_ready = report->workers_ready;
	step->workers_wanted = report->workers_wanted;
	if (started)
		step->started_at = clock_now_ms();
	if (other_reason) {
		replace(&step->detail, copy(reason));
		replace(&step->message, copy(report->message));
		replace(&step->advice, copy(report->advice));
	}
	if (other_reason && step->detail)
		run_record_step(step, "waiting", step->detail);
	notify(step->run, step->index);
}

static void job_changed(void *context, struct job *job, const struct job_report *report)
{
	struct run_step *step = context;

	(void)job;
	if (step->has_final || step_state_is_final(state_of(step)))
		return;
	if (report->phase == JOB_PENDING || report->phase == JOB_RUNNING) {
		note_progress(step, report);
		return;
	}
	keep_final(step, report);
	collect(step);
}

static void job_output(void *context, struct job *job, const char *bytes, size_t size)
{
	struct run_step *step = context;

	(void)job;
	step->run->observer->output(step->run->observer_context, step->run, step->index, bytes,
	                            size);
}

/* A job's own callbacks are over when the loop's turn is. */
static void free_ended_jobs(struct run *run)
{
	while (run->ended) {
		struct run_step *step = run->ended;

		run->ended = step->next_ended;
		job_free(take(step->job));
	}
}

/* The loop stands still: a store that is asked again and again, a large file of an application. */
static void renew_while_waiting(void *context)
{
	struct run *run = context;

	run_record_lease(run);
	run_record_flush(run);
}

static void renew_lease(void *context)
{
	struct run *run = context;

	run->lease_timer = loop_start_timer(run->loop, LEASE_RENEWAL_MS, renew_lease, run);
	http_client_set_tick(run->http, LEASE_RENEWAL_MS, renew_while_waiting, run);
	run_record_lease(run);
}

static void cancel_impatiently(void *context)
{
	struct run *run = context;
	size_t i;

	run->cancel_timer = NULL;
	for (i = 0; i < run->pipeline->step_count; i++) {
		struct run_step *step = &run->steps[i];

		if (!step->job || step_state_is_final(state_of(step)))
			continue;
		replace(&step->detail, xstrdup("cancelled; its job had not ended after 60 s"));
		step->has_final = true;
		loop_cancel(take(step->fetch_timer));
		run_end_step(step, STEP_CANCELLED);
	}
}

static void cancel_jobs(struct run *run)
{
	size_t i;

	for (i = 0; i < run->pipeline->step_count; i++) {
		struct run_step *step = &run->steps[i];
		scoped(error) struct error *err = NULL;

		if (run_stage_cancel(step)) {
			replace(&step->detail, xstrdup("cancelled"));
			run_end_step(step, STEP_CANCELLED);
		}
		if (!step->job || step_state_is_final(state_of(step)))
			continue;
		if (!job_cancel(step->job, &err)) {
			scoped(text) char *why = error_text(err);

			run_record_step(step, "warning", why);
		}
	}
}

static void interrupted(void *context, int signal_number)
{
	struct run *run = context;
	struct others others = { .run = run, .reason = "cancelled" };

	if (run->signal_number || run->ended_at) {
		run->leaving = true;
		return;
	}
	run->signal_number = signal_number;
	scheduler_cancel(run->scheduler, note_other, &others);
	flush_others(&others);
	run_cancel_prepared(run);
	cancel_jobs(run);
	run->cancel_timer =
		loop_start_timer(run->loop, CANCEL_PATIENCE_MS, cancel_impatiently, run);
}

static void tick(void *context)
{
	struct run *run = context;

	run->tick_timer = loop_start_timer(run->loop, TICK_MS, tick, run);
	run->observer->tick(run->observer_context, run);
}

static void start_sources(struct run *run)
{
	if (run->observer->tick)
		run->tick_timer = loop_start_timer(run->loop, TICK_MS, tick, run);
	run->lease_timer = loop_start_timer(run->loop, LEASE_RENEWAL_MS, renew_lease, run);
	http_client_set_tick(run->http, LEASE_RENEWAL_MS, renew_while_waiting, run);
	run->interrupt = loop_watch_signal(run->loop, SIGINT, interrupted, run);
	run->terminate = loop_watch_signal(run->loop, SIGTERM, interrupted, run);
}

static void stop_sources(struct run *run)
{
	loop_cancel(take(run->lease_timer));
	http_client_set_tick(run->http, 0, NULL, NULL);
	loop_cancel(take(run->interrupt));
	loop_cancel(take(run->terminate));
	loop_cancel(take(run->cancel_timer));
	loop_cancel(take(run->tick_timer));
}

/* "'trainer' (ValueError: …), 'analyzer' (OOMKilled)" */
static char *failed_steps(const struct run *run)
{
	struct text_stream stream;
	bool any = false;
	size_t i;

	text_stream_open(&stream);
	for (i = 0; i < run->pipeline->step_count; i++) {
		const struct run_step *step = &run->steps[i];

		if (state_of(step) != STEP_FAILED)
			continue;
		fprintf(stream.file, "%sstep '%s': %s", any ? "; " : "", step->step->name,
		        step->detail ? step->detail : "failed");
		any = true;
	}
	return text_stream_take(&stream);
}

static void end_run(struct run *run)
{
	run_state_move(&run->state,
	               run->signal_number ? RUN_CANCELLED : scheduler_outcome(run->scheduler));
	run->ended_at = clock_now_ms();
	if (run->state == RUN_FAILED)
		replace(&run->reason, failed_steps(run));
	run_record_ended(run);
}

static bool conclude(struct run *run, struct error **err)
{
	bool recorded = run_record_flush(run); /* who leaves early leaves nothing unsaid */

	if (run->fatal)
		return error_pass(err, take(run->fatal));
	if (!run->ended_at)
		return error_set(err, ERROR_INTERRUPTED,
		                 "left at the second signal; jobs of run '%s' may still be ending",
		                 run->name);
	if (!recorded)
		return error_set(err, ERROR_INTERRUPTED,
		                 "left before the end of run '%s' was recorded: the metadata store "
		                 "is away",
		                 run->name);
	if (run->signal_number)
		return error_set(
			err, run->signal_number == SIGINT ? ERROR_INTERRUPTED : ERROR_TERMINATED,
			"run '%s' was cancelled", run->name);
	if (run->state == RUN_FAILED)
		return error_set(err, ERROR_RUN_FAILED, "run '%s' failed: %s", run->name,
		                 run->reason);
	return true;
}

/* True when the run has ended and that is recorded. */
static bool proceed(struct run *run)
{
	free_ended_jobs(run);
	run_launch_ready(run);
	if (scheduler_is_done(run->scheduler) && !run->ended_at)
		end_run(run);
	if (run->ended_at)
		return run_record_flush(run);
	run_record_turn(run);
	return false;
}

bool run_execute(struct run *run, const struct run_observer *observer, void *context,
                 struct error **err)
{
	run->observer = observer;
	run->observer_context = context;
	run->prepared_end = &run->prepared;
	if (!run_record_created(run, err))
		return error_wrap(err, "record the run '%s'", run->name);
	run_recorder_start(run);
	start_sources(run);
	while (!proceed(run) && !run->fatal && !run->leaving)
		loop_step(run->loop, -1);
	stop_sources(run);
	return conclude(run, err);
}
