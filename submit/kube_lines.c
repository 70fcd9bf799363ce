/* SPDX-License-Identifier: Apache-2.0 */
/* Lines out of pieces. */
#include "submit/kube_lines.h"

#include <string.h>

#include "core/memory.h"

/* More than this is given back after a line: one 5 MB object must not be paid for ever. */
#define KEPT_BYTES ((size_t)64 << 10)

static void keep(struct kube_lines *lines, const char *bytes, size_t size)
{
	size_t needed = lines->size + size;

	if (!size)
		return;
	if (needed > lines->capacity) {
		lines->capacity = needed > 2 * lines->capacity ? needed : 2 * lines->capacity;
		lines->bytes = xrealloc(lines->bytes, lines->capacity + 1, 1);
	}
	memcpy(lines->bytes + lines->size, bytes, size);
	lines->size = needed;
	lines->bytes[needed] = '\0';
}

static void shrink(struct kube_lines *lines)
{
	lines->size = 0;
	if (lines->capacity <= KEPT_BYTES)
		return;
	free(take(lines->bytes));
	lines->capacity = 0;
}

/* The whole line, or its last piece, ends with `bytes`. */
static bool tell_line(struct kube_lines *lines, const char *bytes, size_t size,
                      kube_lines_tell *tell, void *context)
{
	bool starts = !lines->inside;

	lines->inside = false;
	if (!lines->size)
		return tell(context, bytes, size, starts);
	keep(lines, bytes, size);
	if (!tell(context, lines->bytes, lines->size, starts))
		return false;
	shrink(lines);
	return true;
}

/* More of a line than may be kept. */
static bool tell_piece(struct kube_lines *lines, kube_lines_tell *tell, void *context)
{
	bool starts = !lines->inside;

	lines->inside = true;
	if (!tell(context, lines->bytes, lines->size, starts))
		return false;
	lines->size = 0;
	return true;
}

bool kube_lines_feed(struct kube_lines *lines, const char *bytes, size_t size,
                     kube_lines_tell *tell, void *context)
{
	while (size) {
		size_t room = lines->limit_bytes - lines->size;
		size_t part = size < room ? size : room;
		const char *newline = memchr(bytes, '\n', part);

		if (newline) {
			size_t length = (size_t)(newline - bytes);

			if (!tell_line(lines, bytes, length, tell, context))
				return false;
			bytes += length + 1;
			size -= length + 1;
			continue;
		}
		keep(lines, bytes, part);
		bytes += part;
		size -= part;
		if (lines->size == lines->limit_bytes &&
		    (!lines->cuts || !tell_piece(lines, tell, context)))
			return false;
	}
	return true;
}

bool kube_lines_end(struct kube_lines *lines, kube_lines_tell *tell, void *context)
{
	return !lines->size || tell_line(lines, "", 0, tell, context);
}

void kube_lines_reset(struct kube_lines *lines)
{
	shrink(lines);
	lines->inside = false;
}

void kube_lines_release(struct kube_lines *lines)
{
	free(take(lines->bytes));
	lines->size = lines->capacity = 0;
}
