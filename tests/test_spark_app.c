/* SPDX-License-Identifier: Apache-2.0 */
/* submit/spark_app: the names of an application's objects. */
#include "tests/test.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_object.h"
#include "submit/spark_app.h"

static void test_spark_app_name_label__follows_spark(void **state)
{
	static const struct {
		const char *name, *label;
	} cases[] = {
		{ "spark-pi", "spark-pi" },
		{ "A_B", "a-b" },
		{ "9lives", "9lives" },
		{ "___", "" },
		{ "  -lead-trail-  ", "lead-trail" },
		{ "\xc3\xbcn\xc3\xaf"
		  "code name",
		  "n-code-name" },
		{ "1My App_Name.With  Odd--Chars and a very very long name that goes on and on and "
		  "on",
		  "1my-app-name-with-odd-chars-and-a-very-very-long-name-that-goes" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *label = spark_app_name_label(cases[i].name);

		assert_string_equal(label, cases[i].label);
	}
}

static void test_spark_app_complete__derives_the_prefix_as_spark_does(void **state)
{
	static const struct {
		const char *name, *prefix;
	} cases[] = {
		{ "A_B", "a-b-3da0000000000000" },
		{ "-lead-trail-", "lead-trail-3da0000000000000" },
		{ "9lives", "xlives-3da0000000000000" },
		{ "___", "xda0000000000000" },
		{ "\xc3\xbcn\xc3\xaf"
		  "code name",
		  "n-code-name-3da0000000000000" },
		{ "1My App_Name.With  Odd--Chars", "xmy-app-name-with-odd-chars-3da0000000000000" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct spark_app app = { .name = xstrdup(cases[i].name),
			                 .unique_id = xstrdup("3da0000000000000"),
			                 .conf = spark_conf_new() };

		spark_app_complete(&app);
		assert_string_equal(app.resource_prefix, cases[i].prefix);
		assert_string_equal(app.namespace, "default");
		assert_true(text_starts_with(app.app_id, "spark-"));
		assert_int_equal(strlen(app.app_id), strlen("spark-") + 32);
		spark_app_release(&app);
	}
}

static void test_spark_app_service_name__is_another_one_when_too_long(void **state)
{
	struct spark_app app = { .resource_prefix = xstrdup("a-prefix"), .conf = spark_conf_new() };
	scoped(text) char *name = spark_app_service_name(&app);
	scoped(text) char *long_name = NULL;

	(void)state;
	assert_string_equal(name, "a-prefix-driver-svc");
	free(app.resource_prefix);
	app.resource_prefix =
		xstrdup("a-prefix-that-is-too-long-for-a-service-by-one-single-letter");
	long_name = spark_app_service_name(&app);

	assert_true(text_starts_with(long_name, "spark-"));
	assert_true(text_ends_with(long_name, "-driver-svc"));
	assert_int_equal(strlen(long_name), strlen("spark--driver-svc") + 16);
	spark_app_release(&app);
}

static void test_spark_app_driver_name__may_be_chosen(void **state)
{
	struct spark_app app = { .resource_prefix = xstrdup("p"), .conf = spark_conf_new() };
	scoped(text) char *name = spark_app_driver_name(&app);
	scoped(text) char *chosen = NULL;

	(void)state;
	spark_conf_set(app.conf, "spark.kubernetes.driver.pod.name", "mine");
	chosen = spark_app_driver_name(&app);

	assert_string_equal(name, "p-driver");
	assert_string_equal(chosen, "mine");
	spark_app_release(&app);
}

static void test_spark_app_resource_prefix__says_what_runs(void **state)
{
	scoped(text) char *plain =
		spark_app_resource_prefix("spark_pipeline", "1a2b3c4d-0000-1111", "trainer", 1);
	scoped(text) char *digit = spark_app_resource_prefix("2nd", "1a2b3c4d", "load-data", 12);

	(void)state;
	assert_string_equal(plain, "spark-pipeline-1a2b3c4d-trainer-1");
	assert_string_equal(digit, "x2nd-1a2b3c4d-load-data-12");
}

static void test_spark_app_resource_prefix__fits_every_name_that_is_made_of_it(void **state)
{
	static const char *const words[] = {
		"a",
		"A",
		"",
		"___",
		"9",
		"step.with/odd signs",
		"a_step_whose_name_is_far_longer_than_any_pod_could_ever_bear_it",
		"another-step-whose-name-is-far-longer-than-any-pod-could-ever-bear-it",
		"\xe6\x97\xa5\xe6\x9c\xac",
	};
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(words); i++)
		for (j = 0; j < ARRAY_SIZE(words); j++) {
			scoped(text) char *prefix = spark_app_resource_prefix(
				words[i], "0123456789abcdef", words[j], 2147483647);
			scoped(text) char *service = text_printf("%s-driver-svc", prefix);
			scoped(text) char *executor = text_printf("%s-exec-9999", prefix);

			assert_true(prefix[0] >= 'a' && prefix[0] <= 'z');
			assert_true(kube_object_is_label(service));
			assert_true(kube_object_is_label(executor));
			assert_null(strstr(prefix, "--"));
		}
}

static void test_spark_app_resource_prefix__tells_cut_names_apart(void **state)
{
	static const char long_step[] = "a-step-whose-name-is-longer-than-a-pod-could-bear";
	scoped(text) char *step = text_printf("%s-b", long_step);
	scoped(text) char *a = spark_app_resource_prefix("pipeline", "0123456789ab", long_step, 1);
	scoped(text) char *b = spark_app_resource_prefix("pipeline", "0123456789ab", step, 1);
	scoped(text) char *c = spark_app_resource_prefix("pipeline", "0123456789ab", long_step, 2);
	scoped(text) char *again =
		spark_app_resource_prefix("pipeline", "0123456789ab", long_step, 1);
	scoped(text) char *upper = spark_app_resource_prefix("p", "0123456789ab", "Train", 1);
	scoped(text) char *lower = spark_app_resource_prefix("p", "0123456789ab", "train", 1);

	(void)state;
	assert_string_not_equal(a, b);
	assert_string_not_equal(a, c);
	assert_string_equal(a, again);
	assert_string_not_equal(upper, lower);
	assert_non_null(strstr(a, "-01234567-"));
}

static void test_spark_app_complete__gives_a_submission_id_the_same_names_again(void **state)
{
	struct spark_app apps[3] = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(apps); i++) {
		apps[i].name = xstrdup("nightly");
		apps[i].submission_id = xstrdup(i < 2 ? "2026-11-25" : "2026-11-26");
		apps[i].conf = spark_conf_new();
		spark_app_complete(&apps[i]);
	}

	assert_string_equal(apps[0].app_id, apps[1].app_id);
	assert_string_equal(apps[0].resource_prefix, apps[1].resource_prefix);
	assert_string_not_equal(apps[0].resource_prefix, apps[2].resource_prefix);
	for (i = 0; i < ARRAY_SIZE(apps); i++)
		spark_app_release(&apps[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spark_app_name_label__follows_spark),
		cmocka_unit_test(test_spark_app_complete__derives_the_prefix_as_spark_does),
		cmocka_unit_test(
			test_spark_app_complete__gives_a_submission_id_the_same_names_again),
		cmocka_unit_test(test_spark_app_service_name__is_another_one_when_too_long),
		cmocka_unit_test(test_spark_app_driver_name__may_be_chosen),
		cmocka_unit_test(test_spark_app_resource_prefix__says_what_runs),
		cmocka_unit_test(
			test_spark_app_resource_prefix__fits_every_name_that_is_made_of_it),
		cmocka_unit_test(test_spark_app_resource_prefix__tells_cut_names_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
