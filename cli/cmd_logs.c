/* SPDX-License-Identifier: Apache-2.0 */
/* stepop logs: what steps printed, kept or as it comes. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/log_tail.h"
#include "cli/records.h"
#include "core/loop.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/state.h"

/* The files tell of themselves what is new; the database, which says what ended, is asked. */
#define DATABASE_INTERVAL_MS 1000

/* One attempt whose log is read. */
struct log_source {
	char *step;
	int64_t attempt;
	bool done; /* copied to its end */
	struct log_tail *tail;
};

struct log_reader {
	struct metadata_store *store;
	char *run_id, *run_name;
	const char *step; /* NULL: all of them */
	int64_t attempt;  /* 0: the latest */
	struct log_source *sources;
	size_t source_count;
	struct step_row *steps;
	size_t step_count;
	bool run_ended;
	/* While following: */
	struct loop *loop;
	int inotify; /* -1: none */
	bool finished;
	struct error *error;
};

static void log_reader_free(struct log_reader *reader)
{
	size_t i;

	for (i = 0; i < reader->source_count; i++) {
		log_tail_free(reader->sources[i].tail);
		free(reader->sources[i].step);
	}
	free(reader->sources);
	metadata_rows_free(&metadata_table_step, reader->steps, reader->step_count);
	free(reader->run_id);
	free(reader->run_name);
	error_free(reader->error);
	fd_cleanup(&reader->inotify);
	loop_free(reader->loop);
	free(reader);
}
DEFINE_CLEANUP(log_reader);

static bool is_final(const char *state)
{
	enum step_state found;

	return step_state_find(state, &found) && step_state_is_final(found);
}

static bool read_run(struct log_reader *reader, const char *name, struct error **err)
{
	enum run_state state;
	struct run_row row;

	if (!metadata_find_run(reader->store, name, &row, err))
		return false;
	reader->run_ended = run_state_find(row.state, &state) && run_state_is_final(state);
	free(reader->run_id);
	free(reader->run_name);
	reader->run_id = take(row.id);
	reader->run_name = take(row.name);
	run_row_release(&row);
	metadata_rows_free(&metadata_table_step, reader->steps, reader->step_count);
	reader->steps = NULL;
	reader->step_count = 0;
	return metadata_steps(reader->store, reader->run_id, &reader->steps, &reader->step_count,
	                      err);
}

/* Borrowed; NULL when the run has no step of that name. */
static const struct step_row *find_step(const struct log_reader *reader, const char *name)
{
	size_t i;

	for (i = 0; i < reader->step_count; i++)
		if (!strcmp(reader->steps[i].name, name))
			return &reader->steps[i];
	return NULL;
}

static bool check_step(const struct log_reader *reader, struct error **err)
{
	const char **names;
	const char *nearest;
	size_t i;

	if (!reader->step || find_step(reader, reader->step))
		return true;
	names = xcalloc(reader->step_count + 1, sizeof(*names));
	for (i = 0; i < reader->step_count; i++)
		names[i] = reader->steps[i].name;
	nearest = text_nearest(reader->step, names);
	error_set(err, ERROR_NOT_FOUND, "run '%s' has no step '%s'%s%s%s", reader->run_name,
	          reader->step, nearest ? "; did you mean '" : "", nearest ? nearest : "",
	          nearest ? "'?" : "");
	free(names);
	return false;
}

static bool is_wanted(const struct log_reader *reader, const struct attempt_row *row)
{
	const struct step_row *step = find_step(reader, row->step);

	if (!row->log || !step || (reader->step && strcmp(reader->step, row->step)))
		return false;
	return row->attempt == (reader->attempt ? reader->attempt : step->attempts);
}

/* Takes up an attempt that is new. */
static void add_source(struct log_reader *reader, const struct attempt_row *row)
{
	struct log_source *source;
	size_t i;

	for (i = 0; i < reader->source_count; i++)
		if (!strcmp(reader->sources[i].step, row->step) &&
		    reader->sources[i].attempt == row->attempt)
			return;
	reader->sources =
		xrealloc(reader->sources, reader->source_count + 1, sizeof(*reader->sources));
	source = &reader->sources[reader->source_count++];
	*source = (struct log_source){
		.step = xstrdup(row->step),
		.attempt = row->attempt,
		.tail = log_tail_new(row->log, reader->step ? NULL : row->step),
	};
}

static bool is_over(const struct attempt_row *rows, size_t count, const struct log_source *source)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!strcmp(rows[i].step, source->step) && rows[i].attempt == source->attempt)
			return is_final(rows[i].state);
	return false;
}

/* Copies what is there; to its end where the attempt is over, or where nothing is awaited. */
static bool copy_sources(struct log_reader *reader, const struct attempt_row *rows, size_t count,
                         bool follow, struct error **err)
{
	size_t i;

	for (i = 0; i < reader->source_count; i++) {
		struct log_source *source = &reader->sources[i];
		scoped(error) struct error *missing = NULL;
		bool last = !follow || is_over(rows, count, source);

		if (source->done)
			continue;
		source->done = last;
		if (log_tail_copy(source->tail, last, stdout, &missing))
			continue;
		if (reader->step || missing->kind != ERROR_NOT_FOUND)
			return error_pass(err, take(missing));
		fprintf(stderr, "%s | ", source->step);
		error_render(missing, stderr);
		fputc('\n', stderr);
	}
	return true;
}

/* Reads what the database knows now, and copies. */
static bool refresh(struct log_reader *reader, const char *run, bool follow, struct error **err)
{
	struct attempt_row *rows;
	size_t count, i;
	bool ok;

	if (!read_run(reader, run, err) || !check_step(reader, err) ||
	    !metadata_attempts(reader->store, reader->run_id, &rows, &count, err))
		return false;
	for (i = 0; i < count; i++)
		if (is_wanted(reader, &rows[i]))
			add_source(reader, &rows[i]);
	ok = copy_sources(reader, rows, count, follow, err);
	metadata_rows_free(&metadata_table_attempt, rows, count);
	return ok;
}

/* The one step that was asked for printed nothing: say why. */
static bool check_started(const struct log_reader *reader, struct error **err)
{
	const struct step_row *step = reader->step ? find_step(reader, reader->step) : NULL;

	if (reader->source_count || !step)
		return true;
	if (reader->attempt)
		return error_set(err, ERROR_NOT_FOUND, "step '%s' has no attempt %d with a log",
		                 step->name, (int)reader->attempt);
	return error_set(err, ERROR_NOT_FOUND, "step '%s' has no log: it is %s%s%s", step->name,
	                 step->state, step->reason ? ": " : "", step->reason ? step->reason : "");
}

static void watch_files(struct log_reader *reader)
{
	size_t i;

	for (i = 0; i < reader->source_count; i++)
		if (!reader->sources[i].done)
			inotify_add_watch(reader->inotify, log_tail_path(reader->sources[i].tail),
			                  IN_MODIFY);
}

static bool has_ended(const struct log_reader *reader)
{
	const struct step_row *step = reader->step ? find_step(reader, reader->step) : NULL;

	return reader->run_ended || (step && is_final(step->state));
}

static void look_again(void *context)
{
	struct log_reader *reader = context;
	scoped(text) char *name = xstrdup(reader->run_name);
	/* Asked before the files are read: what was written until then is there. */
	if (!refresh(reader, name, true, &reader->error))
		return;
	reader->finished = has_ended(reader);
	watch_files(reader);
	loop_start_timer(reader->loop, DATABASE_INTERVAL_MS, look_again, reader);
}

static void file_grew(void *context, uint32_t events)
{
	struct log_reader *reader = context;
	char buffer[4096];

	(void)events;
	while (read(reader->inotify, buffer, sizeof(buffer)) > 0)
		;
	if (!reader->error)
		copy_sources(reader, NULL, 0, true, &reader->error);
}

static bool is_finished(const void *context)
{
	const struct log_reader *reader = context;

	return reader->finished || reader->error;
}

static bool follow(struct log_reader *reader, struct error **err)
{
	reader->loop = loop_new();
	reader->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (reader->inotify < 0)
		return error_set(err, ERROR_INTERNAL, "watch files: %s", strerror(errno));
	loop_watch_fd(reader->loop, reader->inotify, EPOLLIN, file_grew, reader);
	look_again(reader);
	loop_run_until(reader->loop, is_finished, reader, -1);
	if (reader->error)
		return error_pass(err, take(reader->error));
	return check_started(reader, err);
}

static bool read_attempt(const struct arguments *arguments, int64_t *attempt, struct error **err)
{
	const char *text = argument_option(arguments, "attempt");

	if (text && !text_to_int64(text, 1, INT32_MAX, attempt))
		return error_set(err, ERROR_USAGE, "--attempt is a number from 1; not '%s'", text);
	return true;
}

static bool run_logs(const struct arguments *arguments, struct error **err)
{
	scoped(metadata_store) struct metadata_store *store = records_open(arguments, err);
	scoped(log_reader) struct log_reader *reader = xcalloc(1, sizeof(*reader));

	reader->inotify = -1;
	reader->store = store;
	reader->step = argument_at(arguments, 1);
	if (!store || !read_attempt(arguments, &reader->attempt, err) ||
	    !read_run(reader, argument_at(arguments, 0), err))
		return false;
	if (argument_switch(arguments, "follow"))
		return follow(reader, err);
	if (!refresh(reader, argument_at(arguments, 0), false, err))
		return false;
	return check_started(reader, err);
}

static const struct command_option options[] = {
	{ "follow", 'f', VALUE_NONE, NULL, "go on until the step, or the run, has ended", NULL },
	{ "attempt", 0, VALUE_ONE, "N", "this attempt, not the latest", NULL },
	{ "stack", 's', VALUE_ONE, "NAME", "this stack's metadata store, not the active one's",
	  NULL },
	{ 0 },
};

const struct command cmd_logs = {
	.words = "logs",
	.arguments = "RUN [STEP]",
	.summary = "print what a step, or every step of a run, has printed",
	.details = "RUN is its name, the beginning of its id (4 characters or more), or @latest.",
	.options = options,
	.examples = "  stepop logs @latest trainer\n  stepop logs -f @latest",
	.min_arguments = 1,
	.max_arguments = 2,
	.run = run_logs,
};
