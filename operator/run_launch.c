/* SPDX-License-Identifier: Apache-2.0 */
/* Launches the steps of a run that are ready: prepared, recorded, and only then acted upon. */
#include "core/clock.h"
#include "core/file.h"
#include "core/memory.h"
#include "operator/run_parts.h"

static void replace(char **text, char *by)
{
	free(*text);
	*text = by;
}

/* What the error chain says first is the reason; the rest is told as the message. */
static void fail_launch(struct run_step *step, const struct error *error)
{
	const struct error *cause = error;

	while (cause->cause)
		cause = cause->cause;
	replace(&step->detail, xstrdup(error->message));
	replace(&step->message, error_text(error));
	if (cause == error)
		replace(&step->message, NULL);
	run_end_step(step, STEP_FAILED);
}

/* Notes the attempt and all that it needs; it is launched when that is recorded. */
static bool prepare(struct run_step *step, const json_t *files, struct error **err)
{
	step->prepared = xcalloc(1, sizeof(*step->prepared));
	if (!run_launch_prepare(step, step->attempt, files, step->prepared, err) ||
	    !file_make_folders(step->work_folder, 0755, err))
		return false;
	run_record_step(step, "state", "launching");
	return true;
}

static void staged(struct run_step *step, const json_t *files, const struct error *error)
{
	struct run *run = step->run;
	scoped(error) struct error *err = NULL;

	replace(&step->detail, NULL);
	if (error)
		error_pass(&err, error_copy(error));
	if (error || !prepare(step, files, &err)) {
		fail_launch(step, err);
		return;
	}
	step->next_prepared = NULL;
	*run->prepared_end = step;
	run->prepared_end = &step->next_prepared;
}

static void stage(struct run_step *step)
{
	step->attempt = 1;
	step->created_at = clock_now_ms();
	if (!run_stage_start(step, staged)) {
		staged(step, NULL, NULL);
		return;
	}
	replace(&step->detail, xstrdup("its files are being uploaded"));
	run_record_step(step, "waiting", step->detail);
	step->run->observer->step_changed(step->run->observer_context, step->run, step->index);
}

static void prepare_ready(struct run *run)
{
	size_t index;

	while (!run->fatal && (index = scheduler_take(run->scheduler)) != SCHEDULER_NONE)
		stage(&run->steps[index]);
}

static void launch(struct run_step *step)
{
	struct run *run = step->run;
	const struct job_events *events =
		run->context.wants_output ? &run_job_events_with_output : &run_job_events;
	scoped(error) struct error *err = NULL;

	step->job = job_launch(step->operator, & step->prepared->launch, events, step, &err);
	run_launch_release(step->prepared);
	free(take(step->prepared));
	if (!step->job) {
		fail_launch(step, err);
		return;
	}
	replace(&step->job_name, xstrdup(job_describe(step->job)));
	scheduler_started(run->scheduler, step->index);
	run_record_step(step, "state", "running");
	run->observer->step_changed(run->observer_context, run, step->index);
}

static struct run_step *take_prepared(struct run *run)
{
	struct run_step *step = run->prepared;

	run->prepared = step->next_prepared;
	if (!run->prepared)
		run->prepared_end = &run->prepared;
	return step;
}

/* An attempt is recorded before it is acted upon, many of them at once. */
void run_launch_ready(struct run *run)
{
	prepare_ready(run);
	while (run->prepared && run_record_flush(run)) {
		while (run->prepared)
			launch(take_prepared(run));
		prepare_ready(run); /* in the place of those that could not be launched */
	}
}

/* Those that wait for a record have no job yet. */
void run_cancel_prepared(struct run *run)
{
	while (run->prepared) {
		struct run_step *step = take_prepared(run);

		replace(&step->detail, xstrdup("cancelled"));
		run_end_step(step, STEP_CANCELLED);
	}
}
