/* SPDX-License-Identifier: Apache-2.0 */
/* stacks/metadata on SQLite: the suite of all databases, and what is the file's own. */
#include "tests/test.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/file.h"
#include "core/text.h"
#include "tests/fakes/metadata_suite.h"

static const char id_a[] = "7d1f00000000000000000000000000aa";

/* SQLite's syncs come by here. */
static int syncs;

int fsync(int fd)
{
	syncs++;
	return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	syncs++;
	return (int)syscall(SYS_fdatasync, fd);
}

static void make_file(struct metadata_fixture *fixture)
{
	scoped(text) char *path = file_join(fixture->folder, "metadata.db");

	fixture->component.options = json_pack("{s:s}", "path", path);
}

static const struct metadata_backend sqlite = { "sqlite", make_file, NULL, true };

static const char *path_of(const struct metadata_fixture *fixture)
{
	return component_text(&fixture->component, "path", NULL);
}

static void test_open__makes_a_private_database_and_keeps_it(void **state)
{
	struct metadata_fixture *fixture = *state;
	struct metadata_store *first = metadata_suite_open(fixture);
	struct lease lease;
	struct run_row *rows;
	struct stat status;
	size_t count;

	metadata_suite_create_run(first, id_a, "one", &lease);
	lease_release(&lease);
	metadata_store_free(first);

	scoped(metadata_store) struct metadata_store *again = metadata_suite_open(fixture);
	assert_true(metadata_runs(again, 0, &rows, &count, NULL));
	assert_int_equal(count, 1);
	assert_string_equal(rows[0].name, "one");
	metadata_rows_free(&metadata_table_run, rows, count);
	assert_int_equal(stat(path_of(fixture), &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
}

static void test_open__adopts_an_empty_file(void **state)
{
	struct metadata_fixture *fixture = *state;
	scoped(error) struct error *err = NULL;
	struct lease lease;

	assert_ok(file_write_atomic(path_of(fixture), "", 0, 0600, &err), err);

	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(fixture);
	metadata_suite_create_run(store, id_a, "one", &lease);
	lease_release(&lease);
}

static void test_open__adopts_an_empty_file_in_company(void **state)
{
	struct metadata_fixture *fixture = *state;

	assert_true(file_write_atomic(path_of(fixture), "", 0, 0600, NULL));
	metadata_suite_open_in_company(fixture);
}

/* The file as the first version of the schema had it. */
static void test_open__migrates_a_file_of_the_first_version(void **state)
{
	struct metadata_fixture *fixture = *state;
	struct lease lease;

	metadata_store_free(metadata_suite_open(fixture));
	metadata_suite_execute(fixture, "ALTER TABLE leases DROP COLUMN events");
	metadata_suite_execute(fixture, "PRAGMA user_version = 1");

	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(fixture);
	metadata_suite_create_run(store, id_a, "one", &lease);
	lease_release(&lease);
}

static void test_open__refuses_what_is_not_its_database(void **state)
{
	static const struct {
		const char *sql, *message;
	} cases[] = {
		{ "PRAGMA user_version = 99", "use a newer stepop" },
		{ "PRAGMA application_id = 7", "another application" },
		{ "PRAGMA application_id = 0", "another application" },
	};
	struct metadata_fixture *fixture = *state;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(error) struct error *err = NULL;

		metadata_store_free(metadata_suite_open(fixture));
		metadata_suite_execute(fixture, cases[i].sql);
		assert_null(metadata_store_open(NULL, &fixture->component, NULL, &err));
		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, cases[i].message);
		unlink(path_of(fixture));
	}
}

static void test_open__refuses_a_foreign_file_and_leaves_it_alone(void **state)
{
	static const char text[] = "this is a long text and no database whatsoever";
	struct metadata_fixture *fixture = *state;
	scoped(error) struct error *err = NULL;
	scoped(text) char *after = NULL;

	assert_ok(file_write_atomic(path_of(fixture), text, strlen(text), 0600, &err), err);

	assert_null(metadata_store_open(NULL, &fixture->component, NULL, &err));
	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, "not an SQLite database");
	after = file_read(path_of(fixture), 1000, NULL, NULL);
	assert_string_equal(after, text);
}

static void test_open__says_why_it_cannot(void **state)
{
	struct metadata_fixture *fixture = *state;
	scoped(error) struct error *err = NULL;

	assert_int_equal(mkdir(path_of(fixture), 0700), 0);

	assert_null(metadata_store_open(NULL, &fixture->component, NULL, &err));
	assert_error_contains(err, path_of(fixture));
	assert_error_contains(err, "metadata store 'default'");
}

static void test_record__syncs_what_is_acted_upon_next(void **state)
{
	scoped(metadata_store) struct metadata_store *store = metadata_suite_open(*state);
	struct attempt_row attempt = { .run_id = (char *)id_a,
		                       .step = (char *)"s",
		                       .attempt = 1,
		                       .state = (char *)"launching" };
	struct run_row run = metadata_suite_run_row(id_a, "one");
	struct metadata_change change = { .attempts = &attempt, .attempt_count = 1 },
			       end = { .run = &run };
	struct lease lease;
	int before;

	metadata_suite_create_run(store, id_a, "one", &lease);
	before = syncs;
	assert_true(metadata_record(store, &lease, &change, NULL));
	assert_true(syncs > before);
	before = syncs;
	attempt.started_at = 1;
	assert_true(metadata_record(store, &lease, &change, NULL));
	assert_int_equal(syncs, before);
	assert_true(metadata_record(store, &lease, &end, NULL));
	assert_true(syncs > before);
	lease_release(&lease);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, metadata_suite_setup, metadata_suite_teardown)
		TEST(test_open__makes_a_private_database_and_keeps_it),
		TEST(test_open__adopts_an_empty_file),
		TEST(test_open__adopts_an_empty_file_in_company),
		TEST(test_open__migrates_a_file_of_the_first_version),
		TEST(test_open__refuses_what_is_not_its_database),
		TEST(test_open__refuses_a_foreign_file_and_leaves_it_alone),
		TEST(test_open__says_why_it_cannot),
		TEST(test_record__syncs_what_is_acted_upon_next),
	};
	int failed = metadata_suite_run(&sqlite);

	return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
