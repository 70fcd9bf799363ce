/* SPDX-License-Identifier: Apache-2.0 */
/* java.util.Properties, read. */
#include "submit/spark_properties_file.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"

#define LIMIT_BYTES ((size_t)16 << 20)

struct reader {
	const char *at, *end;
	int line; /* of `at`, from 1 */
};

/* A piece of a logical line, escapes and all. */
struct span {
	const char *at, *end;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\f';
}

static bool is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

static void skip_blanks(struct reader *reader)
{
	while (reader->at < reader->end && is_blank(*reader->at))
		reader->at++;
}

static const char *find_line_end(const struct reader *reader)
{
	const char *at = reader->at;

	while (at < reader->end && !is_line_end(*at))
		at++;
	return at;
}

/* Past "\n", "\r" or "\r\n", if one is there. */
static void skip_line_end(struct reader *reader)
{
	if (reader->at == reader->end)
		return;
	if (*reader->at == '\r' && reader->end - reader->at > 1 && reader->at[1] == '\n')
		reader->at++;
	reader->at++;
	reader->line++;
}

static void skip_empty_lines_and_comments(struct reader *reader)
{
	for (skip_blanks(reader); reader->at < reader->end; skip_blanks(reader)) {
		if (*reader->at == '#' || *reader->at == '!')
			reader->at = find_line_end(reader);
		else if (!is_line_end(*reader->at))
			return;
		skip_line_end(reader);
	}
}

/* An odd number of '\' at its end joins a line with the next one. */
static bool goes_on(const char *start, const char *end)
{
	const char *at = end;

	while (at > start && at[-1] == '\\')
		at--;
	return (end - at) % 2;
}

/* The next logical line, its lines joined and the blanks that each begins with left out; owned by
 * the caller. NULL at the end. */
static char *read_line(struct reader *reader, size_t *size)
{
	struct text_stream stream;
	bool is_joined = true;
	FILE *out;

	skip_empty_lines_and_comments(reader);
	if (reader->at == reader->end)
		return NULL;
	out = text_stream_open(&stream);
	while (is_joined) {
		const char *end = find_line_end(reader);

		is_joined = goes_on(reader->at, end);
		fwrite(reader->at, 1, (size_t)(end - reader->at) - is_joined, out);
		reader->at = end;
		skip_line_end(reader);
		if (is_joined)
			skip_blanks(reader);
	}
	return text_stream_take_sized(&stream, size);
}

/* Where the key ends, and the value begins: after the blanks, and the one '=' or ':' among them. */
static void split_line(const char *line, size_t size, struct span *key, struct span *value)
{
	const char *at = line, *end = line + size;
	bool has_separator = false;

	for (; at < end && !is_blank(*at) && *at != '=' && *at != ':'; at++)
		if (*at == '\\' && at + 1 < end)
			at++;
	*key = (struct span){ line, at };
	for (; at < end; at++) {
		bool is_separator = !has_separator && (*at == '=' || *at == ':');

		if (!is_separator && !is_blank(*at))
			break;
		has_separator = has_separator || is_separator;
	}
	*value = (struct span){ at, end };
}

static void write_utf8(uint32_t code, FILE *out)
{
	if (code < 0x80) {
		fputc((int)code, out);
		return;
	}
	if (code < 0x800) {
		fputc((int)(0xc0 | code >> 6), out);
	} else {
		if (code < 0x10000) {
			fputc((int)(0xe0 | code >> 12), out);
		} else {
			fputc((int)(0xf0 | code >> 18), out);
			fputc((int)(0x80 | (code >> 12 & 0x3f)), out);
		}
		fputc((int)(0x80 | (code >> 6 & 0x3f)), out);
	}
	fputc((int)(0x80 | (code & 0x3f)), out);
}

/* The four digits after "\u". */
static bool read_code(struct span *text, uint32_t *code, struct error **err)
{
	int i;

	*code = 0;
	for (i = 0; i < 4; i++, text->at++) {
		if (text->at == text->end || !isxdigit((unsigned char)*text->at))
			return error_set(
				err, ERROR_INVALID,
				"\\u is followed by four hexadecimal digits, as in \\u00e4; "
				"write \\\\ for a backslash");
		*code = *code * 16 + (uint32_t)(*text->at <= '9' ? *text->at - '0'
		                                                 : (*text->at | 0x20) - 'a' + 10);
	}
	return true;
}

/* Java's characters are UTF-16: those beyond 0xffff come as two. A half alone is no character. */
static bool write_code(struct span *text, FILE *out, struct error **err)
{
	uint32_t code, low;

	if (!read_code(text, &code, err))
		return false;
	if (code >= 0xd800 && code < 0xdc00 && text->end - text->at >= 6 && text->at[0] == '\\' &&
	    text->at[1] == 'u') {
		text->at += 2;
		if (!read_code(text, &low, err))
			return false;
		if (low >= 0xdc00 && low < 0xe000)
			code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	}
	if (!code || (code >= 0xd800 && code < 0xe000))
		return error_set(err, ERROR_INVALID, "\\u%04x is no character", code);
	write_utf8(code, out);
	return true;
}

static bool write_unescaped(struct span text, FILE *out, struct error **err)
{
	static const char letters[] = "tnrf", special[] = "\t\n\r\f";

	while (text.at < text.end) {
		char c = *text.at++;
		const char *letter;

		if (c != '\\' || text.at == text.end) {
			fputc(c, out);
			continue;
		}
		c = *text.at++;
		letter = c ? strchr(letters, c) : NULL;
		if (c != 'u')
			fputc(letter ? special[letter - letters] : c, out);
		else if (!write_code(&text, out, err))
			return false;
	}
	return true;
}

/* Owned by the caller; NULL and *err on failure. */
static char *unescaped(struct span text, struct error **err)
{
	struct text_stream stream;
	bool is_fine = write_unescaped(text, text_stream_open(&stream), err);
	size_t size;
	scoped(text) char *result = text_stream_take_sized(&stream, &size);

	if (!is_fine)
		return NULL;
	if (!text_is_utf8(result, size))
		return error_set(err, ERROR_INVALID, "not UTF-8");
	return take(result);
}

/* Utils.trimExceptCRLF: control characters count as blanks, too. */
static char *trimmed(const char *value)
{
	size_t size = strlen(value);

	while (size && (unsigned char)value[size - 1] <= ' ' && !is_line_end(value[size - 1]))
		size--;
	for (; size && (unsigned char)*value <= ' ' && !is_line_end(*value); size--)
		value++;
	return xstrndup(value, size);
}

static bool set_property(struct spark_conf *conf, const char *line, size_t size, struct error **err)
{
	struct span key, value;
	scoped(text) char *name = NULL;
	scoped(text) char *text = NULL;
	scoped(text) char *short_text = NULL;

	split_line(line, size, &key, &value);
	name = unescaped(key, err);
	text = name ? unescaped(value, err) : NULL;
	if (!text)
		return false;
	short_text = trimmed(text);
	spark_conf_set(conf, name, short_text);
	return true;
}

bool spark_properties_parse(const char *text, size_t size, struct spark_conf *conf,
                            struct error **err)
{
	struct reader reader = { .at = text, .end = text + size, .line = 1 };
	scoped(spark_conf) struct spark_conf *found = spark_conf_new();

	for (;;) {
		size_t line_size = 0;
		int number;
		scoped(text) char *line = NULL;

		skip_empty_lines_and_comments(&reader);
		number = reader.line;
		line = read_line(&reader, &line_size);
		if (!line)
			break;
		if (line_size && !set_property(found, line, line_size, err))
			return error_wrap(err, "line %d", number);
	}
	spark_conf_merge(conf, found);
	return true;
}

bool spark_properties_file_read(const char *path, struct spark_conf *conf, struct error **err)
{
	size_t size = 0;
	scoped(text) char *text = file_read(path, LIMIT_BYTES, &size, err);

	if (!text)
		return error_wrap(err, "the properties");
	if (!spark_properties_parse(text, size, conf, err))
		return error_wrap(err, "the properties file '%s'", path);
	return true;
}
