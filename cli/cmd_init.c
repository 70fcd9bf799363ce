/* SPDX-License-Identifier: Apache-2.0 */
/* stepop init: makes the project folder. */
#include "cli/commands.h"
#include "core/memory.h"
#include "stacks/component.h"

static bool run_init(const struct arguments *arguments, struct error **err)
{
	enum output_format format = argument_output(arguments);
	scoped(project) struct project *project = NULL;
	json_auto_t *result = NULL;
	bool created;

	project = project_init(argument_at(arguments, 0), &created, err);
	if (!project)
		return false;
	if (format == OUTPUT_TABLE || format == OUTPUT_WIDE) {
		printf(created ? "%s made; its stack 'default' runs steps on this machine\n"
		               : "%s is there and complete\n",
		       project_folder(project));
		return true;
	}
	result = json_pack("{s:s, s:b}", "name", project_folder(project), "created", created);
	return output_object(stdout, format, result, err);
}

const struct command cmd_init = {
	.words = "init",
	.arguments = "[DIR]",
	.summary = "make a project folder .stepop/ with the stack 'default'",
	.details = "Stack 'default' needs nothing but this machine: SQLite and artifacts below "
		   ".stepop/, steps as\nlocal processes. Safe to repeat: what is there is kept.\n"
		   "Commands find the folder in the current folder or above it; $STEPOP_HOME names "
		   "another one.",
	.examples = "  stepop init\n  stepop init ~/pipelines",
	.max_arguments = 1,
	.run = run_init,
};
