/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials from endpoints beside us: containers (ECS, EKS Pod Identity) and EC2 instances. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cloud/aws_chain.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/text.h"

#define CONTAINER_HOST "http://169.254.170.2"
#define INSTANCE_URL "http://169.254.169.254"
#define INSTANCE_URL_IPV6 "http://[fd00:ec2::254]"
#define ROLES_PATH "/latest/meta-data/iam/security-credentials/"
#define TOKEN_LIMIT_BYTES ((size_t)64 << 10)

enum {
	/* Who is not on EC2 waits in vain for the instance's endpoint: as botocore, a second. */
	INSTANCE_TIMEOUT_MS = 1000,
	CONTAINER_TIMEOUT_MS = 2000,
	CONTAINER_TRIES = 3,
	CONTAINER_PAUSE_MS = 500,
	ANSWER_MAX_BYTES = 64 << 10,
};

/* ---- what they answer ---- */

static char *copy_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text && *text ? xstrdup(text) : NULL;
}

bool aws_credentials_parse(const char *text, const char *token_key,
                           struct aws_credentials *credentials, struct error **err)
{
	json_auto_t *root = json_loads(text, 0, NULL);
	scoped(text) char *expiry = copy_text(root, "Expiration");

	*credentials = (struct aws_credentials){
		.access_key_id = copy_text(root, "AccessKeyId"),
		.secret_access_key = copy_text(root, "SecretAccessKey"),
		.session_token = copy_text(root, token_key),
	};
	if (json_is_object(root) && aws_credentials_check(credentials, NULL) &&
	    (!expiry || clock_parse(expiry, &credentials->expires_at_ms)))
		return true;
	aws_credentials_release(credentials);
	return error_set(err, ERROR_INVALID, "what comes from there are no credentials");
}

/* Whoever answers on this machine or beside it is asked directly, not by a proxy. */
static bool ask(struct aws_chain *chain, struct http_request *request,
                struct http_response *response, struct error **err)
{
	request->proxy_url = "";
	request->connect_timeout_ms = request->timeout_ms;
	request->max_response_bytes = ANSWER_MAX_BYTES;
	return http_perform(chain->http, request, response, err);
}

/* ---- containers ---- */

/* As the SDKs have it: nobody else is told our token, nor believed, without TLS. */
static bool container_url_is_good(const char *url)
{
	static const char *const hosts[] = { "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]",
		                             "localhost", "[::1]" };
	const char *host = url + strlen("http://");
	size_t size;

	if (text_starts_with(url, "https://"))
		return true;
	if (!text_starts_with(url, "http://") || strchr(url, '@'))
		return false;
	size = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/?#");
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++)
		if (size == strlen(hosts[i]) && !strncasecmp(host, hosts[i], size))
			return true;
	return text_starts_with(host, "127.") && strspn(host, "0123456789.") == size;
}

/* Owned by the caller; NULL without an error: not in such a container. */
static char *container_url(struct error **err)
{
	const char *relative = aws_variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *full = aws_variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");

	if (relative)
		return *relative == '/'
		               ? text_printf(CONTAINER_HOST "%s", relative)
		               : error_set(err, ERROR_INVALID,
		                           "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI should begin "
		                           "with a slash");
	if (!full || container_url_is_good(full))
		return text_copy(full);
	return error_set(err, ERROR_INVALID,
	                 "AWS_CONTAINER_CREDENTIALS_FULL_URI should have https, or be of this "
	                 "machine, of ECS (169.254.170.2) or of EKS (169.254.170.23)");
}

/* "Authorization: …", owned by the caller, a secret; NULL without an error: none is asked for. */
static char *container_token(struct error **err)
{
	const char *path = aws_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	const char *given = aws_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	scoped(secret) char *token = NULL;

	if (!path && !given)
		return NULL;
	token = path ? file_read(path, TOKEN_LIMIT_BYTES, NULL, err) : xstrdup(given);
	if (!token)
		return error_wrap(err, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	if (path)
		token[strcspn(token, "\r\n")] = '\0';
	if (strpbrk(token, "\r\n"))
		return error_set(err, ERROR_INVALID,
		                 "AWS_CONTAINER_AUTHORIZATION_TOKEN has a line break in it");
	return text_printf("Authorization: %s", token);
}

static bool ask_container(struct aws_chain *chain, struct http_request *request,
                          struct http_response *response, struct error **err)
{
	for (int try = 1;; try++) {
		struct error *fault = NULL;
		bool is_answered = ask(chain, request, response, &fault);
		bool is_last = try == CONTAINER_TRIES;

		if (is_answered && (response->status < 500 || is_last))
			return true;
		if (!is_answered && (is_last || !error_is_retryable(fault)))
			return error_pass(err, fault);
		error_free(fault);
		http_response_release(response);
		http_wait(chain->http, CONTAINER_PAUSE_MS);
	}
}

static bool read_container(struct aws_chain *chain, const char *url, const char *token,
                           struct aws_credentials *credentials, struct error **err)
{
	const char *headers[] = { "Accept: application/json", token, NULL };
	struct http_request request = { .url = url,
		                        .headers = headers,
		                        .tls = aws_chain_tls(chain),
		                        .timeout_ms = CONTAINER_TIMEOUT_MS };
	struct http_response response = { 0 };
	bool is_read;

	if (!ask_container(chain, &request, &response, err))
		return false;
	if (response.status != 200)
		is_read = error_set(err, ERROR_AUTH, "status %d", response.status);
	else
		is_read = aws_credentials_parse(response.body, "Token", credentials, err);
	text_wipe(response.body, response.body_size);
	http_response_release(&response);
	return is_read;
}

bool aws_source_container(struct aws_chain *chain, struct aws_found *found, struct error **err)
{
	struct error *fault = NULL;
	scoped(text) char *url = container_url(&fault);
	scoped(secret) char *token = url ? container_token(&fault) : NULL;

	if (fault)
		return error_pass(err, fault);
	if (!url)
		return false;
	found->source = xstrdup("the container's endpoint");
	return read_container(chain, url, token, &found->credentials, err) ||
	       error_wrap(err, "credentials of the container from %.*s", (int)strcspn(url, "?#"),
	                  url);
}

/* ---- instances ---- */

/* Owned by the caller, without a slash at its end. */
static char *instance_url(const struct aws_chain *chain)
{
	const char *given = aws_variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
	const char *mode = aws_variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
	size_t size;

	if (!given)
		given = aws_profiles_get(chain->profiles, chain->profile,
		                         "ec2_metadata_service_endpoint");
	if (!given)
		return xstrdup(mode && !strcasecmp(mode, "ipv6") ? INSTANCE_URL_IPV6
		                                                 : INSTANCE_URL);
	size = strlen(given);
	while (size && given[size - 1] == '/')
		size--;
	return xstrndup(given, size);
}

/* One line of an answer; NULL when there is none, whatever the reason: nobody else is to blame for
 * what a laptop has not. Owned by the caller, a secret. */
static char *ask_instance(struct aws_chain *chain, const char *method, const char *url,
                          const char *header)
{
	const char *headers[] = { header, NULL };
	struct http_request request = {
		.method = method, .url = url, .headers = headers, .timeout_ms = INSTANCE_TIMEOUT_MS
	};
	struct http_response response = { 0 };
	scoped(error) struct error *fault = NULL;
	char *body = NULL;

	if (!ask(chain, &request, &response, &fault))
		log_debug("no metadata of an EC2 instance: %s", fault->message);
	else if (response.status != 200)
		log_debug("metadata of the EC2 instance: status %d", response.status);
	else
		body = take(response.body);
	http_response_release(&response);
	return body;
}

/*
 * Version 2 only: its token cannot be had through a container's bridge unless the instance's hop
 * limit is 2 or more, which keeps pods from being the node.
 */
static char *instance_role(struct aws_chain *chain, const char *url, const char *token,
                           struct error **err)
{
	scoped(text) char *roles_url = text_printf("%s" ROLES_PATH, url);
	scoped(text) char *roles = ask_instance(chain, "GET", roles_url, token);
	size_t size = roles ? strcspn(roles, "\r\n") : 0;

	if (!size)
		return NULL;
	roles[size] = '\0';
	if (strspn(roles, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	                  "+=,.@_-") < size)
		return error_set(err, ERROR_INVALID,
		                 "the instance's endpoint %s names a role that cannot be one", url);
	return xstrdup(roles);
}

static bool read_instance(struct aws_chain *chain, const char *url, struct aws_found *found,
                          struct error **err)
{
	scoped(text) char *token_url = text_printf("%s/latest/api/token", url);
	scoped(secret) char *token =
		ask_instance(chain, "PUT", token_url, "X-aws-ec2-metadata-token-ttl-seconds: 300");
	scoped(secret) char *header =
		token ? text_printf("X-aws-ec2-metadata-token: %s", token) : NULL;
	scoped(text) char *role = header ? instance_role(chain, url, header, err) : NULL;
	scoped(text) char *role_url = role ? text_printf("%s" ROLES_PATH "%s", url, role) : NULL;
	scoped(secret) char *answer =
		role_url ? ask_instance(chain, "GET", role_url, header) : NULL;

	if (!answer)
		return false;
	found->source = text_printf("the EC2 instance's role '%s'", role);
	return aws_credentials_parse(answer, "Token", &found->credentials, err) ||
	       error_wrap(err, "the EC2 instance's role '%s'", role);
}

bool aws_source_instance(struct aws_chain *chain, struct aws_found *found, struct error **err)
{
	const char *disabled = aws_variable("AWS_EC2_METADATA_DISABLED");
	scoped(text) char *url = instance_url(chain);

	if (disabled && !strcasecmp(disabled, "true"))
		return false;
	return read_instance(chain, url, found, err);
}
