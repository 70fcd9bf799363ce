/* SPDX-License-Identifier: Apache-2.0 */
/* Another program, run to its end for what it prints: credential plugins and helpers. */
#ifndef CORE_CHILD_H
#define CORE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

/* Everything is borrowed. */
struct child_command {
	/* The program, by PATH unless it has a slash, and its arguments; NULL at the end. */
	const char *const *arguments;
	const char *const *environment; /* "NAME=value", NULL at the end; NULL: ours */
	const char *input;              /* its standard input; NULL: none */
	int64_t timeout_ms;
	size_t output_limit_bytes; /* more than that is an error */
	bool output_complains;     /* when it fails, its last words are what it printed */
};

/*
 * What it printed: owned by the caller, NUL-terminated, a secret maybe (secret_free); `*size` may
 * be NULL. It is killed when its time is over, or its output too long. Errors read after the
 * program's name and end with its last words: "failed with exit status 2: no such user". NOT_FOUND:
 * there is no such program; TIMEOUT; else AUTH, since who is asked here knows who we are.
 */
char *child_output(const struct child_command *command, size_t *size, struct error **err);

#endif
