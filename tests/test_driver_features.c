/* SPDX-License-Identifier: Apache-2.0 */
/* submit/driver_features, driver_pod_group: Spark's steps by name, and Volcano's. */
#include "tests/test.h"

#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_pod.h"
#include "submit/kube_client.h"
#include "submit/kube_object.h"
#include "tests/fakes/spark_objects.h"

#define PACKAGE "org.apache.spark.deploy.k8s.features."
#define ADDED "spark.kubernetes.driver.pod.featureSteps"
#define EXCLUDED "spark.kubernetes.driver.pod.excludedFeatureSteps"
#define VOLCANO PACKAGE "VolcanoFeatureStep"
#define TEMPLATE_FILE "spark.kubernetes.scheduler.volcano.podGroupTemplateFile"
#define TEMPLATE_TEXT "spark.kubernetes.scheduler.volcano.podGroupTemplateJson"

static struct spark_app app_of(const char *version)
{
	struct spark_app app = spark_objects_python_app();

	app.spark_version = xstrdup(version);
	app.app_id = xstrdup("spark-1");
	app.labels = json_pack("{s:s}", "stepop.dev/run", "r");
	return app;
}

/* Fails the test unless these properties are INVALID, with `part` in the error. */
static void assert_refused(struct spark_app *app, const char *part)
{
	scoped(error) struct error *err = NULL;

	assert_null(driver_objects_build(app, &err));
	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, part);
}

static void test_driver_steps__leave_out_what_is_excluded(void **state)
{
	static const char both[] =
		PACKAGE "NetworkPolicyFeatureStep, " PACKAGE "DriverServiceFeatureStep";
	struct spark_app app = app_of("4.2.1");
	json_auto_t *with = spark_objects_built(&app);
	json_auto_t *without = NULL;
	json_auto_t *properties = NULL;

	(void)state;
	spark_conf_set(app.conf, EXCLUDED, both);
	without = spark_objects_built(&app);
	properties = spark_objects_properties(without);

	assert_non_null(spark_objects_of_kind(with, "NetworkPolicy"));
	assert_non_null(spark_objects_of_kind(with, "Service"));
	assert_null(spark_objects_of_kind(without, "NetworkPolicy"));
	assert_null(spark_objects_of_kind(without, "Service"));
	assert_null(json_object_get(properties, "spark.driver.host"));
	assert_string_equal(json_string_value(json_object_get(properties, EXCLUDED)), both);
	spark_app_release(&app);
}

static void test_driver_steps__leave_out_nothing_before_4_1(void **state)
{
	struct spark_app app = app_of("4.0.5");
	json_auto_t *objects = NULL;

	(void)state;
	spark_conf_set(app.conf, EXCLUDED, PACKAGE "DriverServiceFeatureStep,no.such.Step");
	objects = spark_objects_built(&app);

	assert_non_null(spark_objects_of_kind(objects, "Service"));
	spark_app_release(&app);
}

static void test_driver_steps__refuse_names_that_they_do_not_know(void **state)
{
	static const struct {
		const char *property, *class, *part;
	} cases[] = {
		{ EXCLUDED, "com.example.Step", "'com.example.Step' is none of the steps" },
		{ EXCLUDED, "NetworkPolicyFeatureStep", "'NetworkPolicyFeatureStep' is none" },
		{ EXCLUDED, PACKAGE "BasicDriverFeatureStep", "no driver without" },
		{ EXCLUDED, PACKAGE "DriverCommandFeatureStep", "no driver without" },
		{ ADDED, "com.example.Step", "'com.example.Step' is code for the JVM" },
		{ ADDED, VOLCANO ",com.example.Step", "'com.example.Step' is code for the JVM" },
		{ ADDED, PACKAGE "NetworkPolicyFeatureStep", "is code for the JVM" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct spark_app app = app_of("4.3.0");

		spark_conf_set(app.conf, cases[i].property, cases[i].class);
		assert_refused(&app, cases[i].part);
		spark_app_release(&app);
	}
}

static void test_driver_steps__pass_on_those_of_executors(void **state)
{
	struct spark_app app = app_of("4.3.0");
	json_auto_t *objects = NULL;
	json_auto_t *properties = NULL;

	(void)state;
	spark_conf_set(app.conf, "spark.kubernetes.executor.pod.featureSteps", "com.example.Step");
	objects = spark_objects_built(&app);
	properties = spark_objects_properties(objects);

	assert_string_equal(json_string_value(json_object_get(
				    properties, "spark.kubernetes.executor.pod.featureSteps")),
	                    "com.example.Step");
	spark_app_release(&app);
}

/* A file with this text, whose name the caller frees; deleted by the caller. */
static char *write_template(const char *text)
{
	char *path = xstrdup("/tmp/stepop-pod-group-XXXXXX");
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	return path;
}

static void test_driver_add_pod_group__merges_the_template(void **state)
{
	scoped(text) char *path = write_template("apiVersion: scheduling.volcano.sh/v1beta1\n"
	                                         "kind: PodGroup\n"
	                                         "metadata:\n"
	                                         "  name: dropped\n"
	                                         "  labels: {team: etl}\n"
	                                         "spec:\n"
	                                         "  minMember: 1\n"
	                                         "  minResources: {cpu: 4, memory: 5Gi}\n"
	                                         "  queue: default\n");
	struct spark_app app = app_of("3.5.9");
	json_auto_t *objects = NULL;
	const json_t *group, *pod;

	(void)state;
	spark_conf_set(app.conf, ADDED, VOLCANO);
	spark_conf_set(app.conf, TEMPLATE_FILE, path);
	spark_conf_set(app.conf, TEMPLATE_TEXT, "{spec: {queue: other}}");
	objects = spark_objects_built(&app);
	unlink(path);
	group = json_array_get(objects, 0);
	pod = driver_objects_pod(objects);

	assert_string_equal(kube_object_kind(group), "PodGroup");
	assert_non_null(
		kube_kind_find(spark_objects_text(group, "apiVersion"), kube_object_kind(group)));
	assert_string_equal(kube_object_name(group), "spark-1-podgroup");
	assert_string_equal(kube_object_namespace(group), "default");
	assert_string_equal(kube_object_label(group, "team"), "etl");
	assert_string_equal(kube_object_label(group, "stepop.dev/run"), "r");
	assert_string_equal(spark_objects_text(group, "spec.queue"), "default");
	assert_int_equal(json_integer_value(spark_objects_at(group, "spec.minMember")), 1);
	assert_string_equal(
		spark_objects_text(pod, "metadata.annotations.scheduling.k8s.io/group-name"),
		"spark-1-podgroup");
	spark_app_release(&app);
}

static void test_driver_add_pod_group__needs_no_template(void **state)
{
	struct spark_app app = app_of("4.3.0");
	json_auto_t *objects = NULL;
	const json_t *group;

	(void)state;
	spark_conf_set(app.conf, ADDED, VOLCANO);
	objects = spark_objects_built(&app);
	group = spark_objects_of_kind(objects, "PodGroup");

	assert_int_equal(json_object_size(json_object_get(group, "spec")), 0);
	spark_app_release(&app);
}

static void test_driver_add_pod_group__reads_a_template_in_line_since_4_2(void **state)
{
	static const struct {
		const char *version, *queue;
	} cases[] = { { "4.1.4", "(none)" }, { "4.2.0", "q" } };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct spark_app app = app_of(cases[i].version);
		json_auto_t *objects = NULL;

		spark_conf_set(app.conf, ADDED, VOLCANO);
		spark_conf_set(app.conf, TEMPLATE_TEXT, "{\"spec\": {\"queue\": \"q\"}}");
		objects = spark_objects_built(&app);

		assert_string_equal(spark_objects_text(spark_objects_of_kind(objects, "PodGroup"),
		                                       "spec.queue"),
		                    cases[i].queue);
		spark_app_release(&app);
	}
}

static void test_driver_add_pod_group__is_left_out_unless_asked_for(void **state)
{
	struct spark_app app = app_of("4.3.0");
	json_auto_t *none = NULL;
	json_auto_t *excluded = NULL;

	(void)state;
	spark_conf_set(app.conf, TEMPLATE_TEXT, "{\"spec\": {\"queue\": \"q\"}}");
	none = spark_objects_built(&app);
	spark_conf_set(app.conf, ADDED, VOLCANO);
	spark_conf_set(app.conf, EXCLUDED, VOLCANO);
	excluded = spark_objects_built(&app);

	assert_null(spark_objects_of_kind(none, "PodGroup"));
	assert_null(spark_objects_of_kind(excluded, "PodGroup"));
	assert_null(spark_objects_at(driver_objects_pod(excluded), "metadata.annotations"));
	spark_app_release(&app);
}

static void test_driver_add_pod_group__refuses_what_is_no_pod_group(void **state)
{
	static const struct {
		const char *property, *value, *part;
	} cases[] = {
		{ TEMPLATE_FILE, "/no/such/file.yaml", TEMPLATE_FILE },
		{ TEMPLATE_FILE, "s3a://bucket/group.yaml", "s3a://bucket/group.yaml" },
		{ TEMPLATE_TEXT, "[1]", "is no PodGroup" },
		{ TEMPLATE_TEXT, "{kind: Pod}", "is no PodGroup" },
		{ TEMPLATE_TEXT, "{apiVersion: v1}", "is no PodGroup" },
		{ TEMPLATE_TEXT, "{spec: 1}", "is no PodGroup" },
		{ TEMPLATE_TEXT, "{metadata: {labels: []}}", "is no PodGroup" },
		{ TEMPLATE_TEXT, "{spec: {", TEMPLATE_TEXT },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct spark_app app = app_of("4.3.0");
		scoped(error) struct error *err = NULL;

		spark_conf_set(app.conf, ADDED, VOLCANO);
		spark_conf_set(app.conf, cases[i].property, cases[i].value);
		assert_null(driver_objects_build(&app, &err));
		assert_error_contains(err, cases[i].part);
		spark_app_release(&app);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_driver_steps__leave_out_what_is_excluded),
		cmocka_unit_test(test_driver_steps__leave_out_nothing_before_4_1),
		cmocka_unit_test(test_driver_steps__refuse_names_that_they_do_not_know),
		cmocka_unit_test(test_driver_steps__pass_on_those_of_executors),
		cmocka_unit_test(test_driver_add_pod_group__merges_the_template),
		cmocka_unit_test(test_driver_add_pod_group__needs_no_template),
		cmocka_unit_test(test_driver_add_pod_group__reads_a_template_in_line_since_4_2),
		cmocka_unit_test(test_driver_add_pod_group__is_left_out_unless_asked_for),
		cmocka_unit_test(test_driver_add_pod_group__refuses_what_is_no_pod_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
