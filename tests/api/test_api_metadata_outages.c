/* SPDX-License-Identifier: Apache-2.0 */
/* stacks/metadata on servers that are killed, hang, or stop to write: nothing is lost, nothing is
 * there twice, and nobody waits for ever. */
#include "tests/test.h"

#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>

#include "core/loop.h"
#include "core/text.h"
#include "tests/fakes/metadata_servers.h"
#include "tests/fakes/recorded_run.h"

/* The store's own, where a test waits for its end. */
#define PATIENCE_MS 1000
/* What a call may take beyond that on a machine that is busy. */
#define SLACK_MS 2000

static void test_record__outlives_a_server_that_is_killed_and_started_again(void **state)
{
	struct recorded_run run;
	pid_t start;

	recorded_run_start(&run, *state);
	recorded_run_continue(&run);
	metadata_server_control("kill");
	start = metadata_server_control_later("start", 300);

	recorded_run_continue(&run);
	recorded_run_continue(&run);

	test_child_wait(start);
	recorded_run_check(&run);
	recorded_run_end(&run);
}

/* Wherever the kill strikes: between two statements, or before the answer to a commit. */
static void test_record__writes_each_event_once_whenever_the_server_is_killed(void **state)
{
	struct recorded_run run;
	int i;

	recorded_run_start(&run, *state);
	for (i = 0; i < 3; i++) {
		pid_t restart = metadata_server_control_later("restart", 20 + 30 * i);
		int status = 0;

		while (!waitpid(restart, &status, WNOHANG))
			recorded_run_continue(&run);
		assert_int_equal(status, 0);
	}
	recorded_run_continue(&run);

	recorded_run_check(&run);
	assert_true(run.recorded > 3);
	recorded_run_end(&run);
}

/* The end of the session, by an administrator or a pooler, is not that of the run. */
static void end_sessions(struct metadata_fixture *fixture)
{
	metadata_server_administrate(
		fixture, metadata_server_is("mysql")
				 ? "KILL USER owner"
				 : "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
				   " WHERE usename = 'owner'");
}

static void test_record__outlives_its_session(void **state)
{
	struct recorded_run run;

	recorded_run_start(&run, *state);
	recorded_run_continue(&run);
	end_sessions(*state);

	recorded_run_continue(&run);

	recorded_run_check(&run);
	recorded_run_end(&run);
}

static void check_duration(int64_t begin_ms, int64_t least_ms, int64_t most_ms)
{
	int64_t took = loop_now_ms() - begin_ms;

	if (took < least_ms || took > most_ms)
		fail_msg("it took %" PRId64 " ms", took);
}

static void test_record__gives_up_on_a_server_that_is_gone_and_goes_on_later(void **state)
{
	scoped(error) struct error *err = NULL;
	struct recorded_run run;
	int64_t begin;

	recorded_run_start(&run, *state);
	recorded_run_continue(&run);
	metadata_server_control("kill");
	metadata_set_patience(run.store, PATIENCE_MS);

	begin = loop_now_ms();
	assert_false(recorded_run_record(&run, &err));
	check_duration(begin, 0, PATIENCE_MS + SLACK_MS);
	assert_int_equal(err->kind, ERROR_UNAVAILABLE);
	assert_error_contains(err, "the database 'stepop_");

	metadata_server_control("start");
	metadata_set_patience(run.store, SQL_PATIENCE_MS);
	recorded_run_continue(&run);
	recorded_run_check(&run);
	recorded_run_end(&run);
}

static void test_record__gives_up_on_a_server_that_does_not_answer(void **state)
{
	scoped(error) struct error *err = NULL;
	struct recorded_run run;
	int64_t begin;

	recorded_run_start(&run, *state);
	recorded_run_continue(&run);
	metadata_server_control("pause");
	metadata_set_patience(run.store, PATIENCE_MS);

	begin = loop_now_ms();
	assert_false(recorded_run_record(&run, &err));
	check_duration(begin, PATIENCE_MS - 100, PATIENCE_MS + SLACK_MS);
	assert_int_equal(err->kind, ERROR_TIMEOUT);
	assert_error_contains(err, "not answered within 1.0s");

	metadata_server_control("resume");
	metadata_set_patience(run.store, SQL_PATIENCE_MS);
	recorded_run_continue(&run);
	recorded_run_check(&run);
	recorded_run_end(&run);
}

/* The kernel takes connections that nobody greets. */
static void test_open__gives_up_on_a_server_that_does_not_answer(void **state)
{
	struct metadata_fixture *fixture = *state;
	scoped(error) struct error *err = NULL;
	int64_t begin;

	metadata_server_control("pause");

	begin = loop_now_ms();
	assert_null(metadata_store_open(NULL, &fixture->component, fixture->secrets, &err));
	check_duration(begin, SQL_PATIENCE_MS - 100, SQL_PATIENCE_MS + SLACK_MS);
	assert_int_equal(err->kind, ERROR_TIMEOUT);

	metadata_server_control("resume");
	metadata_store_free(metadata_suite_open(fixture));
}

static void test_open__works_for_several_processes_whose_server_is_killed(void **state)
{
	pid_t kill = metadata_server_control_later("kill", 10), children[4];
	size_t i;

	metadata_server_use_socket(*state);
	for (i = 0; i < ARRAY_SIZE(children); i++)
		children[i] = test_child_start(test_child_opens, *state);
	test_child_wait(kill);
	metadata_server_control("start");

	for (i = 0; i < ARRAY_SIZE(children); i++)
		test_child_wait(children[i]);
	metadata_store_free(metadata_suite_open(*state));
}

static void set_read_only(struct metadata_fixture *fixture, bool read_only)
{
	scoped(text) char *sql = NULL;

	if (metadata_server_is("mysql"))
		sql = text_printf("SET GLOBAL read_only = %d", read_only);
	else
		sql = text_printf("ALTER DATABASE %s SET default_transaction_read_only = %s",
		                  component_text(&fixture->component, "database", NULL),
		                  read_only ? "on" : "off");
	metadata_server_administrate(fixture, sql);
}

static bool write_again(void *context)
{
	poll(NULL, 0, 500);
	set_read_only(context, false);
	return true;
}

/* As after a failover: what was the primary answers for a while, but does not write. */
static void test_record__waits_for_a_server_that_writes(void **state)
{
	struct recorded_run run;
	pid_t child;

	recorded_run_start(&run, *state);
	recorded_run_continue(&run);
	set_read_only(*state, true);
	end_sessions(*state);
	child = test_child_start(write_again, *state);

	recorded_run_continue(&run);

	test_child_wait(child);
	recorded_run_check(&run);
	recorded_run_end(&run);
}

/* So many statements of the schema were executed, the last of them without its mark. */
static bool migrate_partly(struct sql_database *database, void *context, struct error **err)
{
	size_t left = *(size_t *)context;
	struct sql_mark mark = { 0 };

	while (left--) {
		size_t version = (size_t)mark.version + 1;
		scoped(text) char *sql = metadata_schema_statement(version, (size_t)mark.statements,
		                                                   database->driver->dialect);

		struct sql_statement statement = { sql, SQL_UNPREPARED };

		if (!database->driver->write_mark(database, &mark, err) ||
		    !sql_run(database, &statement, NULL, 0, err))
			return false;
		if (++mark.statements == (int64_t)metadata_schema_statement_count(version))
			mark = (struct sql_mark){ .version = (int64_t)version };
	}
	return true;
}

static size_t count_statements(void)
{
	size_t count = 0, version;

	for (version = 1; version <= metadata_schema_version(); version++)
		count += metadata_schema_statement_count(version);
	return count;
}

static void test_open__finishes_a_migration_wherever_it_was_killed(void **state)
{
	struct metadata_fixture *fixture = *state;
	const char *name = component_text(&fixture->component, "database", NULL);
	scoped(text) char *drop = NULL;
	scoped(text) char *create = NULL;
	size_t done;

	if (!metadata_server_is("mysql"))
		skip();
	drop = text_printf("DROP DATABASE %s", name);
	create = text_printf("CREATE DATABASE %s", name);
	for (done = 1; done <= count_statements(); done++) {
		struct recorded_run run;

		metadata_server_administrate(fixture, drop);
		metadata_server_administrate(fixture, create);
		metadata_suite_transact(fixture, migrate_partly, &done);

		recorded_run_start(&run, fixture);
		recorded_run_continue(&run);
		recorded_run_check(&run);
		recorded_run_end(&run);
	}
}

static int test_server(const struct metadata_backend *backend)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, metadata_suite_setup, metadata_suite_teardown)
		TEST(test_record__outlives_a_server_that_is_killed_and_started_again),
		TEST(test_record__writes_each_event_once_whenever_the_server_is_killed),
		TEST(test_record__outlives_its_session),
		TEST(test_record__gives_up_on_a_server_that_is_gone_and_goes_on_later),
		TEST(test_record__gives_up_on_a_server_that_does_not_answer),
		TEST(test_open__gives_up_on_a_server_that_does_not_answer),
		TEST(test_open__works_for_several_processes_whose_server_is_killed),
		TEST(test_record__waits_for_a_server_that_writes),
		TEST(test_open__finishes_a_migration_wherever_it_was_killed),
	};

	return cmocka_run_group_tests_name(backend->flavor, tests, NULL, NULL);
}

int main(void)
{
	return metadata_servers_run(test_server);
}
