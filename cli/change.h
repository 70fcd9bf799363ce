/* SPDX-License-Identifier: Apache-2.0 */
/* What a command that changed something says: "stack/daily registered". */
#ifndef CLI_CHANGE_H
#define CLI_CHANGE_H

#include "cli/command.h"

/* In the format of -o: a line, {"type", "name", "result"}, or "type/name". */
bool change_report(enum output_format format, const char *type, const char *name,
                   const char *result, struct error **err);

#endif
