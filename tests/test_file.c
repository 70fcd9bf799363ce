/* SPDX-License-Identifier: Apache-2.0 */
/* core/file and core/clock and core/digest: the small things. */
#include "tests/test.h"

#include <string.h>
#include <sys/stat.h>

#include "core/clock.h"
#include "core/digest.h"
#include "core/file.h"
#include "core/text.h"

static int make_folder(void **state)
{
	char *folder = xstrdup("/tmp/stepop-test-XXXXXX");

	if (!mkdtemp(folder))
		return -1;
	*state = folder;
	return 0;
}

static int remove_folder(void **state)
{
	file_remove_tree(*state, NULL);
	free(*state);
	return 0;
}

static void test_file_copy__copies_what_is_larger_than_its_buffer(void **state)
{
	enum { SIZE = (1 << 18) + 7 };
	scoped(text) char *from = file_join(*state, "from");
	scoped(text) char *to = file_join(*state, "to");
	scoped(text) char *bytes = xcalloc(SIZE, 1);
	scoped(text) char *copy = NULL;
	struct error *err = NULL;
	struct stat status;
	size_t size = 0;

	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = (char)(i * 31 >> 3);
	assert_ok(file_write(from, bytes, SIZE, 0600, &err), err);
	assert_ok(file_copy(from, to, 0644, &err), err);
	assert_ok(copy = file_read(to, SIZE, &size, &err), err);
	assert_int_equal(size, SIZE);
	assert_memory_equal(copy, bytes, SIZE);
	assert_int_equal(stat(to, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0644);
}

static void test_file_copy__says_which_of_the_two_is_wrong(void **state)
{
	scoped(text) char *from = file_join(*state, "from");
	struct error *err = NULL;

	assert_false(file_copy("/no/from", "/no/to", 0644, &err));
	assert_error_contains(err, "open '/no/from'");
	error_free(take(err));
	assert_ok(file_write(from, "x", 1, 0600, &err), err);
	assert_false(file_copy(from, "/no/to", 0644, &err));
	assert_error_contains(err, "write '/no/to'");
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	error_free(take(err));
	assert_false(file_copy(*state, from, 0644, &err));
	assert_error_contains(err, "read '");
	error_free(err);
}

static void test_file_write_atomic__replaces_with_the_mode(void **state)
{
	scoped(text) char *path = file_join(*state, "a/b/file");
	scoped(text) char *folder = file_folder(path);
	scoped(text) char *text = NULL;
	scoped(error) struct error *err = NULL;
	struct stat status;

	assert_ok(file_make_folders(folder, 0755, &err), err);
	assert_ok(file_write_atomic(path, "one", 3, 0644, &err), err);
	assert_ok(file_write_atomic(path, "two", 3, 0600, &err), err);

	text = file_read(path, 100, NULL, &err);
	assert_string_equal(text, "two");
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
}

static void test_file_read__refuses_what_is_too_large(void **state)
{
	scoped(text) char *path = file_join(*state, "large");
	scoped(error) struct error *err = NULL;

	assert_ok(file_write_atomic(path, "12345", 5, 0644, &err), err);

	assert_null(file_read(path, 4, NULL, &err));
	assert_int_equal(err->kind, ERROR_INVALID);
}

static void test_file_read__says_that_a_file_is_missing(void **state)
{
	scoped(error) struct error *err = NULL;
	scoped(text) char *path = file_join(*state, "absent");

	assert_null(file_read(path, 4, NULL, &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_error_contains(err, "absent");
}

static void test_clock_parse__reads_what_is_written_and_offsets(void **state)
{
	scoped(text) char *text = clock_format(1795245628620);
	int64_t at;

	(void)state;
	assert_string_equal(text, "2026-11-21T07:20:28.620Z");
	assert_true(clock_parse(text, &at));
	assert_int_equal(at, 1795245628620);
	assert_true(clock_parse("2026-11-21T09:20:28.620123456+02:00", &at));
	assert_int_equal(at, 1795245628620);
	assert_false(clock_parse("2026-11-21T09:20:28", &at));
}

static void test_clock_parse_duration__wants_a_unit(void **state)
{
	int64_t ms = -1;

	(void)state;
	assert_true(clock_parse_duration("10m", &ms));
	assert_int_equal(ms, 600000);
	assert_true(clock_parse_duration("250ms", &ms));
	assert_int_equal(ms, 250);
	assert_false(clock_parse_duration("10", &ms));
	assert_false(clock_parse_duration("-1s", &ms));
	assert_false(clock_parse_duration("99999999999999999999d", &ms));
	assert_int_equal(ms, 250);
}

static void test_digest_json__ignores_the_order_of_keys(void **state)
{
	json_auto_t *a = json_loads("{\"x\":1,\"y\":2}", 0, NULL);
	json_auto_t *b = json_loads("{\"y\":2, \"x\":1}", 0, NULL);
	scoped(text) char *first = digest_json(a), *second = digest_json(b);

	(void)state;
	assert_string_equal(first, second);
	assert_int_equal(strlen(first), 64);
}

static void test_base64_decode__takes_back_what_was_encoded(void **state)
{
	static const char bytes[] = "\0\xff four";
	scoped(text) char *text = base64_encode(bytes, 6);
	scoped(text) char *back = NULL;
	size_t size = 0;

	(void)state;
	back = base64_decode(text, &size);
	assert_int_equal(size, 6);
	assert_memory_equal(back, bytes, 6);
	assert_null(base64_decode("abc", &size));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_copy__copies_what_is_larger_than_its_buffer),
		cmocka_unit_test(test_file_copy__says_which_of_the_two_is_wrong),
		cmocka_unit_test(test_file_write_atomic__replaces_with_the_mode),
		cmocka_unit_test(test_file_read__refuses_what_is_too_large),
		cmocka_unit_test(test_file_read__says_that_a_file_is_missing),
		cmocka_unit_test(test_clock_parse__reads_what_is_written_and_offsets),
		cmocka_unit_test(test_clock_parse_duration__wants_a_unit),
		cmocka_unit_test(test_digest_json__ignores_the_order_of_keys),
		cmocka_unit_test(test_base64_decode__takes_back_what_was_encoded),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
