/* SPDX-License-Identifier: Apache-2.0 */
/* Times the metadata store of a stack: opening it, recording step runs, listing runs.
 * usage: metadata STACK, within a project; its database should be a new one */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/records.h"
#include "core/digest.h"
#include "core/text.h"
#include "operator/catalog.h"
#include "stacks/metadata_store.h"
#include "stacks/stack.h"

/* TOGETHER: what one record holds when so many steps run at once (operator/run_record.c). */
enum { RECORDS = 500, STEPS = 10000, TOGETHER = 64, RUNS = 100000, LISTED = 50, FILLED = 1000 };

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

static void tell(const char *figure, double value, const char *unit)
{
	printf("%-58s %9.2f %s\n", figure, value, unit);
	fflush(stdout);
}

static struct metadata_store *open_store(const char *name)
{
	scoped(project) struct project *project = NULL;
	scoped(stack) struct stack *stack = NULL;
	struct metadata_store *store = NULL;
	struct error *err = NULL;

	project = project_open(NULL, &err);
	if (project)
		stack = stack_load(project, catalog_built_in(), name, &err);
	if (stack)
		store = records_open_component(project, stack->components[COMPONENT_METADATA_STORE],
		                               stack->components[COMPONENT_SECRETS_MANAGER],
		                               metadata_store_open, &err);
	require(store != NULL, err);
	return store;
}

/* A run with STEPS steps. */
static void create(struct metadata_store *store, struct step_row *steps, struct lease *lease)
{
	struct run_row run = { .id = steps[0].run_id,
		               .name = steps[0].run_id,
		               .pipeline = (char *)"bench",
		               .state = (char *)"running",
		               .plan = (char *)"{}" };
	struct error *err = NULL;
	double start = now_ms();

	require(metadata_create_run(store, &run, steps, STEPS, NULL, 0, lease, &err), err);
	tell("create a run of 10,000 steps", now_ms() - start, "ms");
}

/* What becomes of `count` steps together: their rows, their attempts', an event for each. */
static void record(struct metadata_store *store, struct lease *lease, struct step_row *steps,
                   size_t count, const char *state)
{
	bool started = text_equal(state, "running");
	struct attempt_row attempts[TOGETHER] = { 0 };
	struct event_row events[TOGETHER] = { 0 };
	struct error *err = NULL;
	size_t i;

	for (i = 0; i < count; i++) {
		steps[i].state = (char *)state;
		attempts[i] = (struct attempt_row){ .run_id = steps[i].run_id,
			                            .step = steps[i].name,
			                            .attempt = 1,
			                            .state = (char *)state,
			                            .job = (char *)"spark/bench-driver",
			                            .started_at = started };
		events[i] = (struct event_row){ .run_id = steps[i].run_id,
			                        .step = steps[i].name,
			                        .attempt = 1,
			                        .kind = (char *)"state",
			                        .message = (char *)state };
	}
	require(metadata_record(store, lease,
	                        &(struct metadata_change){ .steps = steps,
	                                                   .step_count = count,
	                                                   .attempts = attempts,
	                                                   .attempt_count = count,
	                                                   .events = events,
	                                                   .event_count = count },
	                        &err),
	        err);
}

static void time_single_records(struct metadata_store *store, struct lease *lease,
                                struct step_row *steps)
{
	double start = now_ms();
	size_t i;

	for (i = 0; i < RECORDS; i++)
		record(store, lease, &steps[i], 1, "launching");
	tell("record one step (row, attempt, event), synced", (now_ms() - start) / RECORDS, "ms");
	start = now_ms();
	for (i = 0; i < RECORDS; i++)
		record(store, lease, &steps[i], 1, "running");
	tell("record one step, not synced", (now_ms() - start) / RECORDS, "ms");
}

/* Each is launched, runs, and succeeds. */
static void time_step_runs(struct metadata_store *store, struct lease *lease,
                           struct step_row *steps)
{
	static const char *const states[] = { "launching", "running", "succeeded" };
	double start = now_ms(), begin, longest = 0;
	size_t i, state;

	for (i = 0; i < STEPS; i += TOGETHER)
		for (state = 0; state < ARRAY_SIZE(states); state++) {
			size_t count = STEPS - i < TOGETHER ? STEPS - i : TOGETHER;

			begin = now_ms();
			record(store, lease, &steps[i], count, states[state]);
			longest = now_ms() - begin > longest ? now_ms() - begin : longest;
		}
	tell("10,000 step runs with their 30,000 events, 64 at a time", now_ms() - start, "ms");
	tell("  of which the longest record", longest, "ms");
}

static void time_recording(struct metadata_store *store)
{
	scoped(text) char *id = digest_random_hex(32);
	struct step_row *steps = xcalloc(STEPS, sizeof(*steps));
	struct lease lease;
	size_t i;

	for (i = 0; i < STEPS; i++)
		steps[i] = (struct step_row){ .run_id = id,
			                      .name = text_printf("step_%zu", i),
			                      .position = (int64_t)i,
			                      .state = (char *)"waiting" };
	create(store, steps, &lease);
	time_single_records(store, &lease, steps);
	time_step_runs(store, &lease, steps);
	for (i = 0; i < STEPS; i++)
		free(steps[i].name);
	free(steps);
	lease_release(&lease);
}

/* As the store writes them, but FILLED in one transaction: only their number matters here. */
static bool insert_runs(struct sql_database *database, void *context, struct error **err)
{
	static char plan[1001];
	struct run_row *rows = xcalloc(FILLED, sizeof(*rows));
	bool inserted;
	size_t i;

	(void)database;
	memset(plan, '-', sizeof(plan) - 1);
	for (i = 0; i < FILLED; i++) {
		rows[i] = (struct run_row){ .id = digest_random_hex(32),
			                    .pipeline = xstrdup("bench"),
			                    .state = xstrdup("succeeded"),
			                    .parameters = xstrdup("{}"),
			                    .plan = xstrdup(plan),
			                    .created_at = 1,
			                    .ended_at = 1 };
		rows[i].name = xstrdup(rows[i].id);
	}
	inserted =
		metadata_write(context, QUERY_RUN_INSERT, &metadata_table_run, rows, FILLED, err);
	metadata_rows_free(&metadata_table_run, rows, FILLED);
	return inserted;
}

static void fill(struct metadata_store *store)
{
	struct error *err = NULL;
	int i;

	metadata_set_patience(store, 60000);
	for (i = 0; i < RUNS / FILLED; i++)
		require(sql_transact(store->database, SQL_WRITE, insert_runs, store, &err), err);
}

static void time_listing(const char *stack)
{
	double start = now_ms(), listing;
	struct metadata_store *store = open_store(stack);
	struct error *err = NULL;
	struct run_row *rows;
	size_t count;

	tell("open the store", now_ms() - start, "ms");
	listing = now_ms();
	require(metadata_runs(store, LISTED, &rows, &count, &err), err);
	tell("list the latest 50 of 100,000 runs, by the store", now_ms() - listing, "ms");
	metadata_rows_free(&metadata_table_run_summary, rows, count);
	metadata_store_free(store);
}

int main(int argc, char **argv)
{
	const char *stack = argc > 1 ? argv[1] : "default";
	double start = now_ms();
	struct metadata_store *store;

	memory_init();
	store = open_store(stack);
	tell("make the schema", now_ms() - start, "ms");
	time_recording(store);
	fill(store);
	metadata_store_free(store);
	time_listing(stack);
	return 0;
}
