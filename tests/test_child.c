/* SPDX-License-Identifier: Apache-2.0 */
/* core/child: what another program prints, and how it fails. */
#include "tests/test.h"

#include <string.h>

#include "core/child.h"
#include "core/memory.h"
#include "core/text.h"

static char *run(const char *script, const char *input, struct error **err)
{
	const char *arguments[] = { "sh", "-c", script, NULL };
	struct child_command command = { .arguments = arguments,
		                         .input = input,
		                         .timeout_ms = 10000,
		                         .output_limit_bytes = 100000 };

	return child_output(&command, NULL, err);
}

static void test_child_output__is_what_the_program_prints(void **state)
{
	struct error *err = NULL;
	scoped(text) char *nothing = run("true", NULL, &err);
	scoped(text) char *some = run("echo one; echo noise >&2; echo two", NULL, &err);
	scoped(text) char *more = run("head -c 60000 /dev/zero | tr '\\0' x", NULL, &err);
	scoped(text) char *echoed = run("cat", "what it is told", &err);

	(void)state;
	assert_string_equal(nothing, "");
	assert_string_equal(some, "one\ntwo\n");
	assert_int_equal(strlen(more), 60000);
	assert_string_equal(echoed, "what it is told");
}

static void test_child_output__has_the_environment_that_is_given(void **state)
{
	const char *arguments[] = { "/bin/sh", "-c", "echo $ONE$HOME", NULL };
	const char *environment[] = { "ONE=1", NULL };
	struct child_command command = { .arguments = arguments,
		                         .environment = environment,
		                         .timeout_ms = 10000,
		                         .output_limit_bytes = 1000 };
	struct error *err = NULL;
	size_t size;
	scoped(text) char *out = child_output(&command, &size, &err);

	(void)state;
	assert_ok(out, err);
	assert_string_equal(out, "1\n");
	assert_int_equal(size, 2);
}

static void test_child_output__says_how_the_program_failed(void **state)
{
	static const struct {
		const char *script, *says;
	} cases[] = {
		{ "echo log in >&2; echo first >&2; exit 3",
		  "failed with exit status 3: log in first" },
		{ "kill -9 $$", "was ended by signal 9" },
		{ "yes | head -c 2000000", "printed more than 97 KiB" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(error) struct error *err = NULL;

		assert_null(run(cases[i].script, NULL, &err));
		assert_int_equal(err->kind, ERROR_AUTH);
		assert_error_contains(err, cases[i].says);
	}
}

static void test_child_output__takes_what_a_program_prints_for_its_complaint(void **state)
{
	const char *arguments[] = { "sh", "-c", "echo not found; echo noise >&2; exit 1", NULL };
	struct child_command command = { .arguments = arguments,
		                         .timeout_ms = 10000,
		                         .output_limit_bytes = 1000,
		                         .output_complains = true };
	scoped(error) struct error *err = NULL;

	(void)state;
	assert_null(child_output(&command, NULL, &err));
	assert_string_equal(err->message, "failed with exit status 1: not found");
}

static void test_child_output__does_not_wait_for_ever(void **state)
{
	const char *arguments[] = { "sleep", "100", NULL };
	struct child_command command = { .arguments = arguments,
		                         .timeout_ms = 50,
		                         .output_limit_bytes = 1000 };
	scoped(error) struct error *err = NULL;

	(void)state;
	assert_null(child_output(&command, NULL, &err));
	assert_int_equal(err->kind, ERROR_TIMEOUT);
	assert_error_contains(err, "did not end within 50ms");
}

static void test_child_output__says_that_there_is_no_such_program(void **state)
{
	const char *arguments[] = { "/no/such/program", NULL };
	struct child_command command = { .arguments = arguments, .timeout_ms = 1000 };
	scoped(error) struct error *err = NULL;

	(void)state;
	assert_null(child_output(&command, NULL, &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_error_contains(err, "cannot be run: No such file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_child_output__is_what_the_program_prints),
		cmocka_unit_test(test_child_output__has_the_environment_that_is_given),
		cmocka_unit_test(test_child_output__says_how_the_program_failed),
		cmocka_unit_test(test_child_output__takes_what_a_program_prints_for_its_complaint),
		cmocka_unit_test(test_child_output__does_not_wait_for_ever),
		cmocka_unit_test(test_child_output__says_that_there_is_no_such_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
