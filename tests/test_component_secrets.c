/* SPDX-License-Identifier: Apache-2.0 */
/* stacks/component_secrets: what options refer to, and what they become. */
#include "tests/test.h"

#include <string.h>

#include "core/text.h"
#include "stacks/artifact.h"
#include "stacks/component_secrets.h"
#include "tests/fakes/temporary_project.h"

static bool check_url(const char *value, struct error **err)
{
	if (text_starts_with(value, "https://"))
		return true;
	return error_set(err, ERROR_INVALID, "'%s' is no URL", value);
}

static const struct component_flavor database = {
	.type = COMPONENT_METADATA_STORE,
	.name = "database",
	.help = "rows",
	.options =
		(const struct component_option[]){
			{ "host", OPTION_TEXT, true, "where it is", NULL },
			{ "url", OPTION_TEXT, false, "https://host", check_url },
			{ "port", OPTION_INTEGER, false, "a port's number", NULL },
			{ "verify", OPTION_BOOL, false, "true or false", NULL },
			{ "patience", OPTION_DURATION, false, "how long", NULL },
			{ "properties", OPTION_JSON, false, "any", NULL },
			{ "authentication_secret", OPTION_TEXT, false, "secret of schema mysql",
	                  NULL },
			{ 0 },
		},
};

static const struct component_flavor second_vault = {
	.type = COMPONENT_SECRETS_MANAGER,
	.name = "vault",
	.help = "a vault",
	.options =
		(const struct component_option[]){
			{ "key_file", OPTION_TEXT, false, "where", NULL },
			{ 0 },
		},
};

/* With secret 'db' in it. */
static struct secret_store *open_vault(struct temporary_project *temporary)
{
	json_auto_t *options = json_object();
	struct component component = { COMPONENT_SECRETS_MANAGER, (char *)"vault", (char *)"local",
		                       options };
	scoped(error) struct error *err = NULL;
	struct secret_store *store = secret_store_open(temporary->project, &component, NULL, &err);
	json_t *values = json_pack("{s:s, s:s, s:s, s:s, s:s}", "host", "db.example.com", "port",
	                           "5432", "verify", "true", "patience", "20s", "password", "hush");

	assert_ok(store, err);
	assert_ok(secret_put(store, "db", NULL, values, true, &err), err);
	secret_values_free(values);
	return store;
}

static struct component *resolve(struct secret_store *vault, const char *options,
                                 struct error **err)
{
	json_auto_t *parsed = json_loads(options, 0, NULL);
	const struct component component = { COMPONENT_METADATA_STORE, (char *)"rds",
		                             (char *)"database", parsed };

	assert_non_null(parsed);
	return component_resolve(&component, &database, vault, err);
}

static void test_component_resolve__gives_values_of_each_kind(void **state)
{
	scoped(secret_store) struct secret_store *vault = open_vault(*state);
	scoped(error) struct error *err = NULL;
	scoped(component) struct component *resolved =
		resolve(vault,
	                "{\"host\": \"a.{{db.host}}\", \"port\": \"{{db.port}}\", "
	                "\"verify\": \"{{db.verify}}\", \"patience\": \"{{db.patience}}\", "
	                "\"properties\": {\"user\": \"me:{{db.password}}\", \"n\": 2, \"id\": "
	                "\"{{APP_ID}}\"}}",
	                &err);
	json_auto_t *expected =
		json_pack("{s:s, s:i, s:b, s:s, s:{s:s, s:i, s:s}}", "host", "a.db.example.com",
	                  "port", 5432, "verify", true, "patience", "20s", "properties", "user",
	                  "me:hush", "n", 2, "id", "{{APP_ID}}");

	assert_ok(resolved, err);
	assert_string_equal(resolved->name, "rds");
	assert_true(json_equal(resolved->options, expected));
}

static void test_component_resolve__names_option_secret_and_key(void **state)
{
	static const struct {
		const char *options, *said;
		enum error_kind kind;
	} cases[] = {
		{ "{\"host\": \"{{db.hots}}\"}",
		  "option 'host': secret 'db' has no key 'hots'; did you mean 'host'?",
		  ERROR_NOT_FOUND },
		{ "{\"host\": \"{{bd.host}}\"}",
		  "option 'host': secret 'bd': no such secret; did you mean 'db'?",
		  ERROR_NOT_FOUND },
		{ "{\"properties\": {\"a\": \"{{db.none}}\"}}",
		  "option 'properties': 'a': secret 'db'", ERROR_NOT_FOUND },
	};
	scoped(secret_store) struct secret_store *vault = open_vault(*state);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(error) struct error *err = NULL;

		assert_null(resolve(vault, cases[i].options, &err));
		assert_int_equal(err->kind, cases[i].kind);
		assert_error_contains(err, cases[i].said);
	}
}

static void test_component_resolve__shows_no_value_that_does_not_fit(void **state)
{
	static const struct {
		const char *options, *said;
	} cases[] = {
		{ "{\"port\": \"{{db.password}}\"}", "option 'port': the value that it refers to" },
		{ "{\"patience\": \"{{db.password}}\"}", "it should be: how long" },
		{ "{\"url\": \"{{db.password}}\"}", "it should be: https://host" },
	};
	scoped(secret_store) struct secret_store *vault = open_vault(*state);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(error) struct error *err = NULL;
		scoped(text) char *text = NULL;

		assert_null(resolve(vault, cases[i].options, &err));
		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, cases[i].said);
		text = error_text(err);
		assert_null(strstr(text, "hush"));
	}
}

static void test_component_resolve__says_that_there_is_no_secrets_manager(void **state)
{
	scoped(error) struct error *err = NULL, *none = NULL;
	scoped(component) struct component *plain = resolve(NULL, "{\"host\": \"h\"}", &err);

	(void)state;
	assert_ok(plain, err);
	assert_null(resolve(NULL, "{\"host\": \"{{db.host}}\"}", &none));
	assert_int_equal(none->kind, ERROR_INVALID);
	assert_error_contains(none, "option 'host': {{db.host}} refers to a secret, but the stack");
}

static void test_artifact_store_open__resolves_what_its_options_refer_to(void **state)
{
	struct temporary_project *temporary = *state;
	scoped(secret_store) struct secret_store *vault = open_vault(temporary);
	json_auto_t *options = json_pack("{s:s}", "path", "out/{{db.port}}");
	json_auto_t *unknown = json_pack("{s:s}", "path", "out/{{db.prot}}");
	struct component component = { COMPONENT_ARTIFACT_STORE, (char *)"store", (char *)"local",
		                       options };
	scoped(error) struct error *err = NULL, *fault = NULL;
	scoped(artifact_store) struct artifact_store *store =
		artifact_store_open(temporary->project, &component, vault, NULL, &err);

	assert_ok(store, err);
	assert_true(text_ends_with(store->root, "/out/5432/"));
	component.options = unknown;
	assert_null(artifact_store_open(temporary->project, &component, vault, NULL, &fault));
	assert_error_contains(fault, "artifact store 'store': option 'path': secret 'db' has no "
	                             "key 'prot'; did you mean 'port'?");
}

static void test_component_secret_references__are_listed_once(void **state)
{
	json_auto_t *options = json_pack("{s:s, s:s, s:s, s:{s:s, s:s}}", "host",
	                                 "{{db.host}}:{{db.port}}{{db.host}}", "url", "https://x",
	                                 "authentication_secret", "rds", "properties", "a",
	                                 "{{db.host}}", "x_secret", "plain");
	const struct component component = { COMPONENT_METADATA_STORE, (char *)"rds",
		                             (char *)"database", options };
	json_auto_t *references = component_secret_references(&component);
	json_auto_t *expected = json_pack(
		"[{s:s, s:s, s:s}, {s:s, s:s, s:s}, {s:s, s:s, s:n}, {s:s, s:s, s:s}]", "option",
		"host", "secret", "db", "key", "host", "option", "host", "secret", "db", "key",
		"port", "option", "authentication_secret", "secret", "rds", "key", "option",
		"properties: a", "secret", "db", "key", "host");

	(void)state;
	assert_true(json_equal(references, expected));
}

static void test_component_options__take_references_of_any_kind_but_not_in_a_vault(void **state)
{
	json_auto_t *texts = json_pack("{s:s, s:s, s:s, s:s}", "host", "h", "port", "{{db.port}}",
	                               "verify", "{{db.verify}}", "patience", "{{db.patience}}");
	json_auto_t *own = json_pack("{s:s}", "key_file", "{{vault.key}}");
	scoped(error) struct error *err = NULL, *cycle = NULL;
	json_auto_t *options = component_options_parse(&database, texts, 0, &err);

	(void)state;
	assert_ok(options, err);
	assert_true(json_equal(options, texts));
	assert_null(component_options_parse(&second_vault, own, 0, &cycle));
	assert_error_contains(cycle,
	                      "--key_file: refers to a secret, but a secrets manager cannot");
}

#define with_project(test) \
	cmocka_unit_test_setup_teardown(test, temporary_project_setup, temporary_project_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_project(test_component_resolve__gives_values_of_each_kind),
		with_project(test_component_resolve__names_option_secret_and_key),
		with_project(test_component_resolve__shows_no_value_that_does_not_fit),
		cmocka_unit_test(test_component_resolve__says_that_there_is_no_secrets_manager),
		with_project(test_artifact_store_open__resolves_what_its_options_refer_to),
		cmocka_unit_test(test_component_secret_references__are_listed_once),
		cmocka_unit_test(
			test_component_options__take_references_of_any_kind_but_not_in_a_vault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
