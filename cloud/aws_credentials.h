/* SPDX-License-Identifier: Apache-2.0 */
/* Who we are to AWS, and where its services are: the standard chain that AWS's own SDKs share. */
#ifndef CLOUD_AWS_CREDENTIALS_H
#define CLOUD_AWS_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "core/http.h"

struct aws_credentials {
	char *access_key_id, *secret_access_key;
	char *session_token;   /* or NULL */
	int64_t expires_at_ms; /* wall time; 0: never */
};
/* Wipes and frees what is in it. */
void aws_credentials_release(struct aws_credentials *credentials);
/* INVALID, naming what is wrong with it, never its value: they become parts of header lines. */
bool aws_credentials_check(const struct aws_credentials *credentials, struct error **err);

struct aws_chain_options {
	/* Given outright; both or none. NULL: the chain. */
	const char *access_key_id, *secret_access_key, *session_token;
	const char *profile; /* NULL: AWS_PROFILE, else "default"; given, it counts more than keys
	                        in the environment */
	const char *region;  /* NULL: AWS_REGION, AWS_DEFAULT_REGION, the profile's */
	/* Where one service answers, whatever is configured; both or none. */
	const char *endpoint_service, *endpoint_url;
	bool anonymous_ok; /* that there are no credentials at all is no error */
};

struct aws_chain;

/*
 * Options are copied, and wiped by aws_chain_free(). `http` is kept and must live longer. Reads the
 * files of profiles, and asks nobody yet. INVALID: half a key, a region that cannot be one, a file
 * that cannot be read; NOT_FOUND: no such profile.
 */
struct aws_chain *aws_chain_new(struct http_client *http, const struct aws_chain_options *options,
                                struct error **err);
void aws_chain_free(struct aws_chain *chain);
DEFINE_CLEANUP(aws_chain);

/*
 * Borrowed until the next call for the same chain: ask before each request, for they are renewed
 * before they expire (and kept as long as they are valid when that fails). May make requests, each
 * with a short deadline. NULL without an error: there are none, and `anonymous_ok`. AUTH says where
 * they were looked for.
 */
const struct aws_credentials *aws_chain_get(struct aws_chain *chain, struct error **err);
/* A server said that they expired or are not valid any more: the next get asks anew. False when
 * that would give the same ones again, which were given outright or for ever. */
bool aws_chain_forget(struct aws_chain *chain);
/* "the environment", "profile 'dev' in /home/…": for messages; NULL before there were any.
 * Borrowed. */
const char *aws_chain_source(const struct aws_chain *chain);

/* Option, AWS_REGION, AWS_DEFAULT_REGION, profile; NULL: nobody says. Borrowed. */
const char *aws_chain_region(const struct aws_chain *chain);
/* For every request to AWS: AWS_CA_BUNDLE; NULL: the system's certificates. Borrowed. */
const struct http_tls *aws_chain_tls(const struct aws_chain *chain);
struct http_client *aws_chain_http(const struct aws_chain *chain);

/*
 * Where a service answers. `service` is as SigV4 names it: "s3", "sts", "ecr", "eks",
 * "secretsmanager". The first is what the user says (AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL,
 * the profile's services and endpoint_url, unless AWS_IGNORE_CONFIGURED_ENDPOINT_URLS), NULL when
 * nobody does; borrowed. The second is that, or AWS's own for `region`; owned by the caller.
 * Neither has a slash at its end.
 */
const char *aws_chain_endpoint(const struct aws_chain *chain, const char *service);
char *aws_endpoint(const struct aws_chain *chain, const char *service, const char *region);

#endif
