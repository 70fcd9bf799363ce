/* SPDX-License-Identifier: Apache-2.0 */
/* Which step may start now, and what a step's end means for the others. */
#include "operator/scheduler.h"

#include <assert.h>
#include <stdlib.h>

struct scheduler {
	const struct graph *graph;
	size_t count, limit;
	size_t active, finished;
	enum step_state *states;
	size_t *unmet; /* predecessors that have not succeeded yet */
	size_t *queue; /* steps in the order in which they became ready */
	size_t queue_head, queue_tail;
};

static void make_ready(struct scheduler *scheduler, size_t step)
{
	step_state_move(&scheduler->states[step], STEP_READY);
	scheduler->queue[scheduler->queue_tail++] = step;
}

struct scheduler *scheduler_new(const struct graph *graph, size_t limit)
{
	struct scheduler *scheduler = xcalloc(1, sizeof(*scheduler));
	size_t count = graph_node_count(graph), i;

	assert(limit);
	scheduler->graph = graph;
	scheduler->count = count;
	scheduler->limit = limit;
	scheduler->states = xcalloc(count, sizeof(*scheduler->states));
	scheduler->unmet = xcalloc(count, sizeof(*scheduler->unmet));
	scheduler->queue = xcalloc(count, sizeof(*scheduler->queue));
	for (i = 0; i < count; i++) {
		graph_predecessors(graph, i, &scheduler->unmet[i]);
		if (!scheduler->unmet[i])
			make_ready(scheduler, i);
	}
	return scheduler;
}

void scheduler_free(struct scheduler *scheduler)
{
	if (!scheduler)
		return;
	free(scheduler->states);
	free(scheduler->unmet);
	free(scheduler->queue);
	free(scheduler);
}

size_t scheduler_take(struct scheduler *scheduler)
{
	while (scheduler->queue_head < scheduler->queue_tail &&
	       scheduler->active < scheduler->limit) {
		size_t step = scheduler->queue[scheduler->queue_head++];

		if (scheduler->states[step] != STEP_READY)
			continue;
		step_state_move(&scheduler->states[step], STEP_LAUNCHING);
		scheduler->active++;
		return step;
	}
	return SCHEDULER_NONE;
}

void scheduler_started(struct scheduler *scheduler, size_t step)
{
	step_state_move(&scheduler->states[step], STEP_RUNNING);
}

static void finish(struct scheduler *scheduler, size_t step, enum step_state state)
{
	step_state_move(&scheduler->states[step], state);
	scheduler->finished++;
}

/* Every waiting step that can be reached; each is visited once, so the cost is linear. */
static void skip_followers(struct scheduler *scheduler, size_t step,
                           void (*changed)(void *context, size_t step), void *context)
{
	size_t *stack = xcalloc(scheduler->count + 1, sizeof(*stack));
	size_t depth = 0;

	stack[depth++] = step;
	while (depth) {
		size_t count, i;
		const size_t *next = graph_successors(scheduler->graph, stack[--depth], &count);

		for (i = 0; i < count; i++) {
			if (scheduler->states[next[i]] != STEP_WAITING)
				continue;
			finish(scheduler, next[i], STEP_SKIPPED);
			stack[depth++] = next[i];
			changed(context, next[i]);
		}
	}
	free(stack);
}

static void release_followers(struct scheduler *scheduler, size_t step,
                              void (*changed)(void *context, size_t step), void *context)
{
	size_t count, i;
	const size_t *next = graph_successors(scheduler->graph, step, &count);

	for (i = 0; i < count; i++) {
		if (--scheduler->unmet[next[i]] || scheduler->states[next[i]] != STEP_WAITING)
			continue;
		make_ready(scheduler, next[i]);
		changed(context, next[i]);
	}
}

void scheduler_ended(struct scheduler *scheduler, size_t step, enum step_state state,
                     void (*changed)(void *context, size_t step), void *context)
{
	assert(scheduler->active);
	scheduler->active--;
	finish(scheduler, step, state);
	if (state == STEP_SUCCEEDED)
		release_followers(scheduler, step, changed, context);
	else
		skip_followers(scheduler, step, changed, context);
}

void scheduler_cancel(struct scheduler *scheduler, void (*changed)(void *context, size_t step),
                      void *context)
{
	size_t i;

	for (i = 0; i < scheduler->count; i++) {
		if (scheduler->states[i] != STEP_WAITING && scheduler->states[i] != STEP_READY)
			continue;
		finish(scheduler, i, STEP_CANCELLED);
		changed(context, i);
	}
}

enum step_state scheduler_state(const struct scheduler *scheduler, size_t step)
{
	return scheduler->states[step];
}

size_t scheduler_active_count(const struct scheduler *scheduler)
{
	return scheduler->active;
}

bool scheduler_is_done(const struct scheduler *scheduler)
{
	return scheduler->finished == scheduler->count;
}

enum run_state scheduler_outcome(const struct scheduler *scheduler)
{
	bool cancelled = false;
	size_t i;

	if (!scheduler_is_done(scheduler))
		return RUN_RUNNING;
	for (i = 0; i < scheduler->count; i++) {
		if (scheduler->states[i] == STEP_FAILED)
			return RUN_FAILED;
		cancelled |= scheduler->states[i] == STEP_CANCELLED;
	}
	return cancelled ? RUN_CANCELLED : RUN_SUCCEEDED;
}
