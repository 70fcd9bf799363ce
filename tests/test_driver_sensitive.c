/* SPDX-License-Identifier: Apache-2.0 */
/* submit/driver_sensitive, and where driver_objects_build() puts what is a secret. */
#include "tests/test.h"

#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_pod.h"
#include "submit/driver_sensitive.h"
#include "submit/kube_object.h"
#include "tests/fakes/spark_objects.h"

#define SECRET "spark-pi-fbe3efa1fcfa5a18-properties"
#define REDACTED "*********(redacted)"

static bool is_sensitive(const char *key, const char *value)
{
	scoped(spark_conf) struct spark_conf *conf = spark_conf_new();
	scoped(driver_sensitive) struct driver_sensitive *sensitive = driver_sensitive_new(conf);

	return driver_sensitive_is_property(sensitive, key, value);
}

static void test_driver_sensitive__knows_secrets_by_their_keys(void **state)
{
	static const char *const keys[] = {
		"spark.hadoop.fs.s3a.secret.key",
		"spark.hadoop.fs.s3a.access.key",
		"spark.hadoop.fs.s3a.bucket.b.accessKey",
		"spark.hadoop.fs.s3a.session.token",
		"spark.ssl.keyStorePassword",
		"spark.kubernetes.driverEnv.DB_PASSWORD",
		"spark.executorEnv.AWS_SECRET_ACCESS_KEY",
		"spark.authenticate.secret",
		"spark.my.Credential",
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (!is_sensitive(keys[i], "hunter2"))
			fail_msg("%s is not sensitive", keys[i]);
}

static void test_driver_sensitive__knows_names_and_places_from_secrets(void **state)
{
	static const char *const cases[][2] = {
		{ "spark.kubernetes.driver.secrets.vault", "/etc/vault" },
		{ "spark.kubernetes.executor.secretKeyRef.DB_PASSWORD", "vault:password" },
		{ "spark.kubernetes.authenticate.driver.mounted.oauthTokenFile", "/x" },
		{ "spark.kubernetes.authenticate.driver.oauthToken", "<present_but_redacted>" },
		{ "spark.kubernetes.driverEnv.AWS_WEB_IDENTITY_TOKEN_FILE", "/x" },
		{ "spark.authenticate.secret.file", "/x" },
		{ "spark.authenticate.secretBitLength", "256" },
		{ "spark.kubernetes.container.image.pullSecrets", "pull" },
		{ "spark.kubernetes.driver.annotation.vault/agent-inject-secret-db", "db/creds" },
		{ "spark.kubernetes.kerberos.tokenSecret.name", "ts" },
		{ "spark.hadoop.fs.s3a.aws.credentials.provider", "org.x.Provider" },
		{ "spark.hadoop.fs.s3a.secret.key", "${env.AWS_SECRET_ACCESS_KEY}" },
		{ "spark.kubernetes.driverEnv.PASSWORD", "$(OTHER)" },
		{ "spark.sql.token.enabled", "true" },
		{ "spark.security.credentials.hive.enabled", "false" },
		{ "spark.ssl.keyPassword", "" },
		{ "spark.app.name", "password reset" },
		{ "spark.driver.extraJavaOptions", "-Dpassword.file=/x -Dtoken= -Da=password" },
		{ "spark.redaction.regex", "(?i)secret|password" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		if (is_sensitive(cases[i][0], cases[i][1]))
			fail_msg("%s=%s is sensitive", cases[i][0], cases[i][1]);
}

static void test_driver_sensitive__finds_secrets_within_values(void **state)
{
	static const char *const values[] = {
		"-Xmx1g -Djavax.net.ssl.trustStorePassword=hunter2 -Dx=y",
		"jdbc:postgresql://h/db?user=u&password=hunter2",
		"jdbc:sqlserver://h;user=u;password=hunter2",
		"https://h/x?token=hunter2",
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(values); i++)
		if (!is_sensitive("spark.x", values[i]))
			fail_msg("%s is not sensitive", values[i]);
}

static void test_driver_sensitive__recognises_a_value_elsewhere(void **state)
{
	scoped(spark_conf) struct spark_conf *conf = spark_conf_new();
	scoped(driver_sensitive) struct driver_sensitive *sensitive = NULL;

	(void)state;
	spark_conf_set(conf, "spark.hadoop.fs.s3a.secret.key", "hunter2hunter2");
	spark_conf_set(conf, "spark.my.password", "short");
	sensitive = driver_sensitive_new(conf);

	assert_true(driver_sensitive_is_property(sensitive, "spark.x", "a hunter2hunter2 b"));
	assert_false(driver_sensitive_is_property(sensitive, "spark.x", "a short b"));
	assert_true(driver_sensitive_is_argument(sensitive, NULL, "hunter2hunter2"));
	assert_false(driver_sensitive_is_argument(sensitive, NULL, "short"));
}

static void test_driver_sensitive__knows_arguments_by_their_options(void **state)
{
	static const struct {
		const char *previous, *argument;
		bool is_sensitive;
	} cases[] = {
		{ NULL, "--db-password=hunter2", true }, { "--db-password", "hunter2", true },
		{ "--db-password", "--verbose", false }, { "--password=x", "input", false },
		{ "password", "hunter2", false },        { "--db-password", "$(PW)", false },
		{ NULL, "--db-password=$(PW)", false },  { "--token_FILE", "/x", false },
		{ "--input", "/data", false },           { NULL, "password", false },
	};
	scoped(spark_conf) struct spark_conf *conf = spark_conf_new();
	scoped(driver_sensitive) struct driver_sensitive *sensitive = driver_sensitive_new(conf);
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		if (driver_sensitive_is_argument(sensitive, cases[i].previous, cases[i].argument) !=
		    cases[i].is_sensitive)
			fail_msg("%s %s", cases[i].previous, cases[i].argument);
}

static void test_driver_sensitive__adds_the_users_expression_to_sparks(void **state)
{
	static const char *const expressions[] = { "(?i)passphrase", "passphrase" };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(expressions); i++) {
		scoped(spark_conf) struct spark_conf *conf = spark_conf_new();
		scoped(driver_sensitive) struct driver_sensitive *sensitive = NULL;

		spark_conf_set(conf, "spark.redaction.regex", expressions[i]);
		sensitive = driver_sensitive_new(conf);
		assert_true(driver_sensitive_is_property(sensitive, "spark.my.Passphrase", "x"));
		assert_true(driver_sensitive_is_property(sensitive, "spark.my.password", "x"));
		assert_false(driver_sensitive_is_property(sensitive, "spark.my.name", "x"));
	}
}

static void test_driver_sensitive__falls_back_where_posix_ends(void **state)
{
	scoped(spark_conf) struct spark_conf *conf = spark_conf_new();
	scoped(driver_sensitive) struct driver_sensitive *sensitive = NULL;

	(void)state;
	spark_conf_set(conf, "spark.redaction.regex", "(?<name>");
	sensitive = driver_sensitive_new(conf);

	assert_true(driver_sensitive_is_property(sensitive, "spark.my.password", "x"));
}

static const json_t *conf_volume(const json_t *objects)
{
	return spark_objects_item(spark_objects_at(driver_objects_pod(objects), "spec.volumes"),
	                          "spark-conf-volume-driver");
}

static void assert_json_text(const json_t *value, const char *expected)
{
	scoped(text) char *text = json_dumps(value, JSON_SORT_KEYS | JSON_ENCODE_ANY);

	assert_string_equal(text ? text : "(none)", expected);
}

/* All that anybody can read who may not read Secrets. */
static char *readable_text(json_t *objects)
{
	kube_object_hide_secrets(objects);
	return json_dumps(objects, 0);
}

static void test_secrets__travel_in_a_secret_of_properties(void **state)
{
	struct spark_app app = spark_objects_python_app();
	json_auto_t *objects = NULL;
	json_auto_t *hidden = NULL;
	json_auto_t *shown = NULL;
	const json_t *secret;

	(void)state;
	app.unique_id = xstrdup("d3ea2ea1fcfa5be4");
	spark_conf_set(app.conf, "spark.hadoop.fs.s3a.secret.key", "hunter2");
	spark_conf_set(app.conf, "spark.hadoop.fs.s3a.access.key", "AKIA");
	objects = spark_objects_built(&app);
	secret = spark_objects_named(objects, SECRET);
	hidden = spark_objects_parse_properties(
		spark_objects_text(secret, "stringData.spark.properties"));
	shown = spark_objects_properties(objects);

	assert_string_equal(spark_objects_text(hidden, "spark.hadoop.fs.s3a.secret.key"),
	                    "hunter2");
	assert_string_equal(spark_objects_text(shown, "spark.hadoop.fs.s3a.secret.key"), REDACTED);
	assert_string_equal(spark_objects_text(shown, "spark.hadoop.fs.s3a.access.key"), REDACTED);
	json_object_del(hidden, "spark.hadoop.fs.s3a.secret.key");
	json_object_del(hidden, "spark.hadoop.fs.s3a.access.key");
	json_object_del(shown, "spark.hadoop.fs.s3a.secret.key");
	json_object_del(shown, "spark.hadoop.fs.s3a.access.key");
	assert_true(json_equal(hidden, shown));
	assert_json_text(conf_volume(objects),
	                 "{\"name\": \"spark-conf-volume-driver\", \"projected\": {\"sources\": "
	                 "[{\"secret\": {\"items\": [{\"key\": \"spark.properties\", \"mode\": "
	                 "420, \"path\": \"spark.properties\"}], \"name\": \"" SECRET "\"}}]}}");
	spark_app_release(&app);
}

static void test_secrets__leave_the_plain_volume_where_there_are_none(void **state)
{
	struct spark_app app = spark_objects_python_app();
	json_auto_t *objects = NULL;

	(void)state;
	spark_conf_set(app.conf, "spark.kubernetes.driver.secretKeyRef.PASSWORD", "vault:pw");
	objects = spark_objects_built(&app);

	assert_null(spark_objects_of_kind(objects, "Secret"));
	assert_non_null(json_object_get(conf_volume(objects), "configMap"));
	spark_app_release(&app);
}

static void test_secrets__stand_beside_the_files_of_the_conf_folder(void **state)
{
	char folder[] = "/tmp/stepop-conf-XXXXXX";
	struct spark_app app = spark_objects_python_app();
	json_auto_t *objects = NULL;
	const json_t *sources;
	scoped(text) char *path = NULL;

	(void)state;
	assert_non_null(mkdtemp(folder));
	path = text_printf("%s/log4j2.properties", folder);
	assert_true(file_write(path, "1", 1, 0600, NULL));
	app.client.conf_dir = xstrdup(folder);
	app.unique_id = xstrdup("d3ea2ea1fcfa5be4");
	spark_conf_set(app.conf, "spark.my.password", "hunter2");
	objects = spark_objects_built(&app);
	sources = spark_objects_at(conf_volume(objects), "projected.sources");

	assert_int_equal(json_array_size(sources), 2);
	assert_json_text(json_array_get(sources, 0),
	                 "{\"configMap\": {\"items\": [{\"key\": \"log4j2.properties\", \"mode\": "
	                 "420, \"path\": \"log4j2.properties\"}], \"name\": "
	                 "\"spark-drv-d3ea2ea1fcfa5be4-conf-map\"}}");
	assert_true(file_remove_tree(folder, NULL));
	spark_app_release(&app);
}

static void test_secrets__become_variables_by_reference(void **state)
{
	struct spark_app app = spark_objects_python_app();
	json_auto_t *objects = NULL;
	json_auto_t *properties = NULL;
	const json_t *secret, *env;

	(void)state;
	spark_conf_set(app.conf, "spark.kubernetes.driverEnv.DB_PASSWORD", "hunter2");
	spark_conf_set(app.conf, "spark.kubernetes.driverEnv.DB_USER", "alice");
	spark_conf_set(app.conf, "spark.executorEnv.DB_PASSWORD", "hunter3");
	objects = spark_objects_built(&app);
	properties = spark_objects_properties(objects);
	secret = spark_objects_named(objects, SECRET);
	env = spark_objects_at(driver_objects_pod(objects), "spec.containers.0.env");

	assert_json_text(json_object_get(secret, "stringData"),
	                 "{\"driver.DB_PASSWORD\": \"hunter2\", \"executor.DB_PASSWORD\": "
	                 "\"hunter3\"}");
	assert_json_text(spark_objects_item(env, "DB_PASSWORD"),
	                 "{\"name\": \"DB_PASSWORD\", \"valueFrom\": {\"secretKeyRef\": {\"key\": "
	                 "\"driver.DB_PASSWORD\", \"name\": \"" SECRET "\"}}}");
	assert_string_equal(spark_objects_text(spark_objects_item(env, "DB_USER"), "value"),
	                    "alice");
	assert_string_equal(
		spark_objects_text(properties,
	                           "spark.kubernetes.executor.secretKeyRef.DB_PASSWORD"),
		SECRET ":executor.DB_PASSWORD");
	assert_null(json_object_get(properties, "spark.executorEnv.DB_PASSWORD"));
	assert_null(json_object_get(properties, "spark.kubernetes.driverEnv.DB_PASSWORD"));
	assert_non_null(json_object_get(conf_volume(objects), "configMap"));
	spark_app_release(&app);
}

static void test_secrets__give_way_to_references_that_the_user_made(void **state)
{
	struct spark_app app = spark_objects_python_app();
	json_auto_t *objects = NULL;
	const json_t *env;

	(void)state;
	spark_conf_set(app.conf, "spark.kubernetes.driverEnv.DB_PASSWORD", "hunter2");
	spark_conf_set(app.conf, "spark.kubernetes.driver.secretKeyRef.DB_PASSWORD", "vault:pw");
	objects = spark_objects_built(&app);
	env = spark_objects_at(driver_objects_pod(objects), "spec.containers.0.env");

	assert_string_equal(spark_objects_text(spark_objects_item(env, "DB_PASSWORD"),
	                                       "valueFrom.secretKeyRef.name"),
	                    "vault");
	spark_app_release(&app);
}

static void test_secrets__become_arguments_by_reference(void **state)
{
	struct spark_app app = spark_objects_python_app();
	json_auto_t *objects = NULL;
	const json_t *secret, *container;

	(void)state;
	json_decref(app.args);
	app.args = json_pack("[s, s, s]", "in", "--password", "hunter2");
	objects = spark_objects_built(&app);
	secret = spark_objects_named(objects, SECRET);
	container = spark_objects_at(driver_objects_pod(objects), "spec.containers.0");

	assert_string_equal(spark_objects_text(container, "args.6"), "in");
	assert_string_equal(spark_objects_text(container, "args.7"), "--password");
	assert_string_equal(spark_objects_text(container, "args.8"), "$(STEPOP_ARGUMENT_3)");
	assert_string_equal(spark_objects_text(spark_objects_item(json_object_get(container, "env"),
	                                                          "STEPOP_ARGUMENT_3"),
	                                       "valueFrom.secretKeyRef.key"),
	                    "argument.3");
	assert_string_equal(json_string_value(json_object_get(json_object_get(secret, "stringData"),
	                                                      "argument.3")),
	                    "hunter2");
	spark_app_release(&app);
}

static void test_secrets__are_readable_nowhere_else(void **state)
{
	struct spark_app app = spark_objects_python_app();
	json_auto_t *objects = NULL;
	scoped(text) char *text = NULL;

	(void)state;
	spark_conf_set(app.conf, "spark.hadoop.fs.s3a.secret.key", "hunter2hunter2");
	spark_conf_set(app.conf, "spark.kubernetes.driverEnv.URL", "http://u:hunter2hunter2@h");
	spark_conf_set(app.conf, "spark.executorEnv.OPTIONS", "-Dx=hunter2hunter2");
	spark_conf_set(app.conf, "spark.driver.extraJavaOptions", "-Dx=hunter2hunter2");
	spark_conf_set(app.conf, "spark.kubernetes.authenticate.driver.oauthToken",
	               "hunter2hunter2");
	json_array_append_new(app.args, json_string("x=hunter2hunter2"));
	objects = spark_objects_built(&app);
	text = readable_text(objects);

	assert_null(strstr(text, "hunter2"));
	spark_app_release(&app);
}

static void test_secrets__need_variables_with_names(void **state)
{
	(void)state;
	spark_objects_assert_refused("spark.kubernetes.driverEnv.MY PASSWORD", "hunter2",
	                             "choose another name");
}

static void test_driver_objects_free__leaves_what_others_keep(void **state)
{
	struct spark_app app = spark_objects_python_app();
	json_t *objects, *value;

	(void)state;
	spark_app_add_secret_env(&app, "TOKEN", "kept by the application");
	spark_conf_set(app.conf, "spark.kubernetes.driverEnv.DB_PASSWORD", "kept by a caller");
	objects = spark_objects_built(&app);
	value = json_incref(
		json_object_get(json_object_get(spark_objects_named(objects, SECRET), "stringData"),
	                        "driver.DB_PASSWORD"));
	driver_objects_free(objects);

	assert_string_equal(json_string_value(value), "kept by a caller");
	assert_string_equal(
		spark_objects_text(json_object_get(app.secrets, "spark-pi-fbe3efa1fcfa5a18-"
	                                                        "credentials"),
	                           "TOKEN"),
		"kept by the application");
	json_decref(value);
	driver_objects_free(NULL);
	spark_app_release(&app);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_driver_sensitive__knows_secrets_by_their_keys),
		cmocka_unit_test(test_driver_sensitive__knows_names_and_places_from_secrets),
		cmocka_unit_test(test_driver_sensitive__finds_secrets_within_values),
		cmocka_unit_test(test_driver_sensitive__recognises_a_value_elsewhere),
		cmocka_unit_test(test_driver_sensitive__knows_arguments_by_their_options),
		cmocka_unit_test(test_driver_sensitive__adds_the_users_expression_to_sparks),
		cmocka_unit_test(test_driver_sensitive__falls_back_where_posix_ends),
		cmocka_unit_test(test_secrets__travel_in_a_secret_of_properties),
		cmocka_unit_test(test_secrets__leave_the_plain_volume_where_there_are_none),
		cmocka_unit_test(test_secrets__stand_beside_the_files_of_the_conf_folder),
		cmocka_unit_test(test_secrets__become_variables_by_reference),
		cmocka_unit_test(test_secrets__give_way_to_references_that_the_user_made),
		cmocka_unit_test(test_secrets__become_arguments_by_reference),
		cmocka_unit_test(test_secrets__are_readable_nowhere_else),
		cmocka_unit_test(test_secrets__need_variables_with_names),
		cmocka_unit_test(test_driver_objects_free__leaves_what_others_keep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
