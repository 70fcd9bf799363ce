/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials of a profile: keys, a command, a web identity, a role taken by another profile. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cloud/aws_chain.h"
#include "cloud/aws_sts.h"
#include "core/clock.h"
#include "core/memory.h"
#include "core/text.h"

enum { PROFILES_MAX = 16 };

/* On the way from the chain's profile along source_profile. */
struct walk {
	struct aws_chain *chain;
	const char *visited[PROFILES_MAX];
	size_t count;
};

static bool find_in_profile(struct walk *walk, const char *profile, bool is_first,
                            struct aws_found *found, struct error **err);

static const char *get(const struct walk *walk, const char *profile, const char *key)
{
	return aws_profiles_get(walk->chain->profiles, profile, key);
}

/* ---- what a profile has itself ---- */

static bool has_keys(const struct walk *walk, const char *profile)
{
	return get(walk, profile, "aws_access_key_id") ||
	       get(walk, profile, "aws_secret_access_key");
}

static bool take_keys(struct walk *walk, const char *profile, struct aws_found *found)
{
	const char *token = get(walk, profile, "aws_session_token");

	found->credentials = (struct aws_credentials){
		.access_key_id = text_copy(get(walk, profile, "aws_access_key_id")),
		.secret_access_key = text_copy(get(walk, profile, "aws_secret_access_key")),
		.session_token =
			text_copy(token ? token : get(walk, profile, "aws_security_token")),
	};
	found->source = text_printf("profile '%s'", profile);
	return true;
}

static bool run_process(struct walk *walk, const char *profile, struct aws_found *found,
                        struct error **err)
{
	found->source = text_printf("credential_process of profile '%s'", profile);
	return aws_process_run(get(walk, profile, "credential_process"), &found->credentials,
	                       err) ||
	       error_wrap(err, "profile '%s': credential_process", profile);
}

static bool take_web_identity(struct walk *walk, const char *profile, struct aws_found *found,
                              struct error **err)
{
	struct aws_web_identity identity = {
		.token_file = get(walk, profile, "web_identity_token_file"),
		.role_arn = get(walk, profile, "role_arn"),
		.session_name = get(walk, profile, "role_session_name"),
	};

	found->source = text_printf("the web identity of profile '%s'", profile);
	if (!identity.role_arn)
		return error_set(err, ERROR_INVALID,
		                 "profile '%s' has web_identity_token_file, but no role_arn",
		                 profile);
	return aws_web_identity_assume(walk->chain, &identity, &found->credentials, err) ||
	       error_wrap(err, "profile '%s'", profile);
}

static bool signs_in(const struct walk *walk, const char *profile)
{
	static const char *const keys[] = { "sso_session", "sso_start_url", "sso_account_id",
		                            "login_session" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (get(walk, profile, keys[i]))
			return true;
	return false;
}

/* In botocore's order, but for signing in, which needs a browser. */
static bool find_own(struct walk *walk, const char *profile, struct aws_found *found,
                     struct error **err)
{
	if (get(walk, profile, "web_identity_token_file"))
		return take_web_identity(walk, profile, found, err);
	if (has_keys(walk, profile))
		return take_keys(walk, profile, found);
	if (get(walk, profile, "credential_process"))
		return run_process(walk, profile, found, err);
	if (signs_in(walk, profile))
		return error_set(
			err, ERROR_AUTH,
			"profile '%s' signs in by a browser (SSO, aws login), which is not done "
			"here; choose another profile with "
			"'credential_process = aws configure export-credentials --profile %s'",
			profile, profile);
	return false;
}

/* ---- a role ---- */

static void *circle(const struct walk *walk, const char *profile, struct error **err)
{
	scoped(text) char *way = NULL;
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);

	for (size_t i = 0; i < walk->count; i++)
		fprintf(out, "%s -> ", walk->visited[i]);
	fputs(profile, out);
	way = text_stream_take(&stream);
	return error_set(
		err, ERROR_INVALID,
		"profiles lead in a circle by source_profile: %s; change one of them in %s", way,
		aws_profiles_source(walk->chain->profiles, walk->visited[walk->count - 1],
	                            "source_profile"));
}

/* The keys of a profile may be the source of its own role. */
static bool find_source_profile(struct walk *walk, const char *profile, const char *source,
                                struct aws_found *found, struct error **err)
{
	if (!aws_profiles_has(walk->chain->profiles, source)) {
		aws_profiles_missing(walk->chain->profiles, source, err);
		return error_wrap(err, "source_profile of profile '%s'", profile);
	}
	if (text_equal(source, profile) && has_keys(walk, profile))
		return take_keys(walk, profile, found);
	for (size_t i = 0; i < walk->count; i++)
		if (text_equal(walk->visited[i], source))
			return circle(walk, source, err);
	if (walk->count == PROFILES_MAX)
		return error_set(err, ERROR_INVALID,
		                 "profile '%s': the way by source_profile is longer than %d",
		                 profile, PROFILES_MAX);
	if (find_in_profile(walk, source, false, found, err))
		return true;
	if (err && *err)
		return error_wrap(err, "source_profile of profile '%s'", profile);
	return error_set(err, ERROR_INVALID,
	                 "profile '%s' has no credentials in it, but is source_profile of '%s'",
	                 source, profile);
}

static bool find_credential_source(struct walk *walk, const char *profile, const char *name,
                                   struct aws_found *found, struct error **err)
{
	static const struct {
		const char *name;
		bool (*find)(struct aws_chain *, struct aws_found *, struct error **);
	} sources[] = {
		{ "Environment", aws_source_environment },
		{ "EcsContainer", aws_source_container },
		{ "Ec2InstanceMetadata", aws_source_instance },
	};

	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		struct error *fault = NULL;

		if (strcasecmp(sources[i].name, name) != 0)
			continue;
		if (sources[i].find(walk->chain, found, &fault))
			return true;
		if (!fault)
			error_set(&fault, ERROR_AUTH, "there are none");
		error_pass(err, fault);
		return error_wrap(err, "profile '%s': credential_source %s", profile, name);
	}
	return error_set(err, ERROR_INVALID,
	                 "profile '%s': credential_source '%s' should be Environment, "
	                 "EcsContainer or Ec2InstanceMetadata",
	                 profile, name);
}

static bool find_role_source(struct walk *walk, const char *profile, struct aws_found *found,
                             struct error **err)
{
	const char *source = get(walk, profile, "source_profile");
	const char *named = get(walk, profile, "credential_source");

	if (source && named)
		return error_set(
			err, ERROR_INVALID,
			"profile '%s' has both source_profile and credential_source; take one out",
			profile);
	if (!source && !named)
		return error_set(err, ERROR_INVALID,
		                 "profile '%s' has role_arn, but neither source_profile nor "
		                 "credential_source, which say who may take the role",
		                 profile);
	return source ? find_source_profile(walk, profile, source, found, err)
	              : find_credential_source(walk, profile, named, found, err);
}

static bool take_role(struct walk *walk, const char *profile, struct aws_found *found,
                      struct error **err)
{
	struct aws_role role = {
		.arn = get(walk, profile, "role_arn"),
		.session_name = get(walk, profile, "role_session_name"),
		.external_id = get(walk, profile, "external_id"),
		.duration_s = get(walk, profile, "duration_seconds"),
	};
	struct aws_found source = { 0 };
	bool is_taken;

	if (get(walk, profile, "mfa_serial"))
		return error_set(
			err, ERROR_AUTH,
			"profile '%s' asks for the code of a device (mfa_serial), which is not "
			"done here; choose another profile with "
			"'credential_process = aws configure export-credentials --profile %s'",
			profile, profile);
	found->source = text_printf("the role of profile '%s'", profile);
	is_taken =
		find_role_source(walk, profile, &source, err) &&
		(aws_credentials_check(&source.credentials, err) ||
	         error_wrap(err, "%s", source.source)) &&
		(aws_sts_assume_role(walk->chain, &role, &source.credentials, &found->credentials,
	                             err) ||
	         error_wrap(err, "profile '%s', with credentials from %s", profile, source.source));
	aws_found_release(&source);
	return is_taken;
}

/* The chain's own profile is a role before all else; one that others start from has keys first. */
static bool find_in_profile(struct walk *walk, const char *profile, bool is_first,
                            struct aws_found *found, struct error **err)
{
	bool is_role =
		get(walk, profile, "role_arn") && !get(walk, profile, "web_identity_token_file");

	walk->visited[walk->count++] = profile;
	if (is_role && (is_first || !has_keys(walk, profile)))
		return take_role(walk, profile, found, err);
	return find_own(walk, profile, found, err);
}

bool aws_source_profile(struct aws_chain *chain, struct aws_found *found, struct error **err)
{
	struct walk walk = { .chain = chain };

	return find_in_profile(&walk, chain->profile, true, found, err);
}
