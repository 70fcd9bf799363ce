/* SPDX-License-Identifier: Apache-2.0 */
/* cli/output: the same rows as table, wide table, JSON, YAML and names. */
#include "tests/test.h"

#include <locale.h>
#include <string.h>

#include "cli/output.h"
#include "core/text.h"

static const struct output_column columns[] = {
	{ "name", NULL, false },        { "state", "State", false }, { "tags", NULL, true },
	{ "rows", "row_count", false }, { NULL, NULL, false },
};

/* Owned by the caller. */
static char *rendered(enum output_format format, const char *rows_json)
{
	json_auto_t *rows = json_loads(rows_json, 0, NULL);
	scoped(error) struct error *err = NULL;
	struct text_stream stream;

	assert_non_null(rows);
	assert_ok(output_rows(text_stream_open(&stream), format, columns, rows, &err), err);
	return text_stream_take(&stream);
}

static char *rendered_object(enum output_format format, const char *json)
{
	json_auto_t *object = json_loads(json, 0, NULL);
	scoped(error) struct error *err = NULL;
	struct text_stream stream;

	assert_non_null(object);
	assert_ok(output_object(text_stream_open(&stream), format, object, &err), err);
	return text_stream_take(&stream);
}

static const char two_rows[] =
	"[{\"name\":\"importer\",\"state\":\"succeeded\",\"tags\":[\"a\",\"b\"],\"rows\":4000},"
	"{\"name\":\"x\",\"state\":null,\"rows\":0,\"extra\":true}]";

static void test_output_rows__aligns_a_table_without_trailing_blanks(void **state)
{
	scoped(text) char *text = rendered(OUTPUT_TABLE, two_rows);

	(void)state;
	assert_string_equal(text, "NAME       STATE       ROW COUNT\n"
	                          "importer   succeeded   4000\n"
	                          "x          <none>      0\n");
}

static void test_output_rows__shows_every_column_when_wide(void **state)
{
	scoped(text) char *text = rendered(OUTPUT_WIDE, two_rows);

	(void)state;
	assert_string_equal(text, "NAME       STATE       TAGS     ROW COUNT\n"
	                          "importer   succeeded   a,b      4000\n"
	                          "x          <none>      <none>   0\n");
}

static void test_output_rows__aligns_by_the_cells_of_the_terminal(void **state)
{
	scoped(text) char *text = rendered(
		OUTPUT_TABLE, "[{\"name\":\"größe\",\"state\":\"ok\",\"rows\":1},"
			      "{\"name\":\"学習\",\"state\":\"ok\",\"rows\":2},"
			      "{\"name\":\"e\\u0301\\ud83d\\ude80\",\"state\":\"ok\",\"rows\":3}]");

	(void)state;
	assert_string_equal(text, "NAME    STATE   ROW COUNT\n"
	                          "größe   ok      1\n"
	                          "学習    ok      2\n"
	                          "e\u0301🚀     ok      3\n");
}

static void test_output_rows__keeps_a_cell_on_its_line_and_the_terminal_unharmed(void **state)
{
	scoped(text) char *text = rendered(
		OUTPUT_TABLE,
		"[{\"name\":\"a\\nb\\u001b[31mc\\u009bd\",\"state\":\"\",\"rows\":{\"k\":[]}}]");

	(void)state;
	assert_string_equal(text, "NAME          STATE    ROW COUNT\n"
	                          "a b [31mc d   <none>   {\"k\":[]}\n");
}

static void test_output_rows__shows_the_titles_of_nothing(void **state)
{
	scoped(text) char *table = rendered(OUTPUT_TABLE, "[]");
	scoped(text) char *json = rendered(OUTPUT_JSON, "[]");
	scoped(text) char *names = rendered(OUTPUT_NAME, "[]");

	(void)state;
	assert_string_equal(table, "NAME   STATE   ROW COUNT\n");
	assert_string_equal(json, "[]\n");
	assert_string_equal(names, "");
}

static void test_output_rows__gives_machines_the_whole_rows(void **state)
{
	scoped(text) char *json = rendered(OUTPUT_JSON, two_rows);
	json_auto_t *read = json_loads(json, 0, NULL);
	json_auto_t *expected = json_loads(two_rows, 0, NULL);
	scoped(text) char *real =
		rendered(OUTPUT_JSON, "[{\"name\":\"größe\",\"rows\":0.1,\"more\":{}}]");

	(void)state;
	assert_true(json_equal(read, expected));
	assert_string_equal(real, "[\n"
	                          "  {\n"
	                          "    \"name\": \"größe\",\n"
	                          "    \"rows\": 0.1,\n"
	                          "    \"more\": {}\n"
	                          "  }\n"
	                          "]\n");
}

static void test_output_rows__writes_yaml_and_names(void **state)
{
	scoped(text) char *yaml = rendered(OUTPUT_YAML, two_rows);
	scoped(text) char *names = rendered(OUTPUT_NAME, two_rows);

	(void)state;
	assert_non_null(strstr(yaml, "name: importer\n"));
	assert_non_null(strstr(yaml, "extra: true\n"));
	assert_string_equal(names, "importer\nx\n");
}

static void test_output_object__writes_lines_and_nests_as_yaml(void **state)
{
	static const char json[] =
		"{\"state\":\"ok\",\"name\":\"s\",\"at\":null,\"n\":3,\"list\":[],"
		"\"conf\":{\"a\":{\"b\":1}}}";
	scoped(text) char *lines = rendered_object(OUTPUT_TABLE, json);
	scoped(text) char *name = rendered_object(OUTPUT_NAME, json);
	scoped(text) char *first = rendered_object(OUTPUT_NAME, "{\"id\":\"7d\",\"x\":1}");

	(void)state;
	assert_string_equal(lines, "state: ok\n"
	                           "name: s\n"
	                           "at: <none>\n"
	                           "n: 3\n"
	                           "list: <none>\n"
	                           "conf:\n"
	                           "  a:\n"
	                           "    b: 1\n");
	assert_string_equal(name, "s\n");
	assert_string_equal(first, "7d\n");
}

static void test_output_rows__fails_when_nothing_can_be_written(void **state)
{
	scoped(file) FILE *full = fopen("/dev/full", "w");
	json_auto_t *rows = json_loads(two_rows, 0, NULL);
	scoped(error) struct error *err = NULL;

	(void)state;
	assert_non_null(full);
	setvbuf(full, NULL, _IONBF, 0);
	assert_false(output_rows(full, OUTPUT_JSON, columns, rows, &err));
	assert_error_contains(err, "write the result");
}

static void test_output_manifests__gives_kubectl_documents_a_list_or_names(void **state)
{
	static const struct {
		enum output_format format;
		const char *text;
	} cases[] = {
		{ OUTPUT_YAML, "---\nkind: Pod\nmetadata:\n  name: a\n"
		               "---\nkind: Secret\nmetadata:\n  name: b\n" },
		{ OUTPUT_NAME, "Pod/a\nSecret/b\n" },
	};
	json_auto_t *objects = json_loads("[{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"}},"
	                                  "{\"kind\":\"Secret\",\"metadata\":{\"name\":\"b\"}}]",
	                                  0, NULL);
	scoped(error) struct error *err = NULL;
	struct text_stream stream;
	scoped(text) char *json = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *text = NULL;

		assert_ok(
			output_manifests(text_stream_open(&stream), cases[i].format, objects, &err),
			err);
		text = text_stream_take(&stream);
		assert_string_equal(text, cases[i].text);
	}
	assert_ok(output_manifests(text_stream_open(&stream), OUTPUT_JSON, objects, &err), err);
	json = text_stream_take(&stream);
	assert_non_null(strstr(json, "\"kind\": \"List\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_output_manifests__gives_kubectl_documents_a_list_or_names),
		cmocka_unit_test(test_output_rows__aligns_a_table_without_trailing_blanks),
		cmocka_unit_test(test_output_rows__shows_every_column_when_wide),
		cmocka_unit_test(test_output_rows__aligns_by_the_cells_of_the_terminal),
		cmocka_unit_test(
			test_output_rows__keeps_a_cell_on_its_line_and_the_terminal_unharmed),
		cmocka_unit_test(test_output_rows__shows_the_titles_of_nothing),
		cmocka_unit_test(test_output_rows__gives_machines_the_whole_rows),
		cmocka_unit_test(test_output_rows__writes_yaml_and_names),
		cmocka_unit_test(test_output_object__writes_lines_and_nests_as_yaml),
		cmocka_unit_test(test_output_rows__fails_when_nothing_can_be_written),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
