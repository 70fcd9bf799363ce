/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the MySQL driver share; nobody else includes it. */
#ifndef STACKS_MYSQL_DRIVER_H
#define STACKS_MYSQL_DRIVER_H

#include "stacks/mysql_api.h"
#include "stacks/mysql_database.h"

struct mysql_database {
	struct sql_database base;
	const struct mysql_api *api;
	struct server_options *server;
	MYSQL *connection;                           /* NULL: none */
	MYSQL_STMT *statements[SQL_STATEMENT_LIMIT]; /* prepared when first needed */
	bool in_transaction;
	bool timed_out;       /* the deadline has cut the connection */
	int64_t packet_bytes; /* what the server takes at most; 0: not asked yet */
};

struct mysql_database *mysql_of(struct sql_database *database);

/* By a Unix socket, where there is no TLS. */
static inline bool mysql_is_local(const struct server_options *server)
{
	return *server->host == '/';
}

/* Tells the last failure of the connection, or of `statement` unless it is NULL; NULL. */
void *mysql_fail(struct mysql_database *mysql, MYSQL_STMT *statement, struct error **err);

/* mysql_call.c: the calls of the library that may wait, by the deadline of the database. */
bool mysql_call_connect(struct mysql_database *mysql, struct error **err);
/* Of a statement that gives no rows. */
bool mysql_call_query(struct mysql_database *mysql, const char *sql, struct error **err);
bool mysql_call_prepare(struct mysql_database *mysql, MYSQL_STMT *statement, const char *sql,
                        struct error **err);
/* Also fetches the whole result. */
bool mysql_call_execute(struct mysql_database *mysql, MYSQL_STMT *statement, struct error **err);

/* Hooks of the driver: mysql_connect.c */
bool mysql_driver_connect(struct sql_database *database, struct error **err);
void mysql_driver_disconnect(struct sql_database *database);
/* mysql_statement.c */
bool mysql_driver_run(struct sql_database *database, const struct sql_statement *statement,
                      const struct sql_value *values, size_t count, struct error **err);
bool mysql_driver_query(struct sql_database *database, const struct sql_statement *statement,
                        const struct sql_value *values, size_t count, sql_row_function *row,
                        void *context, struct error **err);
/* mysql_mark.c */
bool mysql_driver_read_mark(struct sql_database *database, struct sql_mark *mark,
                            struct error **err);
bool mysql_driver_write_mark(struct sql_database *database, const struct sql_mark *mark,
                             struct error **err);
bool mysql_driver_migrate(struct sql_database *database, sql_body *body, void *context,
                          struct error **err);

#endif
