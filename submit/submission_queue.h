/* SPDX-License-Identifier: Apache-2.0 */
/* Many applications submitted at the same time, on the loop. */
#ifndef SUBMIT_SUBMISSION_QUEUE_H
#define SUBMIT_SUBMISSION_QUEUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"
#include "submit/kube_client.h"

struct submission_queue;

/* Called from the loop. `item` is whatever next() has said; it stays the caller's. */
struct submission_queue_events {
	/* The objects of the next application (driver_objects_build), owned by the queue from now
	 * on; NULL: there is none any more. Asked only when there is room for one more, so that no
	 * more than those in flight are in memory. */
	json_t *(*next)(void *context, void **item);
	/* All objects are there and the driver pod owns them. `pod` is as stored, borrowed. */
	void (*submitted)(void *context, void *item, const json_t *pod);
	/* As submission_create() fails, after its tries; the others go on. */
	void (*failed)(void *context, void *item, const struct error *error);
	/* Nothing is in flight, and nothing will come; the queue may be freed here. Last call;
	 * optional. */
	void (*done)(void *context);
};

/*
 * Submits what next() gives, at most `in_flight` applications at a time (0: 32), each by the rules
 * of submission_create() with its requests one after another. An application whose answers stay
 * out is sent again, 3 times in all; after that its objects are kept, since its Pod may exist.
 * The first next() comes from the loop, not from here. `client` and `events` are borrowed.
 */
struct submission_queue *submission_queue_start(struct kube_client *client, size_t in_flight,
                                                const struct submission_queue_events *events,
                                                void *context);
/* No more next(); what is in flight comes to its end, then done() is called. */
void submission_queue_cancel(struct submission_queue *queue);
/* NULL is allowed; safe within any callback. What is in flight is dropped where it is: no callback
 * comes after this. */
void submission_queue_free(struct submission_queue *queue);
DEFINE_CLEANUP(submission_queue);

bool submission_queue_is_done(const struct submission_queue *queue);

#endif
