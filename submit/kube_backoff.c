/* SPDX-License-Identifier: Apache-2.0 */
/* Growing delays with jitter. */
#include "submit/kube_backoff.h"

#include <stdlib.h>
#include <sys/random.h>

#define FIRST_MS 100
#define LAST_MS 10000

/* Clients that were cut at the same moment must not come back at the same one. */
static int64_t with_jitter(int64_t delay_ms)
{
	uint32_t number = 0;

	if (!delay_ms || getrandom(&number, sizeof(number), GRND_NONBLOCK) != sizeof(number))
		return delay_ms;
	return delay_ms / 2 + number % (delay_ms / 2 + 1);
}

int64_t kube_backoff_next(struct kube_backoff *backoff)
{
	int64_t delay_ms = backoff->delay_ms;

	backoff->tries++;
	backoff->delay_ms = delay_ms ? 2 * delay_ms : FIRST_MS;
	if (backoff->delay_ms > LAST_MS)
		backoff->delay_ms = LAST_MS;
	return with_jitter(delay_ms);
}

void kube_backoff_reset(struct kube_backoff *backoff)
{
	*backoff = (struct kube_backoff){ 0 };
}
