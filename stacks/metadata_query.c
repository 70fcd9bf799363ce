/* SPDX-License-Identifier: Apache-2.0 */
/* The queries of the metadata, once for every SQL database. */
#include <assert.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "stacks/metadata_schema.h"

enum query_kind {
	KIND_INSERT, /* rows of the table */
	KIND_WRITE,  /* the same, or replaces those of their keys */
	KIND_SELECT, /* rows of the table; `text` says which */
	KIND_PLAIN,  /* `text` is all */
};

#define OF_BATCH "WHERE run_id IN (SELECT id FROM runs WHERE number > ? AND number <= ?) ORDER BY "

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
	[QUERY_RUNS] = { KIND_SELECT, &metadata_table_run_summary, "ORDER BY number DESC LIMIT ?" },
	[QUERY_RUN_LATEST] = { KIND_SELECT, &metadata_table_run, "ORDER BY number DESC LIMIT 1" },
	[QUERY_RUN_NAMED] = { KIND_SELECT, &metadata_table_run, "WHERE name = ?" },
	[QUERY_RUNS_FROM] = { KIND_SELECT, &metadata_table_run_summary,
	                      "WHERE id >= ? AND id < ? ORDER BY id LIMIT 6" },
	[QUERY_STEPS] = { KIND_SELECT, &metadata_table_step, "WHERE run_id = ? ORDER BY position" },
	[QUERY_ATTEMPTS] = { KIND_SELECT, &metadata_table_attempt,
	                     "WHERE run_id = ? ORDER BY created_at, step, attempt" },
	[QUERY_ARTIFACTS] = { KIND_SELECT, &metadata_table_artifact,
	                      "WHERE run_id = ? ORDER BY created_at, step, attempt, name" },
	[QUERY_INPUTS] = { KIND_SELECT, &metadata_table_input,
	                   "WHERE run_id = ? ORDER BY step, input" },
	[QUERY_EVENTS] = { KIND_SELECT, &metadata_table_event,
	                   "WHERE run_id = ? AND sequence > ? ORDER BY sequence" },
	[QUERY_LEASE_INSERT] = { KIND_PLAIN, NULL,
	                         "INSERT INTO leases (run_id, holder, fence, expires_at)"
	                         " VALUES (?, ?, 1, {now} + ?)" },
	[QUERY_LEASE] = { KIND_PLAIN, NULL,
	                  "SELECT holder, fence, expires_at - {now}, events FROM leases"
	                  " WHERE run_id = ?{lock}" },
	[QUERY_LEASE_TAKE] = { KIND_PLAIN, NULL,
	                       "UPDATE leases SET holder = ?, fence = fence + 1, events = 0,"
	                       " expires_at = {now} + ? WHERE run_id = ?" },
	[QUERY_LEASE_RENEW] = { KIND_PLAIN, NULL,
	                        "UPDATE leases SET expires_at = {now} + ? WHERE run_id = ?" },
	[QUERY_LEASE_ROW_INSERT] = { KIND_INSERT, &metadata_table_lease, NULL },
	[QUERY_LEASE_LIVE] = { KIND_PLAIN, NULL,
	                       "SELECT name, holder FROM leases JOIN runs ON id = run_id"
	                       " WHERE state = 'running' AND expires_at > {now} LIMIT 1" },
	[QUERY_BATCH_END] = { KIND_PLAIN, NULL,
	                      "SELECT MAX(number) FROM (SELECT number FROM runs"
	                      " WHERE number > ? ORDER BY number LIMIT ?) AS batch" },
	[QUERY_BATCH_RUNS] = { KIND_SELECT, &metadata_table_run,
	                       "WHERE number > ? AND number <= ? ORDER BY number" },
	[QUERY_BATCH_LEASES] = { KIND_SELECT, &metadata_table_lease, OF_BATCH "run_id" },
	[QUERY_BATCH_STEPS] = { KIND_SELECT, &metadata_table_step, OF_BATCH "run_id, name" },
	[QUERY_BATCH_INPUTS] = { KIND_SELECT, &metadata_table_input,
	                         OF_BATCH "run_id, step, input" },
	[QUERY_BATCH_ATTEMPTS] = { KIND_SELECT, &metadata_table_attempt,
	                           OF_BATCH "run_id, step, attempt" },
	[QUERY_BATCH_ARTIFACTS] = { KIND_SELECT, &metadata_table_artifact,
	                            OF_BATCH "run_id, step, attempt, name" },
	[QUERY_BATCH_EVENTS] = { KIND_SELECT, &metadata_table_event, OF_BATCH "run_id, sequence" },
	[QUERY_LEASE_COUNT] = { KIND_PLAIN, NULL,
	                        "UPDATE leases SET expires_at = {now} + ?, events = ?"
	                        " WHERE run_id = ?" },
};

static void render_parameter(size_t number, const struct sql_dialect *dialect, FILE *out)
{
	fputc(dialect->parameter, out);
	if (dialect->parameter != '?')
		fprintf(out, "%zu", number);
}

void metadata_render(const char *sql, const struct sql_dialect *dialect, FILE *out)
{
	const struct {
		const char *word, *text;
	} words[] = {
		{ "{integer}", dialect->integer }, { "{text}", dialect->text },
		{ "{key}", dialect->key },         { "{sequence}", dialect->sequence },
		{ "{now}", dialect->now },         { "{lock}", dialect->lock },
	};
	size_t number = 0, i;

	while (*sql) {
		size_t plain = strcspn(sql, "{?");

		fwrite(sql, 1, plain, out);
		sql += plain;
		if (*sql == '?') {
			render_parameter(++number, dialect, out);
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

/* (?, ?), (?, ?): so many rows */
static void render_values(const struct metadata_table *table, size_t rows,
                          const struct sql_dialect *dialect, FILE *out)
{
	size_t number = 0, row, i;

	for (row = 0; row < rows; row++) {
		const char *before = row ? ", (" : "(";

		for (i = 0; i < table->field_count; i++) {
			if (table->fields[i].kind == FIELD_ASSIGNED)
				continue;
			fputs(before, out);
			render_parameter(++number, dialect, out);
			before = ", ";
		}
		fputc(')', out);
	}
}

static void render_insert(const struct metadata_table *table, size_t rows,
                          const struct sql_dialect *dialect, FILE *out)
{
	fprintf(out, "INSERT INTO %s (", table->name);
	render_columns(table, true, out);
	fputs(") VALUES ", out);
	render_values(table, rows, dialect, out);
}

static void render_keys(const struct metadata_table *table, FILE *out)
{
	const struct metadata_field *field, *end = table->fields + table->field_count;
	const char *comma = "";

	for (field = table->fields; field < end; field++)
		if (field->role == ROLE_KEY) {
			fprintf(out, "%s%s", comma, field->column);
			comma = ", ";
		}
}

static void render_replacement(const struct metadata_table *table,
                               const struct sql_dialect *dialect, FILE *out)
{
	const struct metadata_field *field, *end = table->fields + table->field_count;
	const char *keys = strstr(dialect->replace, "{keys}"), *comma = " ";
	size_t head = keys ? (size_t)(keys - dialect->replace) : strlen(dialect->replace);

	fprintf(out, " %.*s", (int)head, dialect->replace);
	if (keys) {
		render_keys(table, out);
		fputs(keys + strlen("{keys}"), out);
	}
	for (field = table->fields; field < end; field++)
		if (field->role == ROLE_VALUE) {
			fprintf(out, "%s%s = %s%s%s", comma, field->column, dialect->given_before,
			        field->column, dialect->given_after);
			comma = ", ";
		}
}

char *metadata_query_text(enum metadata_query query, size_t rows, const struct sql_dialect *dialect)
{
	const struct query *row = &queries[query];
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);

	switch (row->kind) {
	case KIND_SELECT:
		fputs("SELECT ", out);
		render_columns(row->table, false, out);
		fprintf(out, " FROM %s ", row->table->name);
		metadata_render(row->text, dialect, out);
		break;
	case KIND_INSERT:
		render_insert(row->table, rows, dialect, out);
		break;
	case KIND_WRITE:
		render_insert(row->table, rows, dialect, out);
		render_replacement(row->table, dialect, out);
		break;
	case KIND_PLAIN:
		metadata_render(row->text, dialect, out);
	}
	return text_stream_take(&stream);
}
