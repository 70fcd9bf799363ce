/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the command, runs it, prints the error chain and turns its kind into the exit status. */
#include <locale.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "core/log.h"
#include "core/memory.h"

/* Design 4.1; shown by `stepop help exit-status`. */
static int exit_status(const struct error *error)
{
	static const int statuses[] = {
		[ERROR_INTERNAL] = 1,     [ERROR_USAGE] = 2,       [ERROR_INVALID] = 9,
		[ERROR_AUTH] = 4,         [ERROR_NOT_FOUND] = 5,   [ERROR_CONFLICT] = 6,
		[ERROR_UNAVAILABLE] = 1,  [ERROR_TIMEOUT] = 7,     [ERROR_CANCELLED] = 8,
		[ERROR_RUN_FAILED] = 3,   [ERROR_GONE] = 1,        [ERROR_INTERRUPTED] = 130,
		[ERROR_TERMINATED] = 143, [ERROR_UNSUPPORTED] = 1,
	};

	return statuses[error->kind];
}

static int fail(const struct command *command, const struct error *error)
{
	fputs("stepop: ", stderr);
	error_render(error, stderr);
	fputc('\n', stderr);
	if (error->kind == ERROR_USAGE && command)
		fprintf(stderr, "usage: stepop %s %s ('stepop help %s' tells more)\n",
		        command->words, command->arguments, command->words);
	return exit_status(error);
}

/* `stepop … | head`: the reader has what it wanted. */
static bool reader_is_gone(void)
{
	struct pollfd output = { .fd = STDOUT_FILENO, .events = POLLOUT };

	return poll(&output, 1, 0) == 1 && output.revents & POLLERR;
}

/* A result that could not be written is no success. */
static int finish(void)
{
	if (fflush(stdout) || ferror(stdout)) {
		if (reader_is_gone())
			return 128 + SIGPIPE;
		fputs("stepop: write the result: standard output is closed or full\n", stderr);
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	scoped(error) struct error *err = NULL;
	scoped(arguments) struct arguments *arguments = NULL;
	const struct command *command;
	bool help;

	memory_init();
	setlocale(LC_CTYPE, "C.UTF-8");
	signal(SIGPIPE, SIG_IGN);
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		puts("stepop " STEPOP_VERSION);
		return finish();
	}
	arguments = arguments_parse(argc - 1, argv + 1, &command, &help, &err);
	if (!arguments)
		return fail(command, err);
	if (help || !command) {
		command_render_help(command, help ? stdout : stderr);
		return help ? finish() : 2;
	}
	/* OpenSSL's tidying up at the exit takes 1 ms, and the kernel frees it all anyway. */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
	log_set_debug(getenv("STEPOP_DEBUG") != NULL);
	if (!command->run(arguments, &err))
		return fail(command, err);
	return finish();
}
