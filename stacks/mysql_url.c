/* SPDX-License-Identifier: Apache-2.0 */
/* mysql://USER@HOST:PORT/DATABASE?ssl_mode=…&ssl_ca=… */
#include <string.h>

#include "core/text.h"
#include "stacks/mysql_database.h"

/* A stretch of the URL. */
struct part {
	const char *start;
	size_t size;
};

static struct part part_until(const char *start, const char *ends)
{
	return (struct part){ start, strcspn(start, ends) };
}

/* The part before the last (or first) `mark`; what follows it goes to *rest, which is empty where
 * there is no mark. */
static struct part split(struct part whole, const char *mark, struct part *rest)
{
	const char *end = whole.start + whole.size;
	struct part head = { whole.start, mark ? (size_t)(mark - whole.start) : whole.size };

	*rest = mark ? (struct part){ mark + 1, (size_t)(end - mark - 1) }
	             : (struct part){ end, 0 };
	return head;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, c | 0x20) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* RFC 3986, 2.1. What an escape makes must be text. */
static char *decode(struct part part, const char *what, struct error **err)
{
	scoped(text) char *text = xstrndup(part.start, part.size);
	char *from, *to = text;

	for (from = text; *from; from++) {
		int high, low;

		if (*from != '%') {
			*to++ = *from;
			continue;
		}
		high = hex_digit(from[1]);
		low = high < 0 ? -1 : hex_digit(from[2]);
		if (low < 0 || !(high | low))
			return error_set(err, ERROR_INVALID,
			                 "%s has a '%%' that is not followed by two hex digits",
			                 what);
		*to++ = (char)(high << 4 | low);
		from += 2;
	}
	*to = '\0';
	return take(text);
}

/* Sets *option unless it was given or the part is empty. */
static bool take_part(struct part part, const char *what, char **option, struct error **err)
{
	if (*option || !part.size)
		return true;
	*option = decode(part, what, err);
	return *option != NULL;
}

/* What is no port may be the password of a URL that lacks a host: it is not repeated. */
static bool take_port(struct part part, int64_t *port, struct error **err)
{
	scoped(text) char *text = xstrndup(part.start, part.size);

	if (*port || !part.size)
		return true;
	return text_to_int64(text, 1, 65535, port) ||
	       error_set(err, ERROR_INVALID, "its port is no number from 1 to 65535");
}

/* HOST:PORT; an address of IPv6 stands in brackets. */
static bool take_address(struct part address, struct server_options *options, struct error **err)
{
	struct part host, port;
	const char *end;

	if (address.size && *address.start == '[') {
		end = memchr(address.start, ']', address.size);
		if (!end)
			return error_set(err, ERROR_INVALID, "the host has a '[' without a ']'");
		host = (struct part){ address.start + 1, (size_t)(end - address.start) - 1 };
		split(address, end, &port);
		if (port.size && *port.start != ':')
			return error_set(err, ERROR_INVALID, "a ':' must follow the ']'");
		port = port.size ? (struct part){ port.start + 1, port.size - 1 } : port;
	} else {
		host = split(address, memchr(address.start, ':', address.size), &port);
	}
	return take_part(host, "the host", &options->host, err) &&
	       take_port(port, &options->port, err);
}

/* A URL is stored and shown, so a password is refused without being repeated. */
static bool take_authority(struct part authority, struct server_options *options,
                           struct error **err)
{
	const char *at = memrchr(authority.start, '@', authority.size);
	struct part user, address = authority;

	if (at) {
		user = split(authority, at, &address);
		if (memchr(user.start, ':', user.size))
			return error_set(err, ERROR_INVALID,
			                 "it holds a password: register a secret with the keys "
			                 "user and password, and name it in the option "
			                 "'authentication_secret'");
		if (!take_part(user, "the user", &options->user, err))
			return false;
	}
	return take_address(address, options, err);
}

static bool take_parameter(struct part parameter, struct server_options *options,
                           struct error **err)
{
	struct part value;
	struct part key = split(parameter, memchr(parameter.start, '=', parameter.size), &value);
	scoped(text) char *name = xstrndup(key.start, key.size);
	scoped(text) char *mode = NULL;
	char *dash;

	/* MySQL's own tools write ssl-mode. */
	for (dash = name; (dash = strchr(dash, '-'));)
		*dash = '_';
	if (!strcmp(name, "ssl_ca"))
		return take_part(value, "ssl_ca", &options->ssl_ca, err);
	if (strcmp(name, "ssl_mode"))
		return error_set(err, ERROR_INVALID,
		                 "'%s' is none of its parameters: give ssl_mode or ssl_ca", name);
	mode = decode(value, "ssl_mode", err);
	return mode && (options->ssl_mode != SERVER_SSL_UNSET ||
	                server_ssl_mode_parse(mode, &options->ssl_mode, err));
}

static bool take_parameters(const char *query, struct server_options *options, struct error **err)
{
	while (*query) {
		struct part parameter = part_until(query, "&");

		if (parameter.size && !take_parameter(parameter, options, err))
			return false;
		query += parameter.size;
		query += *query == '&';
	}
	return true;
}

bool mysql_parse_url(const char *url, struct server_options *options, struct error **err)
{
	const char *scheme = strstr(url, "://");
	struct part name, authority, path;

	name = (struct part){ url, scheme ? (size_t)(scheme - url) : 0 };
	if (!(name.size == strlen("mysql") && text_starts_with(url, "mysql")) &&
	    !(name.size == strlen("mariadb") && text_starts_with(url, "mariadb")))
		return error_set(err, ERROR_INVALID,
		                 "it should look like mysql://USER@HOST:3306/DATABASE");
	authority = part_until(scheme + strlen("://"), "/?");
	path = part_until(authority.start + authority.size, "?");
	if (path.size)
		path = (struct part){ path.start + 1, path.size - 1 };
	url = path.start + path.size;
	return take_authority(authority, options, err) &&
	       take_part(path, "the database", &options->database, err) &&
	       take_parameters(*url ? url + 1 : url, options, err);
}
