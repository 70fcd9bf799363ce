/* SPDX-License-Identifier: Apache-2.0 */
/* Connections to a MySQL or MariaDB server: what is asked of the server, of TLS, of the session. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/resolve.h"
#include "core/text.h"
#include "stacks/mysql_driver.h"

/* The stack of the calls that wait: TLS and the resolver of names run on it. */
#define CALL_STACK_BYTES ((size_t)256 * 1024)

/* From this release on a certificate is not looked at unless its name is to be right, too: then
 * 'verify-ca' is no less strict than 'verify-full'. */
#define TLS_VERIFIES_LATE 30400

/*
 * Wrong or truncated values are refused, whatever the server is set to; times are UTC; statements
 * do not lock what they do not find; who waits for a lock is told before the call's time is over.
 */
static const char *const session[] = {
	"SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', "
	"default_storage_engine = InnoDB, innodb_lock_wait_timeout = 2, autocommit = 1",
	"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
};

static void set_option(struct mysql_database *mysql, enum mysql_option option, const void *value)
{
	mysql->api->mysql_optionsv(mysql->connection, option, value);
}

/*
 * A server that is not the right one must get neither files of this machine nor, unless it has
 * proven who it is, the password itself.
 */
static void distrust_server(struct mysql_database *mysql, bool is_verified)
{
	unsigned no = 0;

	set_option(mysql, MYSQL_OPT_LOCAL_INFILE, &no);
	set_option(mysql, MARIADB_OPT_RESTRICTED_AUTH,
	           is_verified ? "mysql_native_password,caching_sha2_password,client_ed25519,"
	                         "sha256_password,mysql_clear_password"
	                       : "mysql_native_password,caching_sha2_password,client_ed25519,"
	                         "sha256_password");
}

static bool set_certificates(struct mysql_database *mysql, bool verify, struct error **err)
{
	const struct server_options *server = mysql->server;
	const char *ca = server->ssl_ca ? server->ssl_ca : server_system_ca();
	const struct {
		enum mysql_option option;
		const char *name, *path;
	} files[] = {
		/* Given a certificate authority, the library verifies. */
		{ MYSQL_OPT_SSL_CA, "ssl_ca", verify ? ca : NULL },
		{ MYSQL_OPT_SSL_CERT, "ssl_cert", server->ssl_cert },
		{ MYSQL_OPT_SSL_KEY, "ssl_key", server->ssl_key },
	};
	size_t i;

	if (verify && !ca)
		return sql_fail(&mysql->base, SQL_FAULT_OTHER, ERROR_INVALID, err,
		                "no certificate authorities are installed on this machine, to "
		                "verify the server of the database %s: give its authority's "
		                "certificate in the option 'ssl_ca'",
		                mysql->base.name);
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		if (!files[i].path)
			continue;
		if (access(files[i].path, R_OK))
			return sql_fail(&mysql->base, SQL_FAULT_OTHER, ERROR_INVALID, err,
			                "read '%s', which is '%s' of the database %s: %s",
			                files[i].path, files[i].name, mysql->base.name,
			                strerror(errno));
		set_option(mysql, files[i].option, files[i].path);
	}
	return true;
}

static bool set_tls(struct mysql_database *mysql, struct error **err)
{
	const struct server_options *server = mysql->server;
	enum server_ssl_mode mode =
		server->ssl_mode == SERVER_SSL_UNSET ? SERVER_SSL_VERIFY_FULL : server->ssl_mode;
	bool late = mysql->api->mysql_get_client_version() >= TLS_VERIFIES_LATE;
	my_bool encrypt = mode != SERVER_SSL_DISABLE && !mysql_is_local(server);
	my_bool verify = encrypt && mode >= SERVER_SSL_VERIFY_CA;
	my_bool verify_name = verify && (mode == SERVER_SSL_VERIFY_FULL || late);

	set_option(mysql, MYSQL_OPT_SSL_ENFORCE, &encrypt);
	set_option(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify_name);
	distrust_server(mysql, verify);
	return !encrypt || set_certificates(mysql, verify, err);
}

/* The library's own timeouts, in seconds, are for the handshake of TLS alone: it blocks. */
static void set_timeouts(struct mysql_database *mysql)
{
	unsigned seconds = (unsigned)((sql_time_left_ms(&mysql->base) + 999) / 1000);

	seconds = seconds ? seconds : 1;
	set_option(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
	set_option(mysql, MYSQL_OPT_READ_TIMEOUT, &seconds);
	set_option(mysql, MYSQL_OPT_WRITE_TIMEOUT, &seconds);
}

static void set_session(struct mysql_database *mysql)
{
	unsigned protocol =
		mysql_is_local(mysql->server) ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
	size_t stack = CALL_STACK_BYTES, i;

	set_option(mysql, MYSQL_OPT_NONBLOCK, &stack);
	set_option(mysql, MYSQL_OPT_PROTOCOL, &protocol);
	set_option(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	for (i = 0; i < ARRAY_SIZE(session); i++)
		set_option(mysql, MYSQL_INIT_COMMAND, session[i]);
}

/* libmariadb looks the name up itself, for it wants the one of the certificate, and waits as long
 * as the resolver pleases: it is not let do so unless the name can be looked up now. */
static bool check_host(struct mysql_database *mysql, struct error **err)
{
	scoped(error) struct error *cause = NULL;
	scoped(text) char *addresses = NULL;

	if (mysql_is_local(mysql->server))
		return true;
	addresses = resolve_host(mysql->server->host, mysql->base.deadline_ms, &cause);
	return addresses ||
	       sql_fail(&mysql->base, SQL_FAULT_BUSY,
	                cause->kind == ERROR_TIMEOUT ? ERROR_TIMEOUT : ERROR_UNAVAILABLE, err,
	                "connect to the database %s: %s", mysql->base.name, cause->message);
}

bool mysql_driver_connect(struct sql_database *database, struct error **err)
{
	struct mysql_database *mysql = mysql_of(database);
	int fd;

	mysql->timed_out = false;
	if (!check_host(mysql, err))
		return false;
	mysql->connection = mysql->api->mysql_init(NULL);
	set_session(mysql);
	set_timeouts(mysql);
	if (!set_tls(mysql, err) || !mysql_call_connect(mysql, err))
		return false;
	/* TLS reads wait within OpenSSL unless the socket forbids it. */
	fd = mysql->api->mysql_get_socket(mysql->connection);
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC))
		return sql_fail(database, SQL_FAULT_OTHER, ERROR_INTERNAL, err,
		                "the connection to the database %s: %s", database->name,
		                strerror(errno));
	return true;
}

/* A closed connection leaves its statements behind, to be freed without a word to the server. */
void mysql_driver_disconnect(struct sql_database *database)
{
	struct mysql_database *mysql = mysql_of(database);
	size_t i;

	if (mysql->connection)
		mysql->api->mysql_close(mysql->connection);
	mysql->connection = NULL;
	for (i = 0; i < SQL_STATEMENT_LIMIT; i++) {
		if (mysql->statements[i])
			mysql->api->mysql_stmt_close(mysql->statements[i]);
		mysql->statements[i] = NULL;
	}
	mysql->in_transaction = false;
	mysql->packet_bytes = 0;
}
