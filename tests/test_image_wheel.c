/* SPDX-License-Identifier: Apache-2.0 */
/* stacks/image_wheel: pure wheels are unpacked as pip would, and what is wrong with one is said. */
#include "tests/test.h"

#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/image_layer.h"
#include "stacks/image_wheel.h"
#include "tests/fakes/zip_file.h"

#define NAME "six-1.16.0-py2.py3-none-any.whl"
#define INFO "six-1.16.0.dist-info/"

static void test_image_wheel_tag__takes_pure_wheels_only(void **state)
{
	static const struct {
		const char *name, *tag, *why;
	} cases[] = {
		{ "six-1.16.0-py2.py3-none-any.whl", "py2.py3-none-any", NULL },
		{ "a-1-1build-py3-none-any.whl", "py3-none-any", NULL },
		{ "numpy-1.26.4-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", NULL,
		  "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64" },
		{ "a-1-py2-none-any.whl", NULL, "py2-none-any" },
		{ "a-1-py33-none-any.whl", NULL, "py33-none-any" },
		{ "a-1-py3-none-win32.whl", NULL, "py3-none-win32" },
		{ "a-1-py3-abi3-any.whl", NULL, "py3-abi3-any" },
		{ "a-1-py3-none.whl", NULL, "not the name of a wheel" },
		{ "a-1-b-c-py3-none-any.whl", NULL, "not the name of a wheel" },
		{ "six.tar.gz", NULL, "not the name of a wheel" },
		{ ".whl", NULL, "not the name of a wheel" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error *err = NULL;
		scoped(text) char *tag = image_wheel_tag(cases[i].name, &err);

		if (!text_equal(tag, cases[i].tag))
			fail_msg("'%s' gives '%s'", cases[i].name, tag ? tag : "nothing");
		if (cases[i].why)
			assert_error_contains(err, cases[i].why);
		error_free(err);
	}
}

static void test_image_wheel_records_parse__reads_csv(void **state)
{
	static const char text[] = "a.py,sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0,3\r\n"
				   "\"b, \"\"c\"\".py\",sha256=AAAA,0\n"
				   "\n"
				   "x.dist-info/RECORD,,";
	struct image_wheel_record *records;
	struct error *err = NULL;
	size_t count;

	(void)state;
	assert_ok(image_wheel_records_parse(text, strlen(text), &records, &count, &err), err);

	assert_int_equal(count, 3);
	assert_string_equal(records[0].algorithm, "sha256");
	assert_string_equal(records[0].digest,
	                    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_string_equal(records[1].path, "b, \"c\".py");
	assert_string_equal(records[1].digest, "000000");
	assert_null(records[2].algorithm);
	image_wheel_records_free(records, count);
}

static void test_image_wheel_records_parse__names_the_line_that_is_wrong(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "a,,\nb\n", "line 2" },       { "a,sha256,1\n", "line 1" },
		{ "a,sha256=*,1\n", "line 1" }, { "a,,1,2\n", "line 1" },
		{ "\"a,,1\n", "line 1" },       { "\"a\"b,,1\n", "line 1" },
		{ "a,,\n\n\n,,\n", "line 4" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct image_wheel_record *records;
		struct error *err = NULL;
		size_t count;

		assert_false(image_wheel_records_parse(cases[i].text, strlen(cases[i].text),
		                                       &records, &count, &err));
		assert_error_contains(err, cases[i].why);
		error_free(err);
	}
}

/* ---- whole wheels ---- */

struct place {
	char *folder, *path;
};

static struct place place_for(const char *name)
{
	struct place place = { .folder = xstrdup("/tmp/stepop-test-XXXXXX") };

	assert_non_null(mkdtemp(place.folder));
	place.path = file_join(place.folder, name);
	return place;
}

static void leave(struct place *place)
{
	struct error *err = NULL;

	assert_ok(file_remove_tree(place->folder, &err), err);
	free(place->folder);
	free(place->path);
}

/* `entries` and a RECORD of them, or `record` in its place. */
static void write_wheel(const char *path, const struct zip_file_entry *entries, const char *record)
{
	scoped(text) char *made = zip_file_records(entries, INFO "RECORD");
	struct zip_file_entry all[16] = { 0 };
	size_t count;

	for (count = 0; entries[count].name; count++)
		all[count] = entries[count];
	all[count] = (struct zip_file_entry){ INFO "RECORD", record ? record : made, 0 };
	zip_file_write(path, all);
}

static void test_image_wheel_add__places_files_as_pip_does(void **state)
{
	static const struct zip_file_entry entries[] = {
		{ "six.py", "x = 1\n", 0 },
		{ "pkg/tool", "#!/bin/sh\n", 0100755 },
		{ INFO "METADATA", "Name: six\n", 0 },
		{ "six-1.16.0.data/purelib/more.py", "", 0 },
		{ "six-1.16.0.data/data/share/x.txt", "x", 0 },
		{ "six-1.16.0.data/scripts/six", "#!python\n", 0100755 },
		{ "six-1.16.0.data/headers/six.h", "", 0 },
		{ 0 },
	};
	static const char *const expected[] = {
		"opt/site/more.py",        "opt/site/pkg/tool",
		"opt/site/share/x.txt",    "opt/site/six-1.16.0.dist-info/METADATA",
		"opt/site/" INFO "RECORD", "opt/site/six.py",
	};
	struct place place = place_for(NAME);
	struct image_tree *tree = image_tree_new();
	scoped(text) char *diff_id = NULL;
	const struct image_file *files;
	struct error *err = NULL;
	size_t count, i;

	(void)state;
	write_wheel(place.path, entries, NULL);
	assert_ok(image_wheel_add(tree, "opt/site", place.path, &err), err);

	assert_ok(image_tree_files(tree, &files, &count, &err), err);
	assert_int_equal(count, ARRAY_SIZE(expected));
	for (i = 0; i < count; i++)
		assert_string_equal(files[i].path, expected[i]);
	assert_true(files[1].is_executable);
	assert_false(files[5].is_executable);
	diff_id = image_layer_diff_id(tree, &err);
	assert_ok(diff_id, err);
	image_tree_free(tree);
	leave(&place);
}

static void test_image_wheel_add__refuses_what_is_wrong_with_a_wheel(void **state)
{
	static const struct {
		const char *name, *text;
		unsigned mode;
		const char *record, *why;
	} cases[] = {
		{ "link", "target", 0120777, NULL, "is a link" },
		{ "../outside.py", "", 0, NULL, "'.' or '..'" },
		{ "a.py", "", 0, INFO "RECORD,,\n", "RECORD has no SHA-256 (or better) of 'a.py'" },
		{ "a.py", "", 0, "a.py,md5=AAAA,0\n",
		  "RECORD has no SHA-256 (or better) of 'a.py'" },
		{ "a.py", "", 0, "a.py,sha256=AAAA,0\nb.py,sha256=AAAA,0\n", "'b.py' is missing" },
		{ "a.py", "", 0, "what is this", "RECORD, line 1" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct zip_file_entry entries[] = {
			{ cases[i].name, cases[i].text, cases[i].mode }, { 0 }
		};
		struct place place = place_for(NAME);
		scoped(image_tree) struct image_tree *tree = image_tree_new();
		struct error *err = NULL;

		write_wheel(place.path, entries, cases[i].record);
		assert_false(image_wheel_add(tree, "opt/site", place.path, &err));
		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, "wheel '" NAME "'");
		assert_error_contains(err, cases[i].why);
		error_free(err);
		leave(&place);
	}
}

static void test_image_wheel_add__finds_a_file_that_is_not_the_recorded_one(void **state)
{
	static const struct zip_file_entry entries[] = { { "a.py", "x = 2\n", 0 }, { 0 } };
	struct place place = place_for(NAME);
	scoped(text) char *record = zip_file_record("a.py", "x = 1\n");
	scoped(image_tree) struct image_tree *tree = image_tree_new();
	struct error *err = NULL;

	(void)state;
	write_wheel(place.path, entries, record);
	assert_ok(image_wheel_add(tree, "opt/site", place.path, &err), err);

	assert_null(image_layer_diff_id(tree, &err));
	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, "'a.py' of the wheel '" NAME "'");
	assert_error_contains(err, "not what RECORD says");
	error_free(err);
	leave(&place);
}

static void test_image_wheel_add__refuses_what_is_no_wheel(void **state)
{
	static const struct zip_file_entry jar[] = { { "A.class", "", 0 }, { 0 } };
	struct place place = place_for(NAME);
	scoped(image_tree) struct image_tree *tree = image_tree_new();
	struct error *err = NULL;

	(void)state;
	assert_false(image_wheel_add(tree, "opt/site", place.path, &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	error_free(take(err));

	assert_ok(file_write(place.path, "not a zip", 9, 0600, &err), err);
	assert_false(image_wheel_add(tree, "opt/site", place.path, &err));
	assert_error_contains(err, "cannot be read as a wheel");
	error_free(take(err));

	zip_file_write(place.path, jar);
	assert_false(image_wheel_add(tree, "opt/site", place.path, &err));
	assert_error_contains(err, "no .dist-info/RECORD");
	error_free(err);
	leave(&place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_image_wheel_tag__takes_pure_wheels_only),
		cmocka_unit_test(test_image_wheel_records_parse__reads_csv),
		cmocka_unit_test(test_image_wheel_records_parse__names_the_line_that_is_wrong),
		cmocka_unit_test(test_image_wheel_add__places_files_as_pip_does),
		cmocka_unit_test(test_image_wheel_add__refuses_what_is_wrong_with_a_wheel),
		cmocka_unit_test(test_image_wheel_add__finds_a_file_that_is_not_the_recorded_one),
		cmocka_unit_test(test_image_wheel_add__refuses_what_is_no_wheel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
