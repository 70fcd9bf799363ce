/* SPDX-License-Identifier: Apache-2.0 */
/* One request to a service of AWS: signed, tried again when that helps, its refusal in words. */
#ifndef CLOUD_AWS_REQUEST_H
#define CLOUD_AWS_REQUEST_H

#include <jansson.h>

#include "cloud/aws_credentials.h"
#include "core/error.h"

/* Everything is borrowed. */
struct aws_request {
	const char *service, *region;
	const char *operation;  /* "GetCallerIdentity": for messages */
	const char *method;     /* of requests that may be repeated without harm */
	const char *path;       /* below the endpoint: "/", "/clusters/a%20b" */
	const char *headers[3]; /* "Name: value"; NULL: no more */
	const char *body;       /* or NULL */
	const struct aws_credentials *credentials; /* NULL: not signed */
};

/*
 * The body of a success, NUL-terminated and owned by the caller (secret_free). Errors begin with
 * service and operation; kinds as aws_fault_set() and http_perform() have them. `*is_expiry` (may
 * be NULL) says of a failure that newer credentials may help.
 */
char *aws_perform(const struct aws_chain *chain, const struct aws_request *request, bool *is_expiry,
                  struct error **err);

/* With the chain's credentials, asked for anew and tried once more when they turn out to be old.
 * request->credentials and region are filled in: INVALID when nobody names a region. */
char *aws_chain_perform(struct aws_chain *chain, const struct aws_request *request,
                        struct error **err);

/*
 * An operation of a service of protocol "awsJson1.1": ECR, Secrets Manager. The answer is owned by
 * the caller; what it was parsed from is wiped.
 */
struct aws_json_service {
	const char *name;   /* as signatures have it */
	const char *target; /* what stands before the operation: "secretsmanager" */
	const char *region; /* NULL: the chain's */
};
json_t *aws_json_call(struct aws_chain *chain, const struct aws_json_service *service,
                      const char *operation, const json_t *input, struct error **err);

#endif
