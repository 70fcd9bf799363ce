/* SPDX-License-Identifier: Apache-2.0 */
/* What a plain (unquoted) scalar of YAML means, by the core schema of YAML 1.2. */
#ifndef CORE_DOCUMENT_SCALAR_H
#define CORE_DOCUMENT_SCALAR_H

#include <jansson.h>
#include <stdbool.h>

/* null, a bool, a number, or else a string; the caller owns it. NULL with *fault (static) for a
 * number that cannot be kept exactly or is ambiguous. `text` is UTF-8 without NUL. */
json_t *document_scalar_resolve(const char *text, const char **fault);

/* Can `text` stand unquoted on one line, and does every reader (of YAML 1.1 too) take it for this
 * string? False in case of doubt. */
bool document_scalar_is_plain(const char *text);

#endif
