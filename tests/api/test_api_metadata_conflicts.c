/* SPDX-License-Identifier: Apache-2.0 */
/* stacks/metadata on servers where others are in the way, or which take no more: what can be
 * repeated is, and the rest is said. */
#include "tests/test.h"

#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/text.h"
#include "tests/fakes/metadata_servers.h"
#include "tests/fakes/recorded_run.h"

static bool execute(struct sql_database *database, const char *sql, struct error **err)
{
	struct sql_statement statement = { sql, SQL_UNPREPARED };

	return sql_run(database, &statement, NULL, 0, err);
}

/* Two transactions that write two rows in opposite orders, each its first before either its
 * second. */
struct crossing {
	const char *first, *second;
	int told, heard; /* that the first row is written */
	int attempts;
};

static bool cross(struct sql_database *database, void *context, struct error **err)
{
	struct crossing *crossing = context;
	int64_t ignored;
	char byte = 0;

	crossing->attempts++;
	/* Statements may only be queued: a query carries them out. */
	if (!execute(database, crossing->first, err) ||
	    !sql_query_integer(database, "SELECT 1", &ignored, err))
		return false;
	if (crossing->attempts == 1 &&
	    (write(crossing->told, &byte, 1) != 1 || read(crossing->heard, &byte, 1) != 1))
		return error_set(err, ERROR_INTERNAL, "the other one has ended");
	return execute(database, crossing->second, err) &&
	       sql_query_integer(database, "SELECT 1", &ignored, err);
}

static struct sql_database *open_database(struct metadata_fixture *fixture)
{
	scoped(error) struct error *err = NULL;
	struct sql_database *database =
		metadata_flavor_find(fixture->component.flavor)
			->open(NULL, &fixture->component, fixture->secrets, true, &err);

	assert_ok(database != NULL, err);
	return database;
}

/* On a machine that is busy, one of two is slow to come. */
#define PATIENCE_MS 30000

/* In a child: tells why it failed. */
static bool transact(struct metadata_fixture *fixture, sql_body *body, void *context)
{
	scoped(error) struct error *err = NULL;
	scoped(sql_database) struct sql_database *database =
		metadata_flavor_find(fixture->component.flavor)
			->open(NULL, &fixture->component, fixture->secrets, true, &err);

	if (database)
		database->patience_ms = PATIENCE_MS;
	if (database && sql_transact(database, SQL_WRITE, body, context, &err))
		return true;
	error_render(err, stderr);
	fputc('\n', stderr);
	return false;
}

struct check {
	const char *sql;
	int64_t value;
};

static bool read_value(struct sql_database *database, void *context, struct error **err)
{
	struct check *check = context;

	return sql_query_integer(database, check->sql, &check->value, err);
}

static void check_integer(struct metadata_fixture *fixture, const char *sql, int64_t expected)
{
	struct check check = { sql, 0 };

	metadata_suite_transact(fixture, read_value, &check);
	assert_int_equal(check.value, expected);
}

static void make_pair(struct metadata_fixture *fixture)
{
	metadata_suite_execute(fixture, "CREATE TABLE pair (name VARCHAR(3) PRIMARY KEY,"
	                                " total INTEGER)");
	metadata_suite_execute(fixture, "INSERT INTO pair VALUES ('one', 0), ('two', 0)");
}

static void test_transact__repeats_the_victim_of_a_deadlock(void **state)
{
	static const char one[] = "UPDATE pair SET total = total + 1 WHERE name = 'one'";
	static const char two[] = "UPDATE pair SET total = total + 1 WHERE name = 'two'";
	struct metadata_fixture *fixture = *state;
	scoped(sql_database) struct sql_database *database = NULL;
	scoped(error) struct error *err = NULL;
	int to_child[2], to_parent[2], status;
	pid_t child;

	metadata_server_use_socket(fixture);
	make_pair(fixture);
	assert_int_equal(pipe(to_child) | pipe(to_parent), 0);
	struct crossing ours = { one, two, to_child[1], to_parent[0], 0 };
	struct crossing theirs = { two, one, to_parent[1], to_child[0], 0 };
	child = fork();
	/* Each keeps its own ends, so that it hears when the other one is gone. */
	close(child ? to_child[0] : to_child[1]);
	close(child ? to_parent[1] : to_parent[0]);
	if (!child)
		/* How often it began, 0 for a failure. */
		_exit(transact(fixture, cross, &theirs) ? theirs.attempts : 0);
	database = open_database(fixture);
	database->patience_ms = PATIENCE_MS;
	assert_ok(sql_transact(database, SQL_WRITE, cross, &ours, &err), err);

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status));
	/* One of them had to begin again. */
	assert_int_equal(ours.attempts + WEXITSTATUS(status), 3);
	check_integer(fixture, "SELECT MIN(total) FROM pair", 2);
	check_integer(fixture, "SELECT MAX(total) FROM pair", 2);
	close(to_child[1]);
	close(to_parent[0]);
}

/* A transaction that reads what another one changes before it writes. */
struct overtaking {
	struct metadata_fixture *fixture;
	int attempts;
};

static bool be_overtaken(struct sql_database *database, void *context, struct error **err)
{
	struct overtaking *overtaking = context;
	int64_t total;

	if (!metadata_server_is("mysql") &&
	    !execute(database, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", err))
		return false;
	if (!sql_query_integer(database, "SELECT total FROM pair WHERE name = 'one'", &total, err))
		return false;
	if (!overtaking->attempts++)
		metadata_suite_execute(overtaking->fixture,
		                       "UPDATE pair SET total = 10 WHERE name = 'one'");
	return execute(database, "UPDATE pair SET total = total + 1 WHERE name = 'one'", err);
}

static bool isolate(struct sql_database *database, void *unused, struct error **err)
{
	(void)unused;
	return !metadata_server_is("mysql") ||
	       (execute(database, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", err) &&
	        execute(database, "SET SESSION innodb_snapshot_isolation = ON", err));
}

static void test_transact__repeats_what_could_not_be_serialized(void **state)
{
	struct overtaking overtaking = { *state, 0 };
	scoped(sql_database) struct sql_database *database = open_database(*state);
	scoped(error) struct error *err = NULL;

	make_pair(*state);
	assert_ok(sql_transact(database, SQL_READ, isolate, NULL, &err), err);

	assert_ok(sql_transact(database, SQL_WRITE, be_overtaken, &overtaking, &err), err);

	assert_int_equal(overtaking.attempts, 2);
	check_integer(*state, "SELECT total FROM pair WHERE name = 'one'", 11);
}

/* Longer than MySQL lets a statement wait. */
static bool hold_lease(struct sql_database *database, void *told, struct error **err)
{
	int64_t fence;
	char byte = 0;

	if (!sql_query_integer(database, "SELECT fence FROM leases FOR UPDATE", &fence, err) ||
	    write(*(int *)told, &byte, 1) != 1)
		return false;
	poll(NULL, 0, 2500);
	return true;
}

struct holding {
	struct metadata_fixture *fixture;
	int told;
};

static bool hold_in_child(void *context)
{
	struct holding *holding = context;

	return transact(holding->fixture, hold_lease, &holding->told);
}

static void test_record__waits_for_who_holds_the_lease(void **state)
{
	struct recorded_run run;
	int line[2];
	pid_t child;
	char byte;

	metadata_server_use_socket(*state);
	recorded_run_start(&run, *state);
	assert_int_equal(pipe(line), 0);
	child = test_child_start(hold_in_child, &(struct holding){ *state, line[1] });
	assert_int_equal(read(line[0], &byte, 1), 1);

	recorded_run_continue(&run);

	test_child_wait(child);
	recorded_run_check(&run);
	recorded_run_end(&run);
	close(line[0]);
	close(line[1]);
}

static void limit_connections(struct metadata_fixture *fixture, bool limited)
{
	if (metadata_server_is("mysql"))
		metadata_server_administrate(
			fixture, limited ? "ALTER USER limited WITH MAX_USER_CONNECTIONS 1"
					 : "ALTER USER limited WITH MAX_USER_CONNECTIONS 0");
	else
		metadata_server_administrate(fixture,
		                             limited ? "ALTER ROLE limited CONNECTION LIMIT 1"
		                                     : "ALTER ROLE limited CONNECTION LIMIT -1");
}

static void test_open__waits_for_a_connection_when_there_are_too_many(void **state)
{
	struct metadata_fixture *fixture = *state;
	struct metadata_store *first;
	pid_t second;

	metadata_server_use_socket(fixture);
	metadata_store_free(metadata_suite_open(fixture));
	limit_connections(fixture, true);
	json_object_set_new(fixture->component.options, "authentication_secret",
	                    json_string("limited"));
	first = metadata_suite_open(fixture);
	second = test_child_start(test_child_opens, fixture);

	assert_int_equal(waitpid(second, NULL, WNOHANG), 0);
	poll(NULL, 0, 300);
	assert_int_equal(waitpid(second, NULL, WNOHANG), 0);
	metadata_store_free(first);

	test_child_wait(second);
	limit_connections(fixture, false);
}

static void test_record__says_that_a_text_is_too_large_for_the_server(void **state)
{
	enum { SIZE = 20 << 20 };
	struct event_row event = { .run_id = (char *)RECORDED_RUN_ID, .kind = (char *)"state" };
	struct metadata_change change = { .events = &event, .event_count = 1 };
	scoped(text) char *message = NULL;
	scoped(error) struct error *err = NULL;
	struct recorded_run run;

	if (!metadata_server_is("mysql"))
		skip();
	message = event.message = xcalloc(SIZE + 1, 1);
	memset(message, 'x', SIZE);
	recorded_run_start(&run, *state);

	assert_false(metadata_record(run.store, &run.lease, &change, &err));

	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, "max_allowed_packet");
	recorded_run_continue(&run);
	recorded_run_check(&run);
	recorded_run_end(&run);
}

static int test_server(const struct metadata_backend *backend)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, metadata_suite_setup, metadata_suite_teardown)
		TEST(test_transact__repeats_the_victim_of_a_deadlock),
		TEST(test_transact__repeats_what_could_not_be_serialized),
		TEST(test_record__waits_for_who_holds_the_lease),
		TEST(test_open__waits_for_a_connection_when_there_are_too_many),
		TEST(test_record__says_that_a_text_is_too_large_for_the_server),
	};

	return cmocka_run_group_tests_name(backend->flavor, tests, NULL, NULL);
}

int main(void)
{
	return metadata_servers_run(test_server);
}
