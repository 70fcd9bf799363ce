/* SPDX-License-Identifier: Apache-2.0 */
/* How a call is sent, and when it is sent again: what submit/kube_client (which waits) and
 * submit/kube_exchange (which does not) have in common. */
#ifndef SUBMIT_KUBE_SEND_H
#define SUBMIT_KUBE_SEND_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "core/http.h"
#include "submit/kube_backoff.h"
#include "submit/kube_call.h"
#include "submit/kube_client.h"

struct kube_client {
	struct http_client *http;
	struct kube_config *config;
	unsigned renewals; /* how often a fresh credential was asked for */
	bool has_clock;    /* an answer told the server's time */
	int64_t clock_ahead_ms;
};

/* A call in HTTP's terms, with what that borrows. */
struct kube_prepared {
	struct http_request request;
	struct http_tls tls;
	char *url;
	char *authorization, *content_type, *user_password;
	const char *headers[4];
};
/* May run a credential plugin. The call must live as long as `prepared`, which is released in any
 * case. */
bool kube_prepare(struct kube_prepared *prepared, struct kube_client *client,
                  const struct kube_call *call, bool fresh, struct error **err);
void kube_prepared_release(struct kube_prepared *prepared);

/* The tries of one call. */
struct kube_tries {
	int64_t deadline_ms; /* of all together; monotonic */
	/* private */
	struct kube_backoff backoff;
	bool refused;      /* by a 401, once */
	bool renews;       /* the next one has a fresh credential, unless there is one by now */
	unsigned renewals; /* the client's when the last one was sent */
};
void kube_tries_begin(struct kube_tries *tries);
/* kube_prepare() for the next try, with the time that is left. */
bool kube_tries_prepare(struct kube_tries *tries, struct kube_client *client,
                        const struct kube_call *call, struct kube_prepared *prepared,
                        struct error **err);
/*
 * After an answer of 300 or more, or none (`error`; the answer is not looked at then): true when
 * it is to be tried once more, after *delay_ms. Of many calls that a 401 meets at the same time
 * only the first renews the credential.
 */
bool kube_tries_again(struct kube_tries *tries, const struct kube_client *client,
                      const struct http_response *answer, const struct error *error,
                      int64_t *delay_ms);

/* The object in an answer below 300; INVALID when there is none. Owned by the caller. */
json_t *kube_answer_object(const struct kube_client *client, const struct http_response *answer,
                           struct error **err);

#endif
