/* SPDX-License-Identifier: Apache-2.0 */
/* operator/expression: references in text. */
#include "tests/test.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "operator/expression.h"

static const char scope_json[] = "{\"parameters\":{\"path\":\"a.csv\",\"ratios\":[0.7,0.2],\"n\":3,"
				 "\"on\":true,\"none\":null,"
				 "\"deep\":{\"list\":[{\"x\":\"y\"}]},\"learning-rate\":0.1,"
				 "\"text\":\"${{ parameters.n }}\"},"
				 "\"pipeline\":{\"name\":\"demo\"}}";

struct expression_case {
	const char *value, *expected; /* JSON, or the message */
};

struct seen_faults {
	json_t *at[8];
	char *messages[8];
	size_t count;
};

static void note_fault(void *context, const json_t *at, const char *message)
{
	struct seen_faults *seen = context;

	assert_true(seen->count < ARRAY_SIZE(seen->messages));
	seen->at[seen->count] = (json_t *)at;
	seen->messages[seen->count++] = xstrdup(message);
}

static void release_faults(struct seen_faults *seen)
{
	while (seen->count)
		free(seen->messages[--seen->count]);
}

static void assert_resolves(const char *value_json, const char *expected)
{
	json_auto_t *scope = json_loads(scope_json, 0, NULL);
	json_auto_t *value = json_loads(value_json, JSON_DECODE_ANY, NULL);
	struct seen_faults seen = { 0 };
	json_auto_t *resolved = expression_resolve(value, scope, note_fault, &seen);
	char *text;

	if (seen.count)
		print_error("%s: %s\n", value_json, seen.messages[0]);
	assert_non_null(resolved);
	text = json_dumps(resolved, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(3));
	assert_string_equal(text, expected);
	free(text);
}

static void test_expression_resolve__keeps_the_type_of_a_whole_expression(void **state)
{
	static const struct expression_case cases[] = {
		{ "\"${{ parameters.path }}\"", "\"a.csv\"" },
		{ "\"${{parameters.n}}\"", "3" },
		{ "\"${{ parameters.ratios }}\"", "[0.7,0.2]" },
		{ "\"${{ parameters.ratios.1 }}\"", "0.2" },
		{ "\"${{ parameters.deep.list.0.x }}\"", "\"y\"" },
		{ "\"${{ parameters.on }}\"", "true" },
		{ "\"${{ parameters.none }}\"", "null" },
		{ "\"${{ parameters.learning-rate }}\"", "0.1" },
		{ "\"${{ pipeline.name }}\"", "\"demo\"" },
		{ "{\"a\":[1,\"x\",{\"b\":\"${{ parameters.n }}\"}],\"c\":null}",
		  "{\"a\":[1,\"x\",{\"b\":3}],\"c\":null}" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		assert_resolves(cases[i].value, cases[i].expected);
}

static void test_expression_resolve__puts_values_into_text(void **state)
{
	static const struct expression_case cases[] = {
		{ "\"s3://b/${{ pipeline.name }}/${{ parameters.path }}\"",
		  "\"s3://b/demo/a.csv\"" },
		{ "\"n=${{ parameters.n }}, on=${{ parameters.on }}\"", "\"n=3, on=true\"" },
		{ "\" ${{ parameters.n }}\"", "\" 3\"" },
		{ "\"${{ parameters.n }}${{ parameters.n }}\"", "\"33\"" },
		{ "\"${ x } }} $ {{\"", "\"${ x } }} $ {{\"" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		assert_resolves(cases[i].value, cases[i].expected);
}

static void test_expression_resolve__leaves_escaped_openings_and_resolved_text_alone(void **state)
{
	(void)state;
	assert_resolves("\"$${{ parameters.n }}\"", "\"${{ parameters.n }}\"");
	assert_resolves("\"a $${{ b }} ${{ parameters.n }}\"", "\"a ${{ b }} 3\"");
	assert_resolves("\"${{ parameters.text }}\"", "\"${{ parameters.n }}\"");
}

static void test_expression_resolve__says_what_is_wrong(void **state)
{
	static const struct expression_case cases[] = {
		{ "\"${{ paramters.n }}\"",
		  "nothing is called 'paramters' in expressions; did you mean 'parameters'?" },
		{ "\"${{ parameters.pth }}\"", "'parameters' has no 'pth'; did you mean 'path'?" },
		{ "\"${{ parameters.colour }}\"", "'parameters' has no 'colour'" },
		{ "\"${{ run.id }}\"", "nothing is called 'run' in expressions" },
		{ "\"${{ parameters.deep.lst }}\"",
		  "'parameters.deep' has no 'lst'; did you mean 'list'?" },
		{ "\"${{ parameters.ratios.2 }}\"",
		  "'parameters.ratios' has 2 items, the first one "
		  "is number 0; there is no number 2" },
		{ "\"${{ parameters.ratios.x }}\"",
		  "'parameters.ratios' is a list and has no 'x'" },
		{ "\"${{ parameters.n.x }}\"", "'parameters.n' is a single value and has no 'x'" },
		{ "\"${{ }}\"", "'' is no reference" },
		{ "\"${{ a..b }}\"", "'a..b' is no reference" },
		{ "\"${{ f(x) }}\"", "'f(x)' is no reference" },
		{ "\"${{ parameters.n\"", "'${{' without '}}'" },
		{ "\"x ${{ parameters.ratios }}\"",
		  "'parameters.ratios' is a list, which cannot stand within text" },
		{ "\"x ${{ parameters.deep }}\"", "'parameters.deep' is a mapping, which cannot" },
		{ "\"x ${{ parameters.none }}\"", "'parameters.none' is null, which cannot" },
	};
	json_auto_t *scope = json_loads(scope_json, 0, NULL);
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *value = json_loads(cases[i].value, JSON_DECODE_ANY, NULL);
		struct seen_faults seen = { 0 };

		assert_null(expression_resolve(value, scope, note_fault, &seen));
		assert_int_equal(seen.count, 1);
		if (!text_starts_with(seen.messages[0], cases[i].expected))
			assert_string_equal(seen.messages[0], cases[i].expected);
		release_faults(&seen);
	}
}

static void test_expression_resolve__tells_every_fault_and_where_it_stands(void **state)
{
	json_auto_t *scope = json_loads(scope_json, 0, NULL);
	json_auto_t *value = json_loads(
		"{\"a\":\"${{ x }}\",\"b\":[\"${{ parameters.n }}\",\"${{ y }}-${{ z }}\"]}", 0,
		NULL);
	struct seen_faults seen = { 0 };

	(void)state;
	assert_null(expression_resolve(value, scope, note_fault, &seen));

	assert_int_equal(seen.count, 3);
	assert_ptr_equal(seen.at[0], json_object_get(value, "a"));
	assert_ptr_equal(seen.at[1], json_array_get(json_object_get(value, "b"), 1));
	assert_ptr_equal(seen.at[2], seen.at[1]);
	release_faults(&seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expression_resolve__keeps_the_type_of_a_whole_expression),
		cmocka_unit_test(test_expression_resolve__puts_values_into_text),
		cmocka_unit_test(
			test_expression_resolve__leaves_escaped_openings_and_resolved_text_alone),
		cmocka_unit_test(test_expression_resolve__says_what_is_wrong),
		cmocka_unit_test(test_expression_resolve__tells_every_fault_and_where_it_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
