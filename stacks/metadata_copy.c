/* SPDX-License-Identifier: Apache-2.0 */
/* Moves what one metadata store holds to another, and compares them. */
#include <string.h>

#include "core/text.h"
#include "stacks/metadata_store.h"

/* Their rows are held in memory, of the source and, to compare, of the target. */
#define BATCH_RUNS 25

/* Parents before children. */
static const struct copied {
	const struct metadata_table *table;
	enum metadata_query read, insert;
} copied[] = {
	{ &metadata_table_run, QUERY_BATCH_RUNS, QUERY_RUN_INSERT },
	{ &metadata_table_lease, QUERY_BATCH_LEASES, QUERY_LEASE_ROW_INSERT },
	{ &metadata_table_step, QUERY_BATCH_STEPS, QUERY_STEP_INSERT },
	{ &metadata_table_input, QUERY_BATCH_INPUTS, QUERY_INPUT_INSERT },
	{ &metadata_table_attempt, QUERY_BATCH_ATTEMPTS, QUERY_ATTEMPT_WRITE },
	{ &metadata_table_artifact, QUERY_BATCH_ARTIFACTS, QUERY_ARTIFACT_WRITE },
	{ &metadata_table_event, QUERY_BATCH_EVENTS, QUERY_EVENT_INSERT },
};

/* The next runs of a store in the order in which they were created, with all that is theirs. */
struct batch {
	struct metadata_store *store;
	int64_t after, end; /* runs.number: behind the first, up to the second */
	struct metadata_rows rows[ARRAY_SIZE(copied)];
};

static void release_rows(struct batch *batch)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(copied); i++) {
		metadata_rows_free(copied[i].table, batch->rows[i].rows, batch->rows[i].count);
		batch->rows[i] = (struct metadata_rows){ .table = copied[i].table };
	}
}

static bool take_number(void *context, const struct sql_value *values, struct error **err)
{
	(void)err;
	*(int64_t *)context = sql_integer(&values[0]);
	return true;
}

static bool read_body(struct sql_database *database, void *context, struct error **err)
{
	struct batch *batch = context;
	struct sql_value limits[] = { sql_number(batch->after), sql_number(BATCH_RUNS) };
	size_t i;

	(void)database;
	release_rows(batch);
	if (!metadata_query(batch->store, QUERY_BATCH_END, limits, 2, take_number, &batch->end,
	                    err))
		return false;
	limits[1] = sql_number(batch->end);
	for (i = 0; batch->end && i < ARRAY_SIZE(copied); i++)
		if (!metadata_read(batch->store, copied[i].read, limits, 2, &batch->rows[i], err))
			return false;
	return true;
}

/* `end` is 0 behind the last. */
static bool read_next(struct batch *batch, struct error **err)
{
	batch->after = batch->end;
	return sql_transact(batch->store->database, SQL_READ, read_body, batch, err);
}

/* ---- copying ---- */

struct writing {
	struct metadata_store *to;
	const struct batch *batch;
	size_t skip; /* runs that are there already */
};

static const char *run_of(const struct copied *kind, const char *row)
{
	const struct metadata_field *field = kind->table->fields;

	/* The key's first part is the run's id, but for events, whose first field is assigned. */
	field += field->kind == FIELD_ASSIGNED;
	return *(char *const *)(row + field->offset);
}

static bool is_skipped(const struct writing *writing, const char *run_id)
{
	const struct run_row *runs = (const void *)writing->batch->rows[0].rows;
	size_t i;

	for (i = 0; i < writing->skip; i++)
		if (!strcmp(runs[i].id, run_id))
			return true;
	return false;
}

/* Those of the runs that are there already lie anywhere between the others. */
static bool write_rows(const struct writing *writing, size_t kind, struct error **err)
{
	const struct metadata_rows *rows = &writing->batch->rows[kind];
	size_t size = copied[kind].table->row_size, i = 0, next;

	while (i < rows->count) {
		const char *first = rows->rows + i * size;

		if (is_skipped(writing, run_of(&copied[kind], first))) {
			i++;
			continue;
		}
		for (next = i + 1; next < rows->count; next++)
			if (is_skipped(writing, run_of(&copied[kind], rows->rows + next * size)))
				break;
		if (!metadata_write(writing->to, copied[kind].insert, copied[kind].table, first,
		                    next - i, err))
			return false;
		i = next;
	}
	return true;
}

static bool write_body(struct sql_database *database, void *context, struct error **err)
{
	const struct writing *writing = context;
	size_t i;

	(void)database;
	for (i = 0; i < ARRAY_SIZE(copied); i++)
		if (!write_rows(writing, i, err))
			return false;
	return true;
}

struct copying {
	struct metadata_store *from, *to;
	struct metadata_copy *copy;
	void (*progress)(void *context, const struct metadata_copy *copy);
	void *context;
};

static void tell(const struct copying *copying)
{
	if (copying->progress)
		copying->progress(copying->context, copying->copy);
}

/* The runs of the target must be the first of the source's, left by an earlier copy. What is theirs
 * is compared with everything else. */
static bool count_same_runs(const struct batch *from, const struct batch *to, int64_t *present,
                            struct error **err)
{
	const struct run_row *ours = (const void *)from->rows[0].rows;
	const struct run_row *theirs = (const void *)to->rows[0].rows;
	size_t i;

	for (i = 0; i < to->rows[0].count; i++)
		if (i >= from->rows[0].count || strcmp(ours[i].id, theirs[i].id))
			return error_set(err, ERROR_CONFLICT,
			                 "%s holds run '%s', which an earlier copy did not leave "
			                 "there: copy into an empty one",
			                 to->store->database->name, theirs[i].name);
	*present += (int64_t)i;
	return true;
}

static bool count_present(const struct copying *copying, int64_t *present, struct error **err)
{
	struct batch from = { .store = copying->from }, to = { .store = copying->to };
	bool counted;

	*present = 0;
	do
		counted = read_next(&to, err) && (!to.end || read_next(&from, err)) &&
		          count_same_runs(&from, &to, present, err);
	while (counted && to.end);
	release_rows(&from);
	release_rows(&to);
	return counted;
}

static bool copy_batch(const struct copying *copying, const struct batch *batch, int64_t *present,
                       struct error **err)
{
	int64_t count = (int64_t)batch->rows[0].count;
	struct writing writing = { copying->to, batch,
		                   (size_t)(*present < count ? *present : count) };

	*present -= (int64_t)writing.skip;
	if (writing.skip < (size_t)count &&
	    !sql_transact(copying->to->database, SQL_DURABLE, write_body, &writing, err))
		return false;
	copying->copy->copied += count - (int64_t)writing.skip;
	tell(copying);
	return true;
}

static bool copy_all(const struct copying *copying, struct error **err)
{
	struct batch batch = { .store = copying->from };
	int64_t present;
	bool copied_all;

	if (!count_present(copying, &present, err))
		return false;
	do
		copied_all = read_next(&batch, err) &&
		             (!batch.end || copy_batch(copying, &batch, &present, err));
	while (copied_all && batch.end);
	release_rows(&batch);
	return copied_all;
}

/* ---- comparing ---- */

/* What is no UTF-8 in an old SQLite file is made so on its way. */
static bool same_text(const char *from, const char *to)
{
	scoped(text) char *converted = NULL;

	if (text_equal(from, to))
		return true;
	if (!from || !to || text_is_utf8(from, strlen(from)))
		return false;
	converted = text_to_utf8(from);
	return !strcmp(converted, to);
}

static bool same_field(const struct metadata_field *field, const char *from, const char *to)
{
	const void *a = from + field->offset, *b = to + field->offset;

	switch (field->kind) {
	case FIELD_ASSIGNED:
		return true;
	case FIELD_TEXT:
		return same_text(*(char *const *)a, *(char *const *)b);
	case FIELD_OPTIONAL:
		if (*(const bool *)(from + field->flag) != *(const bool *)(to + field->flag))
			return false;
		break;
	case FIELD_INTEGER:
		break;
	}
	return *(const int64_t *)a == *(const int64_t *)b;
}

static bool compare_row(const struct copied *kind, const char *from, const char *to,
                        struct error **err)
{
	size_t i;

	for (i = 0; i < kind->table->field_count; i++)
		if (!same_field(&kind->table->fields[i], from, to))
			return error_set(err, ERROR_CONFLICT,
			                 "a row of '%s' of run '%s' differs in '%s'",
			                 kind->table->name, run_of(kind, from),
			                 kind->table->fields[i].column);
	return true;
}

static bool compare_rows(const struct batch *from, const struct batch *to, size_t kind,
                         struct error **err)
{
	const struct metadata_rows *a = &from->rows[kind], *b = &to->rows[kind];
	size_t size = copied[kind].table->row_size, i;

	for (i = 0; i < a->count && i < b->count; i++)
		if (!compare_row(&copied[kind], a->rows + i * size, b->rows + i * size, err))
			return false;
	if (a->count != b->count)
		return error_set(err, ERROR_CONFLICT,
		                 "of the same runs, %s has %zu rows of '%s', %s has %zu",
		                 from->store->database->name, a->count, copied[kind].table->name,
		                 to->store->database->name, b->count);
	return true;
}

static bool compare_batch(const struct copying *copying, const struct batch *from,
                          const struct batch *to, struct error **err)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(copied); i++) {
		if (!compare_rows(from, to, i, err))
			return false;
		copying->copy->rows += (int64_t)from->rows[i].count;
	}
	copying->copy->compared += (int64_t)from->rows[0].count;
	tell(copying);
	return true;
}

static bool compare_all(const struct copying *copying, struct error **err)
{
	struct batch from = { .store = copying->from }, to = { .store = copying->to };
	bool same;

	do
		same = read_next(&from, err) && read_next(&to, err) &&
		       compare_batch(copying, &from, &to, err);
	while (same && from.end);
	release_rows(&from);
	release_rows(&to);
	return same || error_wrap(err, "compare the copy with what was copied");
}

/* ---- */

struct driven {
	struct metadata_store *store;
	char *run, *holder;
};

static bool take_driven(void *context, const struct sql_value *values, struct error **err)
{
	struct driven *driven = context;

	(void)err;
	free(driven->run);
	free(driven->holder);
	driven->run = text_copy(values[0].text);
	driven->holder = text_copy(values[1].text);
	return true;
}

static bool driven_body(struct sql_database *database, void *context, struct error **err)
{
	struct driven *driven = context;

	(void)database;
	return metadata_query(driven->store, QUERY_LEASE_LIVE, NULL, 0, take_driven, driven, err);
}

static bool check_is_at_rest(struct metadata_store *store, struct error **err)
{
	struct driven driven = { .store = store };
	bool at_rest = sql_transact(store->database, SQL_READ, driven_body, &driven, err);

	if (at_rest && driven.run)
		at_rest = error_set(err, ERROR_CONFLICT,
		                    "run '%s' is being driven by %s: copy when it has ended",
		                    driven.run, driven.holder);
	free(driven.run);
	free(driven.holder);
	return at_rest;
}

bool metadata_copy(struct metadata_store *from, struct metadata_store *to,
                   void (*progress)(void *context, const struct metadata_copy *copy), void *context,
                   struct metadata_copy *copy, struct error **err)
{
	struct copying copying = { from, to, copy, progress, context };

	*copy = (struct metadata_copy){ 0 };
	return check_is_at_rest(from, err) && copy_all(&copying, err) && compare_all(&copying, err);
}
