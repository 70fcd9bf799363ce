/* SPDX-License-Identifier: Apache-2.0 */
/* What `stepop stack check` found out: one line for each thing that was tried for real. */
#ifndef STACKS_PROBE_H
#define STACKS_PROBE_H

#include <jansson.h>
#include <stdbool.h>

#include "core/error.h"
#include "stacks/component.h"

/*
 * Every flavor may have a hook that adds lines: what it tried, what it found, what to do about it.
 * A hook tries everything that can be tried, also after a fault, undoes what it did, and ends by
 * the deadline that its http client has (http_client_set_deadline()). No value of a secret is ever
 * in a line.
 */
struct probe_report;

/* Called with each line as soon as it is known. */
typedef void probe_listener(void *context, const json_t *line);

/* `listener` may be NULL. */
struct probe_report *probe_report_new(probe_listener *listener, void *context);
void probe_report_free(struct probe_report *report);
DEFINE_CLEANUP(probe_report);

/* The lines that follow are about this one; before the first: about the stack as a whole. */
void probe_begin(struct probe_report *report, enum component_type type, const char *name);

/* `what` is one or two words: "bucket", "API server". The text is one line. */
void probe_ok(struct probe_report *report, const char *what, const char *format, ...)
	__attribute__((__format__(__printf__, 3, 4)));
/* It works, or it may; `advice` (or NULL) says what to do to be sure. */
void probe_warning(struct probe_report *report, const char *what, const char *advice,
                   const char *format, ...) __attribute__((__format__(__printf__, 4, 5)));
/* It does not work, for the reason in `error` (borrowed); `advice` may be NULL: errors often have
 * their own. */
void probe_fault(struct probe_report *report, const char *what, const char *advice,
                 const struct error *error);

/*
 * All lines, in order: objects of "component" ("artifact-store/s3_store", or null), "what",
 * "result" ("ok", "warning", "fault"), "text", "advice" (or null) and of faults "kind"
 * (error_kind as a number). Borrowed.
 */
const json_t *probe_report_lines(const struct probe_report *report);
/* True when nothing is a fault. Otherwise how many are, with the kind of the worst: AUTH, then
 * NOT_FOUND, then INVALID, then any other. */
bool probe_report_check(const struct probe_report *report, struct error **err);

#endif
