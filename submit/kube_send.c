/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials, and the rules of trying again. */
#include "submit/kube_send.h"

#include <string.h>

#include "core/log.h"
#include "core/memory.h"
#include "core/text.h"

#define DEADLINE_MS 30000
#define ATTEMPTS 4
#define FIRST_DELAY_MS 100

void kube_prepared_release(struct kube_prepared *prepared)
{
	free(prepared->url);
	free(prepared->content_type);
	secret_free(prepared->authorization);
	secret_free(prepared->user_password);
	*prepared = (struct kube_prepared){ 0 };
}

static void add_headers(struct kube_prepared *prepared, const char *token,
                        const struct kube_call *call)
{
	size_t count = 0;

	prepared->headers[count++] = "Accept: application/json";
	if (token) {
		prepared->authorization = text_printf("Authorization: Bearer %s", token);
		prepared->headers[count++] = prepared->authorization;
	}
	if (call->body) {
		prepared->content_type = text_printf("Content-Type: %s", call->content_type);
		prepared->headers[count++] = prepared->content_type;
	}
}

bool kube_prepare(struct kube_prepared *prepared, struct kube_client *client,
                  const struct kube_call *call, bool fresh, struct error **err)
{
	struct kube_config *config = client->config;
	scoped(secret) char *token = NULL;

	*prepared = (struct kube_prepared){ 0 };
	client->renewals += fresh;
	if (!kube_config_credential(config, fresh, &token, err))
		return false;
	prepared->url = text_printf("%s%s", config->server, call->path);
	add_headers(prepared, token, call);
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
		.connect_timeout_ms = config->connect_timeout_ms,
	};
	return true;
}

void kube_tries_begin(struct kube_tries *tries)
{
	*tries = (struct kube_tries){ .backoff.delay_ms = FIRST_DELAY_MS,
		                      .deadline_ms = loop_now_ms() + DEADLINE_MS };
}

bool kube_tries_prepare(struct kube_tries *tries, struct kube_client *client,
                        const struct kube_call *call, struct kube_prepared *prepared,
                        struct error **err)
{
	bool fresh = tries->renews && tries->renewals == client->renewals;
	int64_t left_ms;

	tries->renews = false;
	if (!kube_prepare(prepared, client, call, fresh, err))
		return false;
	tries->renewals = client->renewals;
	left_ms = tries->deadline_ms - loop_now_ms();
	if (client->config->request_timeout_ms && client->config->request_timeout_ms < left_ms)
		left_ms = client->config->request_timeout_ms;
	prepared->request.timeout_ms = left_ms > 1 ? left_ms : 1;
	return true;
}

static bool can_renew(const struct kube_config *config)
{
	return config->exec || config->token_file;
}

static bool is_worth_a_retry(int status)
{
	return status == 429 || status >= 500;
}

bool kube_tries_again(struct kube_tries *tries, const struct kube_client *client,
                      const struct http_response *answer, const struct error *error,
                      int64_t *delay_ms)
{
	int status = error ? 0 : answer->status;

	*delay_ms = 0;
	if (status == 401 && !tries->refused && can_renew(client->config)) {
		tries->refused = tries->renews = true;
		return true;
	}
	if (error ? error->kind != ERROR_UNAVAILABLE : !is_worth_a_retry(status))
		return false;
	*delay_ms = kube_backoff_next(&tries->backoff);
	if (!error && answer->retry_after_ms >= 0)
		*delay_ms = answer->retry_after_ms;
	if (tries->backoff.tries >= ATTEMPTS || loop_now_ms() + *delay_ms >= tries->deadline_ms)
		return false;
	log_debug("kube: HTTP status %d, again in %jd ms", status, (intmax_t)*delay_ms);
	return true;
}

json_t *kube_answer_object(const struct kube_client *client, const struct http_response *answer,
                           struct error **err)
{
	json_t *object = json_loadb(answer->body, answer->body_size, 0, NULL);

	if (json_is_object(object))
		return object;
	json_decref(object);
	return error_set(err, ERROR_INVALID,
	                 "what %s answers is no JSON object: is it a Kubernetes API server?",
	                 client->config->server);
}
