/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of libmariadb that may wait, by its non-blocking side: its own timeouts are whole
 * seconds, and begin anew with every packet. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "stacks/mysql_driver.h"

/*
 * Waits for one of the events `wanted` until the deadline, and gives those that have come. Behind
 * the deadline the connection is cut: TLS does not listen to MYSQL_WAIT_TIMEOUT, and asks on.
 */
static int wait_for(struct mysql_database *mysql, int wanted)
{
	struct pollfd socket = {
		.fd = mysql->api->mysql_get_socket(mysql->connection),
		.events = (short)((wanted & MYSQL_WAIT_READ ? POLLIN : 0) |
		                  (wanted & MYSQL_WAIT_WRITE ? POLLOUT : 0) |
		                  (wanted & MYSQL_WAIT_EXCEPT ? POLLPRI : 0)),
	};
	int ready;

	do
		ready = poll(&socket, 1, (int)sql_time_left_ms(&mysql->base));
	while (ready < 0 && errno == EINTR);
	if (ready > 0)
		return (socket.revents & ~(POLLOUT | POLLPRI) ? wanted & MYSQL_WAIT_READ : 0) |
		       (socket.revents & ~(POLLIN | POLLPRI) ? wanted & MYSQL_WAIT_WRITE : 0) |
		       (socket.revents & ~(POLLIN | POLLOUT) ? wanted & MYSQL_WAIT_EXCEPT : 0);
	mysql->timed_out = true;
	shutdown(socket.fd, SHUT_RDWR);
	return MYSQL_WAIT_TIMEOUT;
}

bool mysql_call_connect(struct mysql_database *mysql, struct error **err)
{
	const struct server_options *server = mysql->server;
	bool local = mysql_is_local(server);
	MYSQL *connected = NULL;
	int wanted = mysql->api->mysql_real_connect_start(
		&connected, mysql->connection, local ? NULL : server->host, server->user,
		server->password, server->database, (unsigned)server->port,
		local ? server->host : NULL, 0);

	while (wanted)
		wanted = mysql->api->mysql_real_connect_cont(&connected, mysql->connection,
		                                             wait_for(mysql, wanted));
	return connected || mysql_fail(mysql, NULL, err);
}

bool mysql_call_query(struct mysql_database *mysql, const char *sql, struct error **err)
{
	int failed = 0;
	int wanted =
		mysql->api->mysql_real_query_start(&failed, mysql->connection, sql, strlen(sql));

	while (wanted)
		wanted = mysql->api->mysql_real_query_cont(&failed, mysql->connection,
		                                           wait_for(mysql, wanted));
	return !failed || mysql_fail(mysql, NULL, err);
}

bool mysql_call_prepare(struct mysql_database *mysql, MYSQL_STMT *statement, const char *sql,
                        struct error **err)
{
	int failed = 0;
	int wanted = mysql->api->mysql_stmt_prepare_start(&failed, statement, sql, strlen(sql));

	while (wanted)
		wanted = mysql->api->mysql_stmt_prepare_cont(&failed, statement,
		                                             wait_for(mysql, wanted));
	return !failed || mysql_fail(mysql, statement, err);
}

static bool store_result(struct mysql_database *mysql, MYSQL_STMT *statement, struct error **err)
{
	int failed = 0;
	int wanted = mysql->api->mysql_stmt_store_result_start(&failed, statement);

	while (wanted)
		wanted = mysql->api->mysql_stmt_store_result_cont(&failed, statement,
		                                                  wait_for(mysql, wanted));
	return !failed || mysql_fail(mysql, statement, err);
}

bool mysql_call_execute(struct mysql_database *mysql, MYSQL_STMT *statement, struct error **err)
{
	int failed = 0;
	int wanted = mysql->api->mysql_stmt_execute_start(&failed, statement);

	while (wanted)
		wanted = mysql->api->mysql_stmt_execute_cont(&failed, statement,
		                                             wait_for(mysql, wanted));
	if (failed)
		return mysql_fail(mysql, statement, err);
	return !mysql->api->mysql_stmt_field_count(statement) ||
	       store_result(mysql, statement, err);
}
