/* SPDX-License-Identifier: Apache-2.0 */
/* A run as it goes: a live table on a terminal, plain lines or JSON lines elsewhere; and its
 * summary. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>

#include "cli/command.h"
#include "operator/run.h"

struct progress;

/* By --progress, --quiet, --verbose, --no-color, NO_COLOR, TERM and what stderr is. Writes to
 * stderr. */
struct progress *progress_new(const struct arguments *arguments);
void progress_free(struct progress *progress);
DEFINE_CLEANUP(progress);

/* The first lines: what is run, where. */
void progress_begin(struct progress *progress, const struct run *run);
/* Give it to run_execute() with the progress as context. */
const struct run_observer *progress_observer(const struct progress *progress);
/* Clears the way for what is printed next. */
void progress_end(struct progress *progress, const struct run *run);

/* Steps, artifacts, small values: to `out` as --output says. */
bool summary_print(const struct run *run, enum output_format format, FILE *out, struct error **err);
/* Tracebacks, Kubernetes' texts and advice of the steps that failed: to stderr. */
void summary_print_failures(const struct run *run, FILE *out);

#endif
