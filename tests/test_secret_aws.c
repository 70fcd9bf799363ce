/* SPDX-License-Identifier: Apache-2.0 */
/* stacks/secret_aws: rights that are missing, and other faults that moto never shows; the rest is
 * in tests/api/test_api_aws.c. */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "stacks/secret.h"
#include "tests/fakes/aws_environment.h"
#include "tests/fakes/fake_http.h"

#define DENIED                                                                              \
	"{\"__type\":\"AccessDeniedException\",\"Message\":\"User: arn:aws:iam::1:user/me " \
	"is not authorized to perform: it\"}"

static int set_up(void **state)
{
	*state = aws_environment_new();
	setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "s", 1);
	setenv("AWS_REGION", "eu-west-1", 1);
	return 0;
}

static int tear_down(void **state)
{
	aws_environment_free(*state);
	return 0;
}

/* A store whose endpoint is the fake's, by the option. */
static struct secret_store *store_at(const struct aws_environment *environment,
                                     struct fake_http *fake)
{
	scoped(text) char *endpoint = fake_http_url(fake, "");
	struct component component = { .type = COMPONENT_SECRETS_MANAGER,
		                       .name = (char *)"vault",
		                       .flavor = (char *)"aws" };
	struct secret_store *store;
	struct error *err = NULL;

	component.options = json_pack("{s:s}", "endpoint_url", endpoint);
	assert_ok(store = secret_store_open(NULL, &component, environment->http, &err), err);
	json_decref(component.options);
	return store;
}

static void test_secret_aws__says_which_right_is_missing(void **state)
{
	scoped(text) char *denied = fake_http_json("400 Bad Request", "", DENIED);
	struct fake_http_answer answers[] = { { .bytes = denied, .repeat = true } };
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
	scoped(secret_store) struct secret_store *store = store_at(*state, fake);
	json_auto_t *values = json_pack("{s:s}", "a", "never-shown");
	struct error *errors[4] = { 0 };

	assert_null(secret_get(store, "a", &errors[0]));
	assert_null(secret_list(store, &errors[1]));
	assert_false(secret_put(store, "a", NULL, values, true, &errors[2]));
	assert_false(secret_remove(store, "a", &errors[3]));
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		assert_int_equal(errors[i]->kind, ERROR_AUTH);
		assert_error_contains(errors[i], "is not authorized to perform: it "
		                                 "(AccessDeniedException)");
		error_free(errors[i]);
	}
}

static void test_secret_aws__lists_what_it_may_not_read(void **state)
{
	scoped(text) char *denied = fake_http_json("400 Bad Request", "", DENIED);
	scoped(text) char *page = fake_http_json(
		"200 OK", "",
		"{\"SecretList\": [{\"Name\": \"stepop/closed\"}, {\"Name\": \"stepop/open\", "
		"\"Tags\": [{\"Key\": \"stepop:keys\", \"Value\": \"a b\"}, {\"Key\": "
		"\"stepop:schema\", \"Value\": \"mysql\"}]}, {\"Name\": \"Stepop/other\"}, {}]}");
	struct fake_http_answer answers[] = {
		{ .match = "secretsmanager.ListSecrets", .bytes = page },
		{ .match = "secretsmanager.GetSecretValue", .bytes = denied },
	};
	scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 2, NULL);
	scoped(secret_store) struct secret_store *store = store_at(*state, fake);
	json_auto_t *expected =
		json_pack("[{s:s, s:n, s:[]}, {s:s, s:s, s:[s, s]}]", "name", "closed", "schema",
	                  "keys", "name", "open", "schema", "mysql", "keys", "a", "b");
	json_auto_t *list = NULL;
	struct error *err = NULL;

	assert_ok(list = secret_list(store, &err), err);
	assert_true(json_equal(list, expected));
}

static void test_secret_aws__refuses_what_is_no_object_of_texts(void **state)
{
	static const struct {
		const char *answer, *says;
	} cases[] = {
		{ "{\"SecretString\": \"[1]\"}", "should hold a JSON object of texts" },
		{ "{\"SecretString\": \"never-shown\"}", "should hold a JSON object of texts" },
		{ "{\"SecretString\": \"{\\\"a\\\": {\\\"b\\\": 1}}\"}", "JSON object of texts" },
		{ "{\"SecretString\": \"{\\\"a\\\": null}\"}", "JSON object of texts" },
		{ "{\"SecretBinary\": \"AAAA\"}", "it holds bytes (SecretBinary)" },
		{ "[]", "the answer is no JSON object" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *answer = fake_http_json("200 OK", "", cases[i].answer);
		struct fake_http_answer answers[] = { { .match = "GetSecretValue",
			                                .bytes = answer } };
		scoped(fake_http) struct fake_http *fake = fake_http_start(answers, 1, NULL);
		scoped(secret_store) struct secret_store *store = store_at(*state, fake);
		scoped(error) struct error *err = NULL;

		assert_null(secret_get(store, "a", &err));
		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, cases[i].says);
	}
}

static void test_secret_aws__checks_its_options(void **state)
{
	static const struct {
		const char *option, *value, *says;
	} cases[] = {
		{ "prefix", "a b", "letters, digits and /_+=.@- only" },
		{ "recovery_window_days", "3", "7 to 30 days" },
		{ "recovery_window_days", "31", "7 to 30 days" },
		{ "regoin", "eu-west-1", "did you mean" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *texts = json_pack("{s:s}", cases[i].option, cases[i].value);
		json_auto_t *options = NULL;
		scoped(error) struct error *err = NULL;

		options = component_options_parse(secret_aws.component, texts, 0, &err);
		assert_null(options);
		assert_error_contains(err, cases[i].says);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_secret_aws__says_which_right_is_missing),
		TEST(test_secret_aws__lists_what_it_may_not_read),
		TEST(test_secret_aws__refuses_what_is_no_object_of_texts),
		TEST(test_secret_aws__checks_its_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
