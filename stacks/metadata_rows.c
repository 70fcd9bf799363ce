/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the metadata store to SQL values and back. */
#include <assert.h>
#include <string.h>

#include "core/text.h"
#include "stacks/metadata_store.h"

static struct sql_statement statement_of(struct metadata_store *store, enum metadata_query query,
                                         size_t rows)
{
	size_t many = rows > 1;
	char **text = &store->queries[query][many];

	_Static_assert(2 * METADATA_QUERY_COUNT <= SQL_STATEMENT_LIMIT, "numbers of statements");
	if (!*text)
		*text = metadata_query_text(query, rows, store->database->driver->dialect);
	return (struct sql_statement){ *text, 2 * (size_t)query + many };
}

bool metadata_run(struct metadata_store *store, enum metadata_query query,
                  const struct sql_value *values, size_t count, struct error **err)
{
	struct sql_statement statement = statement_of(store, query, 1);

	return sql_run(store->database, &statement, values, count, err);
}

bool metadata_query(struct metadata_store *store, enum metadata_query query,
                    const struct sql_value *values, size_t count, sql_row_function *row,
                    void *context, struct error **err)
{
	struct sql_statement statement = statement_of(store, query, 1);

	return sql_query(store->database, &statement, values, count, row, context, err);
}

/* What steps print goes into messages as it is; databases take UTF-8 only. */
static struct sql_value text_value(const char *text, char **owned)
{
	if (text && !text_is_utf8(text, strlen(text)))
		text = *owned = text_to_utf8(text);
	return sql_text(text);
}

/* Gives the values of a row; owned[i] is what had to be made for values[i], or NULL. */
static size_t bind_row(const struct metadata_table *table, const char *row,
                       struct sql_value *values, char **owned)
{
	size_t count = 0, i;

	for (i = 0; i < table->field_count; i++) {
		const struct metadata_field *field = &table->fields[i];
		const void *value = row + field->offset;

		if (field->kind == FIELD_ASSIGNED)
			continue;
		if (field->kind == FIELD_TEXT)
			values[count] = text_value(*(char *const *)value, &owned[count]);
		else if (field->kind == FIELD_INTEGER || *(const bool *)(row + field->flag))
			values[count] = sql_number(*(const int64_t *)value);
		else
			values[count] = (struct sql_value){ .kind = SQL_NULL };
		count++;
	}
	return count;
}

/* `count` rows by one statement. */
static bool write_batch(struct metadata_store *store, enum metadata_query query,
                        const struct metadata_table *table, const char *rows, size_t count,
                        struct error **err)
{
	size_t limit = count * table->field_count, used = 0, i;
	struct sql_value *values = xcalloc(limit, sizeof(*values));
	char **owned = xcalloc(limit, sizeof(*owned));
	struct sql_statement statement = statement_of(store, query, count);
	bool written;

	for (i = 0; i < count; i++)
		used += bind_row(table, rows + i * table->row_size, values + used, owned + used);
	written = sql_run(store->database, &statement, values, used, err);
	for (i = 0; i < used; i++)
		free(owned[i]);
	free(owned);
	free(values);
	return written;
}

bool metadata_write(struct metadata_store *store, enum metadata_query query,
                    const struct metadata_table *table, const void *rows, size_t count,
                    struct error **err)
{
	size_t batch = store->database->driver->rows_per_statement, done = 0;

	while (done < count) {
		size_t next = count - done >= batch ? batch : 1;

		if (!write_batch(store, query, table, (const char *)rows + done * table->row_size,
		                 next, err))
			return false;
		done += next;
	}
	return true;
}

static bool take_row(void *context, const struct sql_value *values, struct error **err)
{
	struct metadata_rows *rows = context;
	const struct metadata_table *table = rows->table;
	char *row;
	size_t i;

	(void)err;
	/* Doubled when full. */
	if (!(rows->count & (rows->count - 1)))
		rows->rows =
			xrealloc(rows->rows, rows->count ? 2 * rows->count : 1, table->row_size);
	row = rows->rows + rows->count++ * table->row_size;
	memset(row, 0, table->row_size);
	for (i = 0; i < table->field_count; i++) {
		const struct metadata_field *field = &table->fields[i];

		if (field->kind == FIELD_TEXT)
			*(char **)(row + field->offset) = text_copy(values[i].text);
		else
			*(int64_t *)(row + field->offset) = sql_integer(&values[i]);
		if (field->kind == FIELD_OPTIONAL)
			*(bool *)(row + field->flag) = values[i].kind != SQL_NULL;
	}
	return true;
}

bool metadata_read(struct metadata_store *store, enum metadata_query query,
                   const struct sql_value *values, size_t count, struct metadata_rows *rows,
                   struct error **err)
{
	struct sql_statement statement = statement_of(store, query, 1);

	rows->rows = NULL;
	rows->count = 0;
	if (sql_query(store->database, &statement, values, count, take_row, rows, err))
		return true;
	metadata_rows_free(rows->table, rows->rows, rows->count);
	return false;
}
