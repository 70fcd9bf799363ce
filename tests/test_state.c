/* SPDX-License-Identifier: Apache-2.0 */
/* operator/state: every move, allowed and forbidden. */
#include "tests/test.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/memory.h"
#include "operator/state.h"

/* Columns in the order of the enum: waiting ready launching running | succeeded failed skipped
 * cancelled. */
static const char *const step_moves[STEP_STATE_COUNT] = {
	[STEP_WAITING] = ".x....xx", [STEP_READY] = "..x....x",     [STEP_LAUNCHING] = "...xxx.x",
	[STEP_RUNNING] = "....xx.x", [STEP_SUCCEEDED] = "........", [STEP_FAILED] = "........",
	[STEP_SKIPPED] = "........", [STEP_CANCELLED] = "........",
};

/* running | succeeded failed cancelled */
static const char *const run_moves[RUN_STATE_COUNT] = {
	[RUN_RUNNING] = ".xxx",
	[RUN_SUCCEEDED] = "....",
	[RUN_FAILED] = "....",
	[RUN_CANCELLED] = "....",
};

static void test_step_state_may_move__allows_exactly_the_table(void **state)
{
	enum step_state from, to;

	(void)state;
	for (from = 0; from < STEP_STATE_COUNT; from++)
		for (to = 0; to < STEP_STATE_COUNT; to++)
			if (step_state_may_move(from, to) != (step_moves[from][to] == 'x'))
				fail_msg("%s to %s", step_state_name(from), step_state_name(to));
}

static void test_run_state_may_move__allows_exactly_the_table(void **state)
{
	enum run_state from, to;

	(void)state;
	for (from = 0; from < RUN_STATE_COUNT; from++)
		for (to = 0; to < RUN_STATE_COUNT; to++)
			if (run_state_may_move(from, to) != (run_moves[from][to] == 'x'))
				fail_msg("%s to %s", run_state_name(from), run_state_name(to));
}

static void test_step_state_is_final__is_what_nothing_leaves(void **state)
{
	enum step_state from;

	(void)state;
	for (from = 0; from < STEP_STATE_COUNT; from++)
		assert_int_equal(step_state_is_final(from), !strchr(step_moves[from], 'x'));
	assert_false(run_state_is_final(RUN_RUNNING));
	assert_true(run_state_is_final(RUN_CANCELLED));
}

static void test_step_state_find__knows_every_name_and_no_other(void **state)
{
	enum step_state step, found;
	enum run_state run, found_run;

	(void)state;
	for (step = 0; step < STEP_STATE_COUNT; step++) {
		assert_true(step_state_find(step_state_name(step), &found));
		assert_int_equal(found, step);
	}
	for (run = 0; run < RUN_STATE_COUNT; run++) {
		assert_true(run_state_find(run_state_name(run), &found_run));
		assert_int_equal(found_run, run);
	}
	assert_false(step_state_find("done", &found));
	assert_false(run_state_find("waiting", &found_run));
}

static void test_step_state_move__moves_when_it_may(void **state)
{
	enum step_state step = STEP_WAITING;
	enum run_state run = RUN_RUNNING;

	(void)state;
	step_state_move(&step, STEP_READY);
	step_state_move(&step, STEP_LAUNCHING);
	step_state_move(&step, STEP_RUNNING);
	step_state_move(&step, STEP_SUCCEEDED);
	run_state_move(&run, RUN_SUCCEEDED);

	assert_int_equal(step, STEP_SUCCEEDED);
	assert_int_equal(run, RUN_SUCCEEDED);
}

/* How a child ends that makes the move. */
static int status_of_move(enum step_state from, enum step_state to)
{
	int status;
	pid_t child = fork();

	if (!child) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		signal(SIGABRT, SIG_DFL);
		dup2(null, STDERR_FILENO);
		step_state_move(&from, to);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void test_step_state_move__aborts_on_a_forbidden_move(void **state)
{
	int status = status_of_move(STEP_SUCCEEDED, STEP_RUNNING);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_step_state_may_move__allows_exactly_the_table),
		cmocka_unit_test(test_run_state_may_move__allows_exactly_the_table),
		cmocka_unit_test(test_step_state_is_final__is_what_nothing_leaves),
		cmocka_unit_test(test_step_state_find__knows_every_name_and_no_other),
		cmocka_unit_test(test_step_state_move__moves_when_it_may),
		cmocka_unit_test(test_step_state_move__aborts_on_a_forbidden_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
