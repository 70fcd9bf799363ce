/* SPDX-License-Identifier: Apache-2.0 */
/* What the error numbers of MySQL, MariaDB and their client library mean for a caller. */
#ifndef STACKS_MYSQL_FAULT_H
#define STACKS_MYSQL_FAULT_H

#include "core/error.h"
#include "stacks/sql_database.h"

struct mysql_fault {
	enum sql_fault fault;
	enum error_kind kind;
	const char *advice; /* what to do, to follow the message; "" where there is nothing */
};

/* `message` tells apart what shares one number: the ways in which TLS can fail. */
struct mysql_fault mysql_fault_find(unsigned number, const char *message);

#endif
