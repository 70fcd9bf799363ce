/* SPDX-License-Identifier: Apache-2.0 */
/* stepop artifact list, describe, preview: the outputs of a run's steps. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/records.h"
#include "core/http.h"
#include "core/memory.h"
#include "core/text.h"
#include "materializers/materializer.h"
#include "operator/catalog.h"
#include "stacks/artifact.h"
#include "stacks/secret.h"
#include "stacks/stack.h"

/* What the metadata store knows of a run. */
struct found {
	struct run_row run;
	struct artifact_row *artifacts;
	size_t count;
};

static void found_release(struct found *found)
{
	run_row_release(&found->run);
	for (size_t i = 0; i < found->count; i++)
		artifact_row_release(&found->artifacts[i]);
	free(found->artifacts);
}
#define FOUND(name) __attribute__((__cleanup__(found_release))) struct found name = { 0 }

static bool find(const struct arguments *arguments, struct found *found, struct error **err)
{
	scoped(metadata_store) struct metadata_store *store = records_open(arguments, err);

	return store && metadata_find_run(store, argument_at(arguments, 0), &found->run, err) &&
	       metadata_artifacts(store, found->run.id, &found->artifacts, &found->count, err);
}

static char *name_of(const struct artifact_row *row)
{
	return text_printf("%s.%s", row->step, row->name);
}

/* A name that the run has, for a message: the nearest, else all of them. Owned by the caller. */
static char *suggestion(const struct found *found, const char *wanted)
{
	char **names = xcalloc(found->count + 1, sizeof(*names));
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	const char *nearest;

	for (size_t i = 0; i < found->count; i++)
		names[i] = name_of(&found->artifacts[i]);
	nearest = text_nearest(wanted, (const char *const *)names);
	if (nearest)
		fprintf(out, "; did you mean '%s'?", nearest);
	else if (found->count == 0)
		fputs("; it has no artifacts yet", out);
	for (size_t i = 0; i < found->count; i++) {
		if (!nearest)
			fprintf(out, "%s%s", i ? ", " : "; there are ", names[i]);
		free(names[i]);
	}
	free(names);
	return text_stream_take(&stream);
}

/* STEP.OUTPUT, or STEP alone where it has one output; of the latest attempt. Borrowed. */
static const struct artifact_row *choose(const struct found *found, const char *wanted,
                                         struct error **err)
{
	const struct artifact_row *chosen = NULL;
	scoped(text) char *hint = NULL;

	for (size_t i = 0; i < found->count; i++) {
		const struct artifact_row *row = &found->artifacts[i];
		scoped(text) char *name = name_of(row);

		if (!text_equal(name, wanted) && !text_equal(row->step, wanted))
			continue;
		if (chosen && !text_equal(chosen->name, row->name))
			return error_set(err, ERROR_INVALID,
			                 "step '%s' has several outputs: name one, such as %s",
			                 wanted, name);
		if (!chosen || row->attempt > chosen->attempt)
			chosen = row;
	}
	if (chosen)
		return chosen;
	hint = suggestion(found, wanted);
	return error_set(err, ERROR_NOT_FOUND, "run '%s' has no artifact '%s'%s", found->run.name,
	                 wanted, hint);
}

static json_t *row_json(const struct artifact_row *row)
{
	scoped(text) char *name = name_of(row);
	json_t *record = record_json(&metadata_table_artifact, row);
	json_t *json = json_pack("{s:s}", "artifact", name);

	json_object_del(record, "name");
	json_object_set(json, "summary",
	                json_object_get(json_object_get(record, "metadata"), "summary"));
	json_object_update_missing(json, record);
	json_decref(record);
	return json;
}

static bool run_list(const struct arguments *arguments, struct error **err)
{
	static const struct output_column columns[] = {
		{ "artifact", NULL, false }, { "type", NULL, false },
		{ "summary", NULL, false },  { "uri", NULL, false },
		{ "attempt", NULL, true },   { "created_at", NULL, true },
		{ "digest", NULL, true },    { 0 },
	};
	json_auto_t *rows = json_array();
	FOUND(found);

	if (!find(arguments, &found, err))
		return false;
	for (size_t i = 0; i < found.count; i++)
		json_array_append_new(rows, row_json(&found.artifacts[i]));
	return output_rows(stdout, argument_output(arguments), columns, rows, err);
}

static bool run_describe(const struct arguments *arguments, struct error **err)
{
	const struct artifact_row *row;
	FOUND(found);

	if (!find(arguments, &found, err))
		return false;
	row = choose(&found, argument_at(arguments, 1), err);
	if (!row)
		return false;
	json_auto_t *object = row_json(row);
	return output_object(stdout, argument_output(arguments), object, err);
}

/* An artifact store and what it rests on. */
struct opened {
	struct project *project;
	struct stack *stack;
	struct loop *loop;
	struct http_client *http;
	struct secret_store *secrets;
	struct artifact_store *store;
};

static void opened_release(struct opened *opened)
{
	artifact_store_free(opened->store);
	secret_store_free(opened->secrets);
	http_client_free(opened->http);
	loop_free(opened->loop);
	stack_free(opened->stack);
	project_free(opened->project);
}
#define OPENED(name) __attribute__((__cleanup__(opened_release))) struct opened name = { 0 }

static bool open_store(const char *stack, struct opened *opened, struct error **err)
{
	const struct component *vault;

	opened->project = project_open(NULL, err);
	if (!opened->project)
		return false;
	opened->stack = stack_load(opened->project, catalog_built_in(), stack, err);
	if (!opened->stack)
		return false;
	opened->loop = loop_new();
	opened->http = http_client_new(opened->loop);
	vault = opened->stack->components[COMPONENT_SECRETS_MANAGER];
	if (vault) {
		opened->secrets = secret_store_open(opened->project, vault, opened->http, err);
		if (!opened->secrets)
			return false;
	}
	opened->store = artifact_store_open(opened->project,
	                                    opened->stack->components[COMPONENT_ARTIFACT_STORE],
	                                    opened->secrets, opened->http, err);
	return opened->store != NULL;
}

/* The run's own stack tells where its artifacts lie, unless the user knows better. */
static bool preview(const struct arguments *arguments, const struct found *found,
                    const struct artifact_row *row, struct error **err)
{
	const struct materializer *materializer = materializer_find(row->type);
	const char *stack = argument_option(arguments, "stack");
	OPENED(opened);

	if (!materializer)
		return error_set(err, ERROR_INVALID, "there is no materializer for type '%s'",
		                 row->type);
	return open_store(stack ? stack : found->run.stack, &opened, err) &&
	       materializer_preview(materializer, opened.store, row->uri, stdout, err);
}

static bool run_preview(const struct arguments *arguments, struct error **err)
{
	const struct artifact_row *row;
	FOUND(found);

	if (!find(arguments, &found, err))
		return false;
	row = choose(&found, argument_at(arguments, 1), err);
	return row && preview(arguments, &found, row, err);
}

static const struct command_option options[] = {
	{ "stack", 's', VALUE_ONE, "NAME", "this stack's stores, not those of the active one",
	  NULL },
	{ 0 },
};

const struct command cmd_artifact_list = {
	.words = "artifact list",
	.arguments = "RUN",
	.summary = "list the artifacts of a run",
	.options = options,
	.examples = "  stepop artifact list @latest\n  stepop artifact list 7d1f -o json",
	.min_arguments = 1,
	.max_arguments = 1,
	.run = run_list,
};

const struct command cmd_artifact_describe = {
	.words = "artifact describe",
	.arguments = "RUN STEP.OUTPUT",
	.summary = "tell what was recorded of an artifact",
	.details =
		"Type, place, digest, and what its materializer found: rows and columns with their "
		"nulls,\nminima and maxima, a model's class and parameters, a short value. OUTPUT "
		"may be left out\nwhere the step has only one.",
	.options = options,
	.examples = "  stepop artifact describe @latest splitter.train\n"
		    "  stepop artifact describe @latest trainer -o yaml",
	.min_arguments = 2,
	.max_arguments = 2,
	.run = run_describe,
};

const struct command cmd_artifact_preview = {
	.words = "artifact preview",
	.arguments = "RUN STEP.OUTPUT",
	.summary = "show an artifact as it lies in the artifact store",
	.details = "Of dataframes in Parquet the columns with nulls, minima and maxima are shown, "
		   "which the\n"
		   "files' footers tell: rows are not read. Of other types, the beginning of the "
		   "value.",
	.options = options,
	.examples = "  stepop artifact preview @latest evaluator.metrics",
	.min_arguments = 2,
	.max_arguments = 2,
	.run = run_preview,
};
