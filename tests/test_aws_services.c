/* SPDX-License-Identifier: Apache-2.0 */
/* cloud/aws_ecr and cloud/aws_eks: names of registries, tokens, and answers that moto never gives;
 * the rest is in tests/api/test_api_aws.c. */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "cloud/aws_ecr.h"
#include "cloud/aws_eks.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"
#include "tests/fakes/aws_environment.h"
#include "tests/fakes/fake_http.h"

#define REGISTRY "123456789012.dkr.ecr.eu-central-1.amazonaws.com"

static int set_up(void **state)
{
	*state = aws_environment_new();
	setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "never-shown", 1);
	setenv("AWS_REGION", "eu-west-1", 1);
	return 0;
}

static int tear_down(void **state)
{
	aws_environment_free(*state);
	return 0;
}

static void test_aws_ecr_is_registry__knows_its_names(void **state)
{
	static const struct {
		const char *host, *region; /* NULL: none of ECR's */
	} cases[] = {
		{ REGISTRY, "eu-central-1" },
		{ "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com", "us-east-1" },
		{ "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1" },
		{ "123456789012.dkr-ecr.us-east-1.on.aws", "us-east-1" },
		{ "12345678901.dkr.ecr.eu-central-1.amazonaws.com", NULL },
		{ "123456789012.dkr.ecr.eu-central-1.amazonaws.com.example.com", NULL },
		{ "123456789012.dkr.ecr.example.com", NULL },
		{ "123456789012.dkr.ecr..amazonaws.com", NULL },
		{ "public.ecr.aws", NULL },
		{ "docker.io", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *account = NULL;
		scoped(text) char *region = NULL;

		assert_int_equal(aws_ecr_is_registry(cases[i].host, &account, &region),
		                 cases[i].region != NULL);
		assert_true(text_equal(region, cases[i].region));
		assert_true(text_equal(account, region ? "123456789012" : NULL));
		assert_int_equal(aws_ecr_is_registry(cases[i].host, NULL, NULL), region != NULL);
	}
}

static void test_aws_ecr_authorize__asks_in_the_registrys_region(void **state)
{
	scoped(text) char *answer = fake_http_json(
		"200 OK", "",
		"{\"authorizationData\": [{\"authorizationToken\": \"QVdTOnBhOnNzd29yZA==\", "
		"\"expiresAt\": 1.8e9}]}");
	struct fake_http_answer answers[] = { { .match = "/eu-central-1/ecr/", .bytes = answer } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *endpoint = fake_http_url(fake, "");
	scoped(text) char *user = NULL;
	scoped(secret) char *password = NULL;
	int64_t expires_at_ms = 0;
	struct error *err = NULL;

	setenv("AWS_ENDPOINT_URL_ECR", endpoint, 1);
	scoped(aws_chain) struct aws_chain *chain = aws_environment_chain(*state, NULL);
	assert_ok(aws_ecr_authorize(chain, REGISTRY, &user, &password, &expires_at_ms, &err), err);
	assert_string_equal(user, "AWS");
	assert_string_equal(password, "pa:ssword");
	assert_true(expires_at_ms == 1800000000000);
}

static void test_aws_ecr_authorize__refuses_what_is_no_token(void **state)
{
	static const char *const bodies[] = {
		"{}",
		"{\"authorizationData\": []}",
		"{\"authorizationData\": [{\"authorizationToken\": \"%%%\"}]}",
		"{\"authorizationData\": [{\"authorizationToken\": \"QVdT\"}]}",
		"{\"authorizationData\": [{\"authorizationToken\": 1}]}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		scoped(text) char *answer = fake_http_json("200 OK", "", bodies[i]);
		struct fake_http_answer answers[] = { { .bytes = answer } };
		scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
		scoped(text) char *endpoint = fake_http_url(fake, "");
		scoped(error) struct error *err = NULL;
		char *user, *password;
		int64_t expires_at_ms;

		setenv("AWS_ENDPOINT_URL_ECR", endpoint, 1);
		scoped(aws_chain) struct aws_chain *chain = aws_environment_chain(*state, NULL);
		assert_false(
			aws_ecr_authorize(chain, REGISTRY, &user, &password, &expires_at_ms, &err));
		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, "there is no token in the answer");
	}
}

/* "k8s-aws-v1.…" -> the URL; owned by the caller. */
static char *url_in(const char *token)
{
	scoped(text) char *base64 = text_printf("%s===", token + strlen("k8s-aws-v1."));
	char *url;
	size_t size;

	assert_true(text_starts_with(token, "k8s-aws-v1."));
	assert_null(strpbrk(token, "+/="));
	base64[strlen(token + strlen("k8s-aws-v1.")) / 4 * 4 +
	       (strlen(token + strlen("k8s-aws-v1.")) % 4 ? 4 : 0)] = '\0';
	for (char *at = base64; *at; at++)
		*at = *at == '-' ? '+' : *at == '_' ? '/' : *at;
	assert_non_null(url = base64_decode(base64, &size));
	url = xrealloc(url, size + 1, 1);
	url[size] = '\0';
	return url;
}

static void test_aws_eks_token__is_a_url_of_sts_for_one_cluster(void **state)
{
	scoped(aws_chain) struct aws_chain *chain = aws_environment_chain(*state, NULL);
	struct aws_eks_token token = { 0 };
	struct error *err = NULL;
	int64_t life_ms;

	assert_ok(aws_eks_token(chain, "my-cluster", NULL, &token, &err), err);
	scoped(text) char *url = url_in(token.token);
	life_ms = token.expires_at_ms - clock_now_ms();

	assert_true(text_starts_with(url, "https://sts.eu-west-1.amazonaws.com/?Action="));
	assert_non_null(strstr(url, "&X-Amz-Expires=60&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id&"));
	assert_in_range(life_ms, 13 * 60 * 1000, 14 * 60 * 1000);
	json_auto_t *credential =
		aws_eks_exec_credential(&token, "client.authentication.k8s.io/v1");
	const json_t *status = json_object_get(credential, "status");
	assert_string_equal(json_string_value(json_object_get(status, "token")), token.token);
	assert_non_null(json_object_get(status, "expirationTimestamp"));
	aws_eks_token_release(&token);
}

static void test_aws_eks_token__is_signed_as_the_role(void **state)
{
	scoped(text) char *answer = fake_http_json(
		"200 OK", "",
		"<R><AssumeRoleResult><Credentials><AccessKeyId>ROLE</AccessKeyId>"
		"<SecretAccessKey>s</SecretAccessKey><SessionToken>t/t</SessionToken><Expiration>"
		"2126-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></R>");
	struct fake_http_answer answers[] = { { .bytes = answer } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *endpoint = fake_http_url(fake, "");
	struct aws_role role = { .arn = "arn:aws:iam::1:role/r" };
	struct aws_eks_token token = { 0 };
	struct error *err = NULL;

	setenv("AWS_ENDPOINT_URL_STS", endpoint, 1);
	scoped(aws_chain) struct aws_chain *chain = aws_environment_chain(*state, NULL);
	assert_ok(aws_eks_token(chain, "my-cluster", &role, &token, &err), err);
	scoped(text) char *url = url_in(token.token);
	assert_non_null(strstr(url, "X-Amz-Credential=ROLE%2F"));
	assert_non_null(strstr(url, "&X-Amz-Security-Token=t%2Ft&"));
	aws_eks_token_release(&token);
}

static void test_aws_eks_describe__says_that_a_cluster_is_not_ready(void **state)
{
	scoped(text) char *answer = fake_http_json(
		"200 OK", "", "{\"cluster\": {\"arn\": \"a\", \"status\": \"CREATING\"}}");
	struct fake_http_answer answers[] = { { .match = "GET /clusters/a%20b", .bytes = answer } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *endpoint = fake_http_url(fake, "");
	scoped(error) struct error *err = NULL;
	struct aws_eks_cluster cluster;

	setenv("AWS_ENDPOINT_URL_EKS", endpoint, 1);
	scoped(aws_chain) struct aws_chain *chain = aws_environment_chain(*state, NULL);
	assert_false(aws_eks_describe(chain, "a b", &cluster, &err));
	assert_error_contains(err, "cluster 'a b' has no endpoint yet; its status is CREATING");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_aws_ecr_is_registry__knows_its_names),
		TEST(test_aws_ecr_authorize__asks_in_the_registrys_region),
		TEST(test_aws_ecr_authorize__refuses_what_is_no_token),
		TEST(test_aws_eks_token__is_a_url_of_sts_for_one_cluster),
		TEST(test_aws_eks_token__is_signed_as_the_role),
		TEST(test_aws_eks_describe__says_that_a_cluster_is_not_ready),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
