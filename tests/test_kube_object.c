/* SPDX-License-Identifier: Apache-2.0 */
/* submit/kube_object: what all Kubernetes objects have in common. */
#include "tests/test.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_object.h"

static void test_kube_object_label_value__keeps_what_is_valid(void **state)
{
	static const char *const valid[] = {
		"a",       "spark_pipeline",
		"A.b-c_d", "0123456789abcdef",
		"",        "a23456789012345678901234567890123456789012345678901234567890123",
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(valid); i++) {
		scoped(text) char *value = kube_object_label_value(valid[i]);

		assert_string_equal(value, valid[i]);
	}
}

static void test_kube_object_label_value__makes_the_rest_valid_and_distinct(void **state)
{
	static const char *const odd[] = {
		"a b",
		"a/b",
		"-a",
		"a-",
		"\xc3\xa4",
		"_",
		"...",
		"a234567890123456789012345678901234567890123456789012345678901234",
		"a2345678901234567890123456789012345678901234567890123456789012345",
	};
	json_auto_t *seen = json_object();
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		scoped(text) char *value = kube_object_label_value(odd[i]);
		scoped(text) char *again = kube_object_label_value(value);

		assert_string_equal(again, value);
		assert_true(strlen(value) <= 63);
		assert_null(json_object_get(seen, value));
		json_object_set_new(seen, value, json_true());
	}
}

static void test_kube_object_is_subdomain__follows_rfc_1123(void **state)
{
	scoped(text) char *longest = text_printf("%0253d", 1);
	scoped(text) char *longer = text_printf("%0254d", 1);

	(void)state;
	assert_true(kube_object_is_subdomain("a"));
	assert_true(kube_object_is_subdomain("a-1.b.c2"));
	assert_true(kube_object_is_subdomain(longest));
	assert_false(kube_object_is_subdomain(longer));
	assert_false(kube_object_is_subdomain(""));
	assert_false(kube_object_is_subdomain("a."));
	assert_false(kube_object_is_subdomain(".a"));
	assert_false(kube_object_is_subdomain("a..b"));
	assert_false(kube_object_is_subdomain("-a"));
	assert_false(kube_object_is_subdomain("a_b"));
	assert_false(kube_object_is_subdomain("A"));
	assert_true(kube_object_is_label("a-b"));
	assert_false(kube_object_is_label("a.b"));
}

static void test_kube_object_owner_patch__makes_a_pod_the_controller(void **state)
{
	json_auto_t *pod = kube_object_new("v1", "Pod", "ns", "driver", NULL);
	json_auto_t *map = kube_object_new("v1", "ConfigMap", "ns", "map", NULL);
	json_auto_t *patch = NULL;
	scoped(text) char *text = NULL;

	(void)state;
	json_object_set_new(json_object_get(pod, "metadata"), "uid", json_string("u-1"));
	assert_false(kube_object_is_owned_by(map, pod));
	patch = kube_object_owner_patch(pod);
	json_object_update_recursive(map, patch);
	text = json_dumps(patch, JSON_COMPACT);

	assert_true(kube_object_is_owned_by(map, pod));
	assert_string_equal(text,
	                    "{\"metadata\":{\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":"
	                    "\"Pod\",\"name\":\"driver\",\"uid\":\"u-1\",\"controller\":true}]}}");
}

static void test_kube_object_hide_secrets__leaves_the_keys(void **state)
{
	json_auto_t *objects = json_pack("[{s:s, s:{s:s}, s:{s:s}}, {s:s, s:{s:s}}]", "kind",
	                                 "Secret", "data", "a", "aGlkZGVu", "stringData", "b",
	                                 "hidden", "kind", "ConfigMap", "data", "c", "shown");
	scoped(text) char *text = NULL;

	(void)state;
	kube_object_hide_secrets(objects);
	text = json_dumps(objects, JSON_COMPACT);

	assert_string_equal(text, "[{\"kind\":\"Secret\",\"data\":{\"a\":\"<hidden>\"},"
	                          "\"stringData\":{\"b\":\"<hidden>\"}},"
	                          "{\"kind\":\"ConfigMap\",\"data\":{\"c\":\"shown\"}}]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kube_object_hide_secrets__leaves_the_keys),
		cmocka_unit_test(test_kube_object_label_value__keeps_what_is_valid),
		cmocka_unit_test(test_kube_object_label_value__makes_the_rest_valid_and_distinct),
		cmocka_unit_test(test_kube_object_is_subdomain__follows_rfc_1123),
		cmocka_unit_test(test_kube_object_owner_patch__makes_a_pod_the_controller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
