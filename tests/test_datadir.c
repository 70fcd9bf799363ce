/* SPDX-License-Identifier: Apache-2.0 */
/* core/datadir: the program's own files. */
#include "tests/test.h"

#include <string.h>
#include <unistd.h>

#include "core/datadir.h"
#include "core/text.h"

static void test_datadir_find__finds_the_checkout_from_a_program_built_in_it(void **state)
{
	scoped(error) struct error *err = NULL;
	scoped(text) char *path = NULL;

	(void)state;
	unsetenv("STEPOP_DATA");
	path = datadir_find("Makefile", &err);

	assert_ok(path, err);
	assert_int_equal(path[0], '/');
	assert_true(text_ends_with(path, "/Makefile"));
}

static void test_datadir_find__looks_only_where_the_environment_says(void **state)
{
	scoped(error) struct error *err = NULL;
	scoped(text) char *path = NULL;

	(void)state;
	setenv("STEPOP_DATA", "/dev", 1);
	path = datadir_find("null", NULL);
	assert_string_equal(path, "/dev/null");
	assert_null(datadir_find("Makefile", &err));
	unsetenv("STEPOP_DATA");

	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_error_contains(err, "'Makefile' in '/dev'");
}

static void test_datadir_find__says_how_to_help_when_nothing_is_found(void **state)
{
	scoped(error) struct error *err = NULL;

	(void)state;
	unsetenv("STEPOP_DATA");

	assert_null(datadir_find("no-such-file", &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_error_contains(err, "STEPOP_DATA");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_datadir_find__finds_the_checkout_from_a_program_built_in_it),
		cmocka_unit_test(test_datadir_find__looks_only_where_the_environment_says),
		cmocka_unit_test(test_datadir_find__says_how_to_help_when_nothing_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
