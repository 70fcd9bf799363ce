/* SPDX-License-Identifier: Apache-2.0 */
/* How a registry wants to be told who asks: the header WWW-Authenticate (RFC 9110, 11). */
#ifndef CLOUD_OCI_CHALLENGE_H
#define CLOUD_OCI_CHALLENGE_H

#include <stdbool.h>

enum oci_scheme { OCI_NO_SCHEME, OCI_BASIC, OCI_BEARER };

/* Owned strings; NULL where the challenge does not say. */
struct oci_challenge {
	enum oci_scheme scheme;
	char *realm; /* of Bearer: the URL of the token service */
	char *service, *scope;
	char *error; /* "insufficient_scope", "invalid_token" */
};

/* The first challenge of `head` (header lines as they came) that we can answer: Bearer rather than
 * Basic. False: there is none. The caller releases *challenge. */
bool oci_challenge_find(const char *head, struct oci_challenge *challenge);
void oci_challenge_release(struct oci_challenge *challenge);

#endif
