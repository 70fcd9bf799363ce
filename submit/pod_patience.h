/* SPDX-License-Identifier: Apache-2.0 */
/* How long a pod is waited for until it starts. Without a clock of its own. */
#ifndef SUBMIT_POD_PATIENCE_H
#define SUBMIT_POD_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "submit/pod_status.h"

/* Times are monotonic, in milliseconds (loop_now_ms); -1: never. */
struct pod_patience {
	/* private */
	int64_t start_by_ms;
	int64_t hopeless_at_ms;
};

enum pod_patience_verdict {
	POD_PATIENCE_LEFT,
	POD_START_TIMED_OUT,
	POD_HOPELESS, /* the status says why; waiting longer does not help */
};

/* start_timeout_ms 0: for ever. */
void pod_patience_begin(struct pod_patience *patience, int64_t start_timeout_ms, int64_t now_ms);

/*
 * What the pod is now. What cannot mend itself (pod_status.hopeless: a name that is no image's, a
 * missing Secret …) is hopeless at once; an image that cannot be pulled after 30 s, since a
 * registry may stumble and the kubelet tries again after 10 s, then 20 s. Once the pod has started
 * patience has no end any more.
 */
void pod_patience_see(struct pod_patience *patience, const struct pod_status *status,
                      int64_t now_ms);

/* When the verdict changes unless something else is seen before. */
int64_t pod_patience_deadline_ms(const struct pod_patience *patience);
enum pod_patience_verdict pod_patience_judge(const struct pod_patience *patience, int64_t now_ms);

#endif
