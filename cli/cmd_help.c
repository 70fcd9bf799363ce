/* SPDX-License-Identifier: Apache-2.0 */
/* stepop help, version, completion. */
#include <string.h>

#include "cli/commands.h"
#include "core/memory.h"
#include "core/text.h"

static const char exit_statuses[] =
	"exit status:\n"
	"  0    done\n"
	"  1    any other error\n"
	"  2    the command line makes no sense\n"
	"  3    the run failed\n"
	"  4    not authenticated or not permitted\n"
	"  5    not found\n"
	"  6    conflict: it exists already, or somebody else holds it\n"
	"  7    timeout\n"
	"  8    cancelled\n"
	"  9    invalid input: pipeline file, configuration, request\n"
	"  130  interrupted (Ctrl-C), 143 terminated\n";

static const struct command *find_by_words(const char *words)
{
	const struct command *const *command;

	for (command = command_list(); *command; command++)
		if (!strcmp((*command)->words, words))
			return *command;
	return NULL;
}

static void list_group(const char *prefix, FILE *out)
{
	const struct command *const *command;

	for (command = command_list(); *command; command++)
		if (text_starts_with((*command)->words, prefix))
			fprintf(out, "  %-36s %s\n", (*command)->words, (*command)->summary);
}

static bool run_help(const struct arguments *arguments, struct error **err)
{
	struct text_stream stream;
	scoped(text) char *words = NULL;
	const struct command *command;
	size_t i;

	if (argument_switch(arguments, "markdown")) {
		command_render_table(stdout);
		return true;
	}
	text_stream_open(&stream);
	for (i = 0; i < argument_count(arguments); i++)
		fprintf(stream.file, "%s%s", i ? " " : "", argument_at(arguments, i));
	words = text_stream_take(&stream);
	if (!strcmp(words, "exit-status")) {
		fputs(exit_statuses, stdout);
		return true;
	}
	command = *words ? find_by_words(words) : NULL;
	if (*words && !command) {
		scoped(text) char *prefix = text_printf("%s ", words);
		const struct command *const *any = command_list();

		while (*any && !text_starts_with((*any)->words, prefix))
			any++;
		if (!*any)
			return error_set(err, ERROR_USAGE,
			                 "no command '%s'; 'stepop help' lists them", words);
		list_group(prefix, stdout);
		return true;
	}
	command_render_help(command, stdout);
	return true;
}

const struct command cmd_help = {
	.words = "help",
	.arguments = "[COMMAND]",
	.summary = "tell what a command does",
	.options = (const struct command_option[]){ { "markdown", 0, VALUE_NONE, NULL,
	                                              "the table of all commands, for documents",
	                                              NULL },
	                                            { 0 } },
	.max_arguments = 3,
	.run = run_help,
};

static bool run_version(const struct arguments *arguments, struct error **err)
{
	(void)arguments;
	(void)err;
	puts("stepop " STEPOP_VERSION);
	return true;
}

const struct command cmd_version = {
	.words = "version",
	.arguments = "",
	.summary = "tell which version this is",
	.run = run_version,
};

static bool run_completion(const struct arguments *arguments, struct error **err)
{
	(void)arguments;
	(void)err;
	command_render_completion(stdout);
	return true;
}

const struct command cmd_completion = {
	.words = "completion",
	.arguments = "",
	.summary = "print a completion script for bash",
	.examples = "  eval \"$(stepop completion)\"",
	.run = run_completion,
};
