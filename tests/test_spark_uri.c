/* SPDX-License-Identifier: Apache-2.0 */
/* submit/spark_uri: how Spark reads the names of files. */
#include "tests/test.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/text.h"
#include "submit/spark_uri.h"

struct fixture {
	char *folder; /* the working folder while tests run; without links */
	char *before;
};

static void touch(const char *name)
{
	struct error *err = NULL;

	assert_ok(file_write(name, "x", 1, 0600, &err), err);
}

static int set_up(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	char path[] = "/tmp/stepop-test-XXXXXX";

	fixture->before = realpath(".", NULL);
	fixture->folder = realpath(mkdtemp(path), NULL);
	assert_int_equal(chdir(fixture->folder), 0);
	mkdir("dir", 0700);
	touch("a.jar");
	touch("b.jar");
	touch("with blank.txt");
	touch("q[1].txt");
	assert_int_equal(symlink("a.jar", "link.jar"), 0);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(chdir(fixture->before), 0);
	file_remove_tree(fixture->folder, NULL);
	free(fixture->folder);
	free(fixture->before);
	free(fixture);
	return 0;
}

/* As seen in --verbose of spark-submit 3.5.9; @ is the working folder. */
static void test_spark_uri_resolve__does_what_java_does(void **state)
{
	static const struct {
		const char *path, *uri;
	} cases[] = {
		{ "/abs/x.jar", "file:///abs/x.jar" },
		{ "a.jar", "@/a.jar" },
		{ "./dir/../a.jar", "@/a.jar" },
		{ "link.jar", "@/a.jar" },
		{ "link.jar#name", "@/link.jar#name" },
		{ "dir/no/../such.jar", "@/dir/such.jar" },
		{ "dir", "@/dir/" },
		{ "with blank.txt", "@/with%20blank.txt" },
		{ "q[1].txt", "@/q%5B1%5D.txt" },
		{ "*.jar", "@/*.jar" },
		{ "100%.txt", "@/100%25.txt" },
		{ "ä.txt", "@/ä.txt" },
		{ "a,b.txt", "@/a%2Cb.txt" }, /* Java: a,b.txt, two names in a list */
		{ "\xe4.txt", "@/%E4.txt" },
		{ "a%20b.zip#env", "@/a%20b.zip#env" },
		{ "a b.zip#env", "@/a%20b.zip%23env" },
		{ "local:///opt/x.jar", "local:///opt/x.jar" },
		{ "file:/x.jar", "file:/x.jar" },
		{ "s3a://bucket/x.jar#y", "s3a://bucket/x.jar#y" },
	};
	const struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool is_here = cases[i].uri[0] == '@';
		scoped(text) char *expected =
			text_printf("%s%s%s", is_here ? "file://" : "",
		                    is_here ? fixture->folder : "", cases[i].uri + is_here);
		scoped(text) char *uri = spark_uri_resolve(cases[i].path);

		assert_string_equal(uri, expected);
	}
}

static void test_spark_uri_path__undoes_it(void **state)
{
	static const struct {
		const char *uri, *path;
	} cases[] = {
		{ "file:///a/b", "/a/b" },     { "file:/a/b", "/a/b" },
		{ "file://host/a/b", "/a/b" }, { "FILE:///a", "/a" },
		{ "file:///a%20b#c", "/a b" }, { "file:///100%", "/100%" },
		{ "file:///100%25", "/100%" }, { "relative/x#y", "relative/x" },
		{ "file:///%C3%A4", "/ä" },    { "file:///a%2", "/a%2" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *path = spark_uri_path(cases[i].uri);

		assert_string_equal(path, cases[i].path);
	}
}

static void test_spark_uri_is_local__tells_this_machine_from_others(void **state)
{
	(void)state;
	assert_true(spark_uri_is_local("x.jar"));
	assert_true(spark_uri_is_local("/x.jar"));
	assert_true(spark_uri_is_local("file:/x.jar"));
	assert_true(spark_uri_is_local("file:///x.jar"));
	assert_true(spark_uri_is_local("1a:x"));
	assert_false(spark_uri_is_local("local:///x.jar"));
	assert_false(spark_uri_is_local("s3a://bucket/x.jar"));
	assert_false(spark_uri_is_local("files:///x.jar"));
}

static void test_spark_uri_base_name__is_what_follows_the_last_slash(void **state)
{
	static const struct {
		const char *uri, *name;
	} cases[] = {
		{ "file:///a/b.jar", "b.jar" },
		{ "b.jar", "b.jar" },
		{ "s3a://b/c.zip#d/e", "c.zip" },
		{ "file:///a/", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *name = spark_uri_base_name(cases[i].uri);

		assert_string_equal(name, cases[i].name);
	}
}

/* The expanded list, with the working folder written as "@". */
static char *expanded(const struct fixture *fixture, const char *list)
{
	scoped(text) char *here = text_printf("file://%s/", fixture->folder);
	struct error *err = NULL;
	json_auto_t *uris = spark_uri_expand(list, &err);
	json_auto_t *shown = json_array();
	const json_t *uri;
	size_t i;

	assert_ok(uris, err);
	json_array_foreach (uris, i, uri) {
		const char *text = json_string_value(uri);
		bool is_here = text_starts_with(text, here);

		json_array_append_new(shown, json_sprintf("%s%s", is_here ? "@" : "",
		                                          text + (is_here ? strlen(here) : 0)));
	}
	return spark_uri_join(shown);
}

static void test_spark_uri_expand__expands_patterns_of_local_files_only(void **state)
{
	static const struct {
		const char *list, *expected;
	} cases[] = {
		{ "", "" },
		{ " , ,", "" },
		{ "b.jar, a.jar ,,b.jar", "@b.jar,@a.jar,@b.jar" },
		{ "*.jar", "@a.jar,@b.jar,@link.jar" },
		{ "?.jar", "@a.jar,@b.jar" },
		{ "[b-z].jar", "@b.jar" },
		{ "*", "@a.jar,@b.jar,@link.jar,@q%5B1%5D.txt,@with%20blank.txt" },
		{ "q[1].txt", "@q%5B1%5D.txt" },
		{ "no-such.jar", "@no-such.jar" },
		{ "b*.jar#one", "@b.jar#one" },
		{ "local:///x/*.jar,s3a://b/*.jar", "local:///x/*.jar,s3a://b/*.jar" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *shown = expanded(*state, cases[i].list);

		assert_string_equal(shown, cases[i].expected);
	}
}

static void test_spark_uri_expand__refuses_what_matches_nothing_or_too_much(void **state)
{
	struct error *err = NULL;

	(void)state;
	assert_null(spark_uri_expand("a.jar,no*.jar", &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_error_contains(err, "/no*.jar'");
	error_free(take(err));

	assert_null(spark_uri_expand("d*", &err)); /* a folder alone */
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	error_free(take(err));

	assert_null(spark_uri_expand("?.jar#env", &err));
	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, "matches 2 files, and all would be named 'env'");
	error_free(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spark_uri_resolve__does_what_java_does),
		cmocka_unit_test(test_spark_uri_path__undoes_it),
		cmocka_unit_test(test_spark_uri_is_local__tells_this_machine_from_others),
		cmocka_unit_test(test_spark_uri_base_name__is_what_follows_the_last_slash),
		cmocka_unit_test(test_spark_uri_expand__expands_patterns_of_local_files_only),
		cmocka_unit_test(test_spark_uri_expand__refuses_what_matches_nothing_or_too_much),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
