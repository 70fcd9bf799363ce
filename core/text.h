/* SPDX-License-Identifier: Apache-2.0 */
/* Owned strings: one printf, one in-memory FILE, and the few questions asked of text. */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* What they return is the caller's. */
char *text_printf(const char *format, ...) __attribute__((__format__(__printf__, 1, 2)));
/* NULL gives NULL. */
char *text_copy(const char *text);
char *text_vprintf(const char *format, va_list args) __attribute__((__format__(__printf__, 1, 0)));

/*
 * Longer text is rendered into a FILE. The buffer moves when the FILE closes, so it can be had
 * only through text_stream_take(), which closes first. Every opened stream is taken once.
 */
struct text_stream {
	FILE *file;
	char *text;
	size_t size;
};
FILE *text_stream_open(struct text_stream *stream);
/* Owned by the caller, ends in a NUL that `*size` (may be NULL) does not count. */
char *text_stream_take_sized(struct text_stream *stream, size_t *size);
char *text_stream_take(struct text_stream *stream);

bool text_equal(const char *a, const char *b); /* NULL equals only NULL */
bool text_starts_with(const char *text, const char *prefix);
bool text_ends_with(const char *text, const char *suffix);

/* Decimal, the whole text, within [minimum, maximum]; false leaves *value untouched. */
bool text_to_int64(const char *text, int64_t minimum, int64_t maximum, int64_t *value);

/*
 * The nearest of `candidates` (NULL at the end) to a mistyped `word`, for "did you mean";
 * NULL when none is near (Damerau-Levenshtein distance above a third of the length).
 */
const char *text_nearest(const char *word, const char *const *candidates);

/* Valid UTF-8 without NUL, as RFC 3629 defines it. */
bool text_is_utf8(const char *text, size_t size);
/* A copy with U+FFFD in the place of every byte that is not part of valid UTF-8. Owned by the
 * caller. */
char *text_to_utf8(const char *text);

/* For messages that quote what came from outside, which must not break lines, nor steer a terminal:
 * control characters become blanks, and what is beyond `limit` bytes (at least 3) becomes "...". */
void text_make_printable(char *text, size_t limit);

/* Wipes memory that held a secret; the compiler does not drop it. NULL is allowed. */
void text_wipe(char *text, size_t size);
/* Wipes and frees a NUL-terminated secret. `scoped(secret) char *`. */
void secret_free(char *text);
static inline void secret_cleanup(char **text)
{
	secret_free(*text);
}

#endif
