/* SPDX-License-Identifier: Apache-2.0 */
/* One line from the terminal, without echo. */
#include "cli/prompt.h"

#include <errno.h>
#include <poll.h>
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

/* Signals come in only while it waits: one that came before would otherwise be slept over. */
static ssize_t wait_and_read(char *line, const sigset_t *open)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };

	if (ppoll(&input, 1, NULL, open) < 0)
		return -1;
	return read(STDIN_FILENO, line, LINE_LIMIT);
}

static ssize_t ask_hidden(const char *label, char *line, const struct termios *shown,
                          const sigset_t *open)
{
	struct termios hidden = *shown;
	ssize_t size;

	hidden.c_lflag &= ~(tcflag_t)ECHO;
	/* Before the question is seen: this drops what was typed so far. */
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	fprintf(stderr, "%s: ", label);
	fflush(stderr);
	size = wait_and_read(line, open);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, shown);
	fputc('\n', stderr);
	return size;
}

/* Ctrl-C must not leave a terminal without echo: the signal ends the waiting, and is raised again
 * once the terminal is restored. */
static ssize_t read_line(const char *label, char *line)
{
	struct sigaction before[ARRAY_SIZE(signals)], now = { .sa_handler = remember };
	struct termios shown;
	sigset_t held, open;
	ssize_t size;
	size_t i;

	if (tcgetattr(STDIN_FILENO, &shown) < 0)
		return -1;
	caught = 0;
	sigemptyset(&held);
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&held, signals[i]);
	sigprocmask(SIG_BLOCK, &held, &open);
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &now, &before[i]);
	size = ask_hidden(label, line, &shown, &open);
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &before[i], NULL);
	sigprocmask(SIG_SETMASK, &open, NULL);
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
