/* SPDX-License-Identifier: Apache-2.0 */
/* operator/flavors/spark_kubernetes_image: which steps are given an image, and what it is called
 * before it is made. */
#include "tests/test.h"

#include <string.h>

#include "core/loop.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/flavors/spark_kubernetes_image.h"
#include "stacks/registry.h"
#include "stacks/stack.h"
#include "submit/spark_app.h"

struct images_test {
	struct loop *loop;
	struct http_client *http;
	struct container_registry *registry;
	struct operator_context context;
	struct spark_images *images;
	json_t *small, *large; /* code */
};

static int setup(void **state)
{
	struct images_test *test = xcalloc(1, sizeof(*test));
	const struct component component = {
		.type = COMPONENT_CONTAINER_REGISTRY,
		.name = (char *)"images",
		.flavor = (char *)"default",
		.options = json_pack("{s:s}", "uri", "registry:5000/team"),
	};
	scoped(text) char *text = xcalloc(SPARK_FILES_LIMIT_BYTES + 1, 1);

	memset(text, '#', SPARK_FILES_LIMIT_BYTES);
	test->loop = loop_new();
	test->http = http_client_new(test->loop);
	test->registry = container_registry_open(&component, NULL, test->http, NULL);
	json_decref(component.options);
	test->context = (struct operator_context){ .loop = test->loop,
		                                   .http = test->http,
		                                   .registry = test->registry,
		                                   .pipeline = "Daily_Report",
		                                   .code_folder = "examples/image_pipeline" };
	test->images = spark_images_new(&test->context);
	test->small = json_pack("{s:s}", "code/steps.py", "x = 1\n");
	test->large = json_pack("{s:s}", "code/steps.py", text);
	*state = test;
	return test->registry ? 0 : -1;
}

static int teardown(void **state)
{
	struct images_test *test = *state;

	spark_images_free(test->images);
	container_registry_free(test->registry);
	http_client_free(test->http);
	loop_free(test->loop);
	json_decref(test->small);
	json_decref(test->large);
	free(test);
	return 0;
}

/* Settings: JSON of settings.image. The name is owned by the caller; NULL: the parent as it is. */
static bool resolve(struct images_test *test, const char *image, const json_t *code, char **name,
                    struct error **err)
{
	json_auto_t *settings = json_pack("{s:o}", "image", json_loads(image, 0, NULL));
	const struct step step = { .name = (char *)"train", .settings = settings };
	const struct spark_image_request request = { .step = &step,
		                                     .code = code,
		                                     .parent = "registry:5000/spark:3.5.9" };
	const char *found = NULL;
	bool ok = spark_images_resolve(test->images, &request, false, &found, err);

	*name = text_copy(found);
	assert_null(spark_images_built(test->images, &step));
	return ok;
}

static void test_spark_images_resolve__names_the_layer_of_who_needs_one(void **state)
{
	struct images_test *test = *state;
	const struct {
		const char *image;
		const json_t *code;
		bool needs;
	} cases[] = {
		{ "{}", test->small, false },
		{ "{}", NULL, false },
		{ "{}", test->large, true },
		{ "{\"build\":false}", test->large, false },
		{ "{\"build\":true}", test->small, true },
		{ "{\"files\":[\"lists\"]}", test->small, true },
		{ "{\"files\":[\"lists:/opt/lists\"]}", NULL, true },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error *err = NULL;
		scoped(text) char *name = NULL;

		assert_ok(resolve(test, cases[i].image, cases[i].code, &name, &err), err);
		if (cases[i].needs != (name != NULL))
			fail_msg("case %zu gives '%s'", i, name ? name : "none");
		if (name)
			assert_true(
				text_starts_with(name, "registry:5000/team/daily-report:layer-"));
	}
}

static void test_spark_images_resolve__shares_an_image_of_the_same_ingredients(void **state)
{
	struct images_test *test = *state;
	scoped(text) char *first = NULL, *again = NULL, *other = NULL;
	struct error *err = NULL;

	assert_ok(resolve(test, "{\"build\":true}", test->small, &first, &err), err);
	assert_ok(resolve(test, "{\"build\":true}", test->small, &again, &err), err);
	assert_ok(
		resolve(test, "{\"build\":true,\"files\":[\"lists\"]}", test->small, &other, &err),
		err);

	assert_string_equal(first, again);
	assert_string_not_equal(first, other);
}

static void test_spark_images_resolve__names_the_way_out_without_a_registry(void **state)
{
	struct images_test *test = *state;
	const struct {
		const char *image;
		const json_t *code;
		const char *why;
	} cases[] = {
		{ "{\"build\":true}", test->small, "asks for an image" },
		{ "{}", test->large, "the code is 900 KiB, and a ConfigMap carries 900 KiB" },
	};
	size_t i;

	test->context.registry = NULL;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error *err = NULL;
		scoped(text) char *name = NULL;

		assert_false(resolve(test, cases[i].image, cases[i].code, &name, &err));
		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, cases[i].why);
		assert_error_contains(err, "stepop container-registry register");
		error_free(err);
	}
}

static void test_spark_images_resolve__looks_at_the_files_before_anything_is_made(void **state)
{
	struct error *err = NULL;
	scoped(text) char *name = NULL;

	assert_false(resolve(*state, "{\"files\":[\"no-such-file\"]}", NULL, &name, &err));
	assert_error_contains(err, "settings.image: file 'no-such-file'");
	error_free(err);
}

#define WITH_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TEST(test_spark_images_resolve__names_the_layer_of_who_needs_one),
		WITH_TEST(test_spark_images_resolve__shares_an_image_of_the_same_ingredients),
		WITH_TEST(test_spark_images_resolve__names_the_way_out_without_a_registry),
		WITH_TEST(test_spark_images_resolve__looks_at_the_files_before_anything_is_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
