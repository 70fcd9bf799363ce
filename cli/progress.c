/* SPDX-License-Identifier: Apache-2.0 */
/* A run as it goes. */
#include "cli/progress.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/text.h"

enum progress_kind {
	PROGRESS_NONE,
	PROGRESS_PLAIN,
	PROGRESS_TTY,
	PROGRESS_JSON,
};

struct progress {
	enum progress_kind kind;
	bool color;
	FILE *out;
	int64_t begun_at;
	size_t drawn; /* lines of the live table that are on the screen */
	/* Plain lines say a thing once: what was said last of each step. */
	char **said;
	size_t said_count;
	size_t output_step; /* whose output is being shown; (size_t)-1: none */
	bool line_open;
};

static enum progress_kind choose_kind(const struct arguments *arguments)
{
	const char *wanted = argument_option(arguments, "progress");
	const char *term = getenv("TERM");

	if (argument_switch(arguments, "quiet"))
		return PROGRESS_NONE;
	if (text_equal(wanted, "plain"))
		return PROGRESS_PLAIN;
	if (text_equal(wanted, "json"))
		return PROGRESS_JSON;
	if (text_equal(wanted, "tty"))
		return PROGRESS_TTY;
	/* The output of steps would tear the table apart. */
	if (!isatty(STDERR_FILENO) || text_equal(term, "dumb") ||
	    argument_switch(arguments, "verbose"))
		return PROGRESS_PLAIN;
	return PROGRESS_TTY;
}

static bool choose_color(const struct arguments *arguments)
{
	const char *no_color = getenv("NO_COLOR");

	return isatty(STDERR_FILENO) && !argument_switch(arguments, "no-color") &&
	       !(no_color && *no_color) && !text_equal(getenv("TERM"), "dumb");
}

struct progress *progress_new(const struct arguments *arguments)
{
	struct progress *progress = xcalloc(1, sizeof(*progress));

	progress->kind = choose_kind(arguments);
	progress->color = choose_color(arguments);
	progress->out = stderr;
	progress->begun_at = clock_now_ms();
	progress->output_step = (size_t)-1;
	return progress;
}

void progress_free(struct progress *progress)
{
	size_t i;

	if (!progress)
		return;
	for (i = 0; i < progress->said_count; i++)
		free(progress->said[i]);
	free(progress->said);
	free(progress);
}

void progress_begin(struct progress *progress, const struct run *run)
{
	size_t count = run_pipeline(run)->step_count;

	progress->said = xcalloc(count, sizeof(*progress->said));
	progress->said_count = count;
	if (progress->kind == PROGRESS_PLAIN || progress->kind == PROGRESS_TTY)
		fprintf(progress->out, "run %s: %zu step%s on stack '%s'\n", run_name(run), count,
		        count == 1 ? "" : "s", run_stack_name(run));
}

static const char *color_of(const struct progress *progress, enum step_state state)
{
	static const char *const colors[] = {
		[STEP_WAITING] = "\033[2m",    [STEP_READY] = "\033[2m",
		[STEP_LAUNCHING] = "\033[36m", [STEP_RUNNING] = "\033[36m",
		[STEP_SUCCEEDED] = "\033[32m", [STEP_FAILED] = "\033[31m",
		[STEP_SKIPPED] = "\033[33m",   [STEP_CANCELLED] = "\033[33m",
	};

	return progress->color ? colors[state] : "";
}

/* "2/2 executors", "Unschedulable: …", "4,000 rows × 8 columns": what a person wants to know of a
 * step now. */
static char *describe(const struct step_view *view)
{
	json_t *artifact;
	struct text_stream stream;
	size_t i;

	text_stream_open(&stream);
	if (view->state == STEP_RUNNING && view->workers_wanted && view->started_at)
		fprintf(stream.file, "%d/%d executors  ", view->workers_ready,
		        view->workers_wanted);
	if (view->detail)
		fprintf(stream.file, "%s  ", view->detail);
	if (view->state == STEP_SUCCEEDED)
		json_array_foreach ((json_t *)view->artifacts, i, artifact)
			fprintf(stream.file, "%s%s", i ? ", " : "",
			        json_string_value(json_object_get(artifact, "name")));
	return text_stream_take(&stream);
}

static char *elapsed(const struct step_view *view)
{
	int64_t end = view->ended_at ? view->ended_at : clock_now_ms();

	return view->started_at ? clock_format_duration(end - view->started_at) : xstrdup("");
}

static int terminal_width(void)
{
	struct winsize size;

	return !ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col > 20 ? size.ws_col : 100;
}

/* Cuts at a character, so that the table keeps one line a step. */
static size_t fitting_bytes(const char *text, int columns)
{
	size_t bytes = 0;

	while (text[bytes] && columns > 0) {
		bytes++;
		while (((unsigned char)text[bytes] & 0xc0) == 0x80)
			bytes++;
		columns--;
	}
	return bytes;
}

static void draw_step(const struct progress *progress, const struct run *run, size_t index,
                      int width)
{
	struct step_view view;
	scoped(text) char *detail = NULL, *time = NULL;

	run_step_view(run, index, &view);
	detail = describe(&view);
	time = elapsed(&view);
	fprintf(progress->out, "\033[2K  %s%-9s%s  %-20s %8s  %.*s\n",
	        color_of(progress, view.state), step_state_name(view.state),
	        progress->color ? "\033[0m" : "", view.name, time,
	        (int)fitting_bytes(detail, width - 46), detail);
}

/* A long pipeline shows what moves: finished and waiting steps are counted only. */
static bool is_shown(const struct run *run, size_t index)
{
	struct step_view view;

	if (run_pipeline(run)->step_count <= 30)
		return true;
	run_step_view(run, index, &view);
	return view.state == STEP_LAUNCHING || view.state == STEP_RUNNING ||
	       view.state == STEP_FAILED;
}

static void draw(struct progress *progress, const struct run *run)
{
	size_t count = run_pipeline(run)->step_count, i, lines = 0;
	int width = terminal_width();

	if (progress->drawn)
		fprintf(progress->out, "\033[%zuA", progress->drawn);
	for (i = 0; i < count && lines < 40; i++) {
		if (!is_shown(run, i))
			continue;
		draw_step(progress, run, i, width);
		lines++;
	}
	for (i = lines; i < progress->drawn; i++)
		fputs("\033[2K\n", progress->out);
	progress->drawn = lines > progress->drawn ? lines : progress->drawn;
	fflush(progress->out);
}

/* Waiting and ready say nothing: every step begins so. */
static void say(struct progress *progress, const struct run *run, size_t index)
{
	struct step_view view;
	scoped(text) char *detail = NULL, *line = NULL, *time = NULL;

	run_step_view(run, index, &view);
	if (view.state == STEP_WAITING || view.state == STEP_READY)
		return;
	detail = describe(&view);
	line = text_printf("%-9s  %-20s  %s", step_state_name(view.state), view.name, detail);
	line[fitting_bytes(line, 300)] = '\0';
	if (text_equal(progress->said[index], line))
		return;
	time = clock_format_duration(clock_now_ms() - progress->begun_at);
	fprintf(progress->out, "%s[%8s] %s\n", progress->line_open ? "\n" : "", time, line);
	progress->line_open = false;
	free(progress->said[index]);
	progress->said[index] = take(line);
}

static void say_json(struct progress *progress, const struct run *run, size_t index)
{
	struct step_view view;
	json_auto_t *line = NULL;
	scoped(text) char *at = clock_format(clock_now_ms());

	run_step_view(run, index, &view);
	line = json_pack("{s:s, s:s, s:s, s:s, s:i, s:s?, s:s?, s:i, s:i}", "at", at, "run",
	                 run_id(run), "step", view.name, "state", step_state_name(view.state),
	                 "attempt", view.attempt, "detail", view.detail, "job", view.job,
	                 "workers_ready", view.workers_ready, "workers_wanted",
	                 view.workers_wanted);
	json_dumpf(line, progress->out, JSON_COMPACT);
	fputc('\n', progress->out);
}

static void step_changed(void *context, const struct run *run, size_t index)
{
	struct progress *progress = context;

	if (progress->kind == PROGRESS_TTY)
		draw(progress, run);
	else if (progress->kind == PROGRESS_PLAIN)
		say(progress, run, index);
	else if (progress->kind == PROGRESS_JSON)
		say_json(progress, run, index);
}

static void tick(void *context, const struct run *run)
{
	draw(context, run);
}

/* Text of a step may be in any encoding, and is cut anywhere: what is no UTF-8 loses what is beyond
 * ASCII. */
static json_t *json_text(const char *bytes, size_t size)
{
	json_t *text = json_stringn(bytes, size);
	scoped(text) char *ascii = text ? NULL : xstrndup(bytes, size);
	char *at;

	for (at = ascii; at && *at; at++)
		*at = (unsigned char)*at < 0x80 ? *at : '?';
	return text ? text : json_string(ascii);
}

static void output_json(struct progress *progress, const struct run *run, size_t index,
                        const char *bytes, size_t size)
{
	scoped(text) char *at = clock_format(clock_now_ms());
	json_auto_t *line =
		json_pack("{s:s, s:s, s:s, s:o}", "at", at, "run", run_id(run), "step",
	                  run_pipeline(run)->steps[index].name, "output", json_text(bytes, size));

	json_dumpf(line, progress->out, JSON_COMPACT);
	fputc('\n', progress->out);
}

/* "step | line"; a line of another step begins on a line of its own. */
static void output_plain(struct progress *progress, const struct run *run, size_t index,
                         const char *bytes, size_t size)
{
	size_t i;

	if (progress->line_open && progress->output_step != index) {
		fputc('\n', progress->out);
		progress->line_open = false;
	}
	progress->output_step = index;
	for (i = 0; i < size; i++) {
		if (!progress->line_open)
			fprintf(progress->out, "%s | ", run_pipeline(run)->steps[index].name);
		fputc(bytes[i], progress->out);
		progress->line_open = bytes[i] != '\n';
	}
}

static void output(void *context, const struct run *run, size_t index, const char *bytes,
                   size_t size)
{
	struct progress *progress = context;

	if (progress->kind == PROGRESS_JSON)
		output_json(progress, run, index, bytes, size);
	else
		output_plain(progress, run, index, bytes, size);
}

/* The table is drawn anew below what is said. */
static void notice(void *context, const struct run *run, const char *text)
{
	struct progress *progress = context;
	scoped(text) char *time = clock_format_duration(clock_now_ms() - progress->begun_at);
	scoped(text) char *at = clock_format(clock_now_ms());

	if (progress->kind == PROGRESS_JSON) {
		json_auto_t *line =
			json_pack("{s:s, s:s, s:s}", "at", at, "run", run_id(run), "notice", text);

		json_dumpf(line, progress->out, JSON_COMPACT);
		fputc('\n', progress->out);
	} else if (progress->kind != PROGRESS_NONE) {
		fprintf(progress->out, "%s[%8s] %s\n", progress->line_open ? "\n" : "", time, text);
		progress->line_open = false;
		progress->drawn = 0;
	}
}

const struct run_observer *progress_observer(const struct progress *progress)
{
	static const struct run_observer still = { .step_changed = step_changed,
		                                   .notice = notice,
		                                   .output = output };
	static const struct run_observer ticking = {
		.step_changed = step_changed, .tick = tick, .notice = notice, .output = output
	};

	return progress->kind == PROGRESS_TTY ? &ticking : &still;
}

void progress_end(struct progress *progress, const struct run *run)
{
	if (progress->kind == PROGRESS_TTY)
		draw(progress, run);
	if (progress->line_open)
		fputc('\n', progress->out);
	fflush(progress->out);
}
