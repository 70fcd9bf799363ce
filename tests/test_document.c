/* SPDX-License-Identifier: Apache-2.0 */
/* core/document: YAML and JSON with places; YAML written. */
#include "tests/test.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/document.h"
#include "core/text.h"

struct parse_case {
	const char *yaml, *expected; /* JSON, or part of the error */
};

static void assert_parses(const char *yaml, const char *json)
{
	struct error *err = NULL;
	scoped(document) struct document *document =
		document_parse("t.yaml", yaml, strlen(yaml), &err);
	char *text;

	assert_ok(document, err);
	text = json_dumps(document_root(document), JSON_ENCODE_ANY | JSON_COMPACT);
	assert_string_equal(text, json);
	free(text);
}

static void assert_refused(const char *yaml, size_t size, const char *message)
{
	struct error *err = NULL;
	struct document *document = document_parse("t.yaml", yaml, size, &err);

	if (document)
		print_error("not refused: %s\n", yaml);
	assert_null(document);
	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, message);
	error_free(err);
}

static void test_document_parse__reads_scalars_by_the_core_schema(void **state)
{
	static const struct parse_case cases[] = {
		{ "[null, ~, Null, NULL, nULL]", "[null,null,null,null,\"nULL\"]" },
		{ "a:", "{\"a\":null}" },
		{ "[true, True, TRUE, false, tRUE]", "[true,true,true,false,\"tRUE\"]" },
		{ "[yes, no, on, off, y, n]", "[\"yes\",\"no\",\"on\",\"off\",\"y\",\"n\"]" },
		{ "[0, -7, +7, 0x1F, 0o17, 0xg]", "[0,-7,7,31,15,\"0xg\"]" },
		{ "[9223372036854775807, -9223372036854775808]",
		  "[9223372036854775807,-9223372036854775808]" },
		{ "[1.5, -.5, 1., 1e3, 1e, 1_000]", "[1.5,-0.5,1.0,1000.0,\"1e\",\"1_000\"]" },
		{ "[\"1\", '1', \"true\", 'null']", "[\"1\",\"1\",\"true\",\"null\"]" },
		{ "[2026-11-21, 1:30, 4Gi, 10m, 1.2.3]",
		  "[\"2026-11-21\",\"1:30\",\"4Gi\",\"10m\",\"1.2.3\"]" },
		{ "[!!str 1, ! 2, !!int 3, !!float 4, !!bool true, !!null ~]",
		  "[\"1\",\"2\",3,4.0,true,null]" },
		{ "{1: a, true: b, ~: c, 1.0: d}",
		  "{\"1\":\"a\",\"true\":\"b\",\"~\":\"c\",\"1.0\":\"d\"}" },
		{ "text", "\"text\"" },
		{ "--- # comment\na: |\n  x\n  y\nb: >\n  x\n  y\n...\n",
		  "{\"a\":\"x\\ny\\n\",\"b\":\"x y\\n\"}" },
		{ "\xef\xbb\xbf"
		  "a: \xc3\xa4",
		  "{\"a\":\"\xc3\xa4\"}" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		assert_parses(cases[i].yaml, cases[i].expected);
}

static void test_document_parse__reads_json(void **state)
{
	(void)state;
	assert_parses("{\n\t\"a\":[1,2.5,\"x\\n\\u00e4\\/\"],\n\t\"b\":{\"c\":null,\"d\":true}}",
	              "{\"a\":[1,2.5,\"x\\n\xc3\xa4/\"],\"b\":{\"c\":null,\"d\":true}}");
}

static void test_document_parse__keeps_the_order_of_the_file(void **state)
{
	(void)state;
	assert_parses("z: 1\na: 2\nm: {y: 1, b: 2}\n", "{\"z\":1,\"a\":2,\"m\":{\"y\":1,\"b\":2}}");
}

static void test_document_parse__copies_what_an_alias_names(void **state)
{
	(void)state;
	assert_parses("a: &x {k: [1, true]}\nb: *x\nc: &x 5\nd: *x\n",
	              "{\"a\":{\"k\":[1,true]},\"b\":{\"k\":[1,true]},\"c\":5,\"d\":5}");
}

static void test_document_parse__refuses_what_it_cannot_mean_exactly(void **state)
{
	static const struct parse_case cases[] = {
		{ "a: 1\nb:\n  a: 1\n  a: 2\n",
		  "t.yaml:4:3: duplicate key 'a'; the first one is in "
		  "line 3" },
		{ "{'a': 1, \"a\": 2}", "t.yaml:1:10: duplicate key 'a'" },
		{ "a: 9223372036854775808", "t.yaml:1:4: the number does not fit into 64 bits" },
		{ "a: 0xfffffffffffffffff", "t.yaml:1:4: the number does not fit into 64 bits" },
		{ "account: 0123", "t.yaml:1:10: a number with leading zeros" },
		{ "[1, .inf]", "t.yaml:1:5: infinity" },
		{ "[-.INF]", "infinity" },
		{ "[.nan]", "not-a-number" },
		{ "1e999", "t.yaml:1:1: the number is too large" },
		{ "b: &b {}\na:\n  <<: *b\n", "t.yaml:3:3: merge keys" },
		{ "a: !!binary aGk=", "t.yaml:1:4: the tag is not supported" },
		{ "a: !!int x", "t.yaml:1:4: the tag" },
		{ "a: !mine {}", "t.yaml:1:4: the tag '!mine' is not supported" },
		{ "? [a]\n: 1\n", "t.yaml:1:3: a key must be text" },
		{ "&a a: 1\n*a : 2\n", "t.yaml:2:1: a key must be text" },
		{ "a: *b", "t.yaml:1:4: no anchor '&b'" },
		{ "a: &a [*a]", "t.yaml:1:8: the alias '*a' stands within what it names" },
		{ "a: 1\n---\nb: 2\n", "t.yaml:2:1: a second document" },
		{ "", "t.yaml: the document is empty" },
		{ "# nothing\n", "t.yaml: the document is empty" },
		{ "a: 1\n\tb: 2\n", "t.yaml:2:1: a tab cannot indent YAML; use spaces" },
		{ "a:\n\t- b\n", "t.yaml:2:1: a tab cannot indent" },
		{ "a: [1, 2\nb: 3\n", "t.yaml:2:" },
		{ "a: 'x\n", "t.yaml:2:1: found unexpected end of stream" },
		{ "a: 1\n b: 2\n", "t.yaml:2:3: mapping values are not allowed" },
		{ "a: \"\\0\"\nb: \"\\x00\"",
		  "t.yaml:1:4: text with a NUL character\nt.yaml:2:4:" },
		{ "\"a\\0\": 1", "t.yaml:1:1: a key with a NUL character" },
		{ "a: b\nc: \xff\n", "t.yaml:2:4: " },
		{ "a: \xc0\x80\n", "t.yaml:1:4: " },
		{ "a: \xed\xa0\x80\n", "t.yaml:1:4: " },
		{ "a: \x01\n", "t.yaml:1:4: control characters are not allowed" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		assert_refused(cases[i].yaml, strlen(cases[i].yaml), cases[i].expected);
	assert_refused("a: \0b", 5, "t.yaml:1:4: control characters are not allowed");
}

static void test_document_parse__tells_all_faults_at_once(void **state)
{
	(void)state;
	assert_refused("a: 01\nb: .inf\nb: *x\n", 20,
	               "t.yaml:1:4: a number with leading zeros can mean two things; quote it to "
	               "make it text, or leave the zeros out\n"
	               "t.yaml:2:4: infinity and not-a-number are not supported; quote them to "
	               "make them text\n"
	               "t.yaml:3:4: no anchor '&x' stands before this alias");
}

static void test_document_parse_faults__leaves_out_what_is_at_fault(void **state)
{
	static const char yaml[] = "a: {b: [1, 2]}\na: {c: 3}\nd: [1, .inf, 3]\n";
	scoped(faults) struct faults *faults = faults_new();
	scoped(document) struct document *document =
		document_parse_faults("t.yaml", yaml, strlen(yaml), faults);
	char *text = json_dumps(document_root(document), JSON_COMPACT);

	(void)state;
	assert_int_equal(faults_count(faults), 2);
	assert_string_equal(text, "{\"a\":{\"b\":[1,2]},\"d\":[1,3]}");
	free(text);
}

static void assert_repeated_is_refused(const char *head, const char *part, size_t count,
                                       const char *message)
{
	struct text_stream stream;
	char *text;
	size_t i;

	fputs(head, text_stream_open(&stream));
	for (i = 0; i < count; i++)
		fputs(part, stream.file);
	text = text_stream_take(&stream);
	assert_refused(text, strlen(text), message);
	free(text);
}

static void test_document_parse__bounds_depth_and_size(void **state)
{
	(void)state;
	assert_repeated_is_refused("", "[", 101, "t.yaml:1:101: the document is nested too deeply");
	assert_repeated_is_refused("", "- ", 101, "nested too deeply");
	assert_repeated_is_refused("", "[", 100000, "nested too deeply");
	assert_repeated_is_refused("", "# 4567890123456\n", (4 << 16) + 1, "more than 4 MiB");
	assert_repeated_is_refused("", "- \n", 1100000, "too large");
}

static void test_document_parse__refuses_a_billion_laughs(void **state)
{
	struct text_stream stream;
	char *text;
	int i;

	(void)state;
	fputs("l0: &l0 lol\n", text_stream_open(&stream));
	for (i = 1; i < 10; i++)
		fprintf(stream.file, "l%d: &l%d [*l%d,*l%d,*l%d,*l%d,*l%d,*l%d,*l%d,*l%d,*l%d]\n",
		        i, i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	text = text_stream_take(&stream);
	assert_refused(text, strlen(text), "the document is too large: its values take more than");
	free(text);
}

static void test_document_parse__refuses_depth_made_of_aliases(void **state)
{
	struct text_stream stream;
	char *text;
	int i;

	(void)state;
	fputs("l0: &l0 []\n", text_stream_open(&stream));
	for (i = 1; i < 200; i++)
		fprintf(stream.file, "l%d: &l%d [*l%d]\n", i, i, i - 1);
	text = text_stream_take(&stream);
	assert_refused(text, strlen(text), "the alias makes the document too deep");
	free(text);
}

static void assert_position(struct document_position position, int line, int column)
{
	assert_int_equal(position.line, line);
	assert_int_equal(position.column, column);
}

static void test_document_position__finds_values_keys_and_items(void **state)
{
	static const char yaml[] = "a: &x\n  b: [1, true, null]\n  \"c d\": true\ne: *x\n";
	scoped(document) struct document *document =
		document_parse("t.yaml", yaml, strlen(yaml), NULL);
	json_t *root = document_root(document), *a = json_object_get(root, "a");
	json_t *b = json_object_get(a, "b"), *e = json_object_get(root, "e");

	(void)state;
	assert_position(document_position(document, root), 1, 1);
	assert_position(document_key_position(document, root, "a"), 1, 1);
	assert_position(document_position(document, a), 1, 4);
	assert_position(document_position(document, b), 2, 6);
	assert_position(document_item_position(document, b, 0), 2, 7);
	assert_position(document_item_position(document, b, 1), 2, 10);
	assert_position(document_item_position(document, b, 2), 2, 16);
	assert_position(document_key_position(document, a, "c d"), 3, 3);
	assert_position(document_position(document, e), 4, 4);
	assert_position(document_item_position(document, json_object_get(e, "b"), 2), 2, 16);
	assert_position(document_key_position(document, e, "c d"), 3, 3);
	assert_position(document_key_position(document, e, "none"), 0, 0);
	assert_position(document_position(document, json_true()), 0, 0);
}

static void test_document_copy_places__puts_parts_where_their_models_stand(void **state)
{
	static const char yaml[] = "a: x\nb: [1, true, {c: d}]\n";
	scoped(document) struct document *document =
		document_parse("t.yaml", yaml, strlen(yaml), NULL);
	json_t *root = document_root(document), *b = json_object_get(root, "b");
	json_auto_t *copy = json_deep_copy(root);
	json_t *more = json_pack("{s:[i]}", "e", 1);

	(void)state;
	json_object_set_new(copy, "a", more);
	json_array_set(json_object_get(copy, "b"), 2, json_array_get(b, 2));
	document_copy_places(document, root, copy);

	assert_position(document_position(document, copy), 1, 1);
	assert_position(document_key_position(document, copy, "b"), 2, 1);
	assert_position(document_item_position(document, json_object_get(copy, "b"), 1), 2, 8);
	assert_position(document_item_position(document, json_object_get(copy, "b"), 2), 2, 14);
	assert_position(document_key_position(document, more, "e"), 1, 4);
	assert_position(document_item_position(document, json_object_get(more, "e"), 0), 1, 4);
}

static void test_faults_check__sorts_by_place_and_makes_messages_printable(void **state)
{
	scoped(document) struct document *document = document_parse("t.yaml", "{}", 2, NULL);
	scoped(faults) struct faults *faults = faults_new();
	struct error *err = NULL;

	(void)state;
	assert_true(faults_check(faults, &err));
	faults_add(faults, document, (struct document_position){ 7, 3 }, "unknown '%s'",
	           "a\n\033b");
	faults_add(faults, document, (struct document_position){ 7, 1 }, "first of 7");
	faults_add(faults, document, (struct document_position){ 7, 1 }, "second of 7");
	faults_add(faults, document, (struct document_position){ 2, 9 }, "of 2");
	faults_add(faults, NULL, (struct document_position){ 0 }, "of no file");

	assert_false(faults_check(faults, &err));
	assert_string_equal(err->message, "of no file\n"
	                                  "t.yaml:2:9: of 2\n"
	                                  "t.yaml:7:1: first of 7\n"
	                                  "t.yaml:7:1: second of 7\n"
	                                  "t.yaml:7:3: unknown 'a  b'");
	error_free(err);
}

/* One character beyond the limit is less than the dots take. */
static void test_faults_add__cuts_a_message_of_any_length(void **state)
{
	size_t size;

	(void)state;
	for (size = 590; size < 620; size++) {
		scoped(faults) struct faults *faults = faults_new();
		scoped(text) char *message = xcalloc(size + 1, 1);
		struct error *err = NULL;

		memset(message, 'x', size);
		faults_add(faults, NULL, (struct document_position){ 0 }, "%s", message);
		assert_false(faults_check(faults, &err));
		assert_int_equal(strlen(err->message), size <= 600 ? size : 600);
		assert_int_equal(text_ends_with(err->message, "..."), size > 600);
		error_free(err);
	}
}

static void test_faults_check__shows_a_hundred_and_counts_the_rest(void **state)
{
	scoped(faults) struct faults *faults = faults_new();
	struct error *err = NULL;
	int i;

	(void)state;
	for (i = 0; i < 103; i++)
		faults_add(faults, NULL, (struct document_position){ 0 }, "fault");

	assert_false(faults_check(faults, &err));
	assert_error_contains(err, "fault\n... and 3 more");
	error_free(err);
}

static char *written(const json_t *value)
{
	struct text_stream stream;

	assert_true(document_write_yaml(value, text_stream_open(&stream)));
	return text_stream_take(&stream);
}

static void test_document_write_yaml__writes_blocks_that_people_can_read(void **state)
{
	json_t *value = json_loads(
		"{\"kind\":\"Stack\",\"items\":[{\"a\":1,\"b\":[true,null]},[2],\"s3://b/x\"],"
		"\"empty\":{},\"none\":[],\"script\":\"a\\n  b\\n\",\"on\":\"yes\",\"n\":\"10\","
		"\"f\":1.0,\"e\":1e20,\"memory\":\"4Gi\",\"x\":\"a: b\",\"q\":\"${{ a }}\"}",
		0, NULL);
	char *text = written(value);

	(void)state;
	assert_string_equal(text, "kind: Stack\n"
	                          "items:\n"
	                          "  - a: 1\n"
	                          "    b:\n"
	                          "      - true\n"
	                          "      - null\n"
	                          "  - - 2\n"
	                          "  - s3://b/x\n"
	                          "empty: {}\n"
	                          "none: []\n"
	                          "script: |\n"
	                          "  a\n"
	                          "    b\n"
	                          "\"on\": \"yes\"\n"
	                          "\"n\": \"10\"\n"
	                          "f: 1.0\n"
	                          "e: 1.0e+20\n"
	                          "memory: 4Gi\n"
	                          "x: \"a: b\"\n"
	                          "q: \"${{ a }}\"\n");
	free(text);
	json_decref(value);
}

static void assert_reads_back(const json_t *value)
{
	struct error *err = NULL;
	char *text = written(value);
	scoped(document) struct document *document =
		document_parse("written.yaml", text, strlen(text), &err);

	if (!document || !json_equal(value, document_root(document)))
		print_error("does not read back:\n%s\n", text);
	assert_ok(document, err);
	assert_true(json_equal(value, document_root(document)));
	free(text);
}

static void test_document_write_yaml__quotes_what_would_be_read_as_something_else(void **state)
{
	static const char *const texts[] = {
		"",
		"~",
		"null",
		"True",
		"yes",
		"No",
		"1",
		"-1",
		"1.5",
		"0x1f",
		"0o7",
		"012",
		".inf",
		"1e5",
		"1:30",
		"- a",
		"a: b",
		"a:",
		"a #b",
		"#a",
		"&a",
		"*a",
		"!a",
		"|",
		">",
		"%a",
		"@a",
		"`a",
		"'a'",
		"\"a\"",
		"[a",
		"{a",
		"a]",
		"a, b",
		" a",
		"a ",
		"a  b",
		"\n",
		"\n\n",
		"a\n",
		"a\nb",
		"a\n\n",
		"\na",
		" a\nb",
		"a\n b",
		"a\n\nb\n",
		"a\r\nb",
		"a\tb",
		"\ta\nb",
		"a\n\tb",
		"a \nb ",
		"a\n   ",
		"a\n  \nb",
		"a\n---\nb",
		"a\n# b\n",
		"---",
		"...",
		"?",
		"? a",
		"-",
		"=",
		"<<",
		"\x01\x7f",
		"\xc2\x85",
		"a\xc2\x85\nb",
		"\xe2\x80\xa8",
		"\xef\xbb\xbf",
		"\xef\xbf\xbf",
		"\xf0\x9f\x98\x80",
		"a\n\xe2\x80\xa9",
		"\xc3\xa4\n\xc3\xb6",
		"C:\\x",
		"a\\\nb",
		"/",
		"a/b",
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		json_t *value = json_pack("{s:s, s:[s, [s], {s:s}]}", "k", texts[i], "l", texts[i],
		                          texts[i], texts[i], texts[i]);
		json_t *alone = json_string(texts[i]);

		assert_non_null(value);
		assert_reads_back(value);
		assert_reads_back(alone);
		json_decref(value);
		json_decref(alone);
	}
}

/* A small generator, so that a failure comes again. */
static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static char *random_text(uint32_t *seed)
{
	static const char *const parts[] = { "a",  "Z",  "0",  "7",  " ",    "\n",       ":",
		                             "#",  "-",  "'",  "\"", "\\",   "\t",       "{",
		                             "]",  ",",  "&",  "*",  "!",    "\x1b",     "\xc3\xa4",
		                             "\r", "| ", "%",  "e",  ".",    "\xc2\x85", "yes",
		                             "~",  "?",  "<<", "--", "null", "\n\n",     "  " };
	struct text_stream stream;
	uint32_t count = next_random(seed) % (next_random(seed) % 50 ? 8 : 400);

	text_stream_open(&stream);
	while (count--)
		fputs(parts[next_random(seed) % ARRAY_SIZE(parts)], stream.file);
	return text_stream_take(&stream);
}

static json_t *random_value(uint32_t *seed, int depth)
{
	uint32_t kind = next_random(seed) % (depth ? 9 : 7), count = next_random(seed) % 5;
	scoped(text) char *text = random_text(seed);
	json_t *value;

	if (kind == 0)
		return json_null();
	if (kind == 1)
		return json_boolean(count & 1);
	if (kind == 2)
		return json_integer(
			(json_int_t)((uint64_t)next_random(seed) << 40 ^ next_random(seed)));
	if (kind == 3)
		return json_real((double)next_random(seed) / (double)(next_random(seed) + 1) *
		                 (count & 1 ? 1e200 : -1e-200));
	if (kind < 7)
		return json_string(text);
	value = kind == 7 ? json_array() : json_object();
	while (count--) {
		scoped(text) char *key = random_text(seed);

		if (kind == 7)
			json_array_append_new(value, random_value(seed, depth - 1));
		else
			json_object_set_new(value, key, random_value(seed, depth - 1));
	}
	return value;
}

static void test_document_write_yaml__is_read_back_whatever_the_value(void **state)
{
	uint32_t seed = 20261121;
	int i;

	(void)state;
	for (i = 0; i < 3000; i++) {
		json_t *value = random_value(&seed, 5);

		assert_reads_back(value);
		json_decref(value);
	}
}

static void test_document_save_yaml__replaces_the_file_with_the_mode_given(void **state)
{
	char folder[] = "/tmp/test_document.XXXXXX";
	scoped(text) char *path = text_printf("%s/a.yaml", mkdtemp(folder));
	json_t *value = json_pack("{s:i}", "a", 1), *other = json_pack("{s:i}", "a", 2);
	struct document *document;
	struct error *err = NULL;
	struct stat status;

	(void)state;
	assert_ok(document_save_yaml(value, path, 0644, &err), err);
	assert_ok(document_save_yaml(other, path, 0600, &err), err);
	document = document_read(path, &err);

	assert_ok(document, err);
	assert_true(json_equal(document_root(document), other));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_string_equal(document_name(document), path);
	document_free(document);
	unlink(path);
	assert_null(document_read(path, &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	error_free(err);
	rmdir(folder);
	json_decref(value);
	json_decref(other);
}

static struct document_stream *parse_stream(const char *yaml)
{
	struct error *err = NULL;
	struct document_stream *stream = document_stream_parse("s.yaml", yaml, strlen(yaml), &err);

	assert_ok(stream, err);
	return stream;
}

static void test_document_stream_parse__takes_every_document_but_empty_ones(void **state)
{
	static const struct {
		const char *yaml;
		size_t count;
	} cases[] = {
		{ "a: 1\n", 1 },
		{ "a: 1\n---\nb: 2\n", 2 },
		{ "---\n# nothing\n---\na: 1\n---\n---\nb: 2\n---\n", 2 },
		{ "{\"a\": 1}\n---\n[1]\n...\n---\ntext\n", 3 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(document_stream) struct document_stream *stream =
			parse_stream(cases[i].yaml);

		assert_int_equal(stream->count, cases[i].count);
	}
}

static void test_document_stream_parse__counts_lines_through_the_file(void **state)
{
	scoped(document_stream) struct document_stream *stream =
		parse_stream("a: 1\n---\nb:\n  - null\n  - x\n");
	const struct document *second = stream->documents[1];
	const json_t *list = json_object_get(document_root(second), "b");

	(void)state;
	assert_string_equal(document_name(second), "s.yaml");
	assert_int_equal(document_key_position(second, document_root(second), "b").line, 3);
	assert_int_equal(document_item_position(second, list, 0).line, 4);
	assert_int_equal(document_item_position(second, list, 1).line, 5);
}

static void test_document_stream_parse__tells_the_faults_of_all_documents(void **state)
{
	static const char yaml[] = "a: 1\na: 2\n---\nb: &x 1\n---\nc: *x\nd: 010\n";
	struct error *err = NULL;

	(void)state;
	assert_null(document_stream_parse("s.yaml", yaml, strlen(yaml), &err));
	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, "s.yaml:2:1: duplicate key 'a'");
	assert_error_contains(err, "s.yaml:6:4: no anchor '&x'");
	assert_error_contains(err, "s.yaml:7:4: ");
	error_free(err);
}

static void test_document_stream_parse__refuses_what_has_no_document(void **state)
{
	static const char *const cases[] = { "", "# nothing\n", "---\n---\n", "a: [\n" };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error *err = NULL;

		assert_null(document_stream_parse("s.yaml", cases[i], strlen(cases[i]), &err));
		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, "s.yaml:");
		error_free(err);
	}
}

/* Each is within the limit of one document; together they are not. */
static void test_document_stream_parse__bounds_each_document_by_itself(void **state)
{
	static const char line[] = "- [a, b, c, d, e, f, g, h]\n";
	struct text_stream text;
	FILE *out = text_stream_open(&text);
	size_t documents, lines;

	(void)state;
	for (documents = 0; documents < 12; documents++) {
		fputs("---\n", out);
		for (lines = 0; lines < 10000; lines++)
			fputs(line, out);
	}
	{
		scoped(text) char *yaml = text_stream_take(&text);
		scoped(document_stream) struct document_stream *stream = parse_stream(yaml);

		assert_int_equal(stream->count, 12);
	}
}

static void test_document_stream_read__says_when_there_is_no_file(void **state)
{
	struct error *err = NULL;

	(void)state;
	assert_null(document_stream_read("/nowhere/s.yaml", &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	error_free(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_document_parse__reads_scalars_by_the_core_schema),
		cmocka_unit_test(test_document_parse__reads_json),
		cmocka_unit_test(test_document_parse__keeps_the_order_of_the_file),
		cmocka_unit_test(test_document_parse__copies_what_an_alias_names),
		cmocka_unit_test(test_document_parse__refuses_what_it_cannot_mean_exactly),
		cmocka_unit_test(test_document_parse__tells_all_faults_at_once),
		cmocka_unit_test(test_document_parse_faults__leaves_out_what_is_at_fault),
		cmocka_unit_test(test_document_parse__bounds_depth_and_size),
		cmocka_unit_test(test_document_parse__refuses_a_billion_laughs),
		cmocka_unit_test(test_document_parse__refuses_depth_made_of_aliases),
		cmocka_unit_test(test_document_position__finds_values_keys_and_items),
		cmocka_unit_test(test_document_copy_places__puts_parts_where_their_models_stand),
		cmocka_unit_test(test_faults_check__sorts_by_place_and_makes_messages_printable),
		cmocka_unit_test(test_faults_add__cuts_a_message_of_any_length),
		cmocka_unit_test(test_faults_check__shows_a_hundred_and_counts_the_rest),
		cmocka_unit_test(test_document_write_yaml__writes_blocks_that_people_can_read),
		cmocka_unit_test(
			test_document_write_yaml__quotes_what_would_be_read_as_something_else),
		cmocka_unit_test(test_document_write_yaml__is_read_back_whatever_the_value),
		cmocka_unit_test(test_document_save_yaml__replaces_the_file_with_the_mode_given),
		cmocka_unit_test(test_document_stream_parse__takes_every_document_but_empty_ones),
		cmocka_unit_test(test_document_stream_parse__counts_lines_through_the_file),
		cmocka_unit_test(test_document_stream_parse__tells_the_faults_of_all_documents),
		cmocka_unit_test(test_document_stream_parse__refuses_what_has_no_document),
		cmocka_unit_test(test_document_stream_parse__bounds_each_document_by_itself),
		cmocka_unit_test(test_document_stream_read__says_when_there_is_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
