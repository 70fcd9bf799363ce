/* SPDX-License-Identifier: Apache-2.0 */
/* operator/scheduler: which step may start, and what an end means for the others. */
#include "tests/test.h"

#include "operator/scheduler.h"

struct noted {
	size_t steps[16];
	size_t count;
};

static void note(void *context, size_t step)
{
	struct noted *noted = context;

	noted->steps[noted->count++] = step;
}

/* importer -> {analyzer, splitter}; splitter -> trainer */
static struct graph *diamond(void)
{
	struct graph *graph = graph_new(4);

	graph_add_edge(graph, 0, 1);
	graph_add_edge(graph, 0, 2);
	graph_add_edge(graph, 2, 3);
	return graph;
}

static void finish(struct scheduler *scheduler, size_t step, enum step_state state,
                   struct noted *noted)
{
	scheduler_started(scheduler, step);
	scheduler_ended(scheduler, step, state, note, noted);
}

static void test_scheduler_take__gives_steps_whose_needs_are_met(void **state)
{
	scoped(graph) struct graph *graph = diamond();
	scoped(scheduler) struct scheduler *scheduler = scheduler_new(graph, 8);
	struct noted noted = { 0 };

	(void)state;
	assert_int_equal(scheduler_take(scheduler), 0);
	assert_int_equal(scheduler_take(scheduler), SCHEDULER_NONE);
	finish(scheduler, 0, STEP_SUCCEEDED, &noted);

	assert_int_equal(noted.count, 2);
	assert_int_equal(scheduler_take(scheduler), 1);
	assert_int_equal(scheduler_take(scheduler), 2);
	assert_int_equal(scheduler_take(scheduler), SCHEDULER_NONE);
	assert_int_equal(scheduler_active_count(scheduler), 2);
}

static void test_scheduler_take__obeys_the_limit(void **state)
{
	scoped(graph) struct graph *graph = graph_new(3);
	scoped(scheduler) struct scheduler *scheduler = scheduler_new(graph, 2);
	struct noted noted = { 0 };

	(void)state;
	assert_int_equal(scheduler_take(scheduler), 0);
	assert_int_equal(scheduler_take(scheduler), 1);
	assert_int_equal(scheduler_take(scheduler), SCHEDULER_NONE);
	finish(scheduler, 0, STEP_SUCCEEDED, &noted);

	assert_int_equal(scheduler_take(scheduler), 2);
}

static void test_scheduler_ended__skips_followers_and_lets_others_finish(void **state)
{
	scoped(graph) struct graph *graph = diamond();
	scoped(scheduler) struct scheduler *scheduler = scheduler_new(graph, 8);
	struct noted noted = { 0 };

	(void)state;
	scheduler_take(scheduler);
	finish(scheduler, 0, STEP_SUCCEEDED, &noted);
	scheduler_take(scheduler);
	scheduler_take(scheduler);
	noted.count = 0;
	finish(scheduler, 2, STEP_FAILED, &noted);

	assert_int_equal(noted.count, 1);
	assert_int_equal(scheduler_state(scheduler, 3), STEP_SKIPPED);
	assert_false(scheduler_is_done(scheduler));
	finish(scheduler, 1, STEP_SUCCEEDED, &noted);
	assert_true(scheduler_is_done(scheduler));
	assert_int_equal(scheduler_outcome(scheduler), RUN_FAILED);
}

static void test_scheduler_ended__skips_a_step_of_two_failures_once(void **state)
{
	scoped(graph) struct graph *graph = graph_new(3);
	scoped(scheduler) struct scheduler *scheduler = NULL;
	struct noted noted = { 0 };

	(void)state;
	graph_add_edge(graph, 0, 2);
	graph_add_edge(graph, 1, 2);
	scheduler = scheduler_new(graph, 8);
	scheduler_take(scheduler);
	scheduler_take(scheduler);
	finish(scheduler, 0, STEP_FAILED, &noted);
	finish(scheduler, 1, STEP_FAILED, &noted);

	assert_int_equal(noted.count, 1);
	assert_true(scheduler_is_done(scheduler));
}

static void test_scheduler_cancel__leaves_active_steps_to_their_end(void **state)
{
	scoped(graph) struct graph *graph = diamond();
	scoped(scheduler) struct scheduler *scheduler = scheduler_new(graph, 8);
	struct noted noted = { 0 };

	(void)state;
	scheduler_take(scheduler);
	scheduler_started(scheduler, 0);
	scheduler_cancel(scheduler, note, &noted);

	assert_int_equal(noted.count, 3);
	assert_int_equal(scheduler_state(scheduler, 0), STEP_RUNNING);
	assert_false(scheduler_is_done(scheduler));
	/* A step that succeeded all the same wakes nobody. */
	scheduler_ended(scheduler, 0, STEP_SUCCEEDED, note, &noted);
	assert_int_equal(scheduler_take(scheduler), SCHEDULER_NONE);
	assert_int_equal(scheduler_outcome(scheduler), RUN_CANCELLED);
}

static void ignore(void *context, size_t step)
{
	(void)context;
	(void)step;
}

static void test_scheduler__carries_a_chain_of_10000_steps(void **state)
{
	const size_t count = 10000;
	scoped(graph) struct graph *graph = graph_new(count);
	scoped(scheduler) struct scheduler *scheduler = NULL;
	size_t i;

	(void)state;
	for (i = 1; i < count; i++)
		graph_add_edge(graph, i - 1, i);
	scheduler = scheduler_new(graph, 4);
	for (i = 0; i < count; i++) {
		assert_int_equal(scheduler_take(scheduler), i);
		scheduler_ended(scheduler, i, STEP_SUCCEEDED, ignore, NULL);
	}

	assert_int_equal(scheduler_outcome(scheduler), RUN_SUCCEEDED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scheduler_take__gives_steps_whose_needs_are_met),
		cmocka_unit_test(test_scheduler_take__obeys_the_limit),
		cmocka_unit_test(test_scheduler_ended__skips_followers_and_lets_others_finish),
		cmocka_unit_test(test_scheduler_ended__skips_a_step_of_two_failures_once),
		cmocka_unit_test(test_scheduler_cancel__leaves_active_steps_to_their_end),
		cmocka_unit_test(test_scheduler__carries_a_chain_of_10000_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
