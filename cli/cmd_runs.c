/* SPDX-License-Identifier: Apache-2.0 */
/* stepop runs list, describe: what the metadata store knows of runs. */
#include <inttypes.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/records.h"
#include "core/clock.h"
#include "core/memory.h"
#include "core/text.h"

#define LIST_LIMIT 50
#define EVENTS_SHOWN 10

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* Adds what tables show instead of milliseconds. */
static void add_time(json_t *row)
{
	const json_t *duration = json_object_get(row, "duration_ms");
	scoped(text) char *time = NULL;

	if (!duration)
		return;
	time = clock_format_duration(json_integer_value(duration));
	json_object_set_new(row, "time", json_string(time));
}

static void add_times(json_t *rows)
{
	json_t *row;
	size_t i;

	json_array_foreach (rows, i, row)
		add_time(row);
}

static bool read_limit(const struct arguments *arguments, int64_t *limit, struct error **err)
{
	const char *text = argument_option(arguments, "limit");

	*limit = LIST_LIMIT;
	if (text && !text_to_int64(text, 0, INT32_MAX, limit))
		return error_set(err, ERROR_USAGE, "--limit is a number, 0 for all; not '%s'",
		                 text);
	return true;
}

/* Hints for people, beside the result. */
static void hint(const struct arguments *arguments, const char *text)
{
	if (!argument_switch(arguments, "quiet") && argument_output(arguments) <= OUTPUT_WIDE)
		fprintf(stderr, "%s\n", text);
}

static bool run_list(const struct arguments *arguments, struct error **err)
{
	static const struct output_column columns[] = {
		{ "name", NULL, false },
		{ "pipeline", NULL, false },
		{ "stack", NULL, false },
		{ "state", NULL, false },
		{ "started_at", "started", false },
		{ "time", NULL, false },
		{ "reason", NULL, true },
		{ "id", NULL, true },
		{ 0 },
	};
	scoped(metadata_store) struct metadata_store *store = NULL;
	json_auto_t *list = NULL;
	struct run_row *rows;
	int64_t limit;
	size_t count;
	bool more;

	if (!read_limit(arguments, &limit, err))
		return false;
	store = records_open(arguments, err);
	if (!store || !metadata_runs(store, limit ? limit + 1 : 0, &rows, &count, err))
		return false;
	more = limit && count > (size_t)limit;
	if (more)
		run_row_release(&rows[--count]);
	list = records_take_json(&metadata_table_run_summary, rows, count);
	add_times(list);
	if (!count)
		hint(arguments, "no runs yet; 'stepop run PIPELINE.yaml' starts one");
	if (more)
		hint(arguments, "there are more runs; '--limit 0' lists all of them");
	return output_rows(stdout, argument_output(arguments), columns, list, err);
}

static const struct command_option list_options[] = {
	{ "limit", 0, VALUE_ONE, "N", "the latest N (default: 50), 0 for all", NULL },
	{ "stack", 's', VALUE_ONE, "NAME", "this stack's metadata store, not the active one's",
	  NULL },
	{ 0 },
};

const struct command cmd_runs_list = {
	.words = "runs list",
	.arguments = "",
	.summary = "list runs, the latest first",
	.options = list_options,
	.examples = "  stepop runs list\n  stepop runs list --limit 5 -o json",
	.run = run_list,
};

/* Gives each step its attempts, and the job and log of the last one. */
static void join_attempts(json_t *steps, json_t *attempts)
{
	json_t *step, *attempt;
	size_t i, j;

	json_array_foreach (steps, i, step) {
		json_t *own = json_array();

		json_array_foreach (attempts, j, attempt) {
			if (strcmp(text_of(attempt, "step"), text_of(step, "name")))
				continue;
			json_array_append(own, attempt);
			json_object_set(step, "job", json_object_get(attempt, "job"));
			json_object_set(step, "log", json_object_get(attempt, "log"));
			json_object_set(step, "operator", json_object_get(attempt, "operator"));
		}
		json_object_set(step, "attempt_count", json_object_get(step, "attempts"));
		json_object_set_new(step, "attempts", own);
	}
}

static void name_artifacts(json_t *artifacts)
{
	json_t *artifact;
	size_t i;

	json_array_foreach (artifacts, i, artifact) {
		scoped(text) char *name =
			text_printf("%s.%s", text_of(artifact, "step"), text_of(artifact, "name"));

		json_object_set_new(artifact, "artifact", json_string(name));
		json_object_set(artifact, "summary",
		                json_object_get(json_object_get(artifact, "metadata"), "summary"));
	}
}

/* The latest attempt of the first step that failed; borrowed; NULL when none did. */
static const json_t *first_failure(const json_t *run)
{
	const json_t *step, *failed = NULL;
	size_t i;

	json_array_foreach (json_object_get(run, "steps"), i, step)
		if (!failed && text_equal(text_of(step, "state"), "failed"))
			failed = step;
	return failed;
}

/* What the user would type next; owned by the caller. */
static char *next_command(const json_t *run)
{
	const json_t *failed = first_failure(run);
	const char *name = text_of(run, "name"), *state = text_of(run, "state");
	const char *file = text_of(json_object_get(run, "plan"), "file");

	if (failed)
		return text_printf("stepop logs %s %s", name, text_of(failed, "name"));
	if (text_equal(state, "running"))
		return text_printf("stepop logs -f %s", name);
	if (text_equal(state, "succeeded"))
		return text_printf("stepop logs %s", name);
	return text_printf("stepop run %s", file ? file : "PIPELINE.yaml");
}

/* Reads the rows of a run as an array; NULL on failure. */
#define DEFINE_READER(row)                                                         \
	static json_t *read_##row##s(struct metadata_store *store, const char *id, \
	                             struct error **err)                           \
	{                                                                          \
		struct row##_row *rows;                                            \
		size_t count;                                                      \
                                                                                   \
		if (!metadata_##row##s(store, id, &rows, &count, err))             \
			return NULL;                                               \
		return records_take_json(&metadata_table_##row, rows, count);      \
	}
DEFINE_READER(step)
DEFINE_READER(attempt)
DEFINE_READER(artifact)
DEFINE_READER(input)

static json_t *read_events(struct metadata_store *store, const char *id, struct error **err)
{
	struct event_row *rows;
	size_t count;

	if (!metadata_events(store, id, 0, &rows, &count, err))
		return NULL;
	return records_take_json(&metadata_table_event, rows, count);
}

static bool add_rows(json_t *run, struct metadata_store *store, struct error **err)
{
	static const struct {
		const char *key;
		json_t *(*read)(struct metadata_store *store, const char *id, struct error **err);
	} parts[] = {
		{ "steps", read_steps },         { "attempts", read_attempts },
		{ "artifacts", read_artifacts }, { "inputs", read_inputs },
		{ "events", read_events },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		json_t *rows = parts[i].read(store, text_of(run, "id"), err);

		if (!rows)
			return false;
		json_object_set_new(run, parts[i].key, rows);
	}
	return true;
}

/* Everything of a run in one object, joined as people read it; NULL on failure. */
static json_t *whole_run(struct metadata_store *store, const char *name, struct error **err)
{
	scoped(text) char *next = NULL;
	json_auto_t *run = NULL;
	struct run_row row;

	if (!metadata_find_run(store, name, &row, err))
		return NULL;
	run = record_json(&metadata_table_run, &row);
	run_row_release(&row);
	if (!add_rows(run, store, err))
		return NULL;
	join_attempts(json_object_get(run, "steps"), json_object_get(run, "attempts"));
	json_object_del(run, "attempts");
	name_artifacts(json_object_get(run, "artifacts"));
	next = next_command(run);
	json_object_set_new(run, "next", json_string(next));
	return take(run);
}

static bool print_head(const json_t *run, struct error **err)
{
	static const char *const keys[] = { "name",       "id",    "pipeline",
		                            "stack",      "state", "reason",
		                            "started_at", "time",  "parameters" };
	json_auto_t *head = json_object();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++)
		json_object_set(head, keys[i], json_object_get(run, keys[i]));
	return output_object(stdout, OUTPUT_TABLE, head, err);
}

/* A titled table, or nothing when there are no rows. */
static bool print_rows(const char *title, enum output_format format,
                       const struct output_column *columns, const json_t *rows, struct error **err)
{
	if (!json_array_size(rows))
		return true;
	printf("\n%s:\n", title);
	return output_rows(stdout, format, columns, rows, err);
}

static void print_failure(const json_t *step, const json_t *attempt, const char *run)
{
	const json_t *code = json_object_get(attempt, "exit_code");
	const char *name = text_of(step, "name"), *reason = text_of(attempt, "reason");
	const char *message = text_of(attempt, "message"), *advice = text_of(attempt, "advice");

	printf("\nstep '%s' failed, attempt %" JSON_INTEGER_FORMAT, name,
	       json_integer_value(json_object_get(attempt, "attempt")));
	if (json_is_integer(code))
		printf(", exit code %" JSON_INTEGER_FORMAT, json_integer_value(code));
	printf(": %s\n", reason ? reason : "unknown reason");
	if (message)
		printf("%s%s", message, text_ends_with(message, "\n") ? "" : "\n");
	if (advice)
		printf("What to do: %s\n", advice);
	if (text_of(attempt, "log"))
		printf("Its log: stepop logs %s %s\n", run, name);
}

static void print_failures(const json_t *run)
{
	const json_t *step, *attempt;
	size_t i, j;

	json_array_foreach (json_object_get(run, "steps"), i, step)
		json_array_foreach (json_object_get(step, "attempts"), j, attempt)
			if (text_equal(text_of(attempt, "state"), "failed"))
				print_failure(step, attempt, text_of(run, "name"));
}

static json_t *last_events(const json_t *events)
{
	json_t *last = json_array();
	size_t count = json_array_size(events);
	size_t i = count > EVENTS_SHOWN ? count - EVENTS_SHOWN : 0;

	for (; i < count; i++)
		json_array_append(last, json_array_get(events, i));
	return last;
}

static const struct output_column step_columns[] = {
	{ "name", "step", false },
	{ "state", NULL, false },
	{ "time", NULL, false },
	{ "attempt_count", "attempts", false },
	{ "reason", NULL, false },
	{ "operator", NULL, true },
	{ "job", NULL, true },
	{ "log", NULL, true },
	{ 0 },
};
static const struct output_column artifact_columns[] = {
	{ "artifact", NULL, false }, { "type", NULL, false },  { "summary", NULL, false },
	{ "uri", NULL, false },      { "digest", NULL, true }, { 0 },
};
static const struct output_column event_columns[] = {
	{ "at", NULL, false },   { "step", NULL, false },    { "attempt", NULL, true },
	{ "kind", NULL, false }, { "message", NULL, false }, { 0 },
};

static bool print_run(json_t *run, enum output_format format, struct error **err)
{
	json_auto_t *events = last_events(json_object_get(run, "events"));

	add_time(run);
	add_times(json_object_get(run, "steps"));
	if (!print_head(run, err) ||
	    !print_rows("Steps", format, step_columns, json_object_get(run, "steps"), err) ||
	    !print_rows("Artifacts", format, artifact_columns, json_object_get(run, "artifacts"),
	                err) ||
	    !print_rows("Latest events", format, event_columns, events, err))
		return false;
	print_failures(run);
	printf("\nNext: %s\n", text_of(run, "next"));
	return true;
}

static bool run_describe(const struct arguments *arguments, struct error **err)
{
	scoped(metadata_store) struct metadata_store *store = records_open(arguments, err);
	enum output_format format = argument_output(arguments);
	json_auto_t *run = NULL;

	if (!store)
		return false;
	run = whole_run(store, argument_at(arguments, 0), err);
	if (!run)
		return false;
	if (format == OUTPUT_TABLE || format == OUTPUT_WIDE)
		return print_run(run, format, err);
	return output_object(stdout, format, run, err);
}

static const struct command_option describe_options[] = {
	{ "stack", 's', VALUE_ONE, "NAME", "this stack's metadata store, not the active one's",
	  NULL },
	{ 0 },
};

const struct command cmd_runs_describe = {
	.words = "runs describe",
	.arguments = "RUN",
	.summary = "tell all that is known of a run",
	.details = "RUN is its name, the beginning of its id (4 characters or more), or @latest.",
	.options = describe_options,
	.examples = "  stepop runs describe @latest\n  stepop runs describe 7d1f -o yaml",
	.min_arguments = 1,
	.max_arguments = 1,
	.run = run_describe,
};
