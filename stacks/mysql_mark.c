/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a MySQL database is, how far its schema has come, and who may change it. */
#include <inttypes.h>

#include "core/text.h"
#include "stacks/mysql_driver.h"

/* The application's name tells the table from another one's of that name. */
static const char make_table[] =
	"CREATE TABLE IF NOT EXISTS stepop_schema ("
	" application VARCHAR(63) CHARACTER SET ascii NOT NULL PRIMARY KEY,"
	" version BIGINT NOT NULL,"
	" statements BIGINT NOT NULL)";

/* Tables of a MySQL server are locked by nothing but names; they are the server's, not the
 * database's, and have 64 characters at most. */
static const char take_lock[] =
	"SELECT COALESCE(GET_LOCK(CONCAT('stepop ', SHA1(DATABASE())), %" PRId64 "), 0)";
static const char give_lock_back[] =
	"SELECT COALESCE(RELEASE_LOCK(CONCAT('stepop ', SHA1(DATABASE()))), 0)";

static const char count_tables[] =
	"SELECT COALESCE(SUM(table_name = 'stepop_schema'), 0), COUNT(*)"
	" FROM information_schema.tables WHERE table_schema = DATABASE()";

struct tables {
	int64_t ours, all;
};

static bool take_tables(void *context, const struct sql_value *values, struct error **err)
{
	struct tables *tables = context;

	(void)err;
	*tables = (struct tables){ sql_integer(&values[0]), sql_integer(&values[1]) };
	return true;
}

static bool take_mark(void *context, const struct sql_value *values, struct error **err)
{
	struct sql_mark *mark = context;

	(void)err;
	*mark = (struct sql_mark){ .version = sql_integer(&values[0]),
		                   .statements = sql_integer(&values[1]) };
	return true;
}

/* The table may be there without its row: its maker was killed between the two. */
bool mysql_driver_read_mark(struct sql_database *database, struct sql_mark *mark,
                            struct error **err)
{
	static const struct sql_statement count = { count_tables, SQL_UNPREPARED };
	static const struct sql_statement read = {
		"SELECT version, statements FROM stepop_schema WHERE application = 'stepop'",
		SQL_UNPREPARED
	};
	struct tables tables = { 0 };

	if (!mysql_driver_query(database, &count, NULL, 0, take_tables, &tables, err))
		return false;
	*mark = (struct sql_mark){ 0 };
	if (tables.ours)
		return mysql_driver_query(database, &read, NULL, 0, take_mark, mark, err);
	return !tables.all || sql_fail(database, SQL_FAULT_OTHER, ERROR_INVALID, err,
	                               "%s is the database of another application: %" PRId64
	                               " tables are not stepop's; give stepop one of its own",
	                               database->name, tables.all);
}

bool mysql_driver_write_mark(struct sql_database *database, const struct sql_mark *mark,
                             struct error **err)
{
	scoped(text) char *sql = text_printf("REPLACE INTO stepop_schema VALUES ('stepop', "
	                                     "%" PRId64 ", %" PRId64 ")",
	                                     mark->version, mark->statements);
	struct mysql_database *mysql = mysql_of(database);

	return mysql_call_query(mysql, make_table, err) && mysql_call_query(mysql, sql, err);
}

/* The lock ends with the connection, should it be lost. */
bool mysql_driver_migrate(struct sql_database *database, sql_body *body, void *context,
                          struct error **err)
{
	scoped(text) char *lock = text_printf(take_lock, sql_time_left_ms(database) / 1000);
	int64_t taken = 0, given_back;
	bool done;

	if (!sql_query_integer(database, lock, &taken, err))
		return false;
	if (!taken)
		return sql_fail(database, SQL_FAULT_BUSY, ERROR_UNAVAILABLE, err,
		                "another process is changing the schema of the database %s",
		                database->name);
	done = body(database, context, err);
	if (database->fault != SQL_FAULT_LOST)
		sql_query_integer(database, give_lock_back, &given_back, NULL);
	return done;
}
