/* SPDX-License-Identifier: Apache-2.0 */
/* A signalfd that is never read: it only says that a blocked signal is pending, and whoever reads
 * signals otherwise, the loop for one, still finds it. */
#include "core/interrupt.h"

#include <stddef.h>
#include <sys/signalfd.h>

#include "core/memory.h"

static void add_unless_ignored(sigset_t *signals, int number)
{
	struct sigaction action;

	if (!sigaction(number, NULL, &action) && action.sa_handler != SIG_IGN)
		sigaddset(signals, number);
}

void interrupt_hold(struct interrupt *interrupt)
{
	sigemptyset(&interrupt->signals);
	add_unless_ignored(&interrupt->signals, SIGINT);
	add_unless_ignored(&interrupt->signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &interrupt->signals, &interrupt->before);
	interrupt->fd = signalfd(-1, &interrupt->signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

bool interrupt_check(const struct interrupt *interrupt, struct error **err)
{
	sigset_t pending;

	if (sigpending(&pending))
		return true;
	if (sigismember(&interrupt->signals, SIGINT) && sigismember(&pending, SIGINT))
		return error_set(err, ERROR_INTERRUPTED, "interrupted");
	if (sigismember(&interrupt->signals, SIGTERM) && sigismember(&pending, SIGTERM))
		return error_set(err, ERROR_TERMINATED, "terminated");
	return true;
}

void interrupt_release(struct interrupt *interrupt)
{
	fd_cleanup(&interrupt->fd);
	sigprocmask(SIG_SETMASK, &interrupt->before, NULL);
}
