/* SPDX-License-Identifier: Apache-2.0 */
/* A database on a MySQL 8 or MariaDB 10.11 server, by libmariadb. */
#ifndef STACKS_MYSQL_DATABASE_H
#define STACKS_MYSQL_DATABASE_H

#include "stacks/server_options.h"
#include "stacks/sql_database.h"

/* Does not connect yet. The options are taken over, also on failure. */
struct sql_database *mysql_database_new(struct server_options *options, struct error **err);

/* mysql://USER@HOST:PORT/DATABASE?ssl_mode=…&ssl_ca=… into `options`, where they are not given
 * yet. INVALID for what else it holds, a password above all. */
bool mysql_parse_url(const char *url, struct server_options *options, struct error **err);

#endif
