/* SPDX-License-Identifier: Apache-2.0 */
/* An open SQLite database: its errors, transactions and statements, and the rows of its tables. */
#ifndef STACKS_SQLITE_DATABASE_H
#define STACKS_SQLITE_DATABASE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"
#include "stacks/metadata_schema.h"

#define SQLITE_BUSY_TIMEOUT_MS 5000

struct sqlite_database {
	sqlite3 *connection;
	char *path;
	bool synced;                                    /* see sqlite_database_set_synced() */
	sqlite3_stmt *statements[METADATA_QUERY_COUNT]; /* prepared when first needed */
};
extern const struct metadata_dialect sqlite_dialect;

/*
 * Opens the file at `path`, and makes it (for its owner alone) when there is none. An older schema
 * is migrated. INVALID: it is no SQLite database, or that of another application, or of a newer
 * stepop. Several processes may do this at the same time.
 */
struct sqlite_database *sqlite_database_open(const char *path, struct error **err);
void sqlite_database_free(struct sqlite_database *database);
DEFINE_CLEANUP(sqlite_database);

/* Tells the last failure of the connection; NULL. */
void *sqlite_database_error(const struct sqlite_database *database, struct error **err);

/* One or several statements that give no rows. */
bool sqlite_database_execute(const struct sqlite_database *database, const char *sql,
                             struct error **err);

/*
 * Whether commits from now on survive a power cut, they and all before them (a new connection's
 * do), or only a killed process: what was written since the last synced one may be lost then.
 */
bool sqlite_database_set_synced(struct sqlite_database *database, bool synced, struct error **err);

/* Runs `body` as one transaction: all of it or, when it fails, nothing. */
bool sqlite_database_transact(struct sqlite_database *database,
                              bool (*body)(struct sqlite_database *database, void *context,
                                           struct error **err),
                              void *context, struct error **err);

/* Borrowed, ready to be bound. */
sqlite3_stmt *sqlite_database_prepare(struct sqlite_database *database, enum metadata_query query,
                                      struct error **err);
/* The text must live until the statement has run; NULL is NULL. */
void sqlite_bind_text(sqlite3_stmt *statement, int number, const char *text);
/* Runs a bound statement that gives no rows. */
bool sqlite_database_run(struct sqlite_database *database, sqlite3_stmt *statement,
                         struct error **err);
/* Runs a bound statement; the rows, an array of the table's struct, go to *rows (a pointer to it).
 */
bool sqlite_database_read(struct sqlite_database *database, sqlite3_stmt *statement,
                          const struct metadata_table *table, void *rows, size_t *count,
                          struct error **err);
/* `query` writes one row of `table`; it is run for each of `rows`. */
bool sqlite_database_write(struct sqlite_database *database, enum metadata_query query,
                           const struct metadata_table *table, const void *rows, size_t count,
                           struct error **err);

#endif
