/* SPDX-License-Identifier: Apache-2.0 */
/* core/http_url: where answers lead. */
#include "tests/test.h"

#include "core/http_url.h"
#include "core/memory.h"
#include "core/text.h"

static void test_http_url_join__resolves_what_servers_send(void **state)
{
	static const struct {
		const char *base, *reference, *joined;
	} cases[] = {
		{ "https://r:5000/v2/x/blobs/uploads/", "/v2/x/blobs/uploads/1?_state=a%3D&b=c%2Fd",
		  "https://r:5000/v2/x/blobs/uploads/1?_state=a%3D&b=c%2Fd" },
		{ "https://r/v2/x/blobs/uploads/1", "2?s=1", "https://r/v2/x/blobs/uploads/2?s=1" },
		{ "https://r/v2/x?y=z", "http://cdn.example/a/../b?sig=%2B",
		  "http://cdn.example/a/../b?sig=%2B" },
		{ "http://r/a", "//other/b", "http://other/b" },
		{ "https://r/a", "file:///etc/passwd", NULL },
		{ "https://r/a", "ftp://r/a", NULL },
		{ "https://r/a", "", NULL },
		{ "no url", "/a", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *joined = http_url_join(cases[i].base, cases[i].reference);

		if (!text_equal(joined, cases[i].joined))
			fail_msg("'%s' from '%s' leads to '%s'", cases[i].reference, cases[i].base,
			         joined ? joined : "(nowhere)");
	}
}

static void test_http_url_same_origin__compares_scheme_host_and_port(void **state)
{
	static const struct {
		const char *a, *b;
		bool is_same;
	} cases[] = {
		{ "https://r/a", "https://R:443/b?c", true },
		{ "http://r:80/", "http://r", true },
		{ "https://r/a", "http://r/a", false },
		{ "https://r/a", "https://r:444/a", false },
		{ "https://r/a", "https://r.evil/a", false },
		{ "https://r/a", "https://evil@r/a", true }, /* a user name is no part of it */
		{ "https://r/a", "https://r@evil/a", false },
		{ "https://r/a", "no url", false },
		{ "http://[::1]:5000/", "http://[::1]:5000/x", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (http_url_same_origin(cases[i].a, cases[i].b) != cases[i].is_same)
			fail_msg("'%s' and '%s'", cases[i].a, cases[i].b);
}

static void test_http_host_is_loopback__knows_this_machine(void **state)
{
	static const char *const here[] = { "localhost", "LocalHost:5000", "127.0.0.1:5000",
		                            "127.1.2.3", "[::1]:5000",     "::1" };
	static const char *const elsewhere[] = { "localhost.example", "127.example",
		                                 "127.0.0.1.x",       "[::2]",
		                                 "registry",          "10.0.0.1",
		                                 "localhostx" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(here); i++)
		assert_true(http_host_is_loopback(here[i]));
	for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++)
		assert_false(http_host_is_loopback(elsewhere[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_http_url_join__resolves_what_servers_send),
		cmocka_unit_test(test_http_url_same_origin__compares_scheme_host_and_port),
		cmocka_unit_test(test_http_host_is_loopback__knows_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
