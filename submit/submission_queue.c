/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps a number of submissions in flight: pulls one when another has ended. */
#include "submit/submission_queue.h"

#include <assert.h>
#include <utlist.h>

#include "core/memory.h"
#include "submit/kube_backoff.h"
#include "submit/kube_exchange.h"
#include "submit/kube_object.h"
#include "submit/submission_plan.h"

#define IN_FLIGHT 32
#define TRIES 3
#define FIRST_DELAY_MS 500

/* One submission on its way. It waits for an answer, or for its next try. */
struct flight {
	struct submission_queue *queue;
	json_t *objects;
	void *item;
	struct submission_plan *plan;
	struct kube_exchange *exchange;
	struct loop_source *timer;
	struct kube_backoff backoff;
	struct flight *prev, *next;
};

struct submission_queue {
	struct kube_client *client;
	const struct submission_queue_events *events;
	void *context;
	size_t limit, count;
	struct flight *flights;
	struct loop_source *timer; /* until the first are pulled, or the end is told */
	bool exhausted;            /* next() has nothing more, or need not be asked */
	bool done, freed;
	int telling;
};

static void fly(struct flight *flight);
static void fill(struct submission_queue *queue);

static void flight_free(struct flight *flight)
{
	struct submission_queue *queue = flight->queue;

	DL_DELETE(queue->flights, flight);
	queue->count--;
	kube_exchange_cancel(flight->exchange);
	loop_cancel(flight->timer);
	submission_plan_free(flight->plan);
	json_decref(flight->objects);
	free(flight);
}

/* Callbacks may free the queue: it goes when the outermost of our functions is left. */
static void enter(struct submission_queue *queue)
{
	queue->telling++;
}

static void leave(struct submission_queue *queue)
{
	if (!--queue->telling && queue->freed)
		free(queue);
}

void submission_queue_free(struct submission_queue *queue)
{
	if (!queue || queue->freed)
		return;
	while (queue->flights)
		flight_free(queue->flights);
	loop_cancel(take(queue->timer));
	queue->freed = true;
	if (!queue->telling)
		free(queue);
}

bool submission_queue_is_done(const struct submission_queue *queue)
{
	return queue->done;
}

/* ---- one submission ---- */

static void land(struct flight *flight)
{
	struct submission_queue *queue = flight->queue;
	const struct submission_queue_events *events = queue->events;
	scoped(submission_plan) struct submission_plan *plan = take(flight->plan);
	json_auto_t *objects = take(flight->objects); /* which the plan borrows */
	void *item = flight->item;

	flight_free(flight);
	if (submission_plan_pod(plan))
		events->submitted(queue->context, item, submission_plan_pod(plan));
	else
		events->failed(queue->context, item, submission_plan_error(plan));
}

static void timer_fired(void *context)
{
	struct flight *flight = context;
	struct submission_queue *queue = flight->queue;

	flight->timer = NULL;
	submission_plan_free(flight->plan);
	flight->plan = submission_plan_new(flight->objects);
	enter(queue);
	fly(flight);
	fill(queue);
	leave(queue);
}

/* Everything is sent again: what is there by now is ours. */
static bool try_again(struct flight *flight)
{
	int64_t delay_ms;

	if (!error_is_retryable(submission_plan_error(flight->plan)))
		return false;
	delay_ms = kube_backoff_next(&flight->backoff);
	if (flight->backoff.tries >= TRIES)
		return false;
	flight->timer = loop_start_timer(kube_client_loop(flight->queue->client), delay_ms,
	                                 timer_fired, flight);
	return true;
}

static void answered(void *context, json_t *answer, const struct error *error)
{
	struct flight *flight = context;
	struct submission_queue *queue = flight->queue;

	flight->exchange = NULL;
	submission_plan_answer_take(flight->plan, json_incref(answer), error_copy(error));
	enter(queue);
	fly(flight);
	fill(queue);
	leave(queue);
}

static struct kube_call *call_new(const struct submission_request *request, struct error **err)
{
	const json_t *object = request->object;
	const char *version = json_string_value(json_object_get(object, "apiVersion"));
	const struct kube_place place = { .kind = kube_kind_find(version, kube_object_kind(object)),
		                          .namespace = kube_object_namespace(object),
		                          .name = kube_object_name(object) };

	assert(place.kind);
	switch (request->state) {
	case SUBMISSION_CREATING:
		return kube_call_new_create(&place, object, 0, err);
	case SUBMISSION_ADOPTING:
		return kube_call_new_get(&place, err);
	case SUBMISSION_OWNING:
		return kube_call_new_patch(&place, request->patch, err);
	default:
		return kube_call_new_delete(&place, -1, err);
	}
}

static struct kube_call *call_for(const struct submission_request *request, struct error **err)
{
	struct kube_call *call = call_new(request, err);

	if (call)
		call->blind = request->is_blind;
	return call;
}

/* Sends what is due, or ends. A call that cannot even be made is answered at once. */
static void fly(struct flight *flight)
{
	struct submission_request request;

	while (submission_plan_next(flight->plan, &request)) {
		struct error *failure = NULL;
		struct kube_call *call = call_for(&request, &failure);

		if (call) {
			flight->exchange = kube_exchange_start_take(flight->queue->client, call,
			                                            answered, flight);
			return;
		}
		submission_plan_answer_take(flight->plan, NULL, failure);
	}
	if (submission_plan_pod(flight->plan) || !try_again(flight))
		land(flight);
}

/* ---- all of them ---- */

static void launch_next(struct submission_queue *queue)
{
	void *item = NULL;
	json_t *objects = queue->events->next(queue->context, &item);
	struct flight *flight;

	if (!objects || queue->freed) {
		json_decref(objects);
		queue->exhausted = true;
		return;
	}
	flight = xcalloc(1, sizeof(*flight));
	flight->queue = queue;
	flight->objects = objects;
	flight->item = item;
	flight->plan = submission_plan_new(objects);
	flight->backoff.delay_ms = FIRST_DELAY_MS;
	DL_APPEND(queue->flights, flight);
	queue->count++;
	fly(flight);
}

static void fill(struct submission_queue *queue)
{
	while (!queue->exhausted && !queue->freed && queue->count < queue->limit)
		launch_next(queue);
	if (queue->count || queue->freed || queue->done)
		return;
	queue->done = true;
	if (queue->events->done)
		queue->events->done(queue->context);
}

static void begin(void *context)
{
	struct submission_queue *queue = context;

	queue->timer = NULL;
	enter(queue);
	fill(queue);
	leave(queue);
}

void submission_queue_cancel(struct submission_queue *queue)
{
	queue->exhausted = true;
}

struct submission_queue *submission_queue_start(struct kube_client *client, size_t in_flight,
                                                const struct submission_queue_events *events,
                                                void *context)
{
	struct submission_queue *queue = xcalloc(1, sizeof(*queue));

	queue->client = client;
	queue->events = events;
	queue->context = context;
	queue->limit = in_flight ? in_flight : IN_FLIGHT;
	queue->timer = loop_start_timer(kube_client_loop(client), 0, begin, queue);
	return queue;
}
