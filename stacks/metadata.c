/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata stores: finds the flavor, opens and migrates its database. */
#include "stacks/metadata.h"

#include <inttypes.h>
#include <string.h>

#include "core/text.h"
#include "stacks/component_secrets.h"
#include "stacks/metadata_store.h"

static const struct metadata_flavor *const flavors[] = { &metadata_sqlite, &metadata_postgres,
	                                                 &metadata_mysql };

const struct metadata_flavor *metadata_flavor_find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(flavors); i++)
		if (!strcmp(flavors[i]->component->name, name))
			return flavors[i];
	return NULL;
}

void run_row_release(struct run_row *row)
{
	metadata_row_release(&metadata_table_run, row);
}

void step_row_release(struct step_row *row)
{
	metadata_row_release(&metadata_table_step, row);
}

void attempt_row_release(struct attempt_row *row)
{
	metadata_row_release(&metadata_table_attempt, row);
}

void artifact_row_release(struct artifact_row *row)
{
	metadata_row_release(&metadata_table_artifact, row);
}

void input_row_release(struct input_row *row)
{
	metadata_row_release(&metadata_table_input, row);
}

void event_row_release(struct event_row *row)
{
	metadata_row_release(&metadata_table_event, row);
}

void lease_release(struct lease *lease)
{
	free(lease->run_id);
	free(lease->holder);
	*lease = (struct lease){ 0 };
}

static bool read_mark(struct sql_database *database, struct sql_mark *mark, struct error **err)
{
	if (!database->driver->read_mark(database, mark, err))
		return false;
	if (mark->version > (int64_t)metadata_schema_version())
		return sql_fail(database, SQL_FAULT_OTHER, ERROR_INVALID, err,
		                "the database %s has version %" PRId64
		                " of the schema, this stepop knows it up to %zu: use a newer "
		                "stepop",
		                database->name, mark->version, metadata_schema_version());
	return true;
}

/* A process may have been killed between a statement that cannot be rolled back and its mark. */
static bool is_done_already(const struct sql_database *database)
{
	return database->driver->keeps_ddl && database->fault == SQL_FAULT_EXISTS;
}

static bool execute_next(struct sql_database *database, struct sql_mark *mark, struct error **err)
{
	size_t version = (size_t)mark->version + 1;
	scoped(text) char *sql = metadata_schema_statement(version, (size_t)mark->statements,
	                                                   database->driver->dialect);
	struct sql_statement statement = { sql, SQL_UNPREPARED };
	scoped(error) struct error *cause = NULL;

	if (!sql_run(database, &statement, NULL, 0, &cause) && !is_done_already(database)) {
		error_pass(err, take(cause));
		return error_wrap(err, "migrate the schema to version %zu", version);
	}
	if (++mark->statements == (int64_t)metadata_schema_statement_count(version))
		*mark = (struct sql_mark){ .version = (int64_t)version };
	return database->driver->write_mark(database, mark, err);
}

/* Another process may have been quicker: the mark is read again under the lock. */
static bool migrate_alone(struct sql_database *database, void *unused, struct error **err)
{
	struct sql_mark mark;

	(void)unused;
	/* Marked before there is anything else: what a killed process leaves is known as ours. */
	if (!read_mark(database, &mark, err) || !database->driver->write_mark(database, &mark, err))
		return false;
	while (mark.version < (int64_t)metadata_schema_version())
		if (!execute_next(database, &mark, err))
			return false;
	return true;
}

bool metadata_migrate(struct sql_database *database, void *unused, struct error **err)
{
	struct sql_mark mark;

	return read_mark(database, &mark, err) &&
	       (mark.version == (int64_t)metadata_schema_version() ||
	        database->driver->migrate(database, migrate_alone, unused, err));
}

static struct metadata_store *open_store(const struct project *project,
                                         const struct component *component,
                                         struct secret_store *secrets, bool make,
                                         struct error **err)
{
	const struct metadata_flavor *flavor = metadata_flavor_find(component->flavor);
	scoped(metadata_store) struct metadata_store *store = NULL;
	scoped(component) struct component *resolved = NULL;

	if (!flavor)
		return error_set(err, ERROR_INVALID, "the flavor '%s' is none", component->flavor);
	resolved = component_resolve(component, flavor->component, secrets, err);
	if (!resolved)
		return NULL;
	store = xcalloc(1, sizeof(*store));
	store->database = flavor->open(project, resolved, secrets, make, err);
	if (!store->database ||
	    (make && !sql_transact(store->database, SQL_READ, metadata_migrate, NULL, err)))
		return NULL;
	return take(store);
}

struct metadata_store *metadata_store_open(const struct project *project,
                                           const struct component *component,
                                           struct secret_store *secrets, struct error **err)
{
	struct metadata_store *store = open_store(project, component, secrets, true, err);

	return store ? store : error_wrap(err, "metadata store '%s'", component->name);
}

struct metadata_store *metadata_store_look(const struct project *project,
                                           const struct component *component,
                                           struct secret_store *secrets, struct error **err)
{
	struct metadata_store *store = open_store(project, component, secrets, false, err);

	return store ? store : error_wrap(err, "metadata store '%s'", component->name);
}

void metadata_set_patience(struct metadata_store *store, int64_t patience_ms)
{
	store->database->patience_ms = patience_ms;
}

void metadata_store_free(struct metadata_store *store)
{
	size_t i;

	if (!store)
		return;
	sql_database_free(store->database);
	for (i = 0; i < METADATA_QUERY_COUNT; i++) {
		free(store->queries[i][0]);
		free(store->queries[i][1]);
	}
	free(store);
}
