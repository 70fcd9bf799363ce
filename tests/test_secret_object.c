/* SPDX-License-Identifier: Apache-2.0 */
/* stacks/secret_object: secrets as objects of Kubernetes. */
#include "tests/test.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "stacks/secret.h"
#include "stacks/secret_object.h"
#include "submit/kube_object.h"

static void test_secret_object_name__is_one_of_kubernetes_and_of_one_secret_only(void **state)
{
	static const struct {
		const char *name, *object;
	} cases[] = {
		{ "rds", "team-rds" },
		{ "s3_authentication", "team-s3.authentication" },
		{ "s3-authentication", "team-s3-authentication" },
	};
	static const char *const odd[] = { "RDS", "Rds", "a__b", "a_", "a-", "a_-b" };
	scoped(text) char *previous = xstrdup("");
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *object = secret_object_name("team-", cases[i].name);

		assert_string_equal(object, cases[i].object);
	}
	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		scoped(text) char *object = secret_object_name("", odd[i]);

		assert_true(kube_object_is_subdomain(object));
		assert_string_not_equal(object, previous);
		free(previous);
		previous = take(object);
	}
}

static void test_secret_object_new__is_read_back(void **state)
{
	json_auto_t *values =
		json_pack("{s:s, s:s}", "user", "me", "password", "gr\xc3\xbc\xc3\x9f\n");
	json_auto_t *object = secret_object_new("rds.auth", "rds_auth", "mysql", values);
	json_auto_t *plain = secret_object_new("plain", "plain", NULL, values);
	json_auto_t *expected = json_pack("{s:s, s:s, s:[s, s]}", "name", "rds_auth", "schema",
	                                  "mysql", "keys", "user", "password");
	json_auto_t *described = secret_object_describe(object);
	json_auto_t *described_plain = secret_object_describe(plain);
	scoped(error) struct error *err = NULL;
	json_auto_t *read = secret_object_values(object, &err);
	scoped(text) char *text = json_dumps(object, 0);

	(void)state;
	assert_ok(read, err);
	assert_true(json_equal(read, values));
	assert_true(secret_object_is_own(object));
	assert_true(json_equal(described, expected));
	assert_true(json_is_null(json_object_get(described_plain, "schema")));
	assert_null(strstr(text, "gr\xc3"));
}

static void test_secret_object_change__removes_what_is_not_given(void **state)
{
	json_auto_t *object =
		json_pack("{s:{s:s, s:s}, s:{s:s, s:s}}", "metadata", "name", "x",
	                  "resourceVersion", "17", "data", "old", "eA==", "kept", "eA==");
	json_auto_t *values = json_pack("{s:s, s:s}", "kept", "y", "new", "z");
	json_auto_t *change = secret_object_change(object, NULL, values);
	json_auto_t *expected = json_pack(
		"{s:{s:s, s:{s:n}}, s:{s:s, s:s, s:n}}", "metadata", "resourceVersion", "17",
		"annotations", "stepop.dev/schema", "data", "kept", "eQ==", "new", "eg==", "old");

	(void)state;
	assert_true(json_equal(change, expected));
}

static void test_secret_object_values__refuse_what_is_no_text(void **state)
{
	static const char *const bad[] = { "/w==", "AA==", "not base64!" };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		json_auto_t *object = json_pack("{s:{s:s}}", "data", "blob", bad[i]);
		scoped(error) struct error *err = NULL;

		assert_null(secret_object_values(object, &err));
		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, "the value of 'blob' is no text");
	}
}

static void test_secret_object_is_own__tells_those_of_submissions_apart(void **state)
{
	json_auto_t *run = json_pack("{s:{s:{s:s}, s:{s:s}}}", "metadata", "labels",
	                             "app.kubernetes.io/managed-by", "stepop", "annotations",
	                             "stepop.dev/secret", "x");
	json_auto_t *bare = json_pack("{s:{s:{s:s}}}", "metadata", "labels",
	                              "stepop.dev/secrets-manager", "kubernetes");

	(void)state;
	assert_false(secret_object_is_own(run));
	assert_false(secret_object_is_own(bare));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_secret_object_name__is_one_of_kubernetes_and_of_one_secret_only),
		cmocka_unit_test(test_secret_object_new__is_read_back),
		cmocka_unit_test(test_secret_object_change__removes_what_is_not_given),
		cmocka_unit_test(test_secret_object_values__refuse_what_is_no_text),
		cmocka_unit_test(test_secret_object_is_own__tells_those_of_submissions_apart),
	};

	memory_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
