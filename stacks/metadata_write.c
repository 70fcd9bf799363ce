/* SPDX-License-Identifier: Apache-2.0 */
/* What is written to a metadata store: runs with their lease, and what changes under it. */
#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/text.h"
#include "stacks/metadata_store.h"

static char *holder_name(void)
{
	char host[256] = "localhost";

	gethostname(host, sizeof(host) - 1);
	return text_printf("%s:%d", host, (int)getpid());
}

/* The lease of a run as the database has it. */
struct present {
	struct lease lease; /* without the run's id */
	int64_t left_ms;
};

static bool take_present(void *context, const struct sql_value *values, struct error **err)
{
	struct present *present = context;

	(void)err;
	lease_release(&present->lease);
	present->lease = (struct lease){ .holder = text_copy(values[0].text),
		                         .fence = sql_integer(&values[1]),
		                         .events = sql_integer(&values[3]) };
	present->left_ms = sql_integer(&values[2]);
	return true;
}

/* Keeps others from the lease until the end of the transaction. Release present->lease also after
 * a failure. */
static bool read_lease(struct metadata_store *store, const char *run_id, struct present *present,
                       struct error **err)
{
	struct sql_value run = sql_text(run_id);

	if (!metadata_query(store, QUERY_LEASE, &run, 1, take_present, present, err))
		return false;
	if (!present->lease.holder)
		return error_set(err, ERROR_NOT_FOUND, "there is no run with the id '%s'", run_id);
	return true;
}

struct creation {
	struct metadata_store *store;
	const struct run_row *run;
	const struct step_row *steps;
	size_t step_count;
	const struct input_row *inputs;
	size_t input_count;
	char *holder;
};

static bool create_body(struct sql_database *database, void *context, struct error **err)
{
	const struct creation *creation = context;
	struct metadata_store *store = creation->store;
	struct sql_value lease[] = { sql_text(creation->run->id), sql_text(creation->holder),
		                     sql_number(METADATA_LEASE_MS) };

	(void)database;
	return metadata_write(store, QUERY_RUN_INSERT, &metadata_table_run, creation->run, 1,
	                      err) &&
	       metadata_run(store, QUERY_LEASE_INSERT, lease, ARRAY_SIZE(lease), err) &&
	       metadata_write(store, QUERY_STEP_INSERT, &metadata_table_step, creation->steps,
	                      creation->step_count, err) &&
	       metadata_write(store, QUERY_INPUT_INSERT, &metadata_table_input, creation->inputs,
	                      creation->input_count, err);
}

/* What the duplicate is: the run itself, by a commit whose answer was lost (ids are never given
 * twice); another run of the same name; or what the caller gave twice. */
static bool explain_duplicate(struct metadata_store *store, const struct run_row *run,
                              struct error *cause, struct error **err)
{
	scoped(error) struct error *duplicate = cause;
	struct run_row other;
	bool named, same;

	if (!metadata_find_run(store, run->name, &other, NULL))
		return error_pass(err, take(duplicate));
	named = text_equal(other.name, run->name);
	same = text_equal(other.id, run->id);
	run_row_release(&other);
	if (!named)
		return error_pass(err, take(duplicate));
	return same ||
	       error_set(err, ERROR_CONFLICT, "there is a run named '%s' already", run->name);
}

static bool check_name(const char *name, struct error **err)
{
	size_t characters = 0;
	const char *c;

	for (c = name; *c; c++)
		characters += ((unsigned char)*c & 0xc0) != 0x80;
	return characters <= METADATA_NAME_LIMIT ||
	       error_set(err, ERROR_INVALID, "the name has %zu characters; %d are allowed",
	                 characters, METADATA_NAME_LIMIT);
}

bool metadata_create_run(struct metadata_store *store, const struct run_row *run,
                         const struct step_row *steps, size_t step_count,
                         const struct input_row *inputs, size_t input_count, struct lease *lease,
                         struct error **err)
{
	scoped(text) char *holder = holder_name();
	scoped(error) struct error *cause = NULL;
	struct creation creation = { store, run, steps, step_count, inputs, input_count, holder };
	bool created;

	if (!check_name(run->name, err))
		return error_wrap(err, "create the run");
	created = sql_transact(store->database, SQL_DURABLE, create_body, &creation, &cause);
	if (!created && store->database->fault == SQL_FAULT_DUPLICATE)
		created = explain_duplicate(store, run, take(cause), err);
	else if (!created)
		error_pass(err, take(cause));
	if (!created)
		return error_wrap(err, "create the run '%s'", run->name);
	*lease = (struct lease){ xstrdup(run->id), take(holder), 1, 0 };
	return true;
}

struct takeover {
	struct metadata_store *store;
	const char *run_id;
	char *holder;
	int64_t fence; /* that was written; 0: none yet */
};

static bool check_is_free(const struct present *present, const struct takeover *takeover,
                          struct error **err)
{
	scoped(text) char *left = NULL;

	/* Ours, by a commit whose answer was lost. */
	if (present->left_ms <= 0 || (present->lease.fence == takeover->fence &&
	                              text_equal(present->lease.holder, takeover->holder)))
		return true;
	left = clock_format_duration(present->left_ms);
	return error_set(err, ERROR_CONFLICT,
	                 "the run is driven by %s now; its lease ends in %s unless it is renewed",
	                 present->lease.holder, left);
}

static bool take_over_body(struct sql_database *database, void *context, struct error **err)
{
	struct takeover *takeover = context;
	struct present present = { 0 };
	struct sql_value values[] = { sql_text(takeover->holder), sql_number(METADATA_LEASE_MS),
		                      sql_text(takeover->run_id) };
	bool is_free;

	(void)database;
	is_free = read_lease(takeover->store, takeover->run_id, &present, err) &&
	          check_is_free(&present, takeover, err);
	if (is_free)
		takeover->fence = present.lease.fence + 1;
	lease_release(&present.lease);
	return is_free &&
	       metadata_run(takeover->store, QUERY_LEASE_TAKE, values, ARRAY_SIZE(values), err);
}

bool metadata_acquire_lease(struct metadata_store *store, const char *run_id, struct lease *lease,
                            struct error **err)
{
	scoped(text) char *holder = holder_name();
	struct takeover takeover = { store, run_id, holder, 0 };

	if (!sql_transact(store->database, SQL_DURABLE, take_over_body, &takeover, err))
		return false;
	*lease = (struct lease){ xstrdup(run_id), take(holder), takeover.fence, 0 };
	return true;
}

/* Is the lease still held? `*events` (may be NULL): how many were recorded under it. */
static bool check_fence(struct metadata_store *store, const struct lease *lease, int64_t *events,
                        struct error **err)
{
	struct present present = { 0 };
	bool held = read_lease(store, lease->run_id, &present, err);

	if (held && present.lease.fence != lease->fence)
		held = error_set(err, ERROR_CONFLICT, "the run is driven by %s now",
		                 present.lease.holder);
	if (events)
		*events = present.lease.events;
	lease_release(&present.lease);
	return held;
}

struct renewal {
	struct metadata_store *store;
	const struct lease *lease;
};

static bool renew_body(struct sql_database *database, void *context, struct error **err)
{
	const struct renewal *renewal = context;
	struct sql_value values[] = { sql_number(METADATA_LEASE_MS),
		                      sql_text(renewal->lease->run_id) };

	(void)database;
	return check_fence(renewal->store, renewal->lease, NULL, err) &&
	       metadata_run(renewal->store, QUERY_LEASE_RENEW, values, ARRAY_SIZE(values), err);
}

bool metadata_renew_lease(struct metadata_store *store, const struct lease *lease,
                          struct error **err)
{
	struct renewal renewal = { store, lease };

	return sql_transact(store->database, SQL_WRITE, renew_body, &renewal, err);
}

struct recording {
	struct metadata_store *store;
	const struct lease *lease;
	const struct metadata_change *change;
};

static bool write_rows(struct metadata_store *store, const struct metadata_change *change,
                       struct error **err)
{
	return metadata_write(store, QUERY_RUN_WRITE, &metadata_table_run, change->run,
	                      !!change->run, err) &&
	       metadata_write(store, QUERY_STEP_WRITE, &metadata_table_step, change->steps,
	                      change->step_count, err) &&
	       metadata_write(store, QUERY_ATTEMPT_WRITE, &metadata_table_attempt, change->attempts,
	                      change->attempt_count, err) &&
	       metadata_write(store, QUERY_ARTIFACT_WRITE, &metadata_table_artifact,
	                      change->artifacts, change->artifact_count, err);
}

/* `recorded`: by the database's count. Beyond the lease's own they come from a change whose
 * outcome was not known. */
static bool append_events(const struct recording *recording, int64_t recorded, struct error **err)
{
	const struct metadata_change *change = recording->change;
	int64_t after = recording->lease->events + (int64_t)change->event_count;
	size_t known = recorded > recording->lease->events
	                       ? (size_t)(recorded - recording->lease->events)
	                       : 0;
	struct sql_value values[] = { sql_number(METADATA_LEASE_MS),
		                      sql_number(after > recorded ? after : recorded),
		                      sql_text(recording->lease->run_id) };

	if (known < change->event_count &&
	    !metadata_write(recording->store, QUERY_EVENT_INSERT, &metadata_table_event,
	                    change->events + known, change->event_count - known, err))
		return false;
	return metadata_run(recording->store, QUERY_LEASE_COUNT, values, ARRAY_SIZE(values), err);
}

static bool record_body(struct sql_database *database, void *context, struct error **err)
{
	const struct recording *recording = context;
	int64_t recorded;

	(void)database;
	return check_fence(recording->store, recording->lease, &recorded, err) &&
	       write_rows(recording->store, recording->change, err) &&
	       append_events(recording, recorded, err);
}

/*
 * What is acted upon next must not be forgotten at a power cut: the objects of an attempt that has
 * not started are created once it is recorded, the end of a run is told to who waits for it. The
 * rest can be found out again from the job and its result, and a sync can take milliseconds.
 */
static enum sql_mode mode_of(const struct metadata_change *change)
{
	bool durable = change->run != NULL;
	size_t i;

	for (i = 0; i < change->attempt_count; i++)
		durable |= !change->attempts[i].started_at;
	return durable ? SQL_DURABLE : SQL_WRITE;
}

/* A row of another run would slip past the fence. */
static void check_change(const struct lease *lease, const struct metadata_change *change)
{
	size_t i;

	assert(!change->run || !strcmp(change->run->id, lease->run_id));
	for (i = 0; i < change->step_count; i++)
		assert(!strcmp(change->steps[i].run_id, lease->run_id));
	for (i = 0; i < change->attempt_count; i++)
		assert(!strcmp(change->attempts[i].run_id, lease->run_id));
	for (i = 0; i < change->artifact_count; i++)
		assert(!strcmp(change->artifacts[i].run_id, lease->run_id));
	for (i = 0; i < change->event_count; i++)
		assert(!strcmp(change->events[i].run_id, lease->run_id));
}

bool metadata_record(struct metadata_store *store, struct lease *lease,
                     const struct metadata_change *change, struct error **err)
{
	struct recording recording = { store, lease, change };

	check_change(lease, change);
	if (!sql_transact(store->database, mode_of(change), record_body, &recording, err))
		return false;
	lease->events += (int64_t)change->event_count;
	return true;
}
