/* SPDX-License-Identifier: Apache-2.0 */
/* Asks a person for a secret, without echo. */
#ifndef CLI_PROMPT_H
#define CLI_PROMPT_H

#include <stdbool.h>

#include "core/error.h"

/* Somebody sits there: standard input and standard error are a terminal. */
bool prompt_is_possible(void);
/* Owned by the caller (secret_free). CANCELLED at the end of input. A signal that ends the process
 * leaves the terminal as it was. */
char *prompt_secret(const char *label, struct error **err);

#endif
