/* SPDX-License-Identifier: Apache-2.0 */
/* How an attempt ended: three witnesses (the job's final state, its exit code, result.json)
 * reconciled. */
#ifndef OPERATOR_VERDICT_H
#define OPERATOR_VERDICT_H

#include <jansson.h>
#include <stdbool.h>

#include "core/error.h"
#include "operator/flavor.h"

struct verdict {
	bool succeeded;
	char *reason;    /* one line; NULL on success */
	char *message;   /* long: traceback, Kubernetes' text; or NULL */
	char *advice;    /* or NULL */
	char *warning;   /* the witnesses disagree, yet the verdict stands; or NULL */
	json_t *outputs; /* of result.json: name -> {"type", "uri", "metadata"}; an empty object
	                    when there is none */
};
void verdict_release(struct verdict *verdict);

/* Whose result it must be, and what it must contain. */
struct verdict_case {
	const char *run_id, *step;
	int attempt;
	bool has_function; /* a function step always leaves a result; a `main:` step never does */
	const struct step_output *outputs;
	size_t output_count;
};

/*
 * `report` is final. `result` is result.json, NULL when there is none; `result_error` says why it
 * could not be read (the store is down), NULL when it is known to be absent. A result of another
 * run, step or attempt is no witness. Rules:
 * - result says succeeded, all outputs there: succeeded; a job that failed afterwards is a warning.
 * - result says failed: failed, by the user's error, whatever the job says, unless it was killed
 * (OOMKilled …), which is named as well.
 * - no result: the short one that the job carries (termination log) stands in for a failure;
 *   else the job's own reason; a job that ended well without a result has failed, but for `main:`
 * steps.
 */
void verdict_reach(const struct verdict_case *of, const struct job_report *report,
                   const json_t *result, const struct error *result_error, struct verdict *verdict);

#endif
