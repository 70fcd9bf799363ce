/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the SQLite file of a metadata store, in company if need be, and marks it as ours. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/text.h"
#include "stacks/sqlite_driver.h"

#define APPLICATION_ID 0x53544550 /* "STEP": what file(1) and we know the database by */

static bool read_mark(struct sqlite_database *sqlite, struct sql_mark *mark, struct error **err)
{
	struct sql_database *base = &sqlite->base;
	int64_t application, version, tables;

	if (!sql_query_integer(base, "PRAGMA application_id", &application, err) ||
	    !sql_query_integer(base, "PRAGMA user_version", &version, err) ||
	    !sql_query_integer(base, "SELECT count(*) FROM sqlite_schema", &tables, err))
		return false;
	if (application != APPLICATION_ID && (application || tables || version))
		return sql_fail(base, SQL_FAULT_OTHER, ERROR_INVALID, err,
		                "%s is the database of another application", base->name);
	*mark = (struct sql_mark){ .version = version };
	return true;
}

/* In one transaction: half of the answer from before a migration, half from after it, would be the
 * mark of a foreign database. */
bool sqlite_read_mark(struct sql_database *database, struct sql_mark *mark, struct error **err)
{
	struct sqlite_database *sqlite = sqlite_of(database);
	bool alone = sqlite3_get_autocommit(sqlite->connection), read;

	read = (!alone || sqlite_execute(sqlite, "BEGIN", err)) && read_mark(sqlite, mark, err);
	if (alone)
		sqlite_execute(sqlite, "ROLLBACK", NULL);
	return read;
}

bool sqlite_write_mark(struct sql_database *database, const struct sql_mark *mark,
                       struct error **err)
{
	scoped(text) char *sql = text_printf("PRAGMA application_id = %d; PRAGMA user_version = "
	                                     "%" PRId64,
	                                     APPLICATION_ID, mark->version);

	return sqlite_execute(sqlite_of(database), sql, err);
}

static struct sql_database *new_database(const char *path)
{
	struct sqlite_database *sqlite = xcalloc(1, sizeof(*sqlite));

	sqlite->base = (struct sql_database){ .driver = &sqlite_driver,
		                              .name = text_printf("'%s'", path),
		                              .patience_ms = SQL_PATIENCE_MS };
	sqlite->path = xstrdup(path);
	return &sqlite->base;
}

/* Files of one's own only: what runs print, and with which parameters, is not for everybody. */
static bool make_private_file(const char *path, struct error **err)
{
	scoped(fd) int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return error_set(err, errno == EACCES ? ERROR_AUTH : ERROR_INTERNAL,
		                 "create '%s': %s", path, strerror(errno));
	return true;
}

/* The switch of the journal comes last, so that nothing is left in a log beside the file. */
static bool switch_journal(struct sql_database *database, void *context, struct error **err)
{
	(void)context;
	return sqlite_execute(sqlite_of(database), "PRAGMA journal_mode = WAL", err);
}

static bool prepare_database(const char *path, sql_body *prepare, struct error **err)
{
	scoped(sql_database) struct sql_database *database = NULL;

	if (!make_private_file(path, err))
		return false;
	database = new_database(path);
	return sql_transact(database, SQL_READ, prepare, NULL, err) &&
	       sql_transact(database, SQL_READ, switch_journal, NULL, err);
}

/*
 * A database is made under another name and linked to its own when it is complete: whoever comes
 * at the same time finds all of it or nothing, and SQLite's switch to WAL, which does not wait for
 * locks, has no company. Of several, the first link wins.
 */
static bool create_database(const char *path, sql_body *prepare, struct error **err)
{
	scoped(text) char *temporary = text_printf("%s.new-%d", path, (int)getpid());
	scoped(text) char *folder = file_folder(path);
	bool made;

	if (!file_make_folders(folder, 0700, err))
		return false;
	unlink(temporary); /* of a process that was killed, with our number */
	made = prepare_database(temporary, prepare, err);
	if (made && link(temporary, path) && errno != EEXIST)
		made = error_set(err, ERROR_INTERNAL, "create '%s': %s", path, strerror(errno));
	unlink(temporary);
	return made;
}

struct sql_database *sqlite_database_new(const char *path, sql_body *prepare, struct error **err)
{
	if (!file_exists(path) && !prepare)
		return error_set(err, ERROR_NOT_FOUND, "there is no database '%s' yet", path);
	if (!file_exists(path) && !create_database(path, prepare, err))
		return NULL;
	return new_database(path);
}
