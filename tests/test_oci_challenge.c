/* SPDX-License-Identifier: Apache-2.0 */
/* cloud/oci_challenge: what registries put into WWW-Authenticate. */
#include "tests/test.h"

#include "cloud/oci_challenge.h"
#include "core/memory.h"
#include "core/text.h"

static void test_oci_challenge_find__reads_what_registries_send(void **state)
{
	static const struct {
		const char *head;
		struct {
			enum oci_scheme scheme;
			const char *realm, *service, *scope, *error;
		} is;
	} cases[] = {
		{ "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n"
		  "Www-Authenticate: Bearer realm=\"https://auth.docker.io/token\","
		  "service=\"registry.docker.io\",scope=\"repository:library/"
		  "busybox:pull\"\r\n\r\n",
		  { OCI_BEARER, "https://auth.docker.io/token", "registry.docker.io",
		    "repository:library/busybox:pull", NULL } },
		{ "WWW-AUTHENTICATE:bearer realm=https://x/t , SERVICE = \"a \\\"b\\\"\", "
		  "error=\"insufficient_scope\"\n",
		  { OCI_BEARER, "https://x/t", "a \"b\"", NULL, "insufficient_scope" } },
		{ "WWW-Authenticate: Basic realm=\"Registry Realm\", charset=\"UTF-8\"\r\n",
		  { OCI_BASIC, "Registry Realm", NULL, NULL, NULL } },
		{ "WWW-Authenticate: Basic\r\n", { OCI_BASIC, NULL, NULL, NULL, NULL } },
		{ "WWW-Authenticate: Basic realm=\"b\", Bearer realm=\"https://t\"\r\n",
		  { OCI_BEARER, "https://t", NULL, NULL, NULL } },
		{ "WWW-Authenticate: Bearer realm=\"https://t\"\r\n"
		  "WWW-Authenticate: Basic realm=\"b\"\r\n",
		  { OCI_BEARER, "https://t", NULL, NULL, NULL } },
		{ "WWW-Authenticate: Bearer service=\"no realm\", Basic realm=\"b\"\r\n",
		  { OCI_BASIC, "b", NULL, NULL, NULL } },
		{ "WWW-Authenticate: Negotiate YIIabc/+==, Basic realm=\"b\"\r\n",
		  { OCI_BASIC, "b", NULL, NULL, NULL } },
		{ "WWW-Authenticate: Bearer realm=\"https://first\",realm=\"https://second\"\r\n",
		  { OCI_BEARER, "https://first", NULL, NULL, NULL } },
		{ "WWW-Authenticate: Bearer realm=\"https://unclosed\r\n",
		  { OCI_BEARER, "https://unclosed", NULL, NULL, NULL } },
		{ "WWW-Authenticate: Digest realm=\"d\"\r\n", { OCI_NO_SCHEME } },
		{ "WWW-Authenticate: =,;\"\\\r\n", { OCI_NO_SCHEME } },
		{ "WWW-Authenticate-Not: Basic\r\n", { OCI_NO_SCHEME } },
		{ "", { OCI_NO_SCHEME } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct oci_challenge challenge = { 0 };
		bool is_found = oci_challenge_find(cases[i].head, &challenge);

		assert_int_equal(is_found, cases[i].is.scheme != OCI_NO_SCHEME);
		assert_int_equal(challenge.scheme, cases[i].is.scheme);
		assert_true(text_equal(challenge.realm, cases[i].is.realm));
		assert_true(text_equal(challenge.service, cases[i].is.service));
		assert_true(text_equal(challenge.scope, cases[i].is.scope));
		assert_true(text_equal(challenge.error, cases[i].is.error));
		oci_challenge_release(&challenge);
	}
}

static void test_oci_challenge_find__takes_no_head_for_no_challenge(void **state)
{
	struct oci_challenge challenge;

	(void)state;
	assert_false(oci_challenge_find(NULL, &challenge));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_oci_challenge_find__reads_what_registries_send),
		cmocka_unit_test(test_oci_challenge_find__takes_no_head_for_no_challenge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
