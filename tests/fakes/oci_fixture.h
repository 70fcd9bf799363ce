/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of the registry client begin with: a loop, a client, and registries that are fakes. */
#ifndef TESTS_FAKES_OCI_FIXTURE_H
#define TESTS_FAKES_OCI_FIXTURE_H

#include "cloud/oci_registry.h"
#include "core/http.h"
#include "core/loop.h"
#include "tests/fakes/fake_http.h"

struct oci_fixture {
	struct loop *loop;
	struct http_client *http;
};

/* cmocka's setup and teardown: `*state` is a struct oci_fixture. No docker or podman is logged in.
 */
int oci_fixture_setup(void **state);
int oci_fixture_teardown(void **state);

/* "127.0.0.1:PORT"; owned by the caller. */
char *oci_fixture_host(const struct fake_http *fake);
/* A registry at the fake; `options` (host aside) may be NULL: anonymous. Owned by the caller. */
struct oci_registry *oci_fixture_open(const struct oci_fixture *fixture,
                                      const struct fake_http *fake,
                                      const struct oci_registry_options *options);

/* "sha256:…" of a text; owned by the caller. */
char *oci_fixture_digest(const char *text);
/* How many requests hold `part`, and the first of them (owned by the caller; NULL: none). */
size_t oci_fixture_count(struct fake_http *fake, const char *part);
char *oci_fixture_find(struct fake_http *fake, const char *part);

#endif
