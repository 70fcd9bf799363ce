/* SPDX-License-Identifier: Apache-2.0 */
/* stacks/probe: lines of what works, and the verdict upon them. */
#include "tests/test.h"

#include <string.h>

#include "core/text.h"
#include "stacks/probe.h"

static void fail_with(struct probe_report *report, enum error_kind kind, const char *message)
{
	scoped(error) struct error *err = NULL;

	error_set(&err, kind, "%s", message);
	probe_fault(report, "thing", NULL, err);
}

static void collect(void *context, const json_t *line)
{
	json_array_append((json_t *)context, (json_t *)line);
}

static void test_probe_report__keeps_lines_by_component_and_tells_each_at_once(void **state)
{
	json_auto_t *told = json_array();
	scoped(probe_report) struct probe_report *report = probe_report_new(collect, told);
	json_auto_t *expected = NULL;

	(void)state;
	probe_ok(report, "files", "%d components", 3);
	probe_begin(report, COMPONENT_ARTIFACT_STORE, "s3_store");
	probe_warning(report, "clock", "set the clock", "%d s apart", 9);
	fail_with(report, ERROR_NOT_FOUND, "no such bucket");

	expected = json_pack("[{s:n, s:s, s:s, s:s, s:n}, {s:s, s:s, s:s, s:s, s:s}, "
	                     "{s:s, s:s, s:s, s:s, s:n, s:i}]",
	                     "component", "what", "files", "result", "ok", "text", "3 components",
	                     "advice", "component", "artifact-store/s3_store", "what", "clock",
	                     "result", "warning", "text", "9 s apart", "advice", "set the clock",
	                     "component", "artifact-store/s3_store", "what", "thing", "result",
	                     "fault", "text", "no such bucket", "advice", "kind", ERROR_NOT_FOUND);
	assert_true(json_equal(probe_report_lines(report), expected));
	assert_true(json_equal(told, expected));
}

static void test_probe_report__is_judged_by_its_worst_fault(void **state)
{
	static const struct {
		enum error_kind kinds[3], worst;
	} cases[] = {
		{ { ERROR_UNAVAILABLE, ERROR_INVALID, ERROR_TIMEOUT }, ERROR_INVALID },
		{ { ERROR_NOT_FOUND, ERROR_INVALID, ERROR_AUTH }, ERROR_AUTH },
		{ { ERROR_NOT_FOUND, ERROR_INVALID, ERROR_INVALID }, ERROR_NOT_FOUND },
		{ { ERROR_TIMEOUT, ERROR_UNAVAILABLE, ERROR_UNAVAILABLE }, ERROR_TIMEOUT },
	};
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(probe_report) struct probe_report *report = probe_report_new(NULL, NULL);
		scoped(error) struct error *err = NULL;

		probe_ok(report, "thing", "well");
		for (k = 0; k < 3; k++)
			fail_with(report, cases[i].kinds[k], "no");

		assert_false(probe_report_check(report, &err));
		assert_int_equal(err->kind, cases[i].worst);
		assert_error_contains(err, "3 of 4 checks found a fault");
	}
}

static void test_probe_report__is_content_with_warnings(void **state)
{
	scoped(probe_report) struct probe_report *report = probe_report_new(NULL, NULL);
	scoped(error) struct error *err = NULL;

	(void)state;
	probe_ok(report, "thing", "well");
	probe_warning(report, "thing", NULL, "not quite");

	assert_ok(probe_report_check(report, &err), err);
}

static void test_probe_fault__makes_one_line_of_what_a_server_said(void **state)
{
	scoped(probe_report) struct probe_report *report = probe_report_new(NULL, NULL);
	const json_t *line;

	(void)state;
	fail_with(report, ERROR_AUTH, "<html>\n\x1b[31mno\xff");

	line = json_array_get(probe_report_lines(report), 0);
	assert_non_null(json_object_get(line, "text"));
	assert_null(strpbrk(json_string_value(json_object_get(line, "text")), "\n\x1b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_probe_report__keeps_lines_by_component_and_tells_each_at_once),
		cmocka_unit_test(test_probe_report__is_judged_by_its_worst_fault),
		cmocka_unit_test(test_probe_report__is_content_with_warnings),
		cmocka_unit_test(test_probe_fault__makes_one_line_of_what_a_server_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
