/* SPDX-License-Identifier: Apache-2.0 */
/* core/text: owned strings. */
#include "tests/test.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"

static void test_text_nearest__finds_a_transposed_word(void **state)
{
	static const char *const words[] = { "inputs", "outputs", "parameters", NULL };

	(void)state;
	assert_string_equal(text_nearest("inptus", words), "inputs");
	assert_string_equal(text_nearest("paramaters", words), "parameters");
}

static void test_text_nearest__keeps_silent_when_nothing_is_near(void **state)
{
	static const char *const words[] = { "inputs", "outputs", NULL };

	(void)state;
	assert_null(text_nearest("colour", words));
	assert_null(text_nearest("x", words));
}

static void test_text_to_int64__takes_whole_numbers_within_the_bounds_only(void **state)
{
	int64_t value = -7;

	(void)state;
	assert_true(text_to_int64("42", 0, 42, &value));
	assert_int_equal(value, 42);
	assert_false(text_to_int64("43", 0, 42, &value));
	assert_false(text_to_int64("4 ", 0, 42, &value));
	assert_false(text_to_int64(" 4", 0, 42, &value));
	assert_false(text_to_int64("", 0, 42, &value));
	assert_false(text_to_int64("99999999999999999999", 0, INT64_MAX, &value));
	assert_int_equal(value, 42);
}

static void test_text_is_utf8__refuses_overlong_and_surrogates(void **state)
{
	(void)state;
	assert_true(text_is_utf8("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 10));
	assert_false(text_is_utf8("\xc0\x80", 2));
	assert_false(text_is_utf8("\xed\xa0\x80", 3));
	assert_false(text_is_utf8("\xe2\x82", 2));
	assert_false(text_is_utf8("a\0b", 3));
}

static void test_text_to_utf8__replaces_what_is_none(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "", "" },
		{ "\xe5\xad\xb8 \xf0\x9f\x9a\x80", "\xe5\xad\xb8 \xf0\x9f\x9a\x80" },
		{ "caf\xe9!", "caf\xef\xbf\xbd!" },
		{ "\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *text = text_to_utf8(cases[i].text);

		assert_string_equal(text, cases[i].expected);
	}
}

static void test_text_stream__hands_over_what_was_printed(void **state)
{
	struct text_stream stream;
	size_t size;
	char *text;

	(void)state;
	fprintf(text_stream_open(&stream), "%s-%d", "a", 1);
	text = text_stream_take_sized(&stream, &size);

	assert_string_equal(text, "a-1");
	assert_int_equal(size, 3);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_nearest__finds_a_transposed_word),
		cmocka_unit_test(test_text_nearest__keeps_silent_when_nothing_is_near),
		cmocka_unit_test(test_text_to_int64__takes_whole_numbers_within_the_bounds_only),
		cmocka_unit_test(test_text_is_utf8__refuses_overlong_and_surrogates),
		cmocka_unit_test(test_text_to_utf8__replaces_what_is_none),
		cmocka_unit_test(test_text_stream__hands_over_what_was_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
