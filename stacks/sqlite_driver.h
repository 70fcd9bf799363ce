/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the SQLite driver share; nobody else includes it. */
#ifndef STACKS_SQLITE_DRIVER_H
#define STACKS_SQLITE_DRIVER_H

#include <sqlite3.h>

#include "stacks/sqlite_database.h"

struct sqlite_database {
	struct sql_database base;
	sqlite3 *connection;
	char *path;
	bool synced;                                   /* commits survive a power cut */
	sqlite3_stmt *statements[SQL_STATEMENT_LIMIT]; /* prepared when first needed */
};
extern const struct sql_driver sqlite_driver;

struct sqlite_database *sqlite_of(struct sql_database *database);
/* Tells the last failure of the connection; NULL. */
void *sqlite_fail(struct sqlite_database *sqlite, struct error **err);
/* One or several statements that give no rows. */
bool sqlite_execute(struct sqlite_database *sqlite, const char *sql, struct error **err);

bool sqlite_read_mark(struct sql_database *database, struct sql_mark *mark, struct error **err);
bool sqlite_write_mark(struct sql_database *database, const struct sql_mark *mark,
                       struct error **err);

#endif
