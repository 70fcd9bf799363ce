/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite as a driver: its errors, transactions and statements. */
#include <errno.h>
#include <string.h>

#include "core/text.h"
#include "stacks/sqlite_driver.h"

static const struct sql_dialect dialect = {
	.integer = "INTEGER",
	.text = "TEXT",
	.key = "TEXT",
	.sequence = "INTEGER PRIMARY KEY AUTOINCREMENT",
	/* unixepoch('subsec') came with 3.42 only. */
	.now = "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)",
	.lock = "",
	.replace = "ON CONFLICT ({keys}) DO UPDATE SET",
	.given_before = "excluded.",
	.given_after = "",
	.size = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
	.version = "sqlite_version()",
	.parameter = '?',
};

struct sqlite_database *sqlite_of(struct sql_database *database)
{
	return container_of(database, struct sqlite_database, base);
}

static void *open_error(struct sqlite_database *sqlite, struct error **err)
{
	int number = sqlite3_system_errno(sqlite->connection);

	return sql_fail(&sqlite->base, SQL_FAULT_OTHER,
	                number == EACCES || number == EPERM ? ERROR_AUTH : ERROR_INTERNAL, err,
	                "open the database %s: %s", sqlite->base.name,
	                number ? strerror(number) : sqlite3_errmsg(sqlite->connection));
}

static void *constraint_error(struct sqlite_database *sqlite, struct error **err)
{
	int code = sqlite3_extended_errcode(sqlite->connection);
	bool twice = code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY;

	return sql_fail(&sqlite->base, twice ? SQL_FAULT_DUPLICATE : SQL_FAULT_OTHER,
	                twice ? ERROR_CONFLICT : ERROR_INTERNAL, err, "the database %s: %s",
	                sqlite->base.name, sqlite3_errmsg(sqlite->connection));
}

void *sqlite_fail(struct sqlite_database *sqlite, struct error **err)
{
	const char *message = sqlite3_errmsg(sqlite->connection), *name = sqlite->base.name;
	struct sql_database *base = &sqlite->base;

	switch (sqlite3_errcode(sqlite->connection)) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return sql_fail(base, SQL_FAULT_BUSY, ERROR_UNAVAILABLE, err,
		                "the database %s is busy: another process has held it for %d s",
		                name, (int)(base->patience_ms / 1000));
	case SQLITE_NOTADB:
		return sql_fail(base, SQL_FAULT_OTHER, ERROR_INVALID, err,
		                "%s is not an SQLite database", name);
	case SQLITE_CORRUPT:
		return sql_fail(base, SQL_FAULT_OTHER, ERROR_INVALID, err,
		                "the database %s is damaged: %s", name, message);
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return sql_fail(base, SQL_FAULT_OTHER, ERROR_AUTH, err,
		                "the database %s cannot be written: %s", name, message);
	case SQLITE_CANTOPEN:
		return open_error(sqlite, err);
	case SQLITE_CONSTRAINT:
		return constraint_error(sqlite, err);
	default:
		return sql_fail(base, SQL_FAULT_OTHER, ERROR_INTERNAL, err, "the database %s: %s",
		                name, message);
	}
}

bool sqlite_execute(struct sqlite_database *sqlite, const char *sql, struct error **err)
{
	if (sqlite3_exec(sqlite->connection, sql, NULL, NULL, NULL) != SQLITE_OK)
		return sqlite_fail(sqlite, err);
	return true;
}

static bool sqlite_connect(struct sql_database *database, struct error **err)
{
	struct sqlite_database *sqlite = sqlite_of(database);

	if (sqlite3_open_v2(sqlite->path, &sqlite->connection,
	                    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return sqlite_fail(sqlite, err);
	sqlite->synced = true;
	return sqlite_execute(sqlite, "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL", err);
}

static void sqlite_disconnect(struct sql_database *database)
{
	struct sqlite_database *sqlite = sqlite_of(database);
	size_t i;

	for (i = 0; i < SQL_STATEMENT_LIMIT; i++) {
		sqlite3_finalize(sqlite->statements[i]);
		sqlite->statements[i] = NULL;
	}
	sqlite3_close(sqlite->connection);
	sqlite->connection = NULL;
}

static bool set_synced(struct sqlite_database *sqlite, bool synced, struct error **err)
{
	if (synced == sqlite->synced)
		return true;
	if (!sqlite_execute(sqlite,
	                    synced ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL",
	                    err))
		return false;
	sqlite->synced = synced;
	return true;
}

/* Takes the write lock at the start: a transaction that reads first and writes later could be
 * refused in the middle, and no waiting would help it. */
static bool sqlite_begin(struct sql_database *database, enum sql_mode mode, struct error **err)
{
	struct sqlite_database *sqlite = sqlite_of(database);

	sqlite3_busy_timeout(sqlite->connection, (int)sql_time_left_ms(database));
	return mode == SQL_READ || (set_synced(sqlite, mode == SQL_DURABLE, err) &&
	                            sqlite_execute(sqlite, "BEGIN IMMEDIATE", err));
}

static bool sqlite_commit(struct sql_database *database, struct error **err)
{
	struct sqlite_database *sqlite = sqlite_of(database);

	return sqlite3_get_autocommit(sqlite->connection) || sqlite_execute(sqlite, "COMMIT", err);
}

static void sqlite_rollback(struct sql_database *database)
{
	struct sqlite_database *sqlite = sqlite_of(database);

	if (!sqlite3_get_autocommit(sqlite->connection))
		sqlite_execute(sqlite, "ROLLBACK", NULL);
}

/* Ready to be bound; given back to release(). */
static sqlite3_stmt *prepare(struct sqlite_database *sqlite, const struct sql_statement *statement,
                             struct error **err)
{
	bool kept = statement->number < SQL_STATEMENT_LIMIT;
	sqlite3_stmt *prepared = kept ? sqlite->statements[statement->number] : NULL;

	if (prepared)
		return prepared;
	if (sqlite3_prepare_v3(sqlite->connection, statement->text, -1,
	                       kept ? SQLITE_PREPARE_PERSISTENT : 0, &prepared, NULL) != SQLITE_OK)
		return sqlite_fail(sqlite, err);
	if (kept)
		sqlite->statements[statement->number] = prepared;
	return prepared;
}

static void release(const struct sql_statement *statement, sqlite3_stmt *prepared)
{
	if (statement->number < SQL_STATEMENT_LIMIT) {
		sqlite3_reset(prepared);
		sqlite3_clear_bindings(prepared);
	} else {
		sqlite3_finalize(prepared);
	}
}

static void bind(sqlite3_stmt *prepared, const struct sql_value *values, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (values[i].kind == SQL_INTEGER)
			sqlite3_bind_int64(prepared, (int)i + 1, values[i].integer);
		else if (values[i].kind == SQL_TEXT)
			sqlite3_bind_text(prepared, (int)i + 1, values[i].text, -1, SQLITE_STATIC);
}

static struct sql_value value_of(sqlite3_stmt *prepared, int column)
{
	switch (sqlite3_column_type(prepared, column)) {
	case SQLITE_NULL:
		return (struct sql_value){ .kind = SQL_NULL };
	case SQLITE_INTEGER:
		return (struct sql_value){ .kind = SQL_INTEGER,
			                   .integer = sqlite3_column_int64(prepared, column) };
	default:
		return (struct sql_value){ .kind = SQL_TEXT,
			                   .text = (const char *)sqlite3_column_text(prepared,
			                                                             column) };
	}
}

#define COLUMN_LIMIT 32

static bool step_through(struct sqlite_database *sqlite, sqlite3_stmt *prepared,
                         sql_row_function *row, void *context, struct error **err)
{
	int columns = sqlite3_column_count(prepared), status, i;
	struct sql_value values[COLUMN_LIMIT];

	while ((status = sqlite3_step(prepared)) == SQLITE_ROW) {
		for (i = 0; i < columns && i < COLUMN_LIMIT; i++)
			values[i] = value_of(prepared, i);
		if (row && !row(context, values, err))
			return false;
	}
	return status == SQLITE_DONE || sqlite_fail(sqlite, err);
}

static bool sqlite_query(struct sql_database *database, const struct sql_statement *statement,
                         const struct sql_value *values, size_t count, sql_row_function *row,
                         void *context, struct error **err)
{
	struct sqlite_database *sqlite = sqlite_of(database);
	sqlite3_stmt *prepared = prepare(sqlite, statement, err);
	bool done;

	if (!prepared)
		return false;
	bind(prepared, values, count);
	done = step_through(sqlite, prepared, row, context, err);
	release(statement, prepared);
	return done;
}

static bool sqlite_run(struct sql_database *database, const struct sql_statement *statement,
                       const struct sql_value *values, size_t count, struct error **err)
{
	return sqlite_query(database, statement, values, count, NULL, NULL, err);
}

/* The write lock of the transaction keeps others away. */
static bool sqlite_migrate(struct sql_database *database, sql_body *body, void *context,
                           struct error **err)
{
	if (sqlite_begin(database, SQL_DURABLE, err) && body(database, context, err) &&
	    sqlite_commit(database, err))
		return true;
	sqlite_rollback(database);
	return false;
}

static void sqlite_free(struct sql_database *database)
{
	struct sqlite_database *sqlite = sqlite_of(database);

	free(sqlite->path);
	free(sqlite);
}

const struct sql_driver sqlite_driver = {
	.name = "SQLite",
	.dialect = &dialect,
	.rows_per_statement = 1,
	.connect = sqlite_connect,
	.disconnect = sqlite_disconnect,
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.run = sqlite_run,
	.query = sqlite_query,
	.read_mark = sqlite_read_mark,
	.write_mark = sqlite_write_mark,
	.migrate = sqlite_migrate,
	.free = sqlite_free,
};
