/* SPDX-License-Identifier: Apache-2.0 */
/* The commands about artifacts. */
#ifndef CLI_ARTIFACT_COMMANDS_H
#define CLI_ARTIFACT_COMMANDS_H

#include "cli/command.h"

extern const struct command cmd_artifact_list, cmd_artifact_describe, cmd_artifact_preview;

#endif
