/* SPDX-License-Identifier: Apache-2.0 */
/* submit/spark_conf: Spark properties, their units and their text. */
#include "tests/test.h"

#include <string.h>

#include "core/text.h"
#include "submit/spark_conf.h"

static char *properties_text(const struct spark_conf *conf)
{
	struct text_stream stream;

	spark_conf_write_properties(conf, text_stream_open(&stream));
	return text_stream_take(&stream);
}

static void test_spark_conf__keeps_keys_in_order_and_the_last_value(void **state)
{
	scoped(spark_conf) struct spark_conf *conf = spark_conf_new();
	struct spark_conf_entry *entries;
	size_t count;

	(void)state;
	spark_conf_set(conf, "spark.c", "3");
	spark_conf_set(conf, "spark.a", "1");
	spark_conf_set(conf, "spark.b", "2");
	spark_conf_set(conf, "spark.a", "one");
	spark_conf_set_default(conf, "spark.a", "default");
	spark_conf_set(conf, "spark.c", NULL);
	spark_conf_set(conf, "spark.unknown", NULL);

	entries = spark_conf_entries(conf, &count);
	assert_int_equal(count, 2);
	assert_string_equal(entries[0].key, "spark.a");
	assert_string_equal(entries[0].value, "one");
	assert_string_equal(entries[1].key, "spark.b");
	assert_null(spark_conf_get(conf, "spark.c"));
	free(entries);
}

static void test_spark_conf_split__drops_blanks_and_empty_pieces(void **state)
{
	static const struct {
		const char *list, *pieces;
	} cases[] = {
		{ NULL, "[]" },
		{ "", "[]" },
		{ " , ,", "[]" },
		{ "a", "[\"a\"]" },
		{ " a b ,\t\nc,,d", "[\"a b\", \"c\", \"d\"]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *pieces = spark_conf_split(cases[i].list);
		json_auto_t *expected = json_loads(cases[i].pieces, 0, NULL);

		assert_true(json_equal(pieces, expected));
	}
}

static void test_spark_conf_set__may_be_given_its_own_value(void **state)
{
	scoped(spark_conf) struct spark_conf *conf = spark_conf_new();

	(void)state;
	spark_conf_set(conf, "spark.a", "value");
	spark_conf_set(conf, "spark.a", spark_conf_get(conf, "spark.a"));

	assert_string_equal(spark_conf_get(conf, "spark.a"), "value");
}

static void test_spark_conf_merge_json__writes_scalars_as_spark_does(void **state)
{
	scoped(spark_conf) struct spark_conf *conf = spark_conf_new();
	json_auto_t *mapping =
		json_pack("{s:s, s:i, s:f, s:f, s:b, s:n}", "spark.text", "x y", "spark.int", 42,
	                  "spark.real", 0.1, "spark.whole", 2.0, "spark.bool", 0, "spark.gone");
	scoped(error) struct error *err = NULL;

	(void)state;
	spark_conf_set(conf, "spark.gone", "1");
	assert_ok(spark_conf_merge_json(conf, mapping, &err), err);

	assert_string_equal(spark_conf_get(conf, "spark.text"), "x y");
	assert_string_equal(spark_conf_get(conf, "spark.int"), "42");
	assert_string_equal(spark_conf_get(conf, "spark.real"), "0.1");
	assert_string_equal(spark_conf_get(conf, "spark.whole"), "2.0");
	assert_string_equal(spark_conf_get(conf, "spark.bool"), "false");
	assert_null(spark_conf_get(conf, "spark.gone"));
}

static void test_spark_conf_merge_json__refuses_nested_mappings_and_merges_nothing(void **state)
{
	scoped(spark_conf) struct spark_conf *conf = spark_conf_new();
	json_auto_t *mapping =
		json_pack("{s:s, s:{s:i}}", "spark.a", "1", "spark.executor", "cores", 2);
	scoped(error) struct error *err = NULL;

	(void)state;
	assert_false(spark_conf_merge_json(conf, mapping, &err));

	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, "'spark.executor'");
	assert_null(spark_conf_get(conf, "spark.a"));
}

static void test_spark_conf_get_mib__follows_the_units_of_spark(void **state)
{
	static const struct {
		const char *text;
		int64_t mib; /* -1: refused */
	} cases[] = {
		{ "512m", 512 },      { "512", 512 },      { "1g", 1024 },  { "1G", 1024 },
		{ "2gb", 2048 },      { "1000000k", 976 }, { "1kb", 0 },    { "1048576b", 1 },
		{ "1t", 1048576 },    { "1TB", 1048576 },  { "2mib", 2 },   { " 3m ", 3 },
		{ "1p", 1073741824 }, { "1.5g", -1 },      { "", -1 },      { "g", -1 },
		{ "5x", -1 },         { "-1m", -1 },       { "4Gi", 4096 }, { "5 m", -1 },
		{ "99999999p", -1 },  { "0x10", -1 },      { "1m1", -1 },
	};
	scoped(spark_conf) struct spark_conf *conf = spark_conf_new();
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(error) struct error *err = NULL;
		int64_t mib = -1;

		spark_conf_set(conf, "spark.driver.memory", cases[i].text);
		if (spark_conf_get_mib(conf, "spark.driver.memory", 1, &mib, &err) !=
		            (cases[i].mib >= 0) ||
		    mib != cases[i].mib)
			fail_msg("'%s' is read as %lld", cases[i].text, (long long)mib);
		if (err)
			assert_error_contains(err, "spark.driver.memory");
	}
}

static void test_spark_conf_get_bytes__counts_a_bare_number_as_bytes(void **state)
{
	static const struct {
		const char *text;
		int64_t bytes; /* -1: refused */
	} cases[] = {
		{ "1024", 1024 },     { "1k", 1024 },
		{ "1G", 1073741824 }, { "0", 0 },
		{ "1.5", -1 },        { "-1", -1 },
		{ "3p", -1 },         { "x", -1 },
		{ "2047b", 2047 },    { "1PB", 1125899906842624 },
	};
	scoped(spark_conf) struct spark_conf *conf = spark_conf_new();
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t bytes = -1;

		spark_conf_set(conf, "spark.size", cases[i].text);
		if (spark_conf_get_bytes(conf, "spark.size", 1, &bytes, NULL) !=
		            (cases[i].bytes >= 0) ||
		    bytes != cases[i].bytes)
			fail_msg("'%s' is read as %lld", cases[i].text, (long long)bytes);
	}
}

static void test_spark_conf_get__gives_the_default_when_unset_and_names_the_key(void **state)
{
	scoped(spark_conf) struct spark_conf *conf = spark_conf_new();
	scoped(error) struct error *err = NULL;
	int64_t number = 0;
	double factor = 0;
	bool flag = false;

	(void)state;
	assert_true(spark_conf_get_int(conf, "spark.ui.port", 4040, &number, NULL));
	assert_int_equal(number, 4040);
	assert_true(spark_conf_get_bool(conf, "spark.flag", true, &flag, NULL));
	assert_true(flag);
	assert_true(spark_conf_get_double(conf, "spark.factor", 0.4, &factor, NULL));
	assert_true(factor == 0.4);

	spark_conf_set(conf, "spark.ui.port", "yes");
	assert_false(spark_conf_get_int(conf, "spark.ui.port", 4040, &number, &err));
	assert_error_contains(err, "spark.ui.port: 'yes'");
}

static void test_spark_conf_write_properties__escapes_as_java_does(void **state)
{
	scoped(spark_conf) struct spark_conf *conf = spark_conf_new();
	scoped(text) char *text = NULL;

	(void)state;
	spark_conf_set(conf, "spark.a b", "  two  blanks ");
	spark_conf_set(conf, "spark.empty", "");
	spark_conf_set(conf, "spark.lines", "1\n2\t3\r4\f");
	spark_conf_set(conf, "spark.master", "k8s://https://h:6443");
	spark_conf_set(conf, "spark.signs", "a=b#c!d\\e");
	spark_conf_set(conf, "spark.utf", "\xc3\xa4");
	text = properties_text(conf);

	assert_string_equal(text, "spark.a\\ b=\\  two  blanks \n"
	                          "spark.empty=\n"
	                          "spark.lines=1\\n2\\t3\\r4\\f\n"
	                          "spark.master=k8s\\://https\\://h\\:6443\n"
	                          "spark.signs=a\\=b\\#c\\!d\\\\e\n"
	                          "spark.utf=\xc3\xa4\n");
}

static void test_spark_memory_from_quantity__takes_units_of_kubernetes_and_of_spark(void **state)
{
	static const struct {
		const char *quantity, *memory; /* NULL: refused */
	} cases[] = {
		{ "4Gi", "4096m" },   { "512Mi", "512m" },   { "2g", "2048m" },
		{ "1.5Gi", "1536m" }, { "4G", "3814m" },     { "1536k", "1m" },
		{ "500M", "476m" },   { "1Ti", "1048576m" }, { "1048576Ki", "1024m" },
		{ "512", NULL },      { "", NULL },          { "Gi", NULL },
		{ "1Ki", NULL },      { "4 Gi", NULL },      { "-4Gi", NULL },
		{ "9999Pi", NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *memory = spark_memory_from_quantity(cases[i].quantity, NULL);

		if (!text_equal(memory, cases[i].memory))
			fail_msg("'%s' is read as %s", cases[i].quantity, memory ? memory : "NULL");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spark_conf__keeps_keys_in_order_and_the_last_value),
		cmocka_unit_test(test_spark_conf_split__drops_blanks_and_empty_pieces),
		cmocka_unit_test(test_spark_conf_set__may_be_given_its_own_value),
		cmocka_unit_test(test_spark_conf_merge_json__writes_scalars_as_spark_does),
		cmocka_unit_test(
			test_spark_conf_merge_json__refuses_nested_mappings_and_merges_nothing),
		cmocka_unit_test(test_spark_conf_get_mib__follows_the_units_of_spark),
		cmocka_unit_test(test_spark_conf_get_bytes__counts_a_bare_number_as_bytes),
		cmocka_unit_test(
			test_spark_conf_get__gives_the_default_when_unset_and_names_the_key),
		cmocka_unit_test(test_spark_conf_write_properties__escapes_as_java_does),
		cmocka_unit_test(
			test_spark_memory_from_quantity__takes_units_of_kubernetes_and_of_spark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
