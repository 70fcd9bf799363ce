/* SPDX-License-Identifier: Apache-2.0 */
/* stacks/registry_aws: repositories of ECR, against moto (STEPOP_TEST_AWS_ENDPOINT). */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "core/digest.h"
#include "core/loop.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/registry.h"

#define ECR "123456789012.dkr.ecr.eu-central-1.amazonaws.com"

struct aws_test {
	struct loop *loop;
	struct http_client *http;
	char *repository; /* of this run alone */
};

static int setup(void **state)
{
	struct aws_test *test = xcalloc(1, sizeof(*test));
	scoped(text) char *unique = digest_random_hex(8);

	setenv("AWS_ENDPOINT_URL", getenv("STEPOP_TEST_AWS_ENDPOINT"), 1);
	setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "example", 1);
	test->loop = loop_new();
	test->http = http_client_new(test->loop);
	test->repository = text_printf("etl/%s", unique);
	*state = test;
	return 0;
}

static int teardown(void **state)
{
	struct aws_test *test = *state;

	http_client_free(test->http);
	loop_free(test->loop);
	free(test->repository);
	free(test);
	return 0;
}

static struct container_registry *open_ecr(struct aws_test *test, bool creates)
{
	json_auto_t *options =
		json_pack("{s:s, s:b}", "uri", ECR "/etl", "create_repository", creates);
	const struct component component = { .type = COMPONENT_CONTAINER_REGISTRY,
		                             .name = (char *)"ecr",
		                             .flavor = (char *)"aws",
		                             .options = options };
	struct error *err = NULL;
	struct container_registry *registry =
		container_registry_open(&component, NULL, test->http, &err);

	assert_ok(registry, err);
	return registry;
}

static void test_registry_aws__makes_repositories_when_it_is_told(void **state)
{
	struct aws_test *test = *state;
	scoped(container_registry) struct container_registry *careful = open_ecr(test, false);
	scoped(container_registry) struct container_registry *eager = open_ecr(test, true);
	struct error *err = NULL;

	assert_false(container_registry_prepare(careful, test->repository, &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_error_contains(err, test->repository);
	assert_error_contains(err, "--create_repository=true");
	error_free(take(err));

	assert_ok(container_registry_prepare(eager, test->repository, &err), err);
	assert_ok(container_registry_prepare(eager, test->repository, &err), err);
	assert_ok(container_registry_prepare(careful, test->repository, &err), err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registry_aws__makes_repositories_when_it_is_told),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
