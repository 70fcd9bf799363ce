/* SPDX-License-Identifier: Apache-2.0 */
/* Are the secrets there that the components of a stack refer to? */
#ifndef STACKS_STACK_SECRETS_H
#define STACKS_STACK_SECRETS_H

#include "stacks/probe.h"
#include "stacks/secret.h"
#include "stacks/stack.h"

/*
 * Adds, if the component refers to secrets, a line "secrets" with how many of its references were
 * found, and a fault for each that was not, with the command that would make it. `secrets` NULL:
 * the stack has no secrets manager, or it cannot be opened. Values are wiped as soon as they were
 * seen. False when something is missing: the component cannot be opened then.
 */
bool stack_secrets_probe(const struct stack *stack, enum component_type type,
                         struct secret_store *secrets, struct probe_report *report);

/*
 * What refers to `secret` of the secrets manager `manager`, by any stack of the project that has
 * both: "artifact store 's3_store' of stack 'daily'", several with commas; owned by the caller;
 * NULL: nothing does. Stacks that cannot be read are passed over.
 */
char *stack_secret_users(const struct project *project, const struct catalog *catalog,
                         const char *manager, const char *secret);

#endif
