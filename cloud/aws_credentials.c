/* SPDX-License-Identifier: Apache-2.0 */
/* The chain: its settings, the order of its sources, and when they are asked anew. */
#include "cloud/aws_credentials.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cloud/aws_chain.h"
#include "cloud/aws_service.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/text.h"

#define BUNDLE_LIMIT_BYTES ((size_t)4 << 20)
/* Metadata endpoints have new ones five minutes before the old ones end. */
#define RENEWAL_MS (5 * 60 * 1000)
/* Sources of short-lived ones, and those that fail, are not asked more often than this. */
#define PAUSE_MS (30 * 1000)

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

const char *aws_variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* Of the environment, else of the profile. */
static const char *setting(const struct aws_chain *chain, const char *variable, const char *key)
{
	const char *value = aws_variable(variable);

	return value ? value : aws_profiles_get(chain->profiles, chain->profile, key);
}

static bool setting_is_true(const struct aws_chain *chain, const char *variable, const char *key)
{
	const char *value = setting(chain, variable, key);

	return value && !strcasecmp(value, "true");
}

/* Keys that were given outright leave nothing to a profile that only the environment names. */
static bool choose_profile(struct aws_chain *chain, const struct aws_chain_options *options,
                           struct error **err)
{
	const char *named = options->profile ? options->profile : aws_variable("AWS_PROFILE");

	chain->profiles = aws_profiles_load(err);
	if (!chain->profiles)
		return false;
	if (!named)
		named = aws_variable("AWS_DEFAULT_PROFILE");
	chain->is_profile_explicit = options->profile;
	chain->is_profile_named = named;
	chain->profile = xstrdup(named ? named : "default");
	if (!named || aws_profiles_has(chain->profiles, named) ||
	    (options->access_key_id && !options->profile))
		return true;
	return aws_profiles_missing(chain->profiles, named, err);
}

/* It becomes part of host names. */
static bool region_is_good(const char *region)
{
	return *region && strlen(region) <= 64 &&
	       region[strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

static bool find_region(struct aws_chain *chain, const char *given, struct error **err)
{
	const char *region = given ? given : aws_variable("AWS_REGION");

	if (!region)
		region = setting(chain, "AWS_DEFAULT_REGION", "region");
	chain->region = text_copy(region);
	return !region || region_is_good(region) ||
	       error_set(err, ERROR_INVALID, "'%s' is no region: it should look like eu-central-1",
	                 region);
}

static bool read_bundle(struct aws_chain *chain, struct error **err)
{
	const char *path = setting(chain, "AWS_CA_BUNDLE", "ca_bundle");

	if (!path)
		return true;
	chain->ca_pem = file_read(path, BUNDLE_LIMIT_BYTES, NULL, err);
	chain->tls.ca_pem = chain->ca_pem;
	return chain->ca_pem || error_wrap(err, "AWS_CA_BUNDLE or ca_bundle");
}

static bool take_given(struct aws_chain *chain, const struct aws_chain_options *options,
                       struct error **err)
{
	if (!options->access_key_id && !options->secret_access_key)
		return true;
	chain->given = (struct aws_credentials){
		.access_key_id = text_copy(options->access_key_id),
		.secret_access_key = text_copy(options->secret_access_key),
		.session_token = text_copy(options->session_token),
	};
	chain->source = xstrdup("given keys");
	return aws_credentials_check(&chain->given, err);
}

struct aws_chain *aws_chain_new(struct http_client *http, const struct aws_chain_options *options,
                                struct error **err)
{
	scoped(aws_chain) struct aws_chain *chain = xcalloc(1, sizeof(*chain));

	chain->http = http;
	chain->anonymous_ok = options->anonymous_ok;
	chain->endpoint_service = text_copy(options->endpoint_service);
	chain->endpoint_url = text_copy(options->endpoint_url);
	if (!choose_profile(chain, options, err) || !find_region(chain, options->region, err) ||
	    !read_bundle(chain, err) || !take_given(chain, options, err))
		return NULL;
	if (setting_is_true(chain, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"))
		chain->service_flags |= AWS_USE_FIPS;
	if (setting_is_true(chain, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"))
		chain->service_flags |= AWS_USE_DUALSTACK;
	return take(chain);
}

void aws_chain_free(struct aws_chain *chain)
{
	if (!chain)
		return;
	aws_credentials_release(&chain->given);
	aws_credentials_release(&chain->current);
	aws_profiles_free(chain->profiles);
	free(chain->profile);
	free(chain->source);
	free(chain->region);
	free(chain->endpoint_service);
	free(chain->endpoint_url);
	free(chain->ca_pem);
	free(chain);
}

/* ---- the chain ---- */

void aws_found_release(struct aws_found *found)
{
	aws_credentials_release(&found->credentials);
	free(take(found->source));
}

/* A profile that was asked for by option is meant, whatever the environment has. */
static bool ask_environment(struct aws_chain *chain, struct aws_found *found, struct error **err)
{
	return !chain->is_profile_explicit && aws_source_environment(chain, found, err);
}

/* In botocore's order. */
static bool ask_sources(struct aws_chain *chain, struct aws_found *found, struct error **err)
{
	static bool (*const sources[])(struct aws_chain *, struct aws_found *, struct error **) = {
		ask_environment,      aws_source_web_identity, aws_source_profile,
		aws_source_container, aws_source_instance,
	};

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		struct error *fault = NULL;

		if (sources[i](chain, found, &fault))
			return true;
		aws_found_release(found);
		if (fault)
			return error_pass(err, fault);
	}
	return false;
}

static bool is_over(const struct aws_credentials *credentials, int64_t now_ms)
{
	return credentials->expires_at_ms && credentials->expires_at_ms <= now_ms;
}

static bool check_found(const struct aws_found *found, struct error **err)
{
	scoped(text) char *when = NULL;

	if (!aws_credentials_check(&found->credentials, err))
		return error_wrap(err, "%s", found->source);
	if (!is_over(&found->credentials, clock_now_ms()))
		return true;
	when = clock_format(found->credentials.expires_at_ms);
	return error_set(err, ERROR_AUTH,
	                 "the credentials from %s expired at %s; renew them, and see that this "
	                 "machine's clock is right",
	                 found->source, when);
}

static void *nothing_found(const struct aws_chain *chain, struct error **err)
{
	return error_set(
		err, ERROR_AUTH,
		"there are no credentials of AWS: none in AWS_ACCESS_KEY_ID, no web identity, "
		"none in profile '%s', no container's, no instance's; set some, or choose a "
		"profile",
		chain->profile);
}

/* What was found before is kept when this fails, and is used as long as it is valid. */
static bool renew(struct aws_chain *chain, struct error **err)
{
	struct aws_found found = { 0 };
	struct error *fault = NULL;
	bool is_found = ask_sources(chain, &found, &fault) && check_found(&found, &fault);

	chain->asked_at_ms = clock_now_ms();
	if (is_found) {
		aws_credentials_release(&chain->current);
		free(chain->source);
		chain->current = found.credentials;
		chain->source = take(found.source);
		return true;
	}
	aws_found_release(&found);
	return fault ? error_pass(err, fault) : false;
}

static bool needs_renewal(const struct aws_chain *chain, int64_t now_ms)
{
	const struct aws_credentials *current = &chain->current;

	if (!current->access_key_id || !chain->asked_at_ms || is_over(current, now_ms))
		return true;
	return current->expires_at_ms && current->expires_at_ms - now_ms < RENEWAL_MS &&
	       now_ms - chain->asked_at_ms > PAUSE_MS;
}

const struct aws_credentials *aws_chain_get(struct aws_chain *chain, struct error **err)
{
	scoped(error) struct error *fault = NULL;
	int64_t now_ms = clock_now_ms();

	if (chain->given.access_key_id)
		return &chain->given;
	if (!needs_renewal(chain, now_ms) || renew(chain, &fault))
		return &chain->current;
	if (chain->current.access_key_id && !is_over(&chain->current, clock_now_ms())) {
		scoped(text) char *why = fault ? error_text(fault) : xstrdup("they are gone");

		log_debug("the credentials of AWS are kept, new ones cannot be had: %s", why);
		return &chain->current;
	}
	if (fault)
		return error_pass(err, take(fault));
	return chain->anonymous_ok ? NULL : nothing_found(chain, err);
}

bool aws_chain_forget(struct aws_chain *chain)
{
	if (!chain->current.access_key_id || !chain->current.expires_at_ms)
		return false;
	chain->asked_at_ms = 0;
	return true;
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

/* "[services NAME]" of the profile: blocks are named as the variables are, in lower case. */
static const char *endpoint_in_services(const struct aws_chain *chain,
                                        const struct aws_service *service)
{
	const char *services = aws_profiles_get(chain->profiles, chain->profile, "services");
	scoped(text) char *block = xstrdup(service->variable);

	for (char *at = block; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	return services ? aws_profiles_service(chain->profiles, services, block, "endpoint_url")
	                : NULL;
}

const char *aws_chain_endpoint(const struct aws_chain *chain, const char *name)
{
	const struct aws_service *service = aws_service_find(name);
	scoped(text) char *variable = text_printf("AWS_ENDPOINT_URL_%s", service->variable);
	const char *url;

	if (text_equal(chain->endpoint_service, name) && chain->endpoint_url)
		return chain->endpoint_url;
	if (setting_is_true(chain, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
	                    "ignore_configured_endpoint_urls"))
		return NULL;
	url = aws_variable(variable);
	if (!url)
		url = aws_variable("AWS_ENDPOINT_URL");
	if (!url)
		url = endpoint_in_services(chain, service);
	return url ? url : aws_profiles_get(chain->profiles, chain->profile, "endpoint_url");
}

char *aws_endpoint(const struct aws_chain *chain, const char *service, const char *region)
{
	const char *own = aws_chain_endpoint(chain, service);
	size_t size = own ? strlen(own) : 0;

	while (size && own[size - 1] == '/')
		size--;
	return own ? xstrndup(own, size)
	           : aws_service_url(aws_service_find(service), region, chain->service_flags);
}
