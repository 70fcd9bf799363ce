/* SPDX-License-Identifier: Apache-2.0 */
/* Watches and log streams that survive what networks and API servers do to them. */
#ifndef SUBMIT_KUBE_STREAM_H
#define SUBMIT_KUBE_STREAM_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "submit/kube_client.h"

struct kube_watch;

/* Called from the loop. Objects are borrowed. */
struct kube_watch_events {
	/* ADDED and MODIFIED, and what a list found. The same state may be reported twice. */
	void (*changed)(void *context, json_t *object);
	/* DELETED, and what a relist no longer found; `object` is the last state seen. */
	void (*deleted)(void *context, json_t *object);
	/* A list is complete: all that exists has been reported. Comes at least once. */
	void (*synced)(void *context);
	/* The server cannot be reached, or refuses, since `since_ms` (monotonic); the watch goes on
	 * trying (100 ms doubling to 10 s). NULL when it is well again. AUTH errors come here too.
	 */
	void (*trouble)(void *context, const struct error *error);
	/* Whether the last state of this object is to be kept, for deleted() and kube_watch_find();
	 * NULL: of all. One that is not kept has name and uid in deleted(), no more, when nobody
	 * saw its DELETED. */
	bool (*keeps)(void *context, const json_t *object);
};

/* What is watched. Copied, but for the kind. */
struct kube_watch_options {
	const struct kube_kind *kind;
	const char *namespace;                       /* NULL: the config's */
	const char *label_selector, *field_selector; /* or NULL */
	int64_t page_size;                           /* of lists; 0: 500 */
};

/*
 * Lists, then watches from that resourceVersion with bookmarks; resumes after a cut; lists anew
 * after 410 Gone (as an HTTP status or as an ERROR event). Lines are bounded (16 MiB). Keeps the
 * last states of objects as compact text, without their managedFields. Does not block; the first
 * list is made by the loop.
 */
struct kube_watch *kube_watch_start(struct kube_client *client,
                                    const struct kube_watch_options *options,
                                    const struct kube_watch_events *events, void *context,
                                    struct error **err);
/* The last state kept of the object of that name, owned by the caller; NULL when there is none. */
json_t *kube_watch_find(const struct kube_watch *watch, const char *name);
/* NULL is allowed. */
void kube_watch_cancel(struct kube_watch *watch);

struct kube_log_stream;
struct kube_log_events {
	void (*line)(void *context, const char *line,
	             size_t size); /* without the newline; bounded (1 MiB, then cut into pieces) */
	/* The container has ended and all was read, or (error set) the log cannot be had. Last
	 * call. */
	void (*ended)(void *context, const struct error *error);
};
/*
 * Follows a container's log. A cut connection is resumed from the last line's timestamp without
 * repeating or losing a line (timestamps=true, sinceTime; equal timestamps are told apart by
 * count). A container that has not started yet is waited for (400 "is waiting to start" → tried
 * again).
 */
struct kube_log_stream *kube_log_stream_start(struct kube_client *client, const char *namespace,
                                              const char *pod, const char *container, bool follow,
                                              const struct kube_log_events *events, void *context,
                                              struct error **err);
void kube_log_stream_cancel(struct kube_log_stream *stream);

#endif
