/* SPDX-License-Identifier: Apache-2.0 */
/* submit/driver_credentials: the account of the driver, or credentials from this machine. */
#include "tests/test.h"

#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_pod.h"
#include "tests/fakes/spark_objects.h"

#define PREFIX "spark.kubernetes.authenticate.driver."
#define SECRET "spark-pi-fbe3efa1fcfa5a18-kubernetes-credentials"
#define FOLDER "/mnt/secrets/spark-kubernetes-credentials"

static const char *property(const json_t *properties, const char *name)
{
	const char *value = json_string_value(json_object_get(properties, name));

	return value ? value : "(none)";
}

static void test_driver_credentials__are_an_account_by_default(void **state)
{
	struct spark_app app = spark_objects_python_app();
	json_auto_t *objects = NULL;
	const json_t *spec;

	(void)state;
	spark_conf_set(app.conf, PREFIX "serviceAccountName", "spark");
	objects = spark_objects_built(&app);
	spec = json_object_get(driver_objects_pod(objects), "spec");

	assert_string_equal(spark_objects_text(spec, "serviceAccountName"), "spark");
	assert_string_equal(spark_objects_text(spec, "serviceAccount"), "spark");
	assert_null(spark_objects_of_kind(objects, "Secret"));
	spark_app_release(&app);
}

static void test_driver_credentials__travel_in_a_secret_of_their_own(void **state)
{
	static const char ca[] = { 'b', 'i', 'n', 0, (char)0xff };
	char path[] = "/tmp/stepop-ca-XXXXXX";
	int fd = mkstemp(path);
	struct spark_app app = spark_objects_python_app();
	json_auto_t *objects = NULL;
	json_auto_t *properties = NULL;
	json_auto_t *warnings = json_array();
	const json_t *secret, *pod;

	(void)state;
	close(fd);
	assert_true(file_write(path, ca, sizeof(ca), 0600, NULL));
	spark_conf_set(app.conf, PREFIX "oauthToken", "tok");
	spark_conf_set(app.conf, PREFIX "caCertFile", path);
	spark_conf_set(app.conf, PREFIX "serviceAccountName", "spark");
	objects = spark_objects_built(&app);
	properties = spark_objects_properties(objects);
	secret = spark_objects_named(objects, SECRET);
	pod = driver_objects_pod(objects);
	driver_objects_warn(&app, objects, warnings);

	/* As recorded of 3.5.9 and 4.3.0. */
	assert_string_equal(spark_objects_text(secret, "data.ca-cert"), "YmluAP8=");
	assert_string_equal(spark_objects_text(secret, "data.oauth-token"), "dG9r");
	assert_int_equal(json_object_size(json_object_get(secret, "data")), 2);
	assert_true(json_is_true(json_object_get(secret, "immutable")));
	assert_string_equal(spark_objects_text(pod, "spec.volumes.0.name"),
	                    "kubernetes-credentials");
	assert_string_equal(spark_objects_text(pod, "spec.volumes.0.secret.secretName"), SECRET);
	assert_string_equal(spark_objects_text(pod, "spec.containers.0.volumeMounts.0.mountPath"),
	                    FOLDER);
	assert_string_equal(spark_objects_text(pod, "spec.serviceAccountName"), "(none)");
	assert_non_null(
		strstr(json_string_value(json_array_get(warnings, 0)), "'spark' is not used"));
	assert_string_equal(property(properties, PREFIX "oauthToken"), "<present_but_redacted>");
	assert_string_equal(property(properties, PREFIX "mounted.oauthTokenFile"),
	                    FOLDER "/oauth-token");
	assert_string_equal(property(properties, PREFIX "mounted.caCertFile"), FOLDER "/ca-cert");
	assert_string_equal(property(properties, PREFIX "mounted.clientKeyFile"), "(none)");
	unlink(path);
	spark_app_release(&app);
}

static void test_driver_credentials__that_are_mounted_already_make_nothing(void **state)
{
	struct spark_app app = spark_objects_python_app();
	json_auto_t *objects = NULL;
	json_auto_t *properties = NULL;

	(void)state;
	spark_conf_set(app.conf, PREFIX "mounted.caCertFile", "/mine/ca");
	spark_conf_set(app.conf, PREFIX "serviceAccountName", "spark");
	objects = spark_objects_built(&app);
	properties = spark_objects_properties(objects);

	assert_null(spark_objects_of_kind(objects, "Secret"));
	assert_string_equal(
		spark_objects_text(driver_objects_pod(objects), "spec.serviceAccountName"),
		"spark");
	assert_string_equal(property(properties, PREFIX "mounted.caCertFile"), "/mine/ca");
	spark_app_release(&app);
}

static void test_driver_credentials__leave_the_users_own_places(void **state)
{
	struct spark_app app = spark_objects_python_app();
	json_auto_t *objects = NULL;
	json_auto_t *properties = NULL;

	(void)state;
	spark_conf_set(app.conf, PREFIX "oauthToken", "tok");
	spark_conf_set(app.conf, PREFIX "mounted.oauthTokenFile", "/mine/token");
	objects = spark_objects_built(&app);
	properties = spark_objects_properties(objects);

	assert_non_null(spark_objects_named(objects, SECRET));
	assert_string_equal(property(properties, PREFIX "mounted.oauthTokenFile"), "/mine/token");
	spark_app_release(&app);
}

static void test_driver_credentials__show_no_token_of_the_submission(void **state)
{
	struct spark_app app = spark_objects_python_app();
	json_auto_t *objects = NULL;
	scoped(text) char *text = NULL;

	(void)state;
	spark_conf_set(app.conf, "spark.kubernetes.authenticate.submission.oauthToken", "hunter2");
	objects = spark_objects_built(&app);
	text = json_dumps(objects, 0);

	assert_null(strstr(text, "hunter2"));
	assert_non_null(strstr(text, "<present_but_redacted>"));
	spark_app_release(&app);
}

static void test_driver_credentials__must_be_files_that_are_there(void **state)
{
	struct spark_app app = spark_objects_python_app();
	scoped(error) struct error *err = NULL;

	(void)state;
	spark_conf_set(app.conf, PREFIX "clientKeyFile", "/nowhere/key.pem");
	assert_null(driver_objects_build(&app, &err));

	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_error_contains(err, PREFIX "clientKeyFile");
	assert_error_contains(err, "/nowhere/key.pem");
	spark_app_release(&app);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_driver_credentials__are_an_account_by_default),
		cmocka_unit_test(test_driver_credentials__travel_in_a_secret_of_their_own),
		cmocka_unit_test(test_driver_credentials__that_are_mounted_already_make_nothing),
		cmocka_unit_test(test_driver_credentials__leave_the_users_own_places),
		cmocka_unit_test(test_driver_credentials__show_no_token_of_the_submission),
		cmocka_unit_test(test_driver_credentials__must_be_files_that_are_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
