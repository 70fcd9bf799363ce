/* SPDX-License-Identifier: Apache-2.0 */
/* stacks/registry: what a container registry's options mean. */
#include "tests/test.h"

#include <string.h>

#include "core/loop.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/registry.h"
#include "stacks/stack.h"
#include "tests/fakes/temporary_project.h"

struct registry_test {
	struct temporary_project *temporary;
	struct loop *loop;
	struct http_client *http;
	struct secret_store *secrets;
};

static int setup(void **state)
{
	struct registry_test *test = xcalloc(1, sizeof(*test));
	const struct component vault = { .type = COMPONENT_SECRETS_MANAGER,
		                         .name = (char *)"vault",
		                         .flavor = (char *)"local",
		                         .options = json_object() };
	void *temporary;

	if (temporary_project_setup(&temporary))
		return -1;
	test->temporary = temporary;
	test->loop = loop_new();
	test->http = http_client_new(test->loop);
	test->secrets = secret_store_open(test->temporary->project, &vault, test->http, NULL);
	json_decref(vault.options);
	*state = test;
	return test->secrets ? 0 : -1;
}

static int teardown(void **state)
{
	struct registry_test *test = *state;
	void *temporary = test->temporary;

	secret_store_free(test->secrets);
	http_client_free(test->http);
	loop_free(test->loop);
	free(test);
	return temporary_project_teardown(&temporary);
}

/* Options: JSON. */
static struct container_registry *open_flavor(struct registry_test *test, const char *flavor,
                                              const char *options, struct secret_store *secrets,
                                              struct error **err)
{
	json_auto_t *parsed = json_loads(options, 0, NULL);
	const struct component component = { .type = COMPONENT_CONTAINER_REGISTRY,
		                             .name = (char *)"images",
		                             .flavor = (char *)flavor,
		                             .options = parsed };

	assert_non_null(parsed);
	return container_registry_open(&component, secrets, test->http, err);
}

static struct container_registry *open_with(struct registry_test *test, const char *options,
                                            struct secret_store *secrets, struct error **err)
{
	return open_flavor(test, "default", options, secrets, err);
}

static void put_secret(struct registry_test *test, const char *values)
{
	json_t *parsed = json_loads(values, 0, NULL);
	struct error *err = NULL;

	assert_ok(secret_put(test->secrets, "login", NULL, parsed, true, &err), err);
	json_decref(parsed);
}

static void test_container_registry_repository__is_fit_for_any_registry(void **state)
{
	static const struct {
		const char *uri, *name, *expected;
	} cases[] = {
		{ "registry:5000/team", "daily", "team/daily" },
		{ "registry:5000/team/", "daily", "team/daily" },
		{ "registry:5000/a/b", "Spark_Pipeline", "a/b/spark-pipeline" },
		{ "registry:5000", "daily", "daily" },
		{ "localhost", "a__b--C", "a-b-c" },
		{ "123456789012.dkr.ecr.eu-west-1.amazonaws.com/etl", "x", "etl/x" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *options = text_printf("{\"uri\":\"%s\"}", cases[i].uri);
		struct error *err = NULL;
		scoped(container_registry) struct container_registry *registry =
			open_with(*state, options, NULL, &err);
		scoped(text) char *repository = NULL;

		assert_ok(registry, err);
		repository = container_registry_repository(registry, cases[i].name);
		assert_string_equal(repository, cases[i].expected);
	}
}

static void test_container_registry_open__says_what_is_wrong_with_a_uri(void **state)
{
	static const struct {
		const char *uri, *why;
	} cases[] = {
		{ "https://registry:5000/team", "leave out 'https://'" },
		{ "docker://registry/team", "leave out 'docker://'" },
		{ "registry:5000/Team", "lower-case letters" },
		{ "registry:5000/team:v1", "neither tag nor digest" },
		{ "registry:port/team", "host:port/path" },
		{ "/team", "host:port/path" },
		{ "", "host:port/path" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *options = text_printf("{\"uri\":\"%s\"}", cases[i].uri);
		struct error *err = NULL;

		assert_null(open_with(*state, options, NULL, &err));
		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, "container registry 'images'");
		assert_error_contains(err, cases[i].why);
		error_free(err);
	}
}

static void test_container_registry_open__says_what_is_wrong_with_its_secret(void **state)
{
	static const char options[] =
		"{\"uri\":\"registry:5000/team\",\"authentication_secret\":\"login\"}";
	struct registry_test *test = *state;
	struct error *err = NULL;

	assert_null(open_with(test, options, NULL, &err));
	assert_error_contains(err, "no secrets manager");
	error_free(take(err));

	assert_null(open_with(test, options, test->secrets, &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	error_free(take(err));

	put_secret(test, "{\"username\":\"me\"}");
	assert_null(open_with(test, options, test->secrets, &err));
	assert_error_contains(err, "'login' has no password: it must be of schema registry");
	error_free(err);
}

static void test_container_registry_open__names_the_ca_that_it_cannot_read(void **state)
{
	struct error *err = NULL;

	assert_null(open_with(*state, "{\"uri\":\"registry/team\",\"ca\":\"/dev/null/none\"}", NULL,
	                      &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_error_contains(err, "option ca");
	error_free(err);
}

static void test_container_registry_pull_config__is_what_docker_writes(void **state)
{
	static const struct {
		const char *uri, *expected;
	} cases[] = {
		{ "registry:5000/team",
		  "{\"auths\":{\"registry:5000\":{\"auth\":\"bWU6cDpzcw==\"}}}" },
		{ "docker.io/team",
		  "{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"bWU6cDpzcw==\"}}}" },
	};
	struct registry_test *test = *state;
	size_t i;

	put_secret(test, "{\"username\":\"me\",\"password\":\"p:ss\"}");
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *options = text_printf(
			"{\"uri\":\"%s\",\"authentication_secret\":\"login\"}", cases[i].uri);
		struct error *err = NULL;
		scoped(container_registry) struct container_registry *registry =
			open_with(test, options, test->secrets, &err);
		scoped(secret) char *config = NULL;

		assert_ok(registry, err);
		config = container_registry_pull_config(registry, &err);
		assert_ok(config, err);
		assert_string_equal(config, cases[i].expected);
	}
}

static void test_container_registry_pull_config__is_none_without_a_secret(void **state)
{
	struct error *err = NULL;
	scoped(container_registry) struct container_registry *registry =
		open_with(*state, "{\"uri\":\"registry:5000/team\"}", NULL, &err);

	assert_ok(registry, err);
	assert_null(container_registry_pull_config(registry, &err));
	assert_null(err);
}

#define ECR "123456789012.dkr.ecr.eu-west-1.amazonaws.com"

static void test_registry_aws__says_what_is_wrong_with_its_options(void **state)
{
	static const struct {
		const char *options, *why;
	} cases[] = {
		{ "{\"uri\":\"registry:5000/team\"}", "flavor 'default' takes any other" },
		{ "{\"uri\":\"" ECR "/Team\"}", "lower-case letters" },
		{ "{\"uri\":\"" ECR "\",\"authentication_secret\":\"login\",\"profile\":\"dev\"}",
		  "which keys are meant" },
		{ "{\"uri\":\"" ECR "\",\"authentication_secret\":\"login\"}",
		  "'login': it has no aws_secret_access_key" },
		{ "{\"uri\":\"" ECR "\",\"authentication_secret\":\"none\"}",
		  "authentication_secret 'none'" },
	};
	struct registry_test *test = *state;
	size_t i;

	put_secret(test, "{\"aws_access_key_id\":\"AKIDEXAMPLE\"}");
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error *err = NULL;

		assert_null(open_flavor(test, "aws", cases[i].options, test->secrets, &err));
		assert_error_contains(err, "container registry 'images'");
		assert_error_contains(err, cases[i].why);
		error_free(err);
	}
}

static void test_registry_aws__leaves_pulling_to_the_nodes(void **state)
{
	struct registry_test *test = *state;
	struct error *err = NULL;
	scoped(container_registry) struct container_registry *registry = NULL;

	put_secret(test, "{\"aws_access_key_id\":\"AKIDEXAMPLE\","
	                 "\"aws_secret_access_key\":\"x\"}");
	registry = open_flavor(test, "aws",
	                       "{\"uri\":\"" ECR "/etl\",\"authentication_secret\":\"login\"}",
	                       test->secrets, &err);

	assert_ok(registry, err);
	assert_string_equal(registry->host, ECR);
	assert_null(container_registry_pull_config(registry, &err));
	assert_null(err);
}

#define WITH_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TEST(test_container_registry_repository__is_fit_for_any_registry),
		WITH_TEST(test_container_registry_open__says_what_is_wrong_with_a_uri),
		WITH_TEST(test_container_registry_open__says_what_is_wrong_with_its_secret),
		WITH_TEST(test_container_registry_open__names_the_ca_that_it_cannot_read),
		WITH_TEST(test_container_registry_pull_config__is_what_docker_writes),
		WITH_TEST(test_container_registry_pull_config__is_none_without_a_secret),
		WITH_TEST(test_registry_aws__says_what_is_wrong_with_its_options),
		WITH_TEST(test_registry_aws__leaves_pulling_to_the_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
