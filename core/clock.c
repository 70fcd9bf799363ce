/* SPDX-License-Identifier: Apache-2.0 */
/* Wall-clock time as text, and durations as users write them. */
#include "core/clock.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/memory.h"
#include "core/text.h"

int64_t clock_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

char *clock_format(int64_t at_ms)
{
	time_t seconds = at_ms / 1000;
	struct tm parts;

	gmtime_r(&seconds, &parts);
	return text_printf("%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900,
	                   parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
	                   parts.tm_sec, (int)(at_ms % 1000));
}

/* ".250" to 250; digits beyond the third are dropped. */
static const char *parse_fraction(const char *text, int64_t *milliseconds)
{
	int64_t weight = 100;

	*milliseconds = 0;
	if (*text != '.')
		return text;
	for (text++; isdigit((unsigned char)*text); text++, weight /= 10)
		*milliseconds += (*text - '0') * weight;
	return text;
}

static bool parse_offset(const char *text, int64_t *offset_ms)
{
	int hours, minutes, end = 0;

	*offset_ms = 0;
	if (!strcmp(text, "Z") || !strcmp(text, "z"))
		return true;
	if ((*text != '+' && *text != '-') || !isdigit((unsigned char)text[1]))
		return false;
	if (sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &end) != 2 || text[1 + end])
		return false;
	*offset_ms = (*text == '-' ? -1 : 1) * (int64_t)(hours * 60 + minutes) * 60000;
	return true;
}

bool clock_parse(const char *text, int64_t *at_ms)
{
	struct tm parts = { 0 };
	int64_t milliseconds, offset_ms;
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);

	if (!rest)
		return false;
	rest = parse_fraction(rest, &milliseconds);
	if (!parse_offset(rest, &offset_ms))
		return false;
	*at_ms = (int64_t)timegm(&parts) * 1000 + milliseconds - offset_ms;
	return true;
}

bool clock_parse_http(const char *text, int64_t *at_ms)
{
	struct tm parts = { 0 };
	const char *rest = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &parts);

	if (!rest || *rest)
		return false;
	*at_ms = (int64_t)timegm(&parts) * 1000;
	return true;
}

char *clock_format_duration(int64_t duration_ms)
{
	int64_t seconds = duration_ms / 1000;

	if (duration_ms < 1000)
		return text_printf("%" PRId64 "ms", duration_ms < 0 ? 0 : duration_ms);
	if (seconds < 60)
		return text_printf("%.1fs", (double)duration_ms / 1000);
	if (seconds < 3600)
		return text_printf("%" PRId64 "m %02" PRId64 "s", seconds / 60, seconds % 60);
	return text_printf("%" PRId64 "h %02" PRId64 "m", seconds / 3600, seconds / 60 % 60);
}

bool clock_parse_duration(const char *text, int64_t *duration_ms)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = {
		{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 }
	};
	size_t digits = strspn(text, "0123456789"), i;
	scoped(text) char *number = xstrndup(text, digits);
	int64_t value;

	for (i = 0; i < ARRAY_SIZE(units); i++)
		if (!strcmp(text + digits, units[i].unit))
			break;
	if (i == ARRAY_SIZE(units) || !text_to_int64(number, 0, INT64_MAX / units[i].ms, &value))
		return false;
	*duration_ms = value * units[i].ms;
	return true;
}
