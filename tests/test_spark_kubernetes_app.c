/* SPDX-License-Identifier: Apache-2.0 */
/*
 * operator/flavors/spark_kubernetes_app: the objects of one attempt, as a whole against
 * tests/golden/operator/, and the rules behind them. STEPOP_UPDATE_GOLDEN=1 writes the file anew.
 */
#include "tests/test.h"

#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/flavors/spark_kubernetes_app.h"
#include "submit/driver_pod.h"
#include "submit/kube_object.h"
#include "tests/fakes/memory_store.h"
#include "tests/fakes/temporary_project.h"

#define GOLDEN "tests/golden/operator/spark_kubernetes.json"

/* One launch; tests change what they are about. */
struct app_test {
	struct temporary_project *temporary;
	struct memory_store store;
	struct component component;
	json_t *settings, *contract;
	char *code_folder;
	struct step step;
	const char *image, *pull_config; /* of the target; or NULL */
};

/* JSON with ' for ". */
static json_t *parse(const char *text)
{
	scoped(text) char *quoted = xstrdup(text);
	json_t *value;
	char *at;

	for (at = quoted; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	value = json_loads(quoted, 0, NULL);
	assert_non_null(value);
	return value;
}

/* Texts of a runtime that does not change. */
static void write_code(const struct app_test *test)
{
	static const char *const folders[] = { "runtime/stepop_runtime", "code/package" };
	scoped(text) char *data = temporary_project_path(test->temporary, "");
	size_t i;

	for (i = 0; i < ARRAY_SIZE(folders); i++) {
		scoped(text) char *path = temporary_project_path(test->temporary, folders[i]);

		assert_true(file_make_folders(path, 0755, NULL));
	}
	temporary_project_write(test->temporary, "runtime/main.py", "main\n");
	temporary_project_write(test->temporary, "runtime/stepop_runtime/__init__.py", "");
	temporary_project_write(test->temporary, "code/steps.py", "steps\n");
	temporary_project_write(test->temporary, "code/package/deep.py", "deep\n");
	temporary_project_write(test->temporary, "code/secret.txt", "not for the pod\n");
	setenv("STEPOP_DATA", data, 1);
	setenv("SPARK_USER", "someone", 1);
}

static int setup(void **state)
{
	struct app_test *test = xcalloc(1, sizeof(*test));
	void *temporary;

	if (temporary_project_setup(&temporary))
		return -1;
	test->temporary = temporary;
	write_code(test);
	test->code_folder = temporary_project_path(test->temporary, "code");
	memory_store_init(&test->store);
	test->store.spark_conf = parse("{'spark.hadoop.fs.s3a.endpoint': 'http://s3:9000'}");
	test->store.secrets =
		parse("{'AWS_ACCESS_KEY_ID': 'k3y', 'AWS_SECRET_ACCESS_KEY': 's3cr3t'}");
	test->component = (struct component){
		.type = COMPONENT_STEP_OPERATOR,
		.name = (char *)"spark_step_operator",
		.flavor = (char *)"spark-kubernetes",
		.options = parse("{'docker_parent_image': 'registry/spark:3.5', 'service_account': "
		                 "'spark', 'image_pull_policy': 'Always', 'submit_kwargs': "
		                 "{'spark.app.submitTime': 0, 'spark.executor.instances': 8}}"),
	};
	test->settings = parse("{'resources': {'cpu': 0.5, 'memory': '1Gi'}, 'spark': {'driver': "
	                       "{'memory': '1g', 'memory_overhead': '512Mi'}, 'executor': "
	                       "{'instances': 2}, 'conf': {'spark.sql.shuffle.partitions': 8}}, "
	                       "'environment': {'REGION': 'eu west'}}");
	test->contract = parse("{'version': 1, 'step': 'splitter'}");
	test->step = (struct step){ .name = (char *)"splitter",
		                    .file = (char *)"steps.py",
		                    .function = (char *)"splitter",
		                    .settings = test->settings };
	*state = test;
	return 0;
}

static int teardown(void **state)
{
	struct app_test *test = *state;
	void *temporary = test->temporary;

	memory_store_release(&test->store);
	json_decref(test->component.options);
	json_decref(test->settings);
	json_decref(test->contract);
	free(test->code_folder);
	free(test);
	return temporary_project_teardown(&temporary);
}

static bool build(struct app_test *test, int attempt, struct spark_app *app, struct error **err)
{
	json_auto_t *code = spark_kubernetes_code_collect(test->code_folder, err);
	const struct spark_kubernetes_target target = {
		.component = &test->component,
		.server = "https://host:6443",
		.namespace = "spark",
		.run_id = "7d1f3a5c9e0b2d4f6a8c1e3057799bbd",
		.run_name = "daily",
		.pipeline = "spark_pipeline",
		.artifacts = &test->store.store,
		.code = code,
		.image = test->image,
		.pull_config = test->pull_config,
	};
	const struct step_launch launch = { .step = &test->step,
		                            .attempt = attempt,
		                            .code_folder = test->code_folder,
		                            .contract = test->contract };

	*app = (struct spark_app){ 0 };
	return code && spark_kubernetes_app_build(&target, &launch, app, err);
}

static json_t *objects_of(struct app_test *test, int attempt)
{
	struct spark_app app;
	struct error *err = NULL;
	json_t *objects;

	assert_ok(build(test, attempt, &app, &err), err);
	objects = driver_objects_build(&app, &err);
	spark_app_release(&app);
	assert_ok(objects, err);
	return objects;
}

static char *property_of(struct app_test *test, const char *key)
{
	struct spark_app app;
	struct error *err = NULL;
	const char *value;
	char *copy;

	assert_ok(build(test, 1, &app, &err), err);
	value = spark_conf_get(app.conf, key);
	copy = xstrdup(value ? value : "(none)");
	spark_app_release(&app);
	return copy;
}

static void assert_property(struct app_test *test, const char *key, const char *expected)
{
	scoped(text) char *value = property_of(test, key);

	assert_string_equal(value, expected);
}

static void test_spark_kubernetes_app__is_as_the_golden_file(void **state)
{
	json_auto_t *objects = objects_of(*state, 2);
	scoped(text) char *json = json_dumps(objects, JSON_INDENT(1) | JSON_SORT_KEYS);
	scoped(text) char *text = text_printf("%s\n", json);
	scoped(text) char *expected = NULL;

	if (getenv("STEPOP_UPDATE_GOLDEN"))
		assert_true(file_write_atomic(GOLDEN, text, strlen(text), 0644, NULL));
	expected = file_read(GOLDEN, 1 << 20, NULL, NULL);
	if (!text_equal(text, expected))
		print_error("%s", text);
	assert_true(text_equal(text, expected));
}

static void test_spark_kubernetes_app__labels_every_object_with_its_attempt(void **state)
{
	json_auto_t *expected =
		parse("{'app.kubernetes.io/managed-by': 'stepop', 'stepop.dev/pipeline': "
	              "'spark_pipeline', 'stepop.dev/run': '7d1f3a5c9e0b2d4f6a8c1e3057799bbd', "
	              "'stepop.dev/step': 'splitter', 'stepop.dev/attempt': '2'}");
	json_auto_t *objects = objects_of(*state, 2);
	json_t *object, *label;
	const char *key;
	size_t i;

	assert_true(json_array_size(objects) >= 4);
	json_array_foreach (objects, i, object) {
		const json_t *labels =
			json_object_get(json_object_get(object, "metadata"), "labels");

		json_object_foreach (expected, key, label)
			assert_true(json_equal(json_object_get(labels, key), label));
	}
}

static char *names_of(const json_t *objects)
{
	struct text_stream stream;
	json_t *object;
	size_t i;

	text_stream_open(&stream);
	json_array_foreach (objects, i, object)
		fprintf(stream.file, "%s/%s ", kube_object_kind(object), kube_object_name(object));
	return text_stream_take(&stream);
}

static void test_spark_kubernetes_app__has_the_same_names_for_the_same_attempt(void **state)
{
	json_auto_t *first = objects_of(*state, 1);
	json_auto_t *again = objects_of(*state, 1);
	json_auto_t *second = objects_of(*state, 2);
	scoped(text) char *names = names_of(first);
	scoped(text) char *names_again = names_of(again);
	scoped(text) char *names_of_second = names_of(second);

	assert_string_equal(names, names_again);
	assert_string_not_equal(names, names_of_second);
	assert_non_null(strstr(names, "Pod/spark-pipeline-7d1f3a5c-splitter-1-driver "));
	assert_true(json_equal(first, again));
}

static void test_spark_kubernetes_app__shows_secret_values_in_the_secret_alone(void **state)
{
	json_auto_t *objects = objects_of(*state, 1);
	size_t secrets = 0, i;
	json_t *object;

	json_array_foreach (objects, i, object) {
		scoped(text) char *text = json_dumps(object, 0);
		bool is_secret = text_equal(kube_object_kind(object), "Secret");

		secrets += is_secret;
		assert_int_equal(strstr(text, "s3cr3t") != NULL, is_secret);
		assert_int_equal(strstr(text, "k3y") != NULL, is_secret);
	}
	assert_int_equal(secrets, 1);
}

static void test_spark_kubernetes_app__makes_no_secret_of_nothing(void **state)
{
	struct app_test *test = *state;
	json_auto_t *objects = NULL;
	scoped(text) char *text = NULL;

	json_object_clear(test->store.secrets);
	objects = objects_of(test, 1);
	text = names_of(objects);

	assert_null(strstr(text, "Secret/"));
}

static void test_spark_kubernetes_app__carries_runtime_code_and_contract(void **state)
{
	struct spark_app app;
	struct error *err = NULL;
	json_auto_t *step = NULL;
	const json_t *contents;

	assert_ok(build(*state, 1, &app, &err), err);

	contents = app.files->contents;
	assert_string_equal(app.files->mount_path, "/opt/stepop");
	assert_string_equal(app.main_resource, "local:///opt/stepop/main.py");
	assert_string_equal(json_string_value(json_array_get(app.args, 0)),
	                    "/opt/stepop/step.json");
	assert_int_equal(json_object_size(contents), 5);
	assert_string_equal(json_string_value(json_object_get(contents, "main.py")), "main\n");
	assert_non_null(json_object_get(contents, "stepop_runtime/__init__.py"));
	assert_string_equal(json_string_value(json_object_get(contents, "code/steps.py")),
	                    "steps\n");
	assert_non_null(json_object_get(contents, "code/package/deep.py"));
	step = json_loads(json_string_value(json_object_get(contents, "step.json")), 0, NULL);
	assert_string_equal(json_string_value(json_object_get(step, "code")), "/opt/stepop/code");
	assert_string_equal(json_string_value(json_object_get(step, "step")), "splitter");
	assert_null(json_object_get(((struct app_test *)*state)->contract, "code"));
	spark_app_release(&app);
}

static void test_spark_kubernetes_app__runs_a_program_as_it_is(void **state)
{
	static const struct {
		const char *main;
		enum spark_resource resource;
	} cases[] = { { "local:///app.jar", SPARK_RESOURCE_JAVA },
		      { "s3a://bucket/job.py", SPARK_RESOURCE_PYTHON },
		      { "local:///job.R", SPARK_RESOURCE_R } };
	struct app_test *test = *state;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *args = json_pack("[s, s]", "--day", "1");
		struct spark_app app;
		struct error *err = NULL;

		test->step = (struct step){ .name = (char *)"jar",
			                    .main = (char *)cases[i].main,
			                    .main_class = (char *)"org.x.Main",
			                    .args = args,
			                    .settings = test->settings };

		assert_ok(build(test, 1, &app, &err), err);

		assert_int_equal(app.resource, cases[i].resource);
		assert_string_equal(app.main_resource, cases[i].main);
		assert_string_equal(app.main_class, "org.x.Main");
		assert_true(json_equal(app.args, args));
		assert_null(app.files);
		spark_app_release(&app);
	}
}

#define IMAGE "spark.kubernetes.container.image"

static void set_conf(struct app_test *test, const char *key, json_t *value)
{
	json_object_set_new(json_object_get(json_object_get(test->settings, "spark"), "conf"), key,
	                    value);
}

static void set_kwarg(struct app_test *test, const char *key, json_t *value)
{
	json_object_set_new(json_object_get(test->component.options, "submit_kwargs"), key, value);
}

static void test_spark_kubernetes_app__lets_settings_win_over_the_component(void **state)
{
	struct app_test *test = *state;

	assert_property(test, "spark.executor.instances", "2");
	assert_property(test, IMAGE, "registry/spark:3.5");
	set_kwarg(test, IMAGE, json_string("of-kwargs"));
	assert_property(test, IMAGE, "of-kwargs");
	set_conf(test, IMAGE, json_string("of-settings"));
	assert_property(test, IMAGE, "of-settings");
}

static void test_spark_kubernetes_app__lets_settings_unset_what_the_component_says(void **state)
{
	struct app_test *test = *state;

	set_kwarg(test, "spark.x", json_string("1"));
	assert_property(test, "spark.x", "1");
	set_conf(test, "spark.x", json_null());
	assert_property(test, "spark.x", "(none)");
	set_conf(test, "spark.kubernetes.container.image.pullPolicy", json_null());
	assert_property(test, "spark.kubernetes.container.image.pullPolicy", "(none)");
}

static void test_spark_kubernetes_app__lets_settings_win_over_the_store(void **state)
{
	struct app_test *test = *state;

	assert_property(test, "spark.hadoop.fs.s3a.endpoint", "http://s3:9000");
	set_conf(test, "spark.hadoop.fs.s3a.endpoint", json_string("http://other"));
	assert_property(test, "spark.hadoop.fs.s3a.endpoint", "http://other");
}

static void test_spark_kubernetes_app__gives_the_environment_to_driver_and_executors(void **state)
{
	assert_property(*state, "spark.kubernetes.driverEnv.REGION", "eu west");
	assert_property(*state, "spark.executorEnv.REGION", "eu west");
}

static void assert_release(struct app_test *test, const char *expected)
{
	json_auto_t *objects = objects_of(test, 1);

	assert_string_equal(kube_object_label(driver_objects_pod(objects), "spark-version"),
	                    expected);
}

static void test_spark_kubernetes_app__is_made_for_the_release_of_its_image(void **state)
{
	struct app_test *test = *state;

	json_object_set_new(test->component.options, "docker_parent_image",
	                    json_string("registry/spark-py:4.2.1"));
	assert_release(test, "4.2.1");

	json_object_set_new(test->component.options, "spark_version", json_string("4.1"));
	assert_release(test, "4.1.4");
}

static void test_spark_kubernetes_app__names_the_operator_whose_kwargs_are_wrong(void **state)
{
	struct app_test *test = *state;
	struct spark_app app;
	scoped(error) struct error *err = NULL;

	set_kwarg(test, "spark.x", json_object());

	assert_false(build(test, 1, &app, &err));

	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, "submit_kwargs of step operator 'spark_step_operator'");
	spark_app_release(&app);
}

#define BUILT "registry:5000/team/spark_pipeline@sha256:0123"

static void test_spark_kubernetes_app__leaves_the_code_to_an_image_that_has_it(void **state)
{
	struct app_test *test = *state;
	struct spark_app app;
	struct error *err = NULL;

	test->image = BUILT;
	json_object_set_new(test->component.options, "docker_parent_image",
	                    json_string("registry/spark-py:4.2.1"));
	assert_ok(build(test, 1, &app, &err), err);

	assert_string_equal(spark_conf_get(app.conf, IMAGE), BUILT);
	assert_string_equal(app.spark_version, "4.2.1"); /* of the parent's name */
	assert_string_equal(app.main_resource, "local:///opt/stepop/main.py");
	assert_string_equal(json_string_value(json_array_get(app.args, 0)),
	                    "/opt/stepop/step/step.json");
	assert_string_equal(app.files->mount_path, "/opt/stepop/step");
	assert_int_equal(json_object_size(app.files->contents), 1);
	assert_non_null(json_object_get(app.files->contents, "step.json"));
	assert_null(app.extra_objects);
	spark_app_release(&app);
}

#define PULL_SECRET "spark-pipeline-7d1f3a5c-splitter-1-registry"

static void test_spark_kubernetes_app__pulls_its_image_by_a_secret_of_its_own(void **state)
{
	struct app_test *test = *state;
	json_auto_t *objects = NULL;
	json_auto_t *expected = json_pack("[{s:s}]", "name", PULL_SECRET);
	scoped(text) char *names = NULL;
	size_t shown = 0, i;
	json_t *object;

	test->image = BUILT;
	test->pull_config = "{'auths': 'pa55'}";
	objects = objects_of(test, 1);
	names = names_of(objects);

	assert_non_null(strstr(names, "Secret/" PULL_SECRET " "));
	json_array_foreach (objects, i, object) {
		scoped(text) char *text = json_dumps(object, 0);

		shown += strstr(text, "pa55") != NULL;
	}
	assert_int_equal(shown, 1);
	assert_true(json_equal(json_object_get(json_object_get(driver_objects_pod(objects), "spec"),
	                                       "imagePullSecrets"),
	                       expected));
}

static void test_spark_kubernetes_app__pulls_by_the_secret_that_the_user_has(void **state)
{
	struct app_test *test = *state;
	json_auto_t *objects = NULL;
	scoped(text) char *names = NULL;

	test->image = BUILT;
	test->pull_config = "{'auths': 'pa55'}";
	json_object_set_new(test->component.options, "image_pull_secrets", json_string("mine"));
	objects = objects_of(test, 1);
	names = names_of(objects);

	assert_null(strstr(names, "-registry "));
	assert_property(test, "spark.kubernetes.container.image.pullSecrets", "mine");
}

static void test_spark_kubernetes_app__keeps_wheels_on_a_path_that_the_user_sets(void **state)
{
	struct app_test *test = *state;

	json_object_set_new(json_object_get(test->settings, "environment"), "PYTHONPATH",
	                    json_string("/own"));
	assert_property(test, "spark.executorEnv.PYTHONPATH", "/own");
	test->image = BUILT;
	assert_property(test, "spark.executorEnv.PYTHONPATH", "/opt/stepop/site:/own");
	assert_property(test, "spark.kubernetes.driverEnv.PYTHONPATH", "/opt/stepop/site:/own");
}

static void test_spark_kubernetes_app__refuses_a_second_image_beside_its_own(void **state)
{
	struct app_test *test = *state;
	struct spark_app app;
	struct error *err = NULL;

	test->image = BUILT;
	set_conf(test, "spark.kubernetes.executor.container.image", json_string("other"));
	assert_false(build(test, 1, &app, &err));
	assert_error_contains(err, "spark.kubernetes.executor.container.image names another");
	error_free(err);
	spark_app_release(&app);
}

static void test_spark_kubernetes_parent_image__is_what_the_step_would_run_from(void **state)
{
	struct app_test *test = *state;
	struct error *err = NULL;
	scoped(text) char *usual =
		spark_kubernetes_parent_image(&test->component, &test->step, &err);
	scoped(text) char *own = NULL;

	set_conf(test, IMAGE, json_string("registry/other:1"));
	own = spark_kubernetes_parent_image(&test->component, &test->step, &err);

	assert_string_equal(usual, "registry/spark:3.5");
	assert_string_equal(own, "registry/other:1");
}

#define WITH_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* The chain of SDK 1 and that of SDK 2 are called differently; the user's word wins. */
static void test_spark_kubernetes_app__lets_pods_be_who_they_are(void **state)
{
	static const struct {
		const char *image, *kwargs, *provider;
	} cases[] = {
		{ "apache/spark:3.5.9", NULL,
		  "com.amazonaws.auth.DefaultAWSCredentialsProviderChain" },
		{ "apache/spark:4.3.0", NULL,
		  "software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider" },
		{ "apache/spark:4.3.0", "mine", "mine" },
	};
	struct app_test *test = *state;
	json_t *options = test->component.options;

	test->store.own_identity = true;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_object_set_new(options, "docker_parent_image", json_string(cases[i].image));
		json_object_set_new(options, "submit_kwargs",
		                    json_pack("{s:s*}",
		                              "spark.hadoop.fs.s3a.aws.credentials.provider",
		                              cases[i].kwargs));
		assert_property(test, "spark.hadoop.fs.s3a.aws.credentials.provider",
		                cases[i].provider);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TEST(test_spark_kubernetes_app__is_as_the_golden_file),
		WITH_TEST(test_spark_kubernetes_app__labels_every_object_with_its_attempt),
		WITH_TEST(test_spark_kubernetes_app__lets_pods_be_who_they_are),
		WITH_TEST(test_spark_kubernetes_app__has_the_same_names_for_the_same_attempt),
		WITH_TEST(test_spark_kubernetes_app__shows_secret_values_in_the_secret_alone),
		WITH_TEST(test_spark_kubernetes_app__makes_no_secret_of_nothing),
		WITH_TEST(test_spark_kubernetes_app__carries_runtime_code_and_contract),
		WITH_TEST(test_spark_kubernetes_app__runs_a_program_as_it_is),
		WITH_TEST(test_spark_kubernetes_app__lets_settings_win_over_the_component),
		WITH_TEST(test_spark_kubernetes_app__lets_settings_unset_what_the_component_says),
		WITH_TEST(test_spark_kubernetes_app__lets_settings_win_over_the_store),
		WITH_TEST(test_spark_kubernetes_app__gives_the_environment_to_driver_and_executors),
		WITH_TEST(test_spark_kubernetes_app__is_made_for_the_release_of_its_image),
		WITH_TEST(test_spark_kubernetes_app__names_the_operator_whose_kwargs_are_wrong),
		WITH_TEST(test_spark_kubernetes_app__leaves_the_code_to_an_image_that_has_it),
		WITH_TEST(test_spark_kubernetes_app__pulls_its_image_by_a_secret_of_its_own),
		WITH_TEST(test_spark_kubernetes_app__pulls_by_the_secret_that_the_user_has),
		WITH_TEST(test_spark_kubernetes_app__keeps_wheels_on_a_path_that_the_user_sets),
		WITH_TEST(test_spark_kubernetes_app__refuses_a_second_image_beside_its_own),
		WITH_TEST(test_spark_kubernetes_parent_image__is_what_the_step_would_run_from),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
