/* SPDX-License-Identifier: Apache-2.0 */
/* The faults of documents: gathered in any order, shown at once by their place. */
#include <string.h>

#include "core/document.h"
#include "core/text.h"

/* More than anybody reads; the rest is counted. */
#define FAULTS_SHOWN 100
#define MESSAGE_LIMIT 600

struct fault {
	char *name; /* of the document; NULL: none */
	struct document_position position;
	size_t number; /* keeps the order of adding among equals */
	char *message;
};

struct faults {
	struct fault *items;
	size_t count, capacity;
};

struct faults *faults_new(void)
{
	return xcalloc(1, sizeof(struct faults));
}

void faults_free(struct faults *faults)
{
	size_t i;

	if (!faults)
		return;
	for (i = 0; i < faults->count; i++) {
		free(faults->items[i].name);
		free(faults->items[i].message);
	}
	free(faults->items);
	free(faults);
}

void faults_add(struct faults *faults, const struct document *document,
                struct document_position position, const char *format, ...)
{
	struct fault *fault;
	va_list args;

	if (faults->count == faults->capacity) {
		faults->capacity = faults->capacity ? 2 * faults->capacity : 8;
		faults->items = xrealloc(faults->items, faults->capacity, sizeof(*faults->items));
	}
	fault = &faults->items[faults->count];
	*fault = (struct fault){ .position = position, .number = faults->count++ };
	fault->name = document ? xstrdup(document_name(document)) : NULL;
	va_start(args, format);
	fault->message = text_vprintf(format, args);
	va_end(args);
	text_make_printable(fault->message, MESSAGE_LIMIT);
}

size_t faults_count(const struct faults *faults)
{
	return faults->count;
}

static int compare_numbers(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

static int compare_faults(const void *left, const void *right)
{
	const struct fault *a = left, *b = right;
	int order = strcmp(a->name ? a->name : "", b->name ? b->name : "");

	if (!order)
		order = compare_numbers((size_t)a->position.line, (size_t)b->position.line);
	if (!order)
		order = compare_numbers((size_t)a->position.column, (size_t)b->position.column);
	return order ? order : compare_numbers(a->number, b->number);
}

static void render_fault(const struct fault *fault, FILE *out)
{
	if (fault->name && fault->position.line)
		fprintf(out, "%s:%d:%d: ", fault->name, fault->position.line,
		        fault->position.column);
	else if (fault->name)
		fprintf(out, "%s: ", fault->name);
	fputs(fault->message, out);
}

bool faults_check(const struct faults *faults, struct error **err)
{
	struct text_stream stream;
	scoped(text) char *text = NULL;
	struct fault *sorted;
	size_t i;

	if (!faults->count)
		return true;
	sorted = xcalloc(faults->count, sizeof(*sorted));
	memcpy(sorted, faults->items, faults->count * sizeof(*sorted));
	qsort(sorted, faults->count, sizeof(*sorted), compare_faults);
	text_stream_open(&stream);
	for (i = 0; i < faults->count && i < FAULTS_SHOWN; i++) {
		fputs(i ? "\n" : "", stream.file);
		render_fault(&sorted[i], stream.file);
	}
	if (faults->count > FAULTS_SHOWN)
		fprintf(stream.file, "\n... and %zu more", faults->count - FAULTS_SHOWN);
	free(sorted);
	text = text_stream_take(&stream);
	return error_set(err, ERROR_INVALID, "%s", text);
}
