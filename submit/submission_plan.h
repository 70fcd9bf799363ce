/* SPDX-License-Identifier: Apache-2.0 */
/* What a submission asks the API server, one request after the other: a state machine without I/O.
 * submission_create() waits for the answers, submission_queue takes them from the loop. */
#ifndef SUBMIT_SUBMISSION_PLAN_H
#define SUBMIT_SUBMISSION_PLAN_H

#include <jansson.h>
#include <stdbool.h>

#include "core/error.h"

enum submission_state {
	SUBMISSION_CREATING,  /* an object is to be created */
	SUBMISSION_ADOPTING,  /* it exists already: it is to be looked at */
	SUBMISSION_OWNING,    /* the driver pod is to become its owner */
	SUBMISSION_UNDOING,   /* what was created is to be deleted */
	SUBMISSION_SUBMITTED, /* all is there, and owned */
	SUBMISSION_FAILED,
	SUBMISSION_STATE_COUNT,
};

struct submission_plan;

/* The objects (driver_objects_build: one Pod among them) are borrowed. */
struct submission_plan *submission_plan_new(const json_t *objects);
void submission_plan_free(struct submission_plan *plan);
DEFINE_CLEANUP(submission_plan);

/* The request that is due; borrowed until it was answered. */
struct submission_request {
	enum submission_state state; /* create, get, patch or delete `object` */
	const json_t *object;
	const json_t *patch; /* of SUBMISSION_OWNING */
	bool is_blind;       /* only whether it succeeds counts; the answer may stay out */
};
/* False when there is none: the submission has succeeded or failed. */
bool submission_plan_next(const struct submission_plan *plan, struct submission_request *request);

/* What came of it, both taken over: the object as stored (NULL if it was not asked for), or why
 * not. */
void submission_plan_answer_take(struct submission_plan *plan, json_t *stored,
                                 struct error *failure);

/* The driver pod as stored, borrowed; NULL unless it is SUBMISSION_SUBMITTED. */
const json_t *submission_plan_pod(const struct submission_plan *plan);
/* Why it is SUBMISSION_FAILED, borrowed; else NULL. */
const struct error *submission_plan_error(const struct submission_plan *plan);

#endif
