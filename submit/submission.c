/* SPDX-License-Identifier: Apache-2.0 */
/* One submission, waiting for each answer. */
#include "submit/submission.h"

#include <assert.h>

#include "core/memory.h"
#include "submit/kube_object.h"
#include "submit/submission_plan.h"

static const struct kube_kind *kind_of(const json_t *object)
{
	const char *version = json_string_value(json_object_get(object, "apiVersion"));
	const struct kube_kind *kind = kube_kind_find(version, kube_object_kind(object));

	assert(kind);
	return kind;
}

static json_t *perform(struct kube_client *client, const struct submission_request *request,
                       struct error **err)
{
	const struct kube_kind *kind = kind_of(request->object);
	const char *namespace = kube_object_namespace(request->object);
	const char *name = kube_object_name(request->object);

	switch (request->state) {
	case SUBMISSION_CREATING:
		return kube_client_create(client, kind, namespace, request->object, 0, err);
	case SUBMISSION_ADOPTING:
		return kube_client_get(client, kind, namespace, name, err);
	case SUBMISSION_OWNING:
		return kube_client_patch(client, kind, namespace, name, request->patch, err);
	default:
		kube_client_delete(client, kind, namespace, name, -1, err);
		return NULL;
	}
}

json_t *submission_create(struct kube_client *client, const json_t *objects, struct error **err)
{
	scoped(submission_plan) struct submission_plan *plan = submission_plan_new(objects);
	struct submission_request request;

	while (submission_plan_next(plan, &request)) {
		struct error *failure = NULL;
		json_t *stored = perform(client, &request, &failure);

		submission_plan_answer_take(plan, stored, failure);
	}
	if (submission_plan_pod(plan))
		return json_incref((json_t *)submission_plan_pod(plan));
	return error_pass(err, error_copy(submission_plan_error(plan)));
}

bool submission_delete(struct kube_client *client, const char *namespace, const char *driver_pod,
                       int64_t grace_s, struct error **err)
{
	struct error *failure = NULL;

	if (kube_client_delete(client, kube_kind_find("v1", "Pod"), namespace, driver_pod, grace_s,
	                       &failure))
		return true;
	if (failure->kind == ERROR_NOT_FOUND) {
		error_free(failure);
		return true;
	}
	return error_pass(err, failure);
}
