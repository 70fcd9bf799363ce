/* SPDX-License-Identifier: Apache-2.0 */
/* submit/spark_release: versions of Spark, from the command line and from image names. */
#include "tests/test.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/spark_release.h"

static void test_spark_release_complete__takes_the_newest_of_a_line(void **state)
{
	static const struct {
		const char *version, *complete;
	} cases[] = {
		{ "3.5", "3.5.9" },
		{ "4.0", "4.0.5" },
		{ "4.1", "4.1.4" },
		{ "4.2", "4.2.1" },
		{ "4.3", "4.3.0" },
		{ "3.5.0", "3.5.0" },
		{ "v3.5.1", "3.5.1" },
		{ "v4.2", "4.2.1" },
		{ "4.3.7", "4.3.7" },
		{ "4.0.0-preview1", "4.0.0-preview1" },
		{ "3.5.2-amzn-0", "3.5.2-amzn-0" },
		{ "4.1.0.dev0", "4.1.0.dev0" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(error) struct error *err = NULL;
		scoped(text) char *complete = spark_release_complete(cases[i].version, &err);

		assert_ok(complete, err);
		assert_string_equal(complete, cases[i].complete);
	}
}

static void test_spark_release_check__refuses_what_is_not_known(void **state)
{
	static const struct {
		const char *version, *part;
	} cases[] = {
		{ "4.4", "Spark 4.4 is not known" },
		{ "5.0.0", "known are 3.5, 4.0, 4.1, 4.2, 4.3" },
		{ "3.4.3", "Spark 3.4.3 is not known" },
		{ "2.13", "Spark 2.13 is not known" },
		{ "", "'' is no version of Spark" },
		{ "4", "'4' is no version" },
		{ "latest", "'latest' is no version" },
		{ "4.", "'4.' is no version" },
		{ "4.3.", "'4.3.' is no version" },
		{ "4.3-preview", "'4.3-preview' is no version" },
		{ "4.3.0 ", "'4.3.0 ' is no version" },
		{ "4.3.0-", "'4.3.0-' is no version" },
		{ "4.3.0+x", "'4.3.0+x' is no version" },
		{ "4.3.0000", "'4.3.0000' is no version" },
		{ "4.3.0-0123456789012345678901234567890123456789012345678901234567",
		  "is no version" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(error) struct error *err = NULL;

		assert_false(spark_release_check(cases[i].version, &err));
		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, cases[i].part);
	}
}

static void test_spark_release_has__grows_with_the_release(void **state)
{
	static const struct {
		enum spark_feature feature;
		const char *without, *with;
	} cases[] = {
		{ SPARK_SUBSTITUTES_LABELS, "3.5.9", "4.0.0" },
		{ SPARK_MINIMUM_OVERHEAD, "3.5", "4.0" },
		{ SPARK_CLAIMS_FOR_ONE_POD, "v3.5.9", "v4.0.0" },
		{ SPARK_VOLUME_DETAILS, "3.5.9", "4.0.0-preview1" },
		{ SPARK_CONNECT_PORT, "4.0.5", "4.1.0" },
		{ SPARK_SUBSTITUTES_IMAGES, "4.0.5", "4.2.1" },
		{ SPARK_FORGETS_PYTHON_VERSION, "4.0.5", "4.1.0" },
		{ SPARK_EXCLUDES_STEPS, "4.0.5", "4.1.4" },
		{ SPARK_BINARY_UNITS, "4.1.4", "4.2.0" },
		{ SPARK_NETWORK_POLICY, "4.1.4", "4.2.0" },
		{ SPARK_PRIVILEGE_ESCALATION, "4.2.1", "4.3.0" },
		{ SPARK_SERVICE_DETAILS, "4.2.1", "4.3.0" },
		{ SPARK_USER_IS_PROXY_USER, "4.2.1", "4.3.0" },
		{ SPARK_POD_GROUP_IN_LINE, "4.1.4", "4.2.0" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_false(spark_release_has(cases[i].without, cases[i].feature));
		assert_true(spark_release_has(cases[i].with, cases[i].feature));
		assert_false(spark_release_has("9.9.9", cases[i].feature));
	}
}

static void test_spark_release_of_image__finds_what_the_name_says(void **state)
{
	static const struct {
		const char *image, *version;
	} cases[] = {
		{ "apache/spark:4.3.0-scala2.13-java17-python3-ubuntu", "4.3.0" },
		{ "spark:3.5.9", "3.5.9" },
		{ "registry:5000/spark-py:v3.5.1", "3.5.1" },
		{ "my/spark-4.1", "4.1" },
		{ "my/Spark4.1:latest", "4.1" },
		{ "registry.example.com/etl:7-spark3.5", "3.5" },
		{ "team/etl:2.0.1-spark-4.2.1", "4.2.1" },
		{ "my/spark-etl:2.0.1-spark4.0", "4.0" },
		{ "my/spark-4.1.4@sha256:3.5.1", "4.1.4" },
		{ "spark:4.0.0-preview1", "4.0.0" },
		{ "spark:4.4.0", "4.4.0" },
		{ "apache/spark-r:v3.4.2", "3.4.2" },
		{ "registry:5000/spark", NULL },
		{ "spark:latest", NULL },
		{ "spark:java17-scala2.13", NULL },
		{ "spark:python3.5", NULL },
		{ "my/spark-etl:7.1.0", NULL },
		{ "team/etl:4.1.0", NULL },
		{ "spark.example.com:3.5/etl", NULL },
		{ "spark:4", NULL },
		{ "", NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *version = spark_release_of_image(cases[i].image);

		assert_string_equal(version ? version : "(none)",
		                    cases[i].version ? cases[i].version : "(none)");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spark_release_complete__takes_the_newest_of_a_line),
		cmocka_unit_test(test_spark_release_check__refuses_what_is_not_known),
		cmocka_unit_test(test_spark_release_has__grows_with_the_release),
		cmocka_unit_test(test_spark_release_of_image__finds_what_the_name_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
