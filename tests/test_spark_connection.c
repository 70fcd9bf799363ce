/* SPDX-License-Identifier: Apache-2.0 */
/* submit/spark_connection: which API server the properties mean. */
#include "tests/test.h"

#include <string.h>

#include "core/text.h"
#include "submit/spark_connection.h"

static void test_spark_connection__reads_the_properties_of_a_submission(void **state)
{
	struct spark_app app = { .master = xstrdup("https://h:6443"), .conf = spark_conf_new() };
	struct kube_config_options options = { 0 };
	struct error *err = NULL;

	(void)state;
	spark_conf_set(app.conf, "spark.kubernetes.context", "c");
	spark_conf_set(app.conf, "spark.kubernetes.namespace", "n");
	spark_conf_set(app.conf, "spark.kubernetes.authenticate.submission.oauthToken", "t");
	spark_conf_set(app.conf, "spark.kubernetes.authenticate.submission.caCertFile", "ca");
	spark_conf_set(app.conf, "spark.kubernetes.authenticate.submission.clientKeyFile", "k");
	spark_conf_set(app.conf, "spark.kubernetes.authenticate.submission.clientCertFile", "cc");
	spark_conf_set(app.conf, "spark.kubernetes.trust.certificates", "true");
	spark_conf_set(app.conf, "spark.kubernetes.submission.connectionTimeout", "300");
	spark_conf_set(app.conf, "spark.kubernetes.submission.requestTimeout", "4000");
	assert_ok(spark_connection_options(&app, &options, &err), err);

	assert_string_equal(options.server, "https://h:6443");
	assert_string_equal(options.context, "c");
	assert_string_equal(options.namespace, "n");
	assert_string_equal(options.token, "t");
	assert_null(options.token_file);
	assert_string_equal(options.ca_file, "ca");
	assert_string_equal(options.key_file, "k");
	assert_string_equal(options.certificate_file, "cc");
	assert_true(options.insecure);
	assert_int_equal(options.connect_timeout_ms, 300);
	assert_int_equal(options.request_timeout_ms, 4000);
	spark_app_release(&app);
}

static void test_spark_connection__leaves_what_the_command_line_says(void **state)
{
	struct spark_app app = { .conf = spark_conf_new() };
	struct kube_config_options options = { .context = "mine", .namespace = "own" };
	struct kube_config_options none = { 0 };
	struct error *err = NULL;

	(void)state;
	spark_conf_set(app.conf, "spark.kubernetes.context", "c");
	assert_ok(spark_connection_options(&app, &options, &err), err);
	assert_string_equal(options.context, "mine");
	assert_string_equal(options.namespace, "own");
	assert_null(options.server);

	spark_conf_set(app.conf, "spark.kubernetes.context", "");
	assert_ok(spark_connection_options(&app, &none, &err), err);
	assert_null(none.context);
	assert_string_equal(none.namespace, "default");
	spark_app_release(&app);
}

static void test_spark_connection__refuses_timeouts_that_are_none(void **state)
{
	static const char *const values[] = { "10s", "-1" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		struct spark_app app = { .conf = spark_conf_new() };
		struct kube_config_options options = { 0 };
		scoped(error) struct error *err = NULL;

		spark_conf_set(app.conf, "spark.kubernetes.submission.requestTimeout", values[i]);
		assert_false(spark_connection_options(&app, &options, &err));
		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, "spark.kubernetes.submission.requestTimeout");
		spark_app_release(&app);
	}
}

static void test_spark_connection__refuses_two_tokens_without_telling_one(void **state)
{
	struct spark_app app = { .conf = spark_conf_new() };
	struct kube_config_options options = { 0 };
	scoped(error) struct error *err = NULL;
	scoped(text) char *message = NULL;

	(void)state;
	spark_conf_set(app.conf, "spark.kubernetes.authenticate.submission.oauthToken",
	               "t0ps3cret");
	spark_conf_set(app.conf, "spark.kubernetes.authenticate.submission.oauthTokenFile", "/f");
	assert_false(spark_connection_options(&app, &options, &err));
	message = error_text(err);
	assert_int_equal(err->kind, ERROR_INVALID);
	assert_null(strstr(message, "t0ps3cret"));
	assert_null(options.token);
	spark_app_release(&app);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spark_connection__reads_the_properties_of_a_submission),
		cmocka_unit_test(test_spark_connection__leaves_what_the_command_line_says),
		cmocka_unit_test(test_spark_connection__refuses_timeouts_that_are_none),
		cmocka_unit_test(test_spark_connection__refuses_two_tokens_without_telling_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
