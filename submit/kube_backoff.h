/* SPDX-License-Identifier: Apache-2.0 */
/* How long to wait before the next try; a part of submit/kube_stream. */
#ifndef SUBMIT_KUBE_BACKOFF_H
#define SUBMIT_KUBE_BACKOFF_H

#include <stdint.h>

struct kube_backoff {
	int64_t delay_ms; /* of the next try; 0: at once */
	unsigned tries;   /* since the last reset */
};

/* 0, then 100 ms doubling to 10 s, each between a half and the whole of it. */
int64_t kube_backoff_next(struct kube_backoff *backoff);
void kube_backoff_reset(struct kube_backoff *backoff);

#endif
