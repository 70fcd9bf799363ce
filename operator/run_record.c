/* SPDX-License-Identifier: Apache-2.0 */
/* Records what a run does: noted at once, written together, kept while the store is away. */
#include <string.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/run_parts.h"

/* A call waits at most so long for the store: the engine waits with it. */
#define PATIENCE_MS 2000
#define PATIENCE_WHILE_AWAY_MS 500
/* Writing takes a tenth of the engine's time at most, but for what it has to wait for. */
#define REST_FACTOR 9
#define LONGEST_REST_MS 2000
#define FIRST_PAUSE_MS 500
#define LONGEST_PAUSE_MS 15000
/* How long a store may be away when there is nothing left to do but to record. */
#define AWAY_LIMIT_MS (10 * 60 * 1000)

static void write_later(void *context);

static void notice(struct run *run, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));
static void notice(struct run *run, const char *format, ...)
{
	scoped(text) char *text = NULL;
	va_list args;

	if (!run->observer || !run->observer->notice)
		return;
	va_start(args, format);
	text = text_vprintf(format, args);
	va_end(args);
	run->observer->notice(run->observer_context, run, text);
}

/* ---- what is to be written ---- */

static bool is_empty(const struct run_recorder *recorder)
{
	return !recorder->step_count && !recorder->event_count && !recorder->run_changed &&
	       !recorder->lease_is_due;
}

/* Arrays are doubled when full. */
static void note_step(struct run_step *step)
{
	struct run_recorder *recorder = &step->run->recorder;
	size_t count = recorder->step_count;

	if (step->is_noted)
		return;
	step->is_noted = true;
	if (!(count & (count - 1)))
		recorder->steps =
			xrealloc(recorder->steps, count ? 2 * count : 1, sizeof(*recorder->steps));
	recorder->steps[recorder->step_count++] = step->index;
}

static void note_event(struct run_recorder *recorder, struct event_row event)
{
	size_t count = recorder->event_count;

	if (!(count & (count - 1)))
		recorder->events = xrealloc(recorder->events, count ? 2 * count : 1,
		                            sizeof(*recorder->events));
	event.at = clock_now_ms();
	event.message = text_copy(event.message);
	recorder->events[recorder->event_count++] = event;
}

static void forget(struct run *run)
{
	struct run_recorder *recorder = &run->recorder;
	size_t i;

	for (i = 0; i < recorder->step_count; i++)
		run->steps[recorder->steps[i]].is_noted = false;
	for (i = 0; i < recorder->event_count; i++)
		free(recorder->events[i].message);
	recorder->step_count = recorder->event_count = 0;
	recorder->run_changed = recorder->lease_is_due = false;
}

void run_recorder_release(struct run *run)
{
	struct run_recorder *recorder = &run->recorder;

	forget(run);
	loop_cancel(take(recorder->timer));
	free(recorder->steps);
	free(recorder->events);
}

/* ---- writing ---- */

static bool write_change(struct run *run, struct error **err)
{
	struct run_recorder *recorder = &run->recorder;
	size_t count = recorder->step_count, attempts = 0, artifact_count = 0, i;
	struct step_row *step_rows = xcalloc(count, sizeof(*step_rows));
	struct attempt_row *attempt_rows = xcalloc(count, sizeof(*attempt_rows));
	struct artifact_row *artifacts = NULL;
	struct run_row row = run_row(run);
	bool written;

	for (i = 0; i < count; i++) {
		const struct run_step *step = &run->steps[recorder->steps[i]];

		step_rows[i] = run_step_row(step);
		if (step->attempt)
			attempt_rows[attempts++] = run_attempt_row(step);
		run_append_artifact_rows(step, &artifacts, &artifact_count);
	}
	written = metadata_record(run->metadata, &run->lease,
	                          &(struct metadata_change){
					  .run = recorder->run_changed ? &row : NULL,
					  .steps = step_rows,
					  .step_count = count,
					  .attempts = attempt_rows,
					  .attempt_count = attempts,
					  .artifacts = artifacts,
					  .artifact_count = artifact_count,
					  .events = recorder->events,
					  .event_count = recorder->event_count,
				  },
	                          err);
	run_free_artifact_rows(artifacts, artifact_count);
	free(attempt_rows);
	free(step_rows);
	return written;
}

static void start_timer(struct run *run, int64_t delay_ms)
{
	struct run_recorder *recorder = &run->recorder;

	loop_cancel(take(recorder->timer));
	recorder->timer = loop_start_timer(run->loop, delay_ms, write_later, run);
}

/* Jobs go on while the store is away, and so does who follows them. */
static bool may_wait(const struct run *run)
{
	size_t i;

	if (loop_now_ms() - run->recorder.away_since_ms < AWAY_LIMIT_MS)
		return true;
	for (i = 0; i < run->pipeline->step_count; i++)
		if (run->steps[i].job && !run->steps[i].has_final)
			return true;
	return false;
}

static void write_failed(struct run *run, struct error *error)
{
	struct run_recorder *recorder = &run->recorder;
	scoped(text) char *why = error_text(error);

	if (!recorder->away_since_ms) {
		recorder->away_since_ms = loop_now_ms();
		recorder->pause_ms = FIRST_PAUSE_MS;
		metadata_set_patience(run->metadata, PATIENCE_WHILE_AWAY_MS);
		if (error_is_retryable(error))
			notice(run,
			       "the metadata store is away; what happens is recorded when it "
			       "is back: %s",
			       why);
	}
	if (!error_is_retryable(error) || !may_wait(run)) {
		run->fatal = error;
		error_wrap(&run->fatal, "record the run '%s'", run->name);
		return;
	}
	error_free(error);
	start_timer(run, recorder->pause_ms);
	recorder->pause_ms = 2 * recorder->pause_ms < LONGEST_PAUSE_MS ? 2 * recorder->pause_ms
	                                                               : LONGEST_PAUSE_MS;
}

static void came_back(struct run *run)
{
	scoped(text) char *away =
		clock_format_duration(loop_now_ms() - run->recorder.away_since_ms);

	run->recorder.away_since_ms = 0;
	metadata_set_patience(run->metadata, PATIENCE_MS);
	notice(run, "the metadata store is back after %s; all is recorded", away);
}

static bool write_now(struct run *run)
{
	struct run_recorder *recorder = &run->recorder;
	int64_t start = loop_now_ms(), end, rest;
	struct error *error = NULL;

	if (!write_change(run, &error)) {
		write_failed(run, error);
		return false;
	}
	forget(run);
	end = loop_now_ms();
	rest = REST_FACTOR * (end - start);
	recorder->rest_until_ms = end + (rest < LONGEST_REST_MS ? rest : LONGEST_REST_MS);
	if (recorder->away_since_ms)
		came_back(run);
	return true;
}

static void write_later(void *context)
{
	struct run *run = context;

	run->recorder.timer = NULL;
	if (!run->fatal && !is_empty(&run->recorder))
		write_now(run);
}

bool run_record_flush(struct run *run)
{
	if (run->fatal)
		return false;
	if (is_empty(&run->recorder))
		return true;
	if (run->recorder.away_since_ms)
		return false; /* the timer will see */
	loop_cancel(take(run->recorder.timer));
	return write_now(run);
}

void run_record_turn(struct run *run)
{
	struct run_recorder *recorder = &run->recorder;
	int64_t now = loop_now_ms();

	if (run->fatal || recorder->away_since_ms || recorder->timer || is_empty(recorder))
		return;
	if (recorder->rest_until_ms > now)
		start_timer(run, recorder->rest_until_ms - now);
	else
		write_now(run);
}

/* ---- what happens ---- */

void run_record_step(struct run_step *step, const char *kind, const char *event)
{
	note_step(step);
	if (event)
		note_event(&step->run->recorder, (struct event_row){
							 .run_id = step->run->id,
							 .step = step->step->name,
							 .attempt = step->attempt,
							 .kind = (char *)kind,
							 .message = (char *)event,
						 });
}

void run_record_others(struct run *run, const size_t *indexes, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		note_step(&run->steps[indexes[i]]);
}

void run_record_ended(struct run *run)
{
	run->recorder.run_changed = true;
	note_event(&run->recorder, (struct event_row){
					   .run_id = run->id,
					   .kind = (char *)"state",
					   .message = (char *)run_state_name(run->state),
				   });
}

void run_record_lease(struct run *run)
{
	run->recorder.lease_is_due = true;
}

void run_recorder_start(struct run *run)
{
	metadata_set_patience(run->metadata, PATIENCE_MS);
}
