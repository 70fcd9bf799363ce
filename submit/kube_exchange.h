/* SPDX-License-Identifier: Apache-2.0 */
/* One request to the API server on the loop: kube_client's rules without waiting. */
#ifndef SUBMIT_KUBE_EXCHANGE_H
#define SUBMIT_KUBE_EXCHANGE_H

#include <jansson.h>

#include "core/error.h"
#include "submit/kube_call.h"
#include "submit/kube_client.h"

struct kube_exchange;

/* From the loop, once; the exchange is gone then. On success `error` is NULL, and `answer` the
 * object that came (borrowed; NULL for a call that is `blind`). An error begins with the call's
 * purpose. */
typedef void kube_exchange_ended(void *context, json_t *answer, const struct error *error);

/*
 * Takes the call. Retries, deadline, credentials and errors as in kube_client.h; a fault that shows
 * at once is told from the loop as well. Waits only for a credential plugin.
 */
struct kube_exchange *kube_exchange_start_take(struct kube_client *client, struct kube_call *call,
                                               kube_exchange_ended *ended, void *context);
/* NULL is allowed. The server may have the request already; no callback comes. Not to be used once
 * ended() was called. */
void kube_exchange_cancel(struct kube_exchange *exchange);

#endif
