/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP over one libcurl multi handle per loop: short requests that wait, and streams that do not.
 */
#ifndef CORE_HTTP_H
#define CORE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "core/http_pipe.h"
#include "core/loop.h"

struct http_client; /* connections and their reuse; one per loop is enough */
struct http_transfer;

/* The loop is kept and must live longer. libcurl is loaded at the first request, not here. */
struct http_client *http_client_new(struct loop *loop);
void http_client_free(struct http_client *client);
DEFINE_CLEANUP(http_client);
struct loop *http_client_loop(const struct http_client *client);
/*
 * From now on no request and no wait outlasts `deadline_ms` (of loop_now_ms(); 0: none): what is
 * tried several times, or takes several requests, then ends by it as well, with TIMEOUT.
 */
void http_client_set_deadline(struct http_client *client, int64_t deadline_ms);
/* While http_perform(), http_wait() or http_await() wait, `tick` is called every `interval_ms`, for
 * the first time that long after this: for what must not wait with them, a lease say. It makes no
 * requests. NULL: no more. */
void http_client_set_tick(struct http_client *client, int64_t interval_ms,
                          void (*tick)(void *context), void *context);

/* How a server is trusted and how we are known to it. Everything is borrowed until the transfer
 * ends. */
struct http_tls {
	const char *ca_pem;          /* certificates to trust; NULL: the system's */
	const char *certificate_pem; /* client certificate and key, both or none */
	const char *key_pem;
	const char *server_name; /* name to verify (and SNI) instead of the URL's host */
	bool insecure;           /* no verification at all; only on the user's word */
};

struct http_request {
	const char *method; /* NULL: GET */
	const char *url;
	const char *const *headers; /* "Name: value", NULL at the end; NULL: none */
	const void *body;           /* borrowed until the transfer ends */
	size_t body_size;
	int body_fd; /* when `body` is NULL and body_size > 0: read from here (positioned) */
	int64_t body_offset;         /* of body_fd: where the body begins */
	struct http_pipe *body_pipe; /* body_size bytes come from another stream; or NULL */
	struct http_pipe *pipe; /* where the body of an answer of 2xx goes, for another stream to
	                           send it; other answers end up in response->body. Or NULL */
	const struct http_tls *tls;
	const char *proxy_url;
	const char *unix_socket; /* tests and local agents */
	/* AWS Signature Version 4 by libcurl: "aws:amz:us-east-1:s3" and "KEY:SECRET"; wiped by the
	 * caller. */
	const char *aws_sigv4;
	const char *user_password;
	int64_t connect_timeout_ms; /* 0: 10 s */
	int64_t timeout_ms; /* of the whole transfer; 0: 30 s for http_perform, none for streams */
	int64_t idle_timeout_ms;  /* streams: no byte for so long is TIMEOUT; 0: none */
	int64_t stall_timeout_ms; /* no byte in either direction for so long (whole seconds) is
	                             TIMEOUT; 0: none */
	bool is_awaited;          /* http_start(): told of within http_await(), not from the loop */
	size_t max_response_bytes; /* 0: 64 MiB; more is an error, for streams the limit is the
	                              caller's */
};

struct http_response {
	int status;
	char *body; /* NUL-terminated, owned */
	size_t body_size;
	char *content_type;     /* or NULL; owned */
	char *etag;             /* or NULL; owned */
	int64_t content_length; /* as announced; -1: not */
	int64_t retry_after_ms; /* -1: not sent */
	char *request_id;       /* x-amz-request-id or Audit-Id, for messages; or NULL */
	char *head;             /* all header lines, each with its line break; owned */
};
void http_response_release(struct http_response *response);
/* The value of the first header of that name, in any case; NULL when there is none. Owned by the
 * caller. */
char *http_response_header(const struct http_response *response, const char *name);

/*
 * Waits for the whole answer. Any HTTP status is a success here: the caller knows what it means.
 * Errors: UNAVAILABLE (cannot connect, cut in the middle), TIMEOUT, AUTH (certificate not
 * trusted), INVALID (URL, proxy, PEM). Other transfers of the client proceed meanwhile but their
 * callbacks are held back until the loop runs again. The answer replaces *response, which the
 * caller releases.
 */
bool http_perform(struct http_client *client, const struct http_request *request,
                  struct http_response *response, struct error **err);

/* Lets `delay_ms` pass, before a retry say; other transfers proceed as in http_perform(). */
void http_wait(struct http_client *client, int64_t delay_ms);

/* All are called from the loop (or http_await()), never from within http_start() or http_perform().
 */
struct http_events {
	/* The head has arrived; optional. */
	void (*head)(void *context, int status, const struct http_response *head);
	/* Some bytes of the body; return false to end the transfer (ended() gets CANCELLED). */
	bool (*data)(void *context, const char *bytes, size_t size);
	/* Last call. `error` (borrowed) is NULL when the transfer was complete. `response->body` is
	 * filled when there is no data(). */
	void (*ended)(void *context, const struct http_response *response,
	              const struct error *error);
};

/* The request's strings are copied as libcurl does; body, tls and the callbacks' table are borrowed
 * until the end. */
struct http_transfer *http_start(struct http_client *client, const struct http_request *request,
                                 const struct http_events *events, void *context,
                                 struct error **err);
/* NULL is allowed; no callback comes after this. Not to be used once ended() was called. */
void http_cancel(struct http_transfer *transfer);

/* Within ended() only: the answer is the caller's from now on. */
void http_take_response(struct http_transfer *transfer, struct http_response *response);

/*
 * Waits as http_perform() does, for transfers with `is_awaited`: until at least one of them was
 * told of, until `deadline_ms` (-1: none), or until `wake_fd` (-1: none) can be read. Not to be
 * called from a callback of a transfer that is awaited itself.
 */
void http_await(struct http_client *client, int64_t deadline_ms, int wake_fd);

/* Percent-encodes everything but unreserved characters (RFC 3986); with `keep_slashes` also keeps
 * '/'. Owned by the caller. */
char *http_escape(const char *text, bool keep_slashes);

#endif
