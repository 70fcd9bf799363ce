/* SPDX-License-Identifier: Apache-2.0 */
/* Makes, opens and migrates the SQLite file of a metadata store, in company if need be. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/text.h"
#include "stacks/sqlite_database.h"

#define APPLICATION_ID 0x53544550 /* "STEP": what file(1) and we know the database by */

static bool pragma_integer(const struct sqlite_database *database, const char *sql, int64_t *value,
                           struct error **err)
{
	sqlite3_stmt *statement = NULL;
	bool read =
		sqlite3_prepare_v2(database->connection, sql, -1, &statement, NULL) == SQLITE_OK &&
		sqlite3_step(statement) == SQLITE_ROW;

	if (read)
		*value = sqlite3_column_int64(statement, 0);
	else
		sqlite_database_error(database, err);
	sqlite3_finalize(statement);
	return read;
}

/* Whose database is it, and how old? Version 0 is one without any table. */
static bool read_version(const struct sqlite_database *database, int64_t *version,
                         struct error **err)
{
	int64_t application, tables;

	if (!pragma_integer(database, "PRAGMA application_id", &application, err) ||
	    !pragma_integer(database, "PRAGMA user_version", version, err))
		return false;
	if (application != APPLICATION_ID) {
		if (!pragma_integer(database, "SELECT count(*) FROM sqlite_schema", &tables, err))
			return false;
		if (application || tables || *version)
			return error_set(err, ERROR_INVALID,
			                 "'%s' is the database of another application",
			                 database->path);
	}
	if (*version > (int64_t)metadata_schema_version())
		return error_set(err, ERROR_INVALID,
		                 "the database '%s' has version %" PRId64
		                 " of the schema, this stepop knows it up to %zu: use a newer "
		                 "stepop",
		                 database->path, *version, metadata_schema_version());
	return true;
}

/* Another process may have been quicker: the version is read again under the lock. */
static bool migrate_in_transaction(struct sqlite_database *database, void *context,
                                   struct error **err)
{
	scoped(text) char *mark = NULL;
	int64_t version;

	(void)context;
	if (!read_version(database, &version, err))
		return false;
	while (version < (int64_t)metadata_schema_version()) {
		scoped(text) char *sql =
			metadata_schema_migration((size_t)++version, &sqlite_dialect);

		if (!sqlite_database_execute(database, sql, err))
			return error_wrap(err, "migrate the schema to version %" PRId64, version);
	}
	mark = text_printf("PRAGMA application_id = %d; PRAGMA user_version = %" PRId64,
	                   APPLICATION_ID, version);
	return sqlite_database_execute(database, mark, err);
}

static struct sqlite_database *connect_database(const char *path, struct error **err)
{
	scoped(sqlite_database) struct sqlite_database *database = xcalloc(1, sizeof(*database));

	database->path = xstrdup(path);
	if (sqlite3_open_v2(path, &database->connection,
	                    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return sqlite_database_error(database, err);
	sqlite3_busy_timeout(database->connection, SQLITE_BUSY_TIMEOUT_MS);
	if (!sqlite_database_execute(database, "PRAGMA foreign_keys = ON", err) ||
	    !sqlite_database_set_synced(database, true, err))
		return NULL;
	return take(database);
}

/* In one transaction: half of the answer from before a migration, half from after it, would be the
 * mark of a foreign database. */
static bool read_version_at_once(const struct sqlite_database *database, int64_t *version,
                                 struct error **err)
{
	bool read = sqlite_database_execute(database, "BEGIN", err) &&
	            read_version(database, version, err);

	sqlite_database_execute(database, "ROLLBACK", NULL);
	return read;
}

static struct sqlite_database *open_existing(const char *path, struct error **err)
{
	scoped(sqlite_database) struct sqlite_database *database = connect_database(path, err);
	int64_t version;

	if (!database || !read_version_at_once(database, &version, err))
		return NULL;
	if (version < (int64_t)metadata_schema_version() &&
	    !sqlite_database_transact(database, migrate_in_transaction, NULL, err))
		return NULL;
	return take(database);
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

static bool prepare_database(const char *path, struct error **err)
{
	scoped(sqlite_database) struct sqlite_database *database = NULL;

	if (!make_private_file(path, err))
		return false;
	database = connect_database(path, err);
	/* The switch comes last, so that nothing is left in a log beside the file. */
	return database && sqlite_database_transact(database, migrate_in_transaction, NULL, err) &&
	       sqlite_database_execute(database, "PRAGMA journal_mode = WAL", err);
}

/*
 * A database is made under another name and linked to its own when it is complete: whoever comes
 * at the same time finds all of it or nothing, and SQLite's switch to WAL, which does not wait for
 * locks, has no company. Of several, the first link wins.
 */
static bool create_database(const char *path, struct error **err)
{
	scoped(text) char *temporary = text_printf("%s.new-%d", path, (int)getpid());
	scoped(text) char *folder = file_folder(path);
	bool made;

	if (!file_make_folders(folder, 0700, err))
		return false;
	unlink(temporary); /* of a process that was killed, with our number */
	made = prepare_database(temporary, err);
	if (made && link(temporary, path) && errno != EEXIST)
		made = error_set(err, ERROR_INTERNAL, "create '%s': %s", path, strerror(errno));
	unlink(temporary);
	return made;
}

struct sqlite_database *sqlite_database_open(const char *path, struct error **err)
{
	if (!file_exists(path) && !create_database(path, err))
		return NULL;
	return open_existing(path, err);
}
