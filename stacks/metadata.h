/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata stores: runs, step runs, attempts, artifacts, lineage, events. The database is the
 * truth. */
#ifndef STACKS_METADATA_H
#define STACKS_METADATA_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "stacks/component.h"

struct metadata_store;
struct probe_report;
struct secret_store;
struct sql_database;

/* Times are milliseconds since the epoch, 0: not yet. Strings are owned by the row; states are
 * names (operator/state.h). */
struct run_row {
	char *id;   /* 32 hex digits */
	char *name; /* unique */
	char *pipeline;
	char *stack;
	char *state;
	char *reason;     /* why it failed, one line; or NULL */
	char *parameters; /* JSON */
	char *plan;       /* JSON: every step resolved */
	int64_t created_at, started_at, ended_at;
};
struct step_row {
	char *run_id;
	char *name;
	int64_t position; /* order of the pipeline file */
	char *state;
	char *reason;
	int64_t attempts;
	int64_t started_at, ended_at;
};
struct attempt_row {
	char *run_id, *step;
	int64_t attempt;
	char *state;
	char *operator; /* name of the step operator component */
	char *flavor;
	char *job;     /* what the flavor calls it: "namespace/pod", "pid 123" */
	char *reason;  /* OOMKilled, ValueError: …, ImagePullBackOff … */
	char *message; /* long: traceback, Kubernetes' message */
	char *advice;
	bool has_exit_code;
	int64_t exit_code;
	char *log; /* where the log is kept: path or URI */
	int64_t created_at, started_at, ended_at;
};
struct artifact_row {
	char *run_id, *step;
	int64_t attempt;
	char *name;
	char *type;
	char *uri;
	char *digest;
	char *metadata; /* JSON of materializer_describe */
	int64_t created_at;
};
struct input_row { /* lineage: this step run read that artifact */
	char *run_id, *step, *input;
	char *source_run_id, *source_step, *source_output;
};
struct event_row {
	int64_t sequence;    /* ascending within the store */
	char *run_id, *step; /* step NULL: the run's */
	int64_t attempt;     /* 0: none */
	int64_t at;
	char *kind; /* "state", "waiting", "warning", … */
	char *message;
};
struct lease_row {
	char *run_id, *holder;
	int64_t fence;
	int64_t expires_at;
	int64_t events;
};
void run_row_release(struct run_row *row);
void step_row_release(struct step_row *row);
void attempt_row_release(struct attempt_row *row);
void artifact_row_release(struct artifact_row *row);
void input_row_release(struct input_row *row);
void event_row_release(struct event_row *row);

#define METADATA_LEASE_MS 30000 /* by the clock of the database's machine */

/*
 * A lease on a run: who drives it. `fence` grows with each holder, every write carries it, and a
 * write whose fence is not the run's present one is refused with CONFLICT.
 */
struct lease {
	char *run_id;
	char *holder; /* "host:pid" */
	int64_t fence;
	int64_t events; /* so many were recorded under it */
};
void lease_release(struct lease *lease);

/* One implementation over any SQL database; a flavor tells which: metadata_sqlite.c,
 * metadata_postgres.c. */
struct metadata_flavor {
	const struct component_flavor *component;

	/* May connect; makes what is no server's when `make`, else NOT_FOUND. The options'
	 * references are resolved; `secrets` is NULL where the stack has no secrets manager. The
	 * caller owns the database. */
	struct sql_database *(*open)(const struct project *project,
	                             const struct component *component,
	                             struct secret_store *secrets, bool make, struct error **err);
};
extern const struct metadata_flavor metadata_sqlite, metadata_postgres, metadata_mysql;
const struct metadata_flavor *metadata_flavor_find(const char *name);

/*
 * Every call below is one transaction. A database that is busy or away is waited for (5 s), then
 * UNAVAILABLE; one that does not answer, TIMEOUT. A write that failed so may have been carried out
 * nevertheless: to repeat it does no harm, and nothing is then there twice.
 */

/* Makes what is missing of the database and migrates its schema, in company if need be; INVALID
 * for the database of another application and for a schema newer than the program. `secrets` is
 * borrowed for the call, and may be NULL. */
struct metadata_store *metadata_store_open(const struct project *project,
                                           const struct component *component,
                                           struct secret_store *secrets, struct error **err);
/* The same, but changes nothing: for metadata_status() alone. */
struct metadata_store *metadata_store_look(const struct project *project,
                                           const struct component *component,
                                           struct secret_store *secrets, struct error **err);
void metadata_store_free(struct metadata_store *store);
DEFINE_CLEANUP(metadata_store);

/* What a store is, and holds. */
struct metadata_status {
	char *server;                  /* "PostgreSQL 15.18" */
	char *database;                /* as messages call it, quotes included */
	int64_t schema, newest_schema; /* versions; 0: an empty database */
	int64_t size_bytes;
	const char
		*tables[8]; /* NULL at the end, all the more so when the schema is not the newest */
	int64_t rows[8];
};
void metadata_status_release(struct metadata_status *status);
bool metadata_status(struct metadata_store *store, struct metadata_status *status,
                     struct error **err);

/* Adds what works and what does not: schema, the right to write, the clock. */
void metadata_probe(struct metadata_store *store, struct probe_report *report);

/*
 * Copies all that `from` holds to `to`, in transactions of some runs each, and compares both to the
 * end. `to` must hold nothing, or only what an earlier copy of the same store left: that is gone on
 * with. CONFLICT when `to` has a run that `from` has not, or a difference, or when a run of `from`
 * is being driven. `done` (may be NULL) is told how many runs were copied or compared.
 */
struct metadata_copy {
	int64_t copied, compared; /* runs */
	int64_t rows;             /* that were compared, all tables together */
};
bool metadata_copy(struct metadata_store *from, struct metadata_store *to,
                   void (*progress)(void *context, const struct metadata_copy *copy), void *context,
                   struct metadata_copy *copy, struct error **err);

/* How long a call may wait from now on, instead of the 5 s. */
void metadata_set_patience(struct metadata_store *store, int64_t patience_ms);

#define METADATA_NAME_LIMIT 191 /* characters: what every database can index */

/* Run, its steps and inputs, and the lease, at once. CONFLICT when the name is taken; INVALID when
 * it is too long. */
bool metadata_create_run(struct metadata_store *store, const struct run_row *run,
                         const struct step_row *steps, size_t step_count,
                         const struct input_row *inputs, size_t input_count, struct lease *lease,
                         struct error **err);
/* Takes the lease of a run whose holder's lease has run out; CONFLICT names the holder. */
bool metadata_acquire_lease(struct metadata_store *store, const char *run_id, struct lease *lease,
                            struct error **err);
/* From now on for another METADATA_LEASE_MS; CONFLICT when it was lost. */
bool metadata_renew_lease(struct metadata_store *store, const struct lease *lease,
                          struct error **err);
/*
 * Writes what changed, together, and renews the lease. Rows are inserted or replaced by their keys,
 * each of which is given once; events are appended (their sequence is ignored). Of a run only
 * state, reason, start and end are replaced. Every row must be of the lease's run (assert). A
 * change with a run, or with an attempt that has not started, survives a power cut, and all before
 * it does; the rest survives a killed process.
 *
 * Events are counted in the lease. After a failure the next change must begin with the same
 * events: those that were recorded in spite of it are then left out.
 */
struct metadata_change {
	const struct run_row *run;
	const struct step_row *steps;
	size_t step_count;
	const struct attempt_row *attempts;
	size_t attempt_count;
	const struct artifact_row *artifacts;
	size_t artifact_count;
	const struct event_row *events;
	size_t event_count;
};
bool metadata_record(struct metadata_store *store, struct lease *lease,
                     const struct metadata_change *change, struct error **err);

/* Rows given are borrowed; rows returned are the caller's (free() the array after releasing the
 * rows). */

/* Newest first, without their plans; `limit` 0: all. */
bool metadata_runs(struct metadata_store *store, int64_t limit, struct run_row **rows,
                   size_t *count, struct error **err);
/* By name, unique prefix of the id, or "@latest"; NOT_FOUND; INVALID when the prefix is
 * ambiguous (names them). */
bool metadata_find_run(struct metadata_store *store, const char *run, struct run_row *row,
                       struct error **err);
bool metadata_steps(struct metadata_store *store, const char *run_id, struct step_row **rows,
                    size_t *count, struct error **err);
bool metadata_attempts(struct metadata_store *store, const char *run_id, struct attempt_row **rows,
                       size_t *count, struct error **err);
bool metadata_artifacts(struct metadata_store *store, const char *run_id,
                        struct artifact_row **rows, size_t *count, struct error **err);
bool metadata_inputs(struct metadata_store *store, const char *run_id, struct input_row **rows,
                     size_t *count, struct error **err);
/* Those with a sequence above `after`. */
bool metadata_events(struct metadata_store *store, const char *run_id, int64_t after,
                     struct event_row **rows, size_t *count, struct error **err);

#endif
