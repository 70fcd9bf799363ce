/* SPDX-License-Identifier: Apache-2.0 */
/* Creates an application's objects: idempotent, owned by the driver pod, undone on failure. */
#include "submit/submission.h"

#include <assert.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_object.h"

static const char *const identity[] = { "stepop.dev/run", "stepop.dev/step", "stepop.dev/attempt" };

static const struct kube_kind *kind_of(const json_t *object)
{
	const char *version = json_string_value(json_object_get(object, "apiVersion"));
	const struct kube_kind *kind = kube_kind_find(version, kube_object_kind(object));

	assert(kind);
	return kind;
}

/* The same attempt: all three labels are there, and equal. */
static bool is_same_attempt(const json_t *stored, const json_t *object)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(identity); i++) {
		const char *wanted = kube_object_label(object, identity[i]);

		if (!wanted || !text_equal(kube_object_label(stored, identity[i]), wanted))
			return false;
	}
	return true;
}

static void *refuse_foreign(const json_t *stored, struct error **err)
{
	const char *run = kube_object_label(stored, identity[0]);
	const char *step = kube_object_label(stored, identity[1]);

	if (run && step)
		return error_set(err, ERROR_CONFLICT,
		                 "it exists already, made by another attempt (run %s, step %s); "
		                 "choose another name, or delete it first",
		                 run, step);
	return error_set(err, ERROR_CONFLICT,
	                 "it exists already, and was not made by this run; choose another name, or "
	                 "delete it first");
}

/* What stands in our way: our own from an earlier try, or somebody else's. */
static json_t *adopt(struct kube_client *client, const json_t *object, struct error **err)
{
	struct error *failure = NULL;
	json_auto_t *stored =
		kube_client_get(client, kind_of(object), kube_object_namespace(object),
	                        kube_object_name(object), &failure);

	if (!stored && failure->kind == ERROR_NOT_FOUND) {
		error_free(failure);
		return error_set(err, ERROR_UNAVAILABLE,
		                 "it was deleted at this moment; try again");
	}
	if (!stored)
		return error_pass(err, failure);
	if (!is_same_attempt(stored, object))
		return refuse_foreign(stored, err);
	if (kube_object_is_terminating(stored))
		return error_set(err, ERROR_UNAVAILABLE, "it is being deleted; try again");
	return take(stored);
}

/* `made` gets what was not there before. */
static json_t *create_one(struct kube_client *client, const json_t *object, json_t *made,
                          struct error **err)
{
	struct error *failure = NULL;
	json_t *stored = kube_client_create(client, kind_of(object), kube_object_namespace(object),
	                                    object, 0, &failure);

	if (stored) {
		json_array_append(made, stored);
		return stored;
	}
	if (failure->kind != ERROR_CONFLICT)
		return error_pass(err, failure);
	error_free(failure);
	stored = adopt(client, object, err);
	if (!stored)
		return error_wrap(err, "create %s '%s' in namespace '%s'", kube_object_kind(object),
		                  kube_object_name(object), kube_object_namespace(object));
	return stored;
}

static bool create_all(struct kube_client *client, const json_t *objects, json_t *stored,
                       json_t *made, struct error **err)
{
	const json_t *object;
	size_t i;

	json_array_foreach (objects, i, object) {
		json_t *one = create_one(client, object, made, err);

		if (!one)
			return false;
		json_array_append_new(stored, one);
	}
	return true;
}

static json_t *pod_among(const json_t *stored)
{
	json_t *object;
	size_t i;

	json_array_foreach (stored, i, object)
		if (text_equal(kube_object_kind(object), "Pod"))
			return object;
	return NULL;
}

/* An answer to a create carries kind and apiVersion, so that each is patched at its own place. */
static bool own_all(struct kube_client *client, const json_t *stored, const json_t *pod,
                    struct error **err)
{
	json_auto_t *patch = kube_object_owner_patch(pod);
	const json_t *object;
	size_t i;

	json_array_foreach (stored, i, object) {
		json_t *patched;

		if (object == pod || kube_object_is_owned_by(object, pod))
			continue;
		patched = kube_client_patch(client, kind_of(object), kube_object_namespace(object),
		                            kube_object_name(object), patch, err);
		if (!patched)
			return error_wrap(err, "make the driver pod the owner");
		json_decref(patched);
	}
	return true;
}

/* As well as it goes: what remains is found by its labels. The last that was made goes first. */
static void undo(struct kube_client *client, const json_t *made)
{
	size_t i = json_array_size(made);

	while (i--) {
		const json_t *object = json_array_get(made, i);

		kube_client_delete(client, kind_of(object), kube_object_namespace(object),
		                   kube_object_name(object), -1, NULL);
	}
}

json_t *submission_create(struct kube_client *client, const json_t *objects, struct error **err)
{
	json_auto_t *stored = json_array();
	json_auto_t *made = json_array();
	struct error *failure = NULL;
	const json_t *pod;

	if (create_all(client, objects, stored, made, &failure)) {
		pod = pod_among(stored);
		assert(pod);
		if (own_all(client, stored, pod, &failure))
			return json_incref((json_t *)pod);
	}
	if (!error_is_retryable(failure))
		undo(client, made);
	return error_pass(err, failure);
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
