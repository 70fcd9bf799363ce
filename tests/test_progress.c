/* SPDX-License-Identifier: Apache-2.0 */
/* cli/progress: a run as it goes, in lines for people and for machines, and its summary. */
#include "tests/test.h"

#include <string.h>
#include <unistd.h>

#include "cli/progress.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "tests/fakes/run_project.h"

/* What a run shows on stderr, under the command line `stepop run p OPTION OPTION`. */
struct shown {
	struct temporary_project *temporary;
	struct run *run;
	struct arguments *arguments;
	struct progress *progress;
	int stderr_before;
};

static int setup(void **state)
{
	struct shown *shown = xcalloc(1, sizeof(*shown));
	void *temporary;

	if (temporary_project_setup(&temporary))
		return -1;
	shown->temporary = temporary;
	run_project_write(shown->temporary, "def f():\n    return 1\n",
	                  "good: {source: 'steps.py:f', outputs: {x: json}}\n"
	                  "bad: {source: 'steps.py:f'}\n"
	                  "child: {source: 'steps.py:f', after: [bad]}\n");
	run_project_use_shell(shown->temporary,
	                      "[ $step = good ] || exit 9\n"
	                      "mkdir -p $out/x; echo 7 > $out/x/value.json; succeed '{\"x\": {}}'");
	shown->run = run_project_open(shown->temporary, "daily");
	*state = shown;
	return 0;
}

static int teardown(void **state)
{
	struct shown *shown = *state;
	void *temporary = shown->temporary;

	progress_free(shown->progress);
	arguments_free(shown->arguments);
	run_free(shown->run);
	free(shown);
	return temporary_project_teardown(&temporary);
}

static void begin(struct shown *shown, const char *option, const char *other)
{
	char *words[] = { (char *)"run", (char *)"p", (char *)option, (char *)other };
	scoped(text) char *path = file_join(shown->temporary->folder, "stderr");
	const struct command *command;
	bool help;

	shown->arguments = arguments_parse(other ? 4 : 3, words, &command, &help, NULL);
	assert_non_null(shown->arguments);
	fflush(stderr);
	shown->stderr_before = dup(STDERR_FILENO);
	assert_ptr_equal(freopen(path, "w", stderr), stderr);
	shown->progress = progress_new(shown->arguments);
	progress_begin(shown->progress, shown->run);
}

static bool execute(struct shown *shown)
{
	return run_execute(shown->run, progress_observer(shown->progress), shown->progress, NULL);
}

static char *end(struct shown *shown)
{
	scoped(text) char *path = file_join(shown->temporary->folder, "stderr");

	progress_end(shown->progress, shown->run);
	fflush(stderr);
	dup2(shown->stderr_before, STDERR_FILENO);
	close(shown->stderr_before);
	return file_read(path, 1 << 20, NULL, NULL);
}

static size_t count_of(const char *text, const char *part)
{
	size_t count = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		count++;
	return count;
}

static void test_progress__says_each_plain_line_once(void **state)
{
	struct shown *shown = *state;
	const struct run_observer *observer;
	scoped(text) char *text = NULL;
	size_t i;

	begin(shown, "--progress=plain", NULL);
	assert_false(execute(shown));
	observer = progress_observer(shown->progress);
	for (i = 0; i < 3; i++)
		observer->step_changed(shown->progress, shown->run, i);
	text = end(shown);

	assert_true(text_starts_with(text, "run daily: 3 steps on stack 'default'\n"));
	assert_int_equal(count_of(text, "succeeded  good                  x\n"), 1);
	assert_int_equal(count_of(text, "failed     bad                   exit code 9"), 1);
	assert_int_equal(count_of(text, "skipped    child                 needs 'bad'"), 1);
	assert_int_equal(count_of(text, "running    good"), 1);
	assert_int_equal(count_of(text, "waiting"), 0);
	assert_int_equal(count_of(text, "\033"), 0);
}

/* Each line is an object; those of `step` have their values of `key` joined. */
static char *collect(const char *text, const char *step, const char *key)
{
	struct text_stream stream;

	text_stream_open(&stream);
	while (*text) {
		size_t size = strcspn(text, "\n");
		json_auto_t *line = json_loadb(text, size, 0, NULL);
		const char *value = json_string_value(json_object_get(line, key));

		if (!line)
			print_error("no JSON: %.*s\n", (int)size, text);
		assert_true(json_is_object(line));
		assert_non_null(json_object_get(line, "at"));
		assert_non_null(json_object_get(line, "run"));
		if (value && !strcmp(json_string_value(json_object_get(line, "step")), step))
			fprintf(stream.file, "%s ", value);
		text += size;
		text += *text == '\n';
	}
	return text_stream_take(&stream);
}

static void test_progress__writes_json_lines(void **state)
{
	struct shown *shown = *state;
	scoped(text) char *text = NULL;
	scoped(text) char *of_good = NULL;
	scoped(text) char *of_child = NULL;

	begin(shown, "--progress=json", NULL);
	assert_false(execute(shown));
	text = end(shown);

	of_good = collect(text, "good", "state");
	assert_true(text_ends_with(of_good, "running succeeded "));
	of_child = collect(text, "child", "state");
	assert_string_equal(of_child, "skipped ");
}

static void say(struct shown *shown, size_t step, const char *bytes)
{
	progress_observer(shown->progress)
		->output(shown->progress, shown->run, step, bytes, strlen(bytes));
}

static void test_progress__writes_output_as_json_lines_too(void **state)
{
	struct shown *shown = *state;
	scoped(text) char *text = NULL;
	scoped(text) char *output = NULL;

	begin(shown, "--progress=json", "-v");
	say(shown, 0, "half a line");
	say(shown, 1, "\xff\n");
	say(shown, 0, "\xe2\x82\xac \"quoted\"\n");
	text = end(shown);

	output = collect(text, "good", "output");
	assert_string_equal(output, "half a line \xe2\x82\xac \"quoted\"\n ");
	free(output);
	output = collect(text, "bad", "output");
	assert_string_equal(output, "?\n ");
}

static void test_progress__keeps_the_output_of_steps_apart(void **state)
{
	struct shown *shown = *state;
	scoped(text) char *text = NULL;

	begin(shown, "--progress=plain", "-v");
	say(shown, 0, "one\ntw");
	say(shown, 1, "other\n");
	say(shown, 0, "o\n");
	say(shown, 0, "open");
	text = end(shown);

	assert_string_equal(strchr(text, '\n') + 1, "good | one\n"
	                                            "good | tw\n"
	                                            "bad | other\n"
	                                            "good | o\n"
	                                            "good | open\n");
}

static void test_progress__says_nothing_when_quiet(void **state)
{
	struct shown *shown = *state;
	scoped(text) char *text = NULL;

	begin(shown, "-q", NULL);
	assert_false(execute(shown));
	text = end(shown);

	assert_string_equal(text, "");
}

static char *summary_of(const struct run *run, enum output_format format)
{
	struct text_stream stream;
	scoped(error) struct error *err = NULL;

	assert_ok(summary_print(run, format, text_stream_open(&stream), &err), err);
	return text_stream_take(&stream);
}

static void test_summary_print__shows_steps_artifacts_and_values(void **state)
{
	struct shown *shown = *state;
	scoped(text) char *text = NULL;

	assert_false(run_execute(shown->run, &run_project_observer, NULL, NULL));
	text = summary_of(shown->run, OUTPUT_TABLE);

	assert_non_null(strstr(text, "run daily failed in "));
	assert_non_null(strstr(text, "exit code 9"));
	assert_non_null(strstr(text, "needs 'bad', which failed"));
	assert_non_null(strstr(text, "\ngood.x: 7\n"));
}

static void test_summary_print__is_one_document_for_machines(void **state)
{
	struct shown *shown = *state;
	scoped(text) char *text = NULL;
	scoped(text) char *name = NULL;
	json_auto_t *whole = NULL;
	const json_t *step;

	assert_false(run_execute(shown->run, &run_project_observer, NULL, NULL));
	text = summary_of(shown->run, OUTPUT_JSON);
	name = summary_of(shown->run, OUTPUT_NAME);

	whole = json_loads(text, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(whole, "state")), "failed");
	assert_int_equal(json_array_size(json_object_get(whole, "steps")), 3);
	step = json_array_get(json_object_get(whole, "steps"), 1);
	assert_string_equal(json_string_value(json_object_get(step, "reason")), "exit code 9");
	assert_int_equal(json_array_size(json_object_get(whole, "artifacts")), 1);
	assert_string_equal(name, "run/daily\n");
}

static void test_summary_print_failures__tells_why_and_where_to_look(void **state)
{
	struct shown *shown = *state;
	struct text_stream stream;
	scoped(text) char *text = NULL;

	assert_false(run_execute(shown->run, &run_project_observer, NULL, NULL));
	summary_print_failures(shown->run, text_stream_open(&stream));
	text = text_stream_take(&stream);

	assert_string_equal(text, "\nstep 'bad' failed: exit code 9\n"
	                          "Its log: stepop logs daily bad\n");
}

#define WITH_RUN(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_RUN(test_progress__says_each_plain_line_once),
		WITH_RUN(test_progress__writes_json_lines),
		WITH_RUN(test_progress__writes_output_as_json_lines_too),
		WITH_RUN(test_progress__keeps_the_output_of_steps_apart),
		WITH_RUN(test_progress__says_nothing_when_quiet),
		WITH_RUN(test_summary_print__shows_steps_artifacts_and_values),
		WITH_RUN(test_summary_print__is_one_document_for_machines),
		WITH_RUN(test_summary_print_failures__tells_why_and_where_to_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
