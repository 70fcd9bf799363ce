/* SPDX-License-Identifier: Apache-2.0 */
/* The schema of the metadata, its migrations and its queries, once for every SQL database. */
#ifndef STACKS_METADATA_SCHEMA_H
#define STACKS_METADATA_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

/* What SQL databases do not agree on. The text of types and expressions is pasted into the SQL. */
struct metadata_dialect {
	const char *integer;  /* 64 bits */
	const char *text;     /* of any length */
	const char *key;      /* text of at most 191 characters that can be indexed */
	const char *sequence; /* an ascending primary key that the database gives, never reused */
	const char *now;      /* the database's clock: milliseconds since the epoch */
	char parameter;       /* in front of a parameter's number: '?' or '$' */
};

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
	metadata_table_artifact, metadata_table_input, metadata_table_event;
/* A run without its plan, which can be megabytes. */
extern const struct metadata_table metadata_table_run_summary;

/* Frees the texts of a row and zeroes it. */
void metadata_row_release(const struct metadata_table *table, void *row);

/* An array of rows, and the array itself. */
void metadata_rows_free(const struct metadata_table *table, void *rows, size_t count);

/* Parameters are numbered from 1; those that write a row are its fields in order (FIELD_ASSIGNED
 * left out). */
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
	QUERY_LEASE,        /* run: holder, fence, milliseconds that are left */
	QUERY_LEASE_TAKE,   /* holder, milliseconds, run */
	QUERY_LEASE_RENEW,  /* milliseconds, run, fence */
	METADATA_QUERY_COUNT,
};
#define METADATA_AMBIGUOUS 6

/* Owned by the caller. */
char *metadata_query_text(enum metadata_query query, const struct metadata_dialect *dialect);

/* The schema's version is the number of migrations; migration `version` leads to it from the one
 * before (1: from nothing). Several statements; owned by the caller. */
size_t metadata_schema_version(void);
char *metadata_schema_migration(size_t version, const struct metadata_dialect *dialect);

#endif
