/* SPDX-License-Identifier: Apache-2.0 */
/* Signing, sending, trying again. */
#include "cloud/aws_request.h"

#include <string.h>

#include "cloud/aws_fault.h"
#include "cloud/aws_sigv4.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"

enum {
	TRIES = 3,
	BACKOFF_MS = 200,
	BACKOFF_MAX_MS = 5000,
	TIMEOUT_MS = 20000,
	CONNECT_TIMEOUT_MS = 5000,
	ANSWER_MAX_BYTES = 4 << 20,
	HEADERS_MAX = 7,
};

static bool perform_once(const struct aws_chain *chain, const struct aws_request *request,
                         const char *url, struct http_response *response, struct error **err)
{
	scoped(aws_sigv4_headers) struct aws_sigv4_headers *signature = NULL;
	scoped(text) char *digest =
		request->body ? digest_bytes(request->body, strlen(request->body)) : NULL;
	const char *headers[HEADERS_MAX] = { 0 };
	size_t count = 0;

	while (count < ARRAY_SIZE(request->headers) && request->headers[count]) {
		headers[count] = request->headers[count];
		count++;
	}
	if (request->credentials) {
		signature = aws_sigv4_sign(
			&(struct aws_sigv4_request){ .method = request->method,
		                                     .url = url,
		                                     .headers = headers,
		                                     .body_digest = digest },
			&(struct aws_sigv4_scope){ .credentials = request->credentials,
		                                   .region = request->region,
		                                   .service = request->service,
		                                   .at_ms = clock_now_ms() });
		headers[count++] = signature->authorization;
		headers[count++] = signature->date;
		headers[count++] = signature->token;
	}
	return http_perform(aws_chain_http(chain),
	                    &(struct http_request){
				    .method = request->method,
				    .url = url,
				    .headers = headers,
				    .body = request->body,
				    .body_size = request->body ? strlen(request->body) : 0,
				    .tls = aws_chain_tls(chain),
				    .connect_timeout_ms = CONNECT_TIMEOUT_MS,
				    .timeout_ms = TIMEOUT_MS,
				    .max_response_bytes = ANSWER_MAX_BYTES,
			    },
	                    response, err);
}

static void back_off(const struct aws_chain *chain, int try, const struct http_response *response)
{
	int64_t delay_ms = (int64_t)BACKOFF_MS << (2 * try);

	if (response->retry_after_ms > delay_ms)
		delay_ms = response->retry_after_ms;
	http_wait(aws_chain_http(chain), delay_ms < BACKOFF_MAX_MS ? delay_ms : BACKOFF_MAX_MS);
}

/* The last answer, whatever it is, and what it refuses. */
static bool perform(const struct aws_chain *chain, const struct aws_request *request,
                    const char *url, struct http_response *response, struct aws_fault *fault,
                    struct error **err)
{
	for (int try = 0;; try++) {
		scoped(error) struct error *error = NULL;
		bool is_last = try + 1 == TRIES;

		text_wipe(response->body, response->body_size);
		http_response_release(response);
		aws_fault_release(fault);
		if (perform_once(chain, request, url, response, &error)) {
			if (response->status < 300)
				return true;
			aws_fault_parse(response->body, response->body_size, fault);
			if (is_last || !aws_fault_is_passing(fault, response->status))
				return true;
		} else if (is_last || !error_is_retryable(error)) {
			return error_pass(err, take(error));
		}
		back_off(chain, try, response);
	}
}

/* A host that cannot be reached is most often one that a mistyped region makes up. */
static void doubt_region(const struct aws_chain *chain, const struct aws_request *request,
                         struct error **err)
{
	if (err && *err && error_is_retryable(*err) && !aws_chain_endpoint(chain, request->service))
		error_wrap(err, "is '%s' a region of AWS?", request->region);
}

char *aws_perform(const struct aws_chain *chain, const struct aws_request *request, bool *is_expiry,
                  struct error **err)
{
	scoped(text) char *endpoint = aws_endpoint(chain, request->service, request->region);
	scoped(text) char *url = text_printf("%s%s", endpoint, request->path);
	struct http_response response = { 0 };
	struct aws_fault fault = { 0 };
	char *body = NULL;

	if (is_expiry)
		*is_expiry = false;
	if (!perform(chain, request, url, &response, &fault, err)) {
		doubt_region(chain, request, err);
	} else if (response.status >= 300) {
		if (is_expiry)
			*is_expiry = aws_fault_is_expiry(&fault);
		aws_fault_set(&fault, response.status, err);
	} else {
		body = take(response.body);
	}
	aws_fault_release(&fault);
	http_response_release(&response);
	if (!body)
		error_wrap(err, "%s %s", request->service, request->operation);
	return body;
}

char *aws_chain_perform(struct aws_chain *chain, const struct aws_request *request,
                        struct error **err)
{
	struct aws_request complete = *request;

	if (!complete.region)
		complete.region = aws_chain_region(chain);
	if (!complete.region)
		return error_set(err, ERROR_INVALID,
		                 "%s %s: no region is given; set the option region, AWS_REGION, or "
		                 "region in the profile",
		                 request->service, request->operation);
	for (bool is_second = false;; is_second = true) {
		scoped(error) struct error *error = NULL;
		bool is_expiry;
		char *body;

		complete.credentials = aws_chain_get(chain, &error);
		if (!complete.credentials && !error)
			error_set(&error, ERROR_AUTH, "it takes credentials, and there are none");
		if (!complete.credentials) {
			error_pass(err, take(error));
			return error_wrap(err, "%s %s", request->service, request->operation);
		}
		body = aws_perform(chain, &complete, &is_expiry, &error);
		if (body)
			return body;
		if (is_second || !is_expiry || !aws_chain_forget(chain)) {
			bool is_auth = error->kind == ERROR_AUTH;

			error_pass(err, take(error));
			if (is_auth)
				error_wrap(err, "with credentials from %s",
				           aws_chain_source(chain));
			return NULL;
		}
	}
}

json_t *aws_json_call(struct aws_chain *chain, const struct aws_json_service *service,
                      const char *operation, const json_t *input, struct error **err)
{
	scoped(secret) char *body = json_dumps(input, JSON_COMPACT);
	scoped(text) char *target = text_printf("X-Amz-Target: %s.%s", service->target, operation);
	scoped(secret) char *answer = aws_chain_perform(
		chain,
		&(struct aws_request){
			.service = service->name,
			.region = service->region,
			.operation = operation,
			.method = "POST",
			.path = "/",
			.headers = { "Content-Type: application/x-amz-json-1.1", target },
			.body = body,
		},
		err);
	json_t *root = answer ? json_loads(answer, 0, NULL) : NULL;

	if (!answer || json_is_object(root))
		return root;
	json_decref(root);
	return error_set(err, ERROR_INVALID,
	                 "%s %s: the answer is no JSON object; is the endpoint AWS's?",
	                 service->name, operation);
}
