/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate authority for tests, and the certificates that it is asked for. */
#ifndef TESTS_FAKES_FAKE_TLS_H
#define TESTS_FAKES_FAKE_TLS_H

#include "core/memory.h"

struct fake_ca;

struct fake_ca *fake_ca_new(void);
void fake_ca_free(struct fake_ca *ca);
DEFINE_CLEANUP(fake_ca);
const char *fake_ca_pem(const struct fake_ca *ca);

/* Owned strings; released by fake_certificate_release(). */
struct fake_certificate {
	char *certificate_pem, *key_pem;
};

/* `names` as OpenSSL writes them: "DNS:localhost,IP:127.0.0.1". Valid from a day ago until
 * `valid_s` from now (negative: expired). */
struct fake_certificate fake_ca_issue(const struct fake_ca *ca, const char *names, long valid_s);
void fake_certificate_release(struct fake_certificate *certificate);

#endif
