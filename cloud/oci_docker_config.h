/* SPDX-License-Identifier: Apache-2.0 */
/* What docker's config.json and podman's auth.json say about a registry. */
#ifndef CLOUD_OCI_DOCKER_CONFIG_H
#define CLOUD_OCI_DOCKER_CONFIG_H

#include <jansson.h>
#include <stdbool.h>

#include "cloud/oci_credentials.h"
#include "core/error.h"

/*
 * The entry of `auths` that is nearest to the repository: "host/team/spark", "host/team", "host";
 * keys may be URLs, as docker writes them. Nothing is found where there is none, or an empty one.
 * INVALID: its `auth` is not what `docker login` writes. Only the secrets of *found are set.
 */
bool oci_docker_config_find(const json_t *config, const char *registry, const char *repository,
                            struct oci_credentials *found, struct error **err);

/* The X of docker-credential-X: credHelpers before credsStore; NULL: none. Borrowed. */
const char *oci_docker_config_helper(const json_t *config, const char *registry);

#endif
