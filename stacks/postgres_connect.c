/* SPDX-License-Identifier: Apache-2.0 */
/* Connections to a PostgreSQL server, within the deadline of the database. */
#include <poll.h>
#include <string.h>

#include "core/clock.h"
#include "core/resolve.h"
#include "core/text.h"
#include "stacks/postgres_driver.h"
#include "stacks/postgres_fault.h"

bool postgres_wait(struct postgres_database *postgres, short events, struct error **err)
{
	struct pollfd socket = { postgres->pq->socket(postgres->connection), events, 0 };
	int64_t left = sql_time_left_ms(&postgres->base);
	scoped(text) char *patience = NULL;

	if (left && poll(&socket, 1, (int)left) != 0)
		return true;
	patience = clock_format_duration(postgres->base.patience_ms);
	return sql_fail(&postgres->base, SQL_FAULT_LOST, ERROR_TIMEOUT, err,
	                "the database %s has not answered within %s", postgres->base.name,
	                patience);
}

static void ignore_notice(void *context, const char *message)
{
	(void)context;
	(void)message;
}

static const char *ssl_mode(const struct server_options *server)
{
	static const char *const names[] = {
		[SERVER_SSL_UNSET] = "verify-full",       [SERVER_SSL_DISABLE] = "disable",
		[SERVER_SSL_REQUIRE] = "require",         [SERVER_SSL_VERIFY_CA] = "verify-ca",
		[SERVER_SSL_VERIFY_FULL] = "verify-full",
	};

	return *server->host == '/' ? "disable" : names[server->ssl_mode];
}

static const char *trusted_ca(const struct server_options *server)
{
	/* With a root certificate, `require` means `verify-ca`: libpq's documentation of sslmode.
	 */
	if (server->ssl_mode == SERVER_SSL_REQUIRE || server->ssl_mode == SERVER_SSL_DISABLE)
		return "/dev/null/none";
	return server->ssl_ca ? server->ssl_ca : server_system_ca();
}

/* The same name for each of the addresses, as libpq wants it. */
static char *repeat_name(const char *host, const char *addresses)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);

	fputs(host, out);
	for (addresses = strchr(addresses, ','); addresses; addresses = strchr(addresses + 1, ','))
		fprintf(out, ",%s", host);
	return text_stream_take(&stream);
}

/* libpq would resolve the name itself, and wait as long as the resolver pleases. Both are NULL for
 * a Unix socket; owned by the caller. */
static bool resolve(struct postgres_database *postgres, char **hosts, char **addresses,
                    struct error **err)
{
	const char *host = postgres->server->host;
	scoped(error) struct error *cause = NULL;

	if (*host == '/')
		return true;
	*addresses = resolve_host(host, postgres->base.deadline_ms, &cause);
	if (*addresses)
		*hosts = repeat_name(host, *addresses);
	else
		sql_fail(&postgres->base, SQL_FAULT_BUSY,
		         cause->kind == ERROR_TIMEOUT ? ERROR_TIMEOUT : ERROR_UNAVAILABLE, err,
		         "connect to the database %s: %s", postgres->base.name, cause->message);
	return *addresses != NULL;
}

/* What is NULL is left to libpq: PGHOST, ~/.pgpass and their like do not count, since all that
 * matters is given. */
static PGconn *start(const struct postgres_database *postgres, const char *hosts,
                     const char *addresses)
{
	const struct server_options *server = postgres->server;
	char port[sizeof("65535")];
	const struct {
		const char *keyword, *value;
	} parameters[] = {
		{ "host", hosts ? hosts : server->host },
		{ "hostaddr", addresses },
		{ "port", port },
		{ "dbname", server->database },
		{ "user", server->user },
		{ "password", server->password },
		{ "sslmode", ssl_mode(server) },
		{ "sslrootcert", trusted_ca(server) },
		{ "sslcert", server->ssl_cert },
		{ "sslkey", server->ssl_key },
		{ "gssencmode", "disable" },
		{ "client_encoding", "UTF8" },
		{ "application_name", "stepop" },
	};
	const char *keywords[ARRAY_SIZE(parameters) + 1], *values[ARRAY_SIZE(parameters) + 1];
	size_t count = 0, i;

	snprintf(port, sizeof(port), "%d", (int)(server->port ? server->port : 5432));
	for (i = 0; i < ARRAY_SIZE(parameters); i++) {
		if (!parameters[i].value)
			continue;
		keywords[count] = parameters[i].keyword;
		values[count++] = parameters[i].value;
	}
	keywords[count] = values[count] = NULL;
	return postgres->pq->connectStartParams(keywords, values, 0);
}

static void *connect_error(struct postgres_database *postgres, struct error **err)
{
	scoped(text) char *reason = NULL;
	struct postgres_fault fault = postgres_fault_of_connect(
		postgres->pq->errorMessage(postgres->connection), &reason);

	text_make_printable(reason, 1000);
	return sql_fail(&postgres->base, fault.fault, fault.kind, err,
	                "connect to the database %s: %s%s", postgres->base.name, reason,
	                fault.advice);
}

static bool shake_hands(struct postgres_database *postgres, struct error **err)
{
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;

	while (status != PGRES_POLLING_OK) {
		if (status == PGRES_POLLING_FAILED)
			return connect_error(postgres, err);
		if (!postgres_wait(postgres, status == PGRES_POLLING_READING ? POLLIN : POLLOUT,
		                   err))
			return false;
		status = postgres->pq->connectPoll(postgres->connection);
	}
	return true;
}

bool postgres_connect(struct sql_database *database, struct error **err)
{
	struct postgres_database *postgres = postgres_of(database);
	const struct postgres_api *pq = postgres->pq;
	scoped(text) char *hosts = NULL, *addresses = NULL;

	if (!resolve(postgres, &hosts, &addresses, err))
		return false;
	postgres->connection = start(postgres, hosts, addresses);
	/* What the server says of a connection that it refuses then begins with its SQLSTATE. */
	pq->setErrorVerbosity(postgres->connection, PQERRORS_VERBOSE);
	pq->setNoticeProcessor(postgres->connection, ignore_notice, NULL);
	if (pq->status(postgres->connection) == CONNECTION_BAD)
		return connect_error(postgres, err);
	if (!shake_hands(postgres, err))
		return false;
	if (pq->setnonblocking(postgres->connection, 1) ||
	    !pq->enterPipelineMode(postgres->connection))
		return connect_error(postgres, err);
	return true;
}

void postgres_disconnect(struct sql_database *database)
{
	struct postgres_database *postgres = postgres_of(database);

	if (postgres->connection)
		postgres->pq->finish(postgres->connection);
	postgres->connection = NULL;
}
