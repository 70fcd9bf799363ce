/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to registries, step by step, and the loop that waits for them. */
#include "cloud/oci_request.h"

#include <string.h>
#include <strings.h>

#include "cloud/oci_error.h"
#include "core/http_url.h"
#include "core/memory.h"
#include "core/text.h"

#define ANSWER_MAX_BYTES ((size_t)1 << 20)
#define REDIRECTS_MAX 5

void oci_exchange_release(struct oci_exchange *exchange)
{
	free(exchange->url);
	secret_free(exchange->authorization);
	for (size_t i = 0; i < OCI_HEADERS_MAX; i++)
		free(exchange->owned[i]);
	*exchange = (struct oci_exchange){ 0 };
}

static struct oci_registry *registry_of(const struct oci_exchange *exchange)
{
	return exchange->request->place.registry;
}

/* ---- what is sent ---- */

static char *first_url(const struct oci_request *request)
{
	const struct oci_place *place = &request->place;

	return request->url ? xstrdup(request->url)
	                    : text_printf("%s/v2/%s/%s", place->registry->base, place->repository,
	                                  request->path);
}

/* Only the registry itself is told who we are, not where it sends us. */
static bool set_authorization(struct oci_exchange *exchange, struct error **err)
{
	const struct oci_request *request = exchange->request;
	const struct oci_registry *registry = request->place.registry;
	const struct oci_scope scope = { .repository = request->place.repository,
		                         .push = request->push,
		                         .mount_from = request->mount_from };

	secret_free(take(exchange->authorization));
	return !http_url_same_origin(exchange->url, registry->base) ||
	       oci_auth_header(registry->auth, &scope, &exchange->authorization, err);
}

static void set_headers(struct oci_exchange *exchange)
{
	const struct oci_request *request = exchange->request;
	const struct {
		const char *name, *value;
	} all[] = {
		{ "Accept", request->accept },
		{ "Content-Type", request->content_type },
		{ "Content-Range", request->content_range },
		{ "Range", request->range },
	};
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		free(take(exchange->owned[i]));
		if (!all[i].value)
			continue;
		exchange->owned[i] = text_printf("%s: %s", all[i].name, all[i].value);
		exchange->headers[count++] = exchange->owned[i];
	}
	exchange->headers[count++] = exchange->authorization;
	exchange->headers[count] = NULL;
}

/* An upload out of a pipe stands still when the download into it does, which is to be noticed
 * first.
 */
static int64_t stall_timeout_ms(const struct oci_request *request)
{
	int64_t timeout_ms = request->place.registry->stall_timeout_ms;

	return !request->is_stream ? 0 : request->body_pipe ? 2 * timeout_ms : timeout_ms;
}

bool oci_exchange_next(struct oci_exchange *exchange, struct http_request *http, struct error **err)
{
	const struct oci_request *request = exchange->request;

	if (!exchange->url)
		exchange->url = first_url(request);
	if (!set_authorization(exchange, err))
		return false;
	set_headers(exchange);
	*http = (struct http_request){
		.method = request->method,
		.url = exchange->url,
		.headers = exchange->headers,
		.body = request->body,
		.body_fd = request->body_fd,
		.body_size = request->body_size,
		.body_pipe = request->body_pipe,
		.pipe = request->pipe,
		.tls = &request->place.registry->tls,
		.timeout_ms = request->timeout_ms,
		.stall_timeout_ms = stall_timeout_ms(request),
		.max_response_bytes = request->answer_max ? request->answer_max : ANSWER_MAX_BYTES,
	};
	return true;
}

/* ---- what is answered ---- */

bool oci_is_success(const struct http_response *response)
{
	return response->status / 100 == 2;
}

void *oci_refused(const struct oci_request *request, const struct http_response *response,
                  struct error **err)
{
	const struct oci_registry *registry = request->place.registry;
	scoped(text) char *place = text_printf("%s/%s", registry->host, request->place.repository);
	const struct oci_subject subject = { .place = place,
		                             .thing = request->thing,
		                             .who = oci_auth_who(registry->auth),
		                             .push = request->push };

	oci_error_set(err, &subject, response);
	return registry->component ? error_wrap(err, "%s", registry->component) : NULL;
}

/* *err says why; where it happened is put before it. */
static void *failed(const struct oci_exchange *exchange, struct error **err)
{
	const struct oci_request *request = exchange->request;
	const struct oci_registry *registry = request->place.registry;

	error_wrap(err, "%s/%s", registry->host, request->place.repository);
	return registry->component ? error_wrap(err, "%s", registry->component) : NULL;
}

static bool is_redirect(const struct oci_request *request, const struct http_response *response)
{
	bool is_reading = !request->method || text_equal(request->method, "HEAD");
	int status = response->status;

	return is_reading &&
	       (status == 301 || status == 302 || status == 303 || status == 307 || status == 308);
}

static enum oci_verdict follow(struct oci_exchange *exchange, const struct http_response *response,
                               struct error **err)
{
	scoped(text) char *location = http_response_header(response, "Location");
	scoped(text) char *url = location ? http_url_join(exchange->url, location) : NULL;
	const struct oci_registry *registry = registry_of(exchange);
	bool loses_tls = url && text_starts_with(exchange->url, "https:") &&
	                 text_starts_with(url, "http:") && !registry->tls.insecure;

	if (url && !loses_tls && ++exchange->redirects <= REDIRECTS_MAX) {
		free(exchange->url);
		exchange->url = take(url);
		return OCI_AGAIN;
	}
	if (loses_tls)
		error_set(err, ERROR_AUTH,
		          "the registry sends us to an address without TLS; register it with "
		          "--insecure if that is meant to be");
	else
		error_set(err, ERROR_INVALID, "the registry sends us %s",
		          url ? "from one address to the next" : "nowhere");
	failed(exchange, err);
	return OCI_FAILED;
}

/* A registry of which TLS was only assumed turns out to have none. That it has one which is not
 * trusted is no reason to do without. */
static bool falls_back(const struct oci_exchange *exchange, const struct error *error)
{
	struct oci_registry *registry = registry_of(exchange);
	bool is_without_tls = error->kind == ERROR_INVALID || error->kind == ERROR_UNAVAILABLE;

	/* Several may ask at the same time; the first one to know tells the others. */
	if (is_without_tls && text_starts_with(registry->base, "http:") &&
	    text_starts_with(exchange->url, "https:"))
		return true;
	if (registry->is_base_sure || !is_without_tls)
		return false;
	free(registry->base);
	registry->base = text_printf("http://%s", registry->host);
	registry->is_base_sure = true;
	oci_auth_allow_plain_http(registry->auth);
	return true;
}

/* What was sent for lack of a better knowledge, or has expired meanwhile, is not held against us
 * once. */
static bool may_ask_anew(struct oci_exchange *exchange, const struct http_response *response)
{
	const struct oci_request *request = exchange->request;
	const struct oci_scope scope = { .repository = request->place.repository,
		                         .push = request->push,
		                         .mount_from = request->mount_from };
	const struct oci_registry *registry = request->place.registry;

	return response->status == 401 && http_url_same_origin(exchange->url, registry->base) &&
	       oci_auth_refused(registry->auth, &scope, response->head) &&
	       ++exchange->refusals == 1;
}

static enum oci_verdict judge_error(struct oci_exchange *exchange, struct error *error,
                                    int64_t *delay_ms, struct error **err)
{
	const struct oci_request *request = exchange->request;

	if (!request->url && falls_back(exchange, error)) {
		error_free(error);
		free(take(exchange->url));
		return OCI_AGAIN;
	}
	if (!request->is_once &&
	    oci_is_worth_another_try(++exchange->failures, error, NULL, delay_ms)) {
		error_free(error);
		free(take(exchange->url)); /* where we were led to may be what is broken */
		return OCI_AGAIN;
	}
	error_pass(err, error);
	failed(exchange, err);
	return OCI_FAILED;
}

enum oci_verdict oci_exchange_judge(struct oci_exchange *exchange, struct error *error,
                                    const struct http_response *response, int64_t *delay_ms,
                                    struct error **err)
{
	*delay_ms = 0;
	if (error)
		return judge_error(exchange, error, delay_ms, err);
	registry_of(exchange)->is_base_sure = true;
	if (is_redirect(exchange->request, response))
		return follow(exchange, response, err);
	if (may_ask_anew(exchange, response)) {
		/* From the beginning: what we were led to may have expired, too. */
		free(take(exchange->url));
		return OCI_AGAIN;
	}
	if (!exchange->request->is_once &&
	    oci_is_worth_another_try(++exchange->failures, NULL, response, delay_ms)) {
		free(take(exchange->url));
		return OCI_AGAIN;
	}
	return OCI_ANSWERED;
}

/* ---- waiting ---- */

bool oci_perform(const struct oci_request *request, struct http_response *response,
                 struct error **err)
{
	struct http_client *client = request->place.registry->http;
	struct oci_exchange exchange = { .request = request };
	enum oci_verdict verdict = OCI_AGAIN;

	while (verdict == OCI_AGAIN) {
		struct http_request http;
		struct error *error = NULL;
		int64_t delay_ms;

		http_response_release(response);
		if (!oci_exchange_next(&exchange, &http, err)) {
			failed(&exchange, err);
			break;
		}
		http_perform(client, &http, response, &error);
		verdict = oci_exchange_judge(&exchange, error, response, &delay_ms, err);
		if (verdict == OCI_AGAIN && delay_ms)
			http_wait(client, delay_ms);
	}
	oci_exchange_release(&exchange);
	return verdict == OCI_ANSWERED;
}

bool oci_call(const struct oci_request *request, struct http_response *response, struct error **err)
{
	return oci_perform(request, response, err) &&
	       (oci_is_success(response) || oci_refused(request, response, err));
}
