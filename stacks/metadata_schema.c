/* SPDX-License-Identifier: Apache-2.0 */
/* The schema of the metadata and its migrations, once for every SQL database. */
#include "stacks/metadata_schema.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "stacks/metadata.h"

/*
 * A migration that was released is never changed: the next one is added below it. {word} is the
 * dialect's. What may be long stands last in its table, so that SQLite reads the columns before it
 * without following the row's overflow pages. Foreign keys stand for themselves, not behind a
 * column, where MySQL reads over them.
 */
static const char *const first_schema[] = {
	"CREATE TABLE runs ("
	" number {sequence},"
	" id {key} NOT NULL UNIQUE,"
	" name {key} NOT NULL UNIQUE,"
	" pipeline {key} NOT NULL,"
	" stack {key},"
	" state {key} NOT NULL,"
	" reason {text},"
	" created_at {integer} NOT NULL,"
	" started_at {integer} NOT NULL,"
	" ended_at {integer} NOT NULL,"
	" parameters {text},"
	" plan {text})",
	"CREATE TABLE leases ("
	" run_id {key} NOT NULL PRIMARY KEY,"
	" holder {text} NOT NULL,"
	" fence {integer} NOT NULL,"
	" expires_at {integer} NOT NULL,"
	" FOREIGN KEY (run_id) REFERENCES runs (id) ON DELETE CASCADE)",
	"CREATE TABLE steps ("
	" run_id {key} NOT NULL,"
	" name {key} NOT NULL,"
	" position {integer} NOT NULL,"
	" state {key} NOT NULL,"
	" reason {text},"
	" attempts {integer} NOT NULL,"
	" started_at {integer} NOT NULL,"
	" ended_at {integer} NOT NULL,"
	" PRIMARY KEY (run_id, name),"
	" FOREIGN KEY (run_id) REFERENCES runs (id) ON DELETE CASCADE)",
	"CREATE TABLE inputs ("
	" run_id {key} NOT NULL,"
	" step {key} NOT NULL,"
	" input {key} NOT NULL,"
	" source_run_id {key} NOT NULL,"
	" source_step {key} NOT NULL,"
	" source_output {key} NOT NULL,"
	" PRIMARY KEY (run_id, step, input),"
	" FOREIGN KEY (run_id, step) REFERENCES steps (run_id, name) ON DELETE CASCADE)",
	"CREATE TABLE attempts ("
	" run_id {key} NOT NULL,"
	" step {key} NOT NULL,"
	" attempt {integer} NOT NULL,"
	" state {key} NOT NULL,"
	" operator {key},"
	" flavor {key},"
	" job {text},"
	" exit_code {integer},"
	" log {text},"
	" created_at {integer} NOT NULL,"
	" started_at {integer} NOT NULL,"
	" ended_at {integer} NOT NULL,"
	" reason {text},"
	" advice {text},"
	" message {text},"
	" PRIMARY KEY (run_id, step, attempt),"
	" FOREIGN KEY (run_id, step) REFERENCES steps (run_id, name) ON DELETE CASCADE)",
	"CREATE TABLE artifacts ("
	" run_id {key} NOT NULL,"
	" step {key} NOT NULL,"
	" attempt {integer} NOT NULL,"
	" name {key} NOT NULL,"
	" type {key} NOT NULL,"
	" uri {text} NOT NULL,"
	" digest {key},"
	" created_at {integer} NOT NULL,"
	" metadata {text},"
	" PRIMARY KEY (run_id, step, attempt, name),"
	" FOREIGN KEY (run_id, step) REFERENCES steps (run_id, name) ON DELETE CASCADE)",
	"CREATE TABLE events ("
	" sequence {sequence},"
	" run_id {key} NOT NULL,"
	" step {key},"
	" attempt {integer} NOT NULL,"
	" at {integer} NOT NULL,"
	" kind {key} NOT NULL,"
	" message {text},"
	" FOREIGN KEY (run_id) REFERENCES runs (id) ON DELETE CASCADE)",
	"CREATE INDEX events_of_run ON events (run_id, sequence)",
};

/* How many events the holder of the lease has recorded: see metadata_record(). */
static const char *const counted_events[] = {
	"ALTER TABLE leases ADD COLUMN events {integer} NOT NULL DEFAULT 0",
};

static const struct migration {
	const char *const *statements;
	size_t count;
} migrations[] = {
	{ first_schema, ARRAY_SIZE(first_schema) },
	{ counted_events, ARRAY_SIZE(counted_events) },
};

#define TEXT(row, name, role)                                          \
	{                                                              \
#name, FIELD_TEXT, role, offsetof(struct row, name), 0 \
	}
#define INTEGER(row, name, role)                                          \
	{                                                                 \
#name, FIELD_INTEGER, role, offsetof(struct row, name), 0 \
	}

static const struct metadata_field run_fields[] = {
	TEXT(run_row, id, ROLE_KEY),
	TEXT(run_row, name, ROLE_FIXED),
	TEXT(run_row, pipeline, ROLE_FIXED),
	TEXT(run_row, stack, ROLE_FIXED),
	TEXT(run_row, state, ROLE_VALUE),
	TEXT(run_row, reason, ROLE_VALUE),
	INTEGER(run_row, created_at, ROLE_FIXED),
	INTEGER(run_row, started_at, ROLE_VALUE),
	INTEGER(run_row, ended_at, ROLE_VALUE),
	TEXT(run_row, parameters, ROLE_FIXED),
	TEXT(run_row, plan, ROLE_FIXED),
};
static const struct metadata_field step_fields[] = {
	TEXT(step_row, run_id, ROLE_KEY),          TEXT(step_row, name, ROLE_KEY),
	INTEGER(step_row, position, ROLE_VALUE),   TEXT(step_row, state, ROLE_VALUE),
	TEXT(step_row, reason, ROLE_VALUE),        INTEGER(step_row, attempts, ROLE_VALUE),
	INTEGER(step_row, started_at, ROLE_VALUE), INTEGER(step_row, ended_at, ROLE_VALUE),
};
static const struct metadata_field input_fields[] = {
	TEXT(input_row, run_id, ROLE_KEY),        TEXT(input_row, step, ROLE_KEY),
	TEXT(input_row, input, ROLE_KEY),         TEXT(input_row, source_run_id, ROLE_VALUE),
	TEXT(input_row, source_step, ROLE_VALUE), TEXT(input_row, source_output, ROLE_VALUE),
};
static const struct metadata_field attempt_fields[] = {
	TEXT(attempt_row, run_id, ROLE_KEY),
	TEXT(attempt_row, step, ROLE_KEY),
	INTEGER(attempt_row, attempt, ROLE_KEY),
	TEXT(attempt_row, state, ROLE_VALUE),
	TEXT(attempt_row, operator, ROLE_VALUE),
	TEXT(attempt_row, flavor, ROLE_VALUE),
	TEXT(attempt_row, job, ROLE_VALUE),
	{ "exit_code", FIELD_OPTIONAL, ROLE_VALUE, offsetof(struct attempt_row, exit_code),
	  offsetof(struct attempt_row, has_exit_code) },
	TEXT(attempt_row, log, ROLE_VALUE),
	INTEGER(attempt_row, created_at, ROLE_VALUE),
	INTEGER(attempt_row, started_at, ROLE_VALUE),
	INTEGER(attempt_row, ended_at, ROLE_VALUE),
	TEXT(attempt_row, reason, ROLE_VALUE),
	TEXT(attempt_row, advice, ROLE_VALUE),
	TEXT(attempt_row, message, ROLE_VALUE),
};
static const struct metadata_field artifact_fields[] = {
	TEXT(artifact_row, run_id, ROLE_KEY),     TEXT(artifact_row, step, ROLE_KEY),
	INTEGER(artifact_row, attempt, ROLE_KEY), TEXT(artifact_row, name, ROLE_KEY),
	TEXT(artifact_row, type, ROLE_VALUE),     TEXT(artifact_row, uri, ROLE_VALUE),
	TEXT(artifact_row, digest, ROLE_VALUE),   INTEGER(artifact_row, created_at, ROLE_VALUE),
	TEXT(artifact_row, metadata, ROLE_VALUE),
};
static const struct metadata_field event_fields[] = {
	{ "sequence", FIELD_ASSIGNED, ROLE_KEY, offsetof(struct event_row, sequence), 0 },
	TEXT(event_row, run_id, ROLE_VALUE),
	TEXT(event_row, step, ROLE_VALUE),
	INTEGER(event_row, attempt, ROLE_VALUE),
	INTEGER(event_row, at, ROLE_VALUE),
	TEXT(event_row, kind, ROLE_VALUE),
	TEXT(event_row, message, ROLE_VALUE),
};

static const struct metadata_field lease_fields[] = {
	TEXT(lease_row, run_id, ROLE_KEY),      TEXT(lease_row, holder, ROLE_VALUE),
	INTEGER(lease_row, fence, ROLE_VALUE),  INTEGER(lease_row, expires_at, ROLE_VALUE),
	INTEGER(lease_row, events, ROLE_VALUE),
};

const struct metadata_table metadata_table_run = { "runs", run_fields, ARRAY_SIZE(run_fields),
	                                           sizeof(struct run_row) };
const struct metadata_table metadata_table_run_summary = { "runs", run_fields,
	                                                   ARRAY_SIZE(run_fields) - 1,
	                                                   sizeof(struct run_row) };
const struct metadata_table metadata_table_step = { "steps", step_fields, ARRAY_SIZE(step_fields),
	                                            sizeof(struct step_row) };
const struct metadata_table metadata_table_input = { "inputs", input_fields,
	                                             ARRAY_SIZE(input_fields),
	                                             sizeof(struct input_row) };
const struct metadata_table metadata_table_attempt = { "attempts", attempt_fields,
	                                               ARRAY_SIZE(attempt_fields),
	                                               sizeof(struct attempt_row) };
const struct metadata_table metadata_table_artifact = { "artifacts", artifact_fields,
	                                                ARRAY_SIZE(artifact_fields),
	                                                sizeof(struct artifact_row) };
const struct metadata_table metadata_table_event = { "events", event_fields,
	                                             ARRAY_SIZE(event_fields),
	                                             sizeof(struct event_row) };

const struct metadata_table metadata_table_lease = { "leases", lease_fields,
	                                             ARRAY_SIZE(lease_fields),
	                                             sizeof(struct lease_row) };

void metadata_row_release(const struct metadata_table *table, void *row)
{
	size_t i;

	for (i = 0; i < table->field_count; i++)
		if (table->fields[i].kind == FIELD_TEXT)
			free(*(char **)((char *)row + table->fields[i].offset));
	memset(row, 0, table->row_size);
}

void metadata_rows_free(const struct metadata_table *table, void *rows, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		metadata_row_release(table, (char *)rows + i * table->row_size);
	free(rows);
}

size_t metadata_schema_version(void)
{
	return ARRAY_SIZE(migrations);
}

size_t metadata_schema_statement_count(size_t version)
{
	assert(version && version <= ARRAY_SIZE(migrations));
	return migrations[version - 1].count;
}

char *metadata_schema_statement(size_t version, size_t index, const struct sql_dialect *dialect)
{
	struct text_stream stream;

	assert(index < metadata_schema_statement_count(version));
	metadata_render(migrations[version - 1].statements[index], dialect,
	                text_stream_open(&stream));
	return text_stream_take(&stream);
}
