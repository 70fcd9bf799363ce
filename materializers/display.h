/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, sizes and foreign text as people read them on a terminal. */
#ifndef MATERIALIZERS_DISPLAY_H
#define MATERIALIZERS_DISPLAY_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* "4,000 rows", "1 row". Owned by the caller. */
char *display_count(int64_t count, const char *singular, const char *plural);
/* "512 bytes", "1.5 MiB". Owned by the caller. */
char *display_size(int64_t size_bytes);
/* One line of at most `limit` characters, without control characters; ends in '…' when it was cut.
 * Owned by the caller. */
char *display_line(const char *text, size_t size, size_t limit);
/* Text of several lines; control characters, which could command the terminal, are made visible. */
void display_text(const char *text, size_t size, FILE *out);
/* `rows`: array of objects; a column for each of `keys` (NULL at the end), titled in capitals. */
void display_table(const json_t *rows, const char *const *keys, FILE *out);

#endif
