/* SPDX-License-Identifier: Apache-2.0 */
/* cloud/oci_docker_config: keys and entries of docker's and podman's files. */
#include "tests/test.h"

#include <string.h>

#include "cloud/oci_docker_config.h"
#include "core/memory.h"
#include "core/text.h"

/* ann:secret, bob:a:b, eve: and a NUL behind it */
#define ANN "YW5uOnNlY3JldA=="
#define BOB "Ym9iOmE6Yg=="
#define EVE "ZXZlOngA"

static json_t *parse(const char *text)
{
	json_t *config = json_loads(text, 0, NULL);

	assert_non_null(config);
	return config;
}

static void test_oci_docker_config_find__takes_the_nearest_entry(void **state)
{
	static const struct {
		const char *config, *registry, *repository, *user, *password;
	} cases[] = {
		{ "{'auths':{'registry:5000':{'auth':'" ANN "'}}}", "registry:5000", "team/spark",
		  "ann", "secret" },
		{ "{'auths':{'https://registry:5000/v2/':{'auth':'" BOB "'}}}", "registry:5000",
		  "x", "bob", "a:b" },
		{ "{'auths':{'https://index.docker.io/v1/':{'auth':'" ANN "'}}}", "docker.io",
		  "library/busybox", "ann", "secret" },
		{ "{'auths':{'docker.io':{'auth':'" EVE "'}}}", "docker.io", "x", "eve", "x" },
		{ "{'auths':{'q.io':{'auth':'" ANN "'},'q.io/team':{'auth':'" BOB "'}}}", "q.io",
		  "team/spark", "bob", "a:b" },
		{ "{'auths':{'q.io':{'auth':'" ANN "'},'q.io/team':{'auth':'" BOB "'}}}", "q.io",
		  "teams/spark", "ann", "secret" },
		{ "{'auths':{'q.io/team/spark':{'auth':'" BOB "'}}}", "q.io", "team/spark", "bob",
		  "a:b" },
		{ "{'auths':{'Q.io':{'username':'u','password':'p'}}}", "q.IO", "x", "u", "p" },
		{ "{'auths':{'q.io':{}}}", "q.io", "x", NULL, NULL },
		{ "{'auths':{'other':{'auth':'" ANN "'}}}", "q.io", "x", NULL, NULL },
		{ "{'auths':[]}", "q.io", "x", NULL, NULL },
		{ "{'auths':{'q.io':7}}", "q.io", "x", NULL, NULL },
		{ "{}", "q.io", "x", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *text = xstrdup(cases[i].config);
		struct oci_credentials found = { 0 };
		scoped(error) struct error *err = NULL;
		json_t *config;

		for (char *quote = text; (quote = strchr(quote, '\'')); quote++)
			*quote = '"';
		config = parse(text);

		assert_ok(oci_docker_config_find(config, cases[i].registry, cases[i].repository,
		                                 &found, &err),
		          err);

		assert_true(text_equal(found.user, cases[i].user));
		assert_true(text_equal(found.password, cases[i].password));
		oci_credentials_release(&found);
		json_decref(config);
	}
}

static void test_oci_docker_config_find__reads_tokens(void **state)
{
	json_auto_t *config =
		parse("{\"auths\":{\"a.io\":{\"auth\":\"" ANN "\",\"identitytoken\":\"I\"},"
	              "\"b.io\":{\"registrytoken\":\"R\"}}}");
	struct oci_credentials a = { 0 }, b = { 0 };

	(void)state;
	assert_true(oci_docker_config_find(config, "a.io", "x", &a, NULL));
	assert_true(oci_docker_config_find(config, "b.io", "x", &b, NULL));

	assert_string_equal(a.identity_token, "I");
	assert_string_equal(b.registry_token, "R");
	assert_false(oci_credentials_are_empty(&b));
	oci_credentials_release(&a);
	oci_credentials_release(&b);
}

static void test_oci_docker_config_find__refuses_what_is_no_pair(void **state)
{
	static const char *const auths[] = { "%%%", "bm9jb2xvbg==" /* nocolon */,
		                             "OnNlY3JldA==" /* :secret */ };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(auths); i++) {
		json_auto_t *config = json_pack("{s:{s:{s:s}}}", "auths", "q.io", "auth", auths[i]);
		struct oci_credentials found = { 0 };
		scoped(error) struct error *err = NULL;

		assert_false(oci_docker_config_find(config, "q.io", "x", &found, &err));

		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, "the 'auth' of 'q.io' is not user:password");
		oci_credentials_release(&found);
	}
}

static void test_oci_docker_config_helper__is_that_of_the_registry_or_the_store(void **state)
{
	json_auto_t *config =
		parse("{\"credsStore\":\"desktop\",\"credHelpers\":{\"q.io\":\"ecr-login\","
	              "\"https://index.docker.io/v1/\":\"pass\"}}");
	json_auto_t *none = parse("{\"credsStore\":\"\"}");

	(void)state;
	assert_string_equal(oci_docker_config_helper(config, "q.io"), "ecr-login");
	assert_string_equal(oci_docker_config_helper(config, "docker.io"), "pass");
	assert_string_equal(oci_docker_config_helper(config, "r.io"), "desktop");
	assert_null(oci_docker_config_helper(none, "q.io"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_oci_docker_config_find__takes_the_nearest_entry),
		cmocka_unit_test(test_oci_docker_config_find__reads_tokens),
		cmocka_unit_test(test_oci_docker_config_find__refuses_what_is_no_pair),
		cmocka_unit_test(
			test_oci_docker_config_helper__is_that_of_the_registry_or_the_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
