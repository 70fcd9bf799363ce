/* SPDX-License-Identifier: Apache-2.0 */
/* Drives libcurl's multi handle by an epoll set of its sockets. */
#include <errno.h>
#include <sys/epoll.h>
#include <utlist.h>

#include "core/http_private.h"

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

bool http_drive_open(struct http_client *client, struct error **err)
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

static void collect_finished(struct http_client *client)
{
	CURLMsg *message;
	int left;

	while ((message = client->curl->multi_info_read(client->multi, &left))) {
		CURLcode code = message->data.result;
		struct http_transfer *transfer = NULL;

		client->curl->easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
		http_transfer_finish(transfer, code);
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

int http_drive_wait_ms(const struct http_client *client, int64_t deadline_ms)
{
	int64_t until_ms = deadline_ms, left_ms;

	if (client->timer_at_ms >= 0 && (until_ms < 0 || client->timer_at_ms < until_ms))
		until_ms = client->timer_at_ms;
	if (until_ms < 0)
		return -1;
	left_ms = until_ms - loop_now_ms();
	return left_ms < 0 ? 0 : left_ms > 60000 ? 60000 : (int)left_ms;
}

void http_drive(struct http_client *client, int64_t deadline_ms)
{
	struct epoll_event events[32];
	int running, i;
	int count = epoll_wait(client->epoll_fd, events, ARRAY_SIZE(events),
	                       http_drive_wait_ms(client, deadline_ms));

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
