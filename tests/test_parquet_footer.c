/* SPDX-License-Identifier: Apache-2.0 */
/* materializers/parquet_footer: files that Spark 3.5 and pyarrow 17 wrote (golden/parquet/make.py).
 */
#include "tests/test.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "materializers/parquet_footer.h"

static const char spark_files[] = "tests/golden/parquet/spark/data/part-0000%d-*.parquet";

/* The only file that matches; part files have a random part in their names. */
static char *read_golden(const char *pattern, size_t *size)
{
	struct error *err = NULL;
	char *bytes;
	glob_t found;

	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	assert_int_equal(found.gl_pathc, 1);
	assert_ok(bytes = file_read(found.gl_pathv[0], 1 << 20, size, &err), err);
	globfree(&found);
	return bytes;
}

static struct parquet_footer *parse_golden(const char *pattern)
{
	struct error *err = NULL;
	struct parquet_footer *footer;
	size_t size;
	scoped(text) char *bytes = read_golden(pattern, &size);

	assert_ok(footer = parquet_footer_parse(bytes, size, &err), err);
	return footer;
}

/* Compared as texts, so that a failure shows both. */
static void assert_column(const json_t *columns, size_t index, const char *expected)
{
	scoped(text) char *text = json_dumps(json_array_get(columns, index), JSON_COMPACT);

	assert_non_null(text);
	assert_string_equal(text, expected);
}

static struct parquet_footer *parse_spark_files(void)
{
	struct error *err = NULL;
	struct parquet_footer *footer = NULL;

	for (int i = 0; i < 2; i++) {
		scoped(text) char *pattern = text_printf(spark_files, i);
		struct parquet_footer *next = parse_golden(pattern);

		if (!footer) {
			footer = next;
			continue;
		}
		assert_ok(parquet_footer_merge(footer, next, &err), err);
		parquet_footer_free(next);
	}
	return footer;
}

static void test_parquet_footer__merges_the_parts_that_spark_wrote(void **state)
{
	static const char *const expected[] = {
		"{\"name\":\"id\",\"type\":\"long\",\"nulls\":0,\"min\":0,\"max\":19}",
		"{\"name\":\"count\",\"type\":\"int\",\"nulls\":4,\"min\":-50,\"max\":130}",
		"{\"name\":\"small\",\"type\":\"short\",\"nulls\":4,\"min\":-18,\"max\":0}",
		"{\"name\":\"price\",\"type\":\"decimal(10,2)\",\"nulls\":4,\"min\":\"-3.00\","
		"\"max\":\"19.50\"}",
		"{\"name\":\"big\",\"type\":\"decimal(30,4)\",\"nulls\":4,"
		"\"min\":\"-300000000000000000000.0000\",\"max\":\"1500000000000000000000.0000\"}",
		"{\"name\":\"ratio\",\"type\":\"double\",\"nulls\":4,\"min\":-1.0,\"max\":3.5}",
		"{\"name\":\"weight\",\"type\":\"float\",\"nulls\":4,\"min\":0.0,\"max\":9.0}",
		"{\"name\":\"good\",\"type\":\"boolean\",\"nulls\":4,\"min\":false,\"max\":true}",
		"{\"name\":\"name\",\"type\":\"string\",\"nulls\":4,\"min\":\"näme-00\","
		"\"max\":\"näme-18\"}",
		"{\"name\":\"raw\",\"type\":\"binary\",\"nulls\":4}",
		"{\"name\":\"day\",\"type\":\"date\",\"nulls\":4,\"min\":\"1969-12-25\","
		"\"max\":\"1970-01-12\"}",
		"{\"name\":\"at\",\"type\":\"timestamp\",\"nulls\":4,"
		"\"min\":\"2026-11-21T09:30:00.25Z\",\"max\":\"2026-11-21T09:30:18.25Z\"}",
		"{\"name\":\"tags\",\"type\":\"array<string>\"}",
		"{\"name\":\"scores\",\"type\":\"map<string,double>\"}",
		"{\"name\":\"place\",\"type\":\"struct<city:string,zip:int>\",\"nulls\":4}",
		"{\"name\":\"features\",\"type\":\"vector\",\"nulls\":4}",
	};
	scoped(parquet_footer) struct parquet_footer *footer = parse_spark_files();
	json_auto_t *columns = parquet_footer_columns(footer);

	(void)state;
	assert_int_equal(parquet_footer_rows(footer), 20);
	assert_int_equal(json_array_size(columns), ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		assert_column(columns, i, expected[i]);
	assert_string_equal(parquet_footer_compression(footer), "snappy");
	assert_non_null(strstr(parquet_footer_created_by(footer), "parquet-mr"));
}

static void test_parquet_footer__knows_the_columns_of_an_empty_dataframe(void **state)
{
	scoped(parquet_footer) struct parquet_footer *footer =
		parse_golden("tests/golden/parquet/empty/data/part-*.parquet");
	json_auto_t *columns = parquet_footer_columns(footer);

	(void)state;
	assert_int_equal(parquet_footer_rows(footer), 0);
	assert_column(columns, 0, "{\"name\":\"id\",\"type\":\"long\",\"nulls\":0}");
	assert_column(columns, 15, "{\"name\":\"features\",\"type\":\"vector\",\"nulls\":0}");
}

static void test_parquet_footer__gives_no_bounds_for_int96_timestamps(void **state)
{
	scoped(parquet_footer) struct parquet_footer *footer =
		parse_golden("tests/golden/parquet/int96/data/part-*.parquet");
	json_auto_t *columns = parquet_footer_columns(footer);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(json_array_get(columns, 1), "type")),
	                    "timestamp");
	assert_null(json_object_get(json_array_get(columns, 1), "min"));
}

static void test_parquet_footer__names_the_types_of_pandas_as_spark_would(void **state)
{
	static const char *const expected[] = {
		"{\"name\":\"i\",\"type\":\"long\",\"nulls\":1,\"min\":1,\"max\":3}",
		"{\"name\":\"f\",\"type\":\"double\",\"nulls\":1,\"min\":-2.0,\"max\":0.5}",
		"{\"name\":\"s\",\"type\":\"string\",\"nulls\":1,\"min\":\"a\",\"max\":\"ccc\"}",
		"{\"name\":\"at\",\"type\":\"timestamp\",\"nulls\":1,\"min\":\"2026-01-01T00:00:"
		"00Z\","
		"\"max\":\"2026-01-02T03:04:05.000000006Z\"}",
		"{\"name\":\"local\",\"type\":\"timestamp_ntz\",\"nulls\":0,"
		"\"min\":\"2026-01-01T00:00:00\",\"max\":\"2026-01-03T00:00:00\"}",
		"{\"name\":\"u\",\"type\":\"long\",\"nulls\":0,\"min\":1,\"max\":4294967295}",
		"{\"name\":\"l\",\"type\":\"array<long>\"}",
	};
	scoped(parquet_footer) struct parquet_footer *footer =
		parse_golden("tests/golden/parquet/pandas/data.parquet");
	json_auto_t *columns = parquet_footer_columns(footer);

	(void)state;
	assert_int_equal(parquet_footer_rows(footer), 3);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		assert_column(columns, i, expected[i]);
}

static void test_parquet_footer__merges_the_row_groups_of_a_file(void **state)
{
	scoped(parquet_footer) struct parquet_footer *footer =
		parse_golden("tests/golden/parquet/files/row-groups.parquet");
	json_auto_t *columns = parquet_footer_columns(footer);

	(void)state;
	assert_int_equal(parquet_footer_rows(footer), 10);
	assert_column(columns, 0,
	              "{\"name\":\"n\",\"type\":\"long\",\"nulls\":0,\"min\":0,\"max\":9}");
	assert_column(
		columns, 1,
		"{\"name\":\"s\",\"type\":\"string\",\"nulls\":0,\"min\":\"a\",\"max\":\"j\"}");
	assert_string_equal(parquet_footer_compression(footer), "zstd");
}

static void test_parquet_footer__leaves_out_what_no_statistics_say(void **state)
{
	scoped(parquet_footer) struct parquet_footer *footer =
		parse_golden("tests/golden/parquet/files/no-statistics.parquet");
	json_auto_t *columns = parquet_footer_columns(footer);

	(void)state;
	assert_int_equal(parquet_footer_rows(footer), 3);
	assert_column(columns, 0, "{\"name\":\"secret\",\"type\":\"long\"}");
}

static void test_parquet_footer__says_that_a_footer_is_encrypted(void **state)
{
	struct error *err = NULL;
	size_t size;
	scoped(text) char *bytes =
		read_golden("tests/golden/parquet/files/encrypted.parquet", &size);

	(void)state;
	assert_null(parquet_footer_parse(bytes, size, &err));
	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, "encrypted");
	error_free(err);
}

static void test_parquet_footer_size__tells_how_much_more_must_be_read(void **state)
{
	static const char tail[] = "…\x00\x00\x02\x00PAR1", huge[] = "\x00\x00\x00\x7fPAR1";
	struct error *err = NULL;
	size_t size = 0;

	(void)state;
	assert_ok(parquet_footer_size(tail, sizeof(tail) - 1, &size, &err), err);
	assert_int_equal(size, 0x20000 + 8);
	assert_null(parquet_footer_parse(tail, sizeof(tail) - 1, &err));
	assert_error_contains(err, "cut short");
	error_free(err);
	err = NULL;
	assert_false(parquet_footer_size(huge, sizeof(huge) - 1, &size, &err));
	assert_error_contains(err, "limit");
	error_free(err);
}

static void test_parquet_footer_merge__names_the_column_that_differs(void **state)
{
	struct error *err = NULL;
	scoped(parquet_footer) struct parquet_footer *a =
		parse_golden("tests/golden/parquet/files/no-statistics.parquet");
	scoped(parquet_footer) struct parquet_footer *b =
		parse_golden("tests/golden/parquet/files/row-groups.parquet");

	(void)state;
	assert_false(parquet_footer_merge(a, b, &err));
	assert_error_contains(err, "2 columns");
	assert_int_equal(parquet_footer_rows(a), 3);
	error_free(err);
}

/* Every byte of a real footer, changed in turn: nothing may crash or leak (ASan watches). */
static void test_parquet_footer__survives_any_damaged_byte(void **state)
{
	size_t size, footer_size = 0;
	scoped(text) char *bytes = read_golden("tests/golden/parquet/pandas/data.parquet", &size);

	(void)state;
	assert_true(parquet_footer_size(bytes, size, &footer_size, NULL));
	for (size_t i = size - footer_size; i < size; i++) {
		for (int bit = 0; bit < 8; bit++) {
			struct parquet_footer *footer;

			bytes[i] ^= (char)(1 << bit);
			footer = parquet_footer_parse(bytes, size, NULL);
			if (footer)
				json_decref(parquet_footer_columns(footer));
			parquet_footer_free(footer);
			bytes[i] ^= (char)(1 << bit);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parquet_footer__merges_the_parts_that_spark_wrote),
		cmocka_unit_test(test_parquet_footer__knows_the_columns_of_an_empty_dataframe),
		cmocka_unit_test(test_parquet_footer__gives_no_bounds_for_int96_timestamps),
		cmocka_unit_test(test_parquet_footer__names_the_types_of_pandas_as_spark_would),
		cmocka_unit_test(test_parquet_footer__merges_the_row_groups_of_a_file),
		cmocka_unit_test(test_parquet_footer__leaves_out_what_no_statistics_say),
		cmocka_unit_test(test_parquet_footer__says_that_a_footer_is_encrypted),
		cmocka_unit_test(test_parquet_footer_size__tells_how_much_more_must_be_read),
		cmocka_unit_test(test_parquet_footer_merge__names_the_column_that_differs),
		cmocka_unit_test(test_parquet_footer__survives_any_damaged_byte),
	};

	memory_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
