/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a chain, and the sources that it asks in turn. */
#ifndef CLOUD_AWS_CHAIN_H
#define CLOUD_AWS_CHAIN_H

#include "cloud/aws_credentials.h"
#include "cloud/aws_profile.h"

struct aws_chain {
	struct http_client *http;
	struct aws_profiles *profiles;
	char *profile;            /* never NULL */
	bool is_profile_explicit; /* by option: the environment's keys do not count then */
	bool is_profile_named;    /* by option or AWS_PROFILE: it must exist */
	char *region;             /* or NULL */
	char *ca_pem;             /* or NULL */
	struct http_tls tls;
	char *endpoint_service, *endpoint_url; /* given outright; or NULL */
	unsigned service_flags;                /* enum aws_service_url_flags */
	bool anonymous_ok;

	struct aws_credentials given;   /* outright; or none */
	struct aws_credentials current; /* what was found last */
	char *source;                   /* of the one or the other; or NULL */
	int64_t asked_at_ms;            /* wall time; 0: not yet, or forgotten */
};

/* What is set and not empty, or NULL. */
const char *aws_variable(const char *name);

/*
 * One way to credentials. True: *credentials is filled, and *source (owned) says where from, as
 * aws_chain_source() has it. False without an error: the source is not configured here. The outputs
 * are empty before, and are released by the caller whatever the result is.
 */
struct aws_found {
	struct aws_credentials credentials;
	char *source;
};
void aws_found_release(struct aws_found *found);
bool aws_source_environment(struct aws_chain *chain, struct aws_found *found, struct error **err);
/* AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN: accounts of Kubernetes (IRSA). */
bool aws_source_web_identity(struct aws_chain *chain, struct aws_found *found, struct error **err);
/* The chain's profile, by whatever it says. */
bool aws_source_profile(struct aws_chain *chain, struct aws_found *found, struct error **err);
/* AWS_CONTAINER_CREDENTIALS_*: ECS, EKS Pod Identity. */
bool aws_source_container(struct aws_chain *chain, struct aws_found *found, struct error **err);
/* The role of an EC2 instance (IMDSv2). */
bool aws_source_instance(struct aws_chain *chain, struct aws_found *found, struct error **err);

/* A web identity token in a file, for the role of a profile or of the environment. */
struct aws_web_identity {
	const char *token_file, *role_arn, *session_name; /* the last may be NULL */
};
bool aws_web_identity_assume(struct aws_chain *chain, const struct aws_web_identity *identity,
                             struct aws_credentials *credentials, struct error **err);

/* "credential_process" of a profile: a command line, and what it prints. */
bool aws_process_run(const char *command, struct aws_credentials *credentials, struct error **err);

/*
 * {"AccessKeyId", "SecretAccessKey", `token_key`, "Expiration"}, as metadata endpoints and
 * processes give them. Only the last two may be missing. INVALID.
 */
bool aws_credentials_parse(const char *text, const char *token_key,
                           struct aws_credentials *credentials, struct error **err);

#endif
