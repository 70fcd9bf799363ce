/* SPDX-License-Identifier: Apache-2.0 */
/* Wall-clock time as text, and durations as users write them. */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Milliseconds since the epoch. */
int64_t clock_now_ms(void);
/* "2026-11-21T09:30:01.250Z"; owned by the caller. */
char *clock_format(int64_t at_ms);
/* RFC 3339 with any fraction and offset; false when it is not. */
bool clock_parse(const char *text, int64_t *at_ms);
/* "Sun, 06 Nov 1994 08:49:37 GMT", as HTTP's Date header has it; false when it is not. */
bool clock_parse_http(const char *text, int64_t *at_ms);
/* "1h 2m", "42.1s", "350ms": for people; owned by the caller. */
char *clock_format_duration(int64_t duration_ms);
/* "10s", "5m", "2h", "1d", "250ms"; false when it is not, or negative. */
bool clock_parse_duration(const char *text, int64_t *duration_ms);

#endif
