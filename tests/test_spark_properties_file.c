/* SPDX-License-Identifier: Apache-2.0 */
/* submit/spark_properties_file: java.util.Properties, read. */
#include "tests/test.h"

#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/text.h"
#include "submit/spark_properties_file.h"

static void test_spark_properties_parse__reads_what_java_reads(void **state)
{
	static const struct {
		const char *text, *key, *value;
	} cases[] = {
		{ "spark.a=1", "spark.a", "1" },
		{ "spark.a:1", "spark.a", "1" },
		{ "spark.a 1", "spark.a", "1" },
		{ "  \t\fspark.a \t = \f 1", "spark.a", "1" },
		{ "spark.a = = 1", "spark.a", "= 1" },
		{ "spark.a : = 1", "spark.a", "= 1" },
		{ "spark.a==1", "spark.a", "=1" },
		{ "spark.a", "spark.a", "" },
		{ "spark.a=", "spark.a", "" },
		{ "spark\\ a\\=\\:b=1", "spark a=:b", "1" },
		{ "spark.a=x y\\\n   z", "spark.a", "x yz" },
		{ "spark.a=x\\\r\n\t y\\\r z", "spark.a", "xyz" },
		{ "spark.a=x\\\n\nspark.b=2", "spark.b", "2" },
		{ "spark.a=x\\\n# y", "spark.a", "x# y" },
		{ "spark.a=x\\\\\nspark.b=2", "spark.a", "x\\" },
		{ "spark.a=x\\", "spark.a", "x" },
		{ "spark.a=1\rspark.b=2", "spark.b", "2" },
		{ "# spark.a=0\n ! spark.a=0\nspark.a=1", "spark.a", "1" },
		{ "# goes on \\\nspark.a=1", "spark.a", "1" },
		{ "\\\nspark.a=1", "spark.a", "1" },
		{ "spark.a=1 # no comment", "spark.a", "1 # no comment" },
		{ "spark.a=1\nspark.a=2", "spark.a", "2" },
		{ "spark.a=\\t x\\u00e4\\u20AC\\ud83d\\ude00\\q", "spark.a", "xä€😀q" },
		{ "spark.a=ä", "spark.a", "ä" },
		{ "# \xe4\nspark.a=1", "spark.a", "1" },
		/* Utils.trimExceptCRLF */
		{ "spark.a= \\u0001 x \\t ", "spark.a", "x" },
		{ "spark.a= \\n x\\r\\n ", "spark.a", "\n x\r\n" },
		{ "spark.a=\\ \\ ", "spark.a", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(spark_conf) struct spark_conf *conf = spark_conf_new();
		struct error *err = NULL;
		const char *value;

		assert_ok(spark_properties_parse(cases[i].text, strlen(cases[i].text), conf, &err),
		          err);
		value = spark_conf_get(conf, cases[i].key);
		if (!text_equal(value, cases[i].value))
			fail_msg("'%s' gives '%s'", cases[i].text, value ? value : "nothing");
	}
}

static void test_spark_properties_parse__names_the_line_of_what_is_wrong(void **state)
{
	static const struct {
		const char *text;
		size_t size;
		const char *message;
	} cases[] = {
		{ "spark.a=1\n\n\\u12x4=2", 0, "line 3: \\u is followed by four" },
		{ "spark.a=C:\\users", 0, "write \\\\ for a backslash" },
		{ "# c\\\nspark.a=\\\n\\u12", 0, "line 2: " },
		{ "spark.a=\\ud83d", 0, "\\ud83d is no character" },
		{ "spark.a=\\ud83d\\u0041", 0, "\\ud83d is no character" },
		{ "spark.a=\\u0000", 0, "\\u0000 is no character" },
		{ "spark.a=\xe4", 0, "line 1: not UTF-8" },
		{ "spark.a=x\0y", 11, "line 1: not UTF-8" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(spark_conf) struct spark_conf *conf = spark_conf_new();
		scoped(error) struct error *err = NULL;
		size_t size = cases[i].size ? cases[i].size : strlen(cases[i].text);

		assert_false(spark_properties_parse(cases[i].text, size, conf, &err));
		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, cases[i].message);
		assert_null(spark_conf_get(conf, "spark.a"));
	}
}

static void test_spark_properties_parse__reads_back_what_is_written(void **state)
{
	static const char *const values[] = { "",          "plain",
		                              "a=b:c#d!e", "back\\slash\\u0041",
		                              "tab\tin",   "x\ny\r\nz\fq",
		                              "ä€😀",       "in  between" };
	scoped(spark_conf) struct spark_conf *written = spark_conf_new();
	scoped(spark_conf) struct spark_conf *read = spark_conf_new();
	scoped(text) char *text = NULL;
	struct text_stream stream;
	struct error *err = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		scoped(text) char *key = text_printf("spark.%zu %s", i, values[i]);

		spark_conf_set(written, key, values[i]);
	}
	spark_conf_write_properties(written, text_stream_open(&stream));
	text = text_stream_take(&stream);
	assert_ok(spark_properties_parse(text, strlen(text), read, &err), err);

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		scoped(text) char *key = text_printf("spark.%zu %s", i, values[i]);

		assert_string_equal(spark_conf_get(read, key), values[i]);
	}
}

static void test_spark_properties_file_read__names_the_file(void **state)
{
	char path[] = "/tmp/stepop-test-XXXXXX";
	scoped(spark_conf) struct spark_conf *conf = spark_conf_new();
	struct error *err = NULL;

	(void)state;
	close(mkstemp(path));
	assert_ok(file_write(path, "spark.a 1\n", 10, 0600, &err), err);
	assert_ok(spark_properties_file_read(path, conf, &err), err);
	assert_string_equal(spark_conf_get(conf, "spark.a"), "1");
	assert_ok(file_write(path, "spark.a=\\u", 10, 0600, &err), err);
	assert_false(spark_properties_file_read(path, conf, &err));
	assert_error_contains(err, path);
	error_free(take(err));
	unlink(path);

	assert_false(spark_properties_file_read(path, conf, &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_error_contains(err, path);
	error_free(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spark_properties_parse__reads_what_java_reads),
		cmocka_unit_test(test_spark_properties_parse__names_the_line_of_what_is_wrong),
		cmocka_unit_test(test_spark_properties_parse__reads_back_what_is_written),
		cmocka_unit_test(test_spark_properties_file_read__names_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
