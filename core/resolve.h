/* SPDX-License-Identifier: Apache-2.0 */
/* The addresses of a host, within a deadline: the resolver alone waits as long as the machine's
 * configuration says, ten seconds and more. */
#ifndef CORE_RESOLVE_H
#define CORE_RESOLVE_H

#include <stdint.h>

#include "core/error.h"

/*
 * Numeric addresses, each once, separated by commas, in the order in which they should be tried
 * (RFC 6724); a numeric address is its own. Waits until `deadline_ms` (loop_now_ms()), then
 * TIMEOUT; NOT_FOUND when there is no such host, UNAVAILABLE when that cannot be told now. Owned by
 * the caller.
 */
char *resolve_host(const char *host, int64_t deadline_ms, struct error **err);

#endif
