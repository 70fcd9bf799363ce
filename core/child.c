/* SPDX-License-Identifier: Apache-2.0 */
/* A child process whose output and complaints are read until it closes them. */
#include "core/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/loop.h"
#include "core/text.h"

#define COMPLAINT_LIMIT_BYTES ((size_t)4096)

extern char **environ;

struct child {
	pid_t pid;
	int out_fd, err_fd;
	char *out; /* as far as it was read; grows without leaving copies */
	size_t out_size, out_capacity;
	char complaint[COMPLAINT_LIMIT_BYTES + 1];
	size_t complaint_size;
};

static void child_release(struct child *child)
{
	fd_cleanup(&child->out_fd);
	fd_cleanup(&child->err_fd);
	text_wipe(child->out, child->out_capacity);
	free(child->out);
}

/* A file in memory: unlike a pipe it takes everything at once, whoever reads it. */
static int input_fd(const char *input, struct error **err)
{
	size_t size = input ? strlen(input) : 0;
	int fd = input ? memfd_create("input", MFD_CLOEXEC)
	               : open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && (write(fd, input ? input : "", size) == (ssize_t)size || !size) &&
	    (!size || lseek(fd, 0, SEEK_SET) == 0))
		return fd;
	fd_cleanup(&fd);
	error_set(err, ERROR_INTERNAL, "cannot be given its input: %m");
	return -1;
}

/* The loop blocks the signals that it watches; the program must not inherit that. */
static int spawn(struct child *child, const struct child_command *command, const int fds[3])
{
	char *const *environment =
		command->environment ? (char *const *)command->environment : environ;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int number;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	for (int i = 0; i < 3; i++)
		posix_spawn_file_actions_adddup2(&actions, fds[i], i);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	number = posix_spawnp(&child->pid, command->arguments[0], &actions, &attributes,
	                      (char *const *)command->arguments, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return number;
}

static bool start(struct child *child, const struct child_command *command, struct error **err)
{
	scoped(fd) int input = input_fd(command->input, err);
	int out[2] = { -1, -1 }, complaint[2] = { -1, -1 }, number;

	if (input < 0)
		return false;
	if (pipe2(out, O_CLOEXEC) || pipe2(complaint, O_CLOEXEC))
		number = errno;
	else
		number = spawn(child, command, (const int[]){ input, out[1], complaint[1] });
	fd_cleanup(&out[1]);
	fd_cleanup(&complaint[1]);
	child->out_fd = out[0];
	child->err_fd = complaint[0];
	return !number || error_set(err, number == ENOENT ? ERROR_NOT_FOUND : ERROR_AUTH,
	                            "cannot be run: %s", strerror(number));
}

/* The number of bytes read; 0 at the end of the pipe, which is closed then. */
static size_t read_some(int *fd, char *bytes, size_t size)
{
	ssize_t got;

	do
		got = read(*fd, bytes, size);
	while (got < 0 && errno == EINTR);
	if (got > 0)
		return (size_t)got;
	fd_cleanup(fd);
	*fd = -1;
	return 0;
}

static void grow(struct child *child)
{
	size_t capacity = child->out_capacity ? 2 * child->out_capacity : 4096;
	char *longer = xcalloc(capacity, 1);

	if (child->out_size)
		memcpy(longer, child->out, child->out_size);
	text_wipe(child->out, child->out_capacity);
	free(child->out);
	child->out = longer;
	child->out_capacity = capacity;
}

static void read_out(struct child *child)
{
	if (child->out_capacity - child->out_size < 2)
		grow(child);
	child->out_size += read_some(&child->out_fd, child->out + child->out_size,
	                             child->out_capacity - child->out_size - 1);
}

static void read_complaint(struct child *child)
{
	char rest[512]; /* what is too much is thrown away */
	size_t room = COMPLAINT_LIMIT_BYTES - child->complaint_size;

	if (room)
		child->complaint_size +=
			read_some(&child->err_fd, child->complaint + child->complaint_size, room);
	else
		read_some(&child->err_fd, rest, sizeof(rest));
}

/* Until the program closes its output: true; false at the deadline, or when it is too talkative. */
static bool read_child(struct child *child, const struct child_command *command)
{
	int64_t deadline_ms = loop_now_ms() + command->timeout_ms;

	while (child->out_fd >= 0 || child->err_fd >= 0) {
		struct pollfd fds[] = {
			{ .fd = child->out_fd, .events = POLLIN },
			{ .fd = child->err_fd, .events = POLLIN },
		};
		int64_t left_ms = deadline_ms - loop_now_ms();

		if (left_ms <= 0 || child->out_size > command->output_limit_bytes)
			return false;
		if (poll(fds, ARRAY_SIZE(fds), (int)left_ms) < 0 && errno != EINTR)
			return false;
		if (fds[0].revents)
			read_out(child);
		if (fds[1].revents)
			read_complaint(child);
	}
	return child->out_size <= command->output_limit_bytes;
}

/* One line for a message. */
static void flatten(char *text)
{
	size_t size = strlen(text);

	while (size && strchr("\r\n\t ", text[size - 1]))
		text[--size] = '\0';
	text_make_printable(text, COMPLAINT_LIMIT_BYTES);
}

static bool judge(struct child *child, const struct child_command *command, bool was_read,
                  int status, struct error **err)
{
	scoped(text) char *limit = clock_format_duration(command->timeout_ms);
	bool is_output = command->output_complains && child->out_size && was_read && status;
	char *complaint = is_output ? child->out : child->complaint;
	const char *colon;

	flatten(complaint);
	colon = *complaint ? ": " : "";
	if (child->out_size > command->output_limit_bytes)
		return error_set(err, ERROR_AUTH, "printed more than %zu KiB%s%s",
		                 command->output_limit_bytes / 1024, colon, complaint);
	if (!was_read)
		return error_set(err, ERROR_TIMEOUT, "did not end within %s%s%s", limit, colon,
		                 complaint);
	if (WIFSIGNALED(status))
		return error_set(err, ERROR_AUTH, "was ended by signal %d%s%s", WTERMSIG(status),
		                 colon, complaint);
	if (WEXITSTATUS(status))
		return error_set(err, ERROR_AUTH, "failed with exit status %d%s%s",
		                 WEXITSTATUS(status), colon, complaint);
	return true;
}

static bool run(struct child *child, const struct child_command *command, struct error **err)
{
	bool was_read;
	int status = 0;

	if (!start(child, command, err))
		return false;
	was_read = read_child(child, command);
	if (!was_read)
		kill(child->pid, SIGKILL);
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return judge(child, command, was_read, status, err);
}

char *child_output(const struct child_command *command, size_t *size, struct error **err)
{
	struct child child = { .out_fd = -1, .err_fd = -1 };
	char *out = NULL;

	if (run(&child, command, err)) {
		out = child.out ? take(child.out) : xstrdup("");
		if (size)
			*size = child.out_size;
	}
	child_release(&child);
	return out;
}
