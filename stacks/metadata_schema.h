/* SPDX-License-Identifier: Apache-2.0 */
/* The schema of the metadata, its migrations and its queries, once for every SQL database. */
#ifndef STACKS_METADATA_SCHEMA_H
#define STACKS_METADATA_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "stacks/sql_database.h"

/* How a column is kept in a row of stacks/metadata.h. */
enum metadata_field_kind {
	FIELD_TEXT,     /* char *, NULL is NULL */
	FIELD_INTEGER,  /* int64_t */
	FIELD_OPTIONAL, /* int64_t, NULL while the bool at `flag` is false */
	FIELD_ASSIGNED, /* int64_t that the database gives: read, never written */
};
enum metadata_field_role {
	ROLE_VALUE,
	ROLE_KEY,
	ROLE_FIXED, /* written once, with the row; later writes leave it alone */
};
struct metadata_field {
	const char *column;
	enum metadata_field_kind kind;
	enum metadata_field_role role;
	size_t offset, flag;
};

/* A table and the struct that holds one of its rows. */
struct metadata_table {
	const char *name;
	const struct metadata_field *fields;
	size_t field_count;
	size_t row_size;
};
extern const struct metadata_table metadata_table_run, metadata_table_step, metadata_table_attempt,
	metadata_table_artifact, metadata_table_input, metadata_table_event, metadata_table_lease;
/* A run without its plan, which can be megabytes. */
extern const struct metadata_table metadata_table_run_summary;

/* Frees the texts of a row and zeroes it. */
void metadata_row_release(const struct metadata_table *table, void *row);

/* An array of rows, and the array itself. */
void metadata_rows_free(const struct metadata_table *table, void *rows, size_t count);

/*
 * Parameters stand in the text in the order of their numbers, each once; those that write a row are
 * its fields in order (FIELD_ASSIGNED left out).
 */
enum metadata_query {
	QUERY_RUN_INSERT,
	QUERY_STEP_INSERT,
	QUERY_INPUT_INSERT,
	QUERY_RUN_WRITE,
	QUERY_STEP_WRITE,
	QUERY_ATTEMPT_WRITE,
	QUERY_ARTIFACT_WRITE,
	QUERY_EVENT_INSERT,
	QUERY_RUNS,       /* limit */
	QUERY_RUN_LATEST, /* - */
	QUERY_RUN_NAMED,  /* name */
	QUERY_RUNS_FROM,  /* first id, id behind the last: at most METADATA_AMBIGUOUS of them */
	QUERY_STEPS,      /* run */
	QUERY_ATTEMPTS,
	QUERY_ARTIFACTS,
	QUERY_INPUTS,
	QUERY_EVENTS,       /* run, sequence */
	QUERY_LEASE_INSERT, /* run, holder, milliseconds */
	QUERY_LEASE,        /* run: holder, fence, milliseconds that are left, events; locks it */
	QUERY_LEASE_TAKE,   /* holder, milliseconds, run */
	QUERY_LEASE_RENEW,  /* milliseconds, run */
	QUERY_LEASE_COUNT,  /* milliseconds, events, run */
	QUERY_LEASE_ROW_INSERT,
	QUERY_LEASE_LIVE,   /* -: the run's name and the holder of some lease that has time left */
	QUERY_BATCH_END,    /* number, rows: the number of the last run of the next so many */
	QUERY_BATCH_RUNS,   /* number before the first, number of the last: their rows, in order */
	QUERY_BATCH_LEASES, /* the same: the rows of these runs */
	QUERY_BATCH_STEPS,
	QUERY_BATCH_INPUTS,
	QUERY_BATCH_ATTEMPTS,
	QUERY_BATCH_ARTIFACTS,
	QUERY_BATCH_EVENTS,
	METADATA_QUERY_COUNT,
};
#define METADATA_AMBIGUOUS 6

/* The query for `rows` rows at once (1 unless it writes rows). Owned by the caller. */
char *metadata_query_text(enum metadata_query query, size_t rows,
                          const struct sql_dialect *dialect);

/* Pastes the dialect's words and parameters into `sql`. */
void metadata_render(const char *sql, const struct sql_dialect *dialect, FILE *out);

/* The schema's version is the number of migrations; migration `version` leads to it from the one
 * before (1: from nothing), by so many statements. */
size_t metadata_schema_version(void);
size_t metadata_schema_statement_count(size_t version);
/* Owned by the caller. */
char *metadata_schema_statement(size_t version, size_t index, const struct sql_dialect *dialect);

#endif
