/* SPDX-License-Identifier: Apache-2.0 */
/* When a request is sent again, and when its answer is final. */
#include "cloud/s3_call.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <utlist.h>

#include "cloud/s3_client.h"
#include "cloud/s3_error.h"
#include "core/loop.h"
#include "core/memory.h"
#include "core/text.h"

enum { TRIES = 3, BACKOFF_MAX_MS = 10000 };

struct s3_call {
	struct s3_call *prev, *next; /* in client->waiting */
	struct s3_client *client;
	struct s3_request request;
	s3_call_ended *ended;
	void *context;
	struct http_transfer *transfer;
	char *region; /* that it was sent to */
	struct loop_source *timer;
	int64_t retry_at_ms; /* monotonic; of an awaited call that waits */
	unsigned tries;
	bool is_awaited, is_waiting;
	bool has_moved, has_renewed; /* each is tried once */
};

static void s3_call_free(struct s3_call *call)
{
	if (!call)
		return;
	if (call->is_waiting)
		DL_DELETE(call->client->waiting, call);
	loop_cancel(call->timer);
	free(call->region);
	free(call);
}
DEFINE_CLEANUP(s3_call);

void s3_call_cancel(struct s3_call *call)
{
	if (!call)
		return;
	http_cancel(call->transfer);
	s3_call_free(call);
}

static void end(struct s3_call *call, struct http_response *response, struct error *error)
{
	const struct s3_request *request = &call->request;

	if (error)
		error_wrap(&error, "s3://%s/%s", request->bucket, request->key ? request->key : "");
	call->ended(call->context, response, error);
	error_free(error);
	s3_call_free(call);
}

static bool send(struct s3_call *call, struct error **err);

static void retry(struct s3_call *call)
{
	struct error *error = NULL;

	if (!send(call, &error))
		end(call, NULL, error);
}

static void timer_fired(void *context)
{
	struct s3_call *call = context;

	call->timer = NULL;
	retry(call);
}

static void wait(struct s3_call *call, int64_t delay_ms)
{
	struct s3_client *client = call->client;

	if (!call->is_awaited) {
		call->timer = loop_start_timer(http_client_loop(client->http), delay_ms,
		                               timer_fired, call);
		return;
	}
	call->retry_at_ms = loop_now_ms() + delay_ms;
	call->is_waiting = true;
	DL_APPEND(client->waiting, call);
}

/* Between a half and the whole of what doubles twice each time: clients that were told to slow down
 * at the same moment must not come back at the same one. */
static int64_t backoff_ms(const struct s3_call *call, const struct http_response *response)
{
	unsigned doublings = 2 * (call->tries - 1);
	int64_t delay_ms = doublings < 16 ? call->client->backoff_ms << doublings : BACKOFF_MAX_MS;
	uint32_t number = 0;

	if (delay_ms > BACKOFF_MAX_MS)
		delay_ms = BACKOFF_MAX_MS;
	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) == sizeof(number))
		delay_ms = delay_ms / 2 + number % (delay_ms / 2 + 1);
	if (response && response->retry_after_ms > delay_ms)
		delay_ms = response->retry_after_ms < BACKOFF_MAX_MS ? response->retry_after_ms
		                                                     : BACKOFF_MAX_MS;
	return delay_ms;
}

/* The bucket is elsewhere, and the server says where. */
static bool follow(struct s3_call *call, const struct http_response *response)
{
	bool may_rehost;
	scoped(text) char *region = s3_right_region(response, &may_rehost);

	if (call->has_moved || !region || text_equal(region, call->region))
		return false;
	/* Another call may have been told first. */
	if (!text_equal(region, call->client->region) &&
	    !s3_client_move(call->client, region, may_rehost))
		return false;
	call->has_moved = true;
	return true;
}

static bool renew(struct s3_call *call, const struct http_response *response)
{
	if (call->has_renewed || !call->client->chain ||
	    !s3_is_expiry(response, text_equal(call->request.method, "HEAD")))
		return false;
	call->has_renewed = true;
	return aws_chain_forget(call->client->chain);
}

/* Is another try worth it? After how long? */
static bool is_worth(struct s3_call *call, const struct http_response *response,
                     const struct error *error, int64_t *delay_ms)
{
	unsigned limit = call->request.tries ? call->request.tries : TRIES;

	if (!error && (follow(call, response) || renew(call, response))) {
		*delay_ms = 0;
		return true;
	}
	if (call->tries >= limit || (error ? !error_is_retryable(error) : !s3_is_passing(response)))
		return false;
	*delay_ms = backoff_ms(call, response);
	return true;
}

static void answered(void *context, const struct http_response *response, const struct error *error)
{
	struct s3_call *call = context;
	struct http_response own = { 0 };
	int64_t delay_ms;

	http_take_response(call->transfer, &own);
	(void)response;
	call->transfer = NULL;
	if (call->request.may_fail_late && own.status == 200 && s3_has_fault(&own))
		own.status = 500;
	if (is_worth(call, &own, error, &delay_ms))
		wait(call, delay_ms);
	else
		end(call, error ? NULL : &own, error_copy(error));
	http_response_release(&own);
}

static bool send(struct s3_call *call, struct error **err)
{
	static const struct http_events events = { .ended = answered };
	struct s3_signed prepared = { 0 };

	if (s3_request_sign(call->client, &call->request, &prepared, err)) {
		prepared.http.is_awaited = call->is_awaited;
		call->tries++;
		free(call->region);
		call->region = xstrdup(call->client->region);
		call->transfer = http_start(call->client->http, &prepared.http, &events, call, err);
	}
	s3_signed_release(&prepared);
	return call->transfer != NULL;
}

struct s3_call *s3_call_start(struct s3_client *client, const struct s3_request *request,
                              bool is_awaited, s3_call_ended *ended, void *context,
                              struct error **err)
{
	scoped(s3_call) struct s3_call *call = xcalloc(1, sizeof(*call));

	call->client = client;
	call->request = *request;
	call->is_awaited = is_awaited;
	call->ended = ended;
	call->context = context;
	if (!s3_request_check(request, err) || !send(call, err))
		return NULL;
	return take(call);
}

static struct s3_call *first_waiting(struct s3_client *client)
{
	struct s3_call *call, *first = client->waiting;

	DL_FOREACH (client->waiting, call)
		if (call->retry_at_ms < first->retry_at_ms)
			first = call;
	return first;
}

void s3_call_await(struct s3_client *client, int wake_fd)
{
	struct s3_call *first = first_waiting(client);

	http_await(client->http, first ? first->retry_at_ms : -1, wake_fd);
	while ((first = first_waiting(client)) && first->retry_at_ms <= loop_now_ms()) {
		DL_DELETE(client->waiting, first);
		first->is_waiting = false;
		retry(first);
	}
}
