/* SPDX-License-Identifier: Apache-2.0 */
/* The schema of the metadata, its migrations and its queries, once for every SQL database. */
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
 * without following the row's overflow pages.
 */
static const char *const migrations[] = {
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
	" plan {text});"
	"CREATE TABLE leases ("
	" run_id {key} NOT NULL PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,"
	" holder {text} NOT NULL,"
	" fence {integer} NOT NULL,"
	" expires_at {integer} NOT NULL);"
	"CREATE TABLE steps ("
	" run_id {key} NOT NULL REFERENCES runs (id) ON DELETE CASCADE,"
	" name {key} NOT NULL,"
	" position {integer} NOT NULL,"
	" state {key} NOT NULL,"
	" reason {text},"
	" attempts {integer} NOT NULL,"
	" started_at {integer} NOT NULL,"
	" ended_at {integer} NOT NULL,"
	" PRIMARY KEY (run_id, name));"
	"CREATE TABLE inputs ("
	" run_id {key} NOT NULL,"
	" step {key} NOT NULL,"
	" input {key} NOT NULL,"
	" source_run_id {key} NOT NULL,"
	" source_step {key} NOT NULL,"
	" source_output {key} NOT NULL,"
	" PRIMARY KEY (run_id, step, input),"
	" FOREIGN KEY (run_id, step) REFERENCES steps (run_id, name) ON DELETE CASCADE);"
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
	" FOREIGN KEY (run_id, step) REFERENCES steps (run_id, name) ON DELETE CASCADE);"
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
	" FOREIGN KEY (run_id, step) REFERENCES steps (run_id, name) ON DELETE CASCADE);"
	"CREATE TABLE events ("
	" sequence {sequence},"
	" run_id {key} NOT NULL REFERENCES runs (id) ON DELETE CASCADE,"
	" step {key},"
	" attempt {integer} NOT NULL,"
	" at {integer} NOT NULL,"
	" kind {key} NOT NULL,"
	" message {text});"
	"CREATE INDEX events_of_run ON events (run_id, sequence);",
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

enum query_kind {
	KIND_INSERT, /* a row of the table */
	KIND_WRITE,  /* the same, or replaces the one of its key */
	KIND_SELECT, /* rows of the table; `text` says which */
	KIND_PLAIN,  /* `text` is all */
};

static const struct query {
	enum query_kind kind;
	const struct metadata_table *table;
	const char *text;
} queries[METADATA_QUERY_COUNT] = {
	[QUERY_RUN_INSERT] = { KIND_INSERT, &metadata_table_run, NULL },
	[QUERY_STEP_INSERT] = { KIND_INSERT, &metadata_table_step, NULL },
	[QUERY_INPUT_INSERT] = { KIND_INSERT, &metadata_table_input, NULL },
	[QUERY_RUN_WRITE] = { KIND_WRITE, &metadata_table_run, NULL },
	[QUERY_STEP_WRITE] = { KIND_WRITE, &metadata_table_step, NULL },
	[QUERY_ATTEMPT_WRITE] = { KIND_WRITE, &metadata_table_attempt, NULL },
	[QUERY_ARTIFACT_WRITE] = { KIND_WRITE, &metadata_table_artifact, NULL },
	[QUERY_EVENT_INSERT] = { KIND_INSERT, &metadata_table_event, NULL },
	[QUERY_RUNS] = { KIND_SELECT, &metadata_table_run_summary,
	                 "ORDER BY number DESC LIMIT ?1" },
	[QUERY_RUN_LATEST] = { KIND_SELECT, &metadata_table_run, "ORDER BY number DESC LIMIT 1" },
	[QUERY_RUN_NAMED] = { KIND_SELECT, &metadata_table_run, "WHERE name = ?1" },
	[QUERY_RUNS_FROM] = { KIND_SELECT, &metadata_table_run_summary,
	                      "WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT 6" },
	[QUERY_STEPS] = { KIND_SELECT, &metadata_table_step,
	                  "WHERE run_id = ?1 ORDER BY position" },
	[QUERY_ATTEMPTS] = { KIND_SELECT, &metadata_table_attempt,
	                     "WHERE run_id = ?1 ORDER BY created_at, step, attempt" },
	[QUERY_ARTIFACTS] = { KIND_SELECT, &metadata_table_artifact,
	                      "WHERE run_id = ?1 ORDER BY created_at, step, attempt, name" },
	[QUERY_INPUTS] = { KIND_SELECT, &metadata_table_input,
	                   "WHERE run_id = ?1 ORDER BY step, input" },
	[QUERY_EVENTS] = { KIND_SELECT, &metadata_table_event,
	                   "WHERE run_id = ?1 AND sequence > ?2 ORDER BY sequence" },
	[QUERY_LEASE_INSERT] = { KIND_PLAIN, NULL,
	                         "INSERT INTO leases (run_id, holder, fence, expires_at)"
	                         " VALUES (?1, ?2, 1, {now} + ?3)" },
	[QUERY_LEASE] = { KIND_PLAIN, NULL,
	                  "SELECT holder, fence, expires_at - {now} FROM leases"
	                  " WHERE run_id = ?1" },
	[QUERY_LEASE_TAKE] = { KIND_PLAIN, NULL,
	                       "UPDATE leases SET holder = ?1, fence = fence + 1,"
	                       " expires_at = {now} + ?2 WHERE run_id = ?3" },
	[QUERY_LEASE_RENEW] = { KIND_PLAIN, NULL,
	                        "UPDATE leases SET expires_at = {now} + ?1"
	                        " WHERE run_id = ?2 AND fence = ?3" },
};

/* Pastes the dialect's words and parameters into `sql`. */
static void render(const char *sql, const struct metadata_dialect *dialect, FILE *out)
{
	const struct {
		const char *word, *text;
	} words[] = {
		{ "{integer}", dialect->integer }, { "{text}", dialect->text },
		{ "{key}", dialect->key },         { "{sequence}", dialect->sequence },
		{ "{now}", dialect->now },
	};
	size_t i;

	while (*sql) {
		size_t plain = strcspn(sql, "{?");

		fwrite(sql, 1, plain, out);
		sql += plain;
		if (*sql == '?') {
			fputc(dialect->parameter, out);
			sql++;
		} else if (*sql) {
			for (i = 0; !text_starts_with(sql, words[i].word); i++)
				assert(i + 1 < ARRAY_SIZE(words));
			fputs(words[i].text, out);
			sql += strlen(words[i].word);
		}
	}
}

static void render_columns(const struct metadata_table *table, bool written, FILE *out)
{
	size_t i;
	const char *comma = "";

	for (i = 0; i < table->field_count; i++) {
		if (written && table->fields[i].kind == FIELD_ASSIGNED)
			continue;
		fprintf(out, "%s%s", comma, table->fields[i].column);
		comma = ", ";
	}
}

static void render_insert(const struct metadata_table *table,
                          const struct metadata_dialect *dialect, FILE *out)
{
	size_t i, number = 0;

	fprintf(out, "INSERT INTO %s (", table->name);
	render_columns(table, true, out);
	fputs(") VALUES (", out);
	for (i = 0; i < table->field_count; i++) {
		if (table->fields[i].kind == FIELD_ASSIGNED)
			continue;
		number++;
		fprintf(out, "%s%c%zu", number > 1 ? ", " : "", dialect->parameter, number);
	}
	fputc(')', out);
}

static void render_replacement(const struct metadata_table *table, FILE *out)
{
	const struct metadata_field *field, *end = table->fields + table->field_count;
	const char *comma = "";

	fputs(" ON CONFLICT (", out);
	for (field = table->fields; field < end; field++)
		if (field->role == ROLE_KEY) {
			fprintf(out, "%s%s", comma, field->column);
			comma = ", ";
		}
	fputs(") DO UPDATE SET ", out);
	comma = "";
	for (field = table->fields; field < end; field++)
		if (field->role == ROLE_VALUE) {
			fprintf(out, "%s%s = excluded.%s", comma, field->column, field->column);
			comma = ", ";
		}
}

char *metadata_query_text(enum metadata_query query, const struct metadata_dialect *dialect)
{
	const struct query *row = &queries[query];
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);

	switch (row->kind) {
	case KIND_SELECT:
		fputs("SELECT ", out);
		render_columns(row->table, false, out);
		fprintf(out, " FROM %s ", row->table->name);
		render(row->text, dialect, out);
		break;
	case KIND_INSERT:
		render_insert(row->table, dialect, out);
		break;
	case KIND_WRITE:
		render_insert(row->table, dialect, out);
		render_replacement(row->table, out);
		break;
	case KIND_PLAIN:
		render(row->text, dialect, out);
	}
	return text_stream_take(&stream);
}

size_t metadata_schema_version(void)
{
	return ARRAY_SIZE(migrations);
}

char *metadata_schema_migration(size_t version, const struct metadata_dialect *dialect)
{
	struct text_stream stream;

	assert(version && version <= ARRAY_SIZE(migrations));
	render(migrations[version - 1], dialect, text_stream_open(&stream));
	return text_stream_take(&stream);
}
