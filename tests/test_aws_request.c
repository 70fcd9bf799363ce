/* SPDX-License-Identifier: Apache-2.0 */
/* cloud/aws_request and cloud/aws_sts: tries, refusals, answers that make no sense. */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "cloud/aws_request.h"
#include "cloud/aws_sts.h"
#include "core/memory.h"
#include "core/text.h"
#include "tests/fakes/aws_environment.h"
#include "tests/fakes/fake_http.h"

#define CALLER                                                                                  \
	"<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::1:user/me</Arn>" \
	"<UserId>AIDA</UserId><Account>000000000001</Account></GetCallerIdentityResult>"        \
	"</GetCallerIdentityResponse>"

static const struct aws_json_service ecr = { .name = "ecr", .target = "ECR" };
static const struct aws_json_service secrets = { .name = "secretsmanager", .target = "sm" };

static int set_up(void **state)
{
	*state = aws_environment_new();
	setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "never-shown", 1);
	return 0;
}

static int tear_down(void **state)
{
	aws_environment_free(*state);
	return 0;
}

static struct fake_http *serve(const struct fake_http_answer *answers, size_t count)
{
	struct fake_http *fake = fake_http_start(answers, count, NULL);
	scoped(text) char *endpoint = fake_http_url(fake, "/");

	setenv("AWS_ENDPOINT_URL", endpoint, 1);
	return fake;
}

static void test_aws_sts_caller__names_who_we_are(void **state)
{
	scoped(text) char *answer = fake_http_json("200 OK", "", CALLER);
	struct fake_http_answer answers[] = { { .bytes = answer } };
	scoped(fake_http) struct fake_http *fake = serve(answers, 1);
	scoped(aws_chain) struct aws_chain *chain = aws_environment_chain(*state, NULL);
	struct aws_caller caller;
	struct error *err = NULL;

	assert_ok(aws_sts_caller(chain, &caller, &err), err);
	assert_string_equal(caller.account, "000000000001");
	assert_string_equal(caller.arn, "arn:aws:iam::1:user/me");
	assert_string_equal(caller.user_id, "AIDA");
	aws_caller_release(&caller);

	scoped(text) char *request = fake_http_request(fake, 0);
	assert_non_null(strstr(request, "POST / HTTP"));
	assert_non_null(strstr(request, "SignedHeaders=content-type;host;x-amz-date,"));
	assert_non_null(strstr(request, "Action=GetCallerIdentity&Version=2011-06-15"));
}

static void test_aws_requests__are_tried_again_when_that_may_help(void **state)
{
	scoped(text) char *busy = fake_http_json("503 Busy", "", "");
	scoped(text) char *slow =
		fake_http_json("400 Bad Request", "", "{\"__type\":\"ThrottlingException\"}");
	scoped(text) char *answer = fake_http_json("200 OK", "", CALLER);
	struct fake_http_answer answers[] = { { .bytes = busy },
		                              { .bytes = slow },
		                              { .bytes = answer } };
	scoped(fake_http) struct fake_http *fake = serve(answers, 3);
	scoped(aws_chain) struct aws_chain *chain = aws_environment_chain(*state, NULL);
	struct aws_caller caller;
	struct error *err = NULL;

	assert_ok(aws_sts_caller(chain, &caller, &err), err);
	aws_caller_release(&caller);
	assert_int_equal(fake_http_requests(fake), 3);
}

static void test_aws_requests__end_with_the_last_refusal(void **state)
{
	scoped(text) char *busy = fake_http_json("503 Busy", "", "");
	struct fake_http_answer answers[] = { { .bytes = busy, .repeat = true } };
	scoped(fake_http) struct fake_http *fake = serve(answers, 1);
	scoped(aws_chain) struct aws_chain *chain = aws_environment_chain(*state, NULL);
	scoped(error) struct error *err = NULL;
	struct aws_caller caller;

	assert_false(aws_sts_caller(chain, &caller, &err));
	assert_int_equal(err->kind, ERROR_UNAVAILABLE);
	assert_error_contains(err, "sts GetCallerIdentity: status 503");
	assert_int_equal(fake_http_requests(fake), 3);
}

static void test_aws_requests__ask_for_newer_credentials_once(void **state)
{
	const struct aws_environment *environment = *state;
	scoped(text) char *expired = fake_http_json(
		"400 Bad Request", "",
		"{\"__type\":\"ExpiredTokenException\",\"message\":\"It is expired\"}");
	scoped(text) char *answer = fake_http_json("200 OK", "", "{\"a\": 1}");
	struct fake_http_answer answers[] = { { .match = "Credential=ONE/", .bytes = expired },
		                              { .match = "Credential=TWO/", .bytes = answer } };
	scoped(fake_http) struct fake_http *fake = serve(answers, 2);
	scoped(text) char *config = text_printf(
		"[profile p]\ncredential_process = n=TWO; [ -e %s/ran ] || n=ONE; touch %s/ran; "
		"echo "
		"'{\"Version\":1,\"AccessKeyId\":\"'$n'\",\"SecretAccessKey\":\"s\",\"Expiration\":"
		"\"2126-01-01T00:00:00Z\"}'\n",
		environment->folder, environment->folder);
	json_auto_t *input = json_object();
	json_auto_t *root = NULL;
	struct error *err = NULL;

	aws_environment_config(environment, config);
	scoped(aws_chain) struct aws_chain *chain = aws_environment_chain(
		environment, &(struct aws_chain_options){ .profile = "p", .region = "eu-west-1" });
	assert_ok(root = aws_json_call(chain, &ecr, "X", input, &err), err);
	assert_int_equal(fake_http_requests(fake), 2);
}

static void test_aws_requests__say_whose_credentials_are_refused(void **state)
{
	scoped(text) char *denied = fake_http_json(
		"400 Bad Request", "",
		"{\"__type\":\"UnrecognizedClientException\",\"message\":\"It is invalid.\"}");
	struct fake_http_answer answers[] = { { .bytes = denied, .repeat = true } };
	scoped(fake_http) struct fake_http *fake = serve(answers, 1);
	scoped(aws_chain) struct aws_chain *chain =
		aws_environment_chain(*state, &(struct aws_chain_options){ .region = "eu-west-1" });
	json_auto_t *input = json_object();
	scoped(error) struct error *err = NULL;

	assert_null(aws_json_call(chain, &secrets, "ListSecrets", input, &err));
	assert_int_equal(err->kind, ERROR_AUTH);
	assert_error_contains(err, "with credentials from the environment: secretsmanager "
	                           "ListSecrets: It is invalid (UnrecognizedClientException)");
	assert_int_equal(fake_http_requests(fake), 1);
}

static void test_aws_requests__need_a_region(void **state)
{
	scoped(aws_chain) struct aws_chain *chain = aws_environment_chain(*state, NULL);
	json_auto_t *input = json_object();
	scoped(error) struct error *err = NULL;

	assert_null(aws_json_call(chain, &ecr, "DescribeRepositories", input, &err));
	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, "ecr DescribeRepositories: no region is given; set");
}

static void test_aws_requests__doubt_a_region_that_has_no_host(void **state)
{
	scoped(aws_chain) struct aws_chain *chain = aws_environment_chain(
		*state, &(struct aws_chain_options){ .region = "no-such-region-1" });
	json_auto_t *input = json_object();
	scoped(error) struct error *err = NULL;

	assert_null(aws_json_call(chain, &ecr, "DescribeRepositories", input, &err));
	assert_int_equal(err->kind, ERROR_UNAVAILABLE);
	assert_error_contains(err, "is 'no-such-region-1' a region of AWS?");
}

static void test_aws_answers__that_make_no_sense_are_refused(void **state)
{
	static const char *const bodies[] = {
		"", "{}", "<a/>", "<html>", "<R><GetCallerIdentityResult><Arn>a</Arn>",
	};
	static const char incomplete[] =
		"<R><AssumeRoleResult><Credentials><AccessKeyId>A"
		"</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
		"<SessionToken>t</SessionToken><Expiration>soon</Expiration>"
		"</Credentials></AssumeRoleResult></R>";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
		struct aws_caller caller;
		struct aws_credentials credentials;
		scoped(error) struct error *err = NULL;
		scoped(error) struct error *other = NULL;

		assert_false(aws_sts_caller_parse(bodies[i], strlen(bodies[i]), &caller, &err));
		assert_int_equal(err->kind, ERROR_INVALID);
		assert_false(aws_sts_credentials_parse(bodies[i], strlen(bodies[i]), &credentials,
		                                       &other));
		assert_int_equal(other->kind, ERROR_INVALID);
	}
	struct aws_credentials credentials;
	assert_false(aws_sts_credentials_parse(incomplete, strlen(incomplete), &credentials, NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_aws_sts_caller__names_who_we_are),
		TEST(test_aws_requests__are_tried_again_when_that_may_help),
		TEST(test_aws_requests__end_with_the_last_refusal),
		TEST(test_aws_requests__ask_for_newer_credentials_once),
		TEST(test_aws_requests__say_whose_credentials_are_refused),
		TEST(test_aws_requests__need_a_region),
		TEST(test_aws_requests__doubt_a_region_that_has_no_host),
		TEST(test_aws_answers__that_make_no_sense_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
