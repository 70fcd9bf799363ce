/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials of one registry, and the tokens that it gave for them. */
#include "cloud/oci_auth.h"

#include <string.h>
#include <strings.h>
#include <utlist.h>

#include "cloud/oci_challenge.h"
#include "cloud/oci_credentials.h"
#include "cloud/oci_error.h"
#include "cloud/oci_token.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/loop.h"
#include "core/memory.h"
#include "core/text.h"

#define ANSWER_MAX_BYTES ((size_t)1 << 20)
/* What ends within this time is renewed before it is used. */
#define RENEWAL_MS 10000

/* The credentials for one repository: podman's files know of repositories. */
struct login {
	struct login *next;
	char *repository;
	struct oci_credentials credentials;
};

struct token {
	struct token *next;
	char *repository, *mount_from;
	bool push;
	char *value;           /* a secret */
	int64_t expires_at_ms; /* monotonic */
};

struct oci_auth {
	struct http_client *http;
	const struct http_tls *tls;
	char *host;
	struct oci_credentials given; /* by the options */
	oci_authorize *authorize;
	void *authorize_context;
	bool anonymous, allows_plain_http;
	struct oci_challenge challenge; /* OCI_NO_SCHEME: not asked for anything yet */
	struct login *logins;
	struct token *tokens;
	char *who;
};

/* ---- life ---- */

struct oci_auth *oci_auth_new(struct http_client *http, const struct oci_registry_options *options,
                              const struct http_tls *tls)
{
	struct oci_auth *auth = xcalloc(1, sizeof(*auth));

	auth->http = http;
	auth->tls = tls;
	auth->host = xstrdup(options->host);
	auth->anonymous = options->anonymous;
	auth->authorize = options->authorize;
	auth->authorize_context = options->authorize_context;
	auth->allows_plain_http = options->insecure;
	if (options->user && options->password) {
		auth->given.user = xstrdup(options->user);
		auth->given.password = xstrdup(options->password);
		auth->given.source = xstrdup("the component's secret");
	}
	return auth;
}

static void login_free(struct login *login)
{
	free(login->repository);
	oci_credentials_release(&login->credentials);
	free(login);
}

static void token_free(struct token *token)
{
	free(token->repository);
	free(token->mount_from);
	secret_free(token->value);
	free(token);
}

void oci_auth_free(struct oci_auth *auth)
{
	struct login *login, *next_login;
	struct token *token, *next_token;

	if (!auth)
		return;
	LL_FOREACH_SAFE(auth->logins, login, next_login)
	login_free(login);
	LL_FOREACH_SAFE(auth->tokens, token, next_token)
	token_free(token);
	oci_credentials_release(&auth->given);
	oci_challenge_release(&auth->challenge);
	free(auth->host);
	free(auth->who);
	free(auth);
}

void oci_auth_allow_plain_http(struct oci_auth *auth)
{
	auth->allows_plain_http = true;
}

const char *oci_auth_who(const struct oci_auth *auth)
{
	return auth->who;
}

/* ---- credentials ---- */

static bool has_expired(const struct oci_credentials *credentials)
{
	return credentials->expires_at_ms &&
	       credentials->expires_at_ms - clock_now_ms() < RENEWAL_MS;
}

static bool find_credentials(struct oci_auth *auth, const char *repository,
                             struct oci_credentials *found, struct error **err)
{
	if (!auth->authorize)
		return oci_credentials_find(auth->host, repository, found, err);
	if (!auth->authorize(auth->authorize_context, auth->host, &found->user, &found->password,
	                     &found->expires_at_ms, err))
		return false;
	found->source = xstrdup("the registry's authorization");
	return true;
}

static struct login *find_login(struct oci_auth *auth, const char *repository)
{
	struct login *login;

	LL_FOREACH (auth->logins, login)
		if (text_equal(login->repository, repository))
			return login;
	return NULL;
}

static void note_who(struct oci_auth *auth, const struct oci_credentials *credentials)
{
	free(auth->who);
	auth->who = NULL;
	if (credentials->user)
		auth->who = text_printf("user '%s' of %s", credentials->user, credentials->source);
	else if (!oci_credentials_are_empty(credentials))
		auth->who = text_printf("the token of %s", credentials->source);
}

/* Borrowed until the next call; empty: anonymous. NULL and *err on failure. */
static const struct oci_credentials *credentials_for(struct oci_auth *auth, const char *repository,
                                                     struct error **err)
{
	struct login *login = find_login(auth, repository);

	if (auth->anonymous || auth->given.user) {
		note_who(auth, &auth->given);
		return &auth->given;
	}
	if (!login) {
		login = xcalloc(1, sizeof(*login));
		login->repository = xstrdup(repository);
		login->credentials.expires_at_ms = 1; /* long ago: not asked for yet */
		LL_PREPEND(auth->logins, login);
	}
	if (has_expired(&login->credentials)) {
		struct oci_credentials found = { 0 };

		if (!find_credentials(auth, repository, &found, err))
			return NULL;
		oci_credentials_release(&login->credentials);
		login->credentials = found;
	}
	note_who(auth, &login->credentials);
	return &login->credentials;
}

/* ---- headers ---- */

static char *basic_header(const struct oci_credentials *credentials)
{
	const char *password = credentials->password ? credentials->password : "";
	scoped(secret) char *pair = text_printf("%s:%s", credentials->user, password);
	scoped(secret) char *encoded = base64_encode(pair, strlen(pair));

	return text_printf("Authorization: Basic %s", encoded);
}

static char *bearer_header(const char *token)
{
	return text_printf("Authorization: Bearer %s", token);
}

/* ---- tokens ---- */

static bool covers(const struct token *token, const struct oci_scope *scope)
{
	return text_equal(token->repository, scope->repository) && token->push >= scope->push &&
	       (!scope->mount_from || text_equal(token->mount_from, scope->mount_from));
}

static void drop_tokens(struct oci_auth *auth, const struct oci_scope *scope)
{
	struct token *token, *next;

	LL_FOREACH_SAFE(auth->tokens, token, next)
	if (covers(token, scope)) {
		LL_DELETE(auth->tokens, token);
		token_free(token);
	}
}

static const struct token *find_token(const struct oci_auth *auth, const struct oci_scope *scope)
{
	const struct token *token;

	LL_FOREACH (auth->tokens, token)
		if (covers(token, scope) && token->expires_at_ms - loop_now_ms() > RENEWAL_MS)
			return token;
	return NULL;
}

/* Waits, and tries again what may pass. */
static bool ask(struct oci_auth *auth, const struct http_request *request,
                struct http_response *response, struct error **err)
{
	for (int tries = 1;; tries++) {
		struct error *error = NULL;
		int64_t delay_ms;

		http_response_release(response);
		http_perform(auth->http, request, response, &error);
		if (!oci_is_worth_another_try(tries, error, response, &delay_ms))
			return !error || error_pass(err, error);
		error_free(error);
		http_wait(auth->http, delay_ms);
	}
}

/* Secrets must not go in the clear where the registry itself does not. */
static bool check_realm(const struct oci_auth *auth, struct error **err)
{
	const char *realm = auth->challenge.realm;
	bool is_plain = !strncasecmp(realm, "http://", 7);

	if (!is_plain && strncasecmp(realm, "https://", 8))
		return error_set(err, ERROR_INVALID, "the token service '%.200s' is no URL", realm);
	if (is_plain && !auth->allows_plain_http)
		return error_set(
			err, ERROR_AUTH,
			"the token service '%.200s' is without TLS: passwords are not sent "
			"there unless the container registry is registered with "
			"--insecure",
			realm);
	return true;
}

/* The answer of the token service; the caller releases it, wiping the body. */
static bool request_token(struct oci_auth *auth, const struct oci_scope *scope,
                          const struct oci_credentials *credentials, struct http_response *response,
                          struct error **err)
{
	bool exchanges = credentials->identity_token != NULL;
	scoped(text) char *url =
		exchanges ? xstrdup(auth->challenge.realm) : oci_token_url(&auth->challenge, scope);
	scoped(secret) char *form =
		exchanges ? oci_token_form(&auth->challenge, scope, credentials->identity_token)
			  : NULL;
	scoped(secret) char *header =
		!exchanges && credentials->user ? basic_header(credentials) : NULL;
	const char *const headers[] = {
		exchanges ? "Content-Type: application/x-www-form-urlencoded" : header, NULL
	};
	const struct http_request request = { .method = exchanges ? "POST" : "GET",
		                              .url = url,
		                              .headers = headers,
		                              .body = form,
		                              .body_size = form ? strlen(form) : 0,
		                              .tls = auth->tls,
		                              .max_response_bytes = ANSWER_MAX_BYTES };

	return ask(auth, &request, response, err);
}

/* A secret, owned by the caller. */
static char *token_of(struct oci_auth *auth, const struct oci_scope *scope,
                      const struct http_response *response, int64_t *lifetime_ms,
                      struct error **err)
{
	const struct oci_subject subject = { .place = "the registry's rights",
		                             .who = auth->who,
		                             .push = scope->push };

	if (response->status != 200)
		return oci_error_set(err, &subject, response);
	return oci_token_parse(response->body, response->body_size, lifetime_ms, err);
}

static const struct token *keep_token(struct oci_auth *auth, const struct oci_scope *scope,
                                      char *value, int64_t lifetime_ms)
{
	struct token *token = xcalloc(1, sizeof(*token));

	token->repository = xstrdup(scope->repository);
	token->mount_from = text_copy(scope->mount_from);
	token->push = scope->push;
	token->value = value;
	token->expires_at_ms = loop_now_ms() + lifetime_ms;
	LL_PREPEND(auth->tokens, token);
	return token;
}

static const struct token *fetch_token(struct oci_auth *auth, const struct oci_scope *scope,
                                       const struct oci_credentials *credentials,
                                       struct error **err)
{
	struct http_response response = { 0 };
	int64_t lifetime_ms = 0;
	char *value = NULL;

	if (!check_realm(auth, err))
		return NULL;
	if (request_token(auth, scope, credentials, &response, err))
		value = token_of(auth, scope, &response, &lifetime_ms, err);
	text_wipe(response.body, response.body_size);
	http_response_release(&response);
	if (!value)
		return error_wrap(err, "the token service '%s'", auth->challenge.realm);
	return keep_token(auth, scope, value, lifetime_ms);
}

/* ---- what is sent ---- */

bool oci_auth_header(struct oci_auth *auth, const struct oci_scope *scope, char **header,
                     struct error **err)
{
	const struct oci_credentials *credentials;
	const struct token *token;

	*header = NULL;
	if (auth->challenge.scheme == OCI_NO_SCHEME)
		return true;
	credentials = credentials_for(auth, scope->repository, err);
	if (!credentials)
		return false;
	if (auth->challenge.scheme == OCI_BASIC) {
		*header = credentials->user ? basic_header(credentials) : NULL;
		return true;
	}
	if (credentials->registry_token) {
		*header = bearer_header(credentials->registry_token);
		return true;
	}
	token = find_token(auth, scope);
	if (!token)
		token = fetch_token(auth, scope, credentials, err);
	*header = token ? bearer_header(token->value) : NULL;
	return token;
}

bool oci_auth_refused(struct oci_auth *auth, const struct oci_scope *scope, const char *head)
{
	struct login *login = find_login(auth, scope->repository);
	struct oci_challenge challenge;

	drop_tokens(auth, scope);
	if (login && auth->authorize)
		login->credentials.expires_at_ms = 1;
	if (!oci_challenge_find(head, &challenge))
		return false;
	oci_challenge_release(&auth->challenge);
	auth->challenge = challenge;
	return true;
}
