/* SPDX-License-Identifier: Apache-2.0 */
/* A job that is a child process of this machine. */
#include "operator/flavors/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"

#define KILL_AFTER_MS 10000
#define RESULT_LIMIT_BYTES 65536
#define OUTPUT_TURN_BYTES 262144

struct process_job {
	struct job job;
	struct loop *loop;
	const struct job_events *events;
	void *context;
	pid_t pid;
	char *name;
	int output_fd, log_fd;
	struct loop_source *output, *child, *killer, *starter;
	char *result_path;
	bool cancelled, ended;
};

static struct process_job *process_of(struct job *job)
{
	return container_of(job, struct process_job, job);
}

/* What unlocks the secrets of the project is nobody's but stepop's. */
static bool is_withheld(const char *name)
{
	return !strcmp(name, "STEPOP_SECRETS_KEY") || !strcmp(name, "STEPOP_SECRETS_PASSPHRASE");
}

static char **build_environment(const json_t *added)
{
	size_t count = 0, n = 0;
	const char *name;
	json_t *value;
	char **environment;
	char **at;

	for (at = environ; *at; at++)
		count++;
	environment = xcalloc(count + json_object_size(added) + 1, sizeof(*environment));
	for (at = environ; *at; at++) {
		scoped(text) char *key = xstrndup(*at, strcspn(*at, "="));

		if (!json_object_get(added, key) && !is_withheld(key))
			environment[n++] = xstrdup(*at);
	}
	json_object_foreach ((json_t *)added, name, value)
		environment[n++] = text_printf("%s=%s", name, json_string_value(value));
	return environment;
}

static void free_environment(char **environment)
{
	char **at;

	for (at = environment; *at; at++)
		secret_free(*at);
	free(environment);
}

/* After fork() and before exec(): only what POSIX calls safe. Reports errno through `report_fd`. */
static void run_child(const struct process_start *start, char **environment, int output_fd,
                      int report_fd)
{
	sigset_t none;
	int null = open("/dev/null", O_RDONLY);

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (null >= 0 && dup2(null, 0) == 0 && dup2(output_fd, 1) == 1 && dup2(output_fd, 2) == 2 &&
	    !chdir(start->folder))
		execvpe(start->argv[0], (char *const *)start->argv, environment);
	if (write(report_fd, &errno, sizeof(errno)) < 0)
		_exit(127);
	_exit(127);
}

/* The child's errno when exec failed, else 0: the pipe closes with a successful exec. */
static int await_exec(int fd)
{
	int number = 0;
	ssize_t n;

	do
		n = read(fd, &number, sizeof(number));
	while (n < 0 && errno == EINTR);
	return n == sizeof(number) ? number : 0;
}

static pid_t spawn(const struct process_start *start, int *output_fd, struct error **err)
{
	char **environment = build_environment(start->environment);
	int output[2], report[2], number;
	pid_t pid;

	if (pipe2(output, O_CLOEXEC) || pipe2(report, O_CLOEXEC))
		abort();
	pid = fork();
	if (!pid)
		run_child(start, environment, output[1], report[1]);
	free_environment(environment);
	close(output[1]);
	close(report[1]);
	number = pid < 0 ? errno : await_exec(report[0]);
	close(report[0]);
	if (!number) {
		*output_fd = output[0];
		return pid;
	}
	close(output[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	error_set(err, number == ENOENT ? ERROR_NOT_FOUND : ERROR_INTERNAL, "start '%s': %s",
	          start->argv[0], strerror(number));
	return -1;
}

static void take_output(struct process_job *process, const char *bytes, size_t size)
{
	/* A full disk must not stop the step; what is lost is only its log. */
	if (write(process->log_fd, bytes, size) < 0 && errno == EBADF)
		abort();
	if (process->events->output)
		process->events->output(process->context, &process->job, bytes, size);
}

/* True at the end of the output. Reads about `limit` bytes at most: who writes without end must not
 * keep the loop from its other sources. */
static bool read_output(struct process_job *process, size_t limit)
{
	char buffer[16384];
	size_t total = 0;
	ssize_t n = 1;

	while (total < limit && (n = read(process->output_fd, buffer, sizeof(buffer))) > 0) {
		take_output(process, buffer, (size_t)n);
		total += (size_t)n;
	}
	return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static void output_ready(void *context, uint32_t events)
{
	struct process_job *process = context;

	(void)events;
	if (read_output(process, OUTPUT_TURN_BYTES))
		loop_cancel(take(process->output));
}

/* Grandchildren may hold the pipe open, and go on writing; what is in it now is all that belongs to
 * the step. */
static void read_rest(struct process_job *process)
{
	int size = 0;

	if (!ioctl(process->output_fd, FIONREAD, &size) && size > 0)
		read_output(process, (size_t)size);
}

static void describe_end(const struct process_job *process, int status, struct job_report *report)
{
	report->phase = JOB_FAILED;
	if (WIFEXITED(status)) {
		report->has_exit_code = true;
		report->exit_code = WEXITSTATUS(status);
		report->phase = report->exit_code ? JOB_FAILED : JOB_SUCCEEDED;
	}
	if (process->cancelled)
		report->reason = xstrdup("cancelled");
	else if (WIFSIGNALED(status))
		report->reason = text_printf("killed by signal %d (%s)", WTERMSIG(status),
		                             strsignal(WTERMSIG(status)));
	else if (report->exit_code)
		report->reason = text_printf("exit code %d", report->exit_code);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && !process->cancelled)
		report->advice =
			xstrdup("Something outside killed the process; if this machine ran "
		                "out of memory, give the step less data or Spark less memory.");
	if (process->result_path)
		report->result = file_read(process->result_path, RESULT_LIMIT_BYTES, NULL, NULL);
}

static void child_ended(void *context, int status)
{
	struct process_job *process = context;
	struct job_report report = { 0 };

	process->child = NULL;
	process->ended = true;
	loop_cancel(take(process->killer));
	read_rest(process);
	loop_cancel(take(process->output));
	kill(-process->pid, SIGKILL);
	describe_end(process, status, &report);
	process->events->changed(process->context, &process->job, &report);
	job_report_release(&report);
}

static void tell_started(void *context)
{
	struct process_job *process = context;
	struct job_report report = { .phase = JOB_RUNNING };

	process->starter = NULL;
	process->events->changed(process->context, &process->job, &report);
}

struct job *process_job_start(const struct process_start *start, const struct job_events *events,
                              void *context, struct error **err)
{
	scoped(fd) int log_fd =
		open(start->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	struct process_job *process;
	int output_fd = -1;
	pid_t pid;

	if (log_fd < 0)
		return error_set(err, ERROR_INTERNAL, "open '%s': %s", start->log_path,
		                 strerror(errno));
	pid = spawn(start, &output_fd, err);
	if (pid < 0)
		return NULL;
	fcntl(output_fd, F_SETFL, O_NONBLOCK);
	process = xcalloc(1, sizeof(*process));
	process->job.flavor = start->flavor;
	process->loop = start->loop;
	process->events = events;
	process->context = context;
	process->pid = pid;
	process->name = text_printf("pid %d", (int)pid);
	process->result_path = text_copy(start->result_path);
	process->output_fd = output_fd;
	process->log_fd = log_fd;
	log_fd = -1;
	process->output = loop_watch_fd(start->loop, output_fd, EPOLLIN, output_ready, process);
	process->child = loop_watch_child(start->loop, pid, child_ended, process);
	process->starter = loop_start_timer(start->loop, 0, tell_started, process);
	return &process->job;
}

static void kill_hard(void *context)
{
	struct process_job *process = context;

	process->killer = NULL;
	kill(-process->pid, SIGKILL);
}

bool process_job_cancel(struct job *job, struct error **err)
{
	struct process_job *process = process_of(job);

	(void)err;
	if (process->ended || process->cancelled)
		return true;
	process->cancelled = true;
	kill(-process->pid, SIGTERM);
	process->killer = loop_start_timer(process->loop, KILL_AFTER_MS, kill_hard, process);
	return true;
}

const char *process_job_describe(const struct job *job)
{
	return process_of((struct job *)job)->name;
}

void process_job_free(struct job *job)
{
	struct process_job *process;

	if (!job)
		return;
	process = process_of(job);
	if (!process->ended) {
		kill(-process->pid, SIGKILL);
		waitpid(process->pid, NULL, 0);
	}
	loop_cancel(process->output);
	loop_cancel(process->child);
	loop_cancel(process->killer);
	loop_cancel(process->starter);
	close(process->output_fd);
	close(process->log_fd);
	free(process->name);
	free(process->result_path);
	free(process);
}
