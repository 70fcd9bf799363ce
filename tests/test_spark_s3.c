/* SPDX-License-Identifier: Apache-2.0 */
/* submit/spark_s3: what Hadoop's properties say about S3. */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/spark_s3.h"

#define S3A "spark.hadoop.fs.s3a."

static int clear_environment(void **state)
{
	static const char *const names[] = { "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
		                             "AWS_SESSION_TOKEN", "AWS_REGION",
		                             "AWS_DEFAULT_REGION" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unsetenv(names[i]);
	return 0;
}

static struct spark_conf *conf_with_keys(void)
{
	struct spark_conf *conf = spark_conf_new();

	spark_conf_set(conf, S3A "access.key", "id");
	spark_conf_set(conf, S3A "secret.key", "secret");
	return conf;
}

static void test_spark_s3__finds_the_server_and_its_region(void **state)
{
	static const struct {
		const char *endpoint, *region, *ssl, *path_style;
		const char *url, *found_region;
		bool is_virtual_host;
	} cases[] = {
		{ NULL, NULL, NULL, NULL, NULL, NULL, true },
		{ "http://minio:9000", NULL, NULL, "true", "http://minio:9000", NULL, false },
		{ "minio:9000", NULL, "false", "true", "http://minio:9000", NULL, false },
		{ "minio:9000", "eu", NULL, NULL, "https://minio:9000", "eu", true },
		{ "s3.amazonaws.com", NULL, NULL, NULL, NULL, NULL, true },
		{ "https://s3.eu-west-1.amazonaws.com/", NULL, NULL, NULL, NULL, "eu-west-1",
		  true },
		{ "s3.eu-west-1.amazonaws.com", "us-east-2", NULL, NULL, NULL, "us-east-2", true },
		{ "https://x.s3.eu-west-1.vpce.amazonaws.com", NULL, NULL, NULL,
		  "https://x.s3.eu-west-1.vpce.amazonaws.com", NULL, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(spark_conf) struct spark_conf *conf = conf_with_keys();
		struct spark_s3 s3;
		struct error *err = NULL;

		spark_conf_set(conf, S3A "endpoint", cases[i].endpoint);
		spark_conf_set(conf, S3A "endpoint.region", cases[i].region);
		spark_conf_set(conf, S3A "connection.ssl.enabled", cases[i].ssl);
		spark_conf_set(conf, S3A "path.style.access", cases[i].path_style);
		assert_ok(spark_s3_settings(conf, "b", &s3, &err), err);
		assert_true(text_equal(s3.options.endpoint_url, cases[i].url));
		assert_true(text_equal(s3.options.region, cases[i].found_region));
		assert_int_equal(s3.options.virtual_host_style, cases[i].is_virtual_host);
		spark_s3_release(&s3);
	}
}

static void test_spark_s3__prefers_the_settings_of_the_bucket(void **state)
{
	scoped(spark_conf) struct spark_conf *conf = conf_with_keys();
	struct spark_s3 s3;
	struct error *err = NULL;

	(void)state;
	spark_conf_set(conf, S3A "bucket.b.c.access.key", "own id");
	spark_conf_set(conf, S3A "bucket.b.c.secret.key", "own secret");
	spark_conf_set(conf, S3A "bucket.b.c.session.token", "token");
	assert_ok(spark_s3_settings(conf, "b.c", &s3, &err), err);
	assert_string_equal(s3.chain.access_key_id, "own id");
	assert_string_equal(s3.chain.secret_access_key, "own secret");
	assert_string_equal(s3.chain.session_token, "token");
	spark_s3_release(&s3);

	assert_ok(spark_s3_settings(conf, "b", &s3, &err), err);
	assert_string_equal(s3.chain.access_key_id, "id");
	assert_null(s3.chain.session_token);
	spark_s3_release(&s3);
}

static void test_spark_s3__leaves_the_rest_to_the_chain_of_aws(void **state)
{
	scoped(spark_conf) struct spark_conf *conf = spark_conf_new();
	struct spark_s3 s3;
	struct error *err = NULL;

	(void)state;
	assert_ok(spark_s3_settings(conf, "b", &s3, &err), err);
	assert_null(s3.chain.access_key_id);
	assert_null(s3.options.region);
	assert_false(s3.is_anonymous);
	spark_s3_release(&s3);
}

static void test_spark_s3__names_the_half_that_is_missing(void **state)
{
	scoped(spark_conf) struct spark_conf *conf = spark_conf_new();
	struct spark_s3 s3;
	struct error *err = NULL;
	scoped(text) char *message = NULL;

	(void)state;
	spark_conf_set(conf, S3A "secret.key", "t0ps3cret");
	assert_false(spark_s3_settings(conf, "b", &s3, &err));
	assert_int_equal(err->kind, ERROR_INVALID);
	message = error_text(err);
	assert_string_equal(message,
	                    "half of the credentials for bucket 'b' is missing: the access key");
	error_free(err);
}

#define SDK1 "com.amazonaws.auth."
#define SDK2 "software.amazon.awssdk.auth.credentials."
#define HADOOP "org.apache.hadoop.fs.s3a."

/* What the named classes give, with keys in the properties and with variables, or without. */
static void test_spark_s3__knows_the_classes_of_hadoop_and_aws(void **state)
{
	static const struct {
		const char *classes;
		bool has_keys, has_variables;
		const char *id; /* that is given outright */
		bool is_anonymous;
		const char *fault;
	} cases[] = {
		{ HADOOP "SimpleAWSCredentialsProvider", true, true, "id", false, NULL },
		{ HADOOP "TemporaryAWSCredentialsProvider," SDK1
		         "EnvironmentVariableCredentialsProvider",
		  false, true, NULL, false, NULL },
		{ SDK2 "EnvironmentVariableCredentialsProvider, " HADOOP
		       "SimpleAWSCredentialsProvider",
		  true, false, "id", false, NULL },
		{ SDK1 "DefaultAWSCredentialsProviderChain", true, false, NULL, false, NULL },
		{ SDK2 "WebIdentityTokenFileCredentialsProvider", false, false, NULL, false, NULL },
		{ HADOOP "auth.IAMInstanceCredentialsProvider", false, false, NULL, false, NULL },
		{ HADOOP "AnonymousAWSCredentialsProvider", true, true, NULL, true, NULL },
		{ HADOOP "SimpleAWSCredentialsProvider", false, true, NULL, false,
		  "no credentials for bucket 'b'" },
		{ SDK1 "DefaultAWSCredentialsProviderChain,org.example.Vault", true, true, NULL,
		  false, "the class 'org.example.Vault'" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(spark_conf) struct spark_conf *conf =
			cases[i].has_keys ? conf_with_keys() : spark_conf_new();
		scoped(error) struct error *err = NULL;
		struct spark_s3 s3;

		clear_environment(state);
		if (cases[i].has_variables)
			setenv("AWS_ACCESS_KEY_ID", "env id", 1);
		spark_conf_set(conf, S3A "aws.credentials.provider", cases[i].classes);
		if (cases[i].fault) {
			assert_false(spark_s3_settings(conf, "b", &s3, &err));
			assert_error_contains(err, cases[i].fault);
			continue;
		}
		assert_ok(spark_s3_settings(conf, "b", &s3, &err), err);
		assert_true(text_equal(s3.chain.access_key_id, cases[i].id));
		assert_int_equal(s3.is_anonymous, cases[i].is_anonymous);
		spark_s3_release(&s3);
	}
}

static void test_spark_s3__assumes_the_role_with_what_is_named_for_it(void **state)
{
	scoped(spark_conf) struct spark_conf *conf = conf_with_keys();
	struct spark_s3 s3;
	struct error *err = NULL;

	(void)state;
	spark_conf_set(conf, S3A "aws.credentials.provider",
	               HADOOP "auth.AssumedRoleCredentialProvider");
	assert_false(spark_s3_settings(conf, "b", &s3, &err));
	assert_error_contains(err, "assumed.role.arn is not set");
	error_free(take(err));

	spark_conf_set(conf, S3A "assumed.role.arn", "arn:aws:iam::1:role/writer");
	spark_conf_set(conf, S3A "assumed.role.session.name", "etl");
	spark_conf_set(conf, S3A "assumed.role.session.duration", "30m");
	spark_conf_set(conf, S3A "assumed.role.sts.endpoint", "https://sts.example");
	assert_ok(spark_s3_settings(conf, "b", &s3, &err), err);
	assert_string_equal(s3.role.arn, "arn:aws:iam::1:role/writer");
	assert_string_equal(s3.role.session_name, "etl");
	assert_string_equal(s3.role.duration_s, "1800");
	assert_string_equal(s3.chain.endpoint_service, "sts");
	assert_string_equal(s3.chain.endpoint_url, "https://sts.example");
	assert_string_equal(s3.chain.access_key_id, "id");
	spark_s3_release(&s3);

	spark_conf_set(conf, S3A "assumed.role.policy", "{}");
	assert_false(spark_s3_settings(conf, "b", &s3, &err));
	assert_error_contains(err, "give the role that policy");
	error_free(err);
}

static void test_spark_s3__encrypts_as_hadoop_would(void **state)
{
	static const struct {
		const char *name_of_property, *algorithm, *encryption, *key;
	} cases[] = {
		{ "encryption.algorithm", "AES256", "AES256", NULL },
		{ "encryption.algorithm", "SSE-KMS", "aws:kms", "alias/k" },
		{ "server-side-encryption-algorithm", "sse-kms", "aws:kms", "alias/k" },
		{ "bucket.b.encryption.algorithm", "DSSE-KMS", "aws:kms:dsse", "alias/k" },
		{ "encryption.algorithm", "SSE-C", NULL, NULL },
		{ "encryption.algorithm", "CSE-KMS", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(spark_conf) struct spark_conf *conf = conf_with_keys();
		scoped(text) char *property = text_printf(S3A "%s", cases[i].name_of_property);
		scoped(error) struct error *err = NULL;
		struct spark_s3 s3;

		spark_conf_set(conf, property, cases[i].algorithm);
		spark_conf_set(conf, S3A "encryption.key", "alias/k");
		spark_conf_set(conf, S3A "create.storage.class", "standard_ia");
		if (!cases[i].encryption) {
			assert_false(spark_s3_settings(conf, "b", &s3, &err));
			assert_error_contains(err, cases[i].algorithm);
			continue;
		}
		assert_ok(spark_s3_settings(conf, "b", &s3, &err), err);
		assert_string_equal(s3.options.encryption, cases[i].encryption);
		assert_true(text_equal(s3.options.kms_key_id, cases[i].key));
		assert_string_equal(s3.options.storage_class, "STANDARD_IA");
		spark_s3_release(&s3);
	}
}

static void test_spark_s3__says_that_it_cannot_read_a_credential_store(void **state)
{
	scoped(spark_conf) struct spark_conf *conf = spark_conf_new();
	scoped(error) struct error *err = NULL;
	struct spark_s3 s3;

	(void)state;
	spark_conf_set(conf, "spark.hadoop.hadoop.security.credential.provider.path",
	               "jceks://file/keys.jceks");
	assert_false(spark_s3_settings(conf, "b", &s3, &err));
	assert_error_contains(err, "jceks://file/keys.jceks");
}

#define TEST(name) cmocka_unit_test_setup(name, clear_environment)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_spark_s3__finds_the_server_and_its_region),
		TEST(test_spark_s3__prefers_the_settings_of_the_bucket),
		TEST(test_spark_s3__leaves_the_rest_to_the_chain_of_aws),
		TEST(test_spark_s3__names_the_half_that_is_missing),
		TEST(test_spark_s3__knows_the_classes_of_hadoop_and_aws),
		TEST(test_spark_s3__assumes_the_role_with_what_is_named_for_it),
		TEST(test_spark_s3__encrypts_as_hadoop_would),
		TEST(test_spark_s3__says_that_it_cannot_read_a_credential_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
