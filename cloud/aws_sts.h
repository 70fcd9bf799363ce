/* SPDX-License-Identifier: Apache-2.0 */
/* Security Token Service: who we are, and how to become somebody else. */
#ifndef CLOUD_AWS_STS_H
#define CLOUD_AWS_STS_H

#include "cloud/aws_credentials.h"

/* Requests go to the chain's region; without one, to us-east-1. Borrowed. */
const char *aws_sts_region(const struct aws_chain *chain);

struct aws_caller {
	char *account, *arn, *user_id;
};
void aws_caller_release(struct aws_caller *caller);
/* Needs no right at all: it fails only when the credentials are no good. */
bool aws_sts_caller(struct aws_chain *chain, struct aws_caller *caller, struct error **err);

/* Borrowed. */
struct aws_role {
	const char *arn;
	const char *session_name; /* NULL: "stepop" */
	const char *external_id;  /* or NULL */
	const char *duration_s;   /* as text; NULL: AWS's own, an hour */
};
/* Signed with `as`. The result is released by the caller. */
bool aws_sts_assume_role(const struct aws_chain *chain, const struct aws_role *role,
                         const struct aws_credentials *as, struct aws_credentials *result,
                         struct error **err);
/* Signed by nobody: the token, a secret, says who asks. */
bool aws_sts_assume_role_with_web_identity(const struct aws_chain *chain,
                                           const struct aws_role *role, const char *token,
                                           struct aws_credentials *result, struct error **err);

/* What the last two, and the first, are answered with. INVALID. */
bool aws_sts_credentials_parse(const char *body, size_t size, struct aws_credentials *credentials,
                               struct error **err);
bool aws_sts_caller_parse(const char *body, size_t size, struct aws_caller *caller,
                          struct error **err);

#endif
