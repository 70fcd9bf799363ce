/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who we are to one registry: the header Authorization for what is about to be done. Tokens are
 * asked for as the token service of the distribution project has it ("Token Authentication
 * Specification", "OAuth2 Token Authentication"), and kept until they expire.
 */
#ifndef CLOUD_OCI_AUTH_H
#define CLOUD_OCI_AUTH_H

#include <stdbool.h>

#include "cloud/oci_registry.h"
#include "core/error.h"
#include "core/http.h"

struct oci_auth;

/* What is about to be done. Borrowed. */
struct oci_scope {
	const char *repository;
	bool push;              /* as well as pull */
	const char *mount_from; /* another repository, to pull from; or NULL */
};

/* `tls` is kept and must live longer: it is for token services, too. */
struct oci_auth *oci_auth_new(struct http_client *http, const struct oci_registry_options *options,
                              const struct http_tls *tls);
void oci_auth_free(struct oci_auth *auth);
DEFINE_CLEANUP(oci_auth);
/* The registry has no TLS: its token service may have none, either. */
void oci_auth_allow_plain_http(struct oci_auth *auth);

/* *header: "Authorization: …", owned by the caller (secret_free), or NULL: nothing is to be sent,
 * as long as the registry has not asked for anything. May ask the token service, and wait. */
bool oci_auth_header(struct oci_auth *auth, const struct oci_scope *scope, char **header,
                     struct error **err);

/* After a 401, with its header lines: what the registry wants is noted, and what it did not accept
 * is forgotten. False: it wants nothing that we could give. */
bool oci_auth_refused(struct oci_auth *auth, const struct oci_scope *scope, const char *head);

/* For messages: "user 'ann' of '/root/.docker/config.json'"; NULL: nobody yet, or anonymous.
 * Borrowed until the next call for this registry. */
const char *oci_auth_who(const struct oci_auth *auth);

#endif
