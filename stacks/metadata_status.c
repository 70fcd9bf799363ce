/* SPDX-License-Identifier: Apache-2.0 */
/* What a metadata store is and holds, and whether it can be used. */
#include <inttypes.h>
#include <string.h>

#include "core/clock.h"
#include "core/digest.h"
#include "core/text.h"
#include "stacks/metadata_store.h"
#include "stacks/probe.h"

#define CLOCK_TOLERANCE_MS 30000

void metadata_status_release(struct metadata_status *status)
{
	free(status->server);
	free(status->database);
	*status = (struct metadata_status){ 0 };
}

static bool take_text(void *context, const struct sql_value *values, struct error **err)
{
	char **text = context;

	(void)err;
	free(*text);
	*text = text_copy(values[0].text);
	return true;
}

static bool read_server(struct sql_database *database, char **server, struct error **err)
{
	scoped(text) char *sql = text_printf("SELECT %s", database->driver->dialect->version);
	struct sql_statement statement = { sql, SQL_UNPREPARED };
	scoped(text) char *version = NULL;

	if (!sql_query(database, &statement, NULL, 0, take_text, &version, err))
		return false;
	free(*server);
	*server = text_printf("%s %s", database->driver->name, version);
	return true;
}

static bool count_rows(struct sql_database *database, struct metadata_status *status,
                       struct error **err)
{
	static const struct metadata_table *const tables[] = {
		&metadata_table_run,      &metadata_table_step,  &metadata_table_attempt,
		&metadata_table_artifact, &metadata_table_input, &metadata_table_event,
		&metadata_table_lease,
	};
	size_t i;

	_Static_assert(ARRAY_SIZE(tables) < ARRAY_SIZE(status->tables), "room for the end");
	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		scoped(text) char *sql = text_printf("SELECT COUNT(*) FROM %s", tables[i]->name);

		if (!sql_query_integer(database, sql, &status->rows[i], err))
			return false;
		status->tables[i] = tables[i]->name;
	}
	return true;
}

static bool status_body(struct sql_database *database, void *context, struct error **err)
{
	struct metadata_status *status = context;
	const struct sql_driver *driver = database->driver;
	struct sql_mark mark;

	if (!driver->read_mark(database, &mark, err) ||
	    !read_server(database, &status->server, err) ||
	    !sql_query_integer(database, driver->dialect->size, &status->size_bytes, err))
		return false;
	status->schema = mark.version;
	return mark.version != status->newest_schema || count_rows(database, status, err);
}

bool metadata_status(struct metadata_store *store, struct metadata_status *status,
                     struct error **err)
{
	*status = (struct metadata_status){ .database = xstrdup(store->database->name),
		                            .newest_schema = (int64_t)metadata_schema_version() };
	if (sql_transact(store->database, SQL_READ, status_body, status, err))
		return true;
	metadata_status_release(status);
	return false;
}

/* A run that is never committed: the error, which is the probe's own, undoes it. */
static bool trial_body(struct sql_database *database, void *context, struct error **err)
{
	struct metadata_store *store = context;
	scoped(text) char *id = digest_random_hex(32);
	struct run_row row = {
		.id = id, .name = id, .pipeline = (char *)"probe", .state = (char *)"running"
	};
	scoped(text) char *sql = text_printf("SELECT COUNT(*) FROM runs WHERE id = '%s'", id);
	int64_t count;

	if (!metadata_write(store, QUERY_RUN_INSERT, &metadata_table_run, &row, 1, err) ||
	    !sql_query_integer(database, sql, &count, err))
		return false;
	return error_set(err, count == 1 ? ERROR_CANCELLED : ERROR_INTERNAL,
	                 "a row that was written is not there");
}

static bool read_clock(struct sql_database *database, void *context, struct error **err)
{
	scoped(text) char *sql = text_printf("SELECT %s", database->driver->dialect->now);

	return sql_query_integer(database, sql, context, err);
}

static void probe_clock(struct metadata_store *store, struct probe_report *report)
{
	scoped(error) struct error *err = NULL;
	scoped(text) char *off = NULL;
	int64_t before = clock_now_ms(), theirs, skew;

	if (!sql_transact(store->database, SQL_READ, read_clock, &theirs, &err)) {
		probe_fault(report, "clock", NULL, err);
		return;
	}
	skew = theirs > before ? theirs - before : before - theirs;
	if (skew <= CLOCK_TOLERANCE_MS)
		return;
	off = clock_format_duration(skew);
	probe_warning(report, "clock", "set both by NTP",
	              "the server's clock is %s %s this machine's", off,
	              theirs > before ? "ahead of" : "behind");
}

void metadata_probe(struct metadata_store *store, struct probe_report *report)
{
	scoped(error) struct error *err = NULL, *trial = NULL;
	struct metadata_status status;

	if (!metadata_status(store, &status, &err)) {
		probe_fault(report, "database", NULL, err);
		return;
	}
	probe_ok(report, "database", "%s, %s: version %" PRId64 " of the schema, %" PRId64 " runs",
	         status.database, status.server, status.schema, status.rows[0]);
	metadata_status_release(&status);
	sql_transact(store->database, SQL_WRITE, trial_body, store, &trial);
	if (trial->kind == ERROR_CANCELLED)
		probe_ok(report, "writing", "a run can be recorded");
	else
		probe_fault(report, "writing", NULL, trial);
	probe_clock(store, report);
}
