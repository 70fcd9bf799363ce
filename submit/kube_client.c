/* SPDX-License-Identifier: Apache-2.0 */
/* The Kubernetes API: requests with credentials, retries and deadlines. */
#include "submit/kube_client.h"

#include <assert.h>
#include <string.h>

#include "core/log.h"
#include "core/text.h"
#include "submit/kube_backoff.h"
#include "submit/kube_request.h"

#define DEADLINE_MS 30000
#define ATTEMPTS 4
#define FIRST_DELAY_MS 100
#define PAGE_SIZE 500
#define RESTARTS 3
#define FIELD_MANAGER "stepop"

struct kube_client {
	struct http_client *http;
	struct kube_config *config;
};

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

/* ---- one request ---- */

struct call {
	const char *method;
	const char *path; /* with its query */
	const char *content_type;
	const char *body; /* or NULL */
};

/* An http_request and what it borrows. */
struct prepared {
	struct http_request request;
	struct http_tls tls;
	char *url;
	char *authorization, *content_type, *user_password;
	const char *headers[4];
};

static void prepared_release(struct prepared *prepared)
{
	free(prepared->url);
	free(prepared->content_type);
	secret_free(prepared->authorization);
	secret_free(prepared->user_password);
}

static bool prepare(struct prepared *prepared, struct kube_client *client, const struct call *call,
                    bool fresh, struct error **err)
{
	struct kube_config *config = client->config;
	scoped(secret) char *token = NULL;
	size_t count = 0;

	*prepared = (struct prepared){ 0 };
	if (!kube_config_credential(config, fresh, &token, err))
		return false;
	prepared->url = text_printf("%s%s", config->server, call->path);
	prepared->headers[count++] = "Accept: application/json";
	if (token) {
		prepared->authorization = text_printf("Authorization: Bearer %s", token);
		prepared->headers[count++] = prepared->authorization;
	}
	if (call->body) {
		prepared->content_type = text_printf("Content-Type: %s", call->content_type);
		prepared->headers[count++] = prepared->content_type;
	}
	if (config->username)
		prepared->user_password = text_printf("%s:%s", config->username,
		                                      config->password ? config->password : "");
	prepared->tls = (struct http_tls){
		.ca_pem = config->ca_pem,
		.certificate_pem = config->certificate_pem,
		.key_pem = config->key_pem,
		.server_name = config->tls_server_name,
		.insecure = config->insecure,
	};
	prepared->request = (struct http_request){
		.method = call->method,
		.url = prepared->url,
		.headers = prepared->headers,
		.body = call->body,
		.body_size = call->body ? strlen(call->body) : 0,
		.tls = &prepared->tls,
		.proxy_url = config->proxy_url,
		.user_password = prepared->user_password,
	};
	return true;
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

static bool can_renew(const struct kube_config *config)
{
	return config->exec || config->token_file;
}

static bool is_worth_a_retry(int status)
{
	return status == 429 || status >= 500;
}

/* One try. False with *err when no answer came at all. */
static bool perform_once(struct kube_client *client, const struct call *call, bool fresh,
                         int64_t deadline_ms, struct http_response *response, struct error **err)
{
	struct prepared prepared __attribute__((__cleanup__(prepared_release))) = { 0 };
	int64_t left_ms = deadline_ms - loop_now_ms();

	if (!prepare(&prepared, client, call, fresh, err))
		return false;
	prepared.request.timeout_ms = left_ms > 1 ? left_ms : 1;
	return http_perform(client->http, &prepared.request, response, err) ||
	       kube_client_explain(client, err);
}

struct attempt {
	struct kube_backoff backoff;
	bool renewed; /* the credential, after a 401 */
	bool fresh;
	int64_t deadline_ms;
};

/* After an answer, or none: true when it should be tried once more, after waiting. */
static bool try_again(struct kube_client *client, struct attempt *attempt, int status,
                      int64_t retry_after_ms, const struct error *error)
{
	int64_t delay_ms;

	attempt->fresh = status == 401 && !attempt->renewed && can_renew(client->config);
	if (attempt->fresh) {
		attempt->renewed = true;
		return true;
	}
	if (error ? error->kind != ERROR_UNAVAILABLE : !is_worth_a_retry(status))
		return false;
	delay_ms = kube_backoff_next(&attempt->backoff);
	if (retry_after_ms >= 0)
		delay_ms = retry_after_ms;
	if (attempt->backoff.tries >= ATTEMPTS || loop_now_ms() + delay_ms >= attempt->deadline_ms)
		return false;
	log_debug("kube: HTTP status %d, again in %jd ms", status, (intmax_t)delay_ms);
	http_wait(client->http, delay_ms);
	return true;
}

/* True: an answer below 300 came. `response` is the caller's to release. */
static bool perform(struct kube_client *client, const struct call *call,
                    struct http_response *response, struct error **err)
{
	struct attempt attempt = { .backoff.delay_ms = FIRST_DELAY_MS,
		                   .deadline_ms = loop_now_ms() + DEADLINE_MS };

	for (;;) {
		struct error *error = NULL;
		struct http_response answer = { 0 };
		bool answered = perform_once(client, call, attempt.fresh, attempt.deadline_ms,
		                             &answer, &error);

		if (answered && answer.status < 300) {
			*response = answer;
			return true;
		}
		if (!try_again(client, &attempt, answer.status,
		               answered ? answer.retry_after_ms : -1, error)) {
			if (answered)
				kube_status_error(answer.status, answer.body, answer.body_size,
				                  &error);
			http_response_release(&answer);
			return error_pass(err, error);
		}
		error_free(error);
		http_response_release(&answer);
	}
}

static json_t *perform_json(struct kube_client *client, const struct call *call, struct error **err)
{
	struct http_response response = { 0 };
	json_error_t where;
	json_t *object;

	if (!perform(client, call, &response, err))
		return NULL;
	object = json_loadb(response.body, response.body_size, 0, &where);
	http_response_release(&response);
	if (!json_is_object(object)) {
		json_decref(object);
		return error_set(
			err, ERROR_INVALID,
			"what %s answers is no JSON object: is it a Kubernetes API server?",
			client->config->server);
	}
	return object;
}

struct http_transfer *kube_client_start(struct kube_client *client, const char *path, bool fresh,
                                        int64_t idle_timeout_ms, const struct http_events *events,
                                        void *context, struct error **err)
{
	struct prepared prepared __attribute__((__cleanup__(prepared_release))) = { 0 };
	struct call call = { .path = path };

	if (!prepare(&prepared, client, &call, fresh, err))
		return NULL;
	prepared.request.idle_timeout_ms = idle_timeout_ms;
	return http_start(client->http, &prepared.request, events, context, err);
}

/* ---- what is asked, in words ---- */

static void *wrap_object(struct error **err, const char *verb, const struct kube_kind *kind,
                         const char *namespace, const char *name)
{
	if (kind->cluster_scoped)
		return error_wrap(err, "%s %s '%s'", verb, kind->kind, name);
	return error_wrap(err, "%s %s '%s' in namespace '%s'", verb, kind->kind, name, namespace);
}

static void *wrap_collection(struct error **err, const char *verb, const struct kube_kind *kind,
                             const char *namespace)
{
	if (kind->cluster_scoped)
		return error_wrap(err, "%s %s", verb, kind->plural);
	return error_wrap(err, "%s %s in namespace '%s'", verb, kind->plural, namespace);
}

static const char *namespace_or_default(const struct kube_client *client, const char *namespace)
{
	return namespace ? namespace : client->config->namespace;
}

/* ---- reading ---- */

json_t *kube_client_get(struct kube_client *client, const struct kube_kind *kind,
                        const char *namespace, const char *name, struct error **err)
{
	scoped(text) char *path = NULL;
	struct call call = { .method = "GET" };
	json_t *object;

	assert(name);
	namespace = namespace_or_default(client, namespace);
	path = kube_path(kind, namespace, name, err);
	if (!path)
		return NULL;
	call.path = path;
	object = perform_json(client, &call, err);
	return object ? object : wrap_object(err, "get", kind, namespace, name);
}

json_t *kube_client_get_path(struct kube_client *client, const char *path, struct error **err)
{
	struct call call = { .method = "GET", .path = path };
	json_t *object = perform_json(client, &call, err);

	return object ? object : error_wrap(err, "get %s", path);
}

static json_t *list_page(struct kube_client *client, const char *path,
                         const struct kube_list_options *options, const char *resume,
                         struct error **err)
{
	struct kube_query *query = kube_query_new(path);
	scoped(text) char *url = NULL;
	struct call call = { .method = "GET" };

	kube_query_add_int(query, "limit", options->page_size ? options->page_size : PAGE_SIZE);
	kube_query_add(query, "continue", resume);
	kube_query_add(query, "labelSelector", options->label_selector);
	kube_query_add(query, "fieldSelector", options->field_selector);
	url = kube_query_finish(query);
	call.path = url;
	return perform_json(client, &call, err);
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
static json_t *list_all(struct kube_client *client, const struct kube_kind *kind, const char *path,
                        const struct kube_list_options *options, char **resource_version,
                        struct error **err)
{
	json_auto_t *all = json_array();
	scoped(text) char *resume = NULL;

	do {
		json_auto_t *page = list_page(client, path, options, resume, err);
		const json_t *metadata = json_object_get(page, "metadata");
		const char *next = json_string_value(json_object_get(metadata, "continue"));
		const char *version =
			json_string_value(json_object_get(metadata, "resourceVersion"));

		if (!page)
			return NULL;
		take_items(all, page, kind);
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
	scoped(text) char *path = NULL;
	int restarts;

	namespace = namespace_or_default(client, namespace);
	path = kube_path(kind, namespace, NULL, err);
	if (!path)
		return NULL;
	for (restarts = 0;; restarts++) {
		struct error *error = NULL;
		json_t *items = list_all(client, kind, path, options ? options : &none,
		                         resource_version, &error);

		if (items)
			return items;
		/* The pages come from one moment, which the server has forgotten: begin anew. */
		if (error->kind != ERROR_GONE || restarts == RESTARTS) {
			error_pass(err, error);
			return wrap_collection(err, "list", kind, namespace);
		}
		error_free(error);
	}
}

/* ---- writing ---- */

static const char *object_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(json_object_get(object, "metadata"), key));
}

/* Where an object is written to. */
struct target {
	const char *namespace, *name;
};

static struct target find_target(const struct kube_client *client, const char *namespace,
                                 const json_t *object)
{
	struct target target = { .namespace = namespace };

	if (!target.namespace)
		target.namespace = object_text(object, "namespace");
	target.namespace = namespace_or_default(client, target.namespace);
	target.name = object_text(object, "name");
	return target;
}

static json_t *write_object(struct kube_client *client, const struct call *call,
                            const json_t *object, unsigned flags, bool force, struct error **err)
{
	struct kube_query *query = kube_query_new(call->path);
	scoped(secret) char *body = json_dumps(object, JSON_COMPACT);
	scoped(text) char *path = NULL;
	struct call full = *call;

	kube_query_add(query, "fieldManager", FIELD_MANAGER);
	kube_query_add(query, "force", force ? "true" : NULL);
	kube_query_add(query, "dryRun", flags & KUBE_DRY_RUN ? "All" : NULL);
	path = kube_query_finish(query);
	full.path = path;
	full.body = body;
	return perform_json(client, &full, err);
}

json_t *kube_client_create(struct kube_client *client, const struct kube_kind *kind,
                           const char *namespace, const json_t *object, unsigned flags,
                           struct error **err)
{
	struct target target = find_target(client, namespace, object);
	scoped(text) char *path = kube_path(kind, target.namespace, NULL, err);
	struct call call = { .method = "POST", .path = path, .content_type = "application/json" };
	json_t *stored = path ? write_object(client, &call, object, flags, false, err) : NULL;

	if (stored)
		return stored;
	if (!target.name) /* reviews have none */
		return wrap_collection(err, "create", kind, target.namespace);
	return wrap_object(err, "create", kind, target.namespace, target.name);
}

json_t *kube_client_apply(struct kube_client *client, const struct kube_kind *kind,
                          const char *namespace, const json_t *object, unsigned flags,
                          struct error **err)
{
	struct target target = find_target(client, namespace, object);
	const char *name = target.name ? target.name : "";
	scoped(text) char *path = kube_path(kind, target.namespace, name, err);
	struct call call = { .method = "PATCH",
		             .path = path,
		             .content_type = "application/apply-patch+yaml" };
	json_t *stored = path ? write_object(client, &call, object, flags, true, err) : NULL;

	return stored ? stored : wrap_object(err, "apply", kind, target.namespace, name);
}

json_t *kube_client_patch(struct kube_client *client, const struct kube_kind *kind,
                          const char *namespace, const char *name, const json_t *patch,
                          struct error **err)
{
	scoped(text) char *path = NULL;
	struct call call = { .method = "PATCH", .content_type = "application/merge-patch+json" };
	json_t *stored;

	assert(name);
	namespace = namespace_or_default(client, namespace);
	path = kube_path(kind, namespace, name, err);
	call.path = path;
	stored = path ? write_object(client, &call, patch, 0, false, err) : NULL;
	return stored ? stored : wrap_object(err, "patch", kind, namespace, name);
}

static bool perform_delete(struct kube_client *client, const char *path, int64_t grace_s,
                           struct error **err)
{
	json_auto_t *options = json_pack("{s:s, s:s, s:s}", "kind", "DeleteOptions", "apiVersion",
	                                 "v1", "propagationPolicy", "Background");
	scoped(text) char *body = NULL;
	struct http_response response = { 0 };
	struct call call = { .method = "DELETE", .path = path, .content_type = "application/json" };

	if (grace_s >= 0)
		json_object_set_new(options, "gracePeriodSeconds", json_integer(grace_s));
	body = json_dumps(options, JSON_COMPACT);
	call.body = body;
	if (!perform(client, &call, &response, err))
		return false;
	http_response_release(&response);
	return true;
}

bool kube_client_delete(struct kube_client *client, const struct kube_kind *kind,
                        const char *namespace, const char *name, int64_t grace_s,
                        struct error **err)
{
	scoped(text) char *path = NULL;

	assert(name); /* without one it would be the whole collection */
	namespace = namespace_or_default(client, namespace);
	path = kube_path(kind, namespace, name, err);
	return (path && perform_delete(client, path, grace_s, err)) ||
	       wrap_object(err, "delete", kind, namespace, name);
}

bool kube_client_delete_collection(struct kube_client *client, const struct kube_kind *kind,
                                   const char *namespace, const char *label_selector,
                                   struct error **err)
{
	scoped(text) char *path = NULL;
	scoped(text) char *url = NULL;
	struct kube_query *query;

	namespace = namespace_or_default(client, namespace);
	if (!label_selector || !*label_selector)
		return error_set(err, ERROR_INVALID,
		                 "a label selector is needed to delete %s in namespace '%s'",
		                 kind->plural, namespace);
	path = kube_path(kind, namespace, NULL, err);
	if (!path)
		return false;
	query = kube_query_new(path);
	kube_query_add(query, "labelSelector", label_selector);
	url = kube_query_finish(query);
	return perform_delete(client, url, -1, err) ||
	       wrap_collection(err, "delete", kind, namespace);
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
	scoped(text) char *path = NULL;
	scoped(text) char *log_path = NULL;
	scoped(text) char *url = NULL;
	struct http_response response = { 0 };
	struct call call = { .method = "GET" };
	struct kube_query *query;
	char *text;

	namespace = namespace_or_default(client, namespace);
	path = kube_path(&kube_pods, namespace, pod, err);
	if (!path)
		return NULL;
	log_path = text_printf("%s/log", path);
	query = kube_query_new(log_path);
	kube_query_add(query, "container", container);
	/* limitBytes counts from the beginning; most lines are longer than 20 bytes. */
	kube_query_add_int(query, "tailLines", (int64_t)(limit_bytes / 20) + 1);
	url = kube_query_finish(query);
	call.path = url;
	if (!perform(client, &call, &response, err))
		return wrap_object(err, "read the log of", &kube_pods, namespace, pod);
	text = log_tail(&response, limit_bytes);
	http_response_release(&response);
	return text;
}
