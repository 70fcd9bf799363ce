/* SPDX-License-Identifier: Apache-2.0 */
/* One transfer: what libcurl gives of it is noted, and told to its caller afterwards. */
#include <assert.h>
#include <string.h>
#include <utlist.h>

#include "core/http_fault.h"
#include "core/http_private.h"
#include "core/text.h"

#define CONNECT_TIMEOUT_MS 10000
#define RESPONSE_LIMIT_BYTES ((size_t)64 << 20)
/* A stream whose data cannot be told yet is read up to here; then TCP holds the server back. */
#define BACKLOG_LIMIT_BYTES ((size_t)1 << 20)

/* ---- what libcurl calls ---- */

static struct http_transfer **pending_list(struct http_transfer *transfer)
{
	return transfer->is_awaited ? &transfer->client->awaited : &transfer->client->pending;
}

static void note_pending(struct http_transfer *transfer)
{
	struct http_transfer **list = pending_list(transfer);

	if (!transfer->events || transfer->is_pending)
		return;
	transfer->is_pending = true;
	DL_APPEND2(*list, transfer, pending_prev, pending_next);
}

static void unnote_pending(struct http_transfer *transfer)
{
	struct http_transfer **list = pending_list(transfer);

	if (!transfer->is_pending)
		return;
	transfer->is_pending = false;
	DL_DELETE2(*list, transfer, pending_prev, pending_next);
}

static void append(char **bytes, size_t *size, const char *more, size_t more_size)
{
	*bytes = xrealloc(*bytes, *size + more_size + 1, 1);
	memcpy(*bytes + *size, more, more_size);
	*size += more_size;
	(*bytes)[*size] = '\0';
}

/* Only what was asked for: what is said instead is no part of the other stream. */
static bool goes_into_pipe(const struct http_transfer *transfer)
{
	return transfer->pipe && transfer->response.status / 100 == 2;
}

static size_t on_data(char *bytes, size_t size, size_t count, void *context)
{
	struct http_transfer *transfer = context;
	bool streams = transfer->events && transfer->events->data;

	size *= count;
	if (streams && transfer->data_size > BACKLOG_LIMIT_BYTES) {
		transfer->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	if (goes_into_pipe(transfer) && !http_pipe_put(transfer->pipe, bytes, size))
		return CURL_WRITEFUNC_PAUSE;
	transfer->active_at_ms = loop_now_ms();
	if (goes_into_pipe(transfer))
		return size;
	if (streams) {
		append(&transfer->data, &transfer->data_size, bytes, size);
		note_pending(transfer);
		return size;
	}
	if (size > transfer->limit_bytes - transfer->response.body_size) {
		transfer->too_large = true;
		return 0;
	}
	append(&transfer->response.body, &transfer->response.body_size, bytes, size);
	return size;
}

static size_t on_header(char *line, size_t size, size_t count, void *context)
{
	struct http_transfer *transfer = context;

	transfer->active_at_ms = loop_now_ms();
	http_head_add(&transfer->head, &transfer->response, line, size * count);
	if (http_head_is_over(&transfer->head, transfer->client->curl, transfer->easy,
	                      &transfer->response))
		note_pending(transfer);
	return size * count;
}

/* ---- its life ---- */

static bool has_pipe(const struct http_transfer *transfer)
{
	return transfer->pipe || transfer->setup.body_pipe;
}

void http_transfer_leave(struct http_transfer *transfer)
{
	if (!transfer->in_multi)
		return;
	transfer->client->curl->multi_remove_handle(transfer->client->multi, transfer->easy);
	transfer->client->piped -= has_pipe(transfer);
	transfer->in_multi = false;
}

void http_transfer_free(struct http_transfer *transfer)
{
	const struct curl_api *curl;

	if (!transfer)
		return;
	curl = transfer->client->curl;
	unnote_pending(transfer);
	if (transfer->events)
		DL_DELETE(transfer->client->transfers, transfer);
	loop_cancel(transfer->idle_timer);
	http_transfer_leave(transfer);
	curl->easy_cleanup(transfer->easy);
	http_setup_release(&transfer->setup, curl);
	http_response_release(&transfer->response);
	error_free(transfer->error);
	free(transfer->data);
	free(transfer);
}

static bool set_callbacks(const struct curl_api *curl, struct http_transfer *transfer)
{
	CURL *easy = transfer->easy;

	return !curl->easy_setopt(easy, CURLOPT_PRIVATE, transfer) &&
	       !curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->detail) &&
	       !curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data) &&
	       !curl->easy_setopt(easy, CURLOPT_WRITEDATA, transfer) &&
	       !curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) &&
	       !curl->easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
}

struct http_transfer *http_transfer_new(struct http_client *client,
                                        const struct http_request *request, struct error **err)
{
	scoped(http_transfer) struct http_transfer *transfer = xcalloc(1, sizeof(*transfer));

	transfer->client = client;
	transfer->easy = client->curl->easy_init();
	transfer->response.content_length = transfer->response.retry_after_ms = -1;
	transfer->limit_bytes =
		request->max_response_bytes ? request->max_response_bytes : RESPONSE_LIMIT_BYTES;
	transfer->timeout_ms =
		request->timeout_ms ? request->timeout_ms : request->stall_timeout_ms;
	transfer->connect_timeout_ms =
		request->connect_timeout_ms ? request->connect_timeout_ms : CONNECT_TIMEOUT_MS;
	transfer->idle_timeout_ms = request->idle_timeout_ms;
	transfer->is_awaited = request->is_awaited;
	transfer->pipe = request->pipe;
	if (!transfer->easy || !set_callbacks(client->curl, transfer))
		return error_set(err, ERROR_INTERNAL, "libcurl gives no handle");
	if (!http_setup_apply(&transfer->setup, client->curl, transfer->easy, request, err))
		return NULL;
	return take(transfer);
}

bool http_transfer_enter(struct http_transfer *transfer, struct error **err)
{
	struct http_client *client = transfer->client;
	CURLMcode code = client->curl->multi_add_handle(client->multi, transfer->easy);

	if (code)
		return error_set(err, ERROR_INTERNAL, "libcurl: %s",
		                 client->curl->multi_strerror(code));
	transfer->in_multi = true;
	client->piped += has_pipe(transfer);
	transfer->active_at_ms = loop_now_ms();
	return true;
}

void http_transfer_finish(struct http_transfer *transfer, CURLcode code)
{
	struct http_failure failure = {
		/* libcurl takes a head that is cut in the middle for a whole answer. */
		.code = code == CURLE_OK && !transfer->head.complete ? CURLE_GOT_NOTHING : code,
		.detail = transfer->detail,
		.timeout_ms = transfer->timeout_ms,
		.connect_timeout_ms = transfer->connect_timeout_ms,
	};

	if (transfer->error)
		assert(!code); /* the reason is known already */
	else if (transfer->too_large)
		error_set(&transfer->error, ERROR_INVALID,
		          "the answer of %s is larger than %zu bytes", transfer->setup.origin,
		          transfer->limit_bytes);
	else if (failure.code)
		http_fault_set(&transfer->error, transfer->client->curl, transfer->easy,
		               &transfer->setup, &failure);
	if (!transfer->response.body)
		transfer->response.body = xstrdup("");
	transfer->finished = true;
	http_transfer_leave(transfer);
	note_pending(transfer);
}

/* ---- telling its caller ---- */

static void stop_by_caller(struct http_transfer *transfer)
{
	error_free(take(transfer->error));
	error_set(&transfer->error, ERROR_CANCELLED, "the transfer from %s was stopped",
	          transfer->setup.origin);
	free(take(transfer->data));
	transfer->data_size = 0;
	http_transfer_finish(transfer, CURLE_OK);
}

static void tell_data(struct http_transfer *transfer)
{
	/* Taken away first: more may arrive while data() runs, if it performs a request. */
	while (transfer->data_size && !transfer->cancelled) {
		size_t size = transfer->data_size;
		scoped(text) char *data = take(transfer->data);

		transfer->data_size = 0;
		if (!transfer->events->data(transfer->context, data, size) && !transfer->cancelled)
			stop_by_caller(transfer);
	}
}

static void resume(struct http_transfer *transfer)
{
	if (!transfer->paused)
		return;
	transfer->paused = false;
	transfer->active_at_ms = loop_now_ms();
	transfer->client->curl->easy_pause(transfer->easy, CURLPAUSE_CONT);
}

static void tell(struct http_transfer *transfer)
{
	const struct http_events *events = transfer->events;

	transfer->is_telling = true;
	if (transfer->head.complete && !transfer->told_head) {
		transfer->told_head = true;
		if (events->head)
			events->head(transfer->context, transfer->response.status,
			             &transfer->response);
	}
	tell_data(transfer);
	if (transfer->finished && !transfer->cancelled) {
		transfer->cancelled = true;
		events->ended(transfer->context, &transfer->response, transfer->error);
	}
	transfer->is_telling = false;
	if (transfer->cancelled)
		http_transfer_free(transfer);
	else
		resume(transfer);
}

void http_transfers_tell(struct http_transfer **list)
{
	while (*list) {
		struct http_transfer *transfer = *list;

		unnote_pending(transfer);
		tell(transfer);
	}
}
