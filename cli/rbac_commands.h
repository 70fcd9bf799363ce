/* SPDX-License-Identifier: Apache-2.0 */
/* The commands about rights in the cluster. */
#ifndef CLI_RBAC_COMMANDS_H
#define CLI_RBAC_COMMANDS_H

#include "cli/command.h"

extern const struct command cmd_rbac_render, cmd_rbac_apply, cmd_rbac_check;

#endif
