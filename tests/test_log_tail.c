/* SPDX-License-Identifier: Apache-2.0 */
/* cli/log_tail: a growing log, line by line, nothing twice and nothing lost. */
#include "tests/test.h"

#include <string.h>

#include "cli/log_tail.h"
#include "core/file.h"
#include "core/text.h"

struct fixture {
	char *folder, *path;
};

static int set_up(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));

	fixture->folder = xstrdup("/tmp/stepop-test-XXXXXX");
	if (!mkdtemp(fixture->folder))
		return -1;
	fixture->path = file_join(fixture->folder, "step.log");
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	file_remove_tree(fixture->folder, NULL);
	free(fixture->folder);
	free(fixture->path);
	free(fixture);
	return 0;
}

static void append(const struct fixture *fixture, const char *text)
{
	FILE *file = fopen(fixture->path, "a");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* What one call copies; owned by the caller. */
static char *copied(struct log_tail *tail, bool last)
{
	scoped(error) struct error *err = NULL;
	struct text_stream stream;

	assert_ok(log_tail_copy(tail, last, text_stream_open(&stream), &err), err);
	return text_stream_take(&stream);
}

static void assert_copied(struct log_tail *tail, bool last, const char *expected)
{
	scoped(text) char *text = copied(tail, last);

	assert_string_equal(text, expected);
}

static void test_log_tail_copy__labels_whole_lines_and_holds_the_rest(void **state)
{
	struct fixture *fixture = *state;
	scoped(log_tail) struct log_tail *tail = log_tail_new(fixture->path, "train");

	assert_copied(tail, false, "");
	append(fixture, "one\n\ntw");
	assert_copied(tail, false, "train | one\ntrain | \n");
	append(fixture, "o\nthree");
	assert_copied(tail, false, "train | two\n");
	assert_copied(tail, true, "train | three\n");
	assert_copied(tail, true, "");
}

static void test_log_tail_copy__gives_bytes_as_they_are_without_a_label(void **state)
{
	struct fixture *fixture = *state;
	scoped(log_tail) struct log_tail *tail = log_tail_new(fixture->path, NULL);

	append(fixture, "one\ntw");
	assert_copied(tail, false, "one\ntw");
	append(fixture, "o");
	assert_copied(tail, true, "o");
}

static void test_log_tail_copy__cuts_a_line_without_end(void **state)
{
	struct fixture *fixture = *state;
	scoped(log_tail) struct log_tail *tail = log_tail_new(fixture->path, "s");
	scoped(text) char *line = xcalloc(200001, 1), *text = NULL;

	memset(line, 'x', 200000);
	append(fixture, line);
	text = copied(tail, true);
	assert_int_equal(strlen(text), 200000 + 4 * strlen("s | \n"));
}

static void test_log_tail_copy__says_that_a_log_is_gone(void **state)
{
	struct fixture *fixture = *state;
	scoped(log_tail) struct log_tail *tail = log_tail_new(fixture->path, NULL);
	scoped(error) struct error *err = NULL;

	assert_false(log_tail_copy(tail, true, stdout, &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_error_contains(err, fixture->path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_log_tail_copy__labels_whole_lines_and_holds_the_rest),
		TEST(test_log_tail_copy__gives_bytes_as_they_are_without_a_label),
		TEST(test_log_tail_copy__cuts_a_line_without_end),
		TEST(test_log_tail_copy__says_that_a_log_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
