/* SPDX-License-Identifier: Apache-2.0 */
/* Creates in order, adopts what is ours already, makes the pod the owner, undoes what failed. */
#include "submit/submission_plan.h"

#include <assert.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_pod.h"
#include "submit/kube_object.h"

/* An object that exists when it is created, and not when it is looked at, is created again. */
#define CREATE_TRIES 3

#define LABEL_PREFIX "stepop.dev/"
#define RUN_LABEL "stepop.dev/run"
#define STEP_LABEL "stepop.dev/step"
#define SUBMISSION_LABEL "stepop.dev/submission"

struct submission_plan {
	enum submission_state state;
	const json_t *objects; /* as they are wanted */
	json_t *stored;        /* as they are, in the same order */
	json_t *made;          /* those of `objects` that were not there before */
	json_t *patch;         /* once there is a Pod */
	size_t at; /* creating: in objects; owning: in stored; undoing: how many are left */
	int tries; /* of creating this object */
	struct error *error;
};

struct submission_plan *submission_plan_new(const json_t *objects)
{
	struct submission_plan *plan = xcalloc(1, sizeof(*plan));

	assert(driver_objects_pod(objects));
	plan->objects = objects;
	plan->stored = json_array();
	plan->made = json_array();
	return plan;
}

void submission_plan_free(struct submission_plan *plan)
{
	if (!plan)
		return;
	json_decref(plan->stored);
	json_decref(plan->made);
	json_decref(plan->patch);
	error_free(plan->error);
	free(plan);
}

#define TO(state) (1u << (state))

static const unsigned moves[SUBMISSION_STATE_COUNT] = {
	[SUBMISSION_CREATING] = TO(SUBMISSION_CREATING) | TO(SUBMISSION_ADOPTING) |
	                        TO(SUBMISSION_OWNING) | TO(SUBMISSION_SUBMITTED) |
	                        TO(SUBMISSION_UNDOING) | TO(SUBMISSION_FAILED),
	[SUBMISSION_ADOPTING] = TO(SUBMISSION_CREATING) | TO(SUBMISSION_OWNING) |
	                        TO(SUBMISSION_SUBMITTED) | TO(SUBMISSION_UNDOING) |
	                        TO(SUBMISSION_FAILED),
	[SUBMISSION_OWNING] = TO(SUBMISSION_OWNING) | TO(SUBMISSION_SUBMITTED) |
	                      TO(SUBMISSION_UNDOING) | TO(SUBMISSION_FAILED),
	[SUBMISSION_UNDOING] = TO(SUBMISSION_UNDOING) | TO(SUBMISSION_FAILED),
	[SUBMISSION_SUBMITTED] = 0,
	[SUBMISSION_FAILED] = 0,
};

static void move(struct submission_plan *plan, enum submission_state next)
{
	assert(moves[plan->state] & TO(next));
	plan->state = next;
}

/* ---- whose is it ---- */

/* Our own from an earlier try: all of stepop's labels are equal, and one of them is an identity. */
static bool is_ours(const json_t *stored, const json_t *wanted)
{
	json_t *labels = json_object_get(json_object_get(wanted, "metadata"), "labels");
	bool identified = false;
	const char *key;
	json_t *value;

	json_object_foreach (labels, key, value) {
		if (!text_starts_with(key, LABEL_PREFIX))
			continue;
		if (!text_equal(kube_object_label(stored, key), json_string_value(value)))
			return false;
		identified = identified || text_equal(key, RUN_LABEL) ||
		             text_equal(key, SUBMISSION_LABEL);
	}
	return identified;
}

static void *refuse_foreign(const json_t *stored, struct error **err)
{
	const char *run = kube_object_label(stored, RUN_LABEL);
	const char *step = kube_object_label(stored, STEP_LABEL);
	const char *submission = kube_object_label(stored, SUBMISSION_LABEL);

	if (run && step)
		return error_set(err, ERROR_CONFLICT,
		                 "it exists already, made by another attempt (run %s, step %s); "
		                 "choose another name, or delete it first",
		                 run, step);
	if (submission)
		return error_set(err, ERROR_CONFLICT,
		                 "it exists already, made by another submission (%s); choose "
		                 "another name, or delete it first",
		                 submission);
	return error_set(err, ERROR_CONFLICT,
	                 "it exists already, and was not made by stepop; choose another name, or "
	                 "delete it first");
}

static bool check_adoption(const json_t *stored, const json_t *wanted, struct error **err)
{
	if (!is_ours(stored, wanted))
		return refuse_foreign(stored, err);
	if (kube_object_is_terminating(stored))
		return error_set(err, ERROR_UNAVAILABLE, "it is being deleted; try again");
	return true;
}

/* ---- what follows ---- */

/*
 * What trying again cannot mend is undone, the last that was made first. Otherwise all is kept,
 * since the Pod may well exist.
 */
static void fail_take(struct submission_plan *plan, struct error *failure)
{
	bool undoes = !error_is_retryable(failure) && json_array_size(plan->made);

	plan->error = failure;
	plan->at = json_array_size(plan->made);
	move(plan, undoes ? SUBMISSION_UNDOING : SUBMISSION_FAILED);
}

/* From `at` on: what the Pod does not own yet. */
static void own_next(struct submission_plan *plan)
{
	const json_t *pod = driver_objects_pod(plan->stored);
	const json_t *object;

	for (; (object = json_array_get(plan->stored, plan->at)); plan->at++)
		if (object != pod && !kube_object_is_owned_by(object, pod))
			break;
	move(plan, object ? SUBMISSION_OWNING : SUBMISSION_SUBMITTED);
}

static void keep_stored_take(struct submission_plan *plan, json_t *stored)
{
	json_array_append_new(plan->stored, stored);
	plan->tries = 0;
	if (++plan->at < json_array_size(plan->objects)) {
		move(plan, SUBMISSION_CREATING);
		return;
	}
	plan->patch = kube_object_owner_patch(driver_objects_pod(plan->stored));
	plan->at = 0;
	own_next(plan);
}

/* ---- answers ---- */

static void created(struct submission_plan *plan, json_t *stored, struct error *failure)
{
	json_t *wanted = json_array_get(plan->objects, plan->at);

	if (!failure) {
		json_array_append(plan->made, wanted);
		keep_stored_take(plan, stored ? stored : json_incref(wanted));
	} else if (failure->kind == ERROR_CONFLICT) {
		error_free(failure);
		move(plan, SUBMISSION_ADOPTING);
	} else {
		fail_take(plan, failure);
	}
}

static void adopted(struct submission_plan *plan, json_t *stored, struct error *failure)
{
	const json_t *wanted = json_array_get(plan->objects, plan->at);

	if (stored && check_adoption(stored, wanted, &failure)) {
		keep_stored_take(plan, stored);
		return;
	}
	json_decref(stored);
	if (!stored && failure->kind == ERROR_NOT_FOUND) {
		error_free(take(failure));
		if (++plan->tries < CREATE_TRIES) {
			move(plan, SUBMISSION_CREATING);
			return;
		}
		error_set(&failure, ERROR_UNAVAILABLE, "it was deleted at this moment; try again");
	}
	error_wrap(&failure, "create %s '%s' in namespace '%s'", kube_object_kind(wanted),
	           kube_object_name(wanted), kube_object_namespace(wanted));
	fail_take(plan, failure);
}

/*
 * What is gone by now belonged to an earlier Pod of this name, and went with it: the next try
 * creates it anew, and finds our Pod waiting for it.
 */
static void owned(struct submission_plan *plan, json_t *stored, struct error *failure)
{
	json_decref(stored);
	if (!failure) {
		plan->at++;
		own_next(plan);
		return;
	}
	if (failure->kind == ERROR_NOT_FOUND)
		failure->kind = ERROR_UNAVAILABLE;
	error_wrap(&failure, "make the driver pod the owner");
	fail_take(plan, failure);
}

/* As well as it goes: what remains is found by its labels. */
static void undone(struct submission_plan *plan, json_t *stored, struct error *failure)
{
	json_decref(stored);
	error_free(failure);
	plan->at--;
	move(plan, plan->at ? SUBMISSION_UNDOING : SUBMISSION_FAILED);
}

void submission_plan_answer_take(struct submission_plan *plan, json_t *stored,
                                 struct error *failure)
{
	static void (*const answers[])(struct submission_plan * plan, json_t * stored,
	                               struct error * failure) = {
		[SUBMISSION_CREATING] = created,
		[SUBMISSION_ADOPTING] = adopted,
		[SUBMISSION_OWNING] = owned,
		[SUBMISSION_UNDOING] = undone,
	};

	assert(plan->state < ARRAY_SIZE(answers));
	answers[plan->state](plan, stored, failure);
}

/* ---- what is next ---- */

bool submission_plan_next(const struct submission_plan *plan, struct submission_request *request)
{
	*request = (struct submission_request){ .state = plan->state };
	switch (plan->state) {
	case SUBMISSION_CREATING: /* of what is new only the Pod's uid is news */
		request->object = json_array_get(plan->objects, plan->at);
		request->is_blind = !text_equal(kube_object_kind(request->object), "Pod");
		break;
	case SUBMISSION_ADOPTING:
		request->object = json_array_get(plan->objects, plan->at);
		break;
	case SUBMISSION_OWNING:
		request->object = json_array_get(plan->stored, plan->at);
		request->patch = plan->patch;
		request->is_blind = true;
		break;
	case SUBMISSION_UNDOING:
		request->object = json_array_get(plan->made, plan->at - 1);
		request->is_blind = true;
		break;
	default:
		return false;
	}
	return true;
}

const json_t *submission_plan_pod(const struct submission_plan *plan)
{
	return plan->state == SUBMISSION_SUBMITTED ? driver_objects_pod(plan->stored) : NULL;
}

const struct error *submission_plan_error(const struct submission_plan *plan)
{
	return plan->state == SUBMISSION_FAILED ? plan->error : NULL;
}
