/* SPDX-License-Identifier: Apache-2.0 */
/* What the errors of PostgreSQL and of its client library mean for a caller. */
#ifndef STACKS_POSTGRES_FAULT_H
#define STACKS_POSTGRES_FAULT_H

#include "core/error.h"
#include "stacks/sql_database.h"

struct postgres_fault {
	enum sql_fault fault;
	enum error_kind kind;
	const char *advice; /* what to do, to follow the message; "" where there is nothing */
};

/* By SQLSTATE (PostgreSQL's documentation, appendix A). */
struct postgres_fault postgres_fault_find(const char *state);

/*
 * Of an attempt to connect, libpq gives a text alone: one line for each address, the server's own
 * with its SQLSTATE when the verbosity was PQERRORS_VERBOSE. `*reason` is the last one's, without
 * what libpq puts around it; owned by the caller.
 */
struct postgres_fault postgres_fault_of_connect(const char *text, char **reason);

#endif
