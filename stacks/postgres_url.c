/* SPDX-License-Identifier: Apache-2.0 */
/* postgresql:// URLs, as libpq understands them. */
#include <string.h>

#include "core/text.h"
#include "stacks/postgres_api.h"
#include "stacks/postgres_database.h"

static void fill(char **option, const char *value)
{
	if (!*option)
		*option = xstrdup(value);
}

static bool take_port(const char *value, struct server_options *options, struct error **err)
{
	if (!server_option_check_port(value, err))
		return error_wrap(err, "option 'url'");
	if (!options->port)
		text_to_int64(value, 1, 65535, &options->port);
	return true;
}

static void *password_error(struct error **err)
{
	return error_set(err, ERROR_INVALID,
	                 "a password does not belong there: it would be stored in the clear; put "
	                 "it into a secret and name that in the option 'authentication_secret'");
}

/* Seen before libpq reads the URL, whose complaints quote it; also where a password has characters
 * that should have been escaped. */
bool postgres_check_url(const char *url, struct error **err)
{
	const char *start = strstr(url, "://"), *at;

	if (!text_starts_with(url, "postgresql://") && !text_starts_with(url, "postgres://"))
		return error_set(err, ERROR_INVALID,
		                 "a URL looks like postgresql://USER@HOST:5432/DATABASE");
	at = strrchr(start, '@');
	if (at && memchr(start + 1, ':', (size_t)(at - start - 1)))
		return password_error(err);
	return true;
}

static bool take_part(const char *key, const char *value, struct server_options *options,
                      struct error **err)
{
	if (!strcmp(key, "password")) {
		password_error(err);
		return error_wrap(err, "option 'url'");
	}
	if (!strcmp(key, "port"))
		return take_port(value, options, err);
	if (!strcmp(key, "sslmode"))
		return options->ssl_mode || server_ssl_mode_parse(value, &options->ssl_mode, err) ||
		       error_wrap(err, "option 'url'");
	if (!strcmp(key, "host"))
		fill(&options->host, value);
	else if (!strcmp(key, "dbname"))
		fill(&options->database, value);
	else if (!strcmp(key, "user"))
		fill(&options->user, value);
	else if (!strcmp(key, "sslrootcert"))
		fill(&options->ssl_ca, value);
	else
		return error_set(
			err, ERROR_INVALID,
			"option 'url': the parameter '%s' is not taken; host, port, dbname, user, "
			"sslmode and sslrootcert are",
			key);
	return true;
}

bool postgres_parse_url(const char *url, struct server_options *options, struct error **err)
{
	const struct postgres_api *pq = postgres_api_load(err);
	PQconninfoOption *parts, *part;
	char *why = NULL;
	bool taken = true;

	if (!pq)
		return false;
	if (!postgres_check_url(url, err))
		return error_wrap(err, "option 'url'");
	parts = pq->conninfoParse(url, &why);
	if (!parts) {
		scoped(text) char *reason = xstrdup(why ? why : "out of memory");

		pq->freemem(why);
		text_make_printable(reason, 300);
		return error_set(err, ERROR_INVALID, "option 'url': %s", reason);
	}
	for (part = parts; taken && part->keyword; part++)
		if (part->val)
			taken = take_part(part->keyword, part->val, options, err);
	pq->conninfoFree(parts);
	return taken;
}
