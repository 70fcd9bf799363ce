/* SPDX-License-Identifier: Apache-2.0 */
/* Every command's value; one row each here and in cli/command.c. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/command.h"

extern const struct command cmd_help, cmd_version, cmd_completion;

#endif
