/* SPDX-License-Identifier: Apache-2.0 */
/* MySQL as a driver: its dialect, errors and transactions. */
#include "stacks/mysql_database.h"

#include <inttypes.h>
#include <string.h>

#include "core/clock.h"
#include "core/text.h"
#include "stacks/mysql_driver.h"
#include "stacks/mysql_fault.h"

#define DEFAULT_PORT 3306

/* Whatever the server's defaults are: texts are UTF-8 of up to four bytes, compared by these. */
#define CHARACTERS " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"

static const struct sql_dialect dialect = {
	.integer = "BIGINT",
	.text = "LONGTEXT" CHARACTERS,
	.key = "VARCHAR(191)" CHARACTERS,
	.sequence = "BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY",
	.now = "CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)",
	.lock = " FOR UPDATE",
	.replace = "ON DUPLICATE KEY UPDATE",
	/* What MySQL 8.0.19 has instead, MariaDB has not. */
	.given_before = "VALUES(",
	.given_after = ")",
	.size = "SELECT COALESCE(SUM(data_length + index_length), 0) FROM "
		"information_schema.tables WHERE table_schema = DATABASE()",
	.version = "VERSION()",
	.parameter = '?',
};

struct mysql_database *mysql_of(struct sql_database *database)
{
	return container_of(database, struct mysql_database, base);
}

void *mysql_fail(struct mysql_database *mysql, MYSQL_STMT *statement, struct error **err)
{
	unsigned number = statement ? mysql->api->mysql_stmt_errno(statement)
	                            : mysql->api->mysql_errno(mysql->connection);
	scoped(text) char *message =
		xstrdup(statement ? mysql->api->mysql_stmt_error(statement)
	                          : mysql->api->mysql_error(mysql->connection));
	struct mysql_fault fault = mysql_fault_find(number, message);

	text_make_printable(message, 300);
	if (mysql->timed_out) {
		scoped(text) char *patience = clock_format_duration(mysql->base.patience_ms);

		return sql_fail(&mysql->base, SQL_FAULT_LOST, ERROR_TIMEOUT, err,
		                "the database %s has not answered within %s", mysql->base.name,
		                patience);
	}
	return sql_fail(&mysql->base, fault.fault, fault.kind, err, "the database %s: %s (%u)%s",
	                mysql->base.name, message, number, fault.advice);
}

/* Single statements are transactions of their own. */
static bool mysql_driver_begin(struct sql_database *database, enum sql_mode mode,
                               struct error **err)
{
	struct mysql_database *mysql = mysql_of(database);

	mysql->in_transaction =
		mode != SQL_READ && mysql_call_query(mysql, "START TRANSACTION", err);
	return mode == SQL_READ || mysql->in_transaction;
}

static bool mysql_driver_commit(struct sql_database *database, struct error **err)
{
	struct mysql_database *mysql = mysql_of(database);
	bool done = !mysql->in_transaction || mysql_call_query(mysql, "COMMIT", err);

	mysql->in_transaction &= !done;
	return done;
}

/* A deadlock has ended the transaction on the server already, which does no harm. */
static void mysql_driver_rollback(struct sql_database *database)
{
	struct mysql_database *mysql = mysql_of(database);

	if (mysql->in_transaction && !mysql_call_query(mysql, "ROLLBACK", NULL)) {
		mysql_driver_disconnect(database);
		database->is_connected = false;
	}
	mysql->in_transaction = false;
}

static void mysql_driver_free(struct sql_database *database)
{
	struct mysql_database *mysql = mysql_of(database);

	server_options_free(mysql->server);
	free(mysql);
}

static const struct sql_driver mysql_driver = {
	.name = "MySQL",
	.dialect = &dialect,
	.rows_per_statement = 32,
	.keeps_ddl = true,
	.connect = mysql_driver_connect,
	.disconnect = mysql_driver_disconnect,
	.begin = mysql_driver_begin,
	.commit = mysql_driver_commit,
	.rollback = mysql_driver_rollback,
	.run = mysql_driver_run,
	.query = mysql_driver_query,
	.read_mark = mysql_driver_read_mark,
	.write_mark = mysql_driver_write_mark,
	.migrate = mysql_driver_migrate,
	.free = mysql_driver_free,
};

struct sql_database *mysql_database_new(struct server_options *options, struct error **err)
{
	scoped(server_options) struct server_options *server = options;
	const struct mysql_api *api = mysql_api_load(err);
	struct mysql_database *mysql;

	if (!api || !server_options_check(server, err))
		return NULL;
	mysql = xcalloc(1, sizeof(*mysql));
	server->port = server->port ? server->port : DEFAULT_PORT;
	mysql->base = (struct sql_database){
		.driver = &mysql_driver,
		.name = *server->host == '/'
		                ? text_printf("'%s' at %s", server->database, server->host)
		                : text_printf("'%s' at %s:%" PRId64, server->database, server->host,
		                              server->port),
		.patience_ms = SQL_PATIENCE_MS,
	};
	mysql->api = api;
	mysql->server = take(server);
	return &mysql->base;
}
