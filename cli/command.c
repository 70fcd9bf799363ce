/* SPDX-License-Identifier: Apache-2.0 */
/* The list of all commands, and what is rendered from it. */
#include "cli/command.h"

#include <string.h>

#include "cli/commands.h"
#include "core/memory.h"
#include "core/text.h"

static const struct command *const commands[] = {
	&cmd_init,
	&cmd_register,
	CMD_COMPONENT(COMPONENT_STEP_OPERATOR),
	CMD_COMPONENT(COMPONENT_ARTIFACT_STORE),
	CMD_COMPONENT(COMPONENT_CONTAINER_REGISTRY),
	CMD_COMPONENT(COMPONENT_SECRETS_MANAGER),
	&cmd_secret_register,
	&cmd_secret_list,
	&cmd_secret_describe,
	&cmd_secret_update,
	&cmd_secret_delete,
	CMD_COMPONENT(COMPONENT_METADATA_STORE),
	&cmd_metadata_status,
	&cmd_metadata_migrate,
	&cmd_metadata_copy,
	CMD_COMPONENT(COMPONENT_ORCHESTRATOR),
	&cmd_stack_register,
	&cmd_stack_list,
	&cmd_stack_describe,
	&cmd_stack_set,
	&cmd_stack_update,
	&cmd_stack_delete,
	&cmd_stack_check,
	&cmd_stack_export,
	&cmd_stack_import,
	&cmd_rbac_render,
	&cmd_rbac_apply,
	&cmd_rbac_diff,
	&cmd_rbac_check,
	&cmd_run,
	&cmd_runs_list,
	&cmd_runs_describe,
	&cmd_logs,
	&cmd_submit,
	&cmd_explain_memory,
	&cmd_eks_kubeconfig,
	&cmd_eks_get_token,
	&cmd_artifact_list,
	&cmd_artifact_describe,
	&cmd_artifact_preview,
	&cmd_image_build,
	&cmd_image_push,
	&cmd_image_inspect,
	&cmd_help,
	&cmd_version,
	&cmd_completion,
	NULL,
};

const struct command *const *command_list(void)
{
	return commands;
}

static const char *const formats[] = { "table", "wide", "json", "yaml", "name", NULL };
static const char *const progresses[] = { "auto", "plain", "tty", "json", NULL };

static const struct command_option global_options[] = {
	{ "output", 'o', VALUE_ONE, "FORMAT", "table, wide, json, yaml or name", formats },
	{ "namespace", 'n', VALUE_ONE, "NAME",
	  "Kubernetes namespace instead of the step operator's", NULL },
	{ "context", 0, VALUE_ONE, "NAME", "context of the kubeconfig", NULL },
	{ "kubeconfig", 0, VALUE_ONE, "FILE", "this file instead of $KUBECONFIG or ~/.kube/config",
	  NULL },
	{ "progress", 0, VALUE_ONE, "KIND", "auto, plain, tty or json", progresses },
	{ "no-color", 0, VALUE_NONE, NULL, "no colours (also NO_COLOR)", NULL },
	{ "quiet", 'q', VALUE_NONE, NULL, "results only", NULL },
	{ "verbose", 'v', VALUE_NONE, NULL, "show the output of steps", NULL },
	{ 0 },
};

const struct command_option *command_global_options(void)
{
	return global_options;
}

static void render_option(const struct command_option *option, FILE *out)
{
	scoped(text) char *name = text_printf(
		"%s%c%s--%s%s%s", option->letter ? "-" : "  ",
		option->letter ? option->letter : ' ', option->letter ? ", " : " ", option->name,
		option->placeholder ? "=" : "", option->placeholder ? option->placeholder : "");

	fprintf(out, "  %-28s %s%s\n", name, option->help,
	        option->value == VALUE_MANY ? " (may be repeated)" : "");
}

static void render_options(const char *title, const struct command_option *options, FILE *out)
{
	if (!options)
		return;
	fprintf(out, "\n%s:\n", title);
	for (; options->name; options++)
		render_option(options, out);
}

static void render_overview(FILE *out)
{
	size_t i;

	fputs("stepop runs data and ML pipelines whose steps are Spark applications on "
	      "Kubernetes.\n\n"
	      "usage: stepop COMMAND [ARGUMENTS] [OPTIONS]\n\ncommands:\n",
	      out);
	for (i = 0; commands[i]; i++)
		fprintf(out, "  %-36s %s\n", commands[i]->words, commands[i]->summary);
	render_options("options of every command", global_options, out);
	fputs("\n'stepop help COMMAND' tells more; 'stepop help exit-status' what the exit status "
	      "means.\n",
	      out);
}

void command_render_help(const struct command *command, FILE *out)
{
	if (!command) {
		render_overview(out);
		return;
	}
	fprintf(out, "%s\n\nusage: stepop %s%s%s [OPTIONS]\n", command->summary, command->words,
	        *command->arguments ? " " : "", command->arguments);
	if (command->details)
		fprintf(out, "\n%s\n", command->details);
	render_options("options", command->options, out);
	if (command->shared_options)
		render_options("options of spark-submit", command->shared_options(), out);
	render_options("options of every command", global_options, out);
	if (command->examples)
		fprintf(out, "\nexamples:\n%s\n", command->examples);
}

static void render_words(const struct command_option *option, FILE *out)
{
	for (; option && option->name; option++)
		fprintf(out, " --%s", option->name);
}

void command_render_completion(FILE *out)
{
	size_t i;

	fputs("# bash completion of stepop; use: eval \"$(stepop completion)\"\n"
	      "_stepop() {\n"
	      "  local line=\"${COMP_WORDS[*]:1:COMP_CWORD-1}\" word=\"${COMP_WORDS[COMP_CWORD]}\" "
	      "words\n"
	      "  case \"$line\" in\n",
	      out);
	for (i = 0; commands[i]; i++) {
		fprintf(out, "  \"%s\"*) words=\"", commands[i]->words);
		render_words(commands[i]->options, out);
		if (commands[i]->shared_options)
			render_words(commands[i]->shared_options(), out);
		render_words(global_options, out);
		fputs("\" ;;\n", out);
	}
	fputs("  *) words=\"", out);
	for (i = 0; commands[i]; i++)
		fprintf(out, "%s\\n", commands[i]->words);
	fputs("\"\n"
	      "    words=$(printf '%b' \"$words\" | sed -n \"s/^${line:+$line }\\([^ "
	      "]*\\).*/\\1/p\" | sort -u) ;;\n"
	      "  esac\n"
	      "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
	      "  [ ${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
	      "}\n"
	      "complete -F _stepop stepop\n",
	      out);
}

void command_render_table(FILE *out)
{
	size_t i;

	fputs("| command | what it does |\n|---|---|\n", out);
	for (i = 0; commands[i]; i++)
		fprintf(out, "| `stepop %s%s%s` | %s |\n", commands[i]->words,
		        *commands[i]->arguments ? " " : "", commands[i]->arguments,
		        commands[i]->summary);
}
