/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses that an answer refers to. */
#ifndef CORE_HTTP_URL_H
#define CORE_HTTP_URL_H

#include <stdbool.h>

/* `reference` (absolute, or relative to `base`) as a whole http or https URL (RFC 3986, 5); its
 * path and query stay as they are written. NULL when it is none. Owned by the caller. */
char *http_url_join(const char *base, const char *reference);

/* Scheme, host and port are the same: what may be told the one may be told the other. */
bool http_url_same_origin(const char *a, const char *b);
/* localhost, 127.0.0.0/8 and ::1: "localhost:5000", "[::1]". */
bool http_host_is_loopback(const char *host);

#endif
