/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP over one libcurl multi handle. libcurl's sockets live in an epoll set of the client's own,
 * which the loop watches as one descriptor: http_perform() can wait for that set alone, while no
 * other source of the loop is served. What arrives is only noted inside libcurl's callbacks;
 * callers are told afterwards, so that they may start, cancel and perform as they like.
 */
#include "core/http.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <utlist.h>

#include "core/clock.h"
#include "core/curl.h"
#include "core/http_fault.h"
#include "core/http_head.h"
#include "core/http_setup.h"
#include "core/log.h"
#include "core/text.h"

#define PERFORM_TIMEOUT_MS 30000
#define CONNECT_TIMEOUT_MS 10000
#define RESPONSE_LIMIT_BYTES ((size_t)64 << 20)
/* A stream whose data cannot be told yet is read up to here; then TCP holds the server back. */
#define BACKLOG_LIMIT_BYTES ((size_t)1 << 20)

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

static void client_arm(struct http_client *client);
static void client_ready(void *context, uint32_t events);

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

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *socket_context)
{
	struct http_client *client = context;
	struct epoll_event event = { .data.fd = fd };

	(void)easy;
	(void)socket_context;
	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(client->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	if (what & CURL_POLL_IN)
		event.events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		event.events |= EPOLLOUT;
	if (epoll_ctl(client->epoll_fd, EPOLL_CTL_MOD, fd, &event) && errno == ENOENT)
		epoll_ctl(client->epoll_fd, EPOLL_CTL_ADD, fd, &event);
	return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *context)
{
	struct http_client *client = context;

	(void)multi;
	client->timer_at_ms = timeout_ms < 0 ? -1 : loop_now_ms() + timeout_ms;
	return 0;
}

/* ---- transfers ---- */

static bool has_pipe(const struct http_transfer *transfer)
{
	return transfer->pipe || transfer->setup.body_pipe;
}

static void leave_multi(struct http_transfer *transfer)
{
	if (!transfer->in_multi)
		return;
	transfer->client->curl->multi_remove_handle(transfer->client->multi, transfer->easy);
	transfer->client->piped -= has_pipe(transfer);
	transfer->in_multi = false;
}

static void http_transfer_free(struct http_transfer *transfer)
{
	const struct curl_api *curl;

	if (!transfer)
		return;
	curl = transfer->client->curl;
	unnote_pending(transfer);
	if (transfer->events)
		DL_DELETE(transfer->client->transfers, transfer);
	loop_cancel(transfer->idle_timer);
	leave_multi(transfer);
	curl->easy_cleanup(transfer->easy);
	http_setup_release(&transfer->setup, curl);
	http_response_release(&transfer->response);
	error_free(transfer->error);
	free(transfer->data);
	free(transfer);
}
DEFINE_CLEANUP(http_transfer);

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

/* What the client's deadline leaves of the request's own time. */
static bool limit_time(const struct http_client *client, struct http_request *request,
                       struct error **err)
{
	int64_t left_ms = client->deadline_ms - loop_now_ms();

	if (!client->deadline_ms)
		return true;
	if (left_ms <= 0)
		return error_set(err, ERROR_TIMEOUT, "the time for it is over");
	if (!request->timeout_ms || request->timeout_ms > left_ms)
		request->timeout_ms = left_ms;
	return true;
}

static struct http_transfer *transfer_new(struct http_client *client,
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

static bool enter_multi(struct http_transfer *transfer, struct error **err)
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

static void finish(struct http_transfer *transfer, CURLcode code)
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
	leave_multi(transfer);
	note_pending(transfer);
}

/* ---- driving libcurl ---- */

static void collect_finished(struct http_client *client)
{
	CURLMsg *message;
	int left;

	while ((message = client->curl->multi_info_read(client->multi, &left))) {
		CURLcode code = message->data.result;
		struct http_transfer *transfer = NULL;

		client->curl->easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		finish(transfer, code);
	}
}

/* libcurl's callbacks only note that an end of a pipe has to wait: the other end's handle must not
 * be touched from within them. */
static void wake_pipes(struct http_client *client)
{
	struct http_transfer *transfer;

	if (!client->piped)
		return;
	DL_FOREACH (client->transfers, transfer) {
		const struct http_setup *setup = &transfer->setup;
		bool wakes = transfer->pipe && http_pipe_wakes_writer(transfer->pipe);

		if (setup->body_pipe &&
		    http_pipe_wakes_reader(setup->body_pipe, setup->body_size - setup->body_done))
			wakes = true;
		if (wakes && transfer->in_multi)
			client->curl->easy_pause(transfer->easy, CURLPAUSE_CONT);
	}
}

static int wait_ms(const struct http_client *client, int64_t deadline_ms)
{
	int64_t until_ms = deadline_ms, left_ms;

	if (client->timer_at_ms >= 0 && (until_ms < 0 || client->timer_at_ms < until_ms))
		until_ms = client->timer_at_ms;
	if (until_ms < 0)
		return -1;
	left_ms = until_ms - loop_now_ms();
	return left_ms < 0 ? 0 : left_ms > 60000 ? 60000 : (int)left_ms;
}

/* Lets libcurl work on what is ready, at most until the deadline (0: now); tells nobody. */
static void client_drive(struct http_client *client, int64_t deadline_ms)
{
	struct epoll_event events[32];
	int running, i;
	int count = epoll_wait(client->epoll_fd, events, ARRAY_SIZE(events),
	                       wait_ms(client, deadline_ms));

	for (i = 0; i < count; i++) {
		int flags = (events[i].events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
		            (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
		            (events[i].events & EPOLLERR ? CURL_CSELECT_ERR : 0);

		client->curl->multi_socket_action(client->multi, events[i].data.fd, flags,
		                                  &running);
	}
	if (client->timer_at_ms >= 0 && client->timer_at_ms <= loop_now_ms()) {
		client->timer_at_ms = -1;
		client->curl->multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	wake_pipes(client);
	collect_finished(client);
}

/* ---- telling callers ---- */

static void stop_by_caller(struct http_transfer *transfer)
{
	error_free(take(transfer->error));
	error_set(&transfer->error, ERROR_CANCELLED, "the transfer from %s was stopped",
	          transfer->setup.origin);
	free(take(transfer->data));
	transfer->data_size = 0;
	finish(transfer, CURLE_OK);
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

static void tell_all(struct http_transfer **list)
{
	while (*list) {
		struct http_transfer *transfer = *list;

		unnote_pending(transfer);
		tell(transfer);
	}
}

static void client_tell(struct http_client *client)
{
	tell_all(&client->pending);
}

static void client_run(struct http_client *client)
{
	client_drive(client, 0);
	client_tell(client);
	client_arm(client);
}

static void client_ready(void *context, uint32_t events)
{
	(void)events;
	client_run(context);
}

static void timer_fired(void *context)
{
	struct http_client *client = context;

	client->timer = NULL;
	client_run(client);
}

/* The loop has a source of ours only while there is something to wait for: it ends otherwise. */
static void client_arm(struct http_client *client)
{
	int64_t delay_ms;

	if (client->transfers && !client->watch)
		client->watch = loop_watch_fd(client->loop, client->epoll_fd, EPOLLIN, client_ready,
		                              client);
	else if (!client->transfers)
		loop_cancel(take(client->watch));
	loop_cancel(take(client->timer));
	if (!client->transfers || (!client->pending && client->timer_at_ms < 0))
		return;
	delay_ms = client->pending ? 0 : client->timer_at_ms - loop_now_ms();
	client->timer =
		loop_start_timer(client->loop, delay_ms < 0 ? 0 : delay_ms, timer_fired, client);
}

static void idle_fired(void *context)
{
	struct http_transfer *transfer = context;
	struct http_client *client = transfer->client;
	int64_t left_ms;

	transfer->idle_timer = NULL;
	client_drive(client, 0); /* what came while nobody looked counts */
	left_ms = transfer->active_at_ms + transfer->idle_timeout_ms - loop_now_ms();
	if (transfer->paused && left_ms <= 0)
		left_ms = transfer->idle_timeout_ms;
	if (!transfer->finished && left_ms > 0) {
		transfer->idle_timer =
			loop_start_timer(client->loop, left_ms, idle_fired, transfer);
	} else if (!transfer->finished) {
		scoped(text) char *silence = clock_format_duration(transfer->idle_timeout_ms);

		error_set(&transfer->error, ERROR_TIMEOUT, "nothing came from %s for %s",
		          transfer->setup.origin, silence);
		finish(transfer, CURLE_OK);
	}
	client_tell(client);
	client_arm(client);
}

/* ---- the client ---- */

struct http_client *http_client_new(struct loop *loop)
{
	struct http_client *client = xcalloc(1, sizeof(*client));

	client->loop = loop;
	client->epoll_fd = -1;
	client->timer_at_ms = -1;
	return client;
}

struct loop *http_client_loop(const struct http_client *client)
{
	return client->loop;
}

static bool client_open(struct http_client *client, struct error **err)
{
	const struct curl_api *curl;

	if (client->multi)
		return true;
	curl = curl_api_load(err);
	if (!curl)
		return false;
	client->curl = curl;
	client->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (client->epoll_fd < 0)
		return error_set(err, ERROR_INTERNAL, "epoll_create1: %m");
	client->multi = curl->multi_init();
	if (!client->multi ||
	    curl->multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket) ||
	    curl->multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client) ||
	    curl->multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timer) ||
	    curl->multi_setopt(client->multi, CURLMOPT_TIMERDATA, client))
		return error_set(err, ERROR_INTERNAL, "libcurl gives no multi handle");
	return true;
}

void http_client_free(struct http_client *client)
{
	if (!client)
		return;
	while (client->transfers)
		http_transfer_free(client->transfers);
	loop_cancel(client->watch);
	loop_cancel(client->timer);
	if (client->multi)
		client->curl->multi_cleanup(client->multi);
	fd_cleanup(&client->epoll_fd);
	free(client);
}

void http_client_set_deadline(struct http_client *client, int64_t deadline_ms)
{
	client->deadline_ms = deadline_ms;
}

void http_client_set_tick(struct http_client *client, int64_t interval_ms,
                          void (*tick)(void *context), void *context)
{
	client->tick = tick;
	client->tick_context = context;
	client->tick_interval_ms = interval_ms;
	client->tick_at_ms = loop_now_ms() + interval_ms;
}

static int64_t until_tick(const struct http_client *client, int64_t deadline_ms)
{
	if (!client->tick || (deadline_ms >= 0 && deadline_ms < client->tick_at_ms))
		return deadline_ms;
	return client->tick_at_ms;
}

static void tick(struct http_client *client)
{
	if (!client->tick || loop_now_ms() < client->tick_at_ms)
		return;
	client->tick_at_ms = loop_now_ms() + client->tick_interval_ms;
	client->tick(client->tick_context);
}

static void client_wait(struct http_client *client, int64_t deadline_ms)
{
	client_drive(client, until_tick(client, deadline_ms));
	tick(client);
}

bool http_perform(struct http_client *client, const struct http_request *request,
                  struct http_response *response, struct error **err)
{
	scoped(http_transfer) struct http_transfer *transfer = NULL;
	struct http_request limited = *request;

	if (!limited.timeout_ms)
		limited.timeout_ms = PERFORM_TIMEOUT_MS;
	if (!limit_time(client, &limited, err) || !client_open(client, err))
		return false;
	transfer = transfer_new(client, &limited, err);
	if (!transfer || !enter_multi(transfer, err))
		return false;
	while (!transfer->finished)
		client_wait(client, -1);
	client_arm(client);
	if (transfer->error)
		return error_pass(err, take(transfer->error));
	*response = transfer->response;
	transfer->response = (struct http_response){ 0 };
	return true;
}

void http_wait(struct http_client *client, int64_t delay_ms)
{
	int64_t deadline_ms = loop_now_ms() + delay_ms;

	if (!client_open(client, NULL))
		return;
	if (client->deadline_ms && deadline_ms > client->deadline_ms)
		deadline_ms = client->deadline_ms;
	while (loop_now_ms() < deadline_ms)
		client_wait(client, deadline_ms);
	client_arm(client);
}

/* Nothing is lost by not driving at once: the sockets stay ready. */
static bool woken(const struct http_client *client, int64_t deadline_ms, int wake_fd)
{
	struct pollfd fds[] = { { .fd = client->epoll_fd, .events = POLLIN },
		                { .fd = wake_fd, .events = POLLIN } };

	return poll(fds, ARRAY_SIZE(fds), wait_ms(client, until_tick(client, deadline_ms))) > 0 &&
	       fds[1].revents;
}

void http_await(struct http_client *client, int64_t deadline_ms, int wake_fd)
{
	if (!client_open(client, NULL))
		return;
	while (!client->awaited && (deadline_ms < 0 || loop_now_ms() < deadline_ms) &&
	       !woken(client, deadline_ms, wake_fd)) {
		client_drive(client, 0);
		tick(client);
	}
	tell_all(&client->awaited);
	client_arm(client);
}

void http_take_response(struct http_transfer *transfer, struct http_response *response)
{
	assert(transfer->is_telling && transfer->finished);
	*response = transfer->response;
	transfer->response = (struct http_response){ 0 };
}

struct http_transfer *http_start(struct http_client *client, const struct http_request *request,
                                 const struct http_events *events, void *context,
                                 struct error **err)
{
	scoped(http_transfer) struct http_transfer *transfer = NULL;
	struct http_request limited = *request;

	if (!limit_time(client, &limited, err) || !client_open(client, err))
		return NULL;
	transfer = transfer_new(client, &limited, err);
	if (!transfer || !enter_multi(transfer, err))
		return NULL;
	transfer->events = events;
	transfer->context = context;
	DL_APPEND(client->transfers, transfer);
	if (transfer->idle_timeout_ms)
		transfer->idle_timer = loop_start_timer(client->loop, transfer->idle_timeout_ms,
		                                        idle_fired, transfer);
	client_arm(client);
	return take(transfer);
}

void http_cancel(struct http_transfer *transfer)
{
	struct http_client *client;

	if (!transfer)
		return;
	client = transfer->client;
	transfer->cancelled = true;
	leave_multi(transfer);
	if (!transfer->is_telling)
		http_transfer_free(transfer);
	client_arm(client);
}
