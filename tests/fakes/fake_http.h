/* SPDX-License-Identifier: Apache-2.0 */
/* A scripted HTTP/1.1 server on loopback, for what real servers cannot be made to show. */
#ifndef TESTS_FAKES_FAKE_HTTP_H
#define TESTS_FAKES_FAKE_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "core/memory.h"
#include "tests/fakes/fake_tls.h"

enum fake_http_after {
	FAKE_KEEP,  /* the connection serves the next request */
	FAKE_CLOSE, /* it is closed */
	FAKE_HOLD,  /* nothing more is sent on it, until the client closes it */
	FAKE_GATE,  /* FAKE_HOLD until fake_http_open_gate(), then FAKE_CLOSE */
};

/* What is sent for one request. Used up once it was sent, unless `repeat`. */
struct fake_http_answer {
	const char *match; /* part of the request's head ("GET /a"); NULL: any */
	const char *bytes; /* head and body as they are sent; borrowed */
	size_t size;       /* 0: strlen(bytes) */
	enum fake_http_after after;
	bool repeat;
	int slow_ms; /* between pieces of slow_size bytes */
	size_t slow_size;
};

struct fake_http_options {
	const char *unix_socket;                    /* instead of TCP; or NULL */
	const struct fake_certificate *certificate; /* TLS with it; or NULL */
	const char *client_ca_pem;                  /* a client certificate is required; or NULL */
};

struct fake_http;

/* Serves from a thread of its own. The answers and options are borrowed; options may be NULL.
 * A request that no answer is left for gets a 599. */
struct fake_http *fake_http_start(const struct fake_http_answer *answers, size_t count,
                                  const struct fake_http_options *options);
void fake_http_free(struct fake_http *fake);
DEFINE_CLEANUP(fake_http);

int fake_http_port(const struct fake_http *fake);
/* "http://127.0.0.1:PORT/path" (https with a certificate). Owned by the caller. */
char *fake_http_url(const struct fake_http *fake, const char *path);
void fake_http_open_gate(struct fake_http *fake);

size_t fake_http_connections(struct fake_http *fake);
size_t fake_http_requests(struct fake_http *fake);
/* Head and body of the request as it came; owned by the caller, NULL when there is none. */
char *fake_http_request(struct fake_http *fake, size_t index);

/* A whole answer with Content-Length. `status`: "200 OK". Owned by the caller. */
char *fake_http_json(const char *status, const char *extra_headers, const char *body);
/* Head of a chunked answer followed by one chunk per line of `lines` (each line ends in \n in the
 * chunk); with `end`, the last chunk too. Owned by the caller. */
char *fake_http_chunked(const char *const *lines, bool end);

/* A port of 127.0.0.1 on which nobody listens. */
int fake_http_closed_port(void);

#endif
