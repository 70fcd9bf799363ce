/* SPDX-License-Identifier: Apache-2.0 */
/* submit/rbac: the manifests of rbac/. tests/api/test_api_submission.c applies them. */
#include "tests/test.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_object.h"
#include "submit/rbac.h"

static const struct rbac_options options = { .namespace = "spark-namespace",
	                                     .service_account = "spark" };

/* "verb resource" of each right of `who`, in order. */
static char *rights_text(const json_t *rights, const char *who)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	const json_t *right;
	size_t i;

	json_array_foreach (rights, i, right)
		if (text_equal(json_string_value(json_object_get(right, "who")), who))
			fprintf(out, "%s %s; ", json_string_value(json_object_get(right, "verb")),
			        json_string_value(json_object_get(right, "resource")));
	return text_stream_take(&stream);
}

static void test_rbac_objects__are_in_an_order_in_which_they_can_be_applied(void **state)
{
	static const char *const kinds[] = { "Namespace", "ServiceAccount", "Role", "RoleBinding" };
	scoped(error) struct error *err = NULL;
	json_auto_t *objects = rbac_objects(&options, &err);
	size_t i;

	(void)state;
	assert_ok(objects, err);
	assert_int_equal(json_array_size(objects), ARRAY_SIZE(kinds));
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		const json_t *object = json_array_get(objects, i);

		assert_string_equal(kube_object_kind(object), kinds[i]);
		assert_string_equal(kube_object_label(object, "app.kubernetes.io/managed-by"),
		                    "stepop");
		if (i > 0)
			assert_string_equal(kube_object_namespace(object), "spark-namespace");
	}
	assert_string_equal(kube_object_name(json_array_get(objects, 0)), "spark-namespace");
	assert_string_equal(kube_object_name(json_array_get(objects, 1)), "spark");
}

static void test_rbac_objects__bind_the_submitter_that_is_named(void **state)
{
	struct rbac_options with_user = options;
	scoped(error) struct error *err = NULL;
	json_auto_t *objects = NULL;
	const json_t *binding, *subject;

	(void)state;
	with_user.submitter = "system:serviceaccount:ci:runner";
	objects = rbac_objects(&with_user, &err);
	assert_ok(objects, err);
	assert_int_equal(json_array_size(objects), 6);
	binding = json_array_get(objects, 5);
	subject = json_array_get(json_object_get(binding, "subjects"), 0);

	assert_string_equal(kube_object_kind(subject), "User");
	assert_string_equal(json_string_value(json_object_get(subject, "name")),
	                    "system:serviceaccount:ci:runner");
	assert_true(kube_object_is_subdomain(kube_object_name(binding)));
}

static void test_rbac_objects__cannot_be_changed_by_a_name(void **state)
{
	struct rbac_options odd = options;
	scoped(error) struct error *err = NULL;
	json_auto_t *objects = NULL;
	const json_t *subjects;

	(void)state;
	odd.submitter_group = "x\", \"kind\": \"User\n- kind: User # ${namespace}";
	objects = rbac_objects(&odd, &err);
	assert_ok(objects, err);
	subjects = json_object_get(json_array_get(objects, 5), "subjects");

	assert_int_equal(json_array_size(subjects), 1);
	assert_string_equal(kube_object_kind(json_array_get(subjects, 0)), "Group");
	assert_string_equal(json_string_value(json_object_get(json_array_get(subjects, 0), "name")),
	                    odd.submitter_group);
}

static void test_rbac_objects__refuse_names_that_kubernetes_refuses(void **state)
{
	struct rbac_options odd = options;
	scoped(error) struct error *err = NULL;

	(void)state;
	odd.namespace = "Upper";
	assert_null(rbac_objects(&odd, &err));
	assert_int_equal(err->kind, ERROR_INVALID);

	odd = options;
	odd.submitter = "a";
	odd.submitter_group = "b";
	assert_null(rbac_objects(&odd, NULL));
}

static void test_rbac_fill_in__refuses_an_unknown_placeholder(void **state)
{
	json_auto_t *value = json_pack("{s:[s]}", "a", "x-${typo}");
	json_auto_t *values = json_pack("{s:s}", "namespace", "n");
	scoped(error) struct error *err = NULL;

	(void)state;
	assert_null(rbac_fill_in(value, values, &err));
	assert_error_contains(err, "'${typo}'");
}

static void test_rbac_rights__of_the_driver_are_what_spark_needs_and_no_more(void **state)
{
	scoped(error) struct error *err = NULL;
	json_auto_t *rights = rbac_rights(&options, &err);
	scoped(text) char *driver =
		rights_text(rights, "system:serviceaccount:spark-namespace:spark");

	(void)state;
	assert_ok(rights, err);
	assert_string_equal(
		driver,
		"create pods; get pods; list pods; watch pods; patch pods; delete pods; "
		"deletecollection pods; create configmaps; get configmaps; deletecollection "
		"configmaps; deletecollection services; create persistentvolumeclaims; list "
		"persistentvolumeclaims; patch persistentvolumeclaims; deletecollection "
		"persistentvolumeclaims; ");
}

static void test_rbac_rights__of_the_submitter_are_ones_own_unless_he_is_named(void **state)
{
	struct rbac_options with_user = options;
	json_auto_t *own = rbac_rights(&options, NULL);
	json_auto_t *named = NULL;
	scoped(text) char *mine = rights_text(own, "you");
	scoped(text) char *his = NULL;

	(void)state;
	with_user.submitter = "alice";
	named = rbac_rights(&with_user, NULL);
	his = rights_text(named, "alice");

	assert_string_equal(mine, his);
	assert_non_null(strstr(mine, "get pods/log; "));
	assert_non_null(strstr(mine, "patch secrets; "));
	assert_non_null(strstr(mine, "create networkpolicies; get networkpolicies; patch "
	                             "networkpolicies; delete networkpolicies; "));
	assert_non_null(strstr(mine, "create podgroups; "));
	assert_null(strstr(mine, "list secrets; "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rbac_objects__are_in_an_order_in_which_they_can_be_applied),
		cmocka_unit_test(test_rbac_objects__bind_the_submitter_that_is_named),
		cmocka_unit_test(test_rbac_objects__cannot_be_changed_by_a_name),
		cmocka_unit_test(test_rbac_objects__refuse_names_that_kubernetes_refuses),
		cmocka_unit_test(test_rbac_fill_in__refuses_an_unknown_placeholder),
		cmocka_unit_test(test_rbac_rights__of_the_driver_are_what_spark_needs_and_no_more),
		cmocka_unit_test(
			test_rbac_rights__of_the_submitter_are_ones_own_unless_he_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
