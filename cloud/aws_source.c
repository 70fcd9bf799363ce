/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials of the environment: keys, and web identity tokens that Kubernetes puts there. */
#include <stdlib.h>
#include <string.h>

#include "cloud/aws_chain.h"
#include "cloud/aws_sts.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"

#define TOKEN_LIMIT_BYTES ((size_t)64 << 10)

bool aws_source_environment(struct aws_chain *chain, struct aws_found *found, struct error **err)
{
	const char *id = aws_variable("AWS_ACCESS_KEY_ID");
	const char *token = aws_variable("AWS_SESSION_TOKEN");
	const char *expiry = aws_variable("AWS_CREDENTIAL_EXPIRATION");

	(void)chain;
	if (!id)
		return false;
	found->source = xstrdup("the environment");
	found->credentials = (struct aws_credentials){
		.access_key_id = xstrdup(id),
		.secret_access_key = text_copy(aws_variable("AWS_SECRET_ACCESS_KEY")),
		.session_token = text_copy(token ? token : aws_variable("AWS_SECURITY_TOKEN")),
	};
	return !expiry || clock_parse(expiry, &found->credentials.expires_at_ms) ||
	       error_set(err, ERROR_INVALID, "AWS_CREDENTIAL_EXPIRATION is no time");
}

/* Tokens are replaced on disk while we run: the file is read each time. */
bool aws_web_identity_assume(struct aws_chain *chain, const struct aws_web_identity *identity,
                             struct aws_credentials *credentials, struct error **err)
{
	struct aws_role role = { .arn = identity->role_arn,
		                 .session_name = identity->session_name };
	scoped(secret) char *token = file_read(identity->token_file, TOKEN_LIMIT_BYTES, NULL, err);

	if (!token)
		return error_wrap(err, "the web identity token");
	token[strcspn(token, " \t\r\n")] = '\0';
	if (!*token)
		return error_set(err, ERROR_INVALID, "the web identity token '%s' is empty",
		                 identity->token_file);
	return aws_sts_assume_role_with_web_identity(chain, &role, token, credentials, err) ||
	       error_wrap(err, "with the web identity token '%s'", identity->token_file);
}

bool aws_source_web_identity(struct aws_chain *chain, struct aws_found *found, struct error **err)
{
	struct aws_web_identity identity = {
		.token_file = aws_variable("AWS_WEB_IDENTITY_TOKEN_FILE"),
		.role_arn = aws_variable("AWS_ROLE_ARN"),
		.session_name = aws_variable("AWS_ROLE_SESSION_NAME"),
	};

	/* A profile's role comes first, as botocore has it. */
	if (!identity.token_file || chain->is_profile_explicit ||
	    (aws_profiles_get(chain->profiles, chain->profile, "role_arn") &&
	     !aws_profiles_get(chain->profiles, chain->profile, "web_identity_token_file")))
		return false;
	found->source = xstrdup("the web identity of the environment");
	if (!identity.role_arn)
		return error_set(err, ERROR_INVALID,
		                 "AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not");
	return aws_web_identity_assume(chain, &identity, &found->credentials, err);
}
