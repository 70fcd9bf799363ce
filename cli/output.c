/* SPDX-License-Identifier: Apache-2.0 */
/* Results for people and machines alike: tables, JSON, YAML, names. */
#include "cli/output.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "core/document.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_object.h"

static const char none[] = "<none>";

/* The end of the character at `text`; bytes that the locale cannot read stand for themselves. */
static const char *decode(const char *text, wchar_t *character)
{
	mbstate_t state = { 0 };
	size_t size = mbrtowc(character, text, strlen(text), &state);

	if (size <= strlen(text))
		return text + size;
	*character = L'?';
	return text + 1;
}

/* Copies one line: what would move the cursor, or colour the terminal, becomes a blank. */
static void write_printable(const char *text, FILE *out)
{
	wchar_t character;
	const char *end;

	for (; *text; text = end) {
		end = decode(text, &character);
		if (iswcntrl((wint_t)character))
			fputc(' ', out);
		else
			fwrite(text, 1, (size_t)(end - text), out);
	}
}

static size_t display_width(const char *text)
{
	size_t width = 0;
	wchar_t character;

	while (*text) {
		int cells;

		text = decode(text, &character);
		cells = wcwidth(character);
		width += cells > 0 ? (size_t)cells : 0;
	}
	return width;
}

static bool is_empty(const json_t *value)
{
	return !value || json_is_null(value) ||
	       (json_is_string(value) && !json_string_length(value)) ||
	       ((json_is_array(value) || json_is_object(value)) && !json_array_size(value) &&
	        !json_object_size(value));
}

static void write_value(const json_t *value, FILE *out);

static void write_list(const json_t *list, FILE *out)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		fputs(i ? "," : "", out);
		write_value(item, out);
	}
}

static void write_value(const json_t *value, FILE *out)
{
	if (is_empty(value))
		fputs(none, out);
	else if (json_is_string(value))
		write_printable(json_string_value(value), out);
	else if (json_is_array(value))
		write_list(value, out);
	else
		json_dumpf(value, out, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
}

/* Owned by the caller. */
static char *cell_text(const json_t *row, const char *key)
{
	struct text_stream stream;

	write_value(json_object_get(row, key), text_stream_open(&stream));
	return text_stream_take(&stream);
}

static char *title_text(const struct output_column *column)
{
	char *text = xstrdup(column->title ? column->title : column->key), *c;

	for (c = text; *c; c++)
		*c = *c == '_' ? ' ' : (char)toupper((unsigned char)*c);
	return text;
}

struct grid {
	size_t columns, rows; /* the titles are row 0 */
	char **cells;
	size_t *widths;
};

static void grid_free(struct grid *grid)
{
	size_t i;

	if (!grid)
		return;
	for (i = 0; i < grid->columns * grid->rows; i++)
		free(grid->cells[i]);
	free(grid->cells);
	free(grid->widths);
	free(grid);
}
DEFINE_CLEANUP(grid);

static void grid_fill_column(struct grid *grid, size_t at, const struct output_column *column,
                             const json_t *rows)
{
	const json_t *row;
	size_t i;

	grid->cells[at] = title_text(column);
	json_array_foreach (rows, i, row)
		grid->cells[(i + 1) * grid->columns + at] = cell_text(row, column->key);
	for (i = 0; i < grid->rows; i++) {
		size_t width = display_width(grid->cells[i * grid->columns + at]);

		if (width > grid->widths[at])
			grid->widths[at] = width;
	}
}

static struct grid *grid_new(const struct output_column *columns, bool wide, const json_t *rows)
{
	struct grid *grid = xcalloc(1, sizeof(*grid));
	const struct output_column *column;
	size_t at = 0;

	for (column = columns; column->key; column++)
		grid->columns += wide || !column->wide_only;
	grid->rows = json_array_size(rows) + 1;
	grid->cells = xcalloc(grid->columns * grid->rows, sizeof(*grid->cells));
	grid->widths = xcalloc(grid->columns, sizeof(*grid->widths));
	for (column = columns; column->key; column++)
		if (wide || !column->wide_only)
			grid_fill_column(grid, at++, column, rows);
	return grid;
}

/* Blanks come before a cell, never after the last one of a line. */
static void grid_write(const struct grid *grid, FILE *out)
{
	size_t i, blanks = 0;

	for (i = 0; i < grid->columns * grid->rows; i++) {
		size_t column = i % grid->columns;

		fprintf(out, "%*s%s", (int)blanks, "", grid->cells[i]);
		blanks = grid->widths[column] - display_width(grid->cells[i]) + 3;
		if (column + 1 == grid->columns) {
			fputc('\n', out);
			blanks = 0;
		}
	}
}

static void write_names(const char *key, const json_t *rows, FILE *out)
{
	const json_t *row;
	size_t i;

	json_array_foreach (rows, i, row) {
		write_value(json_object_get(row, key), out);
		fputc('\n', out);
	}
}

static void write_json(const json_t *value, FILE *out)
{
	json_dumpf(value, out, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	fputc('\n', out);
}

static bool finish(FILE *out, struct error **err)
{
	if (ferror(out))
		return error_set(err, ERROR_INTERNAL, "write the result: %s", strerror(errno));
	return true;
}

bool output_rows(FILE *out, enum output_format format, const struct output_column *columns,
                 const json_t *rows, struct error **err)
{
	scoped(grid) struct grid *grid = NULL;

	switch (format) {
	case OUTPUT_JSON:
		write_json(rows, out);
		break;
	case OUTPUT_YAML:
		document_write_yaml(rows, out);
		break;
	case OUTPUT_NAME:
		write_names(columns->key, rows, out);
		break;
	case OUTPUT_TABLE:
	case OUTPUT_WIDE:
		grid = grid_new(columns, format == OUTPUT_WIDE, rows);
		grid_write(grid, out);
	}
	return finish(out, err);
}

static void write_nested(const json_t *value, FILE *out)
{
	struct text_stream stream;
	scoped(text) char *yaml = NULL;
	const char *line, *end;

	document_write_yaml(value, text_stream_open(&stream));
	yaml = text_stream_take(&stream);
	for (line = yaml; *line; line = *end ? end + 1 : end) {
		end = strchrnul(line, '\n');
		fprintf(out, "%s%.*s\n", end > line ? "  " : "", (int)(end - line), line);
	}
}

static void write_lines(const json_t *object, FILE *out)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)object, key, value) {
		bool nested = !is_empty(value) && (json_is_array(value) || json_is_object(value));

		fprintf(out, "%s:%s", key, nested ? "\n" : " ");
		if (nested) {
			write_nested(value, out);
		} else {
			write_value(value, out);
			fputc('\n', out);
		}
	}
}

bool output_object(FILE *out, enum output_format format, const json_t *object, struct error **err)
{
	const json_t *name = json_object_get(object, "name");

	switch (format) {
	case OUTPUT_JSON:
		write_json(object, out);
		break;
	case OUTPUT_YAML:
		document_write_yaml(object, out);
		break;
	case OUTPUT_NAME:
		if (!name)
			name = json_object_iter_value(json_object_iter((json_t *)object));
		write_value(name, out);
		fputc('\n', out);
		break;
	case OUTPUT_TABLE:
	case OUTPUT_WIDE:
		write_lines(object, out);
	}
	return finish(out, err);
}

bool output_manifests(FILE *out, enum output_format format, const json_t *objects,
                      struct error **err)
{
	json_auto_t *list =
		json_pack("{s:s, s:s, s:O}", "apiVersion", "v1", "kind", "List", "items", objects);
	const json_t *object;
	size_t i;

	if (format == OUTPUT_JSON)
		return output_object(out, format, list, err);
	json_array_foreach (objects, i, object) {
		if (format == OUTPUT_NAME)
			fprintf(out, "%s/%s\n", kube_object_kind(object), kube_object_name(object));
		else if (fputs("---\n", out) == EOF || !document_write_yaml(object, out))
			return error_set(err, ERROR_INTERNAL, "cannot write the manifests");
	}
	return true;
}
