/* SPDX-License-Identifier: Apache-2.0 */
/* stepop stack export, import: a stack as one file. */
#include <string.h>
#include <unistd.h>

#include "cli/change.h"
#include "cli/commands.h"
#include "core/document.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/catalog.h"
#include "stacks/stack_export.h"
#include "stacks/stack_secrets.h"

static bool run_export(const struct arguments *arguments, struct error **err)
{
	const char *path = argument_option(arguments, "file");
	scoped(project) struct project *project = project_open(NULL, err);
	json_auto_t *exported = NULL;

	if (!project)
		return false;
	exported = stack_export(project, catalog_built_in(), argument_at(arguments, 0), err);
	if (!exported)
		return false;
	if (path && strcmp(path, "-"))
		return document_save_yaml(exported, path, 0644, err);
	if (argument_output(arguments) == OUTPUT_JSON)
		return output_object(stdout, OUTPUT_JSON, exported, err);
	return output_object(stdout, OUTPUT_YAML, exported, err);
}

/* Owned by the caller. */
static struct document *read_document(const char *path, struct error **err)
{
	scoped(document_stream) struct document_stream *stream = document_stream_read(path, err);

	if (!stream)
		return NULL;
	if (stream->count != 1)
		return error_set(err, ERROR_INVALID,
		                 "%s holds %zu documents; one, as 'stepop stack export' writes it, "
		                 "is expected",
		                 strcmp(path, "-") ? path : "standard input", stream->count);
	return take(stream->documents[0]);
}

/* The lines that are faults. A vault that cannot be opened is one as well: it may hold them all. */
static json_t *missing_secrets(const struct project *project, const struct stack *stack)
{
	const struct component *manager = stack->components[COMPONENT_SECRETS_MANAGER];
	scoped(probe_report) struct probe_report *report = probe_report_new(NULL, NULL);
	scoped(loop) struct loop *loop = loop_new();
	scoped(http_client) struct http_client *http = http_client_new(loop);
	scoped(secret_store) struct secret_store *store = NULL;
	scoped(error) struct error *err = NULL;
	json_t *missing = json_array(), *line;
	size_t i;

	if (manager)
		store = secret_store_open(project, manager, http, &err);
	if (err)
		probe_fault(report, "secrets", NULL, err);
	for (i = 0; !err && i < COMPONENT_TYPE_COUNT; i++)
		stack_secrets_probe(stack, (enum component_type)i, store, report);
	json_array_foreach (probe_report_lines(report), i, line)
		if (text_equal(json_string_value(json_object_get(line, "result")), "fault"))
			json_array_append_new(missing,
			                      json_pack("{s:O, s:O, s:O}", "component",
			                                json_object_get(line, "component"), "text",
			                                json_object_get(line, "text"), "advice",
			                                json_object_get(line, "advice")));
	return missing;
}

static bool tell_lines(enum output_format format, const json_t *changes, const json_t *missing,
                       struct error **err)
{
	const json_t *one;
	size_t i;

	json_array_foreach (changes, i, one)
		if (!change_report(format, json_string_value(json_object_get(one, "type")),
		                   json_string_value(json_object_get(one, "name")),
		                   json_string_value(json_object_get(one, "result")), err))
			return false;
	json_array_foreach (missing, i, one) {
		const char *component = json_string_value(json_object_get(one, "component"));
		const char *advice = json_string_value(json_object_get(one, "advice"));

		fprintf(stderr, "to do: %s%s%s%s%s\n", component ? component : "",
		        component ? ": " : "", json_string_value(json_object_get(one, "text")),
		        advice ? "; " : "", advice ? advice : "");
	}
	return true;
}

static bool tell_import(enum output_format format, const struct project *project, json_t *imported,
                        struct error **err)
{
	const char *name = json_string_value(json_object_get(imported, "name"));
	scoped(stack) struct stack *stack = stack_load(project, catalog_built_in(), name, err);
	json_auto_t *missing = stack ? missing_secrets(project, stack) : NULL;

	if (!stack)
		return false;
	if (format != OUTPUT_JSON && format != OUTPUT_YAML)
		return tell_lines(format, json_object_get(imported, "changes"), missing, err);
	json_object_set(imported, "missing_secrets", missing);
	return output_object(stdout, format, imported, err);
}

static bool run_import(const struct arguments *arguments, struct error **err)
{
	const char *path = argument_at(arguments, 0);
	scoped(project) struct project *project = project_open(NULL, err);
	scoped(document) struct document *document = project ? read_document(path, err) : NULL;
	json_auto_t *imported = NULL;
	const char *name;

	if (!document)
		return false;
	imported = stack_import(project, catalog_built_in(), document,
	                        argument_option(arguments, "name"), err);
	if (!imported)
		return error_wrap(err, "import a stack");
	name = json_string_value(json_object_get(imported, "name"));
	if (argument_switch(arguments, "set") && !stack_set_active(project, name, err))
		return false;
	return tell_import(argument_output(arguments), project, imported, err);
}

const struct command cmd_stack_export = {
	.words = "stack export",
	.arguments = "[NAME]",
	.summary = "write a stack and its components as one file, without secrets",
	.details = "YAML, or JSON with -o json; the active stack where none is named. Options that "
		   "refer to\nsecrets keep the reference; 'stepop stack import' says which secrets "
		   "are "
		   "missing.",
	.options =
		(const struct command_option[]){
			{ "file", 'f', VALUE_ONE, "FILE", "where to; default: standard output",
	                  NULL },
			{ 0 },
		},
	.examples = "  stepop stack export spark_stack -f spark_stack.yaml",
	.max_arguments = 1,
	.run = run_export,
};

const struct command cmd_stack_import = {
	.words = "stack import",
	.arguments = "FILE",
	.summary = "register a stack and its components from one file",
	.details = "All of it or nothing: what is registered already must be the same. FILE '-' is "
		   "the standard\ninput. Secrets that are missing are named, with the commands "
		   "that make "
		   "them.",
	.options =
		(const struct command_option[]){
			{ "name", 0, VALUE_ONE, "NAME", "another name for the stack", NULL },
			{ "set", 0, VALUE_NONE, NULL, "make it the active stack", NULL },
			{ 0 },
		},
	.examples = "  stepop stack import spark_stack.yaml --set\n"
		    "  stepop stack export | stepop stack import - --name copy",
	.min_arguments = 1,
	.max_arguments = 1,
	.run = run_import,
};
