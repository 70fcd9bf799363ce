/* SPDX-License-Identifier: Apache-2.0 */
/* What is sent to a registry's token service, and what it answers. */
#ifndef CLOUD_OCI_TOKEN_H
#define CLOUD_OCI_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cloud/oci_auth.h"
#include "cloud/oci_challenge.h"
#include "core/error.h"

/* "repository:team/spark:pull,push", of each repository of the scope; the second is NULL when there
 * is one. Owned by the caller. */
void oci_token_scopes(const struct oci_scope *scope, char *scopes[2]);
/* GET: realm, service and scopes in one URL. Owned by the caller. */
char *oci_token_url(const struct oci_challenge *challenge, const struct oci_scope *scope);
/* POST: the form that exchanges an identity token for an access token. A secret, owned by the
 * caller. */
char *oci_token_form(const struct oci_challenge *challenge, const struct oci_scope *scope,
                     const char *identity_token);

/* The token (a secret, owned by the caller) and for how long it is good from now on; a minute where
 * the answer does not say. INVALID when there is none in it. */
char *oci_token_parse(const char *answer, size_t size, int64_t *lifetime_ms, struct error **err);

#endif
