/* SPDX-License-Identifier: Apache-2.0 */
/* operator/run: whole runs of small pipelines, as processes of this machine. */
#include "tests/test.h"

#include <signal.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "tests/fakes/run_project.h"

static size_t count_running(const struct run *run)
{
	size_t count = 0, i;

	for (i = 0; i < run_pipeline(run)->step_count; i++) {
		struct step_view view;

		run_step_view(run, i, &view);
		count += view.state == STEP_LAUNCHING || view.state == STEP_RUNNING;
	}
	return count;
}

static void note_most(void *context, const struct run *run, size_t step)
{
	size_t *most = context, running = count_running(run);

	(void)step;
	*most = running > *most ? running : *most;
}

static const struct run_observer counting = { .step_changed = note_most };

static struct step_view view_of(const struct run *run, const char *name)
{
	struct step_view view;
	size_t i;

	for (i = 0; i < run_pipeline(run)->step_count; i++) {
		run_step_view(run, i, &view);
		if (!strcmp(view.name, name))
			return view;
	}
	fail_msg("no step '%s'", name);
	return view;
}

static void assert_state(const struct run *run, const char *step, enum step_state state)
{
	struct step_view view = view_of(run, step);

	if (view.state != state)
		print_error("%s is %s (%s: %s)\n", step, step_state_name(view.state),
		            view.detail ? view.detail : "", view.message ? view.message : "");
	assert_int_equal(view.state, state);
}

static bool execute(struct run *run, struct error **err)
{
	return run_execute(run, &run_project_observer, NULL, err);
}

/* The JSON that the artifact holds, of a step with one output. */
static const json_t *value_of(const struct run *run, const char *step)
{
	struct step_view view = view_of(run, step);

	return json_object_get(json_object_get(json_array_get(view.artifacts, 0), "metadata"),
	                       "value");
}

static void test_run_execute__passes_values_from_step_to_step(void **state)
{
	scoped(error) struct error *err = NULL;
	scoped(run) struct run *run = NULL;

	run_project_write(*state,
	                  "def one(start):\n    return start + 1\n"
	                  "def two(number):\n    return {'doubled': number * 2}\n",
	                  "first:\n  source: steps.py:one\n  parameters: {start: 20}\n"
	                  "  outputs: {number: json}\n"
	                  "second:\n  source: steps.py:two\n  inputs: {number: first.number}\n"
	                  "  outputs: {answer: json}\n");
	run = run_project_open(*state, NULL);

	assert_ok(execute(run, &err), err);

	assert_int_equal(run_state(run), RUN_SUCCEEDED);
	assert_int_equal(json_integer_value(value_of(run, "first")), 21);
	assert_int_equal(json_integer_value(json_object_get(value_of(run, "second"), "doubled")),
	                 42);
}

static void test_run_execute__skips_what_needs_a_failed_step_and_runs_the_rest(void **state)
{
	scoped(error) struct error *err = NULL;
	scoped(run) struct run *run = NULL;
	struct step_view bad;

	run_project_write(*state,
	                  "def bad():\n    raise ValueError('no column')\n"
	                  "def good():\n    pass\n",
	                  "bad: {source: 'steps.py:bad'}\n"
	                  "child: {source: 'steps.py:good', after: [bad]}\n"
	                  "grandchild: {source: 'steps.py:good', after: [child]}\n"
	                  "other: {source: 'steps.py:good'}\n");
	run = run_project_open(*state, "daily");

	assert_false(execute(run, &err));

	assert_int_equal(err->kind, ERROR_RUN_FAILED);
	assert_error_contains(err, "run 'daily' failed: step 'bad': ValueError: no column");
	assert_int_equal(run_state(run), RUN_FAILED);
	assert_state(run, "bad", STEP_FAILED);
	assert_state(run, "child", STEP_SKIPPED);
	assert_state(run, "grandchild", STEP_SKIPPED);
	assert_state(run, "other", STEP_SUCCEEDED);
	bad = view_of(run, "bad");
	assert_non_null(strstr(bad.message, "Traceback"));
	assert_string_equal(view_of(run, "child").detail, "needs 'bad', which failed");
}

#define ONE_OUTPUT "a: {source: 'steps.py:f', outputs: {x: json}}\n"
#define CODE "def f():\n    return 1\n"

/* The only step 'a' must fail with `reason`. */
static void assert_fails(const struct temporary_project *project, const char *reason)
{
	scoped(error) struct error *err = NULL;
	scoped(run) struct run *run = run_project_open(project, NULL);

	assert_false(execute(run, &err));

	assert_int_equal(err->kind, ERROR_RUN_FAILED);
	assert_error_contains(err, reason);
	assert_state(run, "a", STEP_FAILED);
	assert_int_equal(json_array_size(view_of(run, "a").artifacts), 0);
}

static void test_run_execute__takes_no_result_of_another_attempt(void **state)
{
	run_project_write(*state, CODE, ONE_OUTPUT);
	run_project_use_shell(*state, "mkdir -p $out/x; echo 1 > $out/x/value.json\n"
	                              "succeed '{\"x\": {}}' 2");

	assert_fails(*state, "without writing its result");
}

static void test_run_execute__looks_for_the_output_that_a_result_claims(void **state)
{
	run_project_write(*state, CODE, ONE_OUTPUT);
	run_project_use_shell(*state, "succeed '{\"x\": {}}'");

	assert_fails(*state, "output 'x' is not there as it should be");
}

static void test_run_execute__takes_the_result_of_a_step_that_wrote_all(void **state)
{
	scoped(error) struct error *err = NULL;
	scoped(run) struct run *run = NULL;

	run_project_write(*state, CODE, ONE_OUTPUT);
	run_project_use_shell(*state, "mkdir -p $out/x; echo 7 > $out/x/value.json\n"
	                              "succeed '{\"x\": {}}'");
	run = run_project_open(*state, NULL);

	assert_ok(execute(run, &err), err);

	assert_int_equal(json_integer_value(value_of(run, "a")), 7);
}

static void test_run_execute__fails_the_step_whose_program_is_missing(void **state)
{
	const struct temporary_project *project = *state;
	scoped(text) char *python = text_printf("%s/python", project->folder);

	run_project_write(project, CODE, ONE_OUTPUT);
	run_project_use_shell(project, "");
	assert_int_equal(remove(python), 0);

	assert_fails(project, "No such file or directory");
}

#define FOUR_STEPS                                               \
	"a: {source: 'steps.py:f'}\nb: {source: 'steps.py:f'}\n" \
	"c: {source: 'steps.py:f'}\nd: {source: 'steps.py:f'}\n"

static void test_run_execute__runs_no_more_steps_at_once_than_allowed(void **state)
{
	scoped(error) struct error *err = NULL;
	scoped(run) struct run *run = NULL;
	size_t most = 0;

	run_project_write(*state, CODE, FOUR_STEPS);
	run_project_use_shell(*state, "succeed");
	run_project_limit_steps(*state, 1);
	run = run_project_open(*state, NULL);

	assert_ok(run_execute(run, &counting, &most, &err), err);

	assert_int_equal(most, 1);
}

/* Opening a FIFO waits for the other end: one after the other, a and b would never end. */
static void test_run_execute__runs_steps_side_by_side(void **state)
{
	scoped(error) struct error *err = NULL;
	scoped(run) struct run *run = NULL;
	size_t most = 0;

	run_project_write(*state, CODE, FOUR_STEPS);
	run_project_use_shell(*state, "fifo=${0%/*}/fifo; mkfifo $fifo 2>/dev/null\n"
	                              "case $step in\n"
	                              "a) echo x > $fifo ;; b) read line < $fifo ;; esac\nsucceed");
	run_project_limit_steps(*state, 2);
	run = run_project_open(*state, NULL);

	assert_ok(run_execute(run, &counting, &most, &err), err);

	assert_int_equal(most, 2);
}

static char *many_steps(size_t count)
{
	struct text_stream stream;
	size_t i;

	text_stream_open(&stream);
	for (i = 0; i < count; i++) {
		fprintf(stream.file, "s%zu: {source: 'steps.py:f'", i);
		if (i)
			fprintf(stream.file, ", after: [s%zu]", (i - 1) / 2);
		fputs("}\n", stream.file);
	}
	return text_stream_take(&stream);
}

static void test_run_execute__runs_two_hundred_steps(void **state)
{
	scoped(error) struct error *err = NULL;
	scoped(run) struct run *run = NULL;
	scoped(text) char *steps = many_steps(200);
	size_t most = 0, i;

	run_project_write(*state, CODE, steps);
	run_project_use_shell(*state, "succeed");
	run_project_limit_steps(*state, 8);
	run = run_project_open(*state, NULL);

	assert_ok(run_execute(run, &counting, &most, &err), err);

	assert_true(most <= 8);
	for (i = 0; i < 200; i++) {
		struct step_view view;

		run_step_view(run, i, &view);
		assert_int_equal(view.state, STEP_SUCCEEDED);
	}
}

static void interrupt_once(void *context, const struct run *run, size_t step)
{
	bool *done = context;

	(void)step;
	if (!*done && view_of(run, "a").state == STEP_RUNNING)
		raise(SIGTERM);
	*done = *done || view_of(run, "a").state == STEP_RUNNING;
}

static void test_run_execute__cancels_at_a_signal(void **state)
{
	static const struct run_observer observer = { .step_changed = interrupt_once };
	scoped(error) struct error *err = NULL;
	scoped(run) struct run *run = NULL;
	bool done = false;

	run_project_write(*state, CODE,
	                  "a: {source: 'steps.py:f'}\nb: {source: 'steps.py:f', after: [a]}\n");
	run_project_use_shell(*state, "exec sleep 1000");
	run = run_project_open(*state, NULL);

	assert_false(run_execute(run, &observer, &done, &err));

	assert_int_equal(err->kind, ERROR_TERMINATED);
	assert_int_equal(run_state(run), RUN_CANCELLED);
	assert_state(run, "a", STEP_CANCELLED);
	assert_state(run, "b", STEP_CANCELLED);
}

#define WITH_PROJECT(test) \
	cmocka_unit_test_setup_teardown(test, temporary_project_setup, temporary_project_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PROJECT(test_run_execute__passes_values_from_step_to_step),
		WITH_PROJECT(test_run_execute__skips_what_needs_a_failed_step_and_runs_the_rest),
		WITH_PROJECT(test_run_execute__takes_no_result_of_another_attempt),
		WITH_PROJECT(test_run_execute__looks_for_the_output_that_a_result_claims),
		WITH_PROJECT(test_run_execute__takes_the_result_of_a_step_that_wrote_all),
		WITH_PROJECT(test_run_execute__fails_the_step_whose_program_is_missing),
		WITH_PROJECT(test_run_execute__runs_no_more_steps_at_once_than_allowed),
		WITH_PROJECT(test_run_execute__runs_steps_side_by_side),
		WITH_PROJECT(test_run_execute__runs_two_hundred_steps),
		WITH_PROJECT(test_run_execute__cancels_at_a_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
