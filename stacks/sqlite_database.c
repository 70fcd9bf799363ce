/* SPDX-License-Identifier: Apache-2.0 */
/* An open SQLite database: its errors, transactions and statements, and the rows of its tables. */
#include "stacks/sqlite_database.h"

#include <errno.h>
#include <string.h>

#include "core/text.h"

const struct metadata_dialect sqlite_dialect = {
	.integer = "INTEGER",
	.text = "TEXT",
	.key = "TEXT",
	.sequence = "INTEGER PRIMARY KEY AUTOINCREMENT",
	/* unixepoch('subsec') came with 3.42 only. */
	.now = "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)",
	.parameter = '?',
};

void sqlite_database_free(struct sqlite_database *database)
{
	size_t i;

	if (!database)
		return;
	for (i = 0; i < METADATA_QUERY_COUNT; i++)
		sqlite3_finalize(database->statements[i]);
	sqlite3_close(database->connection);
	free(database->path);
	free(database);
}

static void *open_error(const struct sqlite_database *database, struct error **err)
{
	int number = sqlite3_system_errno(database->connection);

	return error_set(err, number == EACCES || number == EPERM ? ERROR_AUTH : ERROR_INTERNAL,
	                 "open the database '%s': %s", database->path,
	                 number ? strerror(number) : sqlite3_errmsg(database->connection));
}

void *sqlite_database_error(const struct sqlite_database *database, struct error **err)
{
	const char *message = sqlite3_errmsg(database->connection);

	switch (sqlite3_errcode(database->connection)) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return error_set(err, ERROR_UNAVAILABLE,
		                 "the database '%s' is busy: another process has held it for %d s",
		                 database->path, SQLITE_BUSY_TIMEOUT_MS / 1000);
	case SQLITE_NOTADB:
		return error_set(err, ERROR_INVALID, "'%s' is not an SQLite database",
		                 database->path);
	case SQLITE_CORRUPT:
		return error_set(err, ERROR_INVALID, "the database '%s' is damaged: %s",
		                 database->path, message);
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return error_set(err, ERROR_AUTH, "the database '%s' cannot be written: %s",
		                 database->path, message);
	case SQLITE_CANTOPEN:
		return open_error(database, err);
	default:
		return error_set(err, ERROR_INTERNAL, "the database '%s': %s", database->path,
		                 message);
	}
}

bool sqlite_database_execute(const struct sqlite_database *database, const char *sql,
                             struct error **err)
{
	if (sqlite3_exec(database->connection, sql, NULL, NULL, NULL) != SQLITE_OK)
		return sqlite_database_error(database, err);
	return true;
}

bool sqlite_database_set_synced(struct sqlite_database *database, bool synced, struct error **err)
{
	if (synced == database->synced)
		return true;
	if (!sqlite_database_execute(
		    database, synced ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL",
		    err))
		return false;
	database->synced = synced;
	return true;
}

/* Takes the write lock at the start: a transaction that reads first and writes later could be
 * refused in the middle, and no waiting would help it. */
bool sqlite_database_transact(struct sqlite_database *database,
                              bool (*body)(struct sqlite_database *database, void *context,
                                           struct error **err),
                              void *context, struct error **err)
{
	if (!sqlite_database_execute(database, "BEGIN IMMEDIATE", err))
		return false;
	if (!body(database, context, err)) {
		sqlite_database_execute(database, "ROLLBACK", NULL);
		return false;
	}
	if (!sqlite_database_execute(database, "COMMIT", err)) {
		sqlite_database_execute(database, "ROLLBACK", NULL);
		return false;
	}
	return true;
}

sqlite3_stmt *sqlite_database_prepare(struct sqlite_database *database, enum metadata_query query,
                                      struct error **err)
{
	sqlite3_stmt **statement = &database->statements[query];
	scoped(text) char *sql = NULL;

	if (*statement) {
		sqlite3_reset(*statement);
		sqlite3_clear_bindings(*statement);
		return *statement;
	}
	sql = metadata_query_text(query, &sqlite_dialect);
	if (sqlite3_prepare_v3(database->connection, sql, -1, SQLITE_PREPARE_PERSISTENT, statement,
	                       NULL) != SQLITE_OK)
		return sqlite_database_error(database, err);
	return *statement;
}

void sqlite_bind_text(sqlite3_stmt *statement, int number, const char *text)
{
	sqlite3_bind_text(statement, number, text, -1, SQLITE_STATIC);
}

bool sqlite_database_run(struct sqlite_database *database, sqlite3_stmt *statement,
                         struct error **err)
{
	bool done = sqlite3_step(statement) == SQLITE_DONE;

	if (!done)
		sqlite_database_error(database, err);
	sqlite3_reset(statement);
	return done;
}

static void bind_field(sqlite3_stmt *statement, int number, const struct metadata_field *field,
                       const char *row)
{
	const void *value = row + field->offset;

	if (field->kind == FIELD_TEXT)
		sqlite_bind_text(statement, number, *(char *const *)value);
	else if (field->kind == FIELD_INTEGER || *(const bool *)(row + field->flag))
		sqlite3_bind_int64(statement, number, *(const int64_t *)value);
}

static bool write_row(struct sqlite_database *database, enum metadata_query query,
                      const struct metadata_table *table, const void *row, struct error **err)
{
	sqlite3_stmt *statement = sqlite_database_prepare(database, query, err);
	int number = 0;
	size_t i;

	if (!statement)
		return false;
	for (i = 0; i < table->field_count; i++)
		if (table->fields[i].kind != FIELD_ASSIGNED)
			bind_field(statement, ++number, &table->fields[i], row);
	return sqlite_database_run(database, statement, err);
}

bool sqlite_database_write(struct sqlite_database *database, enum metadata_query query,
                           const struct metadata_table *table, const void *rows, size_t count,
                           struct error **err)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!write_row(database, query, table, (const char *)rows + i * table->row_size,
		               err))
			return false;
	return true;
}

static void read_row(sqlite3_stmt *statement, const struct metadata_table *table, char *row)
{
	int column;

	for (column = 0; column < (int)table->field_count; column++) {
		const struct metadata_field *field = &table->fields[column];
		bool null = sqlite3_column_type(statement, column) == SQLITE_NULL;

		if (field->kind != FIELD_TEXT)
			*(int64_t *)(row + field->offset) = sqlite3_column_int64(statement, column);
		else if (!null)
			*(char **)(row + field->offset) =
				xstrdup((const char *)sqlite3_column_text(statement, column));
		if (field->kind == FIELD_OPTIONAL)
			*(bool *)(row + field->flag) = !null;
	}
}

bool sqlite_database_read(struct sqlite_database *database, sqlite3_stmt *statement,
                          const struct metadata_table *table, void *rows, size_t *count,
                          struct error **err)
{
	size_t used = 0, capacity = 16;
	char *array = xcalloc(capacity, table->row_size);
	int status;

	while ((status = sqlite3_step(statement)) == SQLITE_ROW) {
		if (used == capacity) {
			array = xrealloc(array, capacity * 2, table->row_size);
			memset(array + used * table->row_size, 0, capacity * table->row_size);
			capacity *= 2;
		}
		read_row(statement, table, array + used++ * table->row_size);
	}
	if (status != SQLITE_DONE) {
		sqlite_database_error(database, err);
		sqlite3_reset(statement);
		metadata_rows_free(table, array, used);
		return false;
	}
	sqlite3_reset(statement);
	memcpy(rows, &array, sizeof(array));
	*count = used;
	return true;
}
