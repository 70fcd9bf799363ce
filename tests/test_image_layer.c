/* SPDX-License-Identifier: Apache-2.0 */
/* stacks/image_tree, image_tar, image_layer: the same files are the same bytes. */
#include "tests/test.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "core/zlib.h"
#include "stacks/image_layer.h"
#include "stacks/image_tar.h"

#define LONG_FOLDER "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
#define LONG_FILE "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff.py"

/* Made once by a writer of its own in Python of the same files, and read back by Python's tarfile
 * and GNU tar. */
#define GOLDEN_DIFF_ID "sha256:99106d8581838d967f71afa8db28c13f8d966874b2cb058c8bb42163f03afdf4"
#define GOLDEN_DIGEST "sha256:8c9c6e4b73a2892fed43f14e7443860d91bd2227d13d5564915205d32624e587"

static const struct {
	const char *path, *text;
} golden[] = {
	{ "opt/stepop/main.py", "print('main')\n" },
	{ "opt/stepop/code/steps.py", "def f():\n    return 1\n" },
	{ "opt/stepop/code/" LONG_FOLDER "/" LONG_FILE, "x = 1\n" },
	{ "opt/stepop/code/größe.txt", "" },
	{ "opt/spark/jars/a.jar", "PK" },
};

static char *scratch_folder(void)
{
	char *folder = xstrdup("/tmp/stepop-test-XXXXXX");

	assert_non_null(mkdtemp(folder));
	return folder;
}

static void remove_folder(const char *folder)
{
	struct error *err = NULL;

	assert_ok(file_remove_tree(folder, &err), err);
}

static void add_text(struct image_tree *tree, const char *path, const char *text)
{
	struct error *err = NULL;

	assert_ok(image_tree_add_bytes(tree, path, text, strlen(text), &err), err);
}

/* `backwards`: in another order, from which nothing may follow. */
static struct image_tree *golden_tree(const char *folder, bool backwards)
{
	struct image_tree *tree = image_tree_new();
	scoped(text) char *script = file_join(folder, "run.sh");
	struct error *err = NULL;
	size_t i;

	assert_ok(file_write(script, "#!/bin/sh\n", 10, 0700, &err), err);
	for (i = 0; i < ARRAY_SIZE(golden); i++) {
		size_t which = backwards ? ARRAY_SIZE(golden) - 1 - i : i;

		add_text(tree, golden[which].path, golden[which].text);
	}
	assert_ok(image_tree_add_file(tree, "opt/stepop/code/run.sh", script, &err), err);
	return tree;
}

static void test_image_layer__has_the_same_digests_on_any_machine(void **state)
{
	scoped(text) char *folder = scratch_folder();
	struct error *err = NULL;
	int backwards;

	(void)state;
	for (backwards = 0; backwards < 2; backwards++) {
		scoped(image_tree) struct image_tree *tree = golden_tree(folder, backwards);
		scoped(text) char *diff_id = image_layer_diff_id(tree, &err);
		scoped(image_layer) struct image_layer *layer = NULL;

		assert_ok(diff_id, err);
		assert_string_equal(diff_id, GOLDEN_DIFF_ID);
		layer = image_layer_write(tree, &err);
		assert_ok(layer, err);
		assert_string_equal(layer->diff_id, GOLDEN_DIFF_ID);
		assert_int_equal(layer->content_bytes, 10240);
		assert_int_equal(layer->file_count, ARRAY_SIZE(golden) + 1);
		/* Other releases of zlib may choose other bytes for the same content. */
		if (!strncmp(ZLIB_VERSION, "1.2.13", 6))
			assert_string_equal(layer->digest, GOLDEN_DIGEST);
	}

	remove_folder(folder);
}

static void test_image_layer_write__keeps_the_bytes_that_it_digested(void **state)
{
	scoped(image_tree) struct image_tree *tree = image_tree_new();
	scoped(image_layer) struct image_layer *layer = NULL;
	scoped(text) char *large = xcalloc(3 << 20, 1), *bytes = NULL, *digest = NULL;
	struct error *err = NULL;
	unsigned seed = 1;
	size_t i;

	(void)state;
	for (i = 0; i < 3 << 20; i++)
		large[i] = (char)((seed = seed * 1103515245 + 12345) >> 16);
	assert_ok(image_tree_add_bytes(tree, "opt/stepop/code/large.bin", large, 3 << 20, &err),
	          err);

	layer = image_layer_write(tree, &err);

	assert_ok(layer, err);
	assert_true(layer->size_bytes > 3 << 20); /* noise does not shrink */
	bytes = xcalloc((size_t)layer->size_bytes, 1);
	assert_int_equal(pread(layer->fd, bytes, (size_t)layer->size_bytes, 0), layer->size_bytes);
	digest = digest_bytes(bytes, (size_t)layer->size_bytes);
	assert_string_equal(layer->digest + strlen("sha256:"), digest);
	/* RFC 1952: no flags, no time; made on Unix. */
	assert_memory_equal(bytes, "\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
}

static void test_image_tree__refuses_paths_that_lead_elsewhere_or_remove(void **state)
{
	static const struct {
		const char *path, *why;
	} cases[] = {
		{ "", "1 to 4095 bytes" },
		{ "/etc/passwd", "empty part" },
		{ "opt//x", "empty part" },
		{ "opt/./x", "'.' or '..'" },
		{ "opt/stepop/../../etc/passwd", "'.' or '..'" },
		{ "opt/stepop/", "empty part" },
		{ "opt/.wh.spark", "would remove files" },
		{ ".wh..wh..opq", "would remove files" },
		{ "opt/a\nb", "control characters" },
		{ "opt/\xff", "UTF-8" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(image_tree) struct image_tree *tree = image_tree_new();
		struct error *err = NULL;

		assert_false(image_tree_add_bytes(tree, cases[i].path, "", 0, &err));
		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, cases[i].why);
		error_free(err);
	}
}

static void test_image_tree_files__refuses_two_contents_for_one_path(void **state)
{
	scoped(image_tree) struct image_tree *tree = image_tree_new();
	const struct image_file *files;
	struct error *err = NULL;
	size_t count;

	(void)state;
	add_text(tree, "opt/a", "1");
	add_text(tree, "opt/a", "1");
	add_text(tree, "opt/a", "1");
	assert_ok(image_tree_files(tree, &files, &count, &err), err);
	assert_int_equal(count, 1);

	add_text(tree, "opt/a", "2");
	assert_false(image_tree_files(tree, &files, &count, &err));
	assert_error_contains(err, "/opt/a would come from");
	error_free(err);
}

static void test_image_tree_files__refuses_a_file_where_a_folder_is(void **state)
{
	scoped(image_tree) struct image_tree *tree = image_tree_new();
	const struct image_file *files;
	struct error *err = NULL;
	size_t count;

	(void)state;
	add_text(tree, "opt/a", "1");
	add_text(tree, "opt/a-b", "1"); /* sorts in between */
	add_text(tree, "opt/a/b/c", "1");

	assert_false(image_tree_files(tree, &files, &count, &err));
	assert_error_contains(err, "/opt/a is a file of");
	error_free(err);
}

static void test_image_tree_add_folder__takes_files_and_leaves_caches(void **state)
{
	static const char *const names[] = { "a.txt", "sub/b.bin", ".hidden", "__pycache__/c.pyc" };
	scoped(text) char *folder = scratch_folder();
	scoped(image_tree) struct image_tree *tree = image_tree_new();
	const struct image_file *files;
	struct error *err = NULL;
	size_t count, i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		scoped(text) char *path = file_join(folder, names[i]);
		scoped(text) char *parent = file_folder(path);

		assert_ok(file_make_folders(parent, 0700, &err), err);
		assert_ok(file_write(path, "x", 1, 0600, &err), err);
	}

	assert_ok(image_tree_add_folder(tree, "opt/data", folder, &err), err);

	assert_ok(image_tree_files(tree, &files, &count, &err), err);
	assert_int_equal(count, 2);
	assert_string_equal(files[0].path, "opt/data/a.txt");
	assert_string_equal(files[1].path, "opt/data/sub/b.bin");
	remove_folder(folder);
}

static void test_image_layer_write__says_which_file_has_changed(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = { { "longer", "has grown" }, { "", "has shrunk" } };
	scoped(text) char *folder = scratch_folder();
	scoped(text) char *path = file_join(folder, "data.txt");
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(image_tree) struct image_tree *tree = image_tree_new();
		struct error *err = NULL;

		assert_ok(file_write(path, "abc", 3, 0600, &err), err);
		assert_ok(image_tree_add_file(tree, "opt/data.txt", path, &err), err);
		assert_ok(file_write(path, cases[i].text, strlen(cases[i].text), 0600, &err), err);
		assert_null(image_layer_write(tree, &err));
		assert_error_contains(err, path);
		assert_error_contains(err, cases[i].why);
		error_free(err);
	}

	remove_folder(folder);
}

static void test_image_layer_write__names_tmpdir_when_it_cannot_write_there(void **state)
{
	scoped(image_tree) struct image_tree *tree = image_tree_new();
	struct error *err = NULL;

	(void)state;
	setenv("TMPDIR", "/dev/null/none", 1);
	assert_null(image_layer_write(tree, &err));
	unsetenv("TMPDIR");
	assert_error_contains(err, "$TMPDIR");
	error_free(err);
}

static void test_image_tar_header__has_pax_records_only_where_needed(void **state)
{
	static const struct {
		struct image_tar_entry entry;
		size_t size;
		const char *record; /* or NULL */
	} cases[] = {
		{ { .path = "a" }, 512, NULL },
		{ { .path = "a", .size_bytes = 077777777777 }, 512, NULL },
		{ { .path = "a", .size_bytes = 0100000000000 }, 1536, "19 size=8589934592\n" },
		{ { .path = "\xc3\xa9" }, 1536, "11 path=\xc3\xa9\n" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t size;
		scoped(text) char *blocks = image_tar_header(&cases[i].entry, &size);

		assert_int_equal(size, cases[i].size);
		if (cases[i].record)
			assert_string_equal(blocks + IMAGE_TAR_BLOCK, cases[i].record);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_image_layer__has_the_same_digests_on_any_machine),
		cmocka_unit_test(test_image_layer_write__keeps_the_bytes_that_it_digested),
		cmocka_unit_test(test_image_tree__refuses_paths_that_lead_elsewhere_or_remove),
		cmocka_unit_test(test_image_tree_files__refuses_two_contents_for_one_path),
		cmocka_unit_test(test_image_tree_files__refuses_a_file_where_a_folder_is),
		cmocka_unit_test(test_image_tree_add_folder__takes_files_and_leaves_caches),
		cmocka_unit_test(test_image_layer_write__says_which_file_has_changed),
		cmocka_unit_test(test_image_layer_write__names_tmpdir_when_it_cannot_write_there),
		cmocka_unit_test(test_image_tar_header__has_pax_records_only_where_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
