/* SPDX-License-Identifier: Apache-2.0 */
/* Debug lines on stderr, for `-v -v`; everything that users need is said by cli/. */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include <stdbool.h>

void log_set_debug(bool on);
/* Never pass a secret, a header or a body. */
void log_debug(const char *format, ...) __attribute__((__format__(__printf__, 1, 2)));

#endif
