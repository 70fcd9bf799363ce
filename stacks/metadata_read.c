/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of a metadata store. */
#include <string.h>

#include "core/text.h"
#include "stacks/metadata_store.h"

#define ID_PREFIX_MIN 4

/* A query whose rows are wanted. */
struct reading {
	struct metadata_store *store;
	enum metadata_query query;
	const struct sql_value *values;
	size_t value_count;
	struct metadata_rows rows;
};

static bool read_body(struct sql_database *database, void *context, struct error **err)
{
	struct reading *reading = context;

	(void)database;
	return metadata_read(reading->store, reading->query, reading->values, reading->value_count,
	                     &reading->rows, err);
}

/* The array goes to *rows (a pointer to it). */
static bool read_rows(struct reading *reading, void *rows, size_t *count, struct error **err)
{
	if (!sql_transact(reading->store->database, SQL_READ, read_body, reading, err))
		return false;
	memcpy(rows, &reading->rows.rows, sizeof(reading->rows.rows));
	*count = reading->rows.count;
	return true;
}

bool metadata_runs(struct metadata_store *store, int64_t limit, struct run_row **rows,
                   size_t *count, struct error **err)
{
	struct sql_value all = sql_number(limit > 0 ? limit : INT64_MAX);
	struct reading reading = {
		store, QUERY_RUNS, &all, 1, { .table = &metadata_table_run_summary }
	};

	return read_rows(&reading, rows, count, err);
}

/* `text` NULL: the query has no parameter. At most one row is expected. */
static bool read_run(struct metadata_store *store, enum metadata_query query, const char *text,
                     struct run_row *row, bool *found, struct error **err)
{
	struct sql_value value = sql_text(text);
	struct reading reading = {
		store, query, &value, text ? 1 : 0, { .table = &metadata_table_run }
	};
	struct run_row *rows;
	size_t count;

	if (!read_rows(&reading, &rows, &count, err))
		return false;
	*found = count > 0;
	if (count)
		*row = rows[0];
	free(rows);
	return true;
}

static void *ambiguous_error(const char *prefix, const struct run_row *rows, size_t count,
                             struct error **err)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	scoped(text) char *names = NULL;
	size_t i;

	for (i = 0; i < count && i + 1 < METADATA_AMBIGUOUS; i++)
		fprintf(out, "%s%s (%s)", i ? ", " : "", rows[i].id, rows[i].name);
	if (i < count)
		fputs(" and more", out);
	names = text_stream_take(&stream);
	return error_set(err, ERROR_INVALID, "'%s' is the beginning of several runs: %s", prefix,
	                 names);
}

/* The unique name of the run whose id begins with `prefix`; *name stays NULL when there is none. */
static bool name_of_prefix(struct metadata_store *store, const char *prefix, char **name,
                           struct error **err)
{
	/* 'g' follows the last hex digit. */
	scoped(text) char *end = text_printf("%sg", prefix);
	struct sql_value range[] = { sql_text(prefix), sql_text(end) };
	struct reading reading = {
		store, QUERY_RUNS_FROM, range, 2, { .table = &metadata_table_run_summary }
	};
	struct run_row *rows;
	size_t count;

	if (strlen(prefix) < ID_PREFIX_MIN || prefix[strspn(prefix, "0123456789abcdef")])
		return true;
	if (!read_rows(&reading, &rows, &count, err))
		return false;
	if (count == 1)
		*name = xstrdup(rows[0].name);
	else if (count > 1)
		ambiguous_error(prefix, rows, count, err);
	metadata_rows_free(&metadata_table_run_summary, rows, count);
	return count < 2;
}

bool metadata_find_run(struct metadata_store *store, const char *run_name, struct run_row *row,
                       struct error **err)
{
	bool latest = !strcmp(run_name, "@latest"), found = false;
	scoped(text) char *name = NULL;

	if (!read_run(store, latest ? QUERY_RUN_LATEST : QUERY_RUN_NAMED, latest ? NULL : run_name,
	              row, &found, err))
		return false;
	if (!found && latest)
		return error_set(err, ERROR_NOT_FOUND,
		                 "there is no run yet; 'stepop run PIPELINE.yaml' starts one");
	if (!found && !name_of_prefix(store, run_name, &name, err))
		return false;
	if (name && !read_run(store, QUERY_RUN_NAMED, name, row, &found, err))
		return false;
	if (!found)
		return error_set(err, ERROR_NOT_FOUND,
		                 "no run has the name '%s', or an id that begins with it (at least "
		                 "%d characters); 'stepop runs list' shows the runs",
		                 run_name, ID_PREFIX_MIN);
	return true;
}

static bool rows_of_run(struct metadata_store *store, enum metadata_query query,
                        const struct metadata_table *table, const char *run_id, void *rows,
                        size_t *count, struct error **err)
{
	struct sql_value run = sql_text(run_id);
	struct reading reading = { store, query, &run, 1, { .table = table } };

	return read_rows(&reading, rows, count, err);
}

bool metadata_steps(struct metadata_store *store, const char *run_id, struct step_row **rows,
                    size_t *count, struct error **err)
{
	return rows_of_run(store, QUERY_STEPS, &metadata_table_step, run_id, rows, count, err);
}

bool metadata_attempts(struct metadata_store *store, const char *run_id, struct attempt_row **rows,
                       size_t *count, struct error **err)
{
	return rows_of_run(store, QUERY_ATTEMPTS, &metadata_table_attempt, run_id, rows, count,
	                   err);
}

bool metadata_artifacts(struct metadata_store *store, const char *run_id,
                        struct artifact_row **rows, size_t *count, struct error **err)
{
	return rows_of_run(store, QUERY_ARTIFACTS, &metadata_table_artifact, run_id, rows, count,
	                   err);
}

bool metadata_inputs(struct metadata_store *store, const char *run_id, struct input_row **rows,
                     size_t *count, struct error **err)
{
	return rows_of_run(store, QUERY_INPUTS, &metadata_table_input, run_id, rows, count, err);
}

bool metadata_events(struct metadata_store *store, const char *run_id, int64_t after,
                     struct event_row **rows, size_t *count, struct error **err)
{
	struct sql_value values[] = { sql_text(run_id), sql_number(after) };
	struct reading reading = {
		store, QUERY_EVENTS, values, 2, { .table = &metadata_table_event }
	};

	return read_rows(&reading, rows, count, err);
}
