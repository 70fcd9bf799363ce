/* SPDX-License-Identifier: Apache-2.0 */
/* operator/pipeline_source: Python read without a Python. */
#include "tests/test.h"

#include <string.h>

#include "core/text.h"
#include "operator/pipeline_source.h"

/* "NAME(a, b?, /c)": '?' has a default, '/' by position only, "**" any name; "NAME!" has no
 * signature; "NAME=" is a value; "-" is unknown. */
static char *describe(const struct pipeline_source *source, const char *name)
{
	const struct source_definition *definition = pipeline_source_find(source, name);
	struct text_stream stream;
	size_t i;

	if (!definition)
		return xstrdup("-");
	fputs(name, text_stream_open(&stream));
	if (definition->kind == SOURCE_VALUE)
		fputs("=", stream.file);
	else if (definition->kind == SOURCE_CLASS)
		fputs(":class", stream.file);
	else if (!definition->has_signature)
		fputs("!", stream.file);
	else
		fputs("(", stream.file);
	for (i = 0; i < definition->parameter_count && definition->has_signature; i++)
		fprintf(stream.file, "%s%s%s%s", i ? ", " : "",
		        definition->parameters[i].is_positional_only ? "/" : "",
		        definition->parameters[i].name,
		        definition->parameters[i].is_required ? "" : "?");
	if (definition->has_signature)
		fputs(definition->takes_any_name ? ", **)" : ")", stream.file);
	return text_stream_take(&stream);
}

static void assert_describes(const char *python, const char *name, const char *expected)
{
	scoped(pipeline_source) struct pipeline_source *source =
		pipeline_source_parse(python, strlen(python));
	scoped(text) char *description = describe(source, name);

	assert_string_equal(description, expected);
}

static void test_pipeline_source__reads_parameters(void **state)
{
	static const struct {
		const char *python, *expected;
	} cases[] = {
		{ "def f(): pass", "f()" },
		{ "def f (a,b , c):\n  return 1\n", "f(a, b, c)" },
		{ "def f(a, b=1, *, c, d=(1, 2)): pass", "f(a, b?, c, d?)" },
		{ "def f(a, b, /, c): pass", "f(/a, /b, c)" },
		{ "def f(*args, **kw): pass", "f(, **)" },
		{ "def f(a: int = 3, b: 'dict[str, int]' = {'x': 1}, c: list[int]=[1]) -> x: pass",
		  "f(a?, b?, c?)" },
		{ "def f(\n    a,  # first, (of\n    b='#)(',\n\n    c=\"\"\"\n)\n\"\"\",\n):\n  "
		  "pass",
		  "f(a, b?, c?)" },
		{ "def f(a, \\\n   b): pass", "f(a, b)" },
		{ "def f(a=lambda x, y: x, b=1): pass", "f!" },
		{ "def f[T](a: T): pass", "f!" },
		{ "@wrap\ndef f(a): pass", "f!" },
		{ "@wrap(\n'x')\n# why\n\ndef f(a): pass", "f!" },
		{ "@wrap\ndef g(): pass\ndef f(a): pass", "f(a)" },
		{ "async def f(a): pass", "f(a)" },
		{ "class f(object):\n  def f(self): pass", "f:class" },
		{ "def f(a): pass\ndef f(b): pass", "f(b)" },
		{ "def f(a", "f!" },
		{ "def f", "f!" },
		{ "def f(a=1 b): pass\n", "f(a?)" },
		{ "def \xc3\xa4(a): pass\r\ndef f(b): pass\r\n", "f(b)" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		assert_describes(cases[i].python, "f", cases[i].expected);
}

static void test_pipeline_source__sees_the_left_margin_only(void **state)
{
	(void)state;
	assert_describes("if x:\n    def f(): pass\n", "f", "-");
	assert_describes("'''\ndef f(): pass\n'''\n", "f", "-");
	assert_describes("x = r\"\"\"\\\"\"\"\ndef f(): pass\n", "f", "-");
	assert_describes("x = '''a''' '''\ndef f(): pass\n'''\n", "f", "-");
	assert_describes("x = (1,\ndef f(): pass\n)\n", "f", "-");
	assert_describes("# def f(): pass\n", "f", "-");
	assert_describes("x = 'it\\'s'\ndef f(): pass\n", "f", "f()");
	assert_describes("x = f'''{y}'''\ndef f(): pass\n", "f", "f()");
	assert_describes("x = 'open\ndef f(): pass\n", "f", "f()");
	assert_describes("\xef\xbb\xbf"
	                 "def f(): pass\n",
	                 "f", "f()");
}

static void test_pipeline_source__takes_assigned_and_imported_names(void **state)
{
	(void)state;
	assert_describes("f = make(1)\n", "f", "f=");
	assert_describes("f: Callable[[int], str] = g\n", "f", "f=");
	assert_describes("f == g\n", "f", "-");
	assert_describes("f: Callable\n", "f", "-");
	assert_describes("from a import f\n", "f", "f=");
	assert_describes("from .a.b import (x, y as f,\n  z)\n", "f", "f=");
	assert_describes("from a import f as g\n", "f", "-");
	assert_describes("import f, g\n", "f", "f=");
	assert_describes("import a.b as f\n", "f", "f=");
}

static void test_pipeline_source__knows_star_imports_and_names_functions(void **state)
{
	static const char python[] = "from a import *\ndef f(): pass\nasync def g(): pass\nx = 1\n"
				     "def h(): pass\n";
	scoped(pipeline_source) struct pipeline_source *source =
		pipeline_source_parse(python, strlen(python));
	const char **names = pipeline_source_function_names(source);

	(void)state;
	assert_true(pipeline_source_has_star_import(source));
	assert_string_equal(names[0], "f");
	assert_string_equal(names[1], "h");
	assert_null(names[2]);
	assert_int_equal(pipeline_source_find(source, "h")->line, 5);
	free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pipeline_source__reads_parameters),
		cmocka_unit_test(test_pipeline_source__sees_the_left_margin_only),
		cmocka_unit_test(test_pipeline_source__takes_assigned_and_imported_names),
		cmocka_unit_test(test_pipeline_source__knows_star_imports_and_names_functions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
