/* SPDX-License-Identifier: Apache-2.0 */
/* Methods, paths, queries and bodies of the API's verbs. */
#include "submit/kube_call.h"

#include <assert.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_request.h"

#define PAGE_SIZE 500
#define FIELD_MANAGER "stepop"

struct kube_call *kube_call_new_take(const char *method, char *path, char *purpose)
{
	struct kube_call *call = xcalloc(1, sizeof(*call));

	call->method = method;
	call->path = path;
	call->purpose = purpose;
	return call;
}

void kube_call_free(struct kube_call *call)
{
	if (!call)
		return;
	free(call->path);
	secret_free(call->body);
	free(call->purpose);
	free(call);
}

/* "get Pod 'x' in namespace 'y'", "list pods in namespace 'y'"; owned by the caller. */
static char *purpose_of(const char *verb, const struct kube_place *place)
{
	const struct kube_kind *kind = place->kind;
	scoped(text) char *what = place->name ? text_printf("%s '%s'", kind->kind, place->name)
	                                      : xstrdup(kind->plural);

	if (kind->cluster_scoped)
		return text_printf("%s %s", verb, what);
	return text_printf("%s %s in namespace '%s'", verb, what, place->namespace);
}

/* Asks the place itself. */
static struct kube_call *call_new(const char *method, const char *verb,
                                  const struct kube_place *place, struct error **err)
{
	scoped(text) char *purpose = purpose_of(verb, place);
	char *path = kube_path(place->kind, place->namespace, place->name, err);

	return path ? kube_call_new_take(method, path, take(purpose))
	            : error_wrap(err, "%s", purpose);
}

struct kube_call *kube_call_new_get(const struct kube_place *place, struct error **err)
{
	assert(place->name);
	return call_new("GET", "get", place, err);
}

static void add_query(struct kube_call *call, unsigned flags, bool force)
{
	struct kube_query *query = kube_query_new(call->path);

	kube_query_add(query, "fieldManager", FIELD_MANAGER);
	kube_query_add(query, "force", force ? "true" : NULL);
	kube_query_add(query, "dryRun", flags & KUBE_DRY_RUN ? "All" : NULL);
	free(call->path);
	call->path = kube_query_finish(query);
}

static void add_body(struct kube_call *call, const char *content_type, const json_t *body)
{
	call->content_type = content_type;
	call->body = json_dumps(body, JSON_COMPACT);
}

/* An object is posted to its collection, but has its own name in the errors. Reviews have none. */
struct kube_call *kube_call_new_create(const struct kube_place *place, const json_t *object,
                                       unsigned flags, struct error **err)
{
	struct kube_place collection = { place->kind, place->namespace, NULL };
	scoped(text) char *purpose = purpose_of("create", place);
	struct kube_call *call = call_new("POST", "create", &collection, err);

	if (!call)
		return NULL;
	free(call->purpose);
	call->purpose = take(purpose);
	add_query(call, flags, false);
	add_body(call, "application/json", object);
	return call;
}

struct kube_call *kube_call_new_apply(const struct kube_place *place, const json_t *object,
                                      unsigned flags, struct error **err)
{
	struct kube_call *call;

	assert(place->name);
	call = call_new("PATCH", "apply", place, err);
	if (!call)
		return NULL;
	add_query(call, flags, true);
	add_body(call, "application/apply-patch+yaml", object);
	return call;
}

struct kube_call *kube_call_new_patch(const struct kube_place *place, const json_t *patch,
                                      struct error **err)
{
	struct kube_call *call;

	assert(place->name);
	call = call_new("PATCH", "patch", place, err);
	if (!call)
		return NULL;
	add_query(call, 0, false);
	add_body(call, "application/merge-patch+json", patch);
	return call;
}

static void add_delete_options(struct kube_call *call, int64_t grace_s)
{
	json_auto_t *options = json_pack("{s:s, s:s, s:s}", "kind", "DeleteOptions", "apiVersion",
	                                 "v1", "propagationPolicy", "Background");

	if (grace_s >= 0)
		json_object_set_new(options, "gracePeriodSeconds", json_integer(grace_s));
	add_body(call, "application/json", options);
}

struct kube_call *kube_call_new_delete(const struct kube_place *place, int64_t grace_s,
                                       struct error **err)
{
	struct kube_call *call;

	assert(place->name); /* without one it would be the whole collection */
	call = call_new("DELETE", "delete", place, err);
	if (call)
		add_delete_options(call, grace_s);
	return call;
}

struct kube_call *kube_call_new_delete_all(const struct kube_place *place,
                                           const char *label_selector, struct error **err)
{
	struct kube_call *call;
	struct kube_query *query;

	assert(!place->name && label_selector && *label_selector);
	call = call_new("DELETE", "delete", place, err);
	if (!call)
		return NULL;
	query = kube_query_new(call->path);
	kube_query_add(query, "labelSelector", label_selector);
	free(call->path);
	call->path = kube_query_finish(query);
	add_delete_options(call, -1);
	return call;
}

struct kube_call *kube_call_new_list(const struct kube_place *place,
                                     const struct kube_list_options *options, const char *resume,
                                     struct error **err)
{
	struct kube_call *call = call_new("GET", "list", place, err);
	struct kube_query *query;

	if (!call)
		return NULL;
	query = kube_query_new(call->path);
	kube_query_add_int(query, "limit", options->page_size ? options->page_size : PAGE_SIZE);
	kube_query_add(query, "continue", resume);
	kube_query_add(query, "labelSelector", options->label_selector);
	kube_query_add(query, "fieldSelector", options->field_selector);
	free(call->path);
	call->path = kube_query_finish(query);
	return call;
}

struct kube_call *kube_call_new_log(const struct kube_place *pod, const char *container,
                                    size_t limit_bytes, struct error **err)
{
	struct kube_call *call = call_new("GET", "read the log of", pod, err);
	scoped(text) char *path = NULL;
	struct kube_query *query;

	if (!call)
		return NULL;
	path = text_printf("%s/log", call->path);
	query = kube_query_new(path);
	kube_query_add(query, "container", container);
	/* limitBytes counts from the beginning; most lines are longer than 20 bytes. */
	kube_query_add_int(query, "tailLines", (int64_t)(limit_bytes / 20) + 1);
	free(call->path);
	call->path = kube_query_finish(query);
	return call;
}
