/* SPDX-License-Identifier: Apache-2.0 */
/* What is shown of artifacts comes from user code: it must not reach a terminal as commands. */
#include "materializers/display.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"

enum { CELL_MAX = 60 };

char *display_count(int64_t count, const char *singular, const char *plural)
{
	scoped(text) char *digits = text_printf("%lld", (long long)count);
	size_t size = strlen(digits);
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);

	for (size_t i = 0; i < size; i++) {
		if (i > 0 && (size - i) % 3 == 0 && digits[i - 1] != '-')
			fputc(',', out);
		fputc(digits[i], out);
	}
	fprintf(out, " %s", count == 1 ? singular : plural);
	return text_stream_take(&stream);
}

char *display_size(int64_t size_bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB" };
	double size = (double)size_bytes / 1024;
	size_t unit = 0;

	if (size_bytes < 1024)
		return display_count(size_bytes, "byte", "bytes");
	for (; size >= 1023.95 && unit + 1 < ARRAY_SIZE(units); unit++)
		size /= 1024;
	return text_printf("%.1f %s", size, units[unit]);
}

/* C0, DEL, and C1 in UTF-8 (c2 80 … c2 9f). `next` is the byte after it. */
static bool is_control(unsigned char c, unsigned char next)
{
	return c < 0x20 || c == 0x7f || (c == 0xc2 && next >= 0x80 && next < 0xa0);
}

char *display_line(const char *text, size_t size, size_t limit)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	bool is_text = text_is_utf8(text, size);
	size_t shown = 0;

	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];
		unsigned char next = i + 1 < size ? (unsigned char)text[i + 1] : 0;
		bool starts = (c & 0xc0) != 0x80; /* a character, in UTF-8 */

		if (starts && shown == limit) {
			fputs("…", out);
			break;
		}
		shown += starts;
		if (!is_text && c >= 0x80)
			fputc('?', out);
		else if (!is_control(c, next))
			fputc(c, out);
		else
			fputc(' ', out);
		i += is_text && c == 0xc2 && is_control(c, next);
	}
	return text_stream_take(&stream);
}

void display_text(const char *text, size_t size, FILE *out)
{
	bool is_text = text_is_utf8(text, size);

	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];
		unsigned char next = i + 1 < size ? (unsigned char)text[i + 1] : 0;
		bool is_plain = !is_control(c, next) && (is_text || c < 0x80);

		if (c == '\n' || c == '\t' || is_plain)
			fputc(c, out);
		else
			fprintf(out, "\\x%02x", c);
		if (is_text && !is_plain && c == 0xc2) { /* its second byte alone is no text */
			fprintf(out, "\\x%02x", next);
			i++;
		}
	}
	if (size > 0 && text[size - 1] != '\n')
		fputc('\n', out);
}

static char *cell_text(const json_t *row, const char *key)
{
	const json_t *value = json_object_get(row, key);
	const char *text = json_string_value(value);
	scoped(text) char *dumped = NULL;

	if (!value)
		return xstrdup("");
	if (!text)
		text = dumped = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(12));
	return display_line(text, strlen(text), CELL_MAX);
}

/* Characters, not bytes; wide ones count as one. */
static int width_of(const char *text)
{
	int width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void print_cell(const char *text, int width, bool is_last, FILE *out)
{
	fputs(text, out);
	if (!is_last)
		fprintf(out, "%*s", width - width_of(text) + 2, "");
}

static int column_width(const json_t *rows, const char *key)
{
	int width = width_of(key);
	const json_t *row;
	size_t i;

	json_array_foreach (rows, i, row) {
		scoped(text) char *text = cell_text(row, key);

		if (width_of(text) > width)
			width = width_of(text);
	}
	return width;
}

void display_table(const json_t *rows, const char *const *keys, FILE *out)
{
	size_t count = 0, i;
	int *widths;
	const json_t *row;

	while (keys[count])
		count++;
	widths = xcalloc(count, sizeof(*widths));
	for (size_t k = 0; k < count; k++) {
		scoped(text) char *title = xstrdup(keys[k]);

		for (char *c = title; *c; c++)
			*c = (char)toupper((unsigned char)*c);
		widths[k] = column_width(rows, keys[k]);
		print_cell(title, widths[k], k + 1 == count, out);
	}
	fputc('\n', out);
	json_array_foreach (rows, i, row) {
		for (size_t k = 0; k < count; k++) {
			scoped(text) char *text = cell_text(row, keys[k]);

			print_cell(text, widths[k], k + 1 == count, out);
		}
		fputc('\n', out);
	}
	free(widths);
}
