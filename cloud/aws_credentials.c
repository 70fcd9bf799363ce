/* SPDX-License-Identifier: Apache-2.0 */
/* The chain: what was given outright, then the environment. */
#include "cloud/aws_credentials.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/aws_service.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"

#define BUNDLE_LIMIT_BYTES ((size_t)4 << 20)

struct aws_chain {
	struct http_client *http;
	struct aws_credentials given;   /* outright; or none */
	struct aws_credentials current; /* what was found last */
	const char *source;             /* of `current`; or NULL */
	char *region;
	char *ca_pem;
	struct http_tls tls;
	bool anonymous_ok;
};

void aws_credentials_release(struct aws_credentials *credentials)
{
	secret_free(credentials->access_key_id);
	secret_free(credentials->secret_access_key);
	secret_free(credentials->session_token);
	*credentials = (struct aws_credentials){ 0 };
}

bool aws_credentials_check(const struct aws_credentials *credentials, struct error **err)
{
	const struct {
		const char *value, *name, *forbidden;
	} all[] = {
		/* "id:secret" and "id/date/region" are built of it */
		{ credentials->access_key_id, "access key id", ":/," },
		{ credentials->secret_access_key, "secret access key", "" },
		{ credentials->session_token ? credentials->session_token : "x", "session token",
		  "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		const char *at = all[i].value;

		if (!at || !*at)
			return error_set(err, ERROR_INVALID, "the %s is missing", all[i].name);
		for (; *at; at++)
			if (!isgraph((unsigned char)*at) || strchr(all[i].forbidden, *at))
				return error_set(err, ERROR_INVALID,
				                 "the %s has a blank, a line break or another "
				                 "character that cannot be part of it",
				                 all[i].name);
	}
	return true;
}

/* ---- settings ---- */

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* It becomes part of host names. */
static bool region_is_good(const char *region)
{
	return *region && strlen(region) <= 64 &&
	       region[strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

static bool find_region(struct aws_chain *chain, const char *given, struct error **err)
{
	const char *region = given ? given : variable("AWS_REGION");

	if (!region)
		region = variable("AWS_DEFAULT_REGION");
	chain->region = text_copy(region);
	return !region || region_is_good(region) ||
	       error_set(err, ERROR_INVALID, "'%s' is no region: it should look like eu-central-1",
	                 region);
}

static bool read_bundle(struct aws_chain *chain, struct error **err)
{
	const char *path = variable("AWS_CA_BUNDLE");

	if (!path)
		return true;
	chain->ca_pem = file_read(path, BUNDLE_LIMIT_BYTES, NULL, err);
	chain->tls.ca_pem = chain->ca_pem;
	return chain->ca_pem || error_wrap(err, "AWS_CA_BUNDLE");
}

static bool take_given(struct aws_chain *chain, const struct aws_chain_options *options,
                       struct error **err)
{
	chain->given = (struct aws_credentials){
		.access_key_id = text_copy(options->access_key_id),
		.secret_access_key = text_copy(options->secret_access_key),
		.session_token = text_copy(options->session_token),
	};
	if (!options->access_key_id && !options->secret_access_key)
		return true;
	return aws_credentials_check(&chain->given, err);
}

struct aws_chain *aws_chain_new(struct http_client *http, const struct aws_chain_options *options,
                                struct error **err)
{
	scoped(aws_chain) struct aws_chain *chain = xcalloc(1, sizeof(*chain));

	chain->http = http;
	chain->anonymous_ok = options->anonymous_ok;
	if (!find_region(chain, options->region, err) || !read_bundle(chain, err) ||
	    !take_given(chain, options, err))
		return NULL;
	return take(chain);
}

void aws_chain_free(struct aws_chain *chain)
{
	if (!chain)
		return;
	aws_credentials_release(&chain->given);
	aws_credentials_release(&chain->current);
	free(chain->region);
	free(chain->ca_pem);
	free(chain);
}

/* ---- the chain ---- */

/* The environment changes nothing while we run; false without an error: it has none. */
static bool from_environment(struct aws_credentials *credentials, struct error **err)
{
	const char *id = variable("AWS_ACCESS_KEY_ID");

	if (!id)
		return false;
	*credentials = (struct aws_credentials){
		.access_key_id = xstrdup(id),
		.secret_access_key = text_copy(variable("AWS_SECRET_ACCESS_KEY")),
		.session_token = text_copy(variable("AWS_SESSION_TOKEN")),
	};
	return aws_credentials_check(credentials, err) || error_wrap(err, "the environment");
}

const struct aws_credentials *aws_chain_get(struct aws_chain *chain, struct error **err)
{
	struct error *fault = NULL;

	if (chain->given.access_key_id) {
		chain->source = "given keys";
		return &chain->given;
	}
	if (chain->current.access_key_id)
		return &chain->current;
	if (from_environment(&chain->current, &fault)) {
		chain->source = "the environment";
		return &chain->current;
	}
	aws_credentials_release(&chain->current);
	if (fault)
		return error_pass(err, fault);
	if (chain->anonymous_ok)
		return NULL;
	return error_set(err, ERROR_AUTH,
	                 "no credentials of AWS: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
}

void aws_chain_forget(struct aws_chain *chain)
{
	aws_credentials_release(&chain->current);
}

const char *aws_chain_source(const struct aws_chain *chain)
{
	return chain->source;
}

const char *aws_chain_region(const struct aws_chain *chain)
{
	return chain->region;
}

const struct http_tls *aws_chain_tls(const struct aws_chain *chain)
{
	return chain->ca_pem ? &chain->tls : NULL;
}

struct http_client *aws_chain_http(const struct aws_chain *chain)
{
	return chain->http;
}

/* ---- where services are ---- */

const char *aws_chain_endpoint(const struct aws_chain *chain, const char *service)
{
	scoped(text) char *name =
		text_printf("AWS_ENDPOINT_URL_%s", aws_service_find(service)->variable);
	const char *ignored = variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
	const char *url = variable(name);

	(void)chain;
	if (text_equal(ignored, "true"))
		return NULL;
	return url ? url : variable("AWS_ENDPOINT_URL");
}

char *aws_endpoint(const struct aws_chain *chain, const char *service, const char *region)
{
	const char *own = aws_chain_endpoint(chain, service);
	size_t size = own ? strlen(own) : 0;

	while (size && own[size - 1] == '/')
		size--;
	return own ? xstrndup(own, size) : aws_service_url(aws_service_find(service), region);
}
