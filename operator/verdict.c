/* SPDX-License-Identifier: Apache-2.0 */
/* How an attempt ended: three witnesses reconciled. */
#include "operator/verdict.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"

void verdict_release(struct verdict *verdict)
{
	free(verdict->reason);
	free(verdict->message);
	free(verdict->advice);
	free(verdict->warning);
	json_decref(verdict->outputs);
	*verdict = (struct verdict){ 0 };
}

/* A twin's result, or one of an earlier attempt, must not count. */
static bool is_about(const json_t *result, const struct verdict_case *of)
{
	const char *run = json_string_value(json_object_get(result, "run"));
	const char *step = json_string_value(json_object_get(result, "step"));

	return text_equal(run, of->run_id) && text_equal(step, of->step) &&
	       json_integer_value(json_object_get(result, "attempt")) == of->attempt;
}

static bool has_state(const json_t *result, const char *state)
{
	return text_equal(json_string_value(json_object_get(result, "state")), state);
}

static const char *missing_output(const json_t *result, const struct verdict_case *of)
{
	const json_t *outputs = json_object_get(result, "outputs");
	size_t i;

	for (i = 0; i < of->output_count; i++)
		if (!json_is_object(json_object_get(outputs, of->outputs[i].name)))
			return of->outputs[i].name;
	return NULL;
}

static void accept(const struct job_report *report, const json_t *result, struct verdict *verdict)
{
	json_t *outputs = json_object_get(result, "outputs");

	verdict->succeeded = true;
	verdict->outputs = outputs ? json_incref(outputs) : json_object();
	if (report->phase == JOB_FAILED)
		verdict->warning =
			text_printf("the step saved its results, then its job ended badly: %s",
		                    report->reason ? report->reason : "unknown reason");
}

/* The exit code 1 of a Python process says nothing beside the exception that it reports. */
static bool was_killed(const struct job_report *report)
{
	return report->phase == JOB_FAILED && report->reason && report->advice;
}

static void blame_user(const struct job_report *report, const json_t *result,
                       struct verdict *verdict)
{
	const json_t *error = json_object_get(result, "error");
	const char *type = json_string_value(json_object_get(error, "type"));
	const char *text = json_string_value(json_object_get(error, "message"));

	/* One line of the message: what follows is in the traceback. */
	verdict->reason = text_printf(
		"%s%s%.*s%s%s%s", type ? type : "error", text && *text ? ": " : "",
		text ? (int)strcspn(text, "\r\n") : 0, text ? text : "",
		was_killed(report) ? " (" : "", was_killed(report) ? report->reason : "",
		was_killed(report) ? ")" : "");
	verdict->message = text_copy(json_string_value(json_object_get(error, "traceback")));
	verdict->advice = was_killed(report) ? text_copy(report->advice) : NULL;
}

static void blame_job(const struct job_report *report, struct verdict *verdict)
{
	if (report->reason)
		verdict->reason = xstrdup(report->reason);
	else if (report->has_exit_code)
		verdict->reason = text_printf("exit code %d", report->exit_code);
	else
		verdict->reason = xstrdup("the job failed without saying why");
	verdict->message = text_copy(report->message);
	verdict->advice = text_copy(report->advice);
}

static void blame_missing_result(const struct error *result_error, struct verdict *verdict)
{
	if (result_error) {
		scoped(text) char *why = error_text(result_error);

		verdict->reason = xstrdup("the job ended, but its result cannot be read");
		verdict->message = take(why);
		verdict->advice =
			xstrdup("Check that the artifact store can be reached from here.");
		return;
	}
	verdict->reason = xstrdup("the job ended without writing its result");
	verdict->advice = xstrdup("The program exited before the step function returned (os._exit, "
	                          "a signal handler?); see the step's log.");
}

void verdict_reach(const struct verdict_case *of, const struct job_report *report,
                   const json_t *result, const struct error *result_error, struct verdict *verdict)
{
	json_auto_t *carried = report->result ? json_loads(report->result, 0, NULL) : NULL;

	*verdict = (struct verdict){ 0 };
	if (result && !is_about(result, of))
		result = NULL;
	if (result && has_state(result, "succeeded") && !missing_output(result, of)) {
		accept(report, result, verdict);
		return;
	}
	verdict->outputs = json_object();
	if (result && has_state(result, "succeeded"))
		verdict->reason =
			text_printf("result.json lacks output '%s'", missing_output(result, of));
	else if (result && has_state(result, "failed"))
		blame_user(report, result, verdict);
	else if (carried && is_about(carried, of) && has_state(carried, "failed"))
		blame_user(report, carried, verdict);
	else if (report->phase == JOB_FAILED)
		blame_job(report, verdict);
	else if (of->has_function)
		blame_missing_result(result_error, verdict);
	else
		verdict->succeeded = true;
}
