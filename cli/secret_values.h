/* SPDX-License-Identifier: Apache-2.0 */
/* The values of a secret as the command line gives them: text, @file, standard input, a prompt. */
#ifndef CLI_SECRET_VALUES_H
#define CLI_SECRET_VALUES_H

#include <jansson.h>

#include "core/error.h"

/*
 * `open` is argument_open(). On a terminal, keys that `schema` (or NULL) needs and that are
 * missing are asked for. An object of strings, to be released with secret_values_free(); NULL and
 * *err, which never has a value in it.
 */
json_t *secret_values_read(const json_t *open, const char *schema, struct error **err);
/* Wipes the texts in place, once they are no longer needed. */
void secret_values_wipe(const json_t *open);

#endif
