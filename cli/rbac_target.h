/* SPDX-License-Identifier: Apache-2.0 */
/* Whose rights the commands of 'stepop rbac' are about, and which: read from arguments and step
 * operator. */
#ifndef CLI_RBAC_TARGET_H
#define CLI_RBAC_TARGET_H

#include "cli/cluster.h"
#include "cli/command.h"
#include "stacks/component.h"
#include "submit/rbac.h"

/* Whose rights, and where: a step operator's, or what was typed. */
struct rbac_target {
	struct component *component; /* NULL: no step operator is meant */
	struct rbac_options options; /* borrows from the component and the arguments */
};

/*
 * An account that was typed needs no project: 'stepop submit' does not either. Otherwise namespace,
 * account and parts are the step operator's; INVALID for one that makes no pods. The target is
 * released also after a failure.
 */
bool rbac_target_read(struct rbac_target *target, const struct arguments *arguments,
                      struct error **err);
void rbac_target_release(struct rbac_target *target);
#define rbac_target_cleanup rbac_target_release

/* A connection to the target's API server; the caller's. */
struct cluster *rbac_target_connect(const struct rbac_target *target,
                                    const struct arguments *arguments, struct error **err);

/* The options of the commands. */
extern const struct command_option rbac_target_options[];

#endif
