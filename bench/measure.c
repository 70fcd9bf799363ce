/* SPDX-License-Identifier: Apache-2.0 */
/* What a program costs: `measure RUNS COMMAND [ARG…]` prints the medians of its processor time in
 * ms, its wall time in ms, and its peak memory in MiB. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

enum { MAX_RUNS = 1000 };
enum figure { CPU_MS, WALL_MS, PEAK_MIB, FIGURE_COUNT };

static double milliseconds(struct timeval time)
{
	return (double)time.tv_sec * 1e3 + (double)time.tv_usec / 1e3;
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* posix_spawn() copies no page tables, which fork() would put on the child's account. */
static pid_t begin(char **command)
{
	posix_spawn_file_actions_t silence;
	pid_t pid;
	int i;

	posix_spawn_file_actions_init(&silence);
	for (i = 0; i < 3; i++)
		posix_spawn_file_actions_addopen(&silence, i, "/dev/null", O_RDWR, 0);
	errno = posix_spawnp(&pid, command[0], &silence, NULL, command, environ);
	posix_spawn_file_actions_destroy(&silence);
	return errno ? -1 : pid;
}

/* wait4() tells what the kernel counted for the child and the children it waited for. */
static int run(char **command, double figures[FIGURE_COUNT])
{
	double began = now_ms();
	pid_t pid = begin(command);
	struct rusage usage;
	int status;

	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid) {
		fprintf(stderr, "measure: %s: %s\n", command[0], strerror(errno));
		return -1;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "measure: %s failed (wait status %d)\n", command[0], status);
		return -1;
	}
	figures[CPU_MS] = milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime);
	figures[WALL_MS] = now_ms() - began;
	figures[PEAK_MIB] = (double)usage.ru_maxrss / 1024;
	return 0;
}

static int ascending(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
	static double all[FIGURE_COUNT][MAX_RUNS];
	int runs = argc > 2 ? atoi(argv[1]) : 0, i, figure;

	if (runs < 1 || runs > MAX_RUNS) {
		fprintf(stderr, "usage: measure RUNS COMMAND [ARG...]  (RUNS: 1 to %d)\n",
		        MAX_RUNS);
		return 2;
	}
	for (i = 0; i < runs; i++) {
		double figures[FIGURE_COUNT];

		if (run(argv + 2, figures))
			return 1;
		for (figure = 0; figure < FIGURE_COUNT; figure++)
			all[figure][i] = figures[figure];
	}
	for (figure = 0; figure < FIGURE_COUNT; figure++) {
		qsort(all[figure], (size_t)runs, sizeof(double), ascending);
		printf("%.2f%c", all[figure][runs / 2], figure + 1 < FIGURE_COUNT ? ' ' : '\n');
	}
	return 0;
}
