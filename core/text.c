/* SPDX-License-Identifier: Apache-2.0 */
/* Owned strings. */
#include "core/text.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "core/memory.h"

char *text_vprintf(const char *format, va_list args)
{
	char *text = NULL;

	if (vasprintf(&text, format, args) < 0)
		abort();
	return text;
}

char *text_copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

char *text_printf(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = text_vprintf(format, args);
	va_end(args);
	return text;
}

FILE *text_stream_open(struct text_stream *stream)
{
	*stream = (struct text_stream){ 0 };
	stream->file = open_memstream(&stream->text, &stream->size);
	if (!stream->file)
		abort();
	return stream->file;
}

char *text_stream_take_sized(struct text_stream *stream, size_t *size)
{
	assert(stream->file);
	if (fclose(take(stream->file)))
		abort();
	if (size)
		*size = stream->size;
	return take(stream->text);
}

char *text_stream_take(struct text_stream *stream)
{
	return text_stream_take_sized(stream, NULL);
}

bool text_equal(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

bool text_starts_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

bool text_ends_with(const char *text, const char *suffix)
{
	size_t text_size = strlen(text), suffix_size = strlen(suffix);

	return text_size >= suffix_size && !strcmp(text + text_size - suffix_size, suffix);
}

bool text_to_int64(const char *text, int64_t minimum, int64_t maximum, int64_t *value)
{
	char *end;
	intmax_t number;

	if ((*text < '0' || *text > '9') && *text != '-')
		return false;
	errno = 0;
	number = strtoimax(text, &end, 10);
	if (errno || *end || end == text || number < minimum || number > maximum)
		return false;
	*value = number;
	return true;
}

static size_t smallest(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Three rows are enough: the optimal string alignment looks back two. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t m = strlen(a), n = strlen(b), i, j, distance;
	size_t *before = xcalloc(n + 1, sizeof(*before));
	size_t *last = xcalloc(n + 1, sizeof(*last));
	size_t *row = xcalloc(n + 1, sizeof(*row));

	for (j = 0; j <= n; j++)
		row[j] = j;
	for (i = 1; i <= m; i++) {
		size_t *spare = before;

		before = last;
		last = row;
		row = spare;
		row[0] = i;
		for (j = 1; j <= n; j++) {
			row[j] = smallest(last[j] + 1, row[j - 1] + 1,
			                  last[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
	}
	distance = row[n];
	free(before);
	free(last);
	free(row);
	return distance;
}

const char *text_nearest(const char *word, const char *const *candidates)
{
	size_t length = strlen(word), best_distance = length / 3 + 1;
	const char *best = NULL;

	if (length > 100)
		return NULL;
	for (; *candidates; candidates++) {
		size_t distance = edit_distance(word, *candidates);

		if (distance < best_distance || (distance == best_distance && !best)) {
			best = distance < length ? *candidates : best;
			best_distance = distance;
		}
	}
	return best;
}

/* Length of the sequence at `text`, 0 when it is malformed (RFC 3629, section 4). */
static size_t utf8_sequence(const unsigned char *text, size_t size)
{
	size_t length = text[0] < 0x80 ? 1 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4, i;

	if (text[0] == 0 || (text[0] >= 0x80 && text[0] < 0xc2) || text[0] > 0xf4 || length > size)
		return 0;
	for (i = 1; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
	    (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
		return 0;
	return length;
}

bool text_is_utf8(const char *text, size_t size)
{
	while (size) {
		size_t length = utf8_sequence((const unsigned char *)text, size);

		if (!length)
			return false;
		text += length;
		size -= length;
	}
	return true;
}

char *text_to_utf8(const char *text)
{
	size_t left = strlen(text);
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);

	while (left) {
		size_t length = utf8_sequence((const unsigned char *)text, left);

		if (length)
			fwrite(text, 1, length, out);
		else
			fputs("\xef\xbf\xbd", out);
		text += length ? length : 1;
		left -= length ? length : 1;
	}
	return text_stream_take(&stream);
}

void text_make_printable(char *text, size_t limit)
{
	size_t size = strlen(text), i;

	if (size > limit) {
		size = limit - strlen("...");
		while (size && ((unsigned char)text[size] & 0xc0) == 0x80)
			size--;
		memcpy(text + size, "...", sizeof("..."));
	}
	for (i = 0; text[i]; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			text[i] = ' ';
}

void text_wipe(char *text, size_t size)
{
	if (text)
		explicit_bzero(text, size);
}

void secret_free(char *text)
{
	if (text)
		text_wipe(text, strlen(text));
	free(text);
}
