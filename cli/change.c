/* SPDX-License-Identifier: Apache-2.0 */
/* What a command that changed something says. */
#include "cli/change.h"

bool change_report(enum output_format format, const char *type, const char *name,
                   const char *result, struct error **err)
{
	json_auto_t *change = NULL;

	if (format == OUTPUT_TABLE || format == OUTPUT_WIDE) {
		printf("%s/%s %s\n", type, name, result);
		return true;
	}
	if (format == OUTPUT_NAME) {
		printf("%s/%s\n", type, name);
		return true;
	}
	change = json_pack("{s:s, s:s, s:s}", "type", type, "name", name, "result", result);
	return output_object(stdout, format, change, err);
}
