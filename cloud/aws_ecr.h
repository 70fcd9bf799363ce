/* SPDX-License-Identifier: Apache-2.0 */
/* Elastic Container Registry: the part of its API that registries elsewhere do not need. */
#ifndef CLOUD_AWS_ECR_H
#define CLOUD_AWS_ECR_H

#include <stdbool.h>
#include <stdint.h>

#include "cloud/aws_credentials.h"

/*
 * Whether the host of a registry ("<account>.dkr.ecr.<region>.amazonaws.com", FIPS, China and dual
 * stack alike) is one of ECR's. Account and region are owned by the caller; both may be NULL.
 */
bool aws_ecr_is_registry(const char *host, char **account, char **region);

/*
 * User and password for the registry's basic authentication; owned by the caller, the password a
 * secret (secret_free). They are good for 12 hours, wherever the credentials' rights reach.
 * INVALID: `registry` is none of ECR's.
 */
bool aws_ecr_authorize(struct aws_chain *chain, const char *registry, char **user, char **password,
                       int64_t *expires_at_ms, struct error **err);

/* `*found` is false when there is no such repository. */
bool aws_ecr_find_repository(struct aws_chain *chain, const char *registry, const char *repository,
                             bool *found, struct error **err);
/* That it exists already is a success. */
bool aws_ecr_create_repository(struct aws_chain *chain, const char *registry,
                               const char *repository, struct error **err);

#endif
