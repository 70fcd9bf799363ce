/* SPDX-License-Identifier: Apache-2.0 */
/* submit/spark_arguments: what spark-submit makes of its options, files and variables. */
#include "tests/test.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/text.h"
#include "submit/spark_arguments.h"

/* The variables of the test that runs: "NAME=value", NULL at the end. */
static const char *const *variables;

static const char *environment(const char *name)
{
	size_t size = strlen(name);

	for (const char *const *at = variables; at && *at; at++)
		if (!strncmp(*at, name, size) && (*at)[size] == '=')
			return *at + size + 1;
	return NULL;
}

/* An application that runs without further options. */
static struct spark_arguments plain(const json_t *options, const char *const *conf)
{
	struct spark_arguments arguments = { .options = options,
		                             .conf = conf,
		                             .resource = "local:///opt/app.py",
		                             .environment = environment };

	while (conf && conf[arguments.conf_count])
		arguments.conf_count++;
	return arguments;
}

struct result {
	struct spark_app app;
	json_t *warnings;
};

static void resolve(const struct spark_arguments *arguments, struct result *result)
{
	struct error *err = NULL;

	result->warnings = json_array();
	result->app = (struct spark_app){ 0 };
	assert_ok(spark_arguments_resolve(arguments, &result->app, result->warnings, &err), err);
}

static void result_release(struct result *result)
{
	spark_app_release(&result->app);
	json_decref(result->warnings);
}

static const char *property(const struct result *result, const char *key)
{
	return spark_conf_get(result->app.conf, key);
}

/* A folder of its own with these files; owned by the caller. */
static char *folder_with(const char *const *names, const char *const *texts)
{
	char path[] = "/tmp/stepop-test-XXXXXX";
	char *folder = realpath(mkdtemp(path), NULL);
	struct error *err = NULL;

	for (size_t i = 0; names[i]; i++) {
		scoped(text) char *file = file_join(folder, names[i]);
		scoped(text) char *parent = file_folder(file);

		assert_ok(file_make_folders(parent, 0700, &err), err);
		assert_ok(file_write(file, texts[i], strlen(texts[i]), 0600, &err), err);
	}
	return folder;
}

/* ---- the table ---- */

static void test_spark_argument_options__has_every_option_once_with_its_help(void **state)
{
	const struct spark_argument_option *option, *other;

	(void)state;
	for (option = spark_argument_options(); option->name; option++) {
		assert_true(option->is_switch == !option->placeholder);
		assert_non_null(option->help);
		assert_null(spark_argument_refusal(option->name));
		for (other = spark_argument_options(); other != option; other++)
			assert_string_not_equal(other->name, option->name);
	}
	assert_int_equal(option - spark_argument_options(), 26);
}

static void test_spark_argument_refusal__gives_the_reason_with_and_without_dashes(void **state)
{
	(void)state;
	assert_non_null(strstr(spark_argument_refusal("--queue"), "is for YARN"));
	assert_non_null(strstr(spark_argument_refusal("supervise"), "standalone"));
	assert_non_null(strstr(spark_argument_refusal("total-executor-cores"), "--num-executors"));
	assert_non_null(strstr(spark_argument_refusal("remote"), "Spark Connect"));
	assert_null(spark_argument_refusal("--no-such-option"));
}

/* ---- options ---- */

static void test_spark_arguments__sets_the_property_of_each_option(void **state)
{
	static const struct {
		const char *option, *value, *property;
	} cases[] = {
		{ "driver-memory", "2g", "spark.driver.memory" },
		{ "driver-cores", "3", "spark.driver.cores" },
		{ "driver-java-options", "-Da=b -Dc", "spark.driver.extraJavaOptions" },
		{ "driver-library-path", "/lib", "spark.driver.extraLibraryPath" },
		{ "driver-class-path", "/a:/b", "spark.driver.extraClassPath" },
		{ "executor-memory", "512m", "spark.executor.memory" },
		{ "executor-cores", "4", "spark.executor.cores" },
		{ "num-executors", "5", "spark.executor.instances" },
		{ "jars", "local:///a.jar,s3a://b/c.jar", "spark.jars" },
		{ "files", "https://h/x", "spark.files" },
		{ "archives", "local:///a.zip#env", "spark.archives" },
		{ "py-files", "local:///a.py", "spark.submit.pyFiles" },
		{ "packages", "g:a:1", "spark.jars.packages" },
		{ "exclude-packages", "g:b", "spark.jars.excludes" },
		{ "repositories", "https://r", "spark.jars.repositories" },
		{ "principal", "me@REALM", "spark.kerberos.principal" },
		{ "keytab", "/k", "spark.kerberos.keytab" },
		{ "name", "the name", "spark.app.name" },
		{ "deploy-mode", "cluster", "spark.submit.deployMode" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *options = json_pack("{s:s}", cases[i].option, cases[i].value);
		scoped(text) char *lower = text_printf("%s=7", cases[i].property);
		const char *const conf[] = { lower, NULL };
		struct spark_arguments arguments = plain(options, conf);
		struct result result;

		resolve(&arguments, &result);
		assert_string_equal(property(&result, cases[i].property), cases[i].value);
		result_release(&result);
	}
}

/* With spark-submit 3.5.9 and 4.3.0: --verbose prints what won. */
static void test_spark_arguments__lets_the_nearest_source_win(void **state)
{
	static const char *const names[] = { "conf/spark-defaults.conf", "p.conf", "e1.conf",
		                             "e2.conf", NULL };
	static const char *const texts[] = {
		"spark.executor.cores 11\nspark.executor.memory 11g\nspark.l1 defaults\n",
		"spark.l1 p\nspark.l2 p\nspark.l3 p\nspark.l4 p\nspark.l5 p\n"
		"spark.executor.memory 12g\n",
		"spark.l2 e1\nspark.l3 e1\nspark.l4 e1\nspark.l5 e1\n",
		"spark.l3 e2\nspark.l4 e2\nspark.l5 e2\n",
	};
	scoped(text) char *folder = folder_with(names, texts);
	scoped(text) char *home = text_printf("SPARK_HOME=%s", folder);
	const char *const set[] = { home, "SPARK_EXECUTOR_CORES=21", "SPARK_EXECUTOR_MEMORY=21g",
		                    "SPARK_DRIVER_MEMORY=21g", NULL };
	const char *const conf[] = { "spark.l4=conf", "spark.l5=conf", "spark.executor.instances=7",
		                     NULL };
	json_auto_t *options =
		json_pack("{s:o, s:[o, o], s:s, s:s}", "properties-file",
	                  json_sprintf("%s/p.conf", folder), "extra-properties-file",
	                  json_sprintf("%s/e1.conf", folder), json_sprintf("%s/e2.conf", folder),
	                  "num-executors", "8", "load-spark-defaults", "");
	struct spark_arguments arguments = plain(options, conf);
	struct result result;

	(void)state;
	variables = set;
	resolve(&arguments, &result);
	assert_string_equal(property(&result, "spark.executor.instances"), "8");
	assert_string_equal(property(&result, "spark.l5"), "conf");
	assert_string_equal(property(&result, "spark.l3"), "e2");
	assert_string_equal(property(&result, "spark.l2"), "e1");
	assert_string_equal(property(&result, "spark.l1"), "p");
	assert_string_equal(property(&result, "spark.executor.memory"), "12g");
	assert_string_equal(property(&result, "spark.executor.cores"), "11");
	assert_string_equal(property(&result, "spark.driver.memory"), "21g");
	result_release(&result);

	json_object_del(options, "load-spark-defaults");
	resolve(&arguments, &result);
	assert_string_equal(property(&result, "spark.executor.cores"), "21");
	result_release(&result);

	json_object_clear(options);
	resolve(&arguments, &result);
	assert_string_equal(property(&result, "spark.l1"), "defaults");
	result_release(&result);
	variables = NULL;
	file_remove_tree(folder, NULL);
}

static void test_spark_arguments__drops_foreign_properties_with_a_warning(void **state)
{
	static const char *const conf[] = { "other.key=secret", "spark.a=b=c",
		                            "spark.driver.host=h", NULL };
	struct spark_arguments arguments = plain(NULL, conf);
	struct result result;
	const char *warning;

	(void)state;
	resolve(&arguments, &result);
	assert_null(property(&result, "other.key"));
	assert_string_equal(property(&result, "spark.a"), "b=c");
	assert_null(property(&result, "spark.driver.host"));
	assert_int_equal(json_array_size(result.warnings), 1);
	warning = json_string_value(json_array_get(result.warnings, 0));
	assert_non_null(strstr(warning, "'other.key' is ignored"));
	assert_null(strstr(warning, "secret"));
	result_release(&result);
}

/* ---- master ---- */

static void test_spark_arguments__reads_the_master(void **state)
{
	static const struct {
		const char *option, *conf, *variable, *master;
		size_t warnings;
	} cases[] = {
		{ "k8s://https://h:6443", NULL, NULL, "https://h:6443", 0 },
		{ "k8s://h:6443", NULL, NULL, "https://h:6443", 0 },
		{ "k8s://http://h", NULL, NULL, "http://h", 1 },
		{ "k8s://", NULL, NULL, NULL, 0 },
		{ NULL, NULL, NULL, NULL, 0 },
		{ "k8s://a", "spark.master=k8s://b", "MASTER=k8s://c", "https://a", 0 },
		{ NULL, "spark.master=k8s://b", "MASTER=k8s://c", "https://b", 0 },
		{ NULL, NULL, "MASTER=k8s://c", "https://c", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *options = json_pack("{s:s*}", "master", cases[i].option);
		const char *const conf[] = { cases[i].conf, NULL };
		const char *const set[] = { cases[i].variable, NULL };
		struct spark_arguments arguments = plain(options, conf);
		struct result result;

		variables = set;
		resolve(&arguments, &result);
		assert_true(text_equal(result.app.master, cases[i].master));
		assert_null(property(&result, "spark.master"));
		assert_int_equal(json_array_size(result.warnings), cases[i].warnings);
		result_release(&result);
	}
	variables = NULL;
}

/* ---- the application ---- */

static void test_spark_arguments__finds_kind_class_and_name_of_the_application(void **state)
{
	static const struct {
		const char *resource, *class, *name_option, *name_property;
		enum spark_resource kind;
		const char *name, *main_class;
	} cases[] = {
		{ "local:///a/app.py", NULL, NULL, NULL, SPARK_RESOURCE_PYTHON, "app.py", NULL },
		{ "local:///a/app.py", "C", NULL, NULL, SPARK_RESOURCE_PYTHON, "C", NULL },
		{ "local:///a/app.R", NULL, NULL, NULL, SPARK_RESOURCE_R, "app.R", NULL },
		{ "local:///a/app.r", NULL, NULL, NULL, SPARK_RESOURCE_R, "app.r", NULL },
		{ "local:///a/x.jar", "o.C", NULL, NULL, SPARK_RESOURCE_JAVA, "o.C", "o.C" },
		{ "local:///a/x.jar", "C", NULL, "n", SPARK_RESOURCE_JAVA, "n", "C" },
		{ "local:///a/x.jar", "C", "m", "n", SPARK_RESOURCE_JAVA, "m", "C" },
		{ "local:///a/x.jar", "C", "", "n", SPARK_RESOURCE_JAVA, "", "C" },
		{ "spark-internal", "C", NULL, NULL, SPARK_RESOURCE_JAVA, "C", "C" },
		{ "s3a://b/x.jar", "C", NULL, NULL, SPARK_RESOURCE_JAVA, "C", "C" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *options = json_pack("{s:s*, s:s*}", "class", cases[i].class, "name",
		                                 cases[i].name_option);
		scoped(text) char *name = text_printf(
			"spark.app.name=%s", cases[i].name_property ? cases[i].name_property : "");
		const char *const conf[] = { cases[i].name_property ? name : NULL, NULL };
		struct spark_arguments arguments = plain(options, conf);
		struct result result;

		arguments.resource = cases[i].resource;
		resolve(&arguments, &result);
		assert_int_equal(result.app.resource, cases[i].kind);
		assert_string_equal(result.app.name, cases[i].name);
		assert_true(text_equal(result.app.main_class, cases[i].main_class));
		assert_string_equal(result.app.main_resource, cases[i].resource);
		result_release(&result);
	}
}

static void test_spark_arguments__makes_uris_of_what_lies_here(void **state)
{
	static const char *const names[] = { "my app.py", "a.jar", "b.jar", NULL };
	static const char *const texts[] = { "", "", "" };
	scoped(text) char *folder = folder_with(names, texts);
	scoped(text) char *app = file_join(folder, "my app.py");
	scoped(text) char *uri = text_printf("file://%s/my%%20app.py", folder);
	scoped(text) char *pattern = text_printf("spark.jars=%s/*.jar,local:///c.jar", folder);
	scoped(text) char *jars =
		text_printf("file://%s/a.jar,file://%s/b.jar,local:///c.jar", folder, folder);
	const char *const conf[] = { pattern, NULL };
	struct spark_arguments arguments = plain(NULL, conf);
	json_auto_t *args = json_pack("[s, s]", "--x", "1 2");
	struct result result;

	(void)state;
	arguments.resource = app;
	arguments.args = args;
	resolve(&arguments, &result);
	assert_string_equal(result.app.main_resource, uri);
	assert_string_equal(result.app.name, "my%20app.py"); /* as Spark has it */
	assert_string_equal(property(&result, "spark.jars"), jars);
	assert_true(json_equal(result.app.args, args));
	result_release(&result);
	file_remove_tree(folder, NULL);
}

/* ---- this machine ---- */

static void test_spark_arguments__takes_what_spark_takes_from_the_environment(void **state)
{
	static const char *const names[] = { "conf/spark-env.sh", NULL };
	static const char *const texts[] = { "" };
	scoped(text) char *folder = folder_with(names, texts);
	scoped(text) char *home = text_printf("SPARK_HOME=%s", folder);
	scoped(text) char *conf_dir = file_join(folder, "conf");
	const char *const set[] = { home,
		                    "HADOOP_CONF_DIR=/h",
		                    "SPARK_LOCAL_DIRS=/l",
		                    "PYSPARK_PYTHON=p",
		                    "PYSPARK_DRIVER_PYTHON=d",
		                    "SPARK_USER=",
		                    "HADOOP_USER_NAME=hdfs",
		                    NULL };
	struct spark_arguments arguments = plain(NULL, NULL);
	struct result result;

	(void)state;
	variables = set;
	arguments.submission_id = "id";
	arguments.spark_version = "4.0";
	resolve(&arguments, &result);
	assert_string_equal(result.app.client.conf_dir, conf_dir);
	assert_string_equal(result.app.client.hadoop_conf_dir, "/h");
	assert_string_equal(result.app.client.local_dirs, "/l");
	assert_string_equal(result.app.client.pyspark_python, "p");
	assert_string_equal(result.app.client.pyspark_driver_python, "d");
	assert_string_equal(result.app.user, "hdfs");
	assert_string_equal(result.app.submission_id, "id");
	assert_string_equal(result.app.spark_version, "4.0");
	assert_int_equal(json_array_size(result.warnings), 1);
	assert_non_null(strstr(json_string_value(json_array_get(result.warnings, 0)),
	                       "spark-env.sh' is not run"));
	result_release(&result);
	file_remove_tree(folder, NULL);
	variables = NULL;
}

static void test_spark_arguments__leaves_the_proxy_user_before_hadoops(void **state)
{
	static const char *const set[] = { "HADOOP_USER_NAME=hdfs", NULL };
	json_auto_t *options = json_pack("{s:s}", "proxy-user", "alice");
	struct spark_arguments arguments = plain(options, NULL);
	struct result result;

	(void)state;
	variables = set;
	resolve(&arguments, &result);
	assert_string_equal(result.app.proxy_user, "alice");
	assert_null(result.app.user);
	result_release(&result);
	variables = NULL;
}

/* ---- refusals ---- */

static void test_spark_arguments__refuses_with_what_to_do(void **state)
{
	static const struct {
		const char *resource, *option, *value, *conf;
		enum error_kind kind;
		const char *message;
	} cases[] = {
		{ "a.py", NULL, NULL, "spark.x", ERROR_USAGE,
		  "--conf is property=value, not 'spark.x'" },
		{ "a.py", "deploy-mode", "client", NULL, ERROR_INVALID,
		  "'client' runs the driver on" },
		{ "a.py", NULL, NULL, "spark.submit.deployMode=x", ERROR_INVALID, "not 'x'" },
		{ "a.py", "master", "yarn", NULL, ERROR_INVALID,
		  "'yarn' is no Kubernetes API server" },
		{ "a.py", "master", "k8s://ftp://h", NULL, ERROR_INVALID, "by https or http" },
		{ NULL, NULL, NULL, NULL, ERROR_USAGE, "name the application" },
		{ "pyspark-shell", NULL, NULL, NULL, ERROR_INVALID, "is a shell" },
		{ "local:///x.jar", NULL, NULL, NULL, ERROR_USAGE, "name it with --class" },
		{ "spark-internal", NULL, NULL, NULL, ERROR_USAGE, "name it with --class" },
		{ "/no/such.jar", NULL, NULL, NULL, ERROR_NOT_FOUND,
		  "there is no file '/no/such.jar'" },
		{ "spark-internal", "class",
		  "org.apache.spark.sql.connect.service.SparkConnectServer", NULL, ERROR_INVALID,
		  "Connect server does not run in deploy mode 'cluster'" },
		{ "a.py", "driver-memory", "1x", NULL, ERROR_INVALID, "spark.driver.memory: '1x'" },
		{ "a.py", "driver-memory", "", NULL, ERROR_INVALID, "spark.driver.memory: ''" },
		{ "a.py", "executor-memory", "0g", NULL, ERROR_INVALID, "must be more than '0g'" },
		{ "a.py", "driver-cores", "0", NULL, ERROR_INVALID,
		  "spark.driver.cores must be a pos" },
		{ "a.py", NULL, NULL, "spark.executor.cores= 2", ERROR_INVALID, "not ' 2'" },
		{ "a.py", "num-executors", "0", NULL, ERROR_INVALID,
		  "spark.executor.instances must" },
		{ "a.py", "proxy-user", "a", "spark.kerberos.principal=p", ERROR_INVALID,
		  "not both" },
		{ "a.py", NULL, NULL, "spark.remote=sc://h", ERROR_INVALID, "Spark Connect" },
		{ "a.py", "jars", "/no/such*.jar", NULL, ERROR_NOT_FOUND,
		  "spark.jars: no file matches" },
		{ "a.py", "properties-file", "/no/file", NULL, ERROR_NOT_FOUND, "'/no/file'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *options = cases[i].option
		                               ? json_pack("{s:s}", cases[i].option, cases[i].value)
		                               : NULL;
		const char *const conf[] = { cases[i].conf, NULL };
		struct spark_arguments arguments = plain(options, conf);
		json_auto_t *warnings = json_array();
		struct spark_app app = { 0 };
		scoped(error) struct error *err = NULL;

		arguments.resource = cases[i].resource;
		assert_false(spark_arguments_resolve(&arguments, &app, warnings, &err));
		assert_error_contains(err, cases[i].message);
		assert_int_equal(err->kind, cases[i].kind);
		assert_null(app.conf);
	}
}

static void test_spark_arguments__lets_dynamic_allocation_begin_with_no_executors(void **state)
{
	static const char *const conf[] = { "spark.dynamicAllocation.enabled=TRUE",
		                            "spark.executor.instances=0", NULL };
	struct spark_arguments arguments = plain(NULL, conf);
	struct result result;

	(void)state;
	resolve(&arguments, &result);
	assert_string_equal(property(&result, "spark.executor.instances"), "0");
	result_release(&result);
}

static void test_spark_arguments__say_where_the_cluster_is_without_an_application(void **state)
{
	static const char *const conf[] = { "spark.kubernetes.namespace=team", NULL };
	json_auto_t *options = json_pack("{s:s}", "master", "k8s://host:6443");
	struct spark_arguments arguments = plain(options, conf);
	struct spark_app app = { 0 };
	json_auto_t *warnings = json_array();
	struct error *err = NULL;

	(void)state;
	arguments.resource = NULL;
	assert_ok(spark_arguments_resolve_settings(&arguments, &app, warnings, &err), err);

	assert_string_equal(app.master, "https://host:6443");
	assert_string_equal(spark_conf_get(app.conf, "spark.kubernetes.namespace"), "team");
	spark_app_release(&app);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_spark_arguments__say_where_the_cluster_is_without_an_application),
		cmocka_unit_test(test_spark_argument_options__has_every_option_once_with_its_help),
		cmocka_unit_test(
			test_spark_argument_refusal__gives_the_reason_with_and_without_dashes),
		cmocka_unit_test(test_spark_arguments__sets_the_property_of_each_option),
		cmocka_unit_test(test_spark_arguments__lets_the_nearest_source_win),
		cmocka_unit_test(test_spark_arguments__drops_foreign_properties_with_a_warning),
		cmocka_unit_test(test_spark_arguments__reads_the_master),
		cmocka_unit_test(
			test_spark_arguments__finds_kind_class_and_name_of_the_application),
		cmocka_unit_test(test_spark_arguments__makes_uris_of_what_lies_here),
		cmocka_unit_test(test_spark_arguments__takes_what_spark_takes_from_the_environment),
		cmocka_unit_test(test_spark_arguments__leaves_the_proxy_user_before_hadoops),
		cmocka_unit_test(test_spark_arguments__refuses_with_what_to_do),
		cmocka_unit_test(
			test_spark_arguments__lets_dynamic_allocation_begin_with_no_executors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
