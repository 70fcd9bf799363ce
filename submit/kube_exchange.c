/* SPDX-License-Identifier: Apache-2.0 */
/* One request on the loop: sent, sent again after a while, told. */
#include "submit/kube_exchange.h"

#include "core/memory.h"
#include "submit/kube_request.h"
#include "submit/kube_send.h"

struct kube_exchange {
	struct kube_client *client;
	struct kube_call *call;
	struct kube_tries tries;
	struct kube_prepared prepared; /* of the transfer, which borrows it */
	struct http_transfer *transfer;
	struct loop_source *timer; /* until the next try, or until `failure` is told */
	struct error *failure;
	kube_exchange_ended *ended;
	void *context;
};

static void exchange_free(struct kube_exchange *exchange)
{
	kube_prepared_release(&exchange->prepared);
	kube_call_free(exchange->call);
	error_free(exchange->failure);
	free(exchange);
}

void kube_exchange_cancel(struct kube_exchange *exchange)
{
	if (!exchange)
		return;
	http_cancel(exchange->transfer);
	loop_cancel(exchange->timer);
	exchange_free(exchange);
}

static void tell(struct kube_exchange *exchange, json_t *answer)
{
	if (exchange->failure)
		error_wrap(&exchange->failure, "%s", exchange->call->purpose);
	exchange->ended(exchange->context, exchange->failure ? NULL : answer, exchange->failure);
	exchange_free(exchange);
}

static void timer_fired(void *context);
static void transfer_ended(void *context, const struct http_response *response,
                           const struct error *error);

static const struct http_events events = { .ended = transfer_ended };

static void go_on_in(struct kube_exchange *exchange, int64_t delay_ms)
{
	exchange->timer = loop_start_timer(kube_client_loop(exchange->client), delay_ms,
	                                   timer_fired, exchange);
}

static void send_call(struct kube_exchange *exchange)
{
	kube_prepared_release(&exchange->prepared);
	if (kube_tries_prepare(&exchange->tries, exchange->client, exchange->call,
	                       &exchange->prepared, &exchange->failure))
		exchange->transfer = http_start(exchange->client->http, &exchange->prepared.request,
		                                &events, exchange, &exchange->failure);
	if (exchange->failure)
		go_on_in(exchange, 0);
}

static void timer_fired(void *context)
{
	struct kube_exchange *exchange = context;

	exchange->timer = NULL;
	if (exchange->failure)
		tell(exchange, NULL);
	else
		send_call(exchange);
}

static void tell_answer(struct kube_exchange *exchange, const struct http_response *response)
{
	json_auto_t *answer = NULL;

	if (response->status >= 300)
		kube_status_error(response->status, response->body, response->body_size,
		                  &exchange->failure);
	else if (!exchange->call->blind)
		answer = kube_answer_object(exchange->client, response, &exchange->failure);
	tell(exchange, answer);
}

static void transfer_ended(void *context, const struct http_response *response,
                           const struct error *error)
{
	struct kube_exchange *exchange = context;
	scoped(error) struct error *silence = error_copy(error);
	int64_t delay_ms;

	exchange->transfer = NULL;
	if (silence)
		kube_client_explain(exchange->client, &silence);
	if ((silence || response->status >= 300) &&
	    kube_tries_again(&exchange->tries, exchange->client, response, silence, &delay_ms)) {
		go_on_in(exchange, delay_ms);
		return;
	}
	exchange->failure = take(silence);
	if (exchange->failure)
		tell(exchange, NULL);
	else
		tell_answer(exchange, response);
}

struct kube_exchange *kube_exchange_start_take(struct kube_client *client, struct kube_call *call,
                                               kube_exchange_ended *ended, void *context)
{
	struct kube_exchange *exchange = xcalloc(1, sizeof(*exchange));

	exchange->client = client;
	exchange->call = call;
	exchange->ended = ended;
	exchange->context = context;
	kube_tries_begin(&exchange->tries);
	send_call(exchange);
	return exchange;
}
