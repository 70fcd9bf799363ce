/* SPDX-License-Identifier: Apache-2.0 */
/* cloud/aws_credentials: which credentials, which region, which endpoint. */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "cloud/aws_credentials.h"
#include "core/memory.h"
#include "core/text.h"
#include "tests/fakes/aws_environment.h"

static int set_up(void **state)
{
	*state = aws_environment_new();
	return 0;
}

static int tear_down(void **state)
{
	aws_environment_free(*state);
	return 0;
}

static void test_aws_chain__takes_given_keys_before_the_environment(void **state)
{
	scoped(aws_chain) struct aws_chain *chain = NULL;
	const struct aws_credentials *found;
	struct error *err = NULL;

	setenv("AWS_ACCESS_KEY_ID", "ENVIRONMENT", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "other", 1);
	chain = aws_environment_chain(*state,
	                              &(struct aws_chain_options){ .access_key_id = "GIVEN",
	                                                           .secret_access_key = "secret" });

	assert_ok(found = aws_chain_get(chain, &err), err);
	assert_string_equal(found->access_key_id, "GIVEN");
	assert_null(found->session_token);
}

static void test_aws_chain__takes_the_environment(void **state)
{
	scoped(aws_chain) struct aws_chain *chain = NULL;
	const struct aws_credentials *found;
	struct error *err = NULL;

	setenv("AWS_ACCESS_KEY_ID", "ENVIRONMENT", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	setenv("AWS_SESSION_TOKEN", "token", 1);
	chain = aws_environment_chain(*state, NULL);

	assert_ok(found = aws_chain_get(chain, &err), err);
	assert_string_equal(found->access_key_id, "ENVIRONMENT");
	assert_string_equal(found->secret_access_key, "secret");
	assert_string_equal(found->session_token, "token");
	assert_string_equal(aws_chain_source(chain), "the environment");
}

static void test_aws_chain__refuses_what_cannot_be_credentials(void **state)
{
	static const struct {
		const char *id, *secret, *token, *says;
	} cases[] = {
		{ "AKID", NULL, NULL, "secret access key is missing" },
		{ NULL, "secret", NULL, "access key id is missing" },
		{ "AK:ID", "secret", NULL, "the access key id has" },
		{ "AKID", "never shown", NULL, "the secret access key has a blank" },
		{ "AKID", "secret", "never\nshown", "the session token has" },
	};
	const struct aws_environment *environment = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct aws_chain_options options = { .access_key_id = cases[i].id,
			                             .secret_access_key = cases[i].secret,
			                             .session_token = cases[i].token };
		scoped(error) struct error *err = NULL;

		assert_null(aws_chain_new(environment->http, &options, &err));
		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, cases[i].says);
	}
}

static void test_aws_chain__may_be_anonymous_only_when_asked_to(void **state)
{
	scoped(aws_chain) struct aws_chain *strict = aws_environment_chain(*state, NULL);
	scoped(aws_chain) struct aws_chain *open =
		aws_environment_chain(*state, &(struct aws_chain_options){ .anonymous_ok = true });
	scoped(error) struct error *err = NULL;
	scoped(error) struct error *none = NULL;

	assert_null(aws_chain_get(strict, &err));
	assert_int_equal(err->kind, ERROR_AUTH);
	assert_null(aws_chain_get(open, &none));
	assert_null(none);
}

static void test_aws_chain_region__is_the_nearest_that_says(void **state)
{
	const struct aws_environment *environment = *state;
	scoped(error) struct error *err = NULL;
	struct aws_chain *chain = aws_environment_chain(*state, NULL);

	assert_null(aws_chain_region(chain));
	aws_chain_free(chain);

	setenv("AWS_DEFAULT_REGION", "eu-west-1", 1);
	chain = aws_environment_chain(*state, NULL);
	assert_string_equal(aws_chain_region(chain), "eu-west-1");
	aws_chain_free(chain);

	setenv("AWS_REGION", "eu-west-2", 1);
	chain = aws_environment_chain(*state, NULL);
	assert_string_equal(aws_chain_region(chain), "eu-west-2");
	aws_chain_free(chain);

	chain = aws_environment_chain(*state, &(struct aws_chain_options){ .region = "eu-west-3" });
	assert_string_equal(aws_chain_region(chain), "eu-west-3");
	aws_chain_free(chain);

	assert_null(aws_chain_new(environment->http,
	                          &(struct aws_chain_options){ .region = "a.evil/host" }, &err));
	assert_error_contains(err, "'a.evil/host' is no region");
}

static void test_aws_endpoint__is_the_users_or_awss_own(void **state)
{
	scoped(aws_chain) struct aws_chain *chain = aws_environment_chain(*state, NULL);
	static const struct {
		const char *service, *region, *url;
	} cases[] = {
		{ "s3", "us-east-1", "https://s3.us-east-1.amazonaws.com" },
		{ "ecr", "eu-central-1", "https://api.ecr.eu-central-1.amazonaws.com" },
		{ "sts", "cn-north-1", "https://sts.cn-north-1.amazonaws.com.cn" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *url = aws_endpoint(chain, cases[i].service, cases[i].region);

		assert_string_equal(url, cases[i].url);
		assert_null(aws_chain_endpoint(chain, cases[i].service));
	}
	setenv("AWS_ENDPOINT_URL", "http://localhost:5000/", 1);
	setenv("AWS_ENDPOINT_URL_STS", "http://localhost:5001", 1);
	scoped(text) char *sts = aws_endpoint(chain, "sts", "us-east-1");
	scoped(text) char *s3 = aws_endpoint(chain, "s3", "us-east-1");
	assert_string_equal(sts, "http://localhost:5001");
	assert_string_equal(s3, "http://localhost:5000");
	setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true", 1);
	assert_null(aws_chain_endpoint(chain, "sts"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_aws_chain__takes_given_keys_before_the_environment, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_aws_chain__takes_the_environment, set_up,
		                                tear_down),
		cmocka_unit_test_setup_teardown(test_aws_chain__refuses_what_cannot_be_credentials,
		                                set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_aws_chain__may_be_anonymous_only_when_asked_to,
		                                set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_aws_chain_region__is_the_nearest_that_says,
		                                set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_aws_endpoint__is_the_users_or_awss_own, set_up,
		                                tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
