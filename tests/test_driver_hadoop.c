/* SPDX-License-Identifier: Apache-2.0 */
/* submit/driver_hadoop and submit/driver_kerberos, held against what spark-submit 3.5.9 and 4.3.0
 * made of the same folder and files. */
#include "tests/test.h"

#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_pod.h"
#include "tests/fakes/spark_objects.h"

#define PREFIX "spark-pi-fbe3efa1fcfa5a18"

/* A folder of its own for each test, removed after it. */
static int make_folder(void **state)
{
	*state = xstrdup("/tmp/stepop-hadoop-XXXXXX");
	return mkdtemp(*state) ? 0 : -1;
}

static int remove_folder(void **state)
{
	file_remove_tree(*state, NULL);
	free(*state);
	return 0;
}

/* The path of the new file, owned by the caller. */
static char *put(const char *folder, const char *name, const void *content, size_t size)
{
	char *path = file_join(folder, name);

	assert_true(file_write(path, content, size, 0600, NULL));
	return path;
}

static void put_text(const char *folder, const char *name, const char *text)
{
	free(put(folder, name, text, strlen(text)));
}

static const char *property(const json_t *objects, const char *name)
{
	static char value[256];
	json_auto_t *properties = spark_objects_properties(objects);
	const char *found = json_string_value(json_object_get(properties, name));

	snprintf(value, sizeof(value), "%s", found ? found : "(none)");
	return value;
}

static void assert_json_text(const json_t *value, const char *expected)
{
	scoped(text) char *text = json_dumps(value, JSON_SORT_KEYS | JSON_ENCODE_ANY);

	assert_string_equal(text ? text : "(none)", expected);
}

static void test_driver_hadoop__sends_the_plain_files_of_the_folder(void **state)
{
	const char *folder = *state;
	struct spark_app app = spark_objects_python_app();
	scoped(text) char *sub = file_join(folder, "sub");
	json_auto_t *objects = NULL;
	const json_t *map, *pod;

	put_text(folder, "core-site.xml", "<configuration/>\n");
	put_text(folder, ".hidden", "h\n");
	free(put(folder, "bin.xml", "bad \xff", 5));
	assert_true(file_make_folders(sub, 0700, NULL));
	app.client.hadoop_conf_dir = xstrdup(folder);
	objects = spark_objects_built(&app);
	map = spark_objects_named(objects, PREFIX "-hadoop-config");
	pod = driver_objects_pod(objects);

	assert_json_text(json_object_get(map, "data"),
	                 "{\".hidden\": \"h\\n\", \"core-site.xml\": \"<configuration/>\\n\"}");
	assert_json_text(json_object_get(map, "binaryData"), "{\"bin.xml\": \"YmFkIP8=\"}");
	assert_json_text(json_object_get(map, "immutable"), "true");
	assert_json_text(spark_objects_at(pod, "spec.volumes.0"),
	                 "{\"configMap\": {\"items\": [{\"key\": \".hidden\", \"path\": "
	                 "\".hidden\"}, {\"key\": \"bin.xml\", \"path\": \"bin.xml\"}, {\"key\": "
	                 "\"core-site.xml\", \"path\": \"core-site.xml\"}], \"name\": \"" PREFIX
	                 "-hadoop-config\"}, \"name\": \"hadoop-properties\"}");
	assert_json_text(spark_objects_at(pod, "spec.containers.0.volumeMounts.0"),
	                 "{\"mountPath\": \"/opt/hadoop/conf\", \"name\": \"hadoop-properties\"}");
	assert_string_equal(
		spark_objects_text(
			spark_objects_item(spark_objects_at(pod, "spec.containers.0.env"),
	                                   "HADOOP_CONF_DIR"),
			"value"),
		"/opt/hadoop/conf");
	assert_string_equal(property(objects, "spark.kubernetes.executor.hadoopConfigMapName"),
	                    PREFIX "-hadoop-config");
	spark_app_release(&app);
}

static void test_driver_hadoop__makes_an_empty_map_of_no_folder(void **state)
{
	struct spark_app app = spark_objects_python_app();
	json_auto_t *objects = NULL;

	(void)state;
	app.client.hadoop_conf_dir = xstrdup("/nowhere/conf");
	objects = spark_objects_built(&app);

	assert_null(json_object_get(spark_objects_named(objects, PREFIX "-hadoop-config"), "data"));
	assert_json_text(spark_objects_at(driver_objects_pod(objects), "spec.volumes.0.configMap"),
	                 "{\"name\": \"" PREFIX "-hadoop-config\"}");
	spark_app_release(&app);
}

static void test_driver_hadoop__mounts_a_map_that_is_there(void **state)
{
	struct spark_app app = spark_objects_python_app();
	json_auto_t *objects = NULL;

	(void)state;
	spark_conf_set(app.conf, "spark.kubernetes.hadoop.configMapName", "hcm");
	objects = spark_objects_built(&app);

	assert_null(spark_objects_named(objects, PREFIX "-hadoop-config"));
	assert_json_text(spark_objects_at(driver_objects_pod(objects), "spec.volumes.0.configMap"),
	                 "{\"name\": \"hcm\"}");
	assert_string_equal(property(objects, "spark.kubernetes.executor.hadoopConfigMapName"),
	                    "hcm");
	spark_app_release(&app);
}

static void assert_refused(struct spark_app *app, const char *part)
{
	scoped(error) struct error *err = NULL;
	json_auto_t *objects = driver_objects_build(app, &err);

	if (objects)
		fail_msg("not refused: %s", part);
	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, part);
	spark_app_release(app);
}

static void test_driver_hadoop__refuses_two_sources(void **state)
{
	struct spark_app app = spark_objects_python_app();

	(void)state;
	app.client.hadoop_conf_dir = xstrdup("/etc/hadoop");
	spark_conf_set(app.conf, "spark.kubernetes.hadoop.configMapName", "hcm");

	assert_refused(&app, "from HADOOP_CONF_DIR ('/etc/hadoop') and from "
	                     "spark.kubernetes.hadoop.configMapName ('hcm')");
}

static void test_driver_hadoop__refuses_what_no_config_map_can_hold(void **state)
{
	const char *folder = *state;
	struct spark_app app = spark_objects_python_app();
	struct spark_app large = spark_objects_python_app();
	scoped(text) char *content = xcalloc(600 * 1024 + 1, 1);

	put_text(folder, "core site.xml", "x");
	app.client.hadoop_conf_dir = xstrdup(folder);
	assert_refused(&app, "core site.xml' cannot be the key of a ConfigMap");

	memset(content, 'x', 600 * 1024);
	large.client.hadoop_conf_dir = xstrdup(folder);
	assert_true(file_remove_tree(folder, NULL));
	assert_true(file_make_folders(folder, 0700, NULL));
	put_text(folder, "a", content);
	put_text(folder, "b", content);
	assert_refused(&large, "1200 KiB together");
}

static void test_driver_kerberos__sends_krb5_conf(void **state)
{
	struct spark_app app = spark_objects_python_app();
	scoped(text) char *path = put(*state, "krb5.conf", "krb\n", 4);
	json_auto_t *objects = NULL;
	const json_t *pod;

	spark_conf_set(app.conf, "spark.kubernetes.kerberos.krb5.path", path);
	objects = spark_objects_built(&app);
	pod = driver_objects_pod(objects);

	assert_json_text(json_object_get(spark_objects_named(objects, PREFIX "-krb5-file"), "data"),
	                 "{\"krb5.conf\": \"krb\\n\"}");
	assert_json_text(spark_objects_at(pod, "spec.volumes.0"),
	                 "{\"configMap\": {\"items\": [{\"key\": \"krb5.conf\", \"path\": "
	                 "\"krb5.conf\"}], \"name\": \"" PREFIX
	                 "-krb5-file\"}, \"name\": \"krb5-file\"}");
	assert_json_text(spark_objects_at(pod, "spec.containers.0.volumeMounts.0"),
	                 "{\"mountPath\": \"/etc/krb5.conf\", \"name\": \"krb5-file\", "
	                 "\"subPath\": \"krb5.conf\"}");
	spark_app_release(&app);
}

static void test_driver_kerberos__mounts_a_krb5_map_that_is_there(void **state)
{
	struct spark_app app = spark_objects_python_app();
	json_auto_t *objects = NULL;

	(void)state;
	spark_conf_set(app.conf, "spark.kubernetes.kerberos.krb5.configMapName", "kcm");
	objects = spark_objects_built(&app);

	assert_json_text(spark_objects_at(driver_objects_pod(objects), "spec.volumes.0"),
	                 "{\"configMap\": {\"name\": \"kcm\"}, \"name\": \"krb5-file\"}");
	spark_app_release(&app);
}

static void set_login(struct spark_app *app, const char *keytab)
{
	spark_conf_set(app->conf, "spark.kerberos.principal", "u@R");
	spark_conf_set(app->conf, "spark.kerberos.keytab", keytab);
	spark_conf_set(app->conf, "spark.kubernetes.kerberos.tokenSecret.name", "ts");
	spark_conf_set(app->conf, "spark.kubernetes.kerberos.tokenSecret.itemKey", "tk");
}

static void test_driver_kerberos__sends_a_keytab_instead_of_tokens(void **state)
{
	struct spark_app app = spark_objects_python_app();
	scoped(text) char *path = put(*state, "u.keytab", "\x05\x02\xff", 3);
	json_auto_t *objects = NULL;
	const json_t *pod;

	set_login(&app, path);
	objects = spark_objects_built(&app);
	pod = driver_objects_pod(objects);

	assert_json_text(
		json_object_get(spark_objects_named(objects, PREFIX "-kerberos-keytab"), "data"),
		"{\"u.keytab\": \"BQL/\"}");
	assert_json_text(spark_objects_at(pod, "spec.volumes.0"),
	                 "{\"name\": \"kerberos-keytab\", \"secret\": {\"secretName\": \"" PREFIX
	                 "-kerberos-keytab\"}}");
	assert_string_equal(spark_objects_text(pod, "spec.containers.0.volumeMounts.0.mountPath"),
	                    "/mnt/secrets/kerberos-keytab");
	assert_null(spark_objects_item(spark_objects_at(pod, "spec.volumes"), "hadoop-secret"));
	assert_string_equal(property(objects, "spark.kerberos.keytab"),
	                    "/mnt/secrets/kerberos-keytab/u.keytab");
	spark_app_release(&app);
}

static void test_driver_kerberos__mounts_tokens_beside_a_keytab_of_the_image(void **state)
{
	struct spark_app app = spark_objects_python_app();
	json_auto_t *objects = NULL;
	const json_t *pod, *env;

	(void)state;
	set_login(&app, "local:///etc/u.keytab");
	objects = spark_objects_built(&app);
	pod = driver_objects_pod(objects);
	env = spark_objects_at(pod, "spec.containers.0.env");

	assert_null(spark_objects_of_kind(objects, "Secret"));
	assert_string_equal(property(objects, "spark.kerberos.keytab"), "local:///etc/u.keytab");
	assert_json_text(spark_objects_at(pod, "spec.volumes.0"),
	                 "{\"name\": \"hadoop-secret\", \"secret\": {\"secretName\": \"ts\"}}");
	assert_string_equal(spark_objects_text(pod, "spec.containers.0.volumeMounts.0.mountPath"),
	                    "/mnt/secrets/hadoop-credentials");
	assert_string_equal(
		spark_objects_text(spark_objects_item(env, "HADOOP_TOKEN_FILE_LOCATION"), "value"),
		"/mnt/secrets/hadoop-credentials/tk");
	spark_app_release(&app);
}

static void test_driver_kerberos__refuses_halves_and_doubles(void **state)
{
	struct spark_app doubled = spark_objects_python_app();

	(void)state;
	spark_objects_assert_refused("spark.kerberos.keytab", "/k",
	                             "without spark.kerberos.principal");
	spark_objects_assert_refused("spark.kerberos.principal", "u@R",
	                             "without spark.kerberos.keytab");
	spark_objects_assert_refused("spark.kubernetes.kerberos.tokenSecret.name", "ts",
	                             "without spark.kubernetes.kerberos.tokenSecret.itemKey");
	spark_objects_assert_refused("spark.kubernetes.kerberos.tokenSecret.itemKey", "tk",
	                             "without spark.kubernetes.kerberos.tokenSecret.name");
	spark_conf_set(doubled.conf, "spark.kubernetes.kerberos.krb5.path", "/etc/krb5.conf");
	spark_conf_set(doubled.conf, "spark.kubernetes.kerberos.krb5.configMapName", "kcm");
	assert_refused(&doubled, "krb5.conf would come from");
}

static void test_driver_kerberos__refuses_files_that_cannot_travel(void **state)
{
	struct spark_app text = spark_objects_python_app();
	struct spark_app name = spark_objects_python_app();
	scoped(text) char *binary = put(*state, "krb5.conf", "\xff", 1);
	scoped(text) char *odd = put(*state, "my keytab", "x", 1);

	spark_conf_set(text.conf, "spark.kubernetes.kerberos.krb5.path", binary);
	assert_refused(&text, "is not UTF-8 text");
	set_login(&name, odd);
	assert_refused(&name, "a file named 'my keytab' cannot travel");
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_folder(test_driver_hadoop__sends_the_plain_files_of_the_folder),
		with_folder(test_driver_hadoop__makes_an_empty_map_of_no_folder),
		with_folder(test_driver_hadoop__mounts_a_map_that_is_there),
		with_folder(test_driver_hadoop__refuses_two_sources),
		with_folder(test_driver_hadoop__refuses_what_no_config_map_can_hold),
		with_folder(test_driver_kerberos__sends_krb5_conf),
		with_folder(test_driver_kerberos__mounts_a_krb5_map_that_is_there),
		with_folder(test_driver_kerberos__sends_a_keytab_instead_of_tokens),
		with_folder(test_driver_kerberos__mounts_tokens_beside_a_keytab_of_the_image),
		with_folder(test_driver_kerberos__refuses_halves_and_doubles),
		with_folder(test_driver_kerberos__refuses_files_that_cannot_travel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
