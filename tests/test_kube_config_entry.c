/* SPDX-License-Identifier: Apache-2.0 */
/* submit/kube_config_entry: one cluster more in a kubeconfig. */
#include "tests/test.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_config_entry.h"

static bool add(json_t *config, const char *context, const char *server, struct error **err)
{
	json_auto_t *exec = json_pack("{s:s}", "command", "stepop");
	struct kube_config_entry entry = { .name = "arn",
		                           .context = context,
		                           .server = server,
		                           .ca_base64 = "Y2E=",
		                           .exec = exec };

	return kube_config_add(config, &entry, err);
}

static json_t *cluster(const char *server)
{
	return json_pack("{s:s, s:{s:s, s:s}}", "name", "arn", "cluster", "server", server,
	                 "certificate-authority-data", "Y2E=");
}

static json_t *context(const char *name)
{
	return json_pack("{s:s, s:{s:s, s:s}}", "name", name, "context", "cluster", "arn", "user",
	                 "arn");
}

static json_t *user(void)
{
	return json_pack("{s:s, s:{s:{s:s}}}", "name", "arn", "user", "exec", "command", "stepop");
}

static json_t *parsed(const char *text)
{
	scoped(text) char *json = xstrdup(text);
	json_t *root;

	for (char *at = json; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	assert_non_null(root = json_loads(json, 0, NULL));
	return root;
}

static void test_kube_config_add__makes_a_kubeconfig_of_nothing(void **state)
{
	json_auto_t *config = json_object();
	json_auto_t *expected =
		json_pack("{s:s, s:s, s:[o], s:[o], s:[o], s:s}", "apiVersion", "v1", "kind",
	                  "Config", "clusters", cluster("https://a"), "contexts", context("c"),
	                  "users", user(), "current-context", "c");
	struct error *err = NULL;

	(void)state;
	assert_ok(add(config, "c", "https://a", &err), err);
	assert_true(json_equal(config, expected));
}

static void test_kube_config_add__replaces_its_own_and_keeps_the_rest(void **state)
{
	json_auto_t *other = parsed("{'name': 'other', 'cluster': {'server': 'https://o'}}");
	json_auto_t *config =
		json_pack("{s:s, s:s, s:{}, s:[O, o], s:[o], s:n, s:s}", "apiVersion", "v1", "kind",
	                  "Config", "preferences", "clusters", other, cluster("https://old"),
	                  "contexts", context("before"), "users", "current-context", "x");
	json_auto_t *expected = json_pack(
		"{s:s, s:s, s:{}, s:[O, o], s:[o, o], s:[o], s:s}", "apiVersion", "v1", "kind",
		"Config", "preferences", "clusters", other, cluster("https://new"), "contexts",
		context("before"), context("c"), "users", user(), "current-context", "c");
	struct error *err = NULL;

	(void)state;
	assert_ok(add(config, "c", "https://new", &err), err);
	assert_true(json_equal(config, expected));
}

static void test_kube_config_add__refuses_what_is_no_kubeconfig(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "[]", "it is no kubeconfig" },
		{ "{'kind': 'Pod'}", "it is no kubeconfig" },
		{ "{'clusters': {}}", "'clusters' should be a list" },
		{ "{'users': 'me'}", "'users' should be a list" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *config = parsed(cases[i].text);
		scoped(error) struct error *err = NULL;

		assert_false(add(config, "c", "https://a", &err));
		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, cases[i].says);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kube_config_add__makes_a_kubeconfig_of_nothing),
		cmocka_unit_test(test_kube_config_add__replaces_its_own_and_keeps_the_rest),
		cmocka_unit_test(test_kube_config_add__refuses_what_is_no_kubeconfig),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
