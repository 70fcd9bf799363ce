/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata stores on a MySQL or MariaDB server. */
#include "core/text.h"
#include "stacks/metadata_store.h"
#include "stacks/mysql_database.h"

static struct sql_database *mysql_open(const struct project *project,
                                       const struct component *component,
                                       struct secret_store *secrets, bool make, struct error **err)
{
	scoped(server_options) struct server_options *options =
		server_options_read(component, secrets, err);
	const char *url = component_text(component, "url", NULL);

	(void)project;
	(void)make;
	if (!options)
		return NULL;
	if (url && !mysql_parse_url(url, options, err))
		return error_wrap(err, "option 'url'");
	return mysql_database_new(take(options), err);
}

static bool check_url(const char *value, struct error **err)
{
	scoped(server_options) struct server_options *options = xcalloc(1, sizeof(*options));

	return mysql_parse_url(value, options, err);
}

static const struct component_option options[] = {
	{ "host", OPTION_TEXT, false, "name of the server, or the path of its Unix socket", NULL },
	{ "port", OPTION_INTEGER, false, "default: 3306", server_option_check_port },
	{ "database", OPTION_TEXT, false, "database, of stepop alone", NULL },
	{ "url", OPTION_TEXT, false,
	  "instead of these: mysql://USER@HOST:PORT/DATABASE, without a password", check_url },
	{ "authentication_secret", OPTION_TEXT, false,
	  "secret of schema mysql in the stack's secrets manager", NULL },
	{ "ssl_mode", OPTION_TEXT, false,
	  "disable, require, verify-ca or verify-full (the default, but for Unix sockets)",
	  server_option_check_ssl_mode },
	{ "ssl_ca", OPTION_TEXT, false,
	  "file with the certificates of the server's authorities; default: the system's", NULL },
	{ 0 },
};

static const struct component_flavor component_mysql = {
	.type = COMPONENT_METADATA_STORE,
	.name = "mysql",
	.help = "a database on a MySQL or MariaDB server",
	.options = options,
};

const struct metadata_flavor metadata_mysql = {
	.component = &component_mysql,
	.open = mysql_open,
};
