/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a PostgreSQL database is, and how far its schema has come. */
#include <inttypes.h>

#include "core/text.h"
#include "stacks/postgres_driver.h"

/* The application's name tells the table from another one's of that name. */
static const char make_table[] = "CREATE TABLE IF NOT EXISTS stepop_schema ("
				 " application VARCHAR(63) NOT NULL PRIMARY KEY,"
				 " version BIGINT NOT NULL,"
				 " statements BIGINT NOT NULL)";

/* Tables of extensions are views, or lie elsewhere. The catalog shows also what the user may not
 * read. */
static const char count_tables[] =
	"SELECT count(*) FILTER (WHERE relname = 'stepop_schema'), count(*) FROM pg_class"
	" WHERE relkind IN ('r', 'p') AND relnamespace = to_regnamespace(current_schema())";

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

bool postgres_read_mark(struct sql_database *database, struct sql_mark *mark, struct error **err)
{
	static const struct sql_statement count = { count_tables, SQL_UNPREPARED };
	static const struct sql_statement read = {
		"SELECT version, statements FROM stepop_schema WHERE application = 'stepop'",
		SQL_UNPREPARED
	};
	struct tables tables = { 0 };

	if (!postgres_query(database, &count, NULL, 0, take_tables, &tables, err))
		return false;
	*mark = (struct sql_mark){ 0 };
	if (tables.ours)
		return postgres_query(database, &read, NULL, 0, take_mark, mark, err);
	return !tables.all || sql_fail(database, SQL_FAULT_OTHER, ERROR_INVALID, err,
	                               "%s is the database of another application: %" PRId64
	                               " tables are not stepop's; give stepop one of its own",
	                               database->name, tables.all);
}

bool postgres_write_mark(struct sql_database *database, const struct sql_mark *mark,
                         struct error **err)
{
	static const struct sql_statement make = { make_table, SQL_UNPREPARED };
	static const struct sql_statement write = {
		"INSERT INTO stepop_schema VALUES ('stepop', $1, $2) ON CONFLICT (application)"
		" DO UPDATE SET version = excluded.version, statements = excluded.statements",
		SQL_UNPREPARED
	};
	struct sql_value values[] = { { .kind = SQL_INTEGER, .integer = mark->version },
		                      { .kind = SQL_INTEGER, .integer = mark->statements } };

	return postgres_run(database, &make, NULL, 0, err) &&
	       postgres_run(database, &write, values, ARRAY_SIZE(values), err);
}
