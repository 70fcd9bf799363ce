/* SPDX-License-Identifier: Apache-2.0 */
/* The embedded metadata store: one SQLite file in WAL mode, shared by the processes of one machine.
 */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/file.h"
#include "core/text.h"
#include "stacks/metadata.h"
#include "stacks/sqlite_database.h"

#define ID_PREFIX_MIN 4

struct sqlite_store {
	struct metadata_store base;
	struct sqlite_database *database;
};

static struct sqlite_database *database_of(struct metadata_store *store)
{
	return container_of(store, struct sqlite_store, base)->database;
}

static void sqlite_close(struct metadata_store *store)
{
	sqlite_database_free(database_of(store));
	free(container_of(store, struct sqlite_store, base));
}

static char *holder_name(void)
{
	char host[256] = "localhost";

	gethostname(host, sizeof(host) - 1);
	return text_printf("%s:%d", host, (int)getpid());
}

/* The lease of a run as the database has it, in the present transaction. The holder is the
 * caller's. */
static bool read_lease(struct sqlite_database *database, const char *run_id, struct lease *lease,
                       int64_t *left_ms, struct error **err)
{
	sqlite3_stmt *statement = sqlite_database_prepare(database, QUERY_LEASE, err);
	int status;

	if (!statement)
		return false;
	sqlite_bind_text(statement, 1, run_id);
	status = sqlite3_step(statement);
	if (status == SQLITE_ROW) {
		*lease = (struct lease){
			.run_id = xstrdup(run_id),
			.holder = xstrdup((const char *)sqlite3_column_text(statement, 0)),
			.fence = sqlite3_column_int64(statement, 1),
		};
		*left_ms = sqlite3_column_int64(statement, 2);
	} else if (status == SQLITE_DONE) {
		error_set(err, ERROR_NOT_FOUND, "there is no run with the id '%s'", run_id);
	} else {
		sqlite_database_error(database, err);
	}
	sqlite3_reset(statement);
	return status == SQLITE_ROW;
}

static bool transact_synced(struct sqlite_database *database, bool synced,
                            bool (*body)(struct sqlite_database *database, void *context,
                                         struct error **err),
                            void *context, struct error **err)
{
	return sqlite_database_set_synced(database, synced, err) &&
	       sqlite_database_transact(database, body, context, err);
}

struct creation {
	const struct run_row *run;
	const struct step_row *steps;
	size_t step_count;
	const struct input_row *inputs;
	size_t input_count;
	char *holder;
};

static bool insert_run(struct sqlite_database *database, const struct run_row *row,
                       struct error **err)
{
	scoped(error) struct error *cause = NULL;

	if (sqlite_database_write(database, QUERY_RUN_INSERT, &metadata_table_run, row, 1, &cause))
		return true;
	/* The statement was reset; its own code is what tells a name that is taken. */
	if (sqlite3_extended_errcode(database->connection) == SQLITE_CONSTRAINT_UNIQUE)
		return error_set(err, ERROR_CONFLICT, "there is a run named '%s' already",
		                 row->name);
	return error_pass(err, take(cause));
}

static bool insert_lease(struct sqlite_database *database, const char *run_id, const char *holder,
                         struct error **err)
{
	sqlite3_stmt *statement = sqlite_database_prepare(database, QUERY_LEASE_INSERT, err);

	if (!statement)
		return false;
	sqlite_bind_text(statement, 1, run_id);
	sqlite_bind_text(statement, 2, holder);
	sqlite3_bind_int64(statement, 3, METADATA_LEASE_MS);
	return sqlite_database_run(database, statement, err);
}

static bool create_in_transaction(struct sqlite_database *database, void *context,
                                  struct error **err)
{
	const struct creation *creation = context;

	return insert_run(database, creation->run, err) &&
	       insert_lease(database, creation->run->id, creation->holder, err) &&
	       sqlite_database_write(database, QUERY_STEP_INSERT, &metadata_table_step,
	                             creation->steps, creation->step_count, err) &&
	       sqlite_database_write(database, QUERY_INPUT_INSERT, &metadata_table_input,
	                             creation->inputs, creation->input_count, err);
}

static bool sqlite_create_run(struct metadata_store *store, const struct run_row *row,
                              const struct step_row *steps, size_t step_count,
                              const struct input_row *inputs, size_t input_count,
                              struct lease *lease, struct error **err)
{
	scoped(text) char *holder = holder_name();
	struct creation creation = { row, steps, step_count, inputs, input_count, holder };

	if (!transact_synced(database_of(store), true, create_in_transaction, &creation, err))
		return error_wrap(err, "create the run '%s'", row->name);
	*lease = (struct lease){ xstrdup(row->id), take(holder), 1 };
	return true;
}

struct takeover {
	const char *run_id;
	char *holder;
	int64_t fence;
};

static bool take_over_in_transaction(struct sqlite_database *database, void *context,
                                     struct error **err)
{
	struct takeover *takeover = context;
	struct lease present = { 0 };
	sqlite3_stmt *statement;
	int64_t left_ms;

	if (!read_lease(database, takeover->run_id, &present, &left_ms, err))
		return false;
	if (left_ms > 0) {
		scoped(text) char *left = clock_format_duration(left_ms);

		error_set(err, ERROR_CONFLICT,
		          "the run is driven by %s now; its lease ends in %s unless it is renewed",
		          present.holder, left);
		lease_release(&present);
		return false;
	}
	takeover->fence = present.fence + 1;
	lease_release(&present);
	statement = sqlite_database_prepare(database, QUERY_LEASE_TAKE, err);
	if (!statement)
		return false;
	sqlite_bind_text(statement, 1, takeover->holder);
	sqlite3_bind_int64(statement, 2, METADATA_LEASE_MS);
	sqlite_bind_text(statement, 3, takeover->run_id);
	return sqlite_database_run(database, statement, err);
}

static bool sqlite_acquire_lease(struct metadata_store *store, const char *run_id,
                                 struct lease *lease, struct error **err)
{
	scoped(text) char *holder = holder_name();
	struct takeover takeover = { run_id, holder, 0 };

	if (!transact_synced(database_of(store), true, take_over_in_transaction, &takeover, err))
		return false;
	*lease = (struct lease){ xstrdup(run_id), take(holder), takeover.fence };
	return true;
}

static bool check_fence(struct sqlite_database *database, const struct lease *lease,
                        struct error **err)
{
	struct lease present = { 0 };
	int64_t left_ms;
	bool held;

	if (!read_lease(database, lease->run_id, &present, &left_ms, err))
		return false;
	held = present.fence == lease->fence;
	if (!held)
		error_set(err, ERROR_CONFLICT, "the run is driven by %s now", present.holder);
	lease_release(&present);
	return held;
}

static bool renew_in_transaction(struct sqlite_database *database, void *context,
                                 struct error **err)
{
	const struct lease *lease = context;
	sqlite3_stmt *statement;

	if (!check_fence(database, lease, err))
		return false;
	statement = sqlite_database_prepare(database, QUERY_LEASE_RENEW, err);
	if (!statement)
		return false;
	sqlite3_bind_int64(statement, 1, METADATA_LEASE_MS);
	sqlite_bind_text(statement, 2, lease->run_id);
	sqlite3_bind_int64(statement, 3, lease->fence);
	return sqlite_database_run(database, statement, err);
}

static bool sqlite_renew_lease(struct metadata_store *store, const struct lease *lease,
                               struct error **err)
{
	return transact_synced(database_of(store), false, renew_in_transaction, (void *)lease, err);
}

struct recording {
	const struct lease *lease;
	const struct metadata_change *change;
};

static bool record_in_transaction(struct sqlite_database *database, void *context,
                                  struct error **err)
{
	const struct recording *recording = context;
	const struct metadata_change *change = recording->change;

	return check_fence(database, recording->lease, err) &&
	       sqlite_database_write(database, QUERY_RUN_WRITE, &metadata_table_run, change->run,
	                             !!change->run, err) &&
	       sqlite_database_write(database, QUERY_STEP_WRITE, &metadata_table_step,
	                             change->steps, change->step_count, err) &&
	       sqlite_database_write(database, QUERY_ATTEMPT_WRITE, &metadata_table_attempt,
	                             change->attempt, !!change->attempt, err) &&
	       sqlite_database_write(database, QUERY_ARTIFACT_WRITE, &metadata_table_artifact,
	                             change->artifacts, change->artifact_count, err) &&
	       sqlite_database_write(database, QUERY_EVENT_INSERT, &metadata_table_event,
	                             change->events, change->event_count, err);
}

/*
 * What is acted upon next must not be forgotten at a power cut: the objects of an attempt that has
 * not started are created once it is recorded, the end of a run is told to who waits for it. The
 * rest can be found out again from the job and its result, and a sync can take milliseconds.
 */
static bool must_be_synced(const struct metadata_change *change)
{
	return change->run || (change->attempt && !change->attempt->started_at);
}

static bool sqlite_record(struct metadata_store *store, const struct lease *lease,
                          const struct metadata_change *change, struct error **err)
{
	struct recording recording = { lease, change };

	return transact_synced(database_of(store), must_be_synced(change), record_in_transaction,
	                       &recording, err);
}

static bool sqlite_runs(struct metadata_store *store, int64_t limit, struct run_row **rows,
                        size_t *count, struct error **err)
{
	struct sqlite_database *database = database_of(store);
	sqlite3_stmt *statement = sqlite_database_prepare(database, QUERY_RUNS, err);

	if (!statement)
		return false;
	sqlite3_bind_int64(statement, 1, limit > 0 ? limit : INT64_MAX);
	return sqlite_database_read(database, statement, &metadata_table_run_summary, rows, count,
	                            err);
}

/* `text` NULL: the query has no parameter. At most one row is expected. */
static bool read_run(struct sqlite_database *database, enum metadata_query query, const char *text,
                     struct run_row *row, bool *found, struct error **err)
{
	sqlite3_stmt *statement = sqlite_database_prepare(database, query, err);
	struct run_row *rows;
	size_t count;

	if (!statement)
		return false;
	if (text)
		sqlite_bind_text(statement, 1, text);
	if (!sqlite_database_read(database, statement, &metadata_table_run, &rows, &count, err))
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
static bool name_of_prefix(struct sqlite_database *database, const char *prefix, char **name,
                           struct error **err)
{
	/* 'g' follows the last hex digit. */
	scoped(text) char *end = text_printf("%sg", prefix);
	sqlite3_stmt *statement;
	struct run_row *rows;
	size_t count;

	if (strlen(prefix) < ID_PREFIX_MIN || prefix[strspn(prefix, "0123456789abcdef")])
		return true;
	statement = sqlite_database_prepare(database, QUERY_RUNS_FROM, err);
	if (!statement)
		return false;
	sqlite_bind_text(statement, 1, prefix);
	sqlite_bind_text(statement, 2, end);
	if (!sqlite_database_read(database, statement, &metadata_table_run_summary, &rows, &count,
	                          err))
		return false;
	if (count == 1)
		*name = xstrdup(rows[0].name);
	else if (count > 1)
		ambiguous_error(prefix, rows, count, err);
	metadata_rows_free(&metadata_table_run_summary, rows, count);
	return count < 2;
}

static bool sqlite_find_run(struct metadata_store *store, const char *run_name, struct run_row *row,
                            struct error **err)
{
	struct sqlite_database *database = database_of(store);
	bool latest = !strcmp(run_name, "@latest"), found = false;
	scoped(text) char *name = NULL;

	if (!read_run(database, latest ? QUERY_RUN_LATEST : QUERY_RUN_NAMED,
	              latest ? NULL : run_name, row, &found, err))
		return false;
	if (!found && latest)
		return error_set(err, ERROR_NOT_FOUND,
		                 "there is no run yet; 'stepop run PIPELINE.yaml' starts one");
	if (!found && !name_of_prefix(database, run_name, &name, err))
		return false;
	if (name && !read_run(database, QUERY_RUN_NAMED, name, row, &found, err))
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
	struct sqlite_database *database = database_of(store);
	sqlite3_stmt *statement = sqlite_database_prepare(database, query, err);

	if (!statement)
		return false;
	sqlite_bind_text(statement, 1, run_id);
	return sqlite_database_read(database, statement, table, rows, count, err);
}

static bool sqlite_steps(struct metadata_store *store, const char *run_id, struct step_row **rows,
                         size_t *count, struct error **err)
{
	return rows_of_run(store, QUERY_STEPS, &metadata_table_step, run_id, rows, count, err);
}

static bool sqlite_attempts(struct metadata_store *store, const char *run_id,
                            struct attempt_row **rows, size_t *count, struct error **err)
{
	return rows_of_run(store, QUERY_ATTEMPTS, &metadata_table_attempt, run_id, rows, count,
	                   err);
}

static bool sqlite_artifacts(struct metadata_store *store, const char *run_id,
                             struct artifact_row **rows, size_t *count, struct error **err)
{
	return rows_of_run(store, QUERY_ARTIFACTS, &metadata_table_artifact, run_id, rows, count,
	                   err);
}

static bool sqlite_inputs(struct metadata_store *store, const char *run_id, struct input_row **rows,
                          size_t *count, struct error **err)
{
	return rows_of_run(store, QUERY_INPUTS, &metadata_table_input, run_id, rows, count, err);
}

static bool sqlite_events(struct metadata_store *store, const char *run_id, int64_t after,
                          struct event_row **rows, size_t *count, struct error **err)
{
	struct sqlite_database *database = database_of(store);
	sqlite3_stmt *statement = sqlite_database_prepare(database, QUERY_EVENTS, err);

	if (!statement)
		return false;
	sqlite_bind_text(statement, 1, run_id);
	sqlite3_bind_int64(statement, 2, after);
	return sqlite_database_read(database, statement, &metadata_table_event, rows, count, err);
}

static struct metadata_store *sqlite_open(const struct project *project,
                                          const struct component *component, struct error **err)
{
	const char *name = component_text(component, "path", "metadata.db");
	scoped(text) char *path =
		*name == '/' ? xstrdup(name) : file_join(project_folder(project), name);
	struct sqlite_database *database = sqlite_database_open(path, err);
	struct sqlite_store *store;

	if (!database)
		return error_wrap(err, "metadata store '%s'", component->name);
	store = xcalloc(1, sizeof(*store));
	*store = (struct sqlite_store){ { &metadata_sqlite }, database };
	return &store->base;
}

static const struct component_option options[] = {
	{ "path", OPTION_TEXT, false,
	  "the database file, relative to the project folder (default: metadata.db)", NULL },
	{ 0 },
};

static const struct component_flavor component_sqlite = {
	.type = COMPONENT_METADATA_STORE,
	.name = "sqlite",
	.help = "a database file on this machine",
	.options = options,
};

const struct metadata_flavor metadata_sqlite = {
	.component = &component_sqlite,
	.open = sqlite_open,
	.create_run = sqlite_create_run,
	.acquire_lease = sqlite_acquire_lease,
	.renew_lease = sqlite_renew_lease,
	.record = sqlite_record,
	.runs = sqlite_runs,
	.find_run = sqlite_find_run,
	.steps = sqlite_steps,
	.attempts = sqlite_attempts,
	.artifacts = sqlite_artifacts,
	.inputs = sqlite_inputs,
	.events = sqlite_events,
	.close = sqlite_close,
};
