/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches: list, then watch from there; after a cut from the last resourceVersion that was seen;
 * after 410 Gone a new list, which also shows what has disappeared meanwhile.
 */
#include "submit/kube_stream.h"

#include <string.h>
#include <uthash.h>

#include "core/log.h"
#include "core/text.h"
#include "submit/kube_backoff.h"
#include "submit/kube_lines.h"
#include "submit/kube_request.h"

#define LINE_LIMIT_BYTES ((size_t)16 << 20)
#define REFUSAL_LIMIT_BYTES ((size_t)64 << 10)
#define PAGE_SIZE 500
/* The server ends a watch after so long; a connection that is silent for longer is dead. */
#define WATCH_S 240
#define SILENCE_MS 270000
/* A watch that lived so long was a good one. */
#define GOOD_MS 5000

/* One object. A tree of its last state would take ten times as much as the text. */
struct known {
	char *uid, *name, *version;
	char *state; /* or NULL: it is not kept */
	bool is_told;
	unsigned round; /* of the list that saw it last */
	UT_hash_handle hh;
};

struct kube_watch {
	struct kube_client *client;
	const struct kube_kind *kind;
	char *path, *label_selector, *field_selector;
	int64_t page_size;
	const struct kube_watch_events *events;
	void *context;
	struct http_transfer *transfer;
	struct loop_source *timer;
	struct known *known;
	unsigned round;
	char *resource_version; /* where the next watch begins; NULL: a list is due */
	char *resume;           /* the next page of the list */
	struct kube_lines lines;
	char *refusal; /* body of an answer that is no stream */
	size_t refusal_size;
	int status;
	struct kube_backoff backoff;
	int64_t started_at_ms;
	bool troubled, renews, renewed;
	int telling;
	bool cancelled;
};

static void proceed(struct kube_watch *watch);

static void known_free(struct kube_watch *watch, struct known *known)
{
	HASH_DEL(watch->known, known);
	free(known->state);
	free(known->version);
	free(known->name);
	free(known->uid);
	free(known);
}

static void watch_free(struct kube_watch *watch)
{
	struct known *known, *next;

	HASH_ITER (hh, watch->known, known, next)
		known_free(watch, known);
	kube_lines_release(&watch->lines);
	free(watch->path);
	free(watch->label_selector);
	free(watch->field_selector);
	free(watch->resource_version);
	free(watch->resume);
	free(watch->refusal);
	free(watch);
}

/* Callbacks may cancel the watch: it is freed when the outermost of our functions is left. */
static void enter(struct kube_watch *watch)
{
	watch->telling++;
}

static void leave(struct kube_watch *watch)
{
	if (!--watch->telling && watch->cancelled)
		watch_free(watch);
}

void kube_watch_cancel(struct kube_watch *watch)
{
	if (!watch)
		return;
	watch->cancelled = true;
	http_cancel(take(watch->transfer));
	loop_cancel(take(watch->timer));
	if (!watch->telling)
		watch_free(watch);
}

/* ---- trouble ---- */

static void timer_fired(void *context)
{
	struct kube_watch *watch = context;

	watch->timer = NULL;
	enter(watch);
	proceed(watch);
	leave(watch);
}

static void again_later(struct kube_watch *watch)
{
	if (watch->cancelled)
		return;
	watch->timer = loop_start_timer(kube_client_loop(watch->client),
	                                kube_backoff_next(&watch->backoff), timer_fired, watch);
}

static void tell_trouble(struct kube_watch *watch, const struct error *error)
{
	watch->troubled = true;
	if (watch->events->trouble && !watch->cancelled)
		watch->events->trouble(watch->context, error);
}

static void tell_well(struct kube_watch *watch)
{
	watch->renewed = false;
	if (!watch->troubled)
		return;
	watch->troubled = false;
	if (watch->events->trouble && !watch->cancelled)
		watch->events->trouble(watch->context, NULL);
}

static void list_anew(struct kube_watch *watch)
{
	free(take(watch->resource_version));
	free(take(watch->resume));
}

/* An answer that is no success, or an ERROR event. */
static void handle_error(struct kube_watch *watch, int status, const struct error *error)
{
	if (error->kind == ERROR_GONE) {
		log_debug("watch of %s: 410 Gone, listing anew", watch->kind->plural);
		list_anew(watch);
	} else if (status == 401 && !watch->renewed) {
		watch->renews = watch->renewed = true;
	} else {
		tell_trouble(watch, error);
	}
	again_later(watch);
}

/* No answer came. */
static void handle_silence(struct kube_watch *watch, const struct error *reason)
{
	scoped(error) struct error *error = error_copy(reason);

	kube_client_explain(watch->client, &error);
	handle_error(watch, 0, error);
}

static void handle_refusal(struct kube_watch *watch, int status, const char *body, size_t size)
{
	scoped(error) struct error *error = NULL;

	kube_status_error(status, body ? body : "", size, &error);
	error_wrap(&error, "watch %s", watch->kind->plural);
	handle_error(watch, status, error);
}

/* ---- objects ---- */

static const char *metadata_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(json_object_get(object, "metadata"), key));
}

static struct known *know(struct kube_watch *watch, const json_t *object)
{
	const char *uid = metadata_text(object, "uid");
	struct known *known;

	uid = uid ? uid : "";
	HASH_FIND_STR(watch->known, uid, known);
	if (known)
		return known;
	known = xcalloc(1, sizeof(*known));
	known->uid = xstrdup(uid);
	known->name = text_copy(metadata_text(object, "name"));
	HASH_ADD_KEYPTR(hh, watch->known, known->uid, strlen(known->uid), known);
	return known;
}

/* False when this very state is known already. */
static bool remember(struct kube_watch *watch, const json_t *object)
{
	struct known *known = know(watch, object);
	const char *version = metadata_text(object, "resourceVersion");
	bool is_new = !known->is_told || !text_equal(known->version, version);
	bool keeps = !watch->events->keeps || watch->events->keeps(watch->context, object);

	known->round = watch->round;
	if (!is_new && (known->state || !keeps))
		return false;
	known->is_told = true;
	free(known->version);
	free(known->state);
	known->version = text_copy(version);
	known->state = keeps ? json_dumps(object, JSON_COMPACT) : NULL;
	return is_new;
}

static json_t *state_of(const struct known *known)
{
	return known->state ? json_loads(known->state, 0, NULL)
	                    : json_pack("{s:{s:s, s:s?}}", "metadata", "uid", known->uid, "name",
	                                known->name);
}

json_t *kube_watch_find(const struct kube_watch *watch, const char *name)
{
	const struct known *known;

	for (known = watch->known; known; known = known->hh.next)
		if (known->state && text_equal(known->name, name))
			return state_of(known);
	return NULL;
}

static void tell_changed(struct kube_watch *watch, json_t *object)
{
	if (watch->cancelled)
		return;
	kube_object_complete(object, watch->kind);
	if (remember(watch, object))
		watch->events->changed(watch->context, object);
}

static void tell_deleted(struct kube_watch *watch, json_t *object)
{
	const char *uid = metadata_text(object, "uid");
	struct known *known;

	HASH_FIND_STR(watch->known, uid ? uid : "", known);
	if (known)
		known_free(watch, known);
	if (!watch->cancelled)
		watch->events->deleted(watch->context, object);
}

/* What the list has not shown is gone; nobody saw its DELETED. */
static void sweep(struct kube_watch *watch)
{
	struct known *known, *next;

	HASH_ITER (hh, watch->known, known, next) {
		json_auto_t *object = NULL;

		if (known->round == watch->round || watch->cancelled)
			continue;
		object = state_of(known);
		tell_deleted(watch, object);
	}
}

static void set_resource_version(struct kube_watch *watch, const char *version)
{
	if (!version || !*version)
		return;
	free(watch->resource_version);
	watch->resource_version = xstrdup(version);
}

/* ---- the list ---- */

static void take_page(struct kube_watch *watch, const json_t *page)
{
	const json_t *metadata = json_object_get(page, "metadata");
	const char *next = json_string_value(json_object_get(metadata, "continue"));
	json_t *item;
	size_t i;

	json_array_foreach (json_object_get(page, "items"), i, item)
		tell_changed(watch, item);
	free(take(watch->resume));
	if (next && *next) {
		watch->resume = xstrdup(next);
		return;
	}
	sweep(watch);
	set_resource_version(watch,
	                     json_string_value(json_object_get(metadata, "resourceVersion")));
	if (watch->events->synced && !watch->cancelled)
		watch->events->synced(watch->context);
}

static void handle_page(struct kube_watch *watch, const struct http_response *response)
{
	json_auto_t *page = NULL;

	if (response->status >= 300) {
		handle_refusal(watch, response->status, response->body, response->body_size);
		return;
	}
	page = json_loadb(response->body, response->body_size, 0, NULL);
	if (!json_is_array(json_object_get(page, "items"))) {
		scoped(error) struct error *error = NULL;

		error_set(&error, ERROR_UNAVAILABLE, "list %s: the answer is no list",
		          watch->kind->plural);
		list_anew(watch);
		handle_error(watch, response->status, error);
		return;
	}
	tell_well(watch);
	take_page(watch, page);
	if (!watch->cancelled)
		proceed(watch);
}

static void list_ended(void *context, const struct http_response *response,
                       const struct error *error)
{
	struct kube_watch *watch = context;

	watch->transfer = NULL;
	enter(watch);
	if (error)
		handle_silence(watch, error);
	else
		handle_page(watch, response);
	leave(watch);
}

static const struct http_events list_events = { .ended = list_ended };

/* ---- the watch ---- */

static bool handle_event(void *context, const char *line, size_t size, bool starts)
{
	struct kube_watch *watch = context;
	json_auto_t *event = json_loadb(line, size, 0, NULL);
	const char *type = json_string_value(json_object_get(event, "type"));
	json_t *object = json_object_get(event, "object");

	(void)starts;
	if (!type || !json_is_object(object))
		return size == 0;
	if (text_equal(type, "ERROR")) {
		scoped(error) struct error *error = NULL;

		kube_status_object_error(object, &error);
		error_wrap(&error, "watch %s", watch->kind->plural);
		list_anew(watch);
		http_cancel(take(watch->transfer));
		handle_error(watch, 0, error);
		return false;
	}
	set_resource_version(watch, metadata_text(object, "resourceVersion"));
	kube_backoff_reset(&watch->backoff);
	if (text_equal(type, "ADDED") || text_equal(type, "MODIFIED"))
		tell_changed(watch, object);
	else if (text_equal(type, "DELETED"))
		tell_deleted(watch, object);
	return !watch->cancelled;
}

static void watch_head(void *context, int status, const struct http_response *head)
{
	struct kube_watch *watch = context;

	(void)head;
	watch->status = status;
	if (status >= 300)
		return;
	enter(watch);
	tell_well(watch);
	leave(watch);
}

static void keep_refusal(struct kube_watch *watch, const char *bytes, size_t size)
{
	if (size > REFUSAL_LIMIT_BYTES - watch->refusal_size)
		size = REFUSAL_LIMIT_BYTES - watch->refusal_size;
	watch->refusal = xrealloc(watch->refusal, watch->refusal_size + size + 1, 1);
	memcpy(watch->refusal + watch->refusal_size, bytes, size);
	watch->refusal_size += size;
	watch->refusal[watch->refusal_size] = '\0';
}

static bool watch_data(void *context, const char *bytes, size_t size)
{
	struct kube_watch *watch = context;
	bool goes_on = true;

	if (watch->status >= 300) {
		keep_refusal(watch, bytes, size);
		return true;
	}
	enter(watch);
	if (!kube_lines_feed(&watch->lines, bytes, size, handle_event, watch) && watch->transfer) {
		/* Nonsense, or an endless line: asking for the same again would bring the same. */
		scoped(error) struct error *error = NULL;

		error_set(&error, ERROR_UNAVAILABLE, "watch %s: the server sent no events",
		          watch->kind->plural);
		http_cancel(take(watch->transfer));
		list_anew(watch);
		handle_error(watch, 0, error);
		goes_on = false;
	}
	leave(watch);
	return goes_on;
}

static void watch_ended(void *context, const struct http_response *response,
                        const struct error *error)
{
	struct kube_watch *watch = context;

	(void)response;
	watch->transfer = NULL;
	enter(watch);
	if (loop_now_ms() - watch->started_at_ms > GOOD_MS)
		kube_backoff_reset(&watch->backoff);
	if (watch->status >= 300)
		handle_refusal(watch, watch->status, watch->refusal, watch->refusal_size);
	else if (error && !watch->status)
		handle_silence(watch, error);
	else /* the server's time was over, or the connection was cut: go on where it ended */
		again_later(watch);
	leave(watch);
}

static const struct http_events watch_events = { watch_head, watch_data, watch_ended };

/* ---- what is next ---- */

static struct http_transfer *start_list(struct kube_watch *watch, struct error **err)
{
	struct kube_query *query = kube_query_new(watch->path);
	scoped(text) char *url = NULL;

	if (!watch->resume)
		watch->round++;
	kube_query_add_int(query, "limit", watch->page_size);
	kube_query_add(query, "continue", watch->resume);
	kube_query_add(query, "labelSelector", watch->label_selector);
	kube_query_add(query, "fieldSelector", watch->field_selector);
	url = kube_query_finish(query);
	return kube_client_start(watch->client, url, watch->renews, SILENCE_MS, &list_events, watch,
	                         err);
}

static struct http_transfer *start_watch(struct kube_watch *watch, struct error **err)
{
	struct kube_query *query = kube_query_new(watch->path);
	scoped(text) char *url = NULL;

	kube_query_add(query, "watch", "true");
	kube_query_add(query, "allowWatchBookmarks", "true");
	kube_query_add_int(query, "timeoutSeconds", WATCH_S);
	kube_query_add(query, "resourceVersion", watch->resource_version);
	kube_query_add(query, "labelSelector", watch->label_selector);
	kube_query_add(query, "fieldSelector", watch->field_selector);
	url = kube_query_finish(query);
	kube_lines_reset(&watch->lines);
	free(take(watch->refusal));
	watch->refusal_size = 0;
	watch->status = 0;
	return kube_client_start(watch->client, url, watch->renews, SILENCE_MS, &watch_events,
	                         watch, err);
}

static void proceed(struct kube_watch *watch)
{
	scoped(error) struct error *error = NULL;

	watch->started_at_ms = loop_now_ms();
	watch->transfer =
		watch->resource_version ? start_watch(watch, &error) : start_list(watch, &error);
	watch->renews = false;
	if (!watch->transfer)
		handle_error(watch, 0, error);
}

struct kube_watch *kube_watch_start(struct kube_client *client,
                                    const struct kube_watch_options *options,
                                    const struct kube_watch_events *events, void *context,
                                    struct error **err)
{
	const char *namespace =
		options->namespace ? options->namespace : kube_client_config(client)->namespace;
	struct kube_watch *watch;
	char *path = kube_path(options->kind, namespace, NULL, err);

	if (!path)
		return NULL;
	watch = xcalloc(1, sizeof(*watch));
	watch->client = client;
	watch->kind = options->kind;
	watch->path = path;
	watch->label_selector = text_copy(options->label_selector);
	watch->field_selector = text_copy(options->field_selector);
	watch->page_size = options->page_size ? options->page_size : PAGE_SIZE;
	watch->events = events;
	watch->context = context;
	watch->lines.limit_bytes = LINE_LIMIT_BYTES;
	watch->timer = loop_start_timer(kube_client_loop(client), 0, timer_fired, watch);
	return watch;
}
