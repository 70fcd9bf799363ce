/* SPDX-License-Identifier: Apache-2.0 */
/* How a database server is reached: the options of a component and the secret that they name. */
#ifndef STACKS_SERVER_OPTIONS_H
#define STACKS_SERVER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "core/memory.h"
#include "stacks/component.h"

struct secret_store;

enum server_ssl_mode {
	SERVER_SSL_UNSET, /* VERIFY_FULL, but for Unix sockets, which have none */
	SERVER_SSL_DISABLE,
	SERVER_SSL_REQUIRE,     /* encrypted, whoever it is */
	SERVER_SSL_VERIFY_CA,   /* of a certificate authority that is trusted */
	SERVER_SSL_VERIFY_FULL, /* and for the name of the host */
};
/* "disable", "require", "verify-ca", "verify-full"; case does not matter. */
bool server_ssl_mode_parse(const char *text, enum server_ssl_mode *mode, struct error **err);

struct server_options {
	char *host;   /* a name or address; what begins with '/' is a Unix socket, or its folder */
	int64_t port; /* 0: the server's usual one */
	char *database;
	char *user, *password; /* or NULL */
	enum server_ssl_mode ssl_mode;
	/* Paths; NULL: the system's authorities, no certificate of the client. A secret's PEM is
	 * given as a path, too: of a file in memory, that is gone with the options. */
	char *ssl_ca, *ssl_cert, *ssl_key;
	int files[3]; /* in memory, 0: none */
};
void server_options_free(struct server_options *options); /* wipes the password */
DEFINE_CLEANUP(server_options);

/* Reads host, port, database, user, ssl_mode, ssl_ca, and from the secret user (or username),
 * password, ssl_ca, ssl_cert, ssl_key. INVALID names option or key. The caller owns them. */
struct server_options *server_options_read(const struct component *component,
                                           struct secret_store *secrets, struct error **err);
/* INVALID unless there are a host and a database. */
bool server_options_check(const struct server_options *options, struct error **err);

/* For the components' option tables. */
bool server_option_check_port(const char *value, struct error **err);
bool server_option_check_ssl_mode(const char *value, struct error **err);

/* A file with the system's certificate authorities; NULL when none is found. */
const char *server_system_ca(void);

#endif
