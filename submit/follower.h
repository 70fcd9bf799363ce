/* SPDX-License-Identifier: Apache-2.0 */
/* Follows driver pods to their ends, however many: one watch per namespace. */
#ifndef SUBMIT_FOLLOWER_H
#define SUBMIT_FOLLOWER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "submit/kube_client.h"
#include "submit/pod_status.h"

struct follower;

/* Called from the loop; all is borrowed but `item`, which is follower_add()'s. Pods may be added
 * and removed, and the follower be freed, within any of them. */
struct follower_events {
	/* The pod's state is another one. */
	void (*changed)(void *context, void *item, const struct pod_status *status,
	                const json_t *pod);
	/* POD_SUCCEEDED or POD_FAILED. A pod that was taken away before its end has failed, with
	 * the reason Deleted; `pod` is then its last state, or NULL when none was ever seen. Last
	 * call for this item. */
	void (*ended)(void *context, void *item, const struct pod_status *status,
	              const json_t *pod);
	/*
	 * Waiting longer does not help; the pod is as it was: whether to delete it is the caller's
	 * decision. TIMEOUT: the driver has not started in time, or never will (image, Secret or
	 * ConfigMap missing …), and the text says why, by the pod's events where its status does
	 * not; status->advice says what to do. AUTH: for a minute the API server has not let us
	 * watch. `status` is as last seen. Last call for this item.
	 */
	void (*gave_up)(void *context, void *item, const struct pod_status *status,
	                const struct error *error);
	/* Nothing is seen at present, and why; NULL: all is well again. Optional. */
	void (*trouble)(void *context, const struct error *error);
};

struct follower_options {
	/* What the pods have in common; NULL: "spark-role=driver,stepop.dev/submission". A pod that
	 * is alone in its namespace is watched by its name. */
	const char *label_selector;
	/* From follower_add() until the driver runs; 0: for ever. */
	int64_t start_timeout_ms;
};

/* `client` and `events` are borrowed; makes no request. */
struct follower *follower_new(struct kube_client *client, const struct follower_options *options,
                              const struct follower_events *events, void *context);
/* NULL is allowed. The pods are left alone, and no callback comes after this. */
void follower_free(struct follower *follower);
DEFINE_CLEANUP(follower);

/*
 * Follows a pod that exists already, as it was stored (its namespace, name and uid count): one that
 * is not found any more has been deleted. `container` NULL: the first; copied. What the pod is at
 * present comes as the first call, from the loop. False when this pod is followed already.
 */
bool follower_add(struct follower *follower, const json_t *pod, const char *container, void *item);
/* No callback comes for this item any more. One that is not followed is a success. */
void follower_remove(struct follower *follower, const void *item);
/* How many are followed at present. */
size_t follower_count(const struct follower *follower);

#endif
