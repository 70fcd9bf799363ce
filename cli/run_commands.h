/* SPDX-License-Identifier: Apache-2.0 */
/* The commands about runs that are recorded. */
#ifndef CLI_RUN_COMMANDS_H
#define CLI_RUN_COMMANDS_H

#include "cli/command.h"

extern const struct command cmd_runs_list, cmd_runs_describe, cmd_logs;

#endif
