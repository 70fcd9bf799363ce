/* SPDX-License-Identifier: Apache-2.0 */
/* How a database server is reached: the options of a component and the secret that they name. */
#include "stacks/server_options.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/text.h"
#include "stacks/secret.h"

static const char *const mode_names[] = {
	[SERVER_SSL_DISABLE] = "disable",
	[SERVER_SSL_REQUIRE] = "require",
	[SERVER_SSL_VERIFY_CA] = "verify-ca",
	[SERVER_SSL_VERIFY_FULL] = "verify-full",
};

bool server_ssl_mode_parse(const char *text, enum server_ssl_mode *mode, struct error **err)
{
	enum server_ssl_mode found;

	for (found = SERVER_SSL_DISABLE; found <= SERVER_SSL_VERIFY_FULL; found++)
		if (!strcasecmp(text, mode_names[found])) {
			*mode = found;
			return true;
		}
	return error_set(err, ERROR_INVALID,
	                 "'%s' is no way to use TLS: give disable, require, verify-ca or "
	                 "verify-full",
	                 text);
}

bool server_option_check_ssl_mode(const char *value, struct error **err)
{
	enum server_ssl_mode mode;

	return server_ssl_mode_parse(value, &mode, err);
}

bool server_option_check_port(const char *value, struct error **err)
{
	int64_t port;

	return text_to_int64(value, 1, 65535, &port) ||
	       error_set(err, ERROR_INVALID, "'%s' is no port: give a number from 1 to 65535",
	                 value);
}

const char *server_system_ca(void)
{
	static const char *const files[] = {
		"/etc/ssl/certs/ca-certificates.crt", /* Debian, Alpine */
		"/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora, Amazon Linux */
		"/etc/ssl/ca-bundle.pem",             /* SUSE */
	};
	const char *chosen = getenv("SSL_CERT_FILE");
	size_t i;

	if (chosen && *chosen)
		return chosen;
	for (i = 0; i < ARRAY_SIZE(files); i++)
		if (file_exists(files[i]))
			return files[i];
	return NULL;
}

void server_options_free(struct server_options *options)
{
	size_t i;

	if (!options)
		return;
	for (i = 0; i < ARRAY_SIZE(options->files); i++)
		if (options->files[i] > 0)
			close(options->files[i]);
	free(options->host);
	free(options->database);
	free(options->user);
	secret_free(options->password);
	free(options->ssl_ca);
	free(options->ssl_cert);
	free(options->ssl_key);
	free(options);
}

/* Client libraries take files only, and a key must not lie on a disk because of that. */
static char *path_of_pem(const char *key, const char *value, int *file, struct error **err)
{
	scoped(fd) int fd = -1;
	size_t size = strlen(value);

	if (!strstr(value, "-----BEGIN"))
		return xstrdup(value);
	fd = memfd_create(key, MFD_CLOEXEC);
	if (fd < 0 || fchmod(fd, 0600) || write(fd, value, size) != (ssize_t)size)
		return error_set(err, ERROR_INTERNAL, "keep '%s' in memory: %s", key,
		                 strerror(errno));
	*file = fd;
	fd = -1;
	return text_printf("/proc/self/fd/%d", *file);
}

static bool take_pem(const json_t *values, const char *key, char **path, int *file,
                     struct error **err)
{
	const char *value = json_string_value(json_object_get(values, key));

	if (!value || *path)
		return true;
	*path = path_of_pem(key, value, file, err);
	return *path != NULL;
}

static bool take_secret(const json_t *values, struct server_options *options, struct error **err)
{
	const char *user = json_string_value(json_object_get(values, "user"));
	const char *password = json_string_value(json_object_get(values, "password"));

	if (!user)
		user = json_string_value(json_object_get(values, "username"));
	if (!user)
		return error_set(err, ERROR_INVALID, "the secret has no key 'user'");
	options->user = xstrdup(user);
	options->password = text_copy(password);
	return take_pem(values, "ssl_ca", &options->ssl_ca, &options->files[0], err) &&
	       take_pem(values, "ssl_cert", &options->ssl_cert, &options->files[1], err) &&
	       take_pem(values, "ssl_key", &options->ssl_key, &options->files[2], err);
}

static bool read_secret(const char *name, struct secret_store *secrets,
                        struct server_options *options, struct error **err)
{
	json_t *values;
	bool taken;

	if (!secrets)
		return error_set(err, ERROR_INVALID,
		                 "option 'authentication_secret' names the secret '%s', and the "
		                 "stack has no secrets manager: register one and 'stepop stack "
		                 "update STACK -x NAME'",
		                 name);
	values = secret_get(secrets, name, err);
	taken = values && take_secret(values, options, err);
	secret_values_free(values);
	return taken || error_wrap(err, "option 'authentication_secret': secret '%s'", name);
}

struct server_options *server_options_read(const struct component *component,
                                           struct secret_store *secrets, struct error **err)
{
	scoped(server_options) struct server_options *options = xcalloc(1, sizeof(*options));
	const char *secret = component_text(component, "authentication_secret", NULL);
	const char *mode = component_text(component, "ssl_mode", NULL);

	options->host = text_copy(component_text(component, "host", NULL));
	options->port = component_integer(component, "port", 0);
	options->database = text_copy(component_text(component, "database", NULL));
	options->ssl_ca = text_copy(component_text(component, "ssl_ca", NULL));
	if (mode && !server_ssl_mode_parse(mode, &options->ssl_mode, err))
		return error_wrap(err, "option 'ssl_mode'");
	if (secret && !read_secret(secret, secrets, options, err))
		return NULL;
	return take(options);
}

bool server_options_check(const struct server_options *options, struct error **err)
{
	if (!options->host)
		return error_set(err, ERROR_INVALID, "the option 'host' is missing");
	if (!options->database)
		return error_set(err, ERROR_INVALID, "the option 'database' is missing");
	return true;
}
