/* SPDX-License-Identifier: Apache-2.0 */
/* Which step may start now, and what a step's end means for the others. Knows no jobs, no clock, no
 * database. */
#ifndef OPERATOR_SCHEDULER_H
#define OPERATOR_SCHEDULER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/memory.h"
#include "operator/graph.h"
#include "operator/state.h"

struct scheduler;

#define SCHEDULER_NONE ((size_t)-1)

/* The graph is kept, must have no cycle and live longer. `limit`: how many steps may be active at
 * once, at least 1. */
struct scheduler *scheduler_new(const struct graph *graph, size_t limit);
void scheduler_free(struct scheduler *scheduler);
DEFINE_CLEANUP(scheduler);

/* The next ready step that the limit allows, now STEP_LAUNCHING; SCHEDULER_NONE when there is none.
 * In the order in which steps became ready, ties in the file's order. */
size_t scheduler_take(struct scheduler *scheduler);

/* Its job exists. */
void scheduler_started(struct scheduler *scheduler, size_t step);

/*
 * A launching or running step has ended as `state` (succeeded, failed or cancelled). Steps that
 * need it become ready or, directly and indirectly, are skipped. `changed` is called once per
 * other step whose state changed.
 */
void scheduler_ended(struct scheduler *scheduler, size_t step, enum step_state state,
                     void (*changed)(void *context, size_t step), void *context);

/* Steps that have not been taken are cancelled; those that are active end by themselves. */
void scheduler_cancel(struct scheduler *scheduler, void (*changed)(void *context, size_t step),
                      void *context);

enum step_state scheduler_state(const struct scheduler *scheduler, size_t step);
size_t scheduler_active_count(const struct scheduler *scheduler);
/* Every step is in a final state. */
bool scheduler_is_done(const struct scheduler *scheduler);
/* RUN_RUNNING until done; then failed if a step failed, else cancelled if one was, else succeeded.
 */
enum run_state scheduler_outcome(const struct scheduler *scheduler);

#endif
