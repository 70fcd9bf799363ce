/* SPDX-License-Identifier: Apache-2.0 */
/* The embedded metadata store: one SQLite file. */
#include "core/file.h"
#include "stacks/metadata_store.h"
#include "stacks/sqlite_database.h"

static struct sql_database *sqlite_open(const struct project *project,
                                        const struct component *component,
                                        struct secret_store *secrets, bool make, struct error **err)
{
	const char *name = component_text(component, "path", "metadata.db");
	scoped(text) char *path =
		*name == '/' ? xstrdup(name) : file_join(project_folder(project), name);

	(void)secrets;
	return sqlite_database_new(path, make ? metadata_migrate : NULL, err);
}

static const struct component_option options[] = {
	{ "path", OPTION_TEXT, false,
	  "the database file, relative to the project folder (default: metadata.db)", NULL },
	{ 0 },
};

static const struct component_flavor component_sqlite = {
	.type = COMPONENT_METADATA_STORE,
	.name = "sqlite",
	.help = "a database file on this machine",
	.options = options,
};

const struct metadata_flavor metadata_sqlite = {
	.component = &component_sqlite,
	.open = sqlite_open,
};
