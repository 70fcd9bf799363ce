/* SPDX-License-Identifier: Apache-2.0 */
/* operator/flavors/process: jobs that are child processes. */
#include "tests/test.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/file.h"
#include "core/loop.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/flavors/process.h"

#define PATIENCE_MS 60000

/* One job, and what it told. */
struct watch {
	char *folder, *log_path, *result_path;
	struct loop *loop;
	struct job *job;
	struct text_stream output; /* the first piece of it */
	size_t output_size;
	int running_reports, final_reports;
	struct job_report final;
	char *log_at_the_end;
	bool is_slow; /* the writer fills the pipe again while a piece of it is looked at */
};

static int setup(void **state)
{
	struct watch *watch = xcalloc(1, sizeof(*watch));

	watch->folder = xstrdup("/tmp/stepop-test-XXXXXX");
	if (!mkdtemp(watch->folder))
		return -1;
	watch->log_path = file_join(watch->folder, "log");
	watch->result_path = file_join(watch->folder, "result");
	watch->loop = loop_new();
	text_stream_open(&watch->output);
	*state = watch;
	return 0;
}

static int teardown(void **state)
{
	struct watch *watch = *state;
	bool removed = file_remove_tree(watch->folder, NULL);

	process_job_free(watch->job);
	loop_free(watch->loop);
	job_report_release(&watch->final);
	free(text_stream_take(&watch->output));
	free(watch->log_at_the_end);
	free(watch->folder);
	free(watch->log_path);
	free(watch->result_path);
	free(watch);
	return removed ? 0 : -1;
}

static void changed(void *context, struct job *job, const struct job_report *report)
{
	struct watch *watch = context;

	assert_ptr_equal(job, watch->job);
	if (report->phase == JOB_RUNNING) {
		watch->running_reports++;
		return;
	}
	watch->final_reports++;
	watch->final = *report;
	watch->final.reason = text_copy(report->reason);
	watch->final.message = text_copy(report->message);
	watch->final.advice = text_copy(report->advice);
	watch->final.result = text_copy(report->result);
	watch->log_at_the_end = file_read(watch->log_path, 64u << 20, NULL, NULL);
}

static void look_slowly(const struct watch *watch)
{
	scoped(text) char *bytes = xcalloc(1, 4u << 20);

	free(digest_bytes(bytes, 4u << 20));
	assert_true(watch->output_size < 8u << 20);
}

static void output(void *context, struct job *job, const char *bytes, size_t size)
{
	struct watch *watch = context;

	(void)job;
	if (!watch->output_size)
		fwrite(bytes, 1, size, watch->output.file);
	watch->output_size += size;
	fflush(watch->output.file);
	if (watch->is_slow)
		look_slowly(watch);
}

static const struct job_events events = { .changed = changed, .output = output };

static struct job *start(struct watch *watch, const char *const *argv, const json_t *environment,
                         struct error **err)
{
	const struct process_start start = { .flavor = flavor_find("local"),
		                             .loop = watch->loop,
		                             .argv = argv,
		                             .environment = environment,
		                             .folder = watch->folder,
		                             .log_path = watch->log_path,
		                             .result_path = watch->result_path };

	return watch->job = process_job_start(&start, &events, watch, err);
}

static void start_shell(struct watch *watch, const char *script)
{
	const char *argv[] = { "sh", "-c", script, NULL };
	struct error *err = NULL;

	assert_ok(start(watch, argv, NULL, &err), err);
}

static bool has_ended(const void *context)
{
	return ((const struct watch *)context)->final_reports > 0;
}

static bool has_said_a_line(const void *context)
{
	const struct watch *watch = context;

	return watch->output_size && strchr(watch->output.text, '\n');
}

static void await(struct watch *watch, bool (*done)(const void *context))
{
	assert_true(loop_run_until(watch->loop, done, watch, loop_now_ms() + PATIENCE_MS));
}

static void run_shell(struct watch *watch, const char *script)
{
	start_shell(watch, script);
	await(watch, has_ended);
}

static void test_process_job__tells_that_it_runs_and_then_that_it_succeeded(void **state)
{
	struct watch *watch = *state;

	start_shell(watch, "exit 0");
	assert_int_equal(watch->running_reports + watch->final_reports, 0);
	await(watch, has_ended);

	assert_int_equal(watch->running_reports, 1);
	assert_int_equal(watch->final_reports, 1);
	assert_int_equal(watch->final.phase, JOB_SUCCEEDED);
	assert_null(watch->final.reason);
	assert_true(watch->final.has_exit_code);
	assert_null(watch->final.result);
}

static void test_process_job__gives_the_exit_code(void **state)
{
	struct watch *watch = *state;

	run_shell(watch, "exit 70");

	assert_int_equal(watch->final.phase, JOB_FAILED);
	assert_true(watch->final.has_exit_code);
	assert_int_equal(watch->final.exit_code, 70);
	assert_string_equal(watch->final.reason, "exit code 70");
}

static void test_process_job__names_the_signal(void **state)
{
	struct watch *watch = *state;

	run_shell(watch, "kill -SEGV $$");

	assert_int_equal(watch->final.phase, JOB_FAILED);
	assert_false(watch->final.has_exit_code);
	assert_string_equal(watch->final.reason, "killed by signal 11 (Segmentation fault)");
	assert_null(watch->final.advice);
}

static void test_process_job__tells_what_to_do_about_a_kill(void **state)
{
	struct watch *watch = *state;

	run_shell(watch, "kill -KILL $$");

	assert_string_equal(watch->final.reason, "killed by signal 9 (Killed)");
	assert_non_null(strstr(watch->final.advice, "out of memory"));
}

static void test_process_job__has_all_output_before_the_final_report(void **state)
{
	struct watch *watch = *state;

	run_shell(watch, "head -c 3000000 /dev/zero | tr '\\0' x; echo end >&2");

	assert_int_equal(watch->output_size, 3000004);
	assert_int_equal(strlen(watch->log_at_the_end), 3000004);
	assert_true(text_ends_with(watch->log_at_the_end, "xend\n"));
}

static void test_process_job__appends_to_the_log(void **state)
{
	struct watch *watch = *state;

	assert_true(file_write_atomic(watch->log_path, "before\n", 7, 0644, NULL));

	run_shell(watch, "echo after");

	assert_string_equal(watch->log_at_the_end, "before\nafter\n");
}

static void test_process_job__brings_the_result(void **state)
{
	struct watch *watch = *state;

	run_shell(watch, "echo '{}' > result; exit 1");

	assert_string_equal(watch->final.result, "{}\n");
}

static void test_process_job__runs_in_its_folder_with_nothing_to_read(void **state)
{
	struct watch *watch = *state;
	scoped(text) char *expected = text_printf("%s\n/dev/null\n", watch->folder);
	int stdin_before = dup(0), other = open(watch->folder, O_RDONLY | O_DIRECTORY);

	dup2(other, 0);
	run_shell(watch, "pwd; readlink /proc/self/fd/0");
	dup2(stdin_before, 0);
	close(stdin_before);
	close(other);

	assert_string_equal(watch->log_at_the_end, expected);
}

static void test_process_job__adds_to_the_environment_and_withholds_the_keys(void **state)
{
	const char *argv[] = { "env", NULL };
	struct watch *watch = *state;
	json_auto_t *added = json_pack("{s:s, s:s}", "STEPOP_ADDED", "a b", "STEPOP_BOTH", "new");
	struct error *err = NULL;

	setenv("STEPOP_BOTH", "old", 1);
	setenv("STEPOP_KEPT", "yes", 1);
	setenv("STEPOP_SECRETS_KEY", "k3y", 1);
	setenv("STEPOP_SECRETS_PASSPHRASE", "passw0rd", 1);
	assert_ok(start(watch, argv, added, &err), err);
	await(watch, has_ended);

	assert_non_null(strstr(watch->log_at_the_end, "STEPOP_ADDED=a b\n"));
	assert_non_null(strstr(watch->log_at_the_end, "STEPOP_BOTH=new\n"));
	assert_non_null(strstr(watch->log_at_the_end, "STEPOP_KEPT=yes\n"));
	assert_null(strstr(watch->log_at_the_end, "=old"));
	assert_null(strstr(watch->log_at_the_end, "STEPOP_SECRETS"));
	assert_null(strstr(watch->log_at_the_end, "k3y"));
	assert_null(strstr(watch->log_at_the_end, "passw0rd"));
}

static void test_process_job_start__says_that_there_is_no_such_program(void **state)
{
	const char *argv[] = { "no-such-program-at-all", NULL };
	scoped(error) struct error *err = NULL;

	assert_null(start(*state, argv, NULL, &err));

	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_error_contains(err, "no-such-program-at-all");
}

/* Readable once the process has ended, whoever its parent is. */
static void assert_ends(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	if (fd < 0)
		return;
	assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
	close(fd);
}

static void test_process_job_cancel__ends_the_grandchildren_that_ignore_it(void **state)
{
	struct watch *watch = *state;
	pid_t grandchild;

	start_shell(watch, "sh -c 'trap \"\" TERM; echo $$; exec sleep 1000' & wait");
	await(watch, has_said_a_line);
	grandchild = (pid_t)strtol(watch->output.text, NULL, 10);
	assert_int_equal(kill(grandchild, 0), 0);

	assert_true(process_job_cancel(watch->job, NULL));
	await(watch, has_ended);

	assert_int_equal(watch->final.phase, JOB_FAILED);
	assert_string_equal(watch->final.reason, "cancelled");
	assert_null(watch->final.advice);
	assert_ends(grandchild);
}

static void test_process_job_cancel__of_an_ended_job_succeeds(void **state)
{
	struct watch *watch = *state;

	run_shell(watch, "exit 0");

	assert_true(process_job_cancel(watch->job, NULL));
	assert_int_equal(watch->final_reports, 1);
}

static void set_flag(void *context)
{
	*(bool *)context = true;
}

static bool is_set(const void *context)
{
	return *(const bool *)context;
}

static void test_process_job__that_writes_without_end_leaves_the_loop_to_others(void **state)
{
	struct watch *watch = *state;
	bool fired = false;

	watch->is_slow = true;
	start_shell(watch, "exec yes");
	await(watch, has_said_a_line);
	loop_start_timer(watch->loop, 0, set_flag, &fired);

	assert_true(loop_run_until(watch->loop, is_set, &fired, loop_now_ms() + PATIENCE_MS));
	assert_true(process_job_cancel(watch->job, NULL));
	await(watch, has_ended);
}

/* setsid: it is not of the group, so that it lives on, and holds the pipe. */
static void test_process_job__ends_although_what_it_left_behind_goes_on_writing(void **state)
{
	struct watch *watch = *state;

	watch->is_slow = true;
	run_shell(watch, "setsid yes & echo $!; exit 3");

	assert_string_equal(watch->final.reason, "exit code 3");
}

static void test_process_job_free__kills_what_still_runs(void **state)
{
	struct watch *watch = *state;
	pid_t pid;

	start_shell(watch, "echo started; exec sleep 1000");
	await(watch, has_said_a_line);
	assert_int_equal(sscanf(process_job_describe(watch->job), "pid %d", &pid), 1);
	process_job_free(take(watch->job));

	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(watch->final_reports, 0);
}

#define WITH_WATCH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WATCH(test_process_job__tells_that_it_runs_and_then_that_it_succeeded),
		WITH_WATCH(test_process_job__gives_the_exit_code),
		WITH_WATCH(test_process_job__names_the_signal),
		WITH_WATCH(test_process_job__tells_what_to_do_about_a_kill),
		WITH_WATCH(test_process_job__has_all_output_before_the_final_report),
		WITH_WATCH(test_process_job__appends_to_the_log),
		WITH_WATCH(test_process_job__brings_the_result),
		WITH_WATCH(test_process_job__runs_in_its_folder_with_nothing_to_read),
		WITH_WATCH(test_process_job__adds_to_the_environment_and_withholds_the_keys),
		WITH_WATCH(test_process_job_start__says_that_there_is_no_such_program),
		WITH_WATCH(test_process_job_cancel__ends_the_grandchildren_that_ignore_it),
		WITH_WATCH(test_process_job_cancel__of_an_ended_job_succeeds),
		WITH_WATCH(test_process_job__that_writes_without_end_leaves_the_loop_to_others),
		WITH_WATCH(test_process_job__ends_although_what_it_left_behind_goes_on_writing),
		WITH_WATCH(test_process_job_free__kills_what_still_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
