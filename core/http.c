/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP over one libcurl multi handle. libcurl's sockets live in an epoll set of the client's own,
 * which the loop watches as one descriptor: http_perform() can wait for that set alone, while no
 * other source of the loop is served. What arrives is only noted inside libcurl's callbacks;
 * callers are told afterwards, so that they may start, cancel and perform as they like.
 */
#include <assert.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <utlist.h>

#include "core/clock.h"
#include "core/http_private.h"
#include "core/text.h"

#define PERFORM_TIMEOUT_MS 30000

static void client_arm(struct http_client *client);

/* ---- on the loop ---- */

static void client_run(struct http_client *client)
{
	http_drive(client, 0);
	http_transfers_tell(&client->pending);
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
	http_drive(client, 0); /* what came while nobody looked counts */
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
		http_transfer_finish(transfer, CURLE_OK);
	}
	http_transfers_tell(&client->pending);
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
	http_drive(client, until_tick(client, deadline_ms));
	tick(client);
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

bool http_perform(struct http_client *client, const struct http_request *request,
                  struct http_response *response, struct error **err)
{
	scoped(http_transfer) struct http_transfer *transfer = NULL;
	struct http_request limited = *request;

	if (!limited.timeout_ms)
		limited.timeout_ms = PERFORM_TIMEOUT_MS;
	if (!limit_time(client, &limited, err) || !http_drive_open(client, err))
		return false;
	transfer = http_transfer_new(client, &limited, err);
	if (!transfer || !http_transfer_enter(transfer, err))
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

	if (!http_drive_open(client, NULL))
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

	return poll(fds, ARRAY_SIZE(fds),
	            http_drive_wait_ms(client, until_tick(client, deadline_ms))) > 0 &&
	       fds[1].revents;
}

void http_await(struct http_client *client, int64_t deadline_ms, int wake_fd)
{
	if (!http_drive_open(client, NULL))
		return;
	while (!client->awaited && (deadline_ms < 0 || loop_now_ms() < deadline_ms) &&
	       !woken(client, deadline_ms, wake_fd)) {
		http_drive(client, 0);
		tick(client);
	}
	http_transfers_tell(&client->awaited);
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

	if (!limit_time(client, &limited, err) || !http_drive_open(client, err))
		return NULL;
	transfer = http_transfer_new(client, &limited, err);
	if (!transfer || !http_transfer_enter(transfer, err))
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
	http_transfer_leave(transfer);
	if (!transfer->is_telling)
		http_transfer_free(transfer);
	client_arm(client);
}
