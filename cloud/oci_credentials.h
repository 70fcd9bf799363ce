/* SPDX-License-Identifier: Apache-2.0 */
/* Who we are to a registry, as docker and podman have it written down. */
#ifndef CLOUD_OCI_CREDENTIALS_H
#define CLOUD_OCI_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"

/* Owned strings, wiped when they are released. All NULL: anonymous. */
struct oci_credentials {
	char *user, *password;
	char *identity_token;  /* for the token service, instead of a password */
	char *registry_token;  /* for the registry itself */
	char *source;          /* for messages: "'/root/.docker/config.json'" */
	int64_t expires_at_ms; /* wall time; 0: never */
};
void oci_credentials_release(struct oci_credentials *credentials);
bool oci_credentials_are_empty(const struct oci_credentials *credentials);

/*
 * The first of these files that knows the registry: $REGISTRY_AUTH_FILE; config.json in
 * $DOCKER_CONFIG or ~/.docker; containers/auth.json in $XDG_RUNTIME_DIR, and in $XDG_CONFIG_HOME or
 * ~/.config. Runs the credential helper that a file names, for up to a minute. Success with
 * nothing where none knows it. INVALID: a file that makes no sense; AUTH: a helper that fails. The
 * caller releases *credentials.
 */
bool oci_credentials_find(const char *registry, const char *repository,
                          struct oci_credentials *credentials, struct error **err);

#endif
