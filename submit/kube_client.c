/* SPDX-License-Identifier: Apache-2.0 */
/* The Kubernetes API: requests that wait. */
#include "submit/kube_client.h"

#include <assert.h>
#include <string.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_call.h"
#include "submit/kube_request.h"
#include "submit/kube_send.h"

#define RESTARTS 3

struct kube_client *kube_client_new_take(struct http_client *http, struct kube_config *config)
{
	struct kube_client *client = xcalloc(1, sizeof(*client));

	client->http = http;
	client->config = config;
	return client;
}

void kube_client_free(struct kube_client *client)
{
	if (!client)
		return;
	kube_config_free(client->config);
	free(client);
}

struct loop *kube_client_loop(const struct kube_client *client)
{
	return http_client_loop(client->http);
}

const struct kube_config *kube_client_config(const struct kube_client *client)
{
	return client->config;
}

bool kube_client_clock_ahead(const struct kube_client *client, int64_t *ahead_ms)
{
	if (client->has_clock)
		*ahead_ms = client->clock_ahead_ms;
	return client->has_clock;
}

/* The header has whole seconds: on average half of one has passed. */
static void read_clock(struct kube_client *client, const struct http_response *response)
{
	scoped(text) char *date = http_response_header(response, "Date");
	int64_t at_ms;

	if (!date || !clock_parse_http(date, &at_ms))
		return;
	client->has_clock = true;
	client->clock_ahead_ms = at_ms + 500 - clock_now_ms();
}

void *kube_client_explain(const struct kube_client *client, struct error **err)
{
	const struct kube_config *config = client->config;
	scoped(text) char *where =
		config->context ? text_printf("context '%s' of %s", config->context, config->source)
				: xstrdup(config->source);

	if (error_is_retryable(*err))
		return error_wrap(err,
		                  "cannot reach the API server; see that it runs, and that %s is "
		                  "the one you mean",
		                  where);
	if ((*err)->kind == ERROR_AUTH)
		return error_wrap(
			err,
			"no TLS trust with the API server; see certificate-authority-data "
			"and client-certificate-data of %s",
			where);
	return NULL;
}

/* ---- one request ---- */

/* One try. False with *err when no answer came at all. */
static bool perform_once(struct kube_client *client, struct kube_tries *tries,
                         const struct kube_call *call, struct http_response *response,
                         struct error **err)
{
	struct kube_prepared prepared = { 0 };
	bool answered;

	if (!kube_tries_prepare(tries, client, call, &prepared, err)) {
		kube_prepared_release(&prepared);
		return false;
	}
	answered = http_perform(client->http, &prepared.request, response, err);
	kube_prepared_release(&prepared);
	if (answered)
		read_clock(client, response);
	return answered || kube_client_explain(client, err);
}

/* True: an answer below 300 came. `response` is the caller's to release. */
static bool perform(struct kube_client *client, const struct kube_call *call,
                    struct http_response *response, struct error **err)
{
	struct kube_tries tries;
	int64_t delay_ms;

	kube_tries_begin(&tries);
	for (;;) {
		struct error *error = NULL;
		struct http_response answer = { 0 };

		if (perform_once(client, &tries, call, &answer, &error) && answer.status < 300) {
			*response = answer;
			return true;
		}
		if (!kube_tries_again(&tries, client, &answer, error, &delay_ms)) {
			if (!error)
				kube_status_error(answer.status, answer.body, answer.body_size,
				                  &error);
			http_response_release(&answer);
			error_pass(err, error);
			return error_wrap(err, "%s", call->purpose);
		}
		error_free(error);
		http_response_release(&answer);
		if (delay_ms)
			http_wait(client->http, delay_ms);
	}
}

/* Takes the call, which may be NULL when it could not be made. */
static json_t *perform_take(struct kube_client *client, struct kube_call *taken, struct error **err)
{
	scoped(kube_call) struct kube_call *call = taken;
	struct http_response response = { 0 };
	json_t *object;

	if (!call || !perform(client, call, &response, err))
		return NULL;
	object = kube_answer_object(client, &response, err);
	http_response_release(&response);
	return object ? object : error_wrap(err, "%s", call->purpose);
}

/* The same where only the success counts. */
static bool perform_blindly_take(struct kube_client *client, struct kube_call *taken,
                                 struct error **err)
{
	scoped(kube_call) struct kube_call *call = taken;
	struct http_response response = { 0 };
	bool ok = call && perform(client, call, &response, err);

	http_response_release(&response);
	return ok;
}

struct http_transfer *kube_client_start(struct kube_client *client, const char *path, bool fresh,
                                        int64_t idle_timeout_ms, const struct http_events *events,
                                        void *context, struct error **err)
{
	struct kube_prepared prepared;
	const struct kube_call call = { .path = (char *)path };
	struct http_transfer *transfer = NULL;

	if (kube_prepare(&prepared, client, &call, fresh, err)) {
		prepared.request.idle_timeout_ms = idle_timeout_ms;
		transfer = http_start(client->http, &prepared.request, events, context, err);
	}
	kube_prepared_release(&prepared);
	return transfer;
}

static struct kube_place place_of(const struct kube_client *client, const struct kube_kind *kind,
                                  const char *namespace, const char *name)
{
	return (struct kube_place){ .kind = kind,
		                    .namespace = namespace ? namespace : client->config->namespace,
		                    .name = name };
}

/* ---- reading ---- */

json_t *kube_client_get(struct kube_client *client, const struct kube_kind *kind,
                        const char *namespace, const char *name, struct error **err)
{
	struct kube_place place = place_of(client, kind, namespace, name);

	return perform_take(client, kube_call_new_get(&place, err), err);
}

json_t *kube_client_get_path(struct kube_client *client, const char *path, struct error **err)
{
	return perform_take(
		client, kube_call_new_take("GET", xstrdup(path), text_printf("get %s", path)), err);
}

static void take_items(json_t *all, json_t *page, const struct kube_kind *kind)
{
	json_t *items = json_object_get(page, "items"), *item;
	size_t i;

	json_array_foreach (items, i, item)
		kube_object_complete(item, kind);
	json_array_extend(all, items);
}

/* All pages from the first on. */
static json_t *list_all(struct kube_client *client, const struct kube_place *place,
                        const struct kube_list_options *options, char **resource_version,
                        struct error **err)
{
	json_auto_t *all = json_array();
	scoped(text) char *resume = NULL;

	do {
		json_auto_t *page =
			perform_take(client, kube_call_new_list(place, options, resume, err), err);
		const json_t *metadata = json_object_get(page, "metadata");
		const char *next = json_string_value(json_object_get(metadata, "continue"));
		const char *version =
			json_string_value(json_object_get(metadata, "resourceVersion"));

		if (!page)
			return NULL;
		take_items(all, page, place->kind);
		free(resume);
		resume = next && *next ? xstrdup(next) : NULL;
		if (!resume && resource_version)
			*resource_version = xstrdup(version ? version : "");
	} while (resume);
	return json_incref(all);
}

json_t *kube_client_list(struct kube_client *client, const struct kube_kind *kind,
                         const char *namespace, const struct kube_list_options *options,
                         char **resource_version, struct error **err)
{
	static const struct kube_list_options none;
	struct kube_place place = place_of(client, kind, namespace, NULL);
	int restarts;

	for (restarts = 0;; restarts++) {
		struct error *error = NULL;
		json_t *items = list_all(client, &place, options ? options : &none,
		                         resource_version, &error);

		if (items)
			return items;
		/* The pages come from one moment, which the server has forgotten: begin anew. */
		if (error->kind != ERROR_GONE || restarts == RESTARTS)
			return error_pass(err, error);
		error_free(error);
	}
}

/* ---- writing ---- */

/* An object is written to the caller's namespace, else its own, else the config's. */
static struct kube_place place_of_object(const struct kube_client *client,
                                         const struct kube_kind *kind, const char *namespace,
                                         const json_t *object)
{
	const json_t *metadata = json_object_get(object, "metadata");
	const char *own = json_string_value(json_object_get(metadata, "namespace"));

	return place_of(client, kind, namespace ? namespace : own,
	                json_string_value(json_object_get(metadata, "name")));
}

json_t *kube_client_create(struct kube_client *client, const struct kube_kind *kind,
                           const char *namespace, const json_t *object, unsigned flags,
                           struct error **err)
{
	struct kube_place place = place_of_object(client, kind, namespace, object);

	return perform_take(client, kube_call_new_create(&place, object, flags, err), err);
}

json_t *kube_client_apply(struct kube_client *client, const struct kube_kind *kind,
                          const char *namespace, const json_t *object, unsigned flags,
                          struct error **err)
{
	struct kube_place place = place_of_object(client, kind, namespace, object);

	if (!place.name)
		place.name = ""; /* refused: it would be the collection */
	return perform_take(client, kube_call_new_apply(&place, object, flags, err), err);
}

json_t *kube_client_patch(struct kube_client *client, const struct kube_kind *kind,
                          const char *namespace, const char *name, const json_t *patch,
                          struct error **err)
{
	struct kube_place place = place_of(client, kind, namespace, name);

	return perform_take(client, kube_call_new_patch(&place, patch, err), err);
}

bool kube_client_delete(struct kube_client *client, const struct kube_kind *kind,
                        const char *namespace, const char *name, int64_t grace_s,
                        struct error **err)
{
	struct kube_place place = place_of(client, kind, namespace, name);

	return perform_blindly_take(client, kube_call_new_delete(&place, grace_s, err), err);
}

bool kube_client_delete_collection(struct kube_client *client, const struct kube_kind *kind,
                                   const char *namespace, const char *label_selector,
                                   struct error **err)
{
	struct kube_place place = place_of(client, kind, namespace, NULL);

	if (!label_selector || !*label_selector)
		return error_set(err, ERROR_INVALID,
		                 "a label selector is needed to delete %s in namespace '%s'",
		                 kind->plural, place.namespace);
	return perform_blindly_take(client, kube_call_new_delete_all(&place, label_selector, err),
	                            err);
}

/* ---- logs ---- */

/* The last `limit_bytes`, beginning with a whole line where there is one. */
static char *log_tail(struct http_response *response, size_t limit_bytes)
{
	char *from = response->body, *newline;
	size_t i;

	for (i = 0; i < response->body_size; i++)
		if (!response->body[i]) /* so that the text does not end there */
			response->body[i] = '?';
	if (response->body_size > limit_bytes) {
		from += response->body_size - limit_bytes;
		newline = strchr(from, '\n');
		if (from[-1] != '\n' && newline && newline[1])
			from = newline + 1;
	}
	return xstrdup(from);
}

char *kube_client_log(struct kube_client *client, const char *namespace, const char *pod,
                      const char *container, size_t limit_bytes, struct error **err)
{
	struct kube_place place = place_of(client, &kube_pods, namespace, pod);
	scoped(kube_call) struct kube_call *call =
		kube_call_new_log(&place, container, limit_bytes, err);
	struct http_response response = { 0 };
	char *text;

	if (!call || !perform(client, call, &response, err))
		return NULL;
	text = log_tail(&response, limit_bytes);
	http_response_release(&response);
	return text;
}
