/* SPDX-License-Identifier: Apache-2.0 */
/* A step's log file as it grows, copied line by line behind the step's name. */
#ifndef CLI_LOG_TAIL_H
#define CLI_LOG_TAIL_H

#include <stdbool.h>
#include <stdio.h>

#include "core/error.h"

struct log_tail;

/* The file need not exist yet. `label` NULL: bytes as they are; otherwise whole lines, each behind
 * "label | ". Texts are copied. */
struct log_tail *log_tail_new(const char *path, const char *label);
void log_tail_free(struct log_tail *tail);
DEFINE_CLEANUP(log_tail);

const char *log_tail_path(const struct log_tail *tail); /* borrowed */

/* Copies what came since the last time. `last`: nothing follows, so a line without an end is
 * copied too. NOT_FOUND when the file does not exist and `last` is set. */
bool log_tail_copy(struct log_tail *tail, bool last, FILE *out, struct error **err);

#endif
