/* SPDX-License-Identifier: Apache-2.0 */
/* operator/step_image: when a step needs an image, and which files it then has. */
#include "tests/test.h"

#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/step_image.h"
#include "tests/fakes/zip_file.h"

#define INFO "six-1.0.dist-info/"
#define WHEEL "six-1.0-py3-none-any.whl"

static void test_step_image_need__follows_the_settings(void **state)
{
	static const struct {
		const char *settings;
		enum step_image_need need;
	} cases[] = {
		{ "{}", STEP_IMAGE_IF_LARGE },
		{ "{\"image\":{}}", STEP_IMAGE_IF_LARGE },
		{ "{\"image\":{\"platform\":\"linux/arm64\"}}", STEP_IMAGE_IF_LARGE },
		{ "{\"image\":{\"build\":true}}", STEP_IMAGE_REQUESTED },
		{ "{\"image\":{\"build\":false}}", STEP_IMAGE_NEVER },
		{ "{\"image\":{\"build\":false,\"files\":[]}}", STEP_IMAGE_NEVER },
		{ "{\"image\":{\"files\":[\"a\"]}}", STEP_IMAGE_REQUESTED },
		{ "{\"image\":{\"requirements\":[\"a.whl\"]}}", STEP_IMAGE_REQUESTED },
	};
	json_auto_t *both = json_loads("{\"image\":{\"build\":false,\"files\":[\"a\"]}}", 0, NULL);
	enum step_image_need need;
	struct error *err = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *settings = json_loads(cases[i].settings, 0, NULL);

		assert_ok(step_image_need(settings, &need, &err), err);
		assert_int_equal(need, cases[i].need);
	}
	assert_false(step_image_need(both, &need, &err));
	assert_error_contains(err, "build: false");
	error_free(err);
}

/* ---- a pipeline's folder ---- */

static int make_folder(void **state)
{
	static const char *const names[] = { "steps.py", "data/a.csv", "data/deep/b.csv", "lib.jar",
		                             "empty/x.txt" };
	static const struct zip_file_entry entries[] = { { "six.py", "x = 1\n", 0 }, { 0 } };
	char *folder = xstrdup("/tmp/stepop-test-XXXXXX");
	scoped(text) char *records = zip_file_records(entries, INFO "RECORD");
	const struct zip_file_entry wheel[] = { entries[0], { INFO "RECORD", records, 0 }, { 0 } };
	scoped(text) char *wheels = NULL, *path = NULL;
	size_t i;

	if (!mkdtemp(folder))
		return -1;
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		scoped(text) char *file = file_join(folder, names[i]);
		scoped(text) char *parent = file_folder(file);

		if (!file_make_folders(parent, 0700, NULL) ||
		    !file_write(file, names[i], strlen(names[i]), 0600, NULL))
			return -1;
	}
	wheels = file_join(folder, "wheels");
	path = file_join(wheels, WHEEL);
	if (!file_make_folders(wheels, 0700, NULL))
		return -1;
	zip_file_write(path, wheel);
	*state = folder;
	return 0;
}

static int remove_folder(void **state)
{
	scoped(text) char *folder = *state;

	return file_remove_tree(folder, NULL) ? 0 : -1;
}

static struct image_tree *gather(const char *folder, const char *image, bool *has_site,
                                 struct error **err)
{
	json_auto_t *settings = json_pack("{s:o}", "image", json_loads(image, 0, NULL));
	json_auto_t *code = json_pack("{s:s, s:s}", "main.py", "", "code/steps.py", "steps.py");
	struct step_image_parts parts = { .folder = folder, .code = code };

	step_image_parts_read(&parts, settings);
	return step_image_gather(&parts, has_site, err);
}

static void test_step_image_gather__places_code_wheels_and_files(void **state)
{
	static const struct {
		const char *image, *expected;
		bool has_site;
	} cases[] = {
		{ "{}", "opt/stepop/code/steps.py opt/stepop/main.py ", false },
		{ "{\"files\":[\"data\",\"steps.py\"]}",
		  "opt/stepop/code/data/a.csv opt/stepop/code/data/deep/b.csv "
		  "opt/stepop/code/steps.py opt/stepop/main.py ",
		  false },
		{ "{\"files\":[\"./data/\",\"lib.jar:/opt/spark/jars/\",\"lib.jar:/x.jar\"]}",
		  "opt/spark/jars/lib.jar opt/stepop/code/data/a.csv "
		  "opt/stepop/code/data/deep/b.csv opt/stepop/code/steps.py opt/stepop/main.py "
		  "x.jar ",
		  false },
		{ "{\"requirements\":[\"wheels\",\"wheels/" WHEEL "\"]}",
		  "opt/stepop/code/steps.py opt/stepop/main.py "
		  "opt/stepop/site/six-1.0.dist-info/RECORD opt/stepop/site/six.py ",
		  true },
	};
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error *err = NULL;
		bool has_site;
		scoped(image_tree) struct image_tree *tree =
			gather(*state, cases[i].image, &has_site, &err);
		const struct image_file *files;
		struct text_stream stream;
		FILE *out = text_stream_open(&stream);
		scoped(text) char *list = NULL;
		size_t count;

		assert_ok(tree, err);
		assert_ok(image_tree_files(tree, &files, &count, &err), err);
		for (j = 0; j < count; j++)
			fprintf(out, "%s ", files[j].path);
		list = text_stream_take(&stream);
		assert_string_equal(list, cases[i].expected);
		assert_int_equal(has_site, cases[i].has_site);
	}
}

static void test_step_image_gather__names_the_entry_that_is_wrong(void **state)
{
	static const struct {
		const char *image, *entry, *why;
	} cases[] = {
		{ "{\"files\":[\"none\"]}", "file 'none'", "No such file" },
		{ "{\"files\":[\"../x\"]}", "file '../x'", "say where it goes to" },
		{ "{\"files\":[\"/etc/hostname\"]}", "file '/etc/hostname'",
		  "say where it goes to" },
		{ "{\"files\":[\"lib.jar:/opt/../x\"]}", "file 'lib.jar:/opt/../x'", "'..'" },
		{ "{\"requirements\":[\"none.whl\"]}", "requirement 'none.whl'", "No such file" },
		{ "{\"requirements\":[\"data\"]}", "requirement 'data'", "no wheel in the folder" },
		{ "{\"requirements\":[\"lib.jar\"]}", "requirement 'lib.jar'", "name of a wheel" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error *err = NULL;
		bool has_site;

		assert_null(gather(*state, cases[i].image, &has_site, &err));
		assert_error_contains(err, cases[i].entry);
		assert_error_contains(err, cases[i].why);
		error_free(err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_step_image_need__follows_the_settings),
		cmocka_unit_test(test_step_image_gather__places_code_wheels_and_files),
		cmocka_unit_test(test_step_image_gather__names_the_entry_that_is_wrong),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
