/* SPDX-License-Identifier: Apache-2.0 */
/* Digests as registries write them: "sha256:…", "sha512:…". */
#ifndef CLOUD_OCI_DIGEST_H
#define CLOUD_OCI_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

/* "sha256:…"; owned by the caller. */
char *oci_digest_of(const void *bytes, size_t size);
/* Whether it is the digest of these bytes, by its own algorithm. */
bool oci_digest_fits(const char *digest, const void *bytes, size_t size);

#endif
