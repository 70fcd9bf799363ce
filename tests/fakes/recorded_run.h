/* SPDX-License-Identifier: Apache-2.0 */
/* A run that is recorded event by event, for tests of what servers do to it meanwhile. */
#ifndef TESTS_FAKES_RECORDED_RUN_H
#define TESTS_FAKES_RECORDED_RUN_H

#include <sys/types.h>

#include "tests/fakes/metadata_suite.h"

#define RECORDED_RUN_ID "7d1f00000000000000000000000000aa"

struct recorded_run {
	struct metadata_store *store;
	struct lease lease;
	int64_t recorded; /* events */
};
void recorded_run_start(struct recorded_run *run, struct metadata_fixture *fixture);
void recorded_run_end(struct recorded_run *run);

/* The next event, which tells its number, and what changed with it. */
bool recorded_run_record(struct recorded_run *run, struct error **err);
/*
 * The same, again and again while it can be repeated, as a run does: on a machine that is busy, a
 * server takes longer to start than one call waits.
 */
void recorded_run_continue(struct recorded_run *run);
/* Every event is there, once, in its order. */
void recorded_run_check(struct recorded_run *run);

/* A child process must not fail as a test does, for it would go on with the next one: it tells by
 * its exit status whether `body` did. */
pid_t test_child_start(bool (*body)(void *context), void *context);
void test_child_wait(pid_t child);
/* A body: opens the store of a struct metadata_fixture, again and again while that can help. */
bool test_child_opens(void *fixture);

#endif
