/* SPDX-License-Identifier: Apache-2.0 */
/* One SQL database behind a driver: connecting, transactions that are repeated, statements. */
#include "stacks/sql_database.h"

#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>

#include "core/loop.h"
#include "core/text.h"

#define FIRST_PAUSE_MS 10
#define LONGEST_PAUSE_MS 500

void sql_database_free(struct sql_database *database)
{
	if (!database)
		return;
	database->driver->disconnect(database);
	free(database->name);
	database->driver->free(database);
}

void *sql_fail(struct sql_database *database, enum sql_fault fault, enum error_kind kind,
               struct error **err, const char *format, ...)
{
	scoped(text) char *message = NULL;
	va_list args;

	va_start(args, format);
	message = text_vprintf(format, args);
	va_end(args);
	database->fault = fault;
	return error_set(err, kind, "%s", message);
}

int64_t sql_time_left_ms(const struct sql_database *database)
{
	int64_t left = database->deadline_ms - loop_now_ms();

	return left > 0 ? left : 0;
}

static bool connect_if_needed(struct sql_database *database, struct error **err)
{
	if (!database->is_connected && !database->driver->connect(database, err)) {
		database->driver->disconnect(database);
		return false;
	}
	database->is_connected = true;
	return true;
}

static void undo(struct sql_database *database)
{
	enum sql_fault fault = database->fault;

	if (fault == SQL_FAULT_LOST) {
		database->driver->disconnect(database);
		database->is_connected = false;
	} else {
		database->driver->rollback(database);
	}
	database->fault = fault;
}

static bool try_transaction(struct sql_database *database, enum sql_mode mode, sql_body *body,
                            void *context, struct error **err)
{
	database->fault = SQL_FAULT_NONE;
	if (!connect_if_needed(database, err))
		return false;
	if (database->driver->begin(database, mode, err) && body(database, context, err) &&
	    database->driver->commit(database, err))
		return true;
	undo(database);
	return false;
}

static bool is_worth_repeating(enum sql_fault fault)
{
	return fault == SQL_FAULT_CONFLICT || fault == SQL_FAULT_LOST || fault == SQL_FAULT_BUSY;
}

/* Two that were in each other's way must not come again at the same moment. */
static void pause_ms(int64_t longest)
{
	poll(NULL, 0, (int)(longest / 2 + arc4random_uniform((uint32_t)longest / 2 + 1)));
}

bool sql_transact(struct sql_database *database, enum sql_mode mode, sql_body *body, void *context,
                  struct error **err)
{
	int64_t pause = FIRST_PAUSE_MS;

	database->deadline_ms = loop_now_ms() + database->patience_ms;
	for (;;) {
		scoped(error) struct error *cause = NULL;

		if (try_transaction(database, mode, body, context, &cause))
			return true;
		if (!is_worth_repeating(database->fault) || sql_time_left_ms(database) <= pause)
			return error_pass(err, take(cause));
		pause_ms(pause);
		pause = pause < LONGEST_PAUSE_MS ? 2 * pause : LONGEST_PAUSE_MS;
	}
}

bool sql_run(struct sql_database *database, const struct sql_statement *statement,
             const struct sql_value *values, size_t count, struct error **err)
{
	return database->driver->run(database, statement, values, count, err);
}

bool sql_query(struct sql_database *database, const struct sql_statement *statement,
               const struct sql_value *values, size_t count, sql_row_function *row, void *context,
               struct error **err)
{
	return database->driver->query(database, statement, values, count, row, context, err);
}

int64_t sql_integer(const struct sql_value *value)
{
	int64_t integer = 0;

	if (value->kind == SQL_TEXT)
		text_to_int64(value->text, INT64_MIN, INT64_MAX, &integer);
	return value->kind == SQL_INTEGER ? value->integer : integer;
}

static bool take_integer(void *context, const struct sql_value *values, struct error **err)
{
	(void)err;
	*(int64_t *)context = sql_integer(&values[0]);
	return true;
}

bool sql_query_integer(struct sql_database *database, const char *text, int64_t *value,
                       struct error **err)
{
	struct sql_statement statement = { text, SQL_UNPREPARED };

	return sql_query(database, &statement, NULL, 0, take_integer, value, err);
}
