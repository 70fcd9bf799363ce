/* SPDX-License-Identifier: Apache-2.0 */
/* operator/code_bundle: which files of a folder travel to a pod. */
#include "tests/test.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/code_bundle.h"

static int setup(void **state)
{
	char *folder = xstrdup("/tmp/stepop-test-XXXXXX");

	*state = folder;
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	bool removed = file_remove_tree(*state, NULL);

	free(*state);
	return removed ? 0 : -1;
}

static void write_bytes(const char *folder, const char *name, const void *bytes, size_t size)
{
	scoped(text) char *path = file_join(folder, name);
	scoped(text) char *above = file_folder(path);
	struct error *err = NULL;

	assert_ok(file_make_folders(above, 0755, &err), err);
	assert_ok(file_write_atomic(path, bytes, size, 0644, &err), err);
}

static void write_text(const char *folder, const char *name, const char *text)
{
	write_bytes(folder, name, text, strlen(text));
}

/* The paths of the bundle, in its order, with blanks between them. */
static char *paths_of(const json_t *bundle)
{
	struct text_stream stream;
	const char *path;
	json_t *text;

	text_stream_open(&stream);
	json_object_foreach ((json_t *)bundle, path, text)
		fprintf(stream.file, "%s ", path);
	return text_stream_take(&stream);
}

static void assert_paths(const char *folder, const char *expected)
{
	struct error *err = NULL;
	json_auto_t *bundle = code_bundle_collect(folder, &err);
	scoped(text) char *paths = NULL;

	assert_ok(bundle, err);
	paths = paths_of(bundle);
	assert_string_equal(paths, expected);
}

static void test_code_bundle_collect__takes_python_files_in_the_order_of_paths(void **state)
{
	write_text(*state, "steps.py", "b = 1\n");
	write_text(*state, "a/deep/x.py", "");
	write_text(*state, "a/y.py", "");
	write_text(*state, "a.py", "");
	write_text(*state, "a-b.py", "");
	write_text(*state, "B.py", "");
	write_text(*state, "data.csv", "1,2\n");
	write_text(*state, "a/notes.pyc", "");

	assert_paths(*state, "B.py a-b.py a.py a/deep/x.py a/y.py steps.py ");
}

static void test_code_bundle_collect__keeps_the_text(void **state)
{
	json_auto_t *bundle = NULL;

	write_text(*state, "steps.py", "name = 'äö€'\n");

	bundle = code_bundle_collect(*state, NULL);

	assert_string_equal(json_string_value(json_object_get(bundle, "steps.py")),
	                    "name = 'äö€'\n");
}

static void test_code_bundle_collect__leaves_out_what_is_not_the_users_code(void **state)
{
	write_text(*state, "steps.py", "");
	write_text(*state, ".hidden.py", "");
	write_text(*state, ".git/hook.py", "");
	write_text(*state, "__pycache__/steps.py", "");
	write_text(*state, "package/__pycache__/x.py", "");
	write_text(*state, "venv/pyvenv.cfg", "");
	write_text(*state, "venv/lib/site.py", "");
	write_text(*state, "folder.py/inner.txt", "");

	assert_paths(*state, "steps.py ");
}

/* `python3 -m venv .` makes the pipeline's own folder one. */
static void test_code_bundle_collect__takes_the_folder_itself_whatever_it_is(void **state)
{
	write_text(*state, "pyvenv.cfg", "");
	write_text(*state, "steps.py", "");

	assert_paths(*state, "steps.py ");
}

static void test_code_bundle_collect__follows_links_to_files_only(void **state)
{
	const char *folder = *state;
	scoped(text) char *loop = file_join(folder, "loop");
	scoped(text) char *link = file_join(folder, "link.py");
	scoped(text) char *broken = file_join(folder, "broken.py");

	write_text(folder, "real/x.py", "x = 1\n");
	assert_int_equal(symlink(folder, loop), 0);
	assert_int_equal(symlink("real/x.py", link), 0);
	assert_int_equal(symlink("nowhere.py", broken), 0);

	assert_paths(folder, "link.py real/x.py ");
}

static void assert_refused(const char *folder, enum error_kind kind, const char *part)
{
	scoped(error) struct error *err = NULL;

	assert_null(code_bundle_collect(folder, &err));
	assert_int_equal(err->kind, kind);
	assert_error_contains(err, part);
}

static void test_code_bundle_collect__names_the_file_that_is_not_utf8(void **state)
{
	write_text(*state, "a.py", "");
	write_text(*state, "latin.py", "name = '\xe4'\n");

	assert_refused(*state, ERROR_INVALID, "latin.py' is not UTF-8");
}

static void test_code_bundle_collect__has_a_limit_of_bytes(void **state)
{
	const size_t half = 4u << 20;
	scoped(text) char *bytes = xcalloc(half, 1);

	memset(bytes, '#', half);
	write_bytes(*state, "a.py", bytes, half);
	write_bytes(*state, "b.py", bytes, half);
	assert_paths(*state, "a.py b.py ");
	write_text(*state, "c.py", "#");

	assert_refused(*state, ERROR_INVALID, "more than 8 MiB");
}

static void test_code_bundle_collect__has_a_limit_of_files(void **state)
{
	const char *folder = *state;
	json_auto_t *bundle = NULL;
	scoped(text) char *first = file_join(folder, "0.py");
	size_t i;

	write_text(folder, "0.py", "");
	for (i = 1; i < 2000; i++) {
		scoped(text) char *path = text_printf("%s/%zu.py", folder, i);

		assert_int_equal(link(first, path), 0);
	}
	bundle = code_bundle_collect(folder, NULL);
	assert_int_equal(json_object_size(bundle), 2000);
	write_text(folder, "one_more.py", "");

	assert_refused(folder, ERROR_INVALID, "2,000 Python files");
}

static void test_code_bundle_collect__says_that_there_is_no_folder(void **state)
{
	scoped(text) char *absent = file_join(*state, "absent");

	assert_refused(absent, ERROR_NOT_FOUND, "absent");
}

static void test_code_bundle_add__puts_a_prefix_before_every_path(void **state)
{
	json_auto_t *bundle = json_pack("{s:s}", "main.py", "m");
	json_auto_t *code = json_pack("{s:s, s:s}", "a.py", "1", "b/c.py", "2");
	json_auto_t *expected =
		json_pack("{s:s, s:s, s:s}", "main.py", "m", "code/a.py", "1", "code/b/c.py", "2");

	(void)state;
	code_bundle_add(bundle, "code/", code);

	assert_true(json_equal(bundle, expected));
}

static void test_code_bundle_digest__depends_on_paths_and_texts_alone(void **state)
{
	json_auto_t *one = json_pack("{s:s, s:s}", "a.py", "1", "b.py", "2");
	json_auto_t *same = json_pack("{s:s, s:s}", "b.py", "2", "a.py", "1");
	json_auto_t *swapped = json_pack("{s:s, s:s}", "a.py", "2", "b.py", "1");
	json_auto_t *renamed = json_pack("{s:s, s:s}", "a.py", "1", "c.py", "2");
	scoped(text) char *digest = code_bundle_digest(one);
	scoped(text) char *digest_of_same = code_bundle_digest(same);
	scoped(text) char *digest_of_swapped = code_bundle_digest(swapped);
	scoped(text) char *digest_of_renamed = code_bundle_digest(renamed);

	(void)state;
	assert_string_equal(digest, digest_of_same);
	assert_string_not_equal(digest, digest_of_swapped);
	assert_string_not_equal(digest, digest_of_renamed);
	/* What is recorded of a run must be found again by a later version: not to be changed. */
	assert_string_equal(digest,
	                    "5fd10c5a7e097652a903eb3496a96f47a3e912376256d5936e0d68bc78c5e83a");
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(test_code_bundle_collect__takes_python_files_in_the_order_of_paths),
		WITH_FOLDER(test_code_bundle_collect__keeps_the_text),
		WITH_FOLDER(test_code_bundle_collect__leaves_out_what_is_not_the_users_code),
		WITH_FOLDER(test_code_bundle_collect__takes_the_folder_itself_whatever_it_is),
		WITH_FOLDER(test_code_bundle_collect__follows_links_to_files_only),
		WITH_FOLDER(test_code_bundle_collect__names_the_file_that_is_not_utf8),
		WITH_FOLDER(test_code_bundle_collect__has_a_limit_of_bytes),
		WITH_FOLDER(test_code_bundle_collect__has_a_limit_of_files),
		WITH_FOLDER(test_code_bundle_collect__says_that_there_is_no_folder),
		cmocka_unit_test(test_code_bundle_add__puts_a_prefix_before_every_path),
		cmocka_unit_test(test_code_bundle_digest__depends_on_paths_and_texts_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
