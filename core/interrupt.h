/* SPDX-License-Identifier: Apache-2.0 */
/* SIGINT and SIGTERM held back while something is waited for that must be tidied up first. */
#ifndef CORE_INTERRUPT_H
#define CORE_INTERRUPT_H

#include <signal.h>
#include <stdbool.h>

#include "core/error.h"

struct interrupt {
	int fd; /* can be read while such a signal is pending; -1: none will be seen */
	sigset_t signals, before;
};

/* From here on they stay pending, unless they are ignored anyway. */
void interrupt_hold(struct interrupt *interrupt);
/* Sets INTERRUPTED or TERMINATED, and is false, when one is pending. */
bool interrupt_check(const struct interrupt *interrupt, struct error **err);
/* What is pending does now what it always does, be that the process' end. */
void interrupt_release(struct interrupt *interrupt);

#endif
