/* SPDX-License-Identifier: Apache-2.0 */
/* core/resolve: addresses of a host, and no longer than that. */
#include "tests/test.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/loop.h"
#include "core/resolve.h"
#include "core/text.h"

static void test_resolve_host__gives_numeric_addresses(void **state)
{
	static const struct {
		const char *host, *part;
	} cases[] = {
		{ "localhost", "127.0.0.1" },
		{ "127.0.0.1", "127.0.0.1" },
		{ "::1", "::1" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(error) struct error *err = NULL;
		scoped(text) char *addresses =
			resolve_host(cases[i].host, loop_now_ms() + 5000, &err);

		assert_ok(addresses != NULL, err);
		assert_non_null(strstr(addresses, cases[i].part));
		assert_null(strstr(addresses, "localhost"));
	}
}

/* RFC 6761 keeps the name from ever being there; where no resolver can be asked, that is said. */
static void test_resolve_host__says_that_there_is_none(void **state)
{
	scoped(error) struct error *err = NULL;

	(void)state;
	assert_null(resolve_host("absent.invalid", loop_now_ms() + 5000, &err));
	assert_error_contains(err, "'absent.invalid'");
	assert_true(err->kind == ERROR_NOT_FOUND || error_is_retryable(err));
}

static void test_resolve_host__gives_up_at_the_deadline(void **state)
{
	scoped(error) struct error *err = NULL;
	int64_t before = loop_now_ms();
	scoped(text) char *addresses = resolve_host("absent.invalid", before - 1, &err);

	(void)state;
	assert_null(addresses);
	assert_true(err->kind == ERROR_TIMEOUT || err->kind == ERROR_NOT_FOUND ||
	            err->kind == ERROR_UNAVAILABLE);
}

/* Steps of this machine are children; so are the tests' writers. */
static void test_resolve_host__works_in_a_child_as_well(void **state)
{
	scoped(text) char *before = resolve_host("localhost", loop_now_ms() + 5000, NULL);
	scoped(text) char *after = NULL;
	pid_t child = fork();
	int status;

	(void)state;
	if (!child) {
		char *found = resolve_host("localhost", loop_now_ms() + 5000, NULL);

		_exit(found ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	after = resolve_host("localhost", loop_now_ms() + 5000, NULL);

	assert_non_null(before);
	assert_int_equal(status, 0);
	assert_string_equal(after, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolve_host__gives_numeric_addresses),
		cmocka_unit_test(test_resolve_host__says_that_there_is_none),
		cmocka_unit_test(test_resolve_host__gives_up_at_the_deadline),
		cmocka_unit_test(test_resolve_host__works_in_a_child_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
