/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata stores on a PostgreSQL server. */
#include "stacks/metadata_store.h"
#include "stacks/postgres_database.h"

static struct sql_database *postgres_open(const struct project *project,
                                          const struct component *component,
                                          struct secret_store *secrets, bool make,
                                          struct error **err)
{
	scoped(server_options) struct server_options *options =
		server_options_read(component, secrets, err);
	const char *url = component_text(component, "url", NULL);

	(void)project;
	(void)make;
	if (!options || (url && !postgres_parse_url(url, options, err)))
		return NULL;
	return postgres_database_new(take(options), err);
}

static const struct component_option options[] = {
	{ "host", OPTION_TEXT, false, "name of the server, or the folder of its Unix socket",
	  NULL },
	{ "port", OPTION_INTEGER, false, "default: 5432", server_option_check_port },
	{ "database", OPTION_TEXT, false, "database, of stepop alone", NULL },
	{ "url", OPTION_TEXT, false,
	  "instead of these: postgresql://USER@HOST:PORT/DATABASE, without a password",
	  postgres_check_url },
	{ "authentication_secret", OPTION_TEXT, false,
	  "secret of schema postgres in the stack's secrets manager", NULL },
	{ "ssl_mode", OPTION_TEXT, false,
	  "disable, require, verify-ca or verify-full (the default, but for Unix sockets)",
	  server_option_check_ssl_mode },
	{ "ssl_ca", OPTION_TEXT, false,
	  "file with the certificates of the server's authorities; default: the system's", NULL },
	{ 0 },
};

static const struct component_flavor component_postgres = {
	.type = COMPONENT_METADATA_STORE,
	.name = "postgres",
	.help = "a database on a PostgreSQL server",
	.options = options,
};

const struct metadata_flavor metadata_postgres = {
	.component = &component_postgres,
	.open = postgres_open,
};
