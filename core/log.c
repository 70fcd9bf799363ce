/* SPDX-License-Identifier: Apache-2.0 */
/* Debug lines on stderr. */
#include "core/log.h"

#include <stdarg.h>
#include <stdio.h>

static bool debug;

void log_set_debug(bool on)
{
	debug = on;
}

void log_debug(const char *format, ...)
{
	va_list args;

	if (!debug)
		return;
	va_start(args, format);
	fputs("debug: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}
