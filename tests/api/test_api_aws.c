/* SPDX-License-Identifier: Apache-2.0 */
/*
 * STS, ECR, EKS and Secrets Manager against moto: STEPOP_TEST_AWS_ENDPOINT. It knows users and
 * roles that it is told of, and then checks signatures as botocore computes them (but for EKS, for
 * which it refuses botocore's own). Skipped, aloud, without it.
 */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cloud/aws_ecr.h"
#include "cloud/aws_eks.h"
#include "cloud/aws_secrets.h"
#include "cloud/aws_sts.h"
#include "cloud/s3.h"
#include "core/clock.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/probe.h"
#include "stacks/secret.h"
#include "tests/fakes/aws_environment.h"

#define ALLOW                                                            \
	"%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B" \
	"%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22*%22%2C%22Resource%22%3A%22*%22%7D%5D%7D"
#define POWER_ROLE "arn:aws:iam::123456789012:role/power"
#define REGISTRY "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
#define SIGNED_BY "Authorization: AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/"

/* Of a user whom moto knows; made once. */
static char *access_key, *secret_key;

/* What moto answers to what it does not check; owned by the caller. */
static char *tell(struct http_client *http, const char *path, const char *service, const char *type,
                  const char *body)
{
	scoped(text) char *url = text_printf("%s%s", getenv("STEPOP_TEST_AWS_ENDPOINT"), path);
	scoped(text) char *signer = text_printf(SIGNED_BY "%s/aws4_request, SignedHeaders=host, "
	                                                  "Signature=x",
	                                        service);
	scoped(text) char *content = text_printf("Content-Type: %s", type);
	const char *headers[] = { signer, content, NULL };
	struct http_response response = { 0 };
	struct error *err = NULL;
	char *answer;

	assert_ok(http_perform(http,
	                       &(struct http_request){ .method = "POST",
	                                               .url = url,
	                                               .headers = headers,
	                                               .body = body,
	                                               .body_size = strlen(body) },
	                       &response, &err),
	          err);
	if (response.status != 200)
		fail_msg("%s %s: %d %s", service, path, response.status, response.body);
	answer = take(response.body);
	http_response_release(&response);
	return answer;
}

static void tell_iam(struct http_client *http, const char *action)
{
	scoped(text) char *body = text_printf("Version=2010-05-08&Action=%s", action);

	free(tell(http, "/", "iam", "application/x-www-form-urlencoded", body));
}

/* So many actions more are not checked. */
#define UNCHECKED "1000000"
static void check_after(struct http_client *http, const char *actions)
{
	free(tell(http, "/moto-api/reset-auth", "moto", "text/plain", actions));
}

static char *element(const char *xml, const char *name)
{
	scoped(text) char *tag = text_printf("<%s>", name);
	const char *at = strstr(xml, tag);

	assert_non_null(at);
	at += strlen(tag);
	return xstrndup(at, strcspn(at, "<"));
}

static void make_users(struct http_client *http)
{
	scoped(text) char *reset = NULL;
	scoped(text) char *key = NULL;

	check_after(http, UNCHECKED);
	reset = tell(http, "/moto-api/reset", "moto", "text/plain", "");
	tell_iam(http, "CreateUser&UserName=tester");
	tell_iam(http, "PutUserPolicy&UserName=tester&PolicyName=all&PolicyDocument=" ALLOW);
	tell_iam(http, "CreateRole&RoleName=power&AssumeRolePolicyDocument=" ALLOW);
	tell_iam(http, "PutRolePolicy&RoleName=power&PolicyName=all&PolicyDocument=" ALLOW);
	key = tell(http, "/", "iam", "application/x-www-form-urlencoded",
	           "Version=2010-05-08&Action=CreateAccessKey&UserName=tester");
	access_key = element(key, "AccessKeyId");
	secret_key = element(key, "SecretAccessKey");
}

static int set_up(void **state)
{
	scoped(text) char *endpoint = text_copy(getenv("STEPOP_TEST_AWS_ENDPOINT"));
	struct aws_environment *environment;

	if (!endpoint) {
		print_message("SKIPPED: test_api_aws: STEPOP_TEST_AWS_ENDPOINT is not set\n");
		exit(0);
	}
	environment = aws_environment_new();
	if (!access_key)
		make_users(environment->http);
	check_after(environment->http, "0");
	setenv("AWS_ENDPOINT_URL", endpoint, 1);
	setenv("AWS_ACCESS_KEY_ID", access_key, 1);
	setenv("AWS_SECRET_ACCESS_KEY", secret_key, 1);
	setenv("AWS_REGION", "eu-central-1", 1);
	*state = environment;
	return 0;
}

/* Other tests have no users there. */
static int tear_down(void **state)
{
	struct aws_environment *environment = *state;

	check_after(environment->http, UNCHECKED);
	aws_environment_free(environment);
	return 0;
}

static int forget_users(void **state)
{
	(void)state;
	free(access_key);
	free(secret_key);
	return 0;
}

/* ---- STS ---- */

static void assert_caller(struct aws_chain *chain, const char *arn)
{
	struct aws_caller caller;
	struct error *err = NULL;

	assert_ok(aws_sts_caller(chain, &caller, &err), err);
	assert_string_equal(caller.account, "123456789012");
	assert_true(text_starts_with(caller.arn, arn));
	aws_caller_release(&caller);
}

static void test_api_aws__sts_knows_the_user_by_the_signature(void **state)
{
	scoped(aws_chain) struct aws_chain *chain = aws_environment_chain(*state, NULL);
	scoped(error) struct error *err = NULL;
	struct aws_caller caller;

	assert_caller(chain, "arn:aws:iam::123456789012:user/tester");

	setenv("AWS_SECRET_ACCESS_KEY", "another", 1);
	scoped(aws_chain) struct aws_chain *wrong = aws_environment_chain(*state, NULL);
	assert_false(aws_sts_caller(wrong, &caller, &err));
	assert_int_equal(err->kind, ERROR_AUTH);
	assert_error_contains(err, "the secret access key does not belong to the access key id");
	error_free(take(err));

	setenv("AWS_ACCESS_KEY_ID", "AKIAUNKNOWN", 1);
	scoped(aws_chain) struct aws_chain *unknown = aws_environment_chain(*state, NULL);
	assert_false(aws_sts_caller(unknown, &caller, &err));
	assert_int_equal(err->kind, ERROR_AUTH);
	assert_error_contains(err, "AWS does not know this access key");
}

static void test_api_aws__roles_are_taken_along_profiles(void **state)
{
	const struct aws_environment *environment = *state;
	scoped(text) char *keys = text_printf("[keys]\naws_access_key_id = %s\n"
	                                      "aws_secret_access_key = %s\n",
	                                      access_key, secret_key);

	aws_environment_credentials(environment, keys);
	aws_environment_config(environment, "[profile one]\nrole_arn = " POWER_ROLE "\n"
	                                    "source_profile = keys\nrole_session_name = first\n"
	                                    "[profile two]\nrole_arn = " POWER_ROLE "\n"
	                                    "source_profile = one\nrole_session_name = second\n");
	scoped(aws_chain) struct aws_chain *chain =
		aws_environment_chain(environment, &(struct aws_chain_options){ .profile = "two" });

	assert_caller(chain, "arn:aws:sts::123456789012:assumed-role/power/second");
	assert_true(aws_chain_get(chain, NULL)->expires_at_ms > clock_now_ms());
}

static void test_api_aws__web_identities_take_a_role(void **state)
{
	const struct aws_environment *environment = *state;
	scoped(text) char *token = aws_environment_file(environment, "token", "e30.e30.c2ln");

	check_after(environment->http, "1000000"); /* moto checks what is not signed, too */
	unsetenv("AWS_ACCESS_KEY_ID");
	setenv("AWS_WEB_IDENTITY_TOKEN_FILE", token, 1);
	setenv("AWS_ROLE_ARN", POWER_ROLE, 1);
	setenv("AWS_ROLE_SESSION_NAME", "pod", 1);
	scoped(aws_chain) struct aws_chain *chain = aws_environment_chain(environment, NULL);

	assert_caller(chain, "arn:aws:sts::123456789012:assumed-role/power/pod");
	assert_string_equal(aws_chain_source(chain), "the web identity of the environment");
}

/* MinIO checks the signatures of STS and of S3 by code of its own. */
static void test_api_aws__a_role_of_minio_is_known_to_s3(void **state)
{
	const struct aws_environment *environment = *state;
	const char *endpoint = getenv("STEPOP_TEST_S3_ENDPOINT");
	scoped(text) char *keys = text_printf("[root]\naws_access_key_id = %s\n"
	                                      "aws_secret_access_key = %s\n",
	                                      getenv("STEPOP_TEST_S3_ACCESS_KEY"),
	                                      getenv("STEPOP_TEST_S3_SECRET_KEY"));
	scoped(aws_chain) struct aws_chain *chain = NULL;
	scoped(s3_client) struct s3_client *client = NULL;
	struct error *err = NULL;

	if (!endpoint) {
		print_message("SKIPPED: roles of MinIO: STEPOP_TEST_S3_ENDPOINT is not set\n");
		return;
	}
	setenv("AWS_ENDPOINT_URL", endpoint, 1);
	aws_environment_credentials(environment, keys);
	aws_environment_config(environment, "[profile role]\nrole_arn = arn:minio:iam:::role/any\n"
	                                    "source_profile = root\nregion = us-east-1\n");
	chain = aws_environment_chain(
		environment,
		&(struct aws_chain_options){ .profile = "role", .region = "us-east-1" });
	assert_ok(client = s3_client_new(environment->http, &(struct s3_options){ .chain = chain },
	                                 &err),
	          err);
	assert_false(s3_head_bucket(client, "no-such-bucket", &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND); /* and so we are known */
	assert_non_null(aws_chain_get(chain, NULL)->session_token);
	error_free(err);
}

/* ---- ECR, EKS ---- */

static void test_api_aws__ecr_gives_passwords_and_makes_repositories(void **state)
{
	scoped(aws_chain) struct aws_chain *chain = aws_environment_chain(*state, NULL);
	scoped(text) char *user = NULL;
	scoped(secret) char *password = NULL;
	int64_t expires_at_ms;
	struct error *err = NULL;
	bool found = true;

	assert_ok(aws_ecr_authorize(chain, REGISTRY, &user, &password, &expires_at_ms, &err), err);
	assert_string_equal(user, "AWS");
	assert_non_null(password);

	assert_ok(aws_ecr_find_repository(chain, REGISTRY, "team/spark", &found, &err), err);
	assert_false(found);
	assert_ok(aws_ecr_create_repository(chain, REGISTRY, "team/spark", &err), err);
	assert_ok(aws_ecr_create_repository(chain, REGISTRY, "team/spark", &err), err);
	assert_ok(aws_ecr_find_repository(chain, REGISTRY, "team/spark", &found, &err), err);
	assert_true(found);

	assert_false(aws_ecr_create_repository(chain, REGISTRY, "Not/Allowed", &err));
	assert_int_equal(err->kind, ERROR_INVALID);
	error_free(take(err));
	assert_false(aws_ecr_create_repository(chain, "docker.io", "team/spark", &err));
	assert_error_contains(err, "'docker.io' is no registry of ECR");
	error_free(err);
}

static void test_api_aws__eks_describes_its_clusters(void **state)
{
	const struct aws_environment *environment = *state;
	scoped(aws_chain) struct aws_chain *chain = aws_environment_chain(environment, NULL);
	struct aws_eks_cluster cluster;
	struct error *err = NULL;

	check_after(environment->http, "1000000");
	scoped(text) char *made = NULL;
	made = tell(environment->http, "/clusters", "eks", "application/json",
	            "{\"name\": \"prod\", \"roleArn\": \"arn:aws:iam::123456789012:role/eks\", "
	            "\"resourcesVpcConfig\": {\"subnetIds\": [\"subnet-1\", \"subnet-2\"]}}");

	scoped(aws_chain) struct aws_chain *us = aws_environment_chain(
		environment, &(struct aws_chain_options){ .region = "us-east-1" });
	assert_ok(aws_eks_describe(us, "prod", &cluster, &err), err);
	assert_string_equal(cluster.arn, "arn:aws:eks:us-east-1:123456789012:cluster/prod");
	assert_string_equal(cluster.status, "ACTIVE");
	assert_true(text_starts_with(cluster.endpoint, "https://"));
	assert_non_null(cluster.ca_base64);
	aws_eks_cluster_release(&cluster);

	assert_false(aws_eks_describe(chain, "prod", &cluster, &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_error_contains(err, "cluster 'prod': eks DescribeCluster: ");
	error_free(err);
}

static bool run_command(char **argv, int argc, struct error **err)
{
	const struct command *command = NULL;
	bool wants_help = false;
	scoped(arguments) struct arguments *arguments =
		arguments_parse(argc, argv, &command, &wants_help, err);

	return arguments && command->run(arguments, err);
}

static void test_api_aws__eks_clusters_are_put_into_a_kubeconfig(void **state)
{
	const struct aws_environment *environment = *state;
	scoped(text) char *path =
		aws_environment_file(environment, "kubeconfig",
	                             "kind: Config\ncurrent-context: old\nusers:\n  - name: "
	                             "other\n    user: {token: t}\n");
	char *argv[] = { (char *)"eks",          (char *)"kubeconfig",
		         (char *)"--name",       (char *)"prod",
		         (char *)"--region",     (char *)"us-east-1",
		         (char *)"--alias",      (char *)"p",
		         (char *)"--kubeconfig", path,
		         (char *)"--quiet" };
	struct error *err = NULL;

	check_after(environment->http, "1000000");
	assert_ok(run_command(argv, ARRAY_SIZE(argv), &err), err);

	/* moto's certificate is none. */
	scoped(text) char *text = file_read(path, 100000, NULL, NULL);
	assert_non_null(strstr(text, "name: other"));
	assert_non_null(strstr(text, "name: arn:aws:eks:us-east-1:123456789012:cluster/prod"));
	assert_non_null(strstr(text, "server: https://"));
	assert_non_null(strstr(text, "current-context: p"));
}

/* ---- Secrets Manager ---- */

static struct secret_store *store_of(const struct aws_environment *environment, const char *prefix,
                                     int recovery_days)
{
	struct component component = { .type = COMPONENT_SECRETS_MANAGER,
		                       .name = (char *)"vault",
		                       .flavor = (char *)"aws" };
	struct secret_store *store;
	struct error *err = NULL;

	component.options =
		json_pack("{s:s, s:i}", "prefix", prefix, "recovery_window_days", recovery_days);
	assert_ok(store = secret_store_open(NULL, &component, environment->http, &err), err);
	json_decref(component.options);
	return store;
}

static void put(struct secret_store *store, const char *name, const char *schema, json_t *values,
                bool create_only)
{
	struct error *err = NULL;

	assert_ok(secret_put(store, name, schema, values, create_only, &err), err);
	secret_values_free(values);
}

static void assert_value(struct secret_store *store, const char *name, const char *key,
                         const char *value)
{
	struct error *err = NULL;
	json_t *values = secret_get(store, name, &err);

	assert_ok(values, err);
	assert_string_equal(json_string_value(json_object_get(values, key)), value);
	secret_values_free(values);
}

static void test_api_aws__secrets_are_kept_changed_and_listed(void **state)
{
	scoped(secret_store) struct secret_store *store = store_of(*state, "kept/", 0);
	json_auto_t *list = NULL;
	scoped(error) struct error *err = NULL;
	json_t *again = json_pack("{s:s, s:s}", "user", "u", "password", "never-shown");

	put(store, "rds_auth", "mysql", json_pack("{s:s, s:s}", "user", "u", "password", "p\"ä\n"),
	    true);
	put(store, "free", NULL, json_pack("{s:s}", "any", "thing"), true);
	assert_value(store, "rds_auth", "password", "p\"ä\n");

	assert_false(secret_put(store, "rds_auth", "mysql", again, true, &err));
	assert_int_equal(err->kind, ERROR_CONFLICT);
	assert_error_contains(err, "secret 'rds_auth': it exists already; 'stepop");
	secret_values_free(again);
	put(store, "rds_auth", "mysql",
	    json_pack("{s:s, s:s, s:s}", "user", "u", "password", "new", "ssl_ca", "c"), false);
	assert_value(store, "rds_auth", "password", "new");

	assert_ok(list = secret_list(store, &err), err);
	json_auto_t *expected = json_pack("[{s:s, s:n, s:[s]}, {s:s, s:s, s:[s, s, s]}]", "name",
	                                  "free", "schema", "keys", "any", "name", "rds_auth",
	                                  "schema", "mysql", "keys", "user", "password", "ssl_ca");
	assert_true(json_equal(list, expected));
}

static void test_api_aws__secrets_that_are_not_there_are_said_to_be_missing(void **state)
{
	scoped(secret_store) struct secret_store *store = store_of(*state, "missing/", 0);
	scoped(error) struct error *err = NULL;

	assert_null(secret_get(store, "nothing", &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_error_contains(err,
	                      "there is no 'missing/nothing' in Secrets Manager, region "
	                      "eu-central-1; 'stepop secrets-manager secret register nothing'");
	error_free(take(err));
	put(store, "rds_auth", NULL, json_pack("{s:s}", "a", "b"), true);
	assert_null(secret_get(store, "rds_auht", &err));
	assert_error_contains(err, "did you mean 'rds_auth'?");
	error_free(take(err));
	assert_false(secret_remove(store, "rds_auht", &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
}

static void test_api_aws__deleted_secrets_can_be_made_again(void **state)
{
	static const int recoveries[] = { 0, 7 };

	for (size_t i = 0; i < ARRAY_SIZE(recoveries); i++) {
		scoped(secret_store) struct secret_store *store =
			store_of(*state, "deleted/", recoveries[i]);
		scoped(error) struct error *err = NULL;
		json_auto_t *list = NULL;
		json_t *taken = json_pack("{s:s}", "key", "other");

		put(store, "a", NULL, json_pack("{s:s}", "key", "old"), true);
		assert_ok(secret_remove(store, "a", &err), err);
		assert_null(secret_get(store, "a", &err));
		assert_int_equal(err->kind, ERROR_NOT_FOUND);
		assert_error_contains(err, "'stepop secrets-manager secret register a' makes it");
		error_free(take(err));
		assert_false(secret_remove(store, "a", &err));
		assert_int_equal(err->kind, ERROR_NOT_FOUND);
		error_free(take(err));
		assert_ok(list = secret_list(store, &err), err);
		assert_int_equal(json_array_size(list), 0);
		put(store, "a", NULL, json_pack("{s:s}", "key", "new"), true);
		assert_value(store, "a", "key", "new");
		assert_false(secret_put(store, "a", NULL, taken, true, &err));
		assert_int_equal(err->kind, ERROR_CONFLICT);
		error_free(take(err));
		secret_values_free(taken);
		assert_ok(secret_remove(store, "a", &err), err);
	}
}

static void test_api_aws__secrets_of_others_are_read_as_they_are(void **state)
{
	const struct aws_environment *environment = *state;
	scoped(secret_store) struct secret_store *store = store_of(environment, "others/", 0);
	scoped(aws_chain) struct aws_chain *chain = aws_environment_chain(environment, NULL);
	json_auto_t *tags = json_object();
	json_auto_t *list = NULL;
	scoped(error) struct error *err = NULL;

	assert_ok(aws_secrets_create(
			  chain, "others/rds",
			  &(struct aws_secret_value){
				  .text = "{\"username\": \"u\", \"port\": 3306}", .tags = tags },
			  &err),
	          err);
	assert_value(store, "rds", "port", "3306");
	assert_ok(list = secret_list(store, &err), err);
	json_auto_t *expected = json_pack("[{s:s, s:n, s:[s, s]}]", "name", "rds", "schema", "keys",
	                                  "username", "port");
	assert_true(json_equal(list, expected));

	assert_ok(aws_secrets_create(
			  chain, "others/plain",
			  &(struct aws_secret_value){ .text = "never-shown", .tags = tags }, &err),
	          err);
	assert_null(secret_get(store, "plain", &err));
	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, "'others/plain' in Secrets Manager should hold a JSON object");
}

static void test_api_aws__many_secrets_are_listed_by_pages(void **state)
{
	const struct aws_environment *environment = *state;
	scoped(aws_chain) struct aws_chain *chain = aws_environment_chain(environment, NULL);
	json_auto_t *tags = json_object();
	json_auto_t *list = NULL;
	scoped(error) struct error *err = NULL;

	for (int i = 0; i < 120; i++) {
		scoped(text) char *name = text_printf("many/%d", i);

		assert_ok(aws_secrets_create(
				  chain, name,
				  &(struct aws_secret_value){ .text = "{}", .tags = tags }, &err),
		          err);
	}
	assert_ok(list = aws_secrets_list(chain, "many/", 1000, &err), err);
	assert_int_equal(json_array_size(list), 120);
	assert_null(aws_secrets_list(chain, "many/", 100, &err));
	assert_error_contains(err, "more than 100 secrets below 'many/'");
}

static void test_api_aws__a_check_says_who_we_are(void **state)
{
	scoped(secret_store) struct secret_store *store = store_of(*state, "checked/", 0);
	scoped(probe_report) struct probe_report *report = probe_report_new(NULL, NULL);
	const json_t *lines = probe_report_lines(report);

	put(store, "a", NULL, json_pack("{s:s}", "b", "c"), true);
	probe_begin(report, COMPONENT_SECRETS_MANAGER, "vault");
	secret_probe(store, report);

	assert_int_equal(json_array_size(lines), 2);
	const json_t *identity = json_object_get(json_array_get(lines, 0), "text");
	const json_t *secrets = json_object_get(json_array_get(lines, 1), "text");
	assert_string_equal(json_string_value(identity), "arn:aws:iam::123456789012:user/tester, "
	                                                 "with credentials from the environment");
	assert_string_equal(json_string_value(secrets),
	                    "1 below 'checked/' in region eu-central-1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_api_aws__sts_knows_the_user_by_the_signature),
		TEST(test_api_aws__roles_are_taken_along_profiles),
		TEST(test_api_aws__web_identities_take_a_role),
		TEST(test_api_aws__a_role_of_minio_is_known_to_s3),
		TEST(test_api_aws__ecr_gives_passwords_and_makes_repositories),
		TEST(test_api_aws__eks_describes_its_clusters),
		TEST(test_api_aws__eks_clusters_are_put_into_a_kubeconfig),
		TEST(test_api_aws__secrets_are_kept_changed_and_listed),
		TEST(test_api_aws__secrets_that_are_not_there_are_said_to_be_missing),
		TEST(test_api_aws__deleted_secrets_can_be_made_again),
		TEST(test_api_aws__secrets_of_others_are_read_as_they_are),
		TEST(test_api_aws__many_secrets_are_listed_by_pages),
		TEST(test_api_aws__a_check_says_who_we_are),
	};

	return cmocka_run_group_tests(tests, NULL, forget_users);
}
