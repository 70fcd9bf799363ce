/* SPDX-License-Identifier: Apache-2.0 */
/* One line from the terminal, without echo. */
#include "cli/prompt.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/text.h"

#define LINE_LIMIT 4096 /* what a terminal gives in one line */

bool prompt_is_possible(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

static volatile sig_atomic_t caught;

static void remember(int signal_number)
{
	caught = signal_number;
}

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

/* Ctrl-C must not leave a terminal without echo: the signal interrupts the read, and is raised
 * again once the terminal is restored. */
static ssize_t read_line(const char *label, char *line)
{
	struct sigaction before[ARRAY_SIZE(signals)], now = { .sa_handler = remember };
	struct termios shown, hidden;
	ssize_t size;
	size_t i;

	if (tcgetattr(STDIN_FILENO, &shown) < 0)
		return -1;
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	caught = 0;
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &now, &before[i]);
	/* Before the question is seen: this drops what was typed so far. */
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	fprintf(stderr, "%s: ", label);
	fflush(stderr);
	size = read(STDIN_FILENO, line, LINE_LIMIT);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &before[i], NULL);
	fputc('\n', stderr);
	if (caught)
		raise(caught);
	return size;
}

char *prompt_secret(const char *label, struct error **err)
{
	char *line = xcalloc(LINE_LIMIT + 1, 1);
	char *secret = NULL;
	ssize_t size;

	size = read_line(label, line);
	if (size > 0) {
		line[strcspn(line, "\r\n")] = '\0';
		secret = xstrdup(line);
	}
	text_wipe(line, LINE_LIMIT);
	free(line);
	if (secret)
		return secret;
	if (size < 0 && errno != EINTR)
		return error_set(err, ERROR_INTERNAL, "read %s: %s", label, strerror(errno));
	return error_set(err, ERROR_CANCELLED, "no %s was given", label);
}
