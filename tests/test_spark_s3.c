/* SPDX-License-Identifier: Apache-2.0 */
/* submit/spark_s3: what Hadoop's properties say about S3. */
#include "tests/test.h"

#include <stdlib.h>

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
	assert_string_equal(s3.options.access_key_id, "own id");
	assert_string_equal(s3.options.secret_access_key, "own secret");
	assert_string_equal(s3.options.session_token, "token");
	spark_s3_release(&s3);

	assert_ok(spark_s3_settings(conf, "b", &s3, &err), err);
	assert_string_equal(s3.options.access_key_id, "id");
	assert_null(s3.options.session_token);
	spark_s3_release(&s3);
}

static void test_spark_s3__falls_back_to_the_variables_of_aws(void **state)
{
	scoped(spark_conf) struct spark_conf *conf = spark_conf_new();
	struct spark_s3 s3;
	struct error *err = NULL;

	(void)state;
	setenv("AWS_ACCESS_KEY_ID", "env id", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "env secret", 1);
	setenv("AWS_SESSION_TOKEN", "env token", 1);
	setenv("AWS_DEFAULT_REGION", "eu", 1);
	assert_ok(spark_s3_settings(conf, "b", &s3, &err), err);
	assert_string_equal(s3.options.access_key_id, "env id");
	assert_string_equal(s3.options.secret_access_key, "env secret");
	assert_string_equal(s3.options.session_token, "env token");
	assert_string_equal(s3.options.region, "eu");
	spark_s3_release(&s3);
}

static void test_spark_s3__misses_credentials_without_telling_the_other_half(void **state)
{
	scoped(spark_conf) struct spark_conf *conf = spark_conf_new();
	struct spark_s3 s3;
	struct error *err = NULL;
	scoped(text) char *message = NULL;

	(void)state;
	assert_false(spark_s3_settings(conf, "b", &s3, &err));
	assert_int_equal(err->kind, ERROR_AUTH);
	error_free(take(err));

	spark_conf_set(conf, S3A "secret.key", "t0ps3cret");
	assert_false(spark_s3_settings(conf, "b", &s3, &err));
	assert_int_equal(err->kind, ERROR_INVALID);
	message = error_text(err);
	assert_string_equal(message,
	                    "half of the credentials for bucket 'b' is missing: the access key");
	error_free(err);
}

#define TEST(name) cmocka_unit_test_setup(name, clear_environment)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_spark_s3__finds_the_server_and_its_region),
		TEST(test_spark_s3__prefers_the_settings_of_the_bucket),
		TEST(test_spark_s3__falls_back_to_the_variables_of_aws),
		TEST(test_spark_s3__misses_credentials_without_telling_the_other_half),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
