/* SPDX-License-Identifier: Apache-2.0 */
/* What a Pod's status means: phase, why it waits, how it ended, and what to do about it. A pure
 * function of the object. */
#ifndef SUBMIT_POD_STATUS_H
#define SUBMIT_POD_STATUS_H

#include <jansson.h>
#include <stdbool.h>

enum pod_phase {
	POD_PENDING,
	POD_RUNNING, /* the named container runs */
	POD_SUCCEEDED,
	POD_FAILED,
};

struct pod_status {
	enum pod_phase phase;
	/* One word as Kubernetes has it: Unschedulable, ErrImagePull, ImagePullBackOff,
	 * CreateContainerConfigError, OOMKilled, Evicted, Error, DeadlineExceeded, NodeLost, …;
	 * NULL when there is none. Owned. */
	char *reason;
	char *message; /* Kubernetes' own text; or NULL. Owned. */
	char *advice;  /* one sentence: what to do; or NULL. Owned. */
	bool hopeless; /* waiting, and waiting longer does not help: InvalidImageName,
	                  ErrImageNeverPull, CreateContainerConfigError … */
	bool has_exit_code;
	int exit_code;             /* of the named container */
	char *termination_message; /* what it wrote to /dev/termination-log; or NULL. Owned. */
	char *node;                /* or NULL. Owned. */
};

/* `container` NULL: the first. Treats "Failed without containerStatuses" and a deleted pod's last
 * state as first-class outcomes. */
void pod_status_read(const json_t *pod, const char *container, struct pod_status *status);
void pod_status_release(struct pod_status *status);
const char *pod_phase_name(enum pod_phase phase);

#endif
