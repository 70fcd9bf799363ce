/* SPDX-License-Identifier: Apache-2.0 */
/* Why something failed: one kind that says what the caller can do, and a chain of reasons. */
#ifndef CORE_ERROR_H
#define CORE_ERROR_H

#include <stdbool.h>
#include <stdio.h>

#include "core/memory.h"

/* Only UNAVAILABLE and TIMEOUT are worth a retry. cli/main.c maps kinds to exit statuses. */
enum error_kind {
	ERROR_INTERNAL,    /* a fault that fits nowhere below, I/O on this machine included */
	ERROR_USAGE,       /* the command line makes no sense */
	ERROR_INVALID,     /* a file, a configuration or a request that is wrong in itself */
	ERROR_AUTH,        /* not authenticated, or not permitted */
	ERROR_NOT_FOUND,   /* what was named does not exist */
	ERROR_CONFLICT,    /* it exists already, or somebody else changed it */
	ERROR_UNAVAILABLE, /* the other side cannot be reached or is overloaded */
	ERROR_TIMEOUT,     /* no answer within the time that was given */
	ERROR_CANCELLED,   /* stopped on request */
	ERROR_INTERRUPTED, /* by SIGINT */
	ERROR_TERMINATED,  /* by SIGTERM */
	ERROR_RUN_FAILED,  /* the run was carried out, and failed */
	ERROR_GONE,        /* HTTP 410: a watch's resourceVersion is too old; list again */
	ERROR_UNSUPPORTED, /* the other side does not do it this way; another way may do */
};

struct error {
	enum error_kind kind;
	char *message;       /* lower case, no full stop */
	struct error *cause; /* owned; NULL at the end of the chain */
};

/*
 * A fallible function takes `struct error **err` last. `err` may be NULL if the caller does not
 * care. On failure *err, which must be NULL before, is set; on success it is untouched. Both
 * functions return NULL, so that functions returning bool or a pointer `return` them.
 */
void *error_set(struct error **err, enum error_kind kind, const char *format, ...)
	__attribute__((__format__(__printf__, 3, 4)));

/* Puts a purpose in front of the reason in *err; the kind is kept. */
void *error_wrap(struct error **err, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));

/* Hands over `error` (owned, may be NULL) to *err, or frees it when `err` is NULL. */
void *error_pass(struct error **err, struct error *error);

/* A deep copy. `error` may be NULL. */
struct error *error_copy(const struct error *error);

/* NULL is allowed. Frees the whole chain. */
void error_free(struct error *error);
DEFINE_CLEANUP(error);

/* "outer: inner: innermost", as it is shown to people. Owned by the caller. */
char *error_text(const struct error *error);
void error_render(const struct error *error, FILE *out);

bool error_is_retryable(const struct error *error);

#endif
