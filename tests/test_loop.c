/* SPDX-License-Identifier: Apache-2.0 */
/* core/loop: timers, descriptors, signals and children of one thread. */
#include "tests/test.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/loop.h"

struct seen {
	int count;
	int last;
	struct loop_source *other;
};

static void note_timer(void *context)
{
	struct seen *seen = context;

	seen->count++;
}

static void note_child(void *context, int status)
{
	struct seen *seen = context;

	seen->count++;
	seen->last = WEXITSTATUS(status);
}

static void note_signal(void *context, int number)
{
	struct seen *seen = context;

	seen->count++;
	seen->last = number;
}

static void cancel_other(void *context, uint32_t events)
{
	struct seen *seen = context;

	(void)events;
	seen->count++;
	loop_cancel(take(seen->other));
}

static bool has_seen(const void *context)
{
	return ((const struct seen *)context)->count > 0;
}

static void test_loop_start_timer__fires_once(void **state)
{
	scoped(loop) struct loop *loop = loop_new();
	struct seen seen = { 0 };

	(void)state;
	loop_start_timer(loop, 0, note_timer, &seen);

	assert_true(loop_run_until(loop, has_seen, &seen, -1));
	assert_false(loop_step(loop, -1));
	assert_int_equal(seen.count, 1);
}

static void test_loop_run_until__stops_at_the_deadline(void **state)
{
	scoped(loop) struct loop *loop = loop_new();
	struct seen seen = { 0 };

	(void)state;
	loop_start_timer(loop, 60000, note_timer, &seen);

	assert_false(loop_run_until(loop, has_seen, &seen, loop_now_ms() + 5));
	assert_int_equal(seen.count, 0);
}

static void test_loop_watch_child__reaps_and_tells_the_status(void **state)
{
	scoped(loop) struct loop *loop = loop_new();
	struct seen seen = { 0 };
	pid_t pid = fork();

	(void)state;
	if (!pid)
		_exit(7);
	loop_watch_child(loop, pid, note_child, &seen);

	assert_true(loop_run_until(loop, has_seen, &seen, -1));
	assert_int_equal(seen.last, 7);
	assert_int_equal(waitpid(pid, NULL, 0), -1);
}

static void test_loop_watch_signal__delivers_instead_of_killing(void **state)
{
	scoped(loop) struct loop *loop = loop_new();
	struct seen seen = { 0 };

	(void)state;
	loop_watch_signal(loop, SIGTERM, note_signal, &seen);
	raise(SIGTERM);

	assert_true(loop_run_until(loop, has_seen, &seen, -1));
	assert_int_equal(seen.last, SIGTERM);
}

static void test_loop_cancel__silences_a_source_of_the_same_turn(void **state)
{
	scoped(loop) struct loop *loop = loop_new();
	struct seen first = { 0 }, second = { 0 };
	struct loop_source *a, *b;
	int pipes[2][2];

	(void)state;
	assert_int_equal(pipe(pipes[0]) | pipe(pipes[1]), 0);
	a = loop_watch_fd(loop, pipes[0][0], EPOLLIN, cancel_other, &first);
	b = loop_watch_fd(loop, pipes[1][0], EPOLLIN, cancel_other, &second);
	first.other = b;
	second.other = a;
	assert_int_equal(write(pipes[0][1], "x", 1) + write(pipes[1][1], "x", 1), 2);

	assert_true(loop_step(loop, -1));
	assert_int_equal(first.count + second.count, 1);
	for (int i = 0; i < 4; i++)
		close(pipes[i / 2][i % 2]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loop_start_timer__fires_once),
		cmocka_unit_test(test_loop_run_until__stops_at_the_deadline),
		cmocka_unit_test(test_loop_watch_child__reaps_and_tells_the_status),
		cmocka_unit_test(test_loop_watch_signal__delivers_instead_of_killing),
		cmocka_unit_test(test_loop_cancel__silences_a_source_of_the_same_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
