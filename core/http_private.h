/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the HTTP client share: http.c (the calls), http_transfer.c (one transfer),
 * http_drive.c (libcurl's multi handle). */
#ifndef CORE_HTTP_PRIVATE_H
#define CORE_HTTP_PRIVATE_H

#include "core/curl.h"
#include "core/http.h"
#include "core/http_head.h"
#include "core/http_setup.h"

struct http_client {
	struct loop *loop;
	const struct curl_api *curl;
	CURLM *multi; /* NULL until the first request */
	int epoll_fd;
	int64_t timer_at_ms; /* when libcurl wants to be called; -1: never */
	void (*tick)(void *context);
	void *tick_context;
	int64_t tick_interval_ms, tick_at_ms;
	int64_t deadline_ms; /* for everything; 0: none */
	struct loop_source *watch, *timer;
	struct http_transfer *transfers; /* those of http_start() */
	struct http_transfer *pending;   /* those of them with something to tell */
	struct http_transfer *awaited;   /* the same, of those that the loop does not tell */
	size_t piped;                    /* transfers with a pipe */
};

struct http_transfer {
	struct http_transfer *prev, *next;                 /* in transfers */
	struct http_transfer *pending_prev, *pending_next; /* in pending */
	struct http_client *client;
	CURL *easy;
	struct http_setup setup;
	struct http_pipe *pipe;           /* what the body goes into; or NULL */
	const struct http_events *events; /* NULL: of http_perform() */
	void *context;
	struct http_response response;
	char *data; /* of the body, not told yet */
	size_t data_size;
	size_t limit_bytes;
	int64_t timeout_ms, connect_timeout_ms, idle_timeout_ms;
	int64_t active_at_ms;
	struct loop_source *idle_timer;
	struct error *error;
	bool told_head, too_large, paused;
	struct http_head head;
	bool is_pending, is_telling, in_multi, cancelled, finished, is_awaited;
	char detail[CURL_ERROR_SIZE];
};

/* ---- one transfer (http_transfer.c) ---- */

/* The client's multi handle is open; the transfer is not in it yet. */
struct http_transfer *http_transfer_new(struct http_client *client,
                                        const struct http_request *request, struct error **err);
/* Takes it out of everything first; NULL is allowed. */
void http_transfer_free(struct http_transfer *transfer);
DEFINE_CLEANUP(http_transfer);
bool http_transfer_enter(struct http_transfer *transfer, struct error **err);
void http_transfer_leave(struct http_transfer *transfer);
/* CURLE_OK with transfer->error set: it ends for that reason. */
void http_transfer_finish(struct http_transfer *transfer, CURLcode code);
/* Calls the callbacks of all on the list (client->pending or ->awaited), until it is empty. */
void http_transfers_tell(struct http_transfer **list);

/* ---- libcurl's multi handle (http_drive.c) ---- */

/* Makes it, at the first request; a success when there is one. */
bool http_drive_open(struct http_client *client, struct error **err);
/* Lets libcurl work on what is ready, at most until the deadline (0: now, -1: none); tells nobody.
 */
void http_drive(struct http_client *client, int64_t deadline_ms);
/* How long there is nothing to do but to wait, for poll(); -1: for ever. */
int http_drive_wait_ms(const struct http_client *client, int64_t deadline_ms);

#endif
