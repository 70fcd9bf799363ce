/* SPDX-License-Identifier: Apache-2.0 */
/* Pods by namespace, a watch each, and one timer for all that is waited for. */
#include "submit/follower.h"

#include <assert.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_exchange.h"
#include "submit/kube_object.h"
#include "submit/kube_stream.h"
#include "submit/pod_patience.h"

#define SELECTOR "spark-role=driver,stepop.dev/submission"
/* A page is parsed as a whole: 50 pods take some MB for a moment, 500 would take 30. */
#define PAGE_SIZE 50
/* Rights may be granted a moment after they are asked for. */
#define REFUSAL_PATIENCE_MS 60000
#define LOOK_AGAIN_MS 1000

struct watched;

/* One pod. */
struct followed {
	struct watched *watched;
	char *name, *uid, *container;
	void *item;
	char *version; /* the resourceVersion that was told last; NULL: nothing yet */
	struct pod_status status;
	struct pod_patience patience;
	struct kube_exchange *look; /* when the watch does not know it */
	struct kube_exchange *why;  /* its events, when its status does not say why it waits */
	bool is_explained;          /* they were asked for */
	bool gone;                  /* from the hash; no callback may come */
	struct followed *next_gone;
	UT_hash_handle hh; /* in watched->pods, by name */
};

/* The pods of one namespace. */
struct watched {
	struct follower *follower;
	char *namespace;
	struct followed *pods;
	struct kube_watch *watch;
	bool by_name;               /* the watch is of one pod alone */
	bool synced;                /* it knows all that there is */
	struct loop_source *begins; /* until the watch is started, or asked about new pods */
	struct loop_source *refusal_timer;
	struct error *trouble; /* or NULL: all is well */
	UT_hash_handle hh;     /* in follower->namespaces */
};

struct follower {
	struct kube_client *client;
	const struct follower_events *events;
	void *context;
	char *selector;
	int64_t start_timeout_ms;
	struct watched *namespaces;
	struct followed *gone;     /* those that callbacks may still stand on */
	struct loop_source *timer; /* of the earliest end of patience */
	int64_t timer_at_ms;
	int telling;
	bool freed;
};

/* ---- life ---- */

static struct loop *loop_of(const struct follower *follower)
{
	return kube_client_loop(follower->client);
}

static void followed_free(struct followed *pod)
{
	pod_status_release(&pod->status);
	free(pod->version);
	free(pod->container);
	free(pod->uid);
	free(pod->name);
	free(pod);
}

/* It is followed no more; its memory goes when the outermost of our functions is left. */
static void let_go(struct followed *pod)
{
	struct follower *follower = pod->watched->follower;

	HASH_DEL(pod->watched->pods, pod);
	kube_exchange_cancel(take(pod->look));
	kube_exchange_cancel(take(pod->why));
	pod->gone = true;
	LL_PREPEND2(follower->gone, pod, next_gone);
}

static void free_gone(struct follower *follower)
{
	struct followed *pod;

	while ((pod = follower->gone)) {
		LL_DELETE2(follower->gone, pod, next_gone);
		followed_free(pod);
	}
}

static void watched_free(struct watched *watched)
{
	struct followed *pod, *next;

	HASH_ITER (hh, watched->pods, pod, next)
		let_go(pod);
	HASH_DEL(watched->follower->namespaces, watched);
	kube_watch_cancel(watched->watch);
	loop_cancel(watched->begins);
	loop_cancel(watched->refusal_timer);
	error_free(watched->trouble);
	free(watched->namespace);
	free(watched);
}

static void release(struct follower *follower)
{
	struct watched *watched, *next;

	HASH_ITER (hh, follower->namespaces, watched, next)
		watched_free(watched);
	free_gone(follower);
	loop_cancel(follower->timer);
	free(follower->selector);
	free(follower);
}

/* Callbacks may free the follower and remove pods: see let_go(). */
static void enter(struct follower *follower)
{
	follower->telling++;
}

static void leave(struct follower *follower)
{
	struct watched *watched, *next;

	if (--follower->telling)
		return;
	if (follower->freed) {
		release(follower);
		return;
	}
	free_gone(follower);
	HASH_ITER (hh, follower->namespaces, watched, next)
		if (!watched->pods)
			watched_free(watched);
}

void follower_free(struct follower *follower)
{
	if (!follower)
		return;
	follower->freed = true;
	if (!follower->telling)
		release(follower);
}

struct follower *follower_new(struct kube_client *client, const struct follower_options *options,
                              const struct follower_events *events, void *context)
{
	struct follower *follower = xcalloc(1, sizeof(*follower));

	follower->client = client;
	follower->events = events;
	follower->context = context;
	follower->selector = xstrdup(options->label_selector ? options->label_selector : SELECTOR);
	follower->start_timeout_ms = options->start_timeout_ms;
	return follower;
}

/* ---- telling ---- */

static void tell_changed(struct followed *pod, const json_t *object)
{
	struct follower *follower = pod->watched->follower;

	if (!follower->freed)
		follower->events->changed(follower->context, pod->item, &pod->status, object);
}

static void tell_ended(struct followed *pod, const json_t *object)
{
	struct follower *follower = pod->watched->follower;

	let_go(pod);
	if (!follower->freed)
		follower->events->ended(follower->context, pod->item, &pod->status, object);
}

static void give_up_take(struct followed *pod, struct error *taken)
{
	struct follower *follower = pod->watched->follower;
	scoped(error) struct error *error = taken;

	let_go(pod);
	if (!follower->freed)
		follower->events->gave_up(follower->context, pod->item, &pod->status, error);
}

/* ---- patience ---- */

static void patience_ended(void *context);

/* The timer may be early, when the pod that it was set for has started since. */
static void watch_patience(struct follower *follower, const struct followed *pod)
{
	int64_t deadline_ms = pod_patience_deadline_ms(&pod->patience);

	if (deadline_ms < 0 || (follower->timer && follower->timer_at_ms <= deadline_ms))
		return;
	loop_cancel(take(follower->timer));
	follower->timer_at_ms = deadline_ms;
	follower->timer = loop_start_timer(loop_of(follower), deadline_ms - loop_now_ms(),
	                                   patience_ended, follower);
}

/* ": ImagePullBackOff: Back-off pulling …", as far as it is known; owned by the caller. */
static char *reason_of(const struct followed *pod)
{
	const struct pod_status *status = &pod->status;
	scoped(text) char *trouble =
		pod->watched->trouble ? error_text(pod->watched->trouble) : NULL;

	if (trouble)
		return text_printf("; nothing is seen of it: %s", trouble);
	if (!status->reason)
		return xstrdup("");
	return text_printf(": %s%s%s", status->reason, status->message ? ": " : "",
	                   status->message ? status->message : "");
}

/* The kubelet tells of a mount that fails, and of a Secret that is missing there, by events only.
 */
static bool is_unexplained(const struct followed *pod)
{
	const char *reason = pod->status.reason;

	return !pod->is_explained && !pod->watched->trouble &&
	       (!reason || text_equal(reason, "ContainerCreating") ||
	        text_equal(reason, "PodInitializing"));
}

static void judge(struct followed *pod);

static void explained(void *context, json_t *answer, const struct error *error)
{
	struct followed *pod = context;
	struct follower *follower = pod->watched->follower;

	(void)error; /* who may not read events has to do without */
	pod->why = NULL;
	enter(follower);
	if (pod_patience_judge(&pod->patience, loop_now_ms()) == POD_START_TIMED_OUT)
		pod_status_add_events(&pod->status, json_object_get(answer, "items"));
	judge(pod);
	leave(follower);
}

/* False when there is nothing more to be learnt. */
static bool ask_why(struct followed *pod)
{
	const struct kube_place events = { &kube_events, pod->watched->namespace, NULL };
	scoped(text) char *selector = text_printf("involvedObject.uid=%s,type=Warning", pod->uid);
	const struct kube_list_options options = { .field_selector = selector };
	struct kube_call *call;

	if (pod->why)
		return true;
	call = is_unexplained(pod) ? kube_call_new_list(&events, &options, NULL, NULL) : NULL;
	if (!call)
		return false;
	pod->is_explained = true;
	pod->why = kube_exchange_start_take(pod->watched->follower->client, call, explained, pod);
	return true;
}

static void judge(struct followed *pod)
{
	struct follower *follower = pod->watched->follower;
	scoped(text) char *reason = reason_of(pod);
	scoped(text) char *timeout = clock_format_duration(follower->start_timeout_ms);
	struct error *error = NULL;

	switch (pod_patience_judge(&pod->patience, loop_now_ms())) {
	case POD_PATIENCE_LEFT:
		watch_patience(follower, pod);
		return;
	case POD_START_TIMED_OUT:
		if (ask_why(pod))
			return;
		error_set(&error, ERROR_TIMEOUT, "pod '%s' has not started within %s%s", pod->name,
		          timeout, reason);
		break;
	case POD_HOPELESS:
		error_set(&error, ERROR_TIMEOUT, "pod '%s' cannot start%s", pod->name, reason);
		break;
	}
	give_up_take(pod, error);
}

/* All pods, and any of them may go meanwhile. */
static void for_each(struct watched *watched, void (*act)(struct followed *pod))
{
	struct followed *pod, *next;

	HASH_ITER (hh, watched->pods, pod, next)
		if (!pod->gone)
			act(pod);
}

static void patience_ended(void *context)
{
	struct follower *follower = context;
	struct watched *watched;

	follower->timer = NULL;
	enter(follower);
	for (watched = follower->namespaces; watched; watched = watched->hh.next)
		for_each(watched, judge);
	leave(follower);
}

/* ---- states ---- */

static bool is_same(const struct followed *pod, const json_t *object)
{
	return text_equal(kube_object_uid(object), pod->uid);
}

static void handle_state(struct followed *pod, const json_t *object)
{
	const json_t *metadata = json_object_get(object, "metadata");
	const char *version = json_string_value(json_object_get(metadata, "resourceVersion"));

	if (pod->version && text_equal(pod->version, version))
		return;
	free(pod->version);
	pod->version = xstrdup(version ? version : "");
	pod_status_release(&pod->status);
	pod_status_read(object, pod->container, &pod->status);
	pod_patience_see(&pod->patience, &pod->status, loop_now_ms());
	watch_patience(pod->watched->follower, pod);
	if (pod->status.phase == POD_SUCCEEDED || pod->status.phase == POD_FAILED)
		tell_ended(pod, object);
	else
		tell_changed(pod, object);
}

/* `object` is the last state, or NULL. */
static void handle_deleted(struct followed *pod, const json_t *object)
{
	pod_status_release(&pod->status);
	pod_status_read_deleted(object, pod->container, &pod->status);
	tell_ended(pod, object);
}

/* ---- what the watch does not know ---- */

static void begin_in(struct watched *watched, int64_t delay_ms);

/* Who may not read single pods has the watch's word only. */
static void looked(void *context, json_t *answer, const struct error *error)
{
	struct followed *pod = context;
	struct follower *follower = pod->watched->follower;

	pod->look = NULL;
	if (pod->version) /* the watch was faster */
		return;
	enter(follower);
	if (answer && is_same(pod, answer))
		handle_state(pod, answer);
	else if (answer || error->kind == ERROR_NOT_FOUND)
		handle_deleted(pod, NULL);
	else if (error_is_retryable(error))
		begin_in(pod->watched, LOOK_AGAIN_MS);
	leave(follower);
}

/* A pod that came and went before it was added, or whose event is still under way. */
static void look_for(struct followed *pod)
{
	const struct kube_place place = { &kube_pods, pod->watched->namespace, pod->name };
	json_auto_t *state = NULL;
	struct kube_call *call;

	if (pod->version || pod->look)
		return;
	state = kube_watch_find(pod->watched->watch, pod->name);
	if (state && is_same(pod, state)) {
		handle_state(pod, state);
		return;
	}
	call = kube_call_new_get(&place, NULL);
	if (call)
		pod->look =
			kube_exchange_start_take(pod->watched->follower->client, call, looked, pod);
}

/* ---- the watch ---- */

static struct followed *find(struct watched *watched, const json_t *object)
{
	const char *name = kube_object_name(object);
	struct followed *pod = NULL;

	if (name)
		HASH_FIND_STR(watched->pods, name, pod);
	return pod && is_same(pod, object) ? pod : NULL;
}

static void pod_changed(void *context, json_t *object)
{
	struct watched *watched = context;
	struct follower *follower = watched->follower;
	struct followed *pod = find(watched, object);

	enter(follower);
	if (pod)
		handle_state(pod, object);
	leave(follower);
}

static void pod_deleted(void *context, json_t *object)
{
	struct watched *watched = context;
	struct follower *follower = watched->follower;
	struct followed *pod = find(watched, object);

	enter(follower);
	if (pod)
		handle_deleted(pod, object);
	leave(follower);
}

static void synced(void *context)
{
	struct watched *watched = context;
	struct follower *follower = watched->follower;

	watched->synced = true;
	enter(follower);
	for_each(watched, look_for);
	leave(follower);
}

static void give_up_refused(struct followed *pod)
{
	struct error *error = error_copy(pod->watched->trouble);

	error_wrap(&error, "pod '%s' cannot be followed", pod->name);
	give_up_take(pod, error);
}

static void refused_for_long(void *context)
{
	struct watched *watched = context;
	struct follower *follower = watched->follower;

	watched->refusal_timer = NULL;
	enter(follower);
	for_each(watched, give_up_refused);
	leave(follower);
}

/* The API server is away: the pods go on. That it refuses does not heal by waiting. */
static void trouble(void *context, const struct error *error)
{
	struct watched *watched = context;
	struct follower *follower = watched->follower;

	error_free(watched->trouble);
	watched->trouble = error_copy(error);
	if (!error || error->kind != ERROR_AUTH)
		loop_cancel(take(watched->refusal_timer));
	else if (!watched->refusal_timer)
		watched->refusal_timer = loop_start_timer(loop_of(follower), REFUSAL_PATIENCE_MS,
		                                          refused_for_long, watched);
	enter(follower);
	if (follower->events->trouble && !follower->freed)
		follower->events->trouble(follower->context, error);
	leave(follower);
}

/* Those that are followed; and what is new, for it may be added in a moment. The many that ended
 * long ago are not worth their memory. */
static bool keeps(void *context, const json_t *object)
{
	struct watched *watched = context;

	return watched->synced || find(watched, object);
}

static const struct kube_watch_events watch_events = { pod_changed, pod_deleted, synced, trouble,
	                                               keeps };

static void start_watch(struct watched *watched)
{
	struct follower *follower = watched->follower;
	scoped(text) char *name = text_printf("metadata.name=%s", watched->pods->name);
	struct kube_watch_options options = { .kind = &kube_pods,
		                              .namespace = watched->namespace,
		                              .page_size = PAGE_SIZE };

	watched->by_name = HASH_COUNT(watched->pods) == 1;
	watched->synced = false;
	if (watched->by_name)
		options.field_selector = name;
	else
		options.label_selector = follower->selector;
	kube_watch_cancel(watched->watch);
	watched->watch = kube_watch_start(follower->client, &options, &watch_events, watched, NULL);
	assert(watched->watch); /* a pod was stored in this namespace, so its name is one */
}

static void begin(void *context)
{
	struct watched *watched = context;
	struct follower *follower = watched->follower;

	watched->begins = NULL;
	enter(follower);
	if (!watched->watch || (watched->by_name && HASH_COUNT(watched->pods) > 1))
		start_watch(watched);
	else if (watched->synced)
		for_each(watched, look_for);
	leave(follower);
}

static void begin_in(struct watched *watched, int64_t delay_ms)
{
	if (watched->begins && delay_ms)
		return;
	loop_cancel(watched->begins);
	watched->begins = loop_start_timer(loop_of(watched->follower), delay_ms, begin, watched);
}

/* ---- what is followed ---- */

static struct watched *watched_in(struct follower *follower, const char *namespace)
{
	struct watched *watched = NULL;

	HASH_FIND_STR(follower->namespaces, namespace, watched);
	if (watched)
		return watched;
	watched = xcalloc(1, sizeof(*watched));
	watched->follower = follower;
	watched->namespace = xstrdup(namespace);
	HASH_ADD_KEYPTR(hh, follower->namespaces, watched->namespace, strlen(namespace), watched);
	return watched;
}

bool follower_add(struct follower *follower, const json_t *object, const char *container,
                  void *item)
{
	struct watched *watched = watched_in(follower, kube_object_namespace(object));
	const char *name = kube_object_name(object);
	struct followed *pod = NULL;

	HASH_FIND_STR(watched->pods, name, pod);
	if (pod)
		return false;
	pod = xcalloc(1, sizeof(*pod));
	pod->watched = watched;
	pod->name = xstrdup(name);
	pod->uid = xstrdup(kube_object_uid(object));
	pod->container = text_copy(container);
	pod->item = item;
	HASH_ADD_KEYPTR(hh, watched->pods, pod->name, strlen(pod->name), pod);
	pod_patience_begin(&pod->patience, follower->start_timeout_ms, loop_now_ms());
	watch_patience(follower, pod);
	begin_in(watched, 0);
	return true;
}

void follower_remove(struct follower *follower, const void *item)
{
	struct watched *watched;
	struct followed *pod, *next;

	enter(follower);
	for (watched = follower->namespaces; watched; watched = watched->hh.next)
		HASH_ITER (hh, watched->pods, pod, next)
			if (pod->item == item)
				let_go(pod);
	leave(follower);
}

size_t follower_count(const struct follower *follower)
{
	const struct watched *watched;
	size_t count = 0;

	for (watched = follower->namespaces; watched; watched = watched->hh.next)
		count += HASH_COUNT(watched->pods);
	return count;
}
