/* SPDX-License-Identifier: Apache-2.0 */
/* A database on a PostgreSQL server, by libpq. */
#ifndef STACKS_POSTGRES_DATABASE_H
#define STACKS_POSTGRES_DATABASE_H

#include "stacks/server_options.h"
#include "stacks/sql_database.h"

/*
 * Does not connect yet. The options are taken over, also on failure. Nothing is kept on the server
 * beyond a transaction (no prepared statements), so that a pooler may stand before it.
 */
struct sql_database *postgres_database_new(struct server_options *options, struct error **err);

/* INVALID unless it is a URL, and for one with a password, which is never quoted. */
bool postgres_check_url(const char *url, struct error **err);
/* postgresql://USER@HOST:PORT/DATABASE?sslmode=…&sslrootcert=… into `options`, where they are not
 * given yet. INVALID for what else it holds, a password above all. */
bool postgres_parse_url(const char *url, struct server_options *options, struct error **err);

#endif
