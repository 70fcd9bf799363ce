/* SPDX-License-Identifier: Apache-2.0 */
/* States of runs, steps and attempts, and the moves that are allowed. */
#ifndef OPERATOR_STATE_H
#define OPERATOR_STATE_H

#include <stdbool.h>

enum step_state {
	STEP_WAITING,   /* for steps before it */
	STEP_READY,     /* may be launched */
	STEP_LAUNCHING, /* recorded; the job is being created */
	STEP_RUNNING,   /* the job exists */
	STEP_SUCCEEDED,
	STEP_FAILED,
	STEP_SKIPPED, /* a step that it needs did not succeed */
	STEP_CANCELLED,
	STEP_STATE_COUNT,
};

enum run_state {
	RUN_RUNNING,
	RUN_SUCCEEDED,
	RUN_FAILED,
	RUN_CANCELLED,
	RUN_STATE_COUNT,
};

const char *step_state_name(enum step_state state);
bool step_state_find(const char *name, enum step_state *state);
bool step_state_is_final(enum step_state state);
/* The only mover; a move that the table does not allow is a bug (assert). */
void step_state_move(enum step_state *state, enum step_state next);
bool step_state_may_move(enum step_state state, enum step_state next);

const char *run_state_name(enum run_state state);
bool run_state_find(const char *name, enum run_state *state);
bool run_state_is_final(enum run_state state);
void run_state_move(enum run_state *state, enum run_state next);
bool run_state_may_move(enum run_state state, enum run_state next);

#endif
