/* SPDX-License-Identifier: Apache-2.0 */
/* States of runs, steps and attempts, and the moves that are allowed. */
#include "operator/state.h"

#include <assert.h>
#include <string.h>

#include "core/memory.h"

#define TO(state) (1u << (state))

/* A state that nothing leaves is final. */
struct state_row {
	const char *name;
	unsigned moves; /* TO() of each state that may follow */
};

static const struct state_row step_states[STEP_STATE_COUNT] = {
	[STEP_WAITING] = { "waiting", TO(STEP_READY) | TO(STEP_SKIPPED) | TO(STEP_CANCELLED) },
	[STEP_READY] = { "ready", TO(STEP_LAUNCHING) | TO(STEP_CANCELLED) },
	/* A short job may have ended by the time that it is first seen, so its success is news. */
	[STEP_LAUNCHING] = { "launching", TO(STEP_RUNNING) | TO(STEP_SUCCEEDED) | TO(STEP_FAILED) |
	                                          TO(STEP_CANCELLED) },
	[STEP_RUNNING] = { "running", TO(STEP_SUCCEEDED) | TO(STEP_FAILED) | TO(STEP_CANCELLED) },
	[STEP_SUCCEEDED] = { "succeeded", 0 },
	[STEP_FAILED] = { "failed", 0 },
	[STEP_SKIPPED] = { "skipped", 0 },
	[STEP_CANCELLED] = { "cancelled", 0 },
};

static const struct state_row run_states[RUN_STATE_COUNT] = {
	[RUN_RUNNING] = { "running", TO(RUN_SUCCEEDED) | TO(RUN_FAILED) | TO(RUN_CANCELLED) },
	[RUN_SUCCEEDED] = { "succeeded", 0 },
	[RUN_FAILED] = { "failed", 0 },
	[RUN_CANCELLED] = { "cancelled", 0 },
};

/* `count` when there is none of that name. */
static unsigned find(const struct state_row *rows, unsigned count, const char *name)
{
	unsigned i;

	for (i = 0; i < count; i++)
		if (!strcmp(rows[i].name, name))
			break;
	return i;
}

const char *step_state_name(enum step_state state)
{
	assert(state < STEP_STATE_COUNT);
	return step_states[state].name;
}

bool step_state_find(const char *name, enum step_state *state)
{
	unsigned found = find(step_states, STEP_STATE_COUNT, name);

	if (found == STEP_STATE_COUNT)
		return false;
	*state = found;
	return true;
}

bool step_state_is_final(enum step_state state)
{
	assert(state < STEP_STATE_COUNT);
	return !step_states[state].moves;
}

bool step_state_may_move(enum step_state state, enum step_state next)
{
	assert(state < STEP_STATE_COUNT && next < STEP_STATE_COUNT);
	return step_states[state].moves & TO(next);
}

void step_state_move(enum step_state *state, enum step_state next)
{
	assert(step_state_may_move(*state, next));
	*state = next;
}

const char *run_state_name(enum run_state state)
{
	assert(state < RUN_STATE_COUNT);
	return run_states[state].name;
}

bool run_state_find(const char *name, enum run_state *state)
{
	unsigned found = find(run_states, RUN_STATE_COUNT, name);

	if (found == RUN_STATE_COUNT)
		return false;
	*state = found;
	return true;
}

bool run_state_is_final(enum run_state state)
{
	assert(state < RUN_STATE_COUNT);
	return !run_states[state].moves;
}

bool run_state_may_move(enum run_state state, enum run_state next)
{
	assert(state < RUN_STATE_COUNT && next < RUN_STATE_COUNT);
	return run_states[state].moves & TO(next);
}

void run_state_move(enum run_state *state, enum run_state next)
{
	assert(run_state_may_move(*state, next));
	*state = next;
}
