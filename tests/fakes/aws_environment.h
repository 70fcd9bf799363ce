/* SPDX-License-Identifier: Apache-2.0 */
/* An environment that knows nothing of AWS but what a test says. */
#ifndef TESTS_FAKES_AWS_ENVIRONMENT_H
#define TESTS_FAKES_AWS_ENVIRONMENT_H

#include "cloud/aws_credentials.h"
#include "core/http.h"
#include "core/memory.h"

struct aws_environment {
	struct loop *loop;
	struct http_client *http;
	char *folder; /* an empty folder of its own: AWS's files are there */
	char *config, *credentials;
};

/* Forgets all variables of AWS, and asks no instance for its role. */
struct aws_environment *aws_environment_new(void);
void aws_environment_free(struct aws_environment *environment);
DEFINE_CLEANUP(aws_environment);

/* Replaces the config or the credentials file; sets a variable (NULL: unset). */
void aws_environment_config(const struct aws_environment *environment, const char *text);
void aws_environment_credentials(const struct aws_environment *environment, const char *text);
void aws_environment_set(const char *name, const char *value);
/* A file of the folder; its path is owned by the caller. */
char *aws_environment_file(const struct aws_environment *environment, const char *name,
                           const char *text);

/* Owned by the caller. Fails the test when it cannot be made. */
struct aws_chain *aws_environment_chain(const struct aws_environment *environment,
                                        const struct aws_chain_options *options);

#endif
