/* SPDX-License-Identifier: Apache-2.0 */
/* stepop metadata-store status, migrate, copy: the database itself, not the runs in it. */
#include <inttypes.h>
#include <unistd.h>

#include "cli/change.h"
#include "cli/commands.h"
#include "cli/records.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/catalog.h"
#include "stacks/stack.h"

/* What the stores are opened with. */
struct opening {
	struct project *project;
	struct component *vault; /* or NULL */
	const struct arguments *arguments;
};

static void opening_release(struct opening *opening)
{
	component_free(opening->vault);
	project_free(opening->project);
}
#define OPENING(name) __attribute__((__cleanup__(opening_release))) struct opening name = { 0 }

/* Secrets are in --secrets-manager's, else in that of the active stack. */
static bool open_project(const struct arguments *arguments, struct opening *opening,
                         struct error **err)
{
	const char *type = component_type_name(COMPONENT_SECRETS_MANAGER), *name;
	json_auto_t *used = NULL;

	opening->arguments = arguments;
	opening->project = project_open(NULL, err);
	used = opening->project ? stack_components(opening->project, NULL, err) : NULL;
	if (!used)
		return false;
	name = argument_option(arguments, "secrets-manager");
	if (!name)
		name = json_string_value(json_object_get(used, type));
	if (!name)
		return true;
	opening->vault = component_load(opening->project, catalog_built_in(),
	                                COMPONENT_SECRETS_MANAGER, name, err);
	return opening->vault != NULL;
}

/* The argument, else the active stack's metadata store; owned by the caller. */
static char *store_name(const struct opening *opening, struct error **err)
{
	const char *type = component_type_name(COMPONENT_METADATA_STORE);
	const char *given = argument_at(opening->arguments, 0);
	json_auto_t *used = given ? NULL : stack_components(opening->project, NULL, err);

	if (!given && !used)
		return NULL;
	return xstrdup(given ? given : json_string_value(json_object_get(used, type)));
}

static struct metadata_store *open_store(const struct opening *opening, const char *name,
                                         records_opener *opener, struct error **err)
{
	scoped(component) struct component *component = component_load(
		opening->project, catalog_built_in(), COMPONENT_METADATA_STORE, name, err);

	return component ? records_open_component(opening->project, component, opening->vault,
	                                          opener, err)
	                 : NULL;
}

static const char *advice(const struct metadata_status *status)
{
	if (status->schema == status->newest_schema)
		return "nothing to do";
	if (status->schema > status->newest_schema)
		return "use a newer stepop";
	return status->schema ? "migrate it: 'stepop metadata-store migrate'; the first run would"
	                      : "it is empty; the first run makes the schema, as does 'stepop "
	                        "metadata-store migrate'";
}

static json_t *status_json(const char *name, const struct metadata_status *status)
{
	json_t *rows = json_object();
	size_t i;

	for (i = 0; status->tables[i]; i++)
		json_object_set_new(rows, status->tables[i], json_integer(status->rows[i]));
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:o, s:s}", "name", name, "database",
	                 status->database, "server", status->server, "schema_version",
	                 (json_int_t)status->schema, "newest_schema_version",
	                 (json_int_t)status->newest_schema, "size_bytes",
	                 (json_int_t)status->size_bytes, "rows", rows, "advice", advice(status));
}

static bool run_status(const struct arguments *arguments, struct error **err)
{
	OPENING(opening);
	scoped(metadata_store) struct metadata_store *store = NULL;
	scoped(text) char *name = NULL;
	struct metadata_status status;
	json_auto_t *object = NULL;

	if (!open_project(arguments, &opening, err))
		return false;
	name = store_name(&opening, err);
	store = name ? open_store(&opening, name, metadata_store_look, err) : NULL;
	if (!store)
		return false;
	if (!metadata_status(store, &status, err))
		return error_wrap(err, "metadata store '%s'", name);
	object = status_json(name, &status);
	metadata_status_release(&status);
	return output_object(stdout, argument_output(arguments), object, err);
}

static bool run_migrate(const struct arguments *arguments, struct error **err)
{
	OPENING(opening);
	scoped(metadata_store) struct metadata_store *store = NULL;
	scoped(text) char *name = NULL;

	if (!open_project(arguments, &opening, err))
		return false;
	name = store_name(&opening, err);
	store = name ? open_store(&opening, name, metadata_store_open, err) : NULL;
	return store && change_report(argument_output(arguments), "metadata-store", name,
	                              "has the newest schema", err);
}

static void show_progress(void *context, const struct metadata_copy *copy)
{
	(void)context;
	fprintf(stderr, "\rcopied %" PRId64 ", compared %" PRId64 " runs", copy->copied,
	        copy->compared);
}

static bool copy(const struct opening *opening, struct metadata_copy *result, struct error **err)
{
	const struct arguments *arguments = opening->arguments;
	const char *from_name = argument_at(arguments, 0), *to_name = argument_at(arguments, 1);
	bool shows = isatty(STDERR_FILENO) && !argument_switch(arguments, "quiet"), done;
	scoped(metadata_store) struct metadata_store *from = NULL;
	scoped(metadata_store) struct metadata_store *to = NULL;

	if (text_equal(from_name, to_name))
		return error_set(err, ERROR_USAGE, "'%s' cannot be copied to itself", from_name);
	from = open_store(opening, from_name, metadata_store_open, err);
	to = from ? open_store(opening, to_name, metadata_store_open, err) : NULL;
	if (!to)
		return false;
	done = metadata_copy(from, to, shows ? show_progress : NULL, NULL, result, err);
	if (shows)
		fputc('\n', stderr);
	return done || error_wrap(err, "copy metadata store '%s' to '%s'", from_name, to_name);
}

static bool run_copy(const struct arguments *arguments, struct error **err)
{
	OPENING(opening);
	struct metadata_copy result;
	json_auto_t *object = NULL;

	if (!open_project(arguments, &opening, err) || !copy(&opening, &result, err))
		return false;
	object = json_pack("{s:s, s:s, s:I, s:I, s:I}", "from", argument_at(arguments, 0), "to",
	                   argument_at(arguments, 1), "runs_copied", (json_int_t)result.copied,
	                   "runs_compared", (json_int_t)result.compared, "rows_compared",
	                   (json_int_t)result.rows);
	return output_object(stdout, argument_output(arguments), object, err);
}

static const struct command_option options[] = {
	{ "secrets-manager", 'x', VALUE_ONE, "NAME",
	  "where the stores' secrets are, instead of the active stack's", NULL },
	{ 0 },
};

const struct command cmd_metadata_status = {
	.words = "metadata-store status",
	.arguments = "[NAME]",
	.summary = "tell what a metadata store's database is and holds",
	.details = "The server and its version, the version of the schema, size and rows, and what "
		   "there is to\ndo. Nothing is changed. NAME is the active stack's metadata store "
		   "unless it is given.",
	.options = options,
	.examples = "  stepop metadata-store status\n  stepop metadata-store status runs -o json",
	.max_arguments = 1,
	.run = run_status,
};

const struct command cmd_metadata_migrate = {
	.words = "metadata-store migrate",
	.arguments = "[NAME]",
	.summary = "give a metadata store's database the newest schema",
	.details = "Every command that opens a store does the same; this one does nothing else, "
		   "for an\naccount that may change tables. Several at once do no harm.",
	.options = options,
	.examples = "  stepop metadata-store migrate runs",
	.max_arguments = 1,
	.run = run_migrate,
};

const struct command cmd_metadata_copy = {
	.words = "metadata-store copy",
	.arguments = "FROM TO",
	.summary = "copy all runs to another metadata store, and compare",
	.details =
		"Runs with all that belongs to them, some in a transaction; then every row is "
		"read from\nboth and compared. TO must be empty, or hold what an interrupted copy "
		"left: that is gone on\nwith. No run of FROM may be going on.",
	.options = options,
	.examples = "  stepop metadata-store copy default runs",
	.min_arguments = 2,
	.max_arguments = 2,
	.run = run_copy,
};
