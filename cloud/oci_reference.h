/* SPDX-License-Identifier: Apache-2.0 */
/* Names of images: "registry:5000/team/spark:3.5.9@sha256:…", taken apart and put together. */
#ifndef CLOUD_OCI_REFERENCE_H
#define CLOUD_OCI_REFERENCE_H

#include <stdbool.h>

#include "core/error.h"

/* Owned strings. */
struct oci_reference {
	char *registry;   /* "docker.io", "localhost:5000", "[::1]:5000" */
	char *repository; /* "library/busybox", "team/spark" */
	char *tag;        /* or NULL */
	char *digest;     /* "sha256:…", or NULL */
};

/*
 * As distribution's reference grammar has it: what stands before the first slash is a registry
 * when it has a dot, a colon or a capital letter, or is "localhost"; otherwise the registry is
 * docker.io, whose names of one part belong to "library/". Neither tag nor digest is made up.
 * INVALID says what is wrong with which part. The caller releases *reference.
 */
bool oci_reference_parse(const char *text, struct oci_reference *reference, struct error **err);
void oci_reference_release(struct oci_reference *reference);

/* In full, so that it can be pulled by any client: "docker.io/library/busybox:1.35". Owned by the
 * caller. */
char *oci_reference_render(const struct oci_reference *reference);
/* What a registry is asked for: the digest, else the tag, else "latest". Borrowed. */
const char *oci_reference_target(const struct oci_reference *reference);

bool oci_is_registry(const char *text);   /* a host, with or without a port */
bool oci_is_repository(const char *text); /* at most 255 characters */
bool oci_is_tag(const char *text);
bool oci_is_digest(const char *text); /* sha256, sha384 or sha512 with all its digits */

#endif
