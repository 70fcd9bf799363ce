/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata stores: finds the flavor, and the callers' side of its hooks. */
#include "stacks/metadata.h"

#include <assert.h>
#include <string.h>

#include "stacks/metadata_schema.h"

static const struct metadata_flavor *const flavors[] = { &metadata_sqlite };

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

struct metadata_store *metadata_store_open(const struct project *project,
                                           const struct component *component, struct error **err)
{
	const struct metadata_flavor *flavor = metadata_flavor_find(component->flavor);

	if (!flavor)
		return error_set(err, ERROR_INVALID,
		                 "metadata store '%s' has the flavor '%s', which is none",
		                 component->name, component->flavor);
	return flavor->open(project, component, err);
}

void metadata_store_free(struct metadata_store *store)
{
	if (store)
		store->flavor->close(store);
}

bool metadata_create_run(struct metadata_store *store, const struct run_row *run,
                         const struct step_row *steps, size_t step_count,
                         const struct input_row *inputs, size_t input_count, struct lease *lease,
                         struct error **err)
{
	return store->flavor->create_run(store, run, steps, step_count, inputs, input_count, lease,
	                                 err);
}

bool metadata_acquire_lease(struct metadata_store *store, const char *run_id, struct lease *lease,
                            struct error **err)
{
	return store->flavor->acquire_lease(store, run_id, lease, err);
}

bool metadata_renew_lease(struct metadata_store *store, const struct lease *lease,
                          struct error **err)
{
	return store->flavor->renew_lease(store, lease, err);
}

/* A row of another run would slip past the fence. */
static void check_change(const struct lease *lease, const struct metadata_change *change)
{
	size_t i;

	assert(!change->run || !strcmp(change->run->id, lease->run_id));
	for (i = 0; i < change->step_count; i++)
		assert(!strcmp(change->steps[i].run_id, lease->run_id));
	assert(!change->attempt || !strcmp(change->attempt->run_id, lease->run_id));
	for (i = 0; i < change->artifact_count; i++)
		assert(!strcmp(change->artifacts[i].run_id, lease->run_id));
	for (i = 0; i < change->event_count; i++)
		assert(!strcmp(change->events[i].run_id, lease->run_id));
}

bool metadata_record(struct metadata_store *store, const struct lease *lease,
                     const struct metadata_change *change, struct error **err)
{
	check_change(lease, change);
	return store->flavor->record(store, lease, change, err);
}

bool metadata_runs(struct metadata_store *store, int64_t limit, struct run_row **rows,
                   size_t *count, struct error **err)
{
	return store->flavor->runs(store, limit, rows, count, err);
}

bool metadata_find_run(struct metadata_store *store, const char *run, struct run_row *row,
                       struct error **err)
{
	return store->flavor->find_run(store, run, row, err);
}

bool metadata_steps(struct metadata_store *store, const char *run_id, struct step_row **rows,
                    size_t *count, struct error **err)
{
	return store->flavor->steps(store, run_id, rows, count, err);
}

bool metadata_attempts(struct metadata_store *store, const char *run_id, struct attempt_row **rows,
                       size_t *count, struct error **err)
{
	return store->flavor->attempts(store, run_id, rows, count, err);
}

bool metadata_artifacts(struct metadata_store *store, const char *run_id,
                        struct artifact_row **rows, size_t *count, struct error **err)
{
	return store->flavor->artifacts(store, run_id, rows, count, err);
}

bool metadata_inputs(struct metadata_store *store, const char *run_id, struct input_row **rows,
                     size_t *count, struct error **err)
{
	return store->flavor->inputs(store, run_id, rows, count, err);
}

bool metadata_events(struct metadata_store *store, const char *run_id, int64_t after,
                     struct event_row **rows, size_t *count, struct error **err)
{
	return store->flavor->events(store, run_id, after, rows, count, err);
}
