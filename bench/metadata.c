/* SPDX-License-Identifier: Apache-2.0 */
/* Times the metadata store: creating a run, recording steps, listing runs. usage: metadata FOLDER
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/digest.h"
#include "core/file.h"
#include "core/text.h"
#include "stacks/metadata.h"
#include "stacks/metadata_store.h"
#include "stacks/sqlite_database.h"

enum { RECORDS = 600, STEPS = 10000, RUNS = 100000, LISTED = 50 };

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void require(bool done, struct error *err)
{
	if (done)
		return;
	fprintf(stderr, "metadata: ");
	error_render(err, stderr);
	fputc('\n', stderr);
	exit(1);
}

static void create(struct metadata_store *store, const char *id, size_t steps, struct lease *lease)
{
	struct step_row *rows = xcalloc(steps, sizeof(*rows));
	struct run_row run = { .id = (char *)id,
		               .name = (char *)id,
		               .pipeline = (char *)"bench",
		               .state = (char *)"running",
		               .plan = (char *)"{}" };
	struct error *err = NULL;
	size_t i;

	for (i = 0; i < steps; i++)
		rows[i] = (struct step_row){ .run_id = (char *)id,
			                     .name = text_printf("step_%zu", i),
			                     .position = (int64_t)i,
			                     .state = (char *)"waiting" };
	require(metadata_create_run(store, &run, rows, steps, NULL, 0, lease, &err), err);
	for (i = 0; i < steps; i++)
		free(rows[i].name);
	free(rows);
}

/* What a step costs: its row, its attempt's, an event; synced for an attempt that has not started.
 */
static void time_records(struct metadata_store *store, struct lease *lease, bool started)
{
	struct step_row step = { .run_id = lease->run_id,
		                 .name = (char *)"step_0",
		                 .state = (char *)"running" };
	struct attempt_row attempt = { .run_id = lease->run_id,
		                       .step = (char *)"step_0",
		                       .attempt = 1,
		                       .state = (char *)"running",
		                       .started_at = started };
	struct event_row event = { .run_id = lease->run_id,
		                   .step = (char *)"step_0",
		                   .attempt = 1,
		                   .kind = (char *)"state",
		                   .message = (char *)"running" };
	struct metadata_change change = { .steps = &step,
		                          .step_count = 1,
		                          .attempts = &attempt,
		                          .attempt_count = 1,
		                          .events = &event,
		                          .event_count = 1 };
	struct error *err = NULL;
	double start = now_ms();
	int i;

	for (i = 0; i < RECORDS; i++)
		require(metadata_record(store, lease, &change, &err), err);
	printf("record (step, attempt, event), %s: %.3f ms\n", started ? "not synced" : "synced",
	       (now_ms() - start) / RECORDS);
}

static void time_creation(struct metadata_store *store)
{
	scoped(text) char *id = digest_random_hex(32);
	struct lease lease;
	double start = now_ms();

	create(store, id, STEPS, &lease);
	printf("create a run with %d steps: %.1f ms\n", STEPS, now_ms() - start);
	time_records(store, &lease, false);
	time_records(store, &lease, true);
	lease_release(&lease);
}

/* As the store writes them, but in one transaction: only their number matters here. */
static bool insert_runs(struct sql_database *database, void *context, struct error **err)
{
	static const struct sql_statement statement = {
		"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
		" INSERT INTO runs (id, name, pipeline, state, created_at, started_at, ended_at,"
		" parameters, plan) SELECT lower(hex(randomblob(16))), 'bench-' || i, 'bench',"
		" 'succeeded', i, i, i, '{}', hex(zeroblob(4000)) FROM n",
		SQL_UNPREPARED
	};

	(void)context;
	return sql_run(database, &statement, NULL, 0, err);
}

static void fill(const char *path)
{
	struct error *err = NULL;
	struct sql_database *database = sqlite_database_new(path, metadata_migrate, &err);

	require(database != NULL, err);
	require(sql_transact(database, SQL_WRITE, insert_runs, NULL, &err), err);
	sql_database_free(database);
}
static void time_listing(struct metadata_store *store)
{
	struct error *err = NULL;
	struct run_row *rows;
	double start = now_ms();
	size_t count;

	require(metadata_runs(store, LISTED, &rows, &count, &err), err);
	printf("list the latest %zu of %d runs: %.2f ms\n", count, RUNS, now_ms() - start);
	metadata_rows_free(&metadata_table_run_summary, rows, count);
}

int main(int argc, char **argv)
{
	scoped(text) char *path = file_join(argc > 1 ? argv[1] : ".", "metadata.db");
	struct component component = { .type = COMPONENT_METADATA_STORE,
		                       .name = (char *)"bench",
		                       .flavor = (char *)"sqlite" };
	struct metadata_store *store;
	struct error *err = NULL;
	double start;

	memory_init();
	component.options = json_pack("{s:s}", "path", path);
	start = now_ms();
	store = metadata_store_open(NULL, &component, NULL, &err);
	require(store != NULL, err);
	printf("make the database: %.1f ms\n", now_ms() - start);
	time_creation(store);
	metadata_store_free(store);
	fill(path);
	start = now_ms();
	store = metadata_store_open(NULL, &component, NULL, &err);
	require(store != NULL, err);
	printf("open the database: %.2f ms\n", now_ms() - start);
	time_listing(store);
	metadata_store_free(store);
	json_decref(component.options);
	return 0;
}
