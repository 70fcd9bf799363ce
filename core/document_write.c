/* SPDX-License-Identifier: Apache-2.0 */
/* json_t values written as block-style YAML. */
#include <string.h>

#include "core/document.h"
#include "core/document_scalar.h"
#include "core/file.h"
#include "core/text.h"

/* YAML wants a key that stands before its colon within 1024 characters, escapes included. */
#define KEY_LIMIT 128

static void write_indent(int level, FILE *out)
{
	fprintf(out, "%*s", 2 * level, "");
}

/* Line breaks and what is not printable to YAML, beyond ASCII: C1 controls, U+2028/9, U+FEFF and
 * the non-characters. Their number of bytes and the code point; 0: print as it is. */
static size_t special_sequence(const unsigned char *at, unsigned *code)
{
	if (at[0] == 0xc2 && at[1] <= 0xa0) {
		*code = at[1];
		return 2;
	}
	if ((at[0] & 0xf0) != 0xe0)
		return 0;
	*code = (at[0] & 0x0fu) << 12 | (at[1] & 0x3fu) << 6 | (at[2] & 0x3fu);
	return *code == 0x2028 || *code == 0x2029 || *code == 0xfeff || *code >= 0xfffe ? 3 : 0;
}

static void write_quoted(const char *text, size_t size, FILE *out)
{
	const unsigned char *at = (const unsigned char *)text, *end = at + size;
	unsigned code;
	size_t length;

	fputc('"', out);
	for (; at < end; at++) {
		length = special_sequence(at, &code);
		if (length) {
			fprintf(out, "\\u%04x", code);
			at += length - 1;
		} else if (*at == '"' || *at == '\\') {
			fprintf(out, "\\%c", *at);
		} else if (*at == '\n' || *at == '\t') {
			fputs(*at == '\n' ? "\\n" : "\\t", out);
		} else if (*at < 0x20 || *at == 0x7f) {
			fprintf(out, "\\x%02x", *at);
		} else {
			fputc(*at, out);
		}
	}
	fputc('"', out);
}

/* A literal block keeps everything but what needs an escape, and needs a first line to tell its
 * indentation. */
static bool is_literal(const char *text, size_t size)
{
	size_t i;
	unsigned code;

	if (!memchr(text, '\n', size) || strchr(" \t\n", text[0]))
		return false;
	for (i = 0; i < size; i++)
		if (((unsigned char)text[i] < 0x20 && text[i] != '\n' && text[i] != '\t') ||
		    text[i] == 0x7f || special_sequence((const unsigned char *)text + i, &code))
			return false;
	return true;
}

static void write_literal(const char *text, int level, FILE *out)
{
	size_t size = strlen(text);
	bool ends_line = text[size - 1] == '\n';

	fputs(!ends_line ? "|-" : text[size - 2] == '\n' ? "|+" : "|", out);
	while (*text) {
		size_t length = strcspn(text, "\n");

		fputc('\n', out);
		if (length)
			write_indent(level, out);
		fwrite(text, 1, length, out);
		text += length + (text[length] == '\n');
	}
}

static void write_string(const char *text, size_t size, int level, FILE *out)
{
	if (strlen(text) == size && document_scalar_is_plain(text))
		fputs(text, out);
	else if (is_literal(text, size))
		write_literal(text, level, out);
	else
		write_quoted(text, size, out);
}

/* The shortest digits that mean the same number, with the point that YAML 1.1 wants. */
static void write_real(double number, FILE *out)
{
	scoped(text) char *text = NULL;
	const char *exponent;
	int digits;

	for (digits = 15; digits <= 17; digits++) {
		free(text);
		text = text_printf("%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	exponent = text + strcspn(text, "e");
	fprintf(out, "%.*s%s%s", (int)(exponent - text), text, strchr(text, '.') ? "" : ".0",
	        exponent);
}

static void write_scalar(const json_t *value, int level, FILE *out)
{
	if (json_is_string(value))
		write_string(json_string_value(value), json_string_length(value), level, out);
	else if (json_is_integer(value))
		fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value))
		write_real(json_real_value(value), out);
	else if (json_is_boolean(value))
		fputs(json_is_true(value) ? "true" : "false", out);
	else
		fputs(json_is_array(value) ? "[]" : json_is_object(value) ? "{}" : "null", out);
}

static bool is_block(const json_t *value)
{
	return json_object_size(value) > 0 || json_array_size(value) > 0;
}

static void write_block(const json_t *value, int level, FILE *out);

/* An item begins on the line of its dash, also when it is a mapping or a list. */
static void write_array(const json_t *array, int level, FILE *out)
{
	json_t *item;
	size_t i;

	json_array_foreach (array, i, item) {
		if (i)
			write_indent(level, out);
		fputs("- ", out);
		if (is_block(item)) {
			write_block(item, level + 1, out);
		} else {
			write_scalar(item, level + 1, out);
			fputc('\n', out);
		}
	}
}

static void write_key(const char *key, int level, FILE *out)
{
	bool is_long = strlen(key) > KEY_LIMIT;

	if (is_long)
		fputs("? ", out);
	if (document_scalar_is_plain(key))
		fputs(key, out);
	else
		write_quoted(key, strlen(key), out);
	if (is_long) {
		fputc('\n', out);
		write_indent(level, out);
	}
	fputc(':', out);
}

static void write_object(const json_t *object, int level, FILE *out)
{
	const char *key;
	json_t *value;
	bool is_first = true;

	json_object_foreach ((json_t *)object, key, value) {
		if (!is_first)
			write_indent(level, out);
		is_first = false;
		write_key(key, level, out);
		if (is_block(value)) {
			fputc('\n', out);
			write_indent(level + 1, out);
			write_block(value, level + 1, out);
		} else {
			fputc(' ', out);
			write_scalar(value, level + 1, out);
			fputc('\n', out);
		}
	}
}

/* The cursor stands at the indentation of `level` already. */
static void write_block(const json_t *value, int level, FILE *out)
{
	if (json_is_object(value))
		write_object(value, level, out);
	else
		write_array(value, level, out);
}

bool document_write_yaml(const json_t *value, FILE *out)
{
	if (is_block(value)) {
		write_block(value, 0, out);
	} else {
		write_scalar(value, 1, out);
		fputc('\n', out);
	}
	return !ferror(out);
}

bool document_save_yaml(const json_t *value, const char *path, unsigned mode, struct error **err)
{
	struct text_stream stream;
	scoped(text) char *text = NULL;
	size_t size;

	document_write_yaml(value, text_stream_open(&stream));
	text = text_stream_take_sized(&stream, &size);
	return file_write_atomic(path, text, size, mode, err);
}
