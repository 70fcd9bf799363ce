/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of a copy. Callbacks only note what they are told. */
#include "cloud/oci_leg.h"

#include "core/memory.h"

static void on_head(void *context, int status, const struct http_response *head)
{
	struct oci_leg *leg = context;

	leg->has_head = true;
	leg->status = status;
	leg->length_bytes = head->content_length;
	leg->traffic->told(leg->traffic->context);
}

static void on_end(void *context, const struct http_response *response, const struct error *error)
{
	struct oci_leg *leg = context;

	(void)response;
	leg->error = error_copy(error);
	http_take_response(leg->transfer, &leg->response);
	leg->transfer = NULL;
	leg->has_ended = true;
	leg->traffic->told(leg->traffic->context);
}

static const struct http_events events = { .head = on_head, .ended = on_end };

static void forget_answer(struct oci_leg *leg)
{
	http_response_release(&leg->response);
	error_free(take(leg->error));
	leg->has_head = leg->has_ended = false;
	leg->status = 0;
}

bool oci_leg_start(struct oci_leg *leg, const struct oci_traffic *traffic, struct error **err)
{
	struct http_request http;

	forget_answer(leg);
	leg->traffic = traffic;
	leg->exchange.request = &leg->request;
	if (!oci_exchange_next(&leg->exchange, &http, err))
		return false;
	http.is_awaited = traffic->is_awaited;
	leg->transfer = http_start(traffic->http, &http, &events, leg, err);
	return leg->transfer;
}

enum oci_verdict oci_leg_judge(struct oci_leg *leg, int64_t *delay_ms, struct error **err)
{
	return oci_exchange_judge(&leg->exchange, take(leg->error), &leg->response, delay_ms, err);
}

void oci_leg_stop(struct oci_leg *leg)
{
	http_cancel(leg->transfer);
	forget_answer(leg);
	oci_exchange_release(&leg->exchange);
	*leg = (struct oci_leg){ 0 };
}
