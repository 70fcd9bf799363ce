/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the PostgreSQL driver share; nobody else includes it. */
#ifndef STACKS_POSTGRES_DRIVER_H
#define STACKS_POSTGRES_DRIVER_H

#include "stacks/postgres_api.h"
#include "stacks/postgres_database.h"

struct postgres_database {
	struct sql_database base;
	const struct postgres_api *pq;
	struct server_options *server;
	PGconn *connection; /* in pipeline mode; NULL: none */
	bool in_transaction;
};

struct postgres_database *postgres_of(struct sql_database *database);

/* Waits for the socket; `events` are poll()'s. LOST and TIMEOUT at the deadline. */
bool postgres_wait(struct postgres_database *postgres, short events, struct error **err);

/* Hooks of the driver: postgres_connect.c */
bool postgres_connect(struct sql_database *database, struct error **err);
void postgres_disconnect(struct sql_database *database);
/* postgres_query.c */
bool postgres_run(struct sql_database *database, const struct sql_statement *statement,
                  const struct sql_value *values, size_t count, struct error **err);
bool postgres_query(struct sql_database *database, const struct sql_statement *statement,
                    const struct sql_value *values, size_t count, sql_row_function *row,
                    void *context, struct error **err);
/* postgres_mark.c */
bool postgres_read_mark(struct sql_database *database, struct sql_mark *mark, struct error **err);
bool postgres_write_mark(struct sql_database *database, const struct sql_mark *mark,
                         struct error **err);
bool postgres_migrate(struct sql_database *database, sql_body *body, void *context,
                      struct error **err);

#endif
