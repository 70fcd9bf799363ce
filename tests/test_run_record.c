/* SPDX-License-Identifier: Apache-2.0 */
/* operator/run: what a run leaves in the database, and that it drives nothing without its lease. */
#include "tests/test.h"

#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/text.h"
#include "operator/catalog.h"
#include "stacks/metadata.h"
#include "stacks/stack.h"
#include "tests/fakes/run_project.h"

#define NOOP "def f():\n    pass\n"

static bool execute(struct run *run, struct error **err)
{
	return run_execute(run, &run_project_observer, NULL, err);
}

static struct metadata_store *open_store(const struct temporary_project *temporary,
                                         struct stack **stack)
{
	struct metadata_store *store;

	*stack = stack_load(temporary->project, catalog_built_in(), NULL, NULL);
	store = metadata_store_open(temporary->project,
	                            (*stack)->components[COMPONENT_METADATA_STORE], NULL, NULL);
	assert_non_null(store);
	return store;
}

/* "name state reason\n…" of the run and its steps, as recorded. */
static char *recorded_states(const struct temporary_project *temporary, const char *name)
{
	struct stack *stack;
	scoped(metadata_store) struct metadata_store *store = open_store(temporary, &stack);
	struct text_stream stream;
	struct run_row run;
	struct step_row *steps;
	size_t count, i;

	text_stream_open(&stream);
	assert_true(metadata_find_run(store, name, &run, NULL));
	fprintf(stream.file, "%s %s %s\n", run.name, run.state, run.reason ? run.reason : "-");
	assert_true(metadata_steps(store, run.id, &steps, &count, NULL));
	for (i = 0; i < count; i++) {
		fprintf(stream.file, "%s %s %s\n", steps[i].name, steps[i].state,
		        steps[i].reason ? steps[i].reason : "-");
		step_row_release(&steps[i]);
	}
	free(steps);
	run_row_release(&run);
	stack_free(stack);
	return text_stream_take(&stream);
}

static void test_run_execute__records_states_and_reasons(void **state)
{
	scoped(run) struct run *run = NULL;
	scoped(text) char *recorded = NULL;

	run_project_write(*state, NOOP,
	                  "good: {source: 'steps.py:f'}\n"
	                  "bad: {source: 'steps.py:f'}\n"
	                  "child: {source: 'steps.py:f', after: [bad]}\n");
	run_project_use_shell(*state, "[ $step != bad ] || exit 9; succeed");
	run = run_project_open(*state, "daily");

	assert_false(execute(run, NULL));

	recorded = recorded_states(*state, "daily");
	assert_string_equal(recorded, "daily failed step 'bad': exit code 9\n"
	                              "good succeeded -\n"
	                              "bad failed exit code 9\n"
	                              "child skipped needs 'bad', which failed\n");
}

static void test_run_execute__records_the_attempt(void **state)
{
	struct stack *stack;
	struct attempt_row *attempts;
	size_t count;
	scoped(metadata_store) struct metadata_store *store = NULL;
	scoped(run) struct run *run = NULL;

	run_project_write(*state, NOOP, "a: {source: 'steps.py:f'}\n");
	run_project_use_shell(*state, "exit 9");
	run = run_project_open(*state, NULL);

	assert_false(execute(run, NULL));

	store = open_store(*state, &stack);
	assert_true(metadata_attempts(store, run_id(run), &attempts, &count, NULL));
	assert_int_equal(count, 1);
	assert_string_equal(attempts->state, "failed");
	assert_string_equal(attempts->operator, "default");
	assert_string_equal(attempts->flavor, "local");
	assert_true(text_starts_with(attempts->job, "pid "));
	assert_string_equal(attempts->reason, "exit code 9");
	assert_true(attempts->has_exit_code);
	assert_int_equal(attempts->exit_code, 9);
	assert_true(text_ends_with(attempts->log, "/a/1/log"));
	assert_true(attempts->created_at <= attempts->ended_at);
	attempt_row_release(attempts);
	free(attempts);
	stack_free(stack);
}

static void test_run_execute__records_artifacts_and_where_they_went(void **state)
{
	struct stack *stack;
	struct artifact_row *artifacts;
	struct input_row *inputs;
	size_t count;
	scoped(error) struct error *err = NULL;
	scoped(metadata_store) struct metadata_store *store = NULL;
	scoped(run) struct run *run = NULL;

	run_project_write(*state, "def f():\n    return 7\ndef g(number):\n    pass\n",
	                  "a: {source: 'steps.py:f', outputs: {x: json}}\n"
	                  "b: {source: 'steps.py:g', inputs: {number: a.x}}\n");
	run = run_project_open(*state, NULL);

	assert_ok(execute(run, &err), err);

	store = open_store(*state, &stack);
	assert_true(metadata_artifacts(store, run_id(run), &artifacts, &count, NULL));
	assert_int_equal(count, 1);
	assert_string_equal(artifacts->step, "a");
	assert_string_equal(artifacts->type, "json");
	assert_true(text_ends_with(artifacts->uri, "/a/1/x/"));
	assert_int_equal(strlen(artifacts->digest), 64);
	assert_non_null(strstr(artifacts->metadata, "\"value\":7"));
	assert_true(metadata_inputs(store, run_id(run), &inputs, &count, NULL));
	assert_int_equal(count, 1);
	assert_string_equal(inputs->step, "b");
	assert_string_equal(inputs->source_step, "a");
	assert_string_equal(inputs->source_output, "x");
	artifact_row_release(artifacts);
	input_row_release(inputs);
	free(artifacts);
	free(inputs);
	stack_free(stack);
}

/* The step itself looks: nothing may run that the database does not know. */
static void test_run_execute__records_an_attempt_before_its_job_exists(void **state)
{
	scoped(error) struct error *err = NULL;
	scoped(run) struct run *run = NULL;
	struct step_view view;
	const json_t *value;

	run_project_write(*state,
	                  "def f():\n    import os\n"
	                  "    import pathlib, sqlite3\n"
	                  "    here = pathlib.Path(os.environ['STEPOP_TERMINATION_LOG'])\n"
	                  "    home = next(p for p in here.parents if p.name == '.stepop')\n"
	                  "    database = sqlite3.connect(home / 'metadata.db', timeout=30)\n"
	                  "    return database.execute('select created_at from attempts '\n"
	                  "        'where step = ? and attempt = 1', ['a']).fetchall() and \\\n"
	                  "        database.execute('select message from events '\n"
	                  "        'order by sequence').fetchall()[0]\n",
	                  "a: {source: 'steps.py:f', outputs: {x: json}}\n");
	run = run_project_open(*state, NULL);

	assert_ok(execute(run, &err), err);

	run_step_view(run, 0, &view);
	value = json_object_get(json_object_get(json_array_get(view.artifacts, 0), "metadata"),
	                        "value");
	assert_string_equal(json_string_value(json_array_get(value, 0)), "launching");
}

static void test_run_execute__refuses_a_name_that_is_taken(void **state)
{
	scoped(error) struct error *err = NULL;
	scoped(run) struct run *first = NULL;
	scoped(run) struct run *second = NULL;
	struct step_view view;

	run_project_write(*state, NOOP, "a: {source: 'steps.py:f'}\n");
	run_project_use_shell(*state, "succeed");
	first = run_project_open(*state, "daily");
	assert_ok(execute(first, &err), err);
	second = run_project_open(*state, "daily");

	assert_false(execute(second, &err));

	assert_int_equal(err->kind, ERROR_CONFLICT);
	assert_error_contains(err, "daily");
	run_step_view(second, 0, &view);
	assert_int_equal(view.attempt, 0);
}

/* What another process does that takes the run over. */
#define TAKE_OVER                                                                               \
	"python3 -c 'import sqlite3, sys\n"                                                     \
	"database = sqlite3.connect(sys.argv[1], timeout=30)\n"                                 \
	"while database.execute(\"select 1 from steps where name = \\\"a\\\" and \"\n"          \
	"        \"state = \\\"running\\\"\").fetchone() is None: pass\n"                       \
	"database.execute(\"update leases set fence = fence + 1, holder = \\\"other:1\\\"\")\n" \
	"database.commit()' ${folder%/runs/*}/metadata.db\n"

static void test_run_execute__stops_driving_when_the_lease_is_lost(void **state)
{
	const struct temporary_project *project = *state;
	scoped(error) struct error *err = NULL;
	scoped(run) struct run *run = NULL;
	scoped(text) char *recorded = NULL;
	scoped(text) char *trace = text_printf("%s/b-ran", project->folder);

	run_project_write(project, NOOP,
	                  "a: {source: 'steps.py:f'}\nb: {source: 'steps.py:f', after: [a]}\n");
	run_project_use_shell(project,
	                      "[ $step = a ] || touch ${0%/*}/b-ran\n" TAKE_OVER "succeed");
	run = run_project_open(project, "daily");

	assert_false(execute(run, &err));

	assert_int_equal(err->kind, ERROR_CONFLICT);
	assert_error_contains(err, "other:1");
	assert_int_equal(run_state(run), RUN_RUNNING);
	recorded = recorded_states(project, "daily");
	assert_string_equal(recorded, "daily running -\na running -\nb waiting -\n");
	assert_int_not_equal(access(trace, F_OK), 0);
}

/* Another process that holds the database from the first step's start until the run notices. */
struct holder {
	const struct temporary_project *project;
	sqlite3 *database;
	int away, back;
};

static void hold(void *context, const struct run *run, size_t step)
{
	struct holder *holder = context;
	scoped(text) char *path = temporary_project_path(holder->project, "metadata.db");
	struct step_view view;

	run_step_view(run, step, &view);
	if (holder->database || view.state != STEP_RUNNING)
		return;
	assert_int_equal(sqlite3_open(path, &holder->database), SQLITE_OK);
	assert_int_equal(sqlite3_exec(holder->database, "BEGIN IMMEDIATE", NULL, NULL, NULL),
	                 SQLITE_OK);
}

static void let_go(void *context, const struct run *run, const char *text)
{
	struct holder *holder = context;

	(void)run;
	holder->away += strstr(text, "is away") != NULL;
	holder->back += strstr(text, "is back after") != NULL;
	sqlite3_exec(holder->database, "ROLLBACK", NULL, NULL, NULL);
}

static char *recorded_events(const struct temporary_project *temporary, const char *id)
{
	struct stack *stack;
	scoped(metadata_store) struct metadata_store *store = open_store(temporary, &stack);
	struct text_stream stream;
	struct event_row *events;
	size_t count, i;

	text_stream_open(&stream);
	assert_true(metadata_events(store, id, 0, &events, &count, NULL));
	for (i = 0; i < count; i++) {
		fprintf(stream.file, "%s %s\n", events[i].step ? events[i].step : "-",
		        events[i].message);
		event_row_release(&events[i]);
	}
	free(events);
	stack_free(stack);
	return text_stream_take(&stream);
}

static void test_run_execute__goes_on_while_the_store_is_away(void **state)
{
	static const struct run_observer observer = { .step_changed = hold, .notice = let_go };
	struct holder holder = { *state, NULL, 0, 0 };
	scoped(error) struct error *err = NULL;
	scoped(run) struct run *run = NULL;
	scoped(text) char *states = NULL, *events = NULL;

	run_project_write(*state, NOOP,
	                  "a: {source: 'steps.py:f'}\nb: {source: 'steps.py:f', after: [a]}\n");
	run_project_use_shell(*state, "succeed");
	run = run_project_open(*state, "daily");

	assert_ok(run_execute(run, &observer, &holder, &err), err);

	sqlite3_close(holder.database);
	assert_int_equal(holder.away, 1);
	assert_int_equal(holder.back, 1);
	states = recorded_states(*state, "daily");
	assert_string_equal(states, "daily succeeded -\na succeeded -\nb succeeded -\n");
	events = recorded_events(*state, run_id(run));
	assert_string_equal(events, "a launching\na running\na succeeded\nb launching\n"
	                            "b running\nb succeeded\n- succeeded\n");
}

static void interrupt_and_let_go(void *context, const struct run *run, const char *text)
{
	if (strstr(text, "is away;"))
		kill(getpid(), SIGINT);
	let_go(context, run, text);
}

static void test_run_execute__cancels_what_waits_for_its_record(void **state)
{
	static const struct run_observer observer = { .step_changed = hold,
		                                      .notice = interrupt_and_let_go };
	struct holder holder = { *state, NULL, 0, 0 };
	scoped(error) struct error *err = NULL;
	scoped(run) struct run *run = NULL;
	scoped(text) char *states = NULL;
	struct step_view view;

	run_project_write(*state, NOOP,
	                  "a: {source: 'steps.py:f'}\nb: {source: 'steps.py:f', after: [a]}\n");
	run_project_use_shell(*state, "succeed");
	run = run_project_open(*state, "daily");

	assert_false(run_execute(run, &observer, &holder, &err));

	sqlite3_close(holder.database);
	assert_int_equal(err->kind, ERROR_INTERRUPTED);
	run_step_view(run, 1, &view);
	assert_null(view.job);
	states = recorded_states(*state, "daily");
	assert_string_equal(states, "daily cancelled -\na succeeded -\nb cancelled cancelled\n");
}

static void interrupt(struct holder *holder, const struct run *run)
{
	struct step_view view;

	run_step_view(run, 0, &view);
	if (holder->away && view.state == STEP_SUCCEEDED)
		kill(getpid(), SIGINT);
}

static void hold_and_interrupt(void *context, const struct run *run, size_t step)
{
	hold(context, run, step);
	interrupt(context, run);
}

static void notice_and_interrupt(void *context, const struct run *run, const char *text)
{
	struct holder *holder = context;

	holder->away += strstr(text, "is away") != NULL;
	interrupt(holder, run);
}

/* The step has ended, the store stays away: there is nothing left that a signal could cancel. */
static void test_run_execute__leaves_an_end_that_cannot_be_recorded(void **state)
{
	static const struct run_observer observer = { .step_changed = hold_and_interrupt,
		                                      .notice = notice_and_interrupt };
	struct holder holder = { *state, NULL, 0, 0 };
	scoped(error) struct error *err = NULL;
	scoped(run) struct run *run = NULL;

	run_project_write(*state, NOOP, "a: {source: 'steps.py:f'}\n");
	run_project_use_shell(*state, "succeed");
	run = run_project_open(*state, "daily");

	assert_false(run_execute(run, &observer, &holder, &err));

	sqlite3_close(holder.database);
	assert_int_equal(err->kind, ERROR_INTERRUPTED);
	assert_error_contains(err, "left before the end of run 'daily' was recorded");
	assert_int_equal(run_state(run), RUN_SUCCEEDED);
}

#define WITH_PROJECT(test) \
	cmocka_unit_test_setup_teardown(test, temporary_project_setup, temporary_project_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PROJECT(test_run_execute__records_states_and_reasons),
		WITH_PROJECT(test_run_execute__records_the_attempt),
		WITH_PROJECT(test_run_execute__records_artifacts_and_where_they_went),
		WITH_PROJECT(test_run_execute__records_an_attempt_before_its_job_exists),
		WITH_PROJECT(test_run_execute__refuses_a_name_that_is_taken),
		WITH_PROJECT(test_run_execute__goes_on_while_the_store_is_away),
		WITH_PROJECT(test_run_execute__cancels_what_waits_for_its_record),
		WITH_PROJECT(test_run_execute__leaves_an_end_that_cannot_be_recorded),
		WITH_PROJECT(test_run_execute__stops_driving_when_the_lease_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
