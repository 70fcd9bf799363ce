/* SPDX-License-Identifier: Apache-2.0 */
/* core/error: the chain of reasons. */
#include "tests/test.h"

#include "core/error.h"

static bool innermost(struct error **err)
{
	return error_set(err, ERROR_NOT_FOUND, "no stack named '%s'", "x");
}

static void *outer(struct error **err)
{
	if (!innermost(err))
		return error_wrap(err, "open the stack");
	return err;
}

static void test_error_wrap__keeps_the_kind_and_chains_the_text(void **state)
{
	scoped(error) struct error *err = NULL;
	scoped(text) char *text = NULL;

	(void)state;
	assert_null(outer(&err));

	text = error_text(err);
	assert_string_equal(text, "open the stack: no stack named 'x'");
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
}

static void test_error_set__may_be_ignored(void **state)
{
	(void)state;
	assert_null(outer(NULL));
}

static void test_error_copy__is_deep(void **state)
{
	scoped(error) struct error *err = NULL, *copy = NULL;
	scoped(text) char *text = NULL;

	(void)state;
	outer(&err);
	copy = error_copy(err);
	error_free(take(err));

	text = error_text(copy);
	assert_string_equal(text, "open the stack: no stack named 'x'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_error_wrap__keeps_the_kind_and_chains_the_text),
		cmocka_unit_test(test_error_set__may_be_ignored),
		cmocka_unit_test(test_error_copy__is_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
