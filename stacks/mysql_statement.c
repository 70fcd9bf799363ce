/* SPDX-License-Identifier: Apache-2.0 */
/* Prepared statements of MySQL: values that go in, rows that come out. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "stacks/mysql_driver.h"

#define COLUMN_LIMIT 32

/* From here on it is worth asking what the server takes: it hangs up on more, without a word. */
#define LARGE_BYTES (1 << 20)

/* Ready to be bound; given back to release(). */
static MYSQL_STMT *prepare(struct mysql_database *mysql, const struct sql_statement *statement,
                           struct error **err)
{
	bool kept = statement->number < SQL_STATEMENT_LIMIT;
	MYSQL_STMT *prepared = kept ? mysql->statements[statement->number] : NULL;
	my_bool yes = 1;

	if (prepared)
		return prepared;
	prepared = mysql->api->mysql_stmt_init(mysql->connection);
	/* Lets fetch() know how much room the longest value of each column takes. */
	mysql->api->mysql_stmt_attr_set(prepared, STMT_ATTR_UPDATE_MAX_LENGTH, &yes);
	if (!mysql_call_prepare(mysql, prepared, statement->text, err)) {
		mysql->api->mysql_stmt_close(prepared);
		return NULL;
	}
	if (kept)
		mysql->statements[statement->number] = prepared;
	return prepared;
}

static void release(struct mysql_database *mysql, const struct sql_statement *statement,
                    MYSQL_STMT *prepared)
{
	if (statement->number < SQL_STATEMENT_LIMIT)
		mysql->api->mysql_stmt_free_result(prepared);
	else
		mysql->api->mysql_stmt_close(prepared);
}

static void bind_value(MYSQL_BIND *bind, const struct sql_value *value)
{
	switch (value->kind) {
	case SQL_NULL:
		bind->buffer_type = MYSQL_TYPE_NULL;
		break;
	case SQL_INTEGER:
		bind->buffer_type = MYSQL_TYPE_LONGLONG;
		bind->buffer = (void *)&value->integer;
		break;
	case SQL_TEXT:
		bind->buffer_type = MYSQL_TYPE_STRING;
		bind->buffer = (void *)value->text;
		bind->buffer_length = strlen(value->text);
		break;
	}
}

static bool execute(struct mysql_database *mysql, MYSQL_STMT *prepared,
                    const struct sql_value *values, size_t count, struct error **err)
{
	MYSQL_BIND *binds = xcalloc(count, sizeof(*binds));
	bool done;
	size_t i;

	for (i = 0; i < count; i++)
		bind_value(&binds[i], &values[i]);
	done = (!count || !mysql->api->mysql_stmt_bind_param(prepared, binds) ||
	        mysql_fail(mysql, prepared, err)) &&
	       mysql_call_execute(mysql, prepared, err);
	free(binds);
	return done;
}

/* Where a row's values are written, one behind the other. */
struct row_buffer {
	MYSQL_BIND binds[COLUMN_LIMIT];
	unsigned long lengths[COLUMN_LIMIT];
	my_bool nulls[COLUMN_LIMIT];
	unsigned columns;
	char *memory;
};

/* All values are fetched as texts, which fit with a NUL behind them. */
static void make_row_buffer(struct mysql_database *mysql, MYSQL_STMT *prepared,
                            struct row_buffer *buffer)
{
	MYSQL_RES *columns = mysql->api->mysql_stmt_result_metadata(prepared);
	size_t size = 0;
	unsigned i;

	*buffer = (struct row_buffer){ .columns = mysql->api->mysql_stmt_field_count(prepared) };
	assert(buffer->columns <= COLUMN_LIMIT);
	for (i = 0; i < buffer->columns; i++) {
		buffer->binds[i] = (MYSQL_BIND){
			.buffer_type = MYSQL_TYPE_STRING,
			.buffer_length =
				mysql->api->mysql_fetch_field_direct(columns, i)->max_length + 1,
			.length = &buffer->lengths[i],
			.is_null = &buffer->nulls[i],
		};
		size += buffer->binds[i].buffer_length;
	}
	mysql->api->mysql_free_result(columns);
	buffer->memory = xcalloc(size, 1);
	for (i = 0, size = 0; i < buffer->columns; i++) {
		buffer->binds[i].buffer = buffer->memory + size;
		size += buffer->binds[i].buffer_length;
	}
}

static void take_row(struct row_buffer *buffer, struct sql_value *values)
{
	unsigned i;

	for (i = 0; i < buffer->columns; i++) {
		char *text = buffer->binds[i].buffer;

		if (buffer->nulls[i]) {
			values[i] = (struct sql_value){ .kind = SQL_NULL };
			continue;
		}
		assert(buffer->lengths[i] < buffer->binds[i].buffer_length);
		text[buffer->lengths[i]] = '\0';
		values[i] = (struct sql_value){ .kind = SQL_TEXT, .text = text };
	}
}

static bool fetch(struct mysql_database *mysql, MYSQL_STMT *prepared, sql_row_function *row,
                  void *context, struct error **err)
{
	struct sql_value values[COLUMN_LIMIT];
	struct row_buffer buffer;
	int status = 1;
	bool taken = true;

	make_row_buffer(mysql, prepared, &buffer);
	if (!mysql->api->mysql_stmt_bind_result(prepared, buffer.binds))
		while (taken && !(status = mysql->api->mysql_stmt_fetch(prepared))) {
			take_row(&buffer, values);
			taken = row(context, values, err);
		}
	free(buffer.memory);
	if (!taken)
		return false;
	return status == MYSQL_NO_DATA || mysql_fail(mysql, prepared, err);
}

bool mysql_driver_query(struct sql_database *database, const struct sql_statement *statement,
                        const struct sql_value *values, size_t count, sql_row_function *row,
                        void *context, struct error **err)
{
	struct mysql_database *mysql = mysql_of(database);
	MYSQL_STMT *prepared = prepare(mysql, statement, err);
	bool done;

	if (!prepared)
		return false;
	done = execute(mysql, prepared, values, count, err) &&
	       (!row || fetch(mysql, prepared, row, context, err));
	release(mysql, statement, prepared);
	return done;
}

static bool check_size(struct sql_database *database, const struct sql_value *values, size_t count,
                       struct error **err)
{
	struct mysql_database *mysql = mysql_of(database);
	int64_t bytes = 0;
	size_t i;

	for (i = 0; i < count; i++)
		bytes += values[i].kind == SQL_TEXT ? (int64_t)strlen(values[i].text) : 0;
	if (bytes < LARGE_BYTES)
		return true;
	if (!mysql->packet_bytes &&
	    !sql_query_integer(database, "SELECT @@max_allowed_packet", &mysql->packet_bytes, err))
		return false;
	/* Numbers, NULLs and lengths take the rest. */
	return bytes + (int64_t)(count + 1) * 16 < mysql->packet_bytes ||
	       sql_fail(database, SQL_FAULT_OTHER, ERROR_INVALID, err,
	                "the database %s takes %" PRId64 " bytes at once, and is to store %" PRId64
	                "; raise its variable max_allowed_packet",
	                database->name, mysql->packet_bytes, bytes);
}

/* Not everything that makes tables can be prepared. */
bool mysql_driver_run(struct sql_database *database, const struct sql_statement *statement,
                      const struct sql_value *values, size_t count, struct error **err)
{
	if (statement->number == SQL_UNPREPARED && !count)
		return mysql_call_query(mysql_of(database), statement->text, err);
	return check_size(database, values, count, err) &&
	       mysql_driver_query(database, statement, values, count, NULL, NULL, err);
}
