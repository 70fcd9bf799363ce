/* SPDX-License-Identifier: Apache-2.0 */
/* submit/quota_room and submit/kube_quantity: room for an application, in Kubernetes' amounts. */
#include "tests/test.h"

#include <string.h>

#include "core/memory.h"
#include "submit/kube_quantity.h"
#include "submit/quota_room.h"

static void test_kube_quantity_parse__follows_the_grammar_of_kubernetes(void **state)
{
	static const struct {
		const char *text;
		double amount;
	} cases[] = {
		{ "2", 2 },          { "500m", 0.5 },   { "1e3", 1000 },      { "1E3", 1000 },
		{ "1E", 1e18 },      { "4Gi", 0x1p32 }, { "1.5Mi", 1572864 }, { "100k", 1e5 },
		{ "250u", 0.00025 }, { ".5", 0.5 },     { "+1", 1 },          { "0", 0 },
	};
	static const char *const bad[] = { "",    "Gi",   "4 Gi", "0x10", "inf",
		                           "nan", "1KiB", "4g",   " 1" };
	double amount;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(kube_quantity_parse(cases[i].text, &amount));
		assert_true(amount > cases[i].amount * 0.999999 - 1e-12 &&
		            amount < cases[i].amount * 1.000001 + 1e-12);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(kube_quantity_parse(bad[i], &amount));
}

static void test_kube_quantity_text__is_for_people(void **state)
{
	static const struct {
		double amount;
		bool is_bytes;
		const char *text;
	} cases[] = {
		{ 2, false, "2" },
		{ 0.25, false, "0.25" },
		{ 1610612736, true, "1.50Gi" },
		{ 314572800, true, "300Mi" },
		{ 1023, true, "1023" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *text = kube_quantity_text(cases[i].amount, cases[i].is_bytes);

		assert_string_equal(text, cases[i].text);
	}
}

static const struct quota_demand demands[] = {
	{ .what = "driver",
	  .count = 1,
	  .cpu = 1,
	  .memory_bytes = 0x1p30,
	  .memory_limit_bytes = 0x1p30 },
	{ .what = "executor",
	  .count = 3,
	  .cpu = 2,
	  .cpu_limit = 4,
	  .memory_bytes = 0x1p31,
	  .memory_limit_bytes = 0x1p31 },
};

static void assert_lacks(const char *quotas, const char *ranges, const char *expected)
{
	json_auto_t *quota_array = json_loads(quotas, 0, NULL),
		    *range_array = json_loads(ranges, 0, NULL);
	json_auto_t *lacks = NULL, *wanted = json_loads(expected, 0, NULL);

	assert_non_null(quota_array);
	assert_non_null(range_array);
	assert_non_null(wanted);
	lacks = quota_room_lacks(quota_array, range_array, demands, ARRAY_SIZE(demands));
	if (!json_equal(lacks, wanted)) {
		scoped(text) char *text = json_dumps(lacks, 0);

		print_error("%s\n", text);
		fail();
	}
}

#define QUOTA(spec, used)                                        \
	"[{\"metadata\": {\"name\": \"team\"}, \"spec\": {" spec \
	"}, \"status\": {\"used\": {" used "}}}]"
#define RANGE(limit) \
	"[{\"metadata\": {\"name\": \"small\"}, \"spec\": {\"limits\": [{" limit "}]}}]"

static void test_quota_room_lacks__sums_up_all_pods(void **state)
{
	static const struct {
		const char *quotas, *expected;
	} cases[] = {
		{ "[]", "[]" },
		{ QUOTA("\"hard\": {\"pods\": \"10\", \"requests.memory\": \"7Gi\"}", ""), "[]" },
		{ QUOTA("\"hard\": {\"pods\": \"10\"}", "\"pods\": \"7\""),
		  "[\"pods: 4 needed, quota 'team' has 3 of 10 left\"]" },
		{ QUOTA("\"hard\": {\"requests.memory\": \"10Gi\", \"cpu\": 8}",
		        "\"requests.memory\": \"4Gi\", \"cpu\": \"1500m\""),
		  "[\"cpu: 7 needed, quota 'team' has 6.50 of 8 left\", "
		  "\"requests.memory: 7Gi needed, quota 'team' has 6Gi of 10Gi left\"]" },
		{ QUOTA("\"hard\": {\"limits.cpu\": \"2\"}", "\"limits.cpu\": \"3\""),
		  "[\"limits.cpu: 12 needed, quota 'team' has 0 of 2 left\"]" },
		{ QUOTA("\"hard\": {\"pods\": \"1\"}, \"scopes\": [\"BestEffort\"]", ""), "[]" },
		{ QUOTA("\"hard\": {\"pods\": \"1\"}, \"scopes\": [\"NotBestEffort\"]", ""),
		  "[\"pods: 4 needed, quota 'team' has 1 of 1 left\"]" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		assert_lacks(cases[i].quotas, "[]", cases[i].expected);
}

static void test_quota_room_lacks__holds_each_pod_against_limit_ranges(void **state)
{
	static const struct {
		const char *ranges, *expected;
	} cases[] = {
		{ RANGE("\"type\": \"Container\", \"max\": {\"memory\": \"2Gi\", \"cpu\": \"4\"}"),
		  "[]" },
		{ RANGE("\"type\": \"Container\", \"max\": {\"memory\": \"1Gi\"}"),
		  "[\"memory: 2Gi for each executor, limit range 'small' allows 1Gi\"]" },
		{ RANGE("\"type\": \"Pod\", \"max\": {\"cpu\": \"3\"}"),
		  "[\"cpu: 4 for each executor, limit range 'small' allows 3\"]" },
		{ RANGE("\"type\": \"PersistentVolumeClaim\", \"max\": {\"memory\": \"1\"}"),
		  "[]" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		assert_lacks("[]", cases[i].ranges, cases[i].expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kube_quantity_parse__follows_the_grammar_of_kubernetes),
		cmocka_unit_test(test_kube_quantity_text__is_for_people),
		cmocka_unit_test(test_quota_room_lacks__sums_up_all_pods),
		cmocka_unit_test(test_quota_room_lacks__holds_each_pod_against_limit_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
