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

static void test_rbac_fill_in__puts_a_whole_value_in_the_place_of_its_name(void **state)
{
	json_auto_t *value = json_pack("[s, s]", "${subject}", "x-${name}");
	json_auto_t *values = json_pack("{s:{s:s}, s:s}", "subject", "kind", "User", "name", "n");
	json_auto_t *wanted = json_pack("[{s:s}, s]", "kind", "User", "x-n");
	json_auto_t *filled = rbac_fill_in(value, values, NULL);

	(void)state;
	assert_true(json_equal(filled, wanted));
}

/* "Kind/name; " of each, in order. */
static char *names_text(const struct rbac_options *of)
{
	scoped(error) struct error *err = NULL;
	json_auto_t *objects = rbac_objects(of, &err);
	struct text_stream stream;
	FILE *out;
	const json_t *object;
	size_t i;

	assert_ok(objects, err);
	out = text_stream_open(&stream);
	json_array_foreach (objects, i, object)
		fprintf(out, "%s/%s; ", kube_object_kind(object), kube_object_name(object));
	return text_stream_take(&stream);
}

static void test_rbac_objects__make_the_runner_and_bind_it_as_a_submitter(void **state)
{
	struct rbac_options of = options;
	scoped(text) char *names = NULL;
	json_auto_t *objects = NULL;
	json_auto_t *subject = json_pack("{s:s, s:s, s:s}", "kind", "ServiceAccount", "name",
	                                 "stepop", "namespace", "spark-namespace");
	const json_t *subjects;

	(void)state;
	of.runner = "stepop";
	names = names_text(&of);
	objects = rbac_objects(&of, NULL);
	subjects = json_object_get(json_array_get(objects, 6), "subjects");

	assert_non_null(strstr(names, "ServiceAccount/stepop; Role/stepop-submitter; "
	                              "RoleBinding/stepop-submitter-runner:stepop; "));
	assert_true(json_equal(json_array_get(subjects, 0), subject));
}

static void test_rbac_objects__hold_the_parts_that_are_asked_for(void **state)
{
	struct rbac_options of = options;
	scoped(text) char *driver = NULL, *both = NULL;

	(void)state;
	of.parts = RBAC_VOLUMES | RBAC_SECRETS;
	driver = names_text(&of);
	of.submitter_group = "team";
	both = names_text(&of);

	assert_string_equal(driver, "Namespace/spark-namespace; ServiceAccount/spark; "
	                            "Role/stepop-driver; RoleBinding/stepop-driver-spark; "
	                            "Role/stepop-driver-volumes; "
	                            "RoleBinding/stepop-driver-volumes:spark; ");
	assert_non_null(strstr(both, "; RoleBinding/stepop-submitter-group:team; "
	                             "Role/stepop-submitter-secrets; "
	                             "RoleBinding/stepop-submitter-secrets:group:team; "
	                             "Role/stepop-submitter-volumes; "
	                             "RoleBinding/stepop-submitter-volumes:group:team; "));
}

/* Whatever is asked for: no wildcard, no right beyond the namespace, none to grant rights. */
static void test_rbac_objects__never_grant_all_of_anything(void **state)
{
	struct rbac_options of = options;
	json_auto_t *objects = NULL;
	scoped(text) char *text = NULL;
	const json_t *object;
	size_t i;

	(void)state;
	of.parts = RBAC_ALL_PARTS;
	of.submitter = "alice";
	objects = rbac_objects(&of, NULL);
	assert_int_equal(json_array_size(objects), 22);
	json_array_foreach (objects, i, object) {
		scoped(text) char *rules =
			json_dumps(json_object_get(object, "rules"), JSON_COMPACT);

		assert_false(text_starts_with(kube_object_kind(object), "Cluster"));
		assert_false(rules && (strchr(rules, '*') || strstr(rules, "exec") ||
		                       strstr(rules, "\"rbac.") || strstr(rules, "bind") ||
		                       strstr(rules, "token") || strstr(rules, "impersonate")));
	}
}

static void test_rbac_objects__keep_the_runner_and_the_drivers_apart(void **state)
{
	struct rbac_options of = options;
	scoped(error) struct error *err = NULL;

	(void)state;
	of.runner = of.service_account;
	assert_null(rbac_objects(&of, &err));
	assert_error_contains(err, "drivers would have the runner's rights");
}

static void test_rbac_part_find__knows_every_part_by_its_name(void **state)
{
	static const char *const names[] = { "secrets",    "volumes",  "network-policies",
		                             "pod-groups", "resizing", "secrets-manager",
		                             "stack-check" };
	unsigned all = 0;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(names); i++)
		all |= rbac_part_find(names[i]);

	assert_int_equal(all, RBAC_ALL_PARTS);
	assert_int_equal(rbac_part_find("none"), 0);
}

static void test_rbac_parts_of__follow_from_the_objects(void **state)
{
	static const char volume[] = "spark.kubernetes.executor.volumes.persistentVolumeClaim.a.";
	static const struct {
		const char *kind, *properties;
		unsigned parts;
	} cases[] = {
		{ "Pod", "", 0 },
		{ "Secret", "", RBAC_SECRETS },
		{ "PersistentVolumeClaim", "", RBAC_VOLUMES },
		{ "NetworkPolicy", "", RBAC_NETWORK_POLICIES },
		{ "PodGroup", "", RBAC_POD_GROUPS },
		{ "ConfigMap", "options.claimName=data", 0 },
		{ "ConfigMap", "options.sizeLimit=1Gi\nx.claimName=OnDemand", 0 },
		{ "ConfigMap", "options.claimName=OnDemand", RBAC_VOLUMES },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *text = text_printf("a=b\n%s%s\n", volume, cases[i].properties);
		json_auto_t *objects = json_pack("[{s:s, s:{s:s}}]", "kind", cases[i].kind, "data",
		                                 "spark.properties", text);

		assert_int_equal(rbac_parts_of(objects), cases[i].parts);
	}
}

static json_t *role_of(const char *rules)
{
	json_t *parsed = json_loads(rules, 0, NULL);

	assert_non_null(parsed);
	return json_pack("{s:s, s:{s:s, s:{s:s}, s:s}, s:o}", "kind", "Role", "metadata", "name",
	                 "r", "labels", "a", "b", "uid", "1", "rules", parsed);
}

/* Rows of the differences between two lists of rules: "field server wanted; ". */
static char *differences(const char *stored_rules, const char *wanted_rules)
{
	json_auto_t *stored = stored_rules ? role_of(stored_rules) : NULL;
	json_auto_t *wanted = role_of(wanted_rules);
	json_auto_t *rows = json_array();
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	const json_t *row;
	size_t i;

	json_object_del(json_object_get(wanted, "metadata"), "uid");
	rbac_compare(stored, wanted, rows);
	json_array_foreach (rows, i, row) {
		const char *field = json_string_value(json_object_get(row, "field"));
		const char *server = json_string_value(json_object_get(row, "server"));
		const char *there = json_string_value(json_object_get(row, "wanted"));

		assert_string_equal(json_string_value(json_object_get(row, "object")), "Role/r");
		fprintf(out, "%s %s %s %s; ", json_string_value(json_object_get(row, "change")),
		        field ? field : "-", server ? server : "-", there ? there : "-");
	}
	return text_stream_take(&stream);
}

static void test_rbac_compare__tells_each_field_that_differs(void **state)
{
	static const char own[] = "[{\"verbs\":[\"get\",\"list\"]}]";
	static const struct {
		const char *stored, *differences;
	} cases[] = {
		{ own, "" },
		{ NULL, "create - - -; " },
		{ "[{\"verbs\":[\"list\",\"get\"]}]", "" },
		{ "[{\"verbs\":[\"get\"]}]",
		  "update rules[0].verbs [\"get\"] [\"get\",\"list\"]; " },
		{ "[{\"verbs\":[\"get\",\"list\",\"*\"]}]",
		  "update rules[0].verbs [\"get\",\"list\",\"*\"] [\"get\",\"list\"]; " },
		{ "[]", "update rules[0] - {\"verbs\":[\"get\",\"list\"]}; " },
		{ "[{\"verbs\":[\"get\",\"list\"]},{\"verbs\":[\"*\"]}]",
		  "update rules[1] {\"verbs\":[\"*\"]} -; " },
		{ "[{\"verbs\":[\"get\",\"list\"],\"resourceNames\":[\"a\"]}]",
		  "update rules[0].resourceNames [\"a\"] -; " },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *found = differences(cases[i].stored, own);

		assert_string_equal(found, cases[i].differences);
	}
}

static void test_rbac_rights__of_the_driver_are_what_spark_needs_and_no_more(void **state)
{
	struct rbac_options of = options;
	scoped(text) char *who = xstrdup("system:serviceaccount:spark-namespace:spark");
	json_auto_t *plain = rbac_rights(&of, NULL);
	scoped(text) char *driver = rights_text(plain, who);
	json_auto_t *more = NULL;
	scoped(text) char *with_volumes = NULL;

	(void)state;
	of.parts = RBAC_VOLUMES;
	more = rbac_rights(&of, NULL);
	with_volumes = rights_text(more, who);

	assert_string_equal(driver,
	                    "create pods; get pods; list pods; watch pods; patch pods; delete "
	                    "pods; deletecollection pods; create configmaps; deletecollection "
	                    "configmaps; deletecollection services; list persistentvolumeclaims; "
	                    "deletecollection persistentvolumeclaims; ");
	assert_true(text_starts_with(with_volumes, driver));
	assert_string_equal(with_volumes + strlen(driver), "create persistentvolumeclaims; ");
}

static void test_rbac_rights__of_the_submitter_are_ones_own_unless_he_is_named(void **state)
{
	struct rbac_options with_user = options;
	json_auto_t *own = NULL, *named = NULL;
	scoped(text) char *mine = NULL, *his = NULL;

	(void)state;
	with_user.parts = RBAC_ALL_PARTS & ~(unsigned)RBAC_SECRETS_MANAGER;
	own = rbac_rights(&with_user, NULL);
	mine = rights_text(own, "you");
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

/* Two parts have the Secrets: none is asked for twice. */
static void test_rbac_rights__are_told_once(void **state)
{
	struct rbac_options of = options;
	json_auto_t *rights = NULL;
	scoped(text) char *mine = NULL;
	const char *first;

	(void)state;
	of.parts = RBAC_SECRETS | RBAC_SECRETS_MANAGER;
	rights = rbac_rights(&of, NULL);
	mine = rights_text(rights, "you");
	first = strstr(mine, "create secrets; ");

	assert_non_null(first);
	assert_null(strstr(first + 1, "create secrets; "));
	assert_non_null(strstr(mine, "list secrets; "));
}

/* What is called a danger must not be among what is granted to a driver. */
static void test_rbac_dangers__are_never_granted_by_the_manifests(void **state)
{
	struct rbac_options of = options;
	json_auto_t *rights = NULL;
	json_auto_t *dangers = rbac_dangers(&of);
	const json_t *danger, *right;
	size_t i, j;

	(void)state;
	of.parts = RBAC_ALL_PARTS;
	rights = rbac_rights(&of, NULL);
	assert_true(json_array_size(dangers) > 10);
	json_array_foreach (dangers, i, danger)
		json_array_foreach (rights, j, right)
			if (json_equal(json_object_get(danger, "who"),
			               json_object_get(right, "who")) &&
			    !json_is_true(json_object_get(danger, "everywhere")))
				assert_false(json_equal(json_object_get(danger, "verb"),
				                        json_object_get(right, "verb")) &&
				             json_equal(json_object_get(danger, "resource"),
				                        json_object_get(right, "resource")));
}

static void test_rbac_danger_sentences__are_one_for_each_binding(void **state)
{
	json_auto_t *dangers = json_pack(
		"[{s:s, s:s, s:s}, {s:s, s:s, s:s}, {s:s, s:s, s:s}, {s:s, s:s}]", "who", "w",
		"why", "read", "reason", "by A", "who", "w", "why", "enter", "reason", "by B",
		"who", "w", "why", "grant", "reason", "by A", "who", "w", "why", "act");
	json_auto_t *wanted =
		json_pack("[s, s, s]", "'w' may do more than drivers need: read, grant; by A",
	                  "'w' may do more than drivers need: enter; by B",
	                  "'w' may do more than drivers need: act");
	json_auto_t *sentences = rbac_danger_sentences(dangers);

	(void)state;
	assert_true(json_equal(sentences, wanted));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rbac_objects__are_in_an_order_in_which_they_can_be_applied),
		cmocka_unit_test(test_rbac_objects__bind_the_submitter_that_is_named),
		cmocka_unit_test(test_rbac_objects__cannot_be_changed_by_a_name),
		cmocka_unit_test(test_rbac_objects__refuse_names_that_kubernetes_refuses),
		cmocka_unit_test(test_rbac_fill_in__refuses_an_unknown_placeholder),
		cmocka_unit_test(test_rbac_fill_in__puts_a_whole_value_in_the_place_of_its_name),
		cmocka_unit_test(test_rbac_objects__make_the_runner_and_bind_it_as_a_submitter),
		cmocka_unit_test(test_rbac_objects__hold_the_parts_that_are_asked_for),
		cmocka_unit_test(test_rbac_objects__never_grant_all_of_anything),
		cmocka_unit_test(test_rbac_objects__keep_the_runner_and_the_drivers_apart),
		cmocka_unit_test(test_rbac_part_find__knows_every_part_by_its_name),
		cmocka_unit_test(test_rbac_parts_of__follow_from_the_objects),
		cmocka_unit_test(test_rbac_compare__tells_each_field_that_differs),
		cmocka_unit_test(test_rbac_rights__of_the_driver_are_what_spark_needs_and_no_more),
		cmocka_unit_test(
			test_rbac_rights__of_the_submitter_are_ones_own_unless_he_is_named),
		cmocka_unit_test(test_rbac_rights__are_told_once),
		cmocka_unit_test(test_rbac_dangers__are_never_granted_by_the_manifests),
		cmocka_unit_test(test_rbac_danger_sentences__are_one_for_each_binding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
