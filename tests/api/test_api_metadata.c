/* SPDX-License-Identifier: Apache-2.0 */
/* stacks/metadata on real servers: the suite of all databases, and what servers alone can do. */
#include "tests/test.h"

#include <string.h>

#include "core/text.h"
#include "stacks/probe.h"
#include "tests/fakes/metadata_servers.h"

static const char id_a[] = "7d1f00000000000000000000000000aa";

/* ---- what the suite of all databases does not ask ---- */

static void set_option(struct metadata_fixture *fixture, const char *name, const char *value)
{
	json_object_set_new(fixture->component.options, name, json_string(value));
}

static struct error *open_error(struct metadata_fixture *fixture)
{
	struct error *err = NULL;

	assert_null(metadata_store_open(NULL, &fixture->component, fixture->secrets, &err));
	assert_non_null(err);
	return err;
}

static void test_open__refuses_the_database_of_another_application(void **state)
{
	scoped(error) struct error *err = NULL;

	metadata_suite_execute(*state, "CREATE TABLE experiments (name VARCHAR(10))");

	err = open_error(*state);
	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, "another application");
}

static void test_open__tells_what_is_wrong_with_its_options(void **state)
{
	static const struct {
		const char *option, *value;
		enum error_kind kind;
		const char *message;
	} cases[] = {
		{ "authentication_secret", "wrong", ERROR_AUTH, "authentication_secret" },
		{ "authentication_secret", "absent", ERROR_NOT_FOUND, "authentication_secret" },
		{ "authentication_secret", "limited", ERROR_AUTH, "docs/metadata.md" },
		{ "database", "stepop_absent", ERROR_NOT_FOUND, "stepop_absent" },
		{ "host", "127.0.0.1", ERROR_INVALID, "'host'" },
		{ "ssl_ca", NULL, ERROR_INVALID, "'ssl_ca'" },
	};
	struct metadata_fixture *fixture = *state;
	json_t *good = fixture->component.options;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(error) struct error *err = NULL;

		fixture->component.options = json_deep_copy(good);
		set_option(fixture, cases[i].option,
		           cases[i].value ? cases[i].value : metadata_server_setting("OTHER_CA"));
		err = open_error(fixture);
		json_decref(fixture->component.options);
		fixture->component.options = good;
		assert_error_contains(err, cases[i].message);
		assert_error_contains(err, "metadata store 'default'");
		assert_int_equal(err->kind, cases[i].kind);
	}
}

static void test_open__works_through_a_unix_socket(void **state)
{
	struct metadata_fixture *fixture = *state;

	set_option(fixture, "host", metadata_server_setting("SOCKET"));
	json_object_del(fixture->component.options, "ssl_ca");
	metadata_store_free(metadata_suite_open(fixture));
}

/* Readers do not need the rights of writers once the schema is there. */
static void test_open__lets_a_limited_user_read(void **state)
{
	struct metadata_fixture *fixture = *state;
	struct metadata_store *store = metadata_suite_open(fixture);
	scoped(probe_report) struct probe_report *report = probe_report_new(NULL, NULL);
	scoped(error) struct error *err = NULL;
	struct lease lease, other;
	struct run_row *rows;
	size_t count;

	metadata_suite_create_run(store, id_a, "one", &lease);
	lease_release(&lease);
	metadata_store_free(store);
	set_option(fixture, "authentication_secret", "limited");

	store = metadata_suite_open(fixture);
	assert_true(metadata_runs(store, 0, &rows, &count, NULL));
	assert_int_equal(count, 1);
	metadata_rows_free(&metadata_table_run, rows, count);
	assert_false(metadata_acquire_lease(store, id_a, &other, NULL));
	metadata_probe(store, report);
	assert_false(probe_report_check(report, &err));
	assert_int_equal(err->kind, ERROR_AUTH);
	metadata_store_free(store);
}

static int test_server(const struct metadata_backend *backend)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, metadata_suite_setup, metadata_suite_teardown)
		TEST(test_open__refuses_the_database_of_another_application),
		TEST(test_open__tells_what_is_wrong_with_its_options),
		TEST(test_open__works_through_a_unix_socket),
		TEST(test_open__lets_a_limited_user_read),
	};

	return metadata_suite_run(backend) +
	       cmocka_run_group_tests_name(backend->flavor, tests, NULL, NULL);
}

int main(void)
{
	return metadata_servers_run(test_server);
}
