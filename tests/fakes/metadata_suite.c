/* SPDX-License-Identifier: Apache-2.0 */
/* The tests of metadata stores: what is recorded is there, whole, whoever comes, goes or is killed.
 */
#include "tests/fakes/metadata_suite.h"

#include "tests/test.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/file.h"
#include "core/text.h"
#include "stacks/probe.h"

static const char id_a[] = "7d1f00000000000000000000000000aa";
static const struct metadata_backend *backend;

void metadata_suite_choose(const struct metadata_backend *chosen)
{
	backend = chosen;
}

int metadata_suite_setup(void **state)
{
	struct metadata_fixture *fixture = xcalloc(1, sizeof(*fixture));

	fixture->folder = xstrdup("/tmp/stepop-test-XXXXXX");
	if (!mkdtemp(fixture->folder))
		return -1;
	fixture->component = (struct component){
		.type = COMPONENT_METADATA_STORE,
		.name = xstrdup("default"),
		.flavor = xstrdup(backend->flavor),
	};
	backend->make(fixture);
	*state = fixture;
	return 0;
}

int metadata_suite_teardown(void **state)
{
	struct metadata_fixture *fixture = *state;

	if (backend->drop)
		backend->drop(fixture);
	file_remove_tree(fixture->folder, NULL);
	json_decref(fixture->component.options);
	free(fixture->component.name);
	free(fixture->component.flavor);
	free(fixture->folder);
	free(fixture);
	return 0;
}

struct metadata_store *metadata_suite_open(struct metadata_fixture *fixture)
{
	scoped(error) struct error *err = NULL;
	struct metadata_store *store =
		metadata_store_open(NULL, &fixture->component, fixture->secrets, &err);

	assert_ok(store != NULL, err);
	return store;
}

static bool execute_body(struct sql_database *database, void *context, struct error **err)
{
	struct sql_statement statement = { context, SQL_UNPREPARED };

	return sql_query(database, &statement, NULL, 0, NULL, NULL, err);
}

void metadata_suite_execute(struct metadata_fixture *fixture, const char *sql)
{
	scoped(error) struct error *err = NULL;
	scoped(sql_database) struct sql_database *database =
		metadata_flavor_find(backend->flavor)
			->open(NULL, &fixture->component, fixture->secrets, true, &err);

	assert_ok(database != NULL, err);
	assert_ok(sql_transact(database, SQL_READ, execute_body, (void *)sql, &err), err);
}

struct run_row metadata_suite_run_row(const char *id, const char *name)
{
	return (struct run_row){
		.id = (char *)id,
		.name = (char *)name,
		.pipeline = (char *)"p",
		.stack = (char *)"default",
		.state = (char *)"running",
		.parameters = (char *)"{}",
		.plan = (char *)"[]",
		.created_at = 1000,
	};
}

struct step_row metadata_suite_step_row(const char *run_id, const char *name, int64_t position)
{
	return (struct step_row){
		.run_id = (char *)run_id,
		.name = (char *)name,
		.position = position,
		.state = (char *)"waiting",
	};
}

/* A run with one step, "s". */
void metadata_suite_create_run(struct metadata_store *store, const char *id, const char *name,
                               struct lease *lease)
{
	struct run_row run = metadata_suite_run_row(id, name);
	struct step_row step = metadata_suite_step_row(id, "s", 0);
	scoped(error) struct error *err = NULL;

	assert_ok(metadata_create_run(store, &run, &step, 1, NULL, 0, lease, &err), err);
}

static void create_runs(struct metadata_store *store, const char *const ids[][2], size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		struct lease lease;

		metadata_suite_create_run(store, ids[i][0], ids[i][1], &lease);
		lease_release(&lease);
	}
}

/* Waits until all stand at the line, then opens. */
static void child_opens(struct metadata_fixture *fixture, int line)
{
	struct error *err = NULL;
	struct metadata_store *store;
	char byte;

	if (read(line, &byte, 1))
		_exit(2);
	store = metadata_store_open(NULL, &fixture->component, fixture->secrets, &err);
	if (!store)
		error_render(err, stderr);
	metadata_store_free(store);
	_exit(store ? 0 : 1);
}

void metadata_suite_open_in_company(struct metadata_fixture *fixture)
{
	pid_t children[8];
	int line[2], status;
	size_t i;

	assert_int_equal(pipe(line), 0);
	for (i = 0; i < ARRAY_SIZE(children); i++) {
		children[i] = fork();
		if (!children[i]) {
			close(line[1]);
			child_opens(fixture, line[0]);
		}
	}
	close(line[0]);
	close(line[1]);
	for (i = 0; i < ARRAY_SIZE(children); i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
}

static void test_open__works_for_several_processes_at_once(void **state)
{
	struct metadata_fixture *fixture = *state;

	metadata_suite_open_in_company(fixture);

	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(fixture);
	assert_non_null(store);
}

static void test_create_run__refuses_a_name_that_is_taken(void **state)
{
	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(*state);
	struct run_row twin = metadata_suite_run_row("11110000000000000000000000000000", "one");
	struct lease lease, untouched = { 0 };
	scoped(error) struct error *err = NULL;

	metadata_suite_create_run(store, id_a, "one", &lease);
	lease_release(&lease);

	assert_false(metadata_create_run(store, &twin, NULL, 0, NULL, 0, &untouched, &err));
	assert_int_equal(err->kind, ERROR_CONFLICT);
	assert_error_contains(err, "a run named 'one' already");
	assert_null(untouched.holder);
}

static void test_create_run__creates_all_or_nothing(void **state)
{
	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(*state);
	struct run_row run = metadata_suite_run_row(id_a, "one"), found;
	struct step_row twins[] = { metadata_suite_step_row(id_a, "s", 0),
		                    metadata_suite_step_row(id_a, "s", 1) };
	scoped(error) struct error *err = NULL;
	struct lease lease;

	assert_false(metadata_create_run(store, &run, twins, 2, NULL, 0, &lease, NULL));

	assert_false(metadata_find_run(store, "one", &found, &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
}

static void test_record__keeps_every_field(void **state)
{
	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(*state);
	struct attempt_row attempt = {
		(char *)id_a,
		(char *)"s",
		1,
		(char *)"failed",
		(char *)"op",
		(char *)"local",
		(char *)"pid 12",
		(char *)"ValueError",
		(char *)"traceback",
		(char *)"",
		true,
		137,
		(char *)"/log",
		1,
		2,
		3,
	};
	struct artifact_row artifact = { (char *)id_a,
		                         (char *)"s",
		                         1,
		                         (char *)"out",
		                         (char *)"json",
		                         (char *)"file:///x/",
		                         NULL,
		                         (char *)"{\"summary\":\"學 🚀\"}",
		                         4 };
	struct event_row events[] = {
		{ 0, (char *)id_a, (char *)"s", 1, 5, (char *)"state", (char *)"failed" },
		{ 0, (char *)id_a, NULL, 0, 6, (char *)"state", NULL },
	};
	struct metadata_change change = { .attempts = &attempt,
		                          .attempt_count = 1,
		                          .artifacts = &artifact,
		                          .artifact_count = 1,
		                          .events = events,
		                          .event_count = 2 };
	scoped(error) struct error *err = NULL;
	struct attempt_row *attempts;
	struct artifact_row *artifacts;
	struct event_row *read;
	struct lease lease;
	size_t count;

	metadata_suite_create_run(store, id_a, "one", &lease);
	assert_ok(metadata_record(store, &lease, &change, &err), err);
	lease_release(&lease);

	assert_ok(metadata_attempts(store, id_a, &attempts, &count, &err), err);
	assert_int_equal(count, 1);
	assert_string_equal(attempts->operator, "op");
	assert_string_equal(attempts->advice, "");
	assert_string_equal(attempts->message, "traceback");
	assert_true(attempts->has_exit_code);
	assert_int_equal(attempts->exit_code, 137);
	assert_int_equal(attempts->ended_at, 3);
	metadata_rows_free(&metadata_table_attempt, attempts, count);
	assert_ok(metadata_artifacts(store, id_a, &artifacts, &count, &err), err);
	assert_int_equal(count, 1);
	assert_null(artifacts->digest);
	assert_string_equal(artifacts->metadata, "{\"summary\":\"學 🚀\"}");
	metadata_rows_free(&metadata_table_artifact, artifacts, count);
	assert_ok(metadata_events(store, id_a, 0, &read, &count, &err), err);
	assert_int_equal(count, 2);
	assert_true(read[0].sequence < read[1].sequence);
	assert_null(read[1].step);
	assert_null(read[1].message);
	metadata_rows_free(&metadata_table_event, read, count);
}

static void test_record__replaces_by_key_and_keeps_what_a_run_was_made_of(void **state)
{
	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(*state);
	struct run_row run = metadata_suite_run_row(id_a, "one"), found;
	struct step_row step = metadata_suite_step_row(id_a, "s", 0), *steps;
	struct metadata_change change = { .run = &run, .steps = &step, .step_count = 1 };
	scoped(error) struct error *err = NULL;
	struct lease lease;
	size_t count;

	metadata_suite_create_run(store, id_a, "one", &lease);
	run.state = (char *)"failed";
	run.plan = NULL;
	step.state = (char *)"failed";
	step.reason = (char *)"OOMKilled";
	assert_ok(metadata_record(store, &lease, &change, &err), err);
	lease_release(&lease);

	assert_ok(metadata_find_run(store, "one", &found, &err), err);
	assert_string_equal(found.state, "failed");
	assert_string_equal(found.plan, "[]");
	run_row_release(&found);
	assert_ok(metadata_steps(store, id_a, &steps, &count, &err), err);
	assert_int_equal(count, 1);
	assert_string_equal(steps->reason, "OOMKilled");
	metadata_rows_free(&metadata_table_step, steps, count);
}

static void test_record__takes_a_megabyte_of_message(void **state)
{
	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(*state);
	scoped(text) char *message = xcalloc(1 << 20, 1);
	struct attempt_row attempt = { .run_id = (char *)id_a,
		                       .step = (char *)"s",
		                       .attempt = 1,
		                       .state = (char *)"failed",
		                       .message = message },
			   *rows;
	struct metadata_change change = { .attempts = &attempt, .attempt_count = 1 };
	scoped(error) struct error *err = NULL;
	struct lease lease;
	size_t count;

	memset(message, '\n', (1 << 20) - 1);
	metadata_suite_create_run(store, id_a, "one", &lease);
	assert_ok(metadata_record(store, &lease, &change, &err), err);
	lease_release(&lease);

	assert_ok(metadata_attempts(store, id_a, &rows, &count, &err), err);
	assert_int_equal(strlen(rows->message), (1 << 20) - 1);
	assert_false(rows->has_exit_code);
	metadata_rows_free(&metadata_table_attempt, rows, count);
}

static void test_inputs__tell_what_a_step_read(void **state)
{
	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(*state);
	struct run_row run = metadata_suite_run_row(id_a, "one");
	struct step_row steps[] = { metadata_suite_step_row(id_a, "b", 1),
		                    metadata_suite_step_row(id_a, "a", 0) },
			*read_steps;
	struct input_row input = { (char *)id_a, (char *)"b", (char *)"x",
		                   (char *)id_a, (char *)"a", (char *)"out" },
			 *inputs;
	scoped(error) struct error *err = NULL;
	struct lease lease;
	size_t count;

	assert_ok(metadata_create_run(store, &run, steps, 2, &input, 1, &lease, &err), err);
	lease_release(&lease);

	assert_ok(metadata_inputs(store, id_a, &inputs, &count, &err), err);
	assert_int_equal(count, 1);
	assert_string_equal(inputs->source_output, "out");
	metadata_rows_free(&metadata_table_input, inputs, count);
	assert_ok(metadata_steps(store, id_a, &read_steps, &count, &err), err);
	assert_string_equal(read_steps[0].name, "a");
	metadata_rows_free(&metadata_table_step, read_steps, count);
}

static void test_events__gives_those_after_a_sequence(void **state)
{
	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(*state);
	struct event_row event = { 0, (char *)id_a, NULL, 0, 5, (char *)"state", NULL }, *events;
	struct metadata_change change = { .events = &event, .event_count = 1 };
	struct lease lease;
	int64_t first;
	size_t count;

	metadata_suite_create_run(store, id_a, "one", &lease);
	assert_true(metadata_record(store, &lease, &change, NULL));
	assert_true(metadata_events(store, id_a, 0, &events, &count, NULL));
	first = events->sequence;
	metadata_rows_free(&metadata_table_event, events, count);
	event.message = (char *)"second";
	assert_true(metadata_record(store, &lease, &change, NULL));
	lease_release(&lease);

	assert_true(metadata_events(store, id_a, first, &events, &count, NULL));
	assert_int_equal(count, 1);
	assert_string_equal(events->message, "second");
	metadata_rows_free(&metadata_table_event, events, count);
}

static void test_acquire_lease__waits_for_the_end_of_anothers(void **state)
{
	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(*state);
	scoped(error) struct error *held = NULL, *absent = NULL;
	struct lease lease, other = { 0 };

	metadata_suite_create_run(store, id_a, "one", &lease);

	assert_false(metadata_acquire_lease(store, id_a, &other, &held));
	assert_int_equal(held->kind, ERROR_CONFLICT);
	assert_error_contains(held, lease.holder);
	assert_false(metadata_acquire_lease(store, "beef", &other, &absent));
	assert_int_equal(absent->kind, ERROR_NOT_FOUND);
	lease_release(&lease);
}

static void test_acquire_lease__fences_off_who_had_it_before(void **state)
{
	struct metadata_fixture *fixture = *state;
	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(fixture);
	struct step_row step = metadata_suite_step_row(id_a, "s", 0), *steps;
	struct metadata_change change = { .steps = &step, .step_count = 1 };
	scoped(error) struct error *err = NULL, *stale = NULL, *lost = NULL;
	struct lease old, new;
	size_t count;

	metadata_suite_create_run(store, id_a, "one", &old);
	metadata_suite_execute(fixture, "UPDATE leases SET expires_at = 1");
	assert_ok(metadata_acquire_lease(store, id_a, &new, &err), err);
	metadata_suite_execute(fixture, "UPDATE leases SET holder = 'elsewhere:7'");

	step.state = (char *)"failed";
	assert_true(new.fence > old.fence);
	assert_false(metadata_record(store, &old, &change, &stale));
	assert_int_equal(stale->kind, ERROR_CONFLICT);
	assert_error_contains(stale, "the run is driven by elsewhere:7 now");
	assert_false(metadata_renew_lease(store, &old, &lost));
	assert_int_equal(lost->kind, ERROR_CONFLICT);
	assert_true(metadata_steps(store, id_a, &steps, &count, NULL));
	assert_string_equal(steps->state, "waiting");
	metadata_rows_free(&metadata_table_step, steps, count);
	assert_ok(metadata_record(store, &new, &change, &err), err);
	lease_release(&old);
	lease_release(&new);
}

static void test_renew_lease__keeps_others_away(void **state)
{
	struct metadata_fixture *fixture = *state;
	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(fixture);
	scoped(error) struct error *err = NULL;
	struct lease lease, other;

	metadata_suite_create_run(store, id_a, "one", &lease);
	metadata_suite_execute(fixture, "UPDATE leases SET expires_at = 1");
	assert_ok(metadata_renew_lease(store, &lease, &err), err);

	assert_false(metadata_acquire_lease(store, id_a, &other, NULL));
	lease_release(&lease);
}

static void test_find_run__takes_names_prefixes_and_the_latest(void **state)
{
	static const char *const ids[][2] = {
		{ "7d1f00000000000000000000000000aa", "first" },
		{ "7d1f11110000000000000000000000aa", "second" },
		{ "abcd00000000000000000000000000aa", "7d1f1" },
	};
	static const struct {
		const char *run, *name;
	} cases[] = {
		{ "first", "first" },     { "7d1f0", "first" },
		{ "7d1f1111", "second" }, { "7d1f1", "7d1f1" },
		{ "@latest", "7d1f1" },   { "7d1f00000000000000000000000000aa", "first" },
	};
	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(*state);
	size_t i;

	create_runs(store, ids, ARRAY_SIZE(ids));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(error) struct error *err = NULL;
		struct run_row row;

		assert_ok(metadata_find_run(store, cases[i].run, &row, &err), err);
		assert_string_equal(row.name, cases[i].name);
		run_row_release(&row);
	}
}

static void test_find_run__refuses_what_is_ambiguous_short_or_unknown(void **state)
{
	static const char *const ids[][2] = {
		{ "7d1f00000000000000000000000000aa", "first" },
		{ "7d1f11110000000000000000000000aa", "second" },
	};
	static const struct {
		const char *run;
		enum error_kind kind;
		const char *message;
	} cases[] = {
		{ "7d1f", ERROR_INVALID, "7d1f11110000000000000000000000aa (second)" },
		{ "7d1", ERROR_NOT_FOUND, "at least 4" },
		{ "7D1F0", ERROR_NOT_FOUND, "7D1F0" },
		{ "%", ERROR_NOT_FOUND, "stepop runs list" },
		{ "", ERROR_NOT_FOUND, "''" },
		{ "7d1fg", ERROR_NOT_FOUND, "7d1fg" },
	};
	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(*state);
	scoped(error) struct error *none = NULL;
	struct run_row row;
	size_t i;

	assert_false(metadata_find_run(store, "@latest", &row, &none));
	assert_error_contains(none, "no run yet");
	create_runs(store, ids, ARRAY_SIZE(ids));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(error) struct error *err = NULL;

		assert_false(metadata_find_run(store, cases[i].run, &row, &err));
		assert_int_equal(err->kind, cases[i].kind);
		assert_error_contains(err, cases[i].message);
	}
}

static void test_runs__come_newest_first_up_to_the_limit(void **state)
{
	static const char *const ids[][2] = {
		{ "ff000000000000000000000000000000", "first" },
		{ "aa000000000000000000000000000000", "second" },
		{ "cc000000000000000000000000000000", "third" },
	};
	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(*state);
	struct run_row *rows;
	size_t count;

	create_runs(store, ids, ARRAY_SIZE(ids));

	assert_true(metadata_runs(store, 2, &rows, &count, NULL));
	assert_int_equal(count, 2);
	assert_string_equal(rows[0].name, "third");
	assert_string_equal(rows[1].name, "second");
	metadata_rows_free(&metadata_table_run, rows, count);
	assert_true(metadata_runs(store, 0, &rows, &count, NULL));
	assert_int_equal(count, 3);
	metadata_rows_free(&metadata_table_run, rows, count);
}

/* Writes pairs of an attempt and an event until it is killed. */
static void child_records(struct metadata_fixture *fixture, struct lease *lease, int started)
{
	struct metadata_store *store = metadata_suite_open(fixture);
	struct attempt_row attempt = { .run_id = (char *)id_a,
		                       .step = (char *)"s",
		                       .state = (char *)"running" };
	struct event_row event = { .run_id = (char *)id_a, .kind = (char *)"state" };
	struct metadata_change change = {
		.attempts = &attempt, .attempt_count = 1, .events = &event, .event_count = 1
	};

	for (;;) {
		attempt.attempt++;
		event.attempt = attempt.attempt;
		if (!metadata_record(store, lease, &change, NULL) ||
		    (attempt.attempt == 3 && write(started, "x", 1) != 1))
			_exit(1);
	}
}

/* Counts both kinds of rows: they are written in pairs. */
static void check_pairs(struct metadata_fixture *fixture)
{
	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(fixture);
	struct attempt_row *attempts;
	struct event_row *events;
	size_t attempt_count, event_count;

	assert_true(metadata_attempts(store, id_a, &attempts, &attempt_count, NULL));
	assert_true(metadata_events(store, id_a, 0, &events, &event_count, NULL));
	assert_true(attempt_count >= 3);
	assert_int_equal(event_count, attempt_count);
	assert_int_equal(events[event_count - 1].attempt, attempts[attempt_count - 1].attempt);
	metadata_rows_free(&metadata_table_attempt, attempts, attempt_count);
	metadata_rows_free(&metadata_table_event, events, event_count);
}

/* SQLite's connections do not survive a fork: nothing is open meanwhile. */
static void record_until_killed(struct metadata_fixture *fixture, struct lease *lease)
{
	int line[2], status;
	char byte;
	pid_t child;

	assert_int_equal(pipe(line), 0);
	child = fork();
	if (!child)
		child_records(fixture, lease, line[1]);
	close(line[1]);
	assert_int_equal(read(line[0], &byte, 1), 1);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	close(line[0]);
	assert_true(WIFSIGNALED(status));
}

static void test_record__is_whole_or_absent_after_a_kill(void **state)
{
	struct metadata_fixture *fixture = *state;
	struct metadata_store *store = metadata_suite_open(fixture);
	struct lease lease;
	int round;

	metadata_suite_create_run(store, id_a, "one", &lease);
	metadata_store_free(store);
	for (round = 0; round < 4; round++) {
		record_until_killed(fixture, &lease);
		check_pairs(fixture);
		metadata_suite_execute(fixture, "DELETE FROM attempts");
		metadata_suite_execute(fixture, "DELETE FROM events");
		metadata_suite_execute(fixture, "UPDATE leases SET events = 0");
	}
	lease_release(&lease);
}

/* Marked with a version; its schema made by the migrations up to there. */
static bool make_old_schema(struct sql_database *database, void *context, struct error **err)
{
	size_t version = *(size_t *)context, i, j;
	struct sql_mark mark = { .version = (int64_t)version };

	for (i = 1; i <= version; i++)
		for (j = 0; j < metadata_schema_statement_count(i); j++) {
			scoped(text) char *sql =
				metadata_schema_statement(i, j, database->driver->dialect);
			struct sql_statement statement = { sql, SQL_UNPREPARED };

			if (!sql_run(database, &statement, NULL, 0, err))
				return false;
		}
	return database->driver->write_mark(database, &mark, err);
}

static bool migrate_to(struct sql_database *database, void *version, struct error **err)
{
	return database->driver->migrate(database, make_old_schema, version, err);
}

static bool mark_as_newer(struct sql_database *database, void *context, struct error **err)
{
	struct sql_mark mark = { .version = 99 };

	(void)context;
	return database->driver->write_mark(database, &mark, err);
}

static bool migrate_newer(struct sql_database *database, void *context, struct error **err)
{
	return database->driver->migrate(database, mark_as_newer, context, err);
}

void metadata_suite_transact(struct metadata_fixture *fixture, sql_body *body, void *context)
{
	scoped(error) struct error *err = NULL;
	scoped(sql_database) struct sql_database *database =
		metadata_flavor_find(backend->flavor)
			->open(NULL, &fixture->component, fixture->secrets, true, &err);

	assert_ok(database != NULL, err);
	assert_ok(sql_transact(database, SQL_READ, body, context, &err), err);
}

static void test_open__refuses_a_newer_schema(void **state)
{
	struct metadata_fixture *fixture = *state;
	scoped(error) struct error *err = NULL;

	metadata_store_free(metadata_suite_open(fixture));
	metadata_suite_transact(fixture, migrate_newer, NULL);

	assert_null(metadata_store_open(NULL, &fixture->component, fixture->secrets, &err));
	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, "use a newer stepop");
	assert_error_contains(err, "metadata store 'default'");
}

static void test_open__migrates_what_an_older_program_left(void **state)
{
	struct metadata_fixture *fixture = *state;
	scoped(metadata_store) struct metadata_store *store = NULL;
	scoped(error) struct error *err = NULL;
	struct event_row event = { .run_id = (char *)id_a, .kind = (char *)"state" };
	struct metadata_change change = { .events = &event, .event_count = 1 };
	struct lease lease = { (char *)id_a, (char *)"old:1", 4, 0 };
	size_t first = 1;

	if (backend->has_schema_at_first)
		skip();
	metadata_suite_transact(fixture, migrate_to, &first);
	metadata_suite_execute(
		fixture, "INSERT INTO runs (id, name, pipeline, state, created_at, started_at, "
			 "ended_at) VALUES ('7d1f00000000000000000000000000aa', 'old', 'p', "
			 "'running', 1, 1, 0)");
	metadata_suite_execute(fixture,
	                       "INSERT INTO leases (run_id, holder, fence, expires_at) VALUES "
	                       "('7d1f00000000000000000000000000aa', 'old:1', 4, 1)");

	metadata_suite_open_in_company(fixture);
	store = metadata_suite_open(fixture);
	assert_ok(metadata_record(store, &lease, &change, &err), err);
	assert_int_equal(lease.events, 1);
}

static void test_create_run__takes_names_up_to_the_limit(void **state)
{
	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(*state);
	scoped(error) struct error *err = NULL;
	char name[2 * METADATA_NAME_LIMIT + 3] = "";
	struct run_row run = metadata_suite_run_row(id_a, name);
	struct lease lease;
	int i;

	for (i = 0; i < METADATA_NAME_LIMIT; i++)
		memcpy(name + 2 * i, "\xc3\xa4", 3);
	metadata_suite_create_run(store, id_a, name, &lease);
	lease_release(&lease);
	memcpy(name + 2 * i, "x", 2);

	assert_false(metadata_create_run(store, &run, NULL, 0, NULL, 0, &lease, &err));
	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, "192 characters");
}

static void test_create_run__bears_to_be_repeated(void **state)
{
	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(*state);
	struct lease first, again;
	struct run_row *rows;
	size_t count;

	metadata_suite_create_run(store, id_a, "one", &first);
	metadata_suite_create_run(store, id_a, "one", &again);

	assert_int_equal(again.fence, first.fence);
	lease_release(&first);
	lease_release(&again);
	assert_true(metadata_runs(store, 0, &rows, &count, NULL));
	assert_int_equal(count, 1);
	metadata_rows_free(&metadata_table_run, rows, count);
}

/* A commit whose answer was lost: the caller knows of no event, and comes again with more. */
static void test_record__appends_events_once(void **state)
{
	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(*state);
	struct event_row events[] = {
		{ .run_id = (char *)id_a, .kind = (char *)"state", .message = (char *)"a" },
		{ .run_id = (char *)id_a, .kind = (char *)"state", .message = (char *)"b" },
		{ .run_id = (char *)id_a, .kind = (char *)"state", .message = (char *)"c" },
	}, *read;
	struct metadata_change change = { .events = events, .event_count = 2 };
	struct lease lease;
	size_t count, i;

	metadata_suite_create_run(store, id_a, "one", &lease);
	assert_true(metadata_record(store, &lease, &change, NULL));
	lease.events = 0;
	change.event_count = 1;
	assert_true(metadata_record(store, &lease, &change, NULL));
	change = (struct metadata_change){ .events = events + 1, .event_count = 2 };
	assert_true(metadata_record(store, &lease, &change, NULL));
	assert_int_equal(lease.events, 3);
	lease_release(&lease);

	assert_true(metadata_events(store, id_a, 0, &read, &count, NULL));
	assert_int_equal(count, 3);
	for (i = 0; i < count; i++)
		assert_string_equal(read[i].message, events[i].message);
	metadata_rows_free(&metadata_table_event, read, count);
}

static void test_record__keeps_texts_of_any_kind_and_length(void **state)
{
	static const char rocket[] = "\xf0\x9f\x9a\x80";
	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(*state);
	scoped(text) char *longest = xcalloc((size_t)4 << 20, 1);
	struct event_row events[] = {
		{ .run_id = (char *)id_a, .kind = (char *)"k", .message = longest },
		{ .run_id = (char *)id_a, .kind = (char *)"k", .message = (char *)"caf\xe9" },
		{ .run_id = (char *)id_a,
		  .kind = (char *)"k",
		  .message = (char *)"'; DROP TABLE \"runs\"; -- \\ \\' %s ?1 $1\t\r\n" },
	}, *read;
	struct metadata_change change = { .events = events, .event_count = ARRAY_SIZE(events) };
	scoped(error) struct error *err = NULL;
	struct lease lease;
	size_t count, i;

	for (i = 0; i + 4 < (size_t)4 << 20; i += 4)
		memcpy(longest + i, rocket, 4);
	metadata_suite_create_run(store, id_a, "x\xf0\x9f\x9a\x80\xc3\xa4", &lease);
	assert_ok(metadata_record(store, &lease, &change, &err), err);
	lease_release(&lease);

	assert_true(metadata_events(store, id_a, 0, &read, &count, NULL));
	assert_int_equal(count, 3);
	assert_true(!strcmp(read[0].message, longest));
	assert_string_equal(read[1].message, "caf\xef\xbf\xbd");
	assert_string_equal(read[2].message, events[2].message);
	metadata_rows_free(&metadata_table_event, read, count);
}

/* Names that differ in case, accents or blanks at their end are different ones. */
static void test_find_run__compares_names_by_their_bytes(void **state)
{
	static const char *const ids[][2] = {
		{ "11110000000000000000000000000000", "cafe" },
		{ "22220000000000000000000000000000", "Cafe" },
		{ "33330000000000000000000000000000", "caf\xc3\xa9" },
		{ "44440000000000000000000000000000", "cafe-" },
	};
	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(*state);
	size_t i;

	create_runs(store, ids, ARRAY_SIZE(ids));
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		scoped(error) struct error *err = NULL;
		struct run_row row;

		assert_ok(metadata_find_run(store, ids[i][1], &row, &err), err);
		assert_string_equal(row.id, ids[i][0]);
		run_row_release(&row);
	}
}

enum { WRITERS = 6, RECORDS = 20 };

/* A run of its own, and a record of it at a time. */
static void child_writes(struct metadata_fixture *fixture, int number)
{
	struct metadata_store *store = metadata_suite_open(fixture);
	scoped(text) char *id = text_printf("%032x", number + 1);
	struct attempt_row attempt = { .run_id = id, .step = (char *)"s", .attempt = 1 };
	struct event_row event = { .run_id = id, .kind = (char *)"state" };
	struct metadata_change change = {
		.attempts = &attempt, .attempt_count = 1, .events = &event, .event_count = 1
	};
	struct lease lease;
	int i;

	metadata_suite_create_run(store, id, id, &lease);
	for (i = 0; i < RECORDS; i++) {
		attempt.state = (char *)"running";
		event.attempt = i;
		if (!metadata_record(store, &lease, &change, NULL))
			_exit(1);
	}
	metadata_store_free(store);
	_exit(0);
}

static void test_record__takes_many_writers_at_once(void **state)
{
	struct metadata_fixture *fixture = *state;
	pid_t children[WRITERS];
	int i, status;

	metadata_store_free(metadata_suite_open(fixture));
	for (i = 0; i < WRITERS; i++) {
		children[i] = fork();
		if (!children[i])
			child_writes(fixture, i);
	}
	for (i = 0; i < WRITERS; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}

	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(fixture);
	for (i = 0; i < WRITERS; i++) {
		scoped(text) char *id = text_printf("%032x", i + 1);
		struct event_row *events;
		size_t count, j;

		assert_true(metadata_events(store, id, 0, &events, &count, NULL));
		assert_int_equal(count, RECORDS);
		for (j = 0; j < count; j++)
			assert_int_equal(events[j].attempt, j);
		metadata_rows_free(&metadata_table_event, events, count);
	}
}

static void test_create_run__takes_thousands_of_steps(void **state)
{
	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(*state);
	enum { STEPS = 1234 };
	struct step_row *steps = xcalloc(STEPS, sizeof(*steps)), *read;
	struct run_row run = metadata_suite_run_row(id_a, "one");
	scoped(error) struct error *err = NULL;
	struct lease lease;
	size_t count, i;

	for (i = 0; i < STEPS; i++)
		steps[i] = metadata_suite_step_row(id_a, text_printf("s%zu", i), (int64_t)i);
	assert_ok(metadata_create_run(store, &run, steps, STEPS, NULL, 0, &lease, &err), err);
	lease_release(&lease);

	assert_true(metadata_steps(store, id_a, &read, &count, NULL));
	assert_int_equal(count, STEPS);
	for (i = 0; i < STEPS; i++) {
		assert_string_equal(read[i].name, steps[i].name);
		free(steps[i].name);
	}
	free(steps);
	metadata_rows_free(&metadata_table_step, read, count);
}

/* A store beside that of the backend. */
static struct metadata_store *open_file(const struct metadata_fixture *fixture, const char *name)
{
	scoped(text) char *path = file_join(fixture->folder, name);
	json_auto_t *options = json_pack("{s:s}", "path", path);
	struct component component = { .type = COMPONENT_METADATA_STORE,
		                       .name = (char *)name,
		                       .flavor = (char *)"sqlite",
		                       .options = options };
	scoped(error) struct error *err = NULL;
	struct metadata_store *store = metadata_store_open(NULL, &component, NULL, &err);

	assert_ok(store != NULL, err);
	return store;
}

/* A run of everything, which nobody drives any more. */
static void fill_run(struct metadata_store *store, const char *id)
{
	struct run_row run = metadata_suite_run_row(id, id);
	struct step_row steps[] = { metadata_suite_step_row(id, "b", 0),
		                    metadata_suite_step_row(id, "a", 1) };
	struct input_row input = { (char *)id, (char *)"a", (char *)"x",
		                   (char *)id, (char *)"b", (char *)"out" };
	struct attempt_row attempts[] = {
		{ .run_id = (char *)id, .step = (char *)"a", .attempt = 1, .state = (char *)"x" },
		{ .run_id = (char *)id,
		  .step = (char *)"b",
		  .attempt = 2,
		  .state = (char *)"failed",
		  .message = (char *)"\xf0\x9f\x9a\x80 \\ '",
		  .has_exit_code = true },
	};
	struct artifact_row artifact = { .run_id = (char *)id,
		                         .step = (char *)"b",
		                         .name = (char *)"out",
		                         .type = (char *)"json",
		                         .uri = (char *)"file:///x" };
	struct event_row events[] = {
		{ .run_id = (char *)id, .kind = (char *)"state", .message = (char *)"z" },
		{ .run_id = (char *)id, .step = (char *)"a", .kind = (char *)"state" },
	};
	struct metadata_change change = { .run = &run,
		                          .attempts = attempts,
		                          .attempt_count = 2,
		                          .artifacts = &artifact,
		                          .artifact_count = 1,
		                          .events = events,
		                          .event_count = 2 };
	scoped(error) struct error *err = NULL;
	struct lease lease;

	assert_ok(metadata_create_run(store, &run, steps, 2, &input, 1, &lease, &err), err);
	run.state = (char *)"failed";
	assert_ok(metadata_record(store, &lease, &change, &err), err);
	lease_release(&lease);
}

/* In an order that is not that of their ids. */
static void fill_runs(struct metadata_store *store, int first, int count)
{
	int i;

	for (i = first; i < first + count; i++) {
		scoped(text) char *id = text_printf("%032x", (i * 7919) % 65536);

		fill_run(store, id);
	}
}

enum { ROWS_PER_RUN = 1 + 1 + 2 + 1 + 2 + 1 + 2 };

static void check_copy(struct metadata_store *from, struct metadata_store *to, int64_t copied,
                       int64_t compared)
{
	scoped(error) struct error *err = NULL;
	struct metadata_copy copy;

	assert_ok(metadata_copy(from, to, NULL, NULL, &copy, &err), err);
	assert_int_equal(copy.copied, copied);
	assert_int_equal(copy.compared, compared);
	assert_int_equal(copy.rows, compared * ROWS_PER_RUN);
}

static void test_copy__moves_everything_there_and_back(void **state)
{
	struct metadata_fixture *fixture = *state;
	scoped(metadata_store) struct metadata_store *before = open_file(fixture, "before");
	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(fixture);
	scoped(metadata_store) struct metadata_store *after = open_file(fixture, "after");

	fill_runs(before, 1, 230);
	check_copy(before, store, 230, 230);
	check_copy(store, after, 230, 230);
}

static void test_copy__goes_on_with_what_an_earlier_one_left(void **state)
{
	struct metadata_fixture *fixture = *state;
	scoped(metadata_store) struct metadata_store *from = open_file(fixture, "from");
	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(fixture);

	fill_runs(from, 1, 130);
	check_copy(from, store, 130, 130);
	fill_runs(from, 131, 20);
	check_copy(from, store, 20, 150);
	check_copy(from, store, 0, 150);
}

static void test_copy__refuses_a_store_with_runs_of_its_own(void **state)
{
	struct metadata_fixture *fixture = *state;
	scoped(metadata_store) struct metadata_store *from = open_file(fixture, "from");
	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(fixture);
	scoped(error) struct error *err = NULL;
	struct metadata_copy copy;
	struct run_row *rows;
	size_t count;

	fill_runs(from, 1, 3);
	fill_runs(store, 9, 1);

	assert_false(metadata_copy(from, store, NULL, NULL, &copy, &err));
	assert_int_equal(err->kind, ERROR_CONFLICT);
	assert_error_contains(err, "copy into an empty one");
	assert_true(metadata_runs(store, 0, &rows, &count, NULL));
	assert_int_equal(count, 1);
	metadata_rows_free(&metadata_table_run_summary, rows, count);
}

static void test_copy__finds_what_differs(void **state)
{
	struct metadata_fixture *fixture = *state;
	scoped(metadata_store) struct metadata_store *from = open_file(fixture, "from");
	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(fixture);
	scoped(error) struct error *text = NULL, *missing = NULL;
	struct metadata_copy copy;

	fill_runs(from, 1, 3);
	check_copy(from, store, 3, 3);
	metadata_suite_execute(fixture, "UPDATE attempts SET message = 'x' WHERE attempt = 2");
	assert_false(metadata_copy(from, store, NULL, NULL, &copy, &text));
	assert_error_contains(text, "a row of 'attempts'");
	assert_error_contains(text, "differs in 'message'");

	metadata_suite_execute(fixture, "DELETE FROM attempts WHERE attempt = 2");
	assert_false(metadata_copy(from, store, NULL, NULL, &copy, &missing));
	assert_int_equal(missing->kind, ERROR_CONFLICT);
	assert_error_contains(missing, "attempts");
}

static void test_copy__refuses_while_a_run_is_driven(void **state)
{
	struct metadata_fixture *fixture = *state;
	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(fixture);
	scoped(metadata_store) struct metadata_store *to = open_file(fixture, "to");
	scoped(error) struct error *err = NULL;
	struct metadata_copy copy;
	struct lease lease;

	metadata_suite_create_run(store, id_a, "going-on", &lease);

	assert_false(metadata_copy(store, to, NULL, NULL, &copy, &err));
	assert_int_equal(err->kind, ERROR_CONFLICT);
	assert_error_contains(err, "'going-on'");
	assert_error_contains(err, lease.holder);
	lease_release(&lease);
}

static void test_status__tells_what_there_is(void **state)
{
	struct metadata_fixture *fixture = *state;
	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(fixture);
	scoped(error) struct error *err = NULL;
	struct metadata_status status;

	fill_runs(store, 1, 2);

	assert_ok(metadata_status(store, &status, &err), err);
	assert_int_equal(status.schema, status.newest_schema);
	assert_true(status.size_bytes > 0);
	assert_string_equal(status.tables[0], "runs");
	assert_int_equal(status.rows[0], 2);
	assert_string_equal(status.tables[1], "steps");
	assert_int_equal(status.rows[1], 4);
	assert_non_null(strchr(status.server, ' '));
	metadata_status_release(&status);
}

static void test_probe__leaves_nothing_behind(void **state)
{
	struct metadata_fixture *fixture = *state;
	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(fixture);
	scoped(probe_report) struct probe_report *report = probe_report_new(NULL, NULL);
	scoped(error) struct error *err = NULL;
	struct run_row *rows;
	size_t count;

	metadata_probe(store, report);

	assert_ok(probe_report_check(report, &err), err);
	assert_int_equal(json_array_size(probe_report_lines(report)), 2);
	assert_true(metadata_runs(store, 0, &rows, &count, NULL));
	assert_int_equal(count, 0);
	free(rows);
}

int metadata_suite_run(const struct metadata_backend *chosen)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, metadata_suite_setup, metadata_suite_teardown)
		TEST(test_open__works_for_several_processes_at_once),
		TEST(test_create_run__refuses_a_name_that_is_taken),
		TEST(test_create_run__creates_all_or_nothing),
		TEST(test_record__keeps_every_field),
		TEST(test_record__replaces_by_key_and_keeps_what_a_run_was_made_of),
		TEST(test_record__takes_a_megabyte_of_message),
		TEST(test_inputs__tell_what_a_step_read),
		TEST(test_events__gives_those_after_a_sequence),
		TEST(test_acquire_lease__waits_for_the_end_of_anothers),
		TEST(test_acquire_lease__fences_off_who_had_it_before),
		TEST(test_renew_lease__keeps_others_away),
		TEST(test_find_run__takes_names_prefixes_and_the_latest),
		TEST(test_find_run__refuses_what_is_ambiguous_short_or_unknown),
		TEST(test_runs__come_newest_first_up_to_the_limit),
		TEST(test_record__is_whole_or_absent_after_a_kill),
		TEST(test_open__refuses_a_newer_schema),
		TEST(test_open__migrates_what_an_older_program_left),
		TEST(test_create_run__takes_names_up_to_the_limit),
		TEST(test_create_run__bears_to_be_repeated),
		TEST(test_record__appends_events_once),
		TEST(test_record__keeps_texts_of_any_kind_and_length),
		TEST(test_find_run__compares_names_by_their_bytes),
		TEST(test_record__takes_many_writers_at_once),
		TEST(test_create_run__takes_thousands_of_steps),
		TEST(test_copy__moves_everything_there_and_back),
		TEST(test_copy__goes_on_with_what_an_earlier_one_left),
		TEST(test_copy__refuses_a_store_with_runs_of_its_own),
		TEST(test_copy__finds_what_differs),
		TEST(test_copy__refuses_while_a_run_is_driven),
		TEST(test_status__tells_what_there_is),
		TEST(test_probe__leaves_nothing_behind),
	};

	metadata_suite_choose(chosen);
	return cmocka_run_group_tests_name(chosen->flavor, tests, NULL, NULL);
}
