/* SPDX-License-Identifier: Apache-2.0 */
/* cloud/aws_credentials: the sources of the chain, their order, their faults, and renewal. STS and
 * the metadata endpoints are scripted; tests/api/test_api_aws.c has a real STS. */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "cloud/aws_credentials.h"
#include "core/clock.h"
#include "core/memory.h"
#include "core/text.h"
#include "tests/fakes/aws_environment.h"
#include "tests/fakes/fake_http.h"

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

/* The access key id that the chain comes to; its source too when `source` is given. */
static void assert_finds(const struct aws_environment *environment,
                         const struct aws_chain_options *options, const char *id,
                         const char *source)
{
	scoped(aws_chain) struct aws_chain *chain = aws_environment_chain(environment, options);
	const struct aws_credentials *found;
	struct error *err = NULL;

	assert_ok(found = aws_chain_get(chain, &err), err);
	assert_string_equal(found->access_key_id, id);
	if (source)
		assert_string_equal(aws_chain_source(chain), source);
}

/* `part` NULL: only that there is an error. */
static void assert_refuses(const struct aws_environment *environment, const char *profile,
                           enum error_kind kind, const char *part)
{
	scoped(error) struct error *err = NULL;
	scoped(aws_chain) struct aws_chain *chain = aws_chain_new(
		environment->http, &(struct aws_chain_options){ .profile = profile }, &err);

	if (chain)
		assert_null(aws_chain_get(chain, &err));
	assert_error_contains(err, part);
	assert_int_equal(err->kind, kind);
}

/* What STS answers to a role that is taken; the strings are owned by the caller. */
static char *sts_answer(const char *operation, const char *id, const char *expires)
{
	scoped(text) char *body = text_printf(
		"<%sResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><%sResult>"
		"<Credentials><AccessKeyId>%s</AccessKeyId><SecretAccessKey>s3cret/+=</"
		"SecretAccessKey><SessionToken>to/ken==</SessionToken><Expiration>%s</Expiration>"
		"</Credentials></%sResult></%sResponse>",
		operation, operation, id, expires, operation, operation);

	return fake_http_json("200 OK", "", body);
}

#define FAR "2126-01-01T00:00:00Z"

/* ---- profiles ---- */

static void test_aws_chain__asks_its_sources_in_botocores_order(void **state)
{
	const struct aws_environment *environment = *state;

	aws_environment_credentials(environment, "[default]\naws_access_key_id = DEFAULT\n"
	                                         "aws_secret_access_key = s\n"
	                                         "[other]\naws_access_key_id = OTHER\n"
	                                         "aws_secret_access_key = s\n"
	                                         "aws_session_token = t\n");
	assert_finds(environment, NULL, "DEFAULT", "profile 'default'");

	setenv("AWS_PROFILE", "other", 1);
	assert_finds(environment, NULL, "OTHER", "profile 'other'");

	setenv("AWS_ACCESS_KEY_ID", "ENVIRONMENT", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "s", 1);
	assert_finds(environment, NULL, "ENVIRONMENT", "the environment");

	/* A profile that is asked for is meant. */
	assert_finds(environment, &(struct aws_chain_options){ .profile = "default" }, "DEFAULT",
	             NULL);
}

static void test_aws_chain__takes_region_bundle_and_endpoints_from_the_profile(void **state)
{
	const struct aws_environment *environment = *state;
	scoped(text) char *bundle = aws_environment_file(environment, "ca.pem", "certificates");
	scoped(text) char *config = text_printf("[default]\nregion = eu-west-1\nca_bundle = %s\n"
	                                        "endpoint_url = http://all:1\nservices = some\n"
	                                        "[services some]\nsecrets_manager =\n"
	                                        "  endpoint_url = http://secrets:2/\n",
	                                        bundle);

	aws_environment_config(environment, config);
	scoped(aws_chain) struct aws_chain *chain = aws_environment_chain(environment, NULL);
	scoped(text) char *secrets = aws_endpoint(chain, "secretsmanager", "eu-west-1");

	assert_string_equal(aws_chain_region(chain), "eu-west-1");
	assert_string_equal(aws_chain_tls(chain)->ca_pem, "certificates");
	assert_string_equal(aws_chain_endpoint(chain, "ecr"), "http://all:1");
	assert_string_equal(secrets, "http://secrets:2");
	setenv("AWS_ENDPOINT_URL", "http://environment:3", 1);
	assert_string_equal(aws_chain_endpoint(chain, "secretsmanager"), "http://environment:3");
}

static void test_aws_endpoint__is_fips_or_dualstack_when_asked_for(void **state)
{
	static const struct {
		const char *fips, *dualstack, *service, *region, *url;
	} cases[] = {
		{ "true", NULL, "sts", "us-east-1", "https://sts-fips.us-east-1.amazonaws.com" },
		{ NULL, "true", "ecr", "us-east-1", "https://ecr.us-east-1.api.aws" },
		{ NULL, "true", "s3", "us-east-1", "https://s3.dualstack.us-east-1.amazonaws.com" },
		{ "true", "true", "eks", "cn-north-1",
		  "https://eks-fips.cn-north-1.api.amazonwebservices.com.cn" },
		{ "false", NULL, "eks", "eu-west-1", "https://eks.eu-west-1.amazonaws.com" },
	};
	const struct aws_environment *environment = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		aws_environment_set("AWS_USE_FIPS_ENDPOINT", cases[i].fips);
		aws_environment_set("AWS_USE_DUALSTACK_ENDPOINT", cases[i].dualstack);
		scoped(aws_chain) struct aws_chain *chain =
			aws_environment_chain(environment, NULL);
		scoped(text) char *url = aws_endpoint(chain, cases[i].service, cases[i].region);

		assert_string_equal(url, cases[i].url);
	}
}

static void test_aws_chain__takes_roles_along_source_profiles(void **state)
{
	const struct aws_environment *environment = *state;
	scoped(text) char *first = sts_answer("AssumeRole", "MIDDLE", FAR);
	scoped(text) char *second = sts_answer("AssumeRole", "LAST", FAR);
	struct fake_http_answer answers[] = { { .bytes = first }, { .bytes = second } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 2, NULL);
	scoped(text) char *endpoint = fake_http_url(fake, "");

	setenv("AWS_ENDPOINT_URL_STS", endpoint, 1);
	aws_environment_config(environment,
	                       "[profile last]\nrole_arn = arn:aws:iam::2:role/last\n"
	                       "source_profile = middle\nexternal_id = a&b\n"
	                       "role_session_name = me\nduration_seconds = 900\n"
	                       "region = eu-central-1\n"
	                       "[profile middle]\nrole_arn = arn:aws:iam::1:role/middle\n"
	                       "source_profile = keys\n");
	aws_environment_credentials(environment, "[keys]\naws_access_key_id = KEYS\n"
	                                         "aws_secret_access_key = s\n");

	assert_finds(environment, &(struct aws_chain_options){ .profile = "last" }, "LAST",
	             "the role of profile 'last'");

	scoped(text) char *one = fake_http_request(fake, 0);
	scoped(text) char *two = fake_http_request(fake, 1);
	assert_non_null(strstr(one, "Credential=KEYS/"));
	assert_non_null(strstr(one, "/eu-central-1/sts/aws4_request"));
	assert_non_null(strstr(one, "RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fmiddle"));
	assert_non_null(strstr(one, "RoleSessionName=stepop"));
	assert_non_null(strstr(two, "Credential=MIDDLE/"));
	assert_non_null(strstr(two, "X-Amz-Security-Token: to/ken=="));
	assert_non_null(strstr(two, "RoleSessionName=me&ExternalId=a%26b&DurationSeconds=900"));
}

static void test_aws_chain__lets_a_profile_with_keys_take_its_own_role(void **state)
{
	const struct aws_environment *environment = *state;
	scoped(text) char *answer = sts_answer("AssumeRole", "ROLE", FAR);
	struct fake_http_answer answers[] = { { .bytes = answer } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *endpoint = fake_http_url(fake, "");

	setenv("AWS_ENDPOINT_URL_STS", endpoint, 1);
	aws_environment_config(environment, "[profile me]\nrole_arn = arn:aws:iam::1:role/r\n"
	                                    "source_profile = me\n");
	aws_environment_credentials(environment, "[me]\naws_access_key_id = KEYS\n"
	                                         "aws_secret_access_key = s\n");

	assert_finds(environment, &(struct aws_chain_options){ .profile = "me" }, "ROLE", NULL);
}

static void test_aws_chain__takes_a_role_with_credentials_of_the_environment(void **state)
{
	const struct aws_environment *environment = *state;
	scoped(text) char *answer = sts_answer("AssumeRole", "ROLE", FAR);
	struct fake_http_answer answers[] = { { .match = "Credential=AKID/", .bytes = answer } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *endpoint = fake_http_url(fake, "");

	setenv("AWS_ENDPOINT_URL_STS", endpoint, 1);
	aws_environment_config(environment, "[default]\nrole_arn = arn:aws:iam::1:role/r\n"
	                                    "credential_source = Environment\n");
	assert_refuses(environment, NULL, ERROR_AUTH,
	               "credential_source Environment: there are none");

	setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "s", 1);
	/* Keys of the environment come before a role of the default profile, as in botocore. */
	assert_finds(environment, NULL, "AKID", NULL);
	assert_finds(environment, &(struct aws_chain_options){ .profile = "default" }, "ROLE",
	             NULL);
}

static void test_aws_chain__says_what_is_wrong_with_a_profile(void **state)
{
	static const struct {
		const char *profile;
		enum error_kind kind;
		const char *says;
	} cases[] = {
		{ "alone", ERROR_INVALID,
		  "profiles lead in a circle by source_profile: alone -> alone;" },
		{ "one", ERROR_INVALID,
		  "circle by source_profile: one -> two -> three -> two; change" },
		{ "lost", ERROR_NOT_FOUND,
		  "source_profile of profile 'lost': there is no profile 'oen'" },
		{ "lost", ERROR_NOT_FOUND, "did you mean 'one'?" },
		{ "both", ERROR_INVALID, "both source_profile and credential_source" },
		{ "none", ERROR_INVALID, "neither source_profile nor credential_source" },
		{ "unknown", ERROR_INVALID, "credential_source 'Cloud' should be" },
		{ "mfa", ERROR_AUTH, "profile 'mfa' asks for the code of a device" },
		{ "sso", ERROR_AUTH, "profile 'sso' signs in by a browser (SSO, aws login)" },
		{ "sso", ERROR_AUTH, "aws configure export-credentials --profile sso" },
		{ "half", ERROR_INVALID, "profile 'half': the secret access key is missing" },
		{ "empty", ERROR_INVALID, "profile 'nothing' has no credentials in it, but is" },
		{ "nothing", ERROR_AUTH, "none in profile 'nothing'" },
		{ "absent", ERROR_NOT_FOUND, "there is no profile 'absent' in " },
		{ "web", ERROR_INVALID, "has web_identity_token_file, but no role_arn" },
	};
	const struct aws_environment *environment = *state;

	aws_environment_config(environment,
	                       "[profile alone]\nrole_arn = r\nsource_profile = alone\n"
	                       "[profile one]\nrole_arn = r\nsource_profile = two\n"
	                       "[profile two]\nrole_arn = r\nsource_profile = three\n"
	                       "[profile three]\nrole_arn = r\nsource_profile = two\n"
	                       "[profile lost]\nrole_arn = r\nsource_profile = oen\n"
	                       "[profile both]\nrole_arn = r\nsource_profile = "
	                       "one\ncredential_source = Environment\n"
	                       "[profile none]\nrole_arn = r\n"
	                       "[profile unknown]\nrole_arn = r\ncredential_source = Cloud\n"
	                       "[profile mfa]\nrole_arn = r\nsource_profile = half\nmfa_serial = "
	                       "arn:aws:iam::1:mfa/m\n"
	                       "[profile sso]\nsso_session = corp\n"
	                       "[profile half]\naws_access_key_id = AKID\n"
	                       "[profile empty]\nrole_arn = r\nsource_profile = nothing\n"
	                       "[profile nothing]\nregion = eu-west-1\n"
	                       "[profile web]\nweb_identity_token_file = /no/such/file\n");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_refuses(environment, cases[i].profile, cases[i].kind, cases[i].says);
}

/* ---- processes ---- */

static void test_aws_chain__runs_the_process_of_a_profile(void **state)
{
	const struct aws_environment *environment = *state;

	aws_environment_config(environment,
	                       "[profile p]\ncredential_process = echo '{\"Version\": 1, "
	                       "\"AccessKeyId\": \"PROCESS\", \"SecretAccessKey\": \"s\", "
	                       "\"SessionToken\": \"t\",\n    \"Expiration\": \"" FAR "\"}'\n");

	assert_finds(environment, &(struct aws_chain_options){ .profile = "p" }, "PROCESS",
	             "credential_process of profile 'p'");
}

static void test_aws_chain__says_how_a_process_failed(void **state)
{
	static const struct {
		const char *command, *says;
	} cases[] = {
		{ "echo log in first >&2; exit 4",
		  "profile 'p': credential_process: failed with exit status 4: log in first" },
		{ "echo never-shown", "it should print {\"Version\": 1" },
		{ "echo '{\"Version\": 2}'", "it should print {\"Version\": 1" },
		{ "echo '{\"Version\": 1, \"AccessKeyId\": \"never-shown\"}'",
		  "what comes from there are no credentials" },
		{ "echo '{\"Version\": 1, \"AccessKeyId\": \"A\", \"SecretAccessKey\": "
		  "\"never-shown\", "
		  "\"Expiration\": \"2020-01-01T00:00:00Z\"}'",
		  "the credentials from credential_process of profile 'p' expired at "
		  "2020-01-01T00:00:00" },
	};
	const struct aws_environment *environment = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *config =
			text_printf("[profile p]\ncredential_process = %s\n", cases[i].command);
		scoped(aws_chain) struct aws_chain *chain = NULL;
		scoped(error) struct error *err = NULL;
		scoped(text) char *text = NULL;

		aws_environment_config(environment, config);
		chain = aws_environment_chain(environment,
		                              &(struct aws_chain_options){ .profile = "p" });
		assert_null(aws_chain_get(chain, &err));
		assert_error_contains(err, cases[i].says);
		text = error_text(err);
		assert_null(strstr(text, "never-shown"));
	}
}

/* ---- web identities ---- */

static void test_aws_chain__takes_the_role_of_a_web_identity(void **state)
{
	const struct aws_environment *environment = *state;
	scoped(text) char *answer = sts_answer("AssumeRoleWithWebIdentity", "WEB", FAR);
	struct fake_http_answer answers[] = { { .bytes = answer, .repeat = true } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *endpoint = fake_http_url(fake, "");
	scoped(text) char *token = aws_environment_file(environment, "token", "e30.e30.c2ln\n");
	scoped(text) char *config = text_printf("[profile web]\nrole_arn = arn:aws:iam::1:role/p\n"
	                                        "web_identity_token_file = %s\n",
	                                        token);

	setenv("AWS_ENDPOINT_URL_STS", endpoint, 1);
	setenv("AWS_WEB_IDENTITY_TOKEN_FILE", token, 1);
	setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/irsa", 1);
	setenv("AWS_ROLE_SESSION_NAME", "pod", 1);
	assert_finds(environment, NULL, "WEB", "the web identity of the environment");
	scoped(text) char *request = fake_http_request(fake, 0);
	assert_non_null(strstr(request, "Action=AssumeRoleWithWebIdentity"));
	assert_non_null(strstr(request, "RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Firsa"));
	assert_true(text_ends_with(request, "RoleSessionName=pod&WebIdentityToken=e30.e30.c2ln"));
	assert_null(strstr(request, "Authorization"));

	aws_environment_config(environment, config);
	assert_finds(environment, &(struct aws_chain_options){ .profile = "web" }, "WEB",
	             "the web identity of profile 'web'");
}

static void test_aws_chain__says_why_a_web_identity_is_refused(void **state)
{
	const struct aws_environment *environment = *state;
	scoped(text) char *answer = fake_http_json(
		"400 Bad Request", "",
		"<ErrorResponse><Error><Type>Sender</Type><Code>InvalidIdentityToken</"
		"Code><Message>No "
		"OpenIDConnect provider found in your account for https://oidc.example</Message>"
		"</Error><RequestId>1</RequestId></ErrorResponse>");
	struct fake_http_answer answers[] = { { .bytes = answer } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *endpoint = fake_http_url(fake, "");
	scoped(text) char *token = aws_environment_file(environment, "token", "never-shown");

	setenv("AWS_ENDPOINT_URL_STS", endpoint, 1);
	setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/no/such/token", 1);
	assert_refuses(environment, NULL, ERROR_INVALID, "but AWS_ROLE_ARN is not");
	setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/irsa", 1);
	assert_refuses(environment, NULL, ERROR_NOT_FOUND, "the web identity token: ");
	setenv("AWS_WEB_IDENTITY_TOKEN_FILE", token, 1);
	assert_refuses(environment, NULL, ERROR_AUTH,
	               "role 'arn:aws:iam::1:role/irsa': sts AssumeRoleWithWebIdentity: No "
	               "OpenIDConnect provider found in your account for https://oidc.example "
	               "(InvalidIdentityToken); the account must have the cluster's OIDC provider");
}

/* ---- containers ---- */

#define CONTAINER_ANSWER                                                                  \
	"{\"AccessKeyId\": \"CONTAINER\", \"SecretAccessKey\": \"s\", \"Token\": \"t\", " \
	"\"Expiration\": \"" FAR "\"}"

static void test_aws_chain__asks_the_endpoint_of_a_container(void **state)
{
	const struct aws_environment *environment = *state;
	scoped(text) char *answer = fake_http_json("200 OK", "", CONTAINER_ANSWER);
	struct fake_http_answer answers[] = { { .bytes = answer, .repeat = true } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(text) char *url = fake_http_url(fake, "/v1/credentials");
	scoped(text) char *token = aws_environment_file(environment, "token", "pod-token\n");

	setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url, 1);
	setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "ecs-token", 1);
	assert_finds(environment, NULL, "CONTAINER", "the container's endpoint");
	setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token, 1);
	assert_finds(environment, NULL, "CONTAINER", NULL);

	scoped(text) char *first = fake_http_request(fake, 0);
	scoped(text) char *second = fake_http_request(fake, 1);
	assert_non_null(strstr(first, "GET /v1/credentials"));
	assert_non_null(strstr(first, "Authorization: ecs-token\r\n"));
	assert_non_null(strstr(second, "Authorization: pod-token\r\n"));
}

static void test_aws_chain__tells_no_stranger_the_token_of_a_container(void **state)
{
	static const char *const bad[] = {
		"http://example.com/v1",
		"http://169.254.170.2.example.com/",
		"http://127.0.0.1.example.com/",
		"http://169.254.170.23@example.com/",
		"http://localhostess/",
		"http://local/",
		"ftp://127.0.0.1/",
		"http://[fd00:ec2::24]/",
		"http://127.0.0.1@example.com/",
	};
	const struct aws_environment *environment = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", bad[i], 1);
		assert_refuses(environment, NULL, ERROR_INVALID,
		               "AWS_CONTAINER_CREDENTIALS_FULL_URI should have https");
	}
	unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
	setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", ".example.com/", 1);
	assert_refuses(environment, NULL, ERROR_INVALID, "should begin with a slash");
}

static void test_aws_chain__says_what_is_wrong_with_a_containers_endpoint(void **state)
{
	const struct aws_environment *environment = *state;
	scoped(text) char *denied = fake_http_json("403 Forbidden", "", "{}");
	scoped(text) char *broken = fake_http_json("200 OK", "", "{\"AccessKeyId\": \"A\"}");
	struct fake_http_answer answers[] = {
		{ .match = "/denied", .bytes = denied, .repeat = true },
		{ .match = "/broken", .bytes = broken, .repeat = true },
	};
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 2, NULL);
	scoped(text) char *denied_url = fake_http_url(fake, "/denied?secret=never-shown");
	scoped(text) char *broken_url = fake_http_url(fake, "/broken");

	setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", denied_url, 1);
	assert_refuses(environment, NULL, ERROR_AUTH, "/denied: status 403");
	setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", broken_url, 1);
	assert_refuses(environment, NULL, ERROR_INVALID, "no credentials");
	setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/no/such/file", 1);
	assert_refuses(environment, NULL, ERROR_NOT_FOUND,
	               "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	unsetenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a\r\nHost: b", 1);
	assert_refuses(environment, NULL, ERROR_INVALID, "has a line break in it");
}

/* ---- instances ---- */

static void test_aws_chain__asks_an_instance_for_its_role(void **state)
{
	const struct aws_environment *environment = *state;
	scoped(text) char *token = fake_http_json("200 OK", "", "imds-token");
	scoped(text) char *role = fake_http_json("200 OK", "", "node-role\n");
	scoped(text) char *answer = fake_http_json("200 OK", "", CONTAINER_ANSWER);
	struct fake_http_answer answers[] = {
		{ .match = "PUT /latest/api/token", .bytes = token },
		{ .match = "GET /latest/meta-data/iam/security-credentials/ HTTP", .bytes = role },
		{ .match = "GET /latest/meta-data/iam/security-credentials/node-role HTTP",
		  .bytes = answer },
	};
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 3, NULL);
	scoped(text) char *endpoint = fake_http_url(fake, "/");

	unsetenv("AWS_EC2_METADATA_DISABLED");
	setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint, 1);
	assert_finds(environment, NULL, "CONTAINER", "the EC2 instance's role 'node-role'");

	scoped(text) char *first = fake_http_request(fake, 0);
	scoped(text) char *last = fake_http_request(fake, 2);
	assert_non_null(strstr(first, "X-aws-ec2-metadata-token-ttl-seconds: 300"));
	assert_non_null(strstr(last, "X-aws-ec2-metadata-token: imds-token"));
}

static void test_aws_chain__is_not_held_up_where_there_is_no_instance(void **state)
{
	const struct aws_environment *environment = *state;
	scoped(text) char *forbidden = fake_http_json("403 Forbidden", "", "");
	struct fake_http_answer answers[] = {
		{ .match = "PUT /silent", .bytes = " ", .after = FAKE_HOLD },
		{ .match = "PUT /off", .bytes = forbidden },
	};
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 2, NULL);
	scoped(text) char *silent = fake_http_url(fake, "/silent");
	scoped(text) char *off = fake_http_url(fake, "/off");
	int64_t begin_ms = loop_now_ms();

	unsetenv("AWS_EC2_METADATA_DISABLED");
	setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", silent, 1);
	assert_refuses(environment, NULL, ERROR_AUTH, "no instance's");
	assert_in_range(loop_now_ms() - begin_ms, 0, 3000);
	setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", off, 1);
	assert_refuses(environment, NULL, ERROR_AUTH, "no instance's");
}

/* ---- renewal ---- */

static char *expiring_in(int64_t ms)
{
	return clock_format(clock_now_ms() + ms);
}

static void test_aws_chain__renews_before_they_expire(void **state)
{
	const struct aws_environment *environment = *state;
	scoped(text) char *old_end = expiring_in(3000);
	scoped(text) char *old = text_printf("echo "
	                                     "'{\"Version\":1,\"AccessKeyId\":\"OLD\","
	                                     "\"SecretAccessKey\":\"s\",\"Expiration\":\"%s\"}'",
	                                     old_end);
	scoped(text) char *script = NULL;
	scoped(text) char *config = NULL;
	const struct aws_credentials *found;
	struct error *err = NULL;

	/* The first time OLD, then NEW. */
	script = text_printf("if [ -e %s/ran ]; then echo '{\"Version\":1,\"AccessKeyId\":\"NEW\","
	                     "\"SecretAccessKey\":\"s\",\"Expiration\":\"" FAR
	                     "\"}'; else touch %s/ran; %s; fi",
	                     environment->folder, environment->folder, old);
	config = text_printf("[default]\ncredential_process = %s\n", script);
	aws_environment_config(environment, config);
	scoped(aws_chain) struct aws_chain *chain = aws_environment_chain(environment, NULL);

	assert_ok(found = aws_chain_get(chain, &err), err);
	assert_string_equal(found->access_key_id, "OLD");
	/* Not asked each time, though they end soon. */
	assert_ok(found = aws_chain_get(chain, &err), err);
	assert_string_equal(found->access_key_id, "OLD");
	/* A server that says so is believed. */
	assert_true(aws_chain_forget(chain));
	assert_ok(found = aws_chain_get(chain, &err), err);
	assert_string_equal(found->access_key_id, "NEW");
}

static void test_aws_chain__keeps_what_is_valid_when_renewal_fails(void **state)
{
	const struct aws_environment *environment = *state;
	scoped(text) char *end = expiring_in(60000);
	scoped(text) char *config = text_printf(
		"[default]\ncredential_process = [ -e %s/ran ] && exit 1; touch %s/ran; echo "
		"'{\"Version\":1,\"AccessKeyId\":\"OLD\",\"SecretAccessKey\":\"s\",\"Expiration\":"
		"\"%s\"}'\n",
		environment->folder, environment->folder, end);
	const struct aws_credentials *found;
	struct error *err = NULL;

	aws_environment_config(environment, config);
	scoped(aws_chain) struct aws_chain *chain = aws_environment_chain(environment, NULL);

	assert_ok(aws_chain_get(chain, &err), err);
	assert_true(aws_chain_forget(chain));
	assert_ok(found = aws_chain_get(chain, &err), err);
	assert_string_equal(found->access_key_id, "OLD");
}

static void test_aws_chain__says_that_the_environments_have_expired(void **state)
{
	setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "s", 1);
	setenv("AWS_CREDENTIAL_EXPIRATION", "2020-01-01T00:00:00Z", 1);
	assert_refuses(*state, NULL, ERROR_AUTH,
	               "the credentials from the environment expired at 2020-01-01T00:00:00");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_aws_chain__asks_its_sources_in_botocores_order),
		TEST(test_aws_chain__takes_region_bundle_and_endpoints_from_the_profile),
		TEST(test_aws_endpoint__is_fips_or_dualstack_when_asked_for),
		TEST(test_aws_chain__takes_roles_along_source_profiles),
		TEST(test_aws_chain__lets_a_profile_with_keys_take_its_own_role),
		TEST(test_aws_chain__takes_a_role_with_credentials_of_the_environment),
		TEST(test_aws_chain__says_what_is_wrong_with_a_profile),
		TEST(test_aws_chain__runs_the_process_of_a_profile),
		TEST(test_aws_chain__says_how_a_process_failed),
		TEST(test_aws_chain__takes_the_role_of_a_web_identity),
		TEST(test_aws_chain__says_why_a_web_identity_is_refused),
		TEST(test_aws_chain__asks_the_endpoint_of_a_container),
		TEST(test_aws_chain__tells_no_stranger_the_token_of_a_container),
		TEST(test_aws_chain__says_what_is_wrong_with_a_containers_endpoint),
		TEST(test_aws_chain__asks_an_instance_for_its_role),
		TEST(test_aws_chain__is_not_held_up_where_there_is_no_instance),
		TEST(test_aws_chain__renews_before_they_expire),
		TEST(test_aws_chain__keeps_what_is_valid_when_renewal_fails),
		TEST(test_aws_chain__says_that_the_environments_have_expired),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
