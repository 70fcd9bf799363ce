/* SPDX-License-Identifier: Apache-2.0 */
/* What a submission would meet, without making anything: every object is sent with dryRun=All, and
 * every right that submitter and driver will need is asked for. */
#ifndef SUBMIT_SUBMISSION_REHEARSAL_H
#define SUBMIT_SUBMISSION_REHEARSAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"
#include "submit/kube_client.h"

/*
 * Appends to `rows` (array of objects) one row for each of `objects` (driver_objects_build):
 * "check"
 * ("Pod/name"), "result" ("ok", "exists" or "refused") and, where refused, "message". *refused is
 * the number of refusals. An object that exists already is "exists": submission_create() says
 * whether it is ours. Where Pod Security would refuse the executors (executor_sketch), there is a
 * row "the driver's executors". False only when the API server cannot be asked.
 */
bool submission_rehearse(struct kube_client *client, const json_t *objects, json_t *rows,
                         size_t *refused, struct error **err);

/*
 * The same for the rights of rbac_rights() that the objects call for: SelfSubjectAccessReview for
 * the submitter, LocalSubjectAccessReview for the driver's account ("default" where the pod names
 * none). "check" is "you: create pods", "result" "ok", "missing" or "unknown" (others' rights
 * may not be asked for). *missing is the number of those that are missing.
 */
bool submission_check_rights(struct kube_client *client, const json_t *objects, json_t *rows,
                             size_t *missing, struct error **err);

#endif
