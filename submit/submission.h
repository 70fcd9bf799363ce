/* SPDX-License-Identifier: Apache-2.0 */
/* Creates an application's objects in order, makes the driver pod their owner, deletes them. */
#ifndef SUBMIT_SUBMISSION_H
#define SUBMIT_SUBMISSION_H

#include <jansson.h>
#include <stdbool.h>

#include "core/error.h"
#include "submit/kube_client.h"

/*
 * Creates `objects` (driver_objects_build) in their order, then patches owner references onto all
 * but the Pod. Idempotent: an object that exists with the same labels stepop.dev/… (all that the
 * wanted one has, run or submission among them) is ours from an earlier try and is kept; anybody
 * else's is CONFLICT; one that is being deleted is UNAVAILABLE. Returns the Pod as stored, owned by
 * the caller.
 *
 * On an error that trying again cannot mend, what this call created is deleted again, the Pod
 * included. After UNAVAILABLE and TIMEOUT everything is kept, since the Pod may well exist: call
 * again with the same objects, or give up with submission_delete().
 */
json_t *submission_create(struct kube_client *client, const json_t *objects, struct error **err);

/* Deletes the driver pod (grace_s -1: its own); the rest goes with it by garbage collection. An
 * absent pod is a success. */
bool submission_delete(struct kube_client *client, const char *namespace, const char *driver_pod,
                       int64_t grace_s, struct error **err);

/* What a create's error means for the user, where more can be said: namespace missing, service
 * account missing, forbidden, quota … The advice is a sentence, owned by the caller, or NULL. */
char *submission_advice(const struct error *error, const char *namespace,
                        const char *service_account);

#endif
