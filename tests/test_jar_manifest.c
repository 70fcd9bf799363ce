/* SPDX-License-Identifier: Apache-2.0 */
/* submit/jar_manifest: the main class that a jar names. */
#include "tests/test.h"

#include <string.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/file.h"
#include "core/text.h"
#include "submit/jar_manifest.h"

static void test_jar_manifest_attribute__follows_the_jar_specification(void **state)
{
	static const struct {
		const char *manifest, *expected;
	} cases[] = {
		{ "Manifest-Version: 1.0\r\nMain-Class: org.x.Main\r\n\r\n", "org.x.Main" },
		{ "Manifest-Version: 1.0\nmain-class: A\n", "A" },
		{ "Main-Class: org.\r\n long\r\n .Main\r\nX: y", "org.long.Main" },
		{ "Main-Class: A\rX: y\r", "A" },
		{ "Main-Class: A", "A" },
		{ "X: y\n\nName: z\nMain-Class: A\n", NULL }, /* not of the main section */
		{ "Main-Classes: A\n", NULL },
		{ "\nMain-Class: A\n", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *found = jar_manifest_attribute(cases[i].manifest, "Main-Class");

		if (!text_equal(found, cases[i].expected))
			fail_msg("'%s' gives '%s'", cases[i].manifest, found ? found : "nothing");
	}
}

/* Deflated, by Python's zipfile: one with a main class, and one without a manifest. */
static const char jar_with_main[] =
	"UEsDBBQAAAAIAAAAIQAAAAAAAgAAAAAAAAAJAAAATUVUQS1JTkYvAwBQSwMEFAAAAAgAAAAhADo8nYJS"
	"AAAAVAAAABQAAABNRVRBLUlORi9NQU5JRkVTVC5NRvNNzMtMSy0u0Q1LLSrOzM+zUjDUM+Dlci5KTSxJ"
	"TdF1qgQKmOsZ6FkqaLikJmUm5mnycvkmZubpOuckFhdbKeQXpeulViTmFuSk6oHEebl4uQBQSwECFAMU"
	"AAAACAAAACEAAAAAAAIAAAAAAAAACQAAAAAAAAAAAAAAgAEAAAAATUVUQS1JTkYvUEsBAhQDFAAAAAgA"
	"AAAhADo8nYJSAAAAVAAAABQAAAAAAAAAAAAAAIABKQAAAE1FVEEtSU5GL01BTklGRVNULk1GUEsFBgAA"
	"AAACAAIAeQAAAK0AAAAAAA==";
static const char jar_without[] =
	"UEsDBBQAAAAIAAAAIQCDFtyMAwAAAAEAAAAFAAAAeC50eHSrAABQSwECFAMUAAAACAAAACEAgxbcjAMA"
	"AAABAAAABQAAAAAAAAAAAAAAgAEAAAAAeC50eHRQSwUGAAAAAAEAAQAzAAAAJgAAAAAA";

/* A file with these bytes; its path is owned by the caller. */
static char *file_with(const char *base64)
{
	char *path = xstrdup("/tmp/stepop-test-XXXXXX");
	struct error *err = NULL;
	size_t size = 0;
	scoped(text) char *bytes = base64_decode(base64, &size);

	assert_non_null(bytes);
	close(mkstemp(path));
	assert_ok(file_write(path, bytes, size, 0600, &err), err);
	return path;
}

static void test_jar_manifest_main_class__reads_it_from_a_compressed_jar(void **state)
{
	scoped(text) char *with = file_with(jar_with_main);
	scoped(text) char *without = file_with(jar_without);
	scoped(text) char *main_class = NULL;
	struct error *err = NULL;

	(void)state;
	assert_ok(jar_manifest_main_class(with, &main_class, &err), err);
	assert_string_equal(main_class, "org.example.Main");
	free(take(main_class));
	assert_ok(jar_manifest_main_class(without, &main_class, &err), err);
	assert_null(main_class);

	unlink(with);
	unlink(without);
}

static void test_jar_manifest_main_class__refuses_what_is_no_jar(void **state)
{
	scoped(text) char *path = file_with("bm90IGEgamFy");
	scoped(text) char *main_class = NULL;
	struct error *err = NULL;

	(void)state;
	assert_false(jar_manifest_main_class(path, &main_class, &err));
	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, path);
	error_free(take(err));
	unlink(path);

	assert_false(jar_manifest_main_class(path, &main_class, &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	error_free(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jar_manifest_attribute__follows_the_jar_specification),
		cmocka_unit_test(test_jar_manifest_main_class__reads_it_from_a_compressed_jar),
		cmocka_unit_test(test_jar_manifest_main_class__refuses_what_is_no_jar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
