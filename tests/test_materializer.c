/* SPDX-License-Identifier: Apache-2.0 */
/* materializers: what is told of artifacts that real steps left (golden/parquet/), and of halves.
 */
#include "tests/test.h"

#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "materializers/display.h"
#include "materializers/materializer.h"
#include "tests/fakes/temporary_project.h"

struct fixture {
	void *project; /* struct temporary_project */
	struct artifact_store *golden, *store;
};

static struct artifact_store *open_store(const struct temporary_project *temporary,
                                         const char *path)
{
	json_auto_t *options = json_pack("{s:s*}", "path", path);
	struct component component = { COMPONENT_ARTIFACT_STORE, (char *)"store", (char *)"local",
		                       options };
	struct error *err = NULL;
	struct artifact_store *store =
		artifact_store_open(temporary->project, &component, NULL, NULL, &err);

	assert_ok(store, err);
	return store;
}

static int set_up(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));
	scoped(text) char *golden = file_absolute("tests/golden/parquet");

	temporary_project_setup(&fixture->project);
	fixture->golden = open_store(fixture->project, golden);
	fixture->store = open_store(fixture->project, NULL);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	artifact_store_free(fixture->golden);
	artifact_store_free(fixture->store);
	temporary_project_teardown(&fixture->project);
	free(fixture);
	return 0;
}

static void put(struct artifact_store *store, const char *name, const char *text)
{
	struct error *err = NULL;
	scoped(text) char *uri = text_printf("%s%s", store->root, name);

	assert_ok(artifact_put(store, uri, text, strlen(text), &err), err);
}

static json_t *describe(struct artifact_store *store, const char *type, const char *folder,
                        struct error **err)
{
	scoped(text) char *uri = text_printf("%s%s", store->root, folder);

	return materializer_describe(materializer_find(type), store, uri, err);
}

static json_t *must_describe(struct artifact_store *store, const char *type, const char *folder)
{
	struct error *err = NULL;
	json_t *metadata = describe(store, type, folder, &err);

	assert_ok(metadata, err);
	return metadata;
}

static char *must_digest(struct artifact_store *store, const char *type, const char *folder)
{
	struct error *err = NULL;
	scoped(text) char *uri = text_printf("%s%s", store->root, folder);
	char *digest = materializer_digest(materializer_find(type), store, uri, &err);

	assert_ok(digest, err);
	assert_int_equal(strlen(digest), 64);
	return digest;
}

static char *must_preview(struct artifact_store *store, const char *type, const char *folder)
{
	struct error *err = NULL;
	struct text_stream stream;
	scoped(text) char *uri = text_printf("%s%s", store->root, folder);

	assert_ok(materializer_preview(materializer_find(type), store, uri,
	                               text_stream_open(&stream), &err),
	          err);
	return text_stream_take(&stream);
}

static const char *text_of(const json_t *metadata, const char *key)
{
	return json_string_value(json_object_get(metadata, key));
}

static json_int_t integer_of(const json_t *metadata, const char *key)
{
	const json_t *value = json_object_get(metadata, key);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static void test_materializer_find__knows_every_type_of_the_contract(void **state)
{
	(void)state;
	for (const char *const *type = materializer_types(); *type; type++) {
		const struct materializer *found = materializer_find(*type);

		assert_non_null(found);
		assert_string_equal(found->type, *type);
		assert_int_equal(found->abi, MATERIALIZER_ABI);
	}
	assert_null(materializer_find("spark.rdd"));
}

static void test_spark_dataframe__sums_up_all_parts(void **state)
{
	struct fixture *fixture = *state;
	json_auto_t *metadata = must_describe(fixture->golden, "spark.dataframe", "spark/");

	assert_int_equal(integer_of(metadata, "rows"), 20);
	assert_int_equal(integer_of(metadata, "files"), 2);
	assert_true(integer_of(metadata, "size_bytes") > 10000);
	assert_int_equal(json_array_size(json_object_get(metadata, "columns")), 16);
	assert_string_equal(text_of(metadata, "summary"), "20 rows × 16 columns");
}

static void test_spark_dataframe__is_incomplete_without_its_marker(void **state)
{
	struct fixture *fixture = *state;
	struct error *err = NULL;

	put(fixture->store, "half/data/part-00000.parquet", "PAR1");
	assert_null(describe(fixture->store, "spark.dataframe", "half/", &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_error_contains(err, "incomplete: no data/_SUCCESS");
	error_free(take(err));
	assert_null(describe(fixture->store, "spark.dataframe", "none/", &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	error_free(err);
}

static void test_spark_dataframe__names_the_file_that_is_damaged(void **state)
{
	struct fixture *fixture = *state;
	scoped(error) struct error *err = NULL;

	put(fixture->store, "damaged/data/part-00000.parquet", "no Parquet at all");
	put(fixture->store, "damaged/data/_SUCCESS", "");
	assert_null(describe(fixture->store, "spark.dataframe", "damaged/", &err));
	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, "damaged/data/part-00000.parquet: not a Parquet file");
}

static void test_spark_dataframe__previews_columns_and_bounds(void **state)
{
	struct fixture *fixture = *state;
	scoped(text) char *text = must_preview(fixture->golden, "spark.dataframe", "spark/");

	assert_non_null(strstr(text, "20 rows × 16 columns\n\nNAME      TYPE "));
	assert_non_null(strstr(text, "\nday       date "));
	assert_non_null(strstr(text, "vector"));
}

static void test_spark_model__tells_class_and_parameters(void **state)
{
	struct fixture *fixture = *state;
	json_auto_t *metadata = must_describe(fixture->golden, "spark.model", "model/");
	const json_t *params = json_object_get(metadata, "params");

	assert_string_equal(text_of(metadata, "summary"), "LogisticRegressionModel");
	assert_string_equal(text_of(metadata, "class"),
	                    "org.apache.spark.ml.classification.LogisticRegressionModel");
	assert_true(text_starts_with(text_of(metadata, "uid"), "LogisticRegression_"));
	assert_true(text_starts_with(text_of(metadata, "spark_version"), "3.5."));
	assert_int_equal(integer_of(params, "maxIter"), 3);
	assert_string_equal(text_of(params, "featuresCol"), "features");
}

static void test_spark_model__names_the_stages_of_a_pipeline(void **state)
{
	struct fixture *fixture = *state;
	json_auto_t *metadata = must_describe(fixture->golden, "spark.model", "pipeline_model/");
	const json_t *stages = json_object_get(metadata, "stages");
	scoped(text) char *text = must_preview(fixture->golden, "spark.model", "pipeline_model/");

	assert_string_equal(text_of(metadata, "summary"), "PipelineModel");
	assert_int_equal(json_array_size(stages), 2);
	assert_non_null(strstr(text, "stage: \"VectorAssembler_"));
}

/* As Spark 4 names the file, beside an empty part. */
static void test_spark_model__reads_the_layout_of_spark_4(void **state)
{
	struct fixture *fixture = *state;
	json_auto_t *metadata = NULL;

	put(fixture->store, "four/model/metadata/_SUCCESS", "");
	put(fixture->store, "four/model/metadata/part-00000-0b7a-c000.txt", "");
	put(fixture->store, "four/model/metadata/part-00001-0b7a-c000.txt",
	    "{\"class\":\"org.apache.spark.ml.feature.Bucketizer\",\"uid\":\"b_1\","
	    "\"sparkVersion\":\"4.0.1\",\"paramMap\":{\"handleInvalid\":\"keep\"},"
	    "\"defaultParamMap\":{\"handleInvalid\":\"error\"}}\n");
	metadata = must_describe(fixture->store, "spark.model", "four/");

	assert_string_equal(text_of(metadata, "summary"), "Bucketizer");
	assert_string_equal(text_of(json_object_get(metadata, "params"), "handleInvalid"), "keep");
}

static void test_spark_model__is_incomplete_without_its_metadata(void **state)
{
	struct fixture *fixture = *state;
	struct error *err = NULL;

	put(fixture->store, "bad/model/metadata/part-00000", "{\"class\": 3}");
	assert_null(describe(fixture->store, "spark.model", "bad/", &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	error_free(take(err));
	put(fixture->store, "bad/model/metadata/_SUCCESS", "");
	assert_null(describe(fixture->store, "spark.model", "bad/", &err));
	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, "no class");
	error_free(err);
}

static void test_pandas_dataframe__reads_parquet_and_csv(void **state)
{
	struct fixture *fixture = *state;
	json_auto_t *parquet = must_describe(fixture->golden, "pandas.dataframe", "pandas/");
	json_auto_t *csv = NULL;
	scoped(text) char *text = NULL;

	put(fixture->store, "csv/data.csv", "a,b\n1,\"x\ny\"\n2,\"a \"\"b\"\"\"\n3,c");
	put(fixture->store, "csv/schema.json",
	    "{\"index\":[],\"columns\":[{\"name\":\"a\",\"dtype\":\"int64\"},"
	    "{\"name\":\"b\",\"dtype\":\"object\"}]}");
	csv = must_describe(fixture->store, "pandas.dataframe", "csv/");
	text = must_preview(fixture->store, "pandas.dataframe", "csv/");

	assert_string_equal(text_of(parquet, "summary"), "3 rows × 7 columns");
	assert_string_equal(text_of(csv, "summary"), "3 rows × 2 columns");
	assert_string_equal(text_of(json_array_get(json_object_get(csv, "columns"), 0), "type"),
	                    "int64");
	assert_non_null(strstr(text, "\n1,\"x\ny\"\n"));
}

static void test_json__is_part_of_the_metadata_when_it_is_short(void **state)
{
	struct fixture *fixture = *state;
	scoped(text) char *digits = text_printf("[%01500d]", 1);
	json_auto_t *metric = NULL, *number = NULL, *large = NULL;
	scoped(error) struct error *err = NULL;

	digits[1] = '1'; /* JSON has no leading zeros */
	for (char *c = digits + 2; *c != ']'; c++)
		*c = c[-1] == ',' ? '1' : ',';
	digits[strlen(digits) - 2] = '1';
	put(fixture->store, "metric/value.json", "{\"accuracy\": 0.9125}\n");
	put(fixture->store, "number/value.json", "42");
	put(fixture->store, "large/value.json", digits);
	put(fixture->store, "broken/value.json", "{\"a\":");
	metric = must_describe(fixture->store, "json", "metric/");
	number = must_describe(fixture->store, "json", "number/");
	large = must_describe(fixture->store, "json", "large/");

	assert_string_equal(text_of(metric, "summary"), "{\"accuracy\": 0.9125}");
	assert_true(json_real_value(json_object_get(json_object_get(metric, "value"),
	                                            "accuracy")) == 0.9125);
	assert_int_equal(integer_of(number, "value"), 42);
	assert_null(json_object_get(large, "value"));
	assert_string_equal(text_of(large, "summary"), "750 items");
	assert_null(describe(fixture->store, "json", "broken/", &err));
	assert_error_contains(err, "is no JSON: line 1");
}

static void test_value__says_which_file_is_missing(void **state)
{
	static const char *const types[] = { "json", "text", "bytes", "file", "pandas.dataframe" };
	struct fixture *fixture = *state;

	put(fixture->store, "other/readme", "x");
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		scoped(error) struct error *err = NULL;

		assert_null(describe(fixture->store, types[i], "other/", &err));
		assert_int_equal(err->kind, ERROR_NOT_FOUND);
		assert_error_contains(err, "incomplete");
	}
}

static void test_text__cannot_command_the_terminal(void **state)
{
	struct fixture *fixture = *state;
	json_auto_t *metadata = NULL;
	scoped(text) char *text = NULL;

	put(fixture->store, "text/value.txt", "grün\033[2J\xc2\x9bx\nsecond");
	metadata = must_describe(fixture->store, "text", "text/");
	text = must_preview(fixture->store, "text", "text/");

	assert_string_equal(text_of(metadata, "summary"), "grün [2J x");
	assert_string_equal(text_of(metadata, "value"), "grün\033[2J\xc2\x9bx\nsecond");
	assert_string_equal(text, "grün\\x1b[2J\\xc2\\x9bx\nsecond\n");
}

static void test_file_and_directory__tell_names_and_sizes(void **state)
{
	struct fixture *fixture = *state;
	json_auto_t *file = NULL, *folder = NULL, *empty = NULL;

	put(fixture->store, "one/file/report.html", "<html></html>");
	put(fixture->store, "many/directory/a/b", "12");
	put(fixture->store, "many/directory/.hidden", "3");
	file = must_describe(fixture->store, "file", "one/");
	folder = must_describe(fixture->store, "directory", "many/");
	empty = must_describe(fixture->store, "directory", "nothing/");

	assert_string_equal(text_of(file, "summary"), "report.html, 13 bytes");
	assert_string_equal(text_of(folder, "summary"), "2 files, 3 bytes");
	assert_int_equal(integer_of(empty, "files"), 0);
}

static void test_digest__depends_on_content_and_not_on_spark_s_random_names(void **state)
{
	static const char *const names[] = {
		"d1/data/part-00000-4e9d0412-ca6a-46a5-843c-f2b5352a0bc3-c000.snappy.parquet",
		"d2/data/part-00000-00000000-aaaa-bbbb-cccc-f2b5352a0bc3-c000.snappy.parquet",
		"d3/data/part-00000-4e9d0412-ca6a-46a5-843c-f2b5352a0bc3-c000.snappy.parquet",
	};
	struct fixture *fixture = *state;
	scoped(text) char *first = NULL, *second = NULL, *third = NULL;

	put(fixture->store, names[0], "same");
	put(fixture->store, names[1], "same");
	put(fixture->store, "d2/data/_SUCCESS", "");
	put(fixture->store, names[2], "else");
	first = must_digest(fixture->store, "spark.dataframe", "d1/");
	second = must_digest(fixture->store, "spark.dataframe", "d2/");
	third = must_digest(fixture->store, "spark.dataframe", "d3/");

	assert_string_equal(first, second);
	assert_string_not_equal(first, third);
}

static void test_display__writes_numbers_as_people_read_them(void **state)
{
	static const struct {
		int64_t number;
		const char *count, *size;
	} cases[] = {
		{ 0, "0 rows", "0 bytes" },
		{ 1, "1 row", "1 byte" },
		{ 999, "999 rows", "999 bytes" },
		{ 1024, "1,024 rows", "1.0 KiB" },
		{ 1048575, "1,048,575 rows", "1.0 MiB" },
		{ 123456789, "123,456,789 rows", "117.7 MiB" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *count = display_count(cases[i].number, "row", "rows");
		scoped(text) char *size = display_size(cases[i].number);

		assert_string_equal(count, cases[i].count);
		assert_string_equal(size, cases[i].size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_materializer_find__knows_every_type_of_the_contract),
		cmocka_unit_test(test_spark_dataframe__sums_up_all_parts),
		cmocka_unit_test(test_spark_dataframe__is_incomplete_without_its_marker),
		cmocka_unit_test(test_spark_dataframe__names_the_file_that_is_damaged),
		cmocka_unit_test(test_spark_dataframe__previews_columns_and_bounds),
		cmocka_unit_test(test_spark_model__tells_class_and_parameters),
		cmocka_unit_test(test_spark_model__names_the_stages_of_a_pipeline),
		cmocka_unit_test(test_spark_model__reads_the_layout_of_spark_4),
		cmocka_unit_test(test_spark_model__is_incomplete_without_its_metadata),
		cmocka_unit_test(test_pandas_dataframe__reads_parquet_and_csv),
		cmocka_unit_test(test_json__is_part_of_the_metadata_when_it_is_short),
		cmocka_unit_test(test_value__says_which_file_is_missing),
		cmocka_unit_test(test_text__cannot_command_the_terminal),
		cmocka_unit_test(test_file_and_directory__tell_names_and_sizes),
		cmocka_unit_test(test_digest__depends_on_content_and_not_on_spark_s_random_names),
		cmocka_unit_test(test_display__writes_numbers_as_people_read_them),
	};

	memory_init();
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
