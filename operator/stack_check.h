/* SPDX-License-Identifier: Apache-2.0 */
/* Tries every component of a stack for real. */
#ifndef OPERATOR_STACK_CHECK_H
#define OPERATOR_STACK_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "stacks/probe.h"

struct stack_check_options {
	const char *stack;                     /* NULL: the active one */
	const char *kubeconfig, *kube_context; /* --kubeconfig, --context; or NULL */
	const char *namespace;                 /* --namespace; or NULL */
	int64_t timeout_ms;                    /* what each component may take at most */
};

/*
 * Adds lines to `report`, component by component, all of them whatever is wrong with one. Nothing
 * is left behind: what is written for a trial is removed, also when a signal ends the program.
 * False only when there is no such stack, or its files cannot be read.
 */
bool stack_check(const struct project *project, const struct stack_check_options *options,
                 struct probe_report *report, struct error **err);

#endif
