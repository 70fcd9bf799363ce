/* SPDX-License-Identifier: Apache-2.0 */
/* Statements of the PostgreSQL driver: sent without waiting, answered together. */
#include <inttypes.h>
#include <poll.h>

#include "core/text.h"
#include "stacks/postgres_driver.h"
#include "stacks/postgres_fault.h"

#define COLUMN_LIMIT 32

static void *connection_error(struct postgres_database *postgres, struct error **err)
{
	scoped(text) char *reason = xstrdup(postgres->pq->errorMessage(postgres->connection));

	text_make_printable(reason, 300);
	return sql_fail(&postgres->base, SQL_FAULT_LOST, ERROR_UNAVAILABLE, err,
	                "the connection to the database %s was lost: %s", postgres->base.name,
	                reason);
}

static void *result_error(struct postgres_database *postgres, const PGresult *result,
                          struct error **err)
{
	const char *state = postgres->pq->resultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = postgres->pq->resultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	struct postgres_fault fault;

	/* libpq's own: the connection. */
	if (!state)
		return connection_error(postgres, err);
	fault = postgres_fault_find(state);
	return sql_fail(&postgres->base, fault.fault, fault.kind, err, "the database %s: %s (%s)%s",
	                postgres->base.name, message ? message : "", state, fault.advice);
}

/* As text; `numbers` has room for the decimals of all. */
static void render_values(const struct sql_value *values, size_t count, const char **texts,
                          char (*numbers)[24])
{
	size_t i;

	for (i = 0; i < count; i++) {
		texts[i] = values[i].kind == SQL_TEXT ? values[i].text : NULL;
		if (values[i].kind != SQL_INTEGER)
			continue;
		snprintf(numbers[i], sizeof(numbers[i]), "%" PRId64, values[i].integer);
		texts[i] = numbers[i];
	}
}

/*
 * What the server says meanwhile is read while a long statement is written, so that neither side
 * waits for the other for ever (libpq's documentation, "Pipeline Mode").
 */
static bool write_out(struct postgres_database *postgres, struct error **err)
{
	const struct postgres_api *pq = postgres->pq;
	int left;

	while ((left = pq->flush(postgres->connection)) > 0) {
		if (!postgres_wait(postgres, POLLIN | POLLOUT, err))
			return false;
		if (!pq->consumeInput(postgres->connection))
			return connection_error(postgres, err);
	}
	return left == 0 || connection_error(postgres, err);
}

bool postgres_run(struct sql_database *database, const struct sql_statement *statement,
                  const struct sql_value *values, size_t count, struct error **err)
{
	struct postgres_database *postgres = postgres_of(database);
	const char **texts = xcalloc(count, sizeof(*texts));
	char(*numbers)[24] = xcalloc(count, sizeof(*numbers));
	int sent;

	render_values(values, count, texts, numbers);
	sent = postgres->pq->sendQueryParams(postgres->connection, statement->text, (int)count,
	                                     NULL, texts, NULL, NULL, 0);
	free(texts);
	free(numbers);
	return sent || connection_error(postgres, err);
}

/* Where the rows of the last statement go. */
struct taking {
	sql_row_function *row;
	void *context;
};

static bool take_rows(struct postgres_database *postgres, const PGresult *result,
                      const struct taking *taking, struct error **err)
{
	const struct postgres_api *pq = postgres->pq;
	int rows = pq->ntuples(result), columns = pq->nfields(result), i, j;
	struct sql_value values[COLUMN_LIMIT] = { 0 };

	for (i = 0; taking->row && i < rows; i++) {
		for (j = 0; j < columns && j < COLUMN_LIMIT; j++) {
			bool null = pq->getisnull(result, i, j);

			values[j].kind = null ? SQL_NULL : SQL_TEXT;
			values[j].text = null ? NULL : pq->getvalue(result, i, j);
		}
		if (!taking->row(taking->context, values, err))
			return false;
	}
	return true;
}

/* `*result` NULL: those of one statement have ended. */
static bool next_result(struct postgres_database *postgres, PGresult **result, struct error **err)
{
	const struct postgres_api *pq = postgres->pq;

	while (pq->isBusy(postgres->connection)) {
		if (!postgres_wait(postgres, POLLIN, err))
			return false;
		if (!pq->consumeInput(postgres->connection))
			return connection_error(postgres, err);
	}
	*result = pq->getResult(postgres->connection);
	return *result || pq->status(postgres->connection) == CONNECTION_OK ||
	       connection_error(postgres, err);
}

/* The answers up to the synchronization. Of several failures the first is told: the others follow
 * from it. */
static bool take_answers(struct postgres_database *postgres, const struct taking *taking,
                         struct error **err)
{
	const struct postgres_api *pq = postgres->pq;
	ExecStatusType status = PGRES_EMPTY_QUERY;
	bool failed = false;

	while (status != PGRES_PIPELINE_SYNC) {
		PGresult *result = NULL;

		if (!next_result(postgres, &result, failed ? NULL : err))
			return false;
		status = result ? pq->resultStatus(result) : PGRES_EMPTY_QUERY;
		if (status == PGRES_TUPLES_OK && !failed)
			failed = !take_rows(postgres, result, taking, err);
		else if (status == PGRES_FATAL_ERROR && !failed)
			failed = !result_error(postgres, result, err);
		pq->clear(result);
	}
	return !failed;
}

bool postgres_query(struct sql_database *database, const struct sql_statement *statement,
                    const struct sql_value *values, size_t count, sql_row_function *row,
                    void *context, struct error **err)
{
	struct postgres_database *postgres = postgres_of(database);
	struct taking taking = { row, context };

	if (!postgres_run(database, statement, values, count, err))
		return false;
	if (!postgres->pq->pipelineSync(postgres->connection))
		return connection_error(postgres, err);
	return write_out(postgres, err) && take_answers(postgres, &taking, err);
}
