/* SPDX-License-Identifier: Apache-2.0 */
/* What the error numbers of MySQL, MariaDB and their client library mean for a caller. */
#include "stacks/mysql_fault.h"

#include <mariadb/errmsg.h>
#include <mariadb/mysqld_error.h>
#include <string.h>

/* Only MySQL 8 has these (its "Server Error Message Reference"). */
enum {
	MYSQL_ACCOUNT_LOCKED = 3118,
	MYSQL_SECURE_TRANSPORT_REQUIRED = 3159,
	MYSQL_SESSION_WAS_KILLED = 3169,
	MYSQL_CLIENT_INTERACTION_TIMEOUT = 4031,
};

static const char credentials[] =
	"; check user and password of the secret in the option 'authentication_secret'";
static const char grants[] = "; the user needs the rights that docs/metadata.md lists";
static const char full[] = "; close other connections, or raise the server's limit";
static const char tls[] = "; see the options 'ssl_mode' and 'ssl_ca'";
static const char account[] = "; see to the account on the server";
static const char plugin[] =
	"; the user needs an authentication plugin that the client library has, such as "
	"caching_sha2_password, and ssl_mode 'verify-full' if it sends the password itself";
static const char binlog[] = "; set the server's variable binlog_format to 'ROW' or 'MIXED'";
static const char size[] = "; raise the server's variable max_allowed_packet";

static const struct row {
	unsigned number;
	struct mysql_fault fault;
} rows[] = {
	/* All that the transaction did is undone, or will be. */
	{ ER_LOCK_DEADLOCK, { SQL_FAULT_CONFLICT, ERROR_UNAVAILABLE, "" } },
	{ ER_CHECKREAD, { SQL_FAULT_CONFLICT, ERROR_UNAVAILABLE, "" } },
	{ ER_QUERY_INTERRUPTED, { SQL_FAULT_CONFLICT, ERROR_UNAVAILABLE, "" } },
	{ ER_NEED_REPREPARE, { SQL_FAULT_CONFLICT, ERROR_UNAVAILABLE, "" } },

	/* A new connection helps: a server that became read-only has a successor of its name. */
	{ CR_SERVER_GONE_ERROR, { SQL_FAULT_LOST, ERROR_UNAVAILABLE, "" } },
	{ CR_SERVER_LOST, { SQL_FAULT_LOST, ERROR_UNAVAILABLE, "" } },
	{ CR_SERVER_LOST_EXTENDED, { SQL_FAULT_LOST, ERROR_UNAVAILABLE, "" } },
	{ CR_SERVER_HANDSHAKE_ERR, { SQL_FAULT_LOST, ERROR_UNAVAILABLE, "" } },
	{ CR_MALFORMED_PACKET, { SQL_FAULT_LOST, ERROR_UNAVAILABLE, "" } },
	{ CR_STMT_CLOSED, { SQL_FAULT_LOST, ERROR_UNAVAILABLE, "" } },
	{ CR_ERR_NET_READ, { SQL_FAULT_LOST, ERROR_UNAVAILABLE, "" } },
	{ CR_ERR_NET_WRITE, { SQL_FAULT_LOST, ERROR_UNAVAILABLE, "" } },
	{ ER_SERVER_SHUTDOWN, { SQL_FAULT_LOST, ERROR_UNAVAILABLE, "" } },
	{ ER_NORMAL_SHUTDOWN, { SQL_FAULT_LOST, ERROR_UNAVAILABLE, "" } },
	{ ER_CONNECTION_KILLED, { SQL_FAULT_LOST, ERROR_UNAVAILABLE, "" } },
	{ ER_UNKNOWN_STMT_HANDLER, { SQL_FAULT_LOST, ERROR_UNAVAILABLE, "" } },
	{ ER_OPTION_PREVENTS_STATEMENT, { SQL_FAULT_LOST, ERROR_UNAVAILABLE, "" } },
	{ MYSQL_SESSION_WAS_KILLED, { SQL_FAULT_LOST, ERROR_UNAVAILABLE, "" } },
	{ MYSQL_CLIENT_INTERACTION_TIMEOUT, { SQL_FAULT_LOST, ERROR_UNAVAILABLE, "" } },

	{ CR_CONNECTION_ERROR, { SQL_FAULT_BUSY, ERROR_UNAVAILABLE, "" } },
	{ CR_CONN_HOST_ERROR, { SQL_FAULT_BUSY, ERROR_UNAVAILABLE, "" } },
	{ CR_UNKNOWN_HOST, { SQL_FAULT_BUSY, ERROR_UNAVAILABLE, "; see the option 'host'" } },
	{ ER_LOCK_WAIT_TIMEOUT, { SQL_FAULT_BUSY, ERROR_UNAVAILABLE, "" } },
	{ ER_CON_COUNT_ERROR, { SQL_FAULT_BUSY, ERROR_UNAVAILABLE, full } },
	{ ER_TOO_MANY_USER_CONNECTIONS, { SQL_FAULT_BUSY, ERROR_UNAVAILABLE, full } },
	{ ER_USER_LIMIT_REACHED, { SQL_FAULT_BUSY, ERROR_UNAVAILABLE, full } },
	{ ER_MAX_PREPARED_STMT_COUNT_REACHED, { SQL_FAULT_BUSY, ERROR_UNAVAILABLE, full } },
	{ ER_HOST_IS_BLOCKED, { SQL_FAULT_BUSY, ERROR_UNAVAILABLE, "" } },
	{ ER_CANT_CREATE_THREAD, { SQL_FAULT_BUSY, ERROR_UNAVAILABLE, "" } },
	{ ER_DISK_FULL, { SQL_FAULT_OTHER, ERROR_UNAVAILABLE, "; make room on the server" } },
	{ ER_RECORD_FILE_FULL,
	  { SQL_FAULT_OTHER, ERROR_UNAVAILABLE, "; make room on the server" } },

	{ ER_DUP_ENTRY, { SQL_FAULT_DUPLICATE, ERROR_CONFLICT, "" } },
	{ ER_DUP_ENTRY_WITH_KEY_NAME, { SQL_FAULT_DUPLICATE, ERROR_CONFLICT, "" } },
	{ ER_TABLE_EXISTS_ERROR, { SQL_FAULT_EXISTS, ERROR_CONFLICT, "" } },
	{ ER_DUP_FIELDNAME, { SQL_FAULT_EXISTS, ERROR_CONFLICT, "" } },
	{ ER_DUP_KEYNAME, { SQL_FAULT_EXISTS, ERROR_CONFLICT, "" } },

	{ ER_ACCESS_DENIED_ERROR, { SQL_FAULT_OTHER, ERROR_AUTH, credentials } },
	{ ER_ACCESS_DENIED_NO_PASSWORD_ERROR, { SQL_FAULT_OTHER, ERROR_AUTH, credentials } },
	{ ER_HOST_NOT_PRIVILEGED, { SQL_FAULT_OTHER, ERROR_AUTH, account } },
	{ ER_MUST_CHANGE_PASSWORD, { SQL_FAULT_OTHER, ERROR_AUTH, account } },
	{ ER_MUST_CHANGE_PASSWORD_LOGIN, { SQL_FAULT_OTHER, ERROR_AUTH, account } },
	{ ER_ACCOUNT_HAS_BEEN_LOCKED, { SQL_FAULT_OTHER, ERROR_AUTH, account } },
	{ MYSQL_ACCOUNT_LOCKED, { SQL_FAULT_OTHER, ERROR_AUTH, account } },
	{ ER_DBACCESS_DENIED_ERROR, { SQL_FAULT_OTHER, ERROR_AUTH, grants } },
	{ ER_TABLEACCESS_DENIED_ERROR, { SQL_FAULT_OTHER, ERROR_AUTH, grants } },
	{ ER_COLUMNACCESS_DENIED_ERROR, { SQL_FAULT_OTHER, ERROR_AUTH, grants } },
	{ ER_SPECIFIC_ACCESS_DENIED_ERROR, { SQL_FAULT_OTHER, ERROR_AUTH, grants } },
	{ ER_NOT_SUPPORTED_AUTH_MODE, { SQL_FAULT_OTHER, ERROR_AUTH, plugin } },
	{ CR_AUTH_PLUGIN_CANNOT_LOAD, { SQL_FAULT_OTHER, ERROR_AUTH, plugin } },
	{ CR_AUTH_PLUGIN_ERR, { SQL_FAULT_OTHER, ERROR_AUTH, plugin } },
	{ CR_PLUGIN_NOT_ALLOWED, { SQL_FAULT_OTHER, ERROR_AUTH, plugin } },
	{ MYSQL_SECURE_TRANSPORT_REQUIRED, { SQL_FAULT_OTHER, ERROR_AUTH, tls } },
	{ ER_BINLOG_STMT_MODE_AND_ROW_ENGINE, { SQL_FAULT_OTHER, ERROR_INVALID, binlog } },
	{ ER_BAD_DB_ERROR,
	  { SQL_FAULT_OTHER, ERROR_NOT_FOUND,
	    "; create it, or give another one in the option 'database'" } },
	{ ER_NET_PACKET_TOO_LARGE, { SQL_FAULT_OTHER, ERROR_INVALID, size } },
	{ CR_NET_PACKET_TOO_LARGE, { SQL_FAULT_OTHER, ERROR_INVALID, size } },
};

/* The client library has one number for all of TLS, and OpenSSL's words (X509_verify(3)). */
static const struct {
	const char *part;
	struct mysql_fault fault;
} tls_rows[] = {
	{ "Validation of SSL server certificate",
	  { SQL_FAULT_OTHER, ERROR_INVALID,
	    ": it is not made for this host; give the name that it has in the option 'host'" } },
	{ "expired",
	  { SQL_FAULT_OTHER, ERROR_INVALID,
	    "; have the server's certificate renewed, and see whether this machine's clock is "
	    "right" } },
	{ "not yet valid",
	  { SQL_FAULT_OTHER, ERROR_INVALID, "; see whether this machine's clock is right" } },
	{ "certificate",
	  { SQL_FAULT_OTHER, ERROR_INVALID,
	    "; give the certificate of the server's authority in the option 'ssl_ca'" } },
	{ "does not support",
	  { SQL_FAULT_OTHER, ERROR_INVALID,
	    "; a server within a trusted network can be used without by 'ssl_mode=disable'" } },
};

struct mysql_fault mysql_fault_find(unsigned number, const char *message)
{
	size_t i;

	for (i = 0; number == CR_SSL_CONNECTION_ERROR && i < ARRAY_SIZE(tls_rows); i++)
		if (strstr(message, tls_rows[i].part))
			return tls_rows[i].fault;
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].number == number)
			return rows[i].fault;
	/* A handshake that was cut off. */
	if (number == CR_SSL_CONNECTION_ERROR)
		return (struct mysql_fault){ SQL_FAULT_LOST, ERROR_UNAVAILABLE, tls };
	return (struct mysql_fault){ SQL_FAULT_OTHER, ERROR_INTERNAL, "" };
}
