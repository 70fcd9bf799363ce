/* SPDX-License-Identifier: Apache-2.0 */
/* A command is a value: its words, options and examples, from which help, completion and the
 * README's table are rendered. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "cli/output.h"
#include "core/error.h"

enum option_value {
	VALUE_NONE, /* a switch */
	VALUE_ONE,
	VALUE_MANY, /* may be repeated: -p a=1 -p b=2 */
};

struct command_option {
	const char *name; /* "service-account"; snake case is accepted as well */
	char letter;      /* 'f', or 0 */
	enum option_value value;
	const char *placeholder;    /* "NAME", for VALUE_ONE and _MANY */
	const char *help;           /* one line */
	const char *const *choices; /* the values allowed, NULL at the end; or NULL: any */
};

/* What was typed, checked against the command's table. Borrowed by run(). */
struct arguments;
const char *argument_option(const struct arguments *arguments,
                            const char *name); /* NULL: not given */
bool argument_switch(const struct arguments *arguments, const char *name);
size_t argument_many(const struct arguments *arguments, const char *name,
                     const char *const **values);
size_t argument_count(const struct arguments *arguments);                 /* of positional ones */
const char *argument_at(const struct arguments *arguments, size_t index); /* NULL beyond the end */
/* --key=value options that the table does not have (only with command.open_options), names in snake
 * case: an object of strings; an array of strings where one was repeated; null where one with
 * command.secret_options has no value. Borrowed. */
const json_t *argument_open(const struct arguments *arguments);

/* The command that is run: one run() may serve several. */
const struct command *argument_command(const struct arguments *arguments);
enum output_format argument_output(const struct arguments *arguments);

/* Global options: -o, -n/--namespace, --context, --kubeconfig, --no-color, --progress, -q, -v are
 * read by every command. */
struct command {
	const char *words;                    /* "stack register", "run" */
	const char *arguments;                /* "NAME", "PIPELINE.yaml", "RUN [STEP]"; "" */
	const char *summary;                  /* one line */
	const char *details;                  /* paragraphs; or NULL */
	const struct command_option *options; /* ends with a NULL name; or NULL */
	/* More of them, that several commands share; or NULL. */
	const struct command_option *(*shared_options)(void);
	/* Why an option that people know from elsewhere is not taken here; NULL for any other. */
	const char *(*refusal)(const char *option);
	const char *examples; /* lines; or NULL */
	size_t min_arguments, max_arguments;
	/* The first argument is a program: what follows is its own, whatever it looks like. */
	bool takes_program;
	bool open_options; /* takes any --key=value (component options) */
	/* Values of open options are secrets: wiped from argv (and so from `ps`) once they are
	 * read. */
	bool secret_options;
	/* Whether "key=value", given for an option, is a secret, which is wiped as well; or NULL.
	 */
	bool (*is_secret)(const struct command_option *option, const char *value);
	/* Results to stdout. False with *err set; kinds become exit statuses (cli/main.c). */
	bool (*run)(const struct arguments *arguments, struct error **err);
};

/* All commands, NULL at the end (cli/command.c). */
const struct command *const *command_list(void);
/* The options that every command takes; ends with a NULL name. */
const struct command_option *command_global_options(void);

/*
 * Finds the command that argv (without the program's name) begins with, and checks the rest
 * against its table. USAGE with a suggestion. `*command` is set as soon as it is known, also on
 * failure, so that the error can point to its help. `*help` is set, and nothing is checked, when
 * help was asked for. The arguments borrow argv.
 */
struct arguments *arguments_parse(int argc, char **argv, const struct command **command, bool *help,
                                  struct error **err);
void arguments_free(struct arguments *arguments);
DEFINE_CLEANUP(arguments);

/* Rendered from the tables. `command` NULL: the overview. */
void command_render_help(const struct command *command, FILE *out);
void command_render_completion(FILE *out); /* for bash */
void command_render_table(FILE *out);      /* Markdown, for the README */

#endif
