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

/*
 * `container` NULL: the first. Its end is the pod's end when it is not started again
 * (restartPolicy), whatever side cars still do. "Failed without containerStatuses" is a first-class
 * outcome. A pod that is being deleted has the reason Terminating until it has ended.
 */
void pod_status_read(const json_t *pod, const char *container, struct pod_status *status);
/* The last state of a pod that is gone: what was still open is POD_FAILED, with the reason Deleted
 * (or what is known of its node). */
void pod_status_read_deleted(const json_t *pod, const char *container, struct pod_status *status);
/*
 * What the pod's events (items of a list) say where its own status does not: the newest warning
 * (FailedMount, FailedCreatePodSandBox, …) becomes reason, message and advice. Without one nothing
 * changes.
 */
void pod_status_add_events(struct pod_status *status, const json_t *events);
void pod_status_release(struct pod_status *status);
const char *pod_phase_name(enum pod_phase phase);

#endif
