/* SPDX-License-Identifier: Apache-2.0 */
/* stacks/image_build, image_read: images made on real registries (tests/servers/registries.sh). */
#include "tests/test.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/loop.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/image_build.h"
#include "stacks/registry.h"
#include "stacks/stack.h"
#include "tests/fakes/temporary_project.h"

#define OCI_CONFIG "application/vnd.oci.image.config.v1+json"
#define OCI_LAYER "application/vnd.oci.image.layer.v1.tar+gzip"
#define DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"
#define DOCKER_LAYER "application/vnd.docker.image.rootfs.diff.tar.gzip"

struct image_test {
	struct temporary_project *temporary;
	struct loop *loop;
	struct http_client *http;
	struct secret_store *secrets;
	struct container_registry *plain, *basic;
	char *unique; /* in the names of this run's repositories */
};

static struct container_registry *open_registry(struct image_test *test, json_t *options)
{
	const struct component component = { .type = COMPONENT_CONTAINER_REGISTRY,
		                             .name = (char *)"images",
		                             .flavor = (char *)"default",
		                             .options = options };
	struct error *err = NULL;
	struct container_registry *registry =
		container_registry_open(&component, test->secrets, test->http, &err);

	json_decref(options);
	assert_ok(registry, err);
	return registry;
}

static json_t *basic_options(const char *secret)
{
	return json_pack("{s:o, s:s, s:s}", "uri",
	                 json_sprintf("%s/team", getenv("STEPOP_TEST_REGISTRY_BASIC")), "ca",
	                 getenv("STEPOP_TEST_REGISTRY_CA"), "authentication_secret", secret);
}

static bool put_login(struct image_test *test, const char *name, const char *password)
{
	json_t *values = json_pack("{s:s, s:s}", "username", getenv("STEPOP_TEST_REGISTRY_USER"),
	                           "password", password);
	bool ok = secret_put(test->secrets, name, "registry", values, true, NULL);

	json_decref(values);
	return ok;
}

static int setup(void **state)
{
	struct image_test *test = xcalloc(1, sizeof(*test));
	const struct component vault = { .type = COMPONENT_SECRETS_MANAGER,
		                         .name = (char *)"vault",
		                         .flavor = (char *)"local",
		                         .options = json_object() };
	void *temporary;

	if (temporary_project_setup(&temporary))
		return -1;
	test->temporary = temporary;
	test->unique = digest_random_hex(8);
	test->loop = loop_new();
	test->http = http_client_new(test->loop);
	test->secrets = secret_store_open(test->temporary->project, &vault, test->http, NULL);
	json_decref(vault.options);
	if (!test->secrets || !put_login(test, "login", getenv("STEPOP_TEST_REGISTRY_PASSWORD")) ||
	    !put_login(test, "wrong", "not it"))
		return -1;
	test->plain = open_registry(
		test, json_pack("{s:o}", "uri",
	                        json_sprintf("%s/team", getenv("STEPOP_TEST_REGISTRY_PLAIN"))));
	test->basic = open_registry(test, basic_options("login"));
	*state = test;
	return 0;
}

static int teardown(void **state)
{
	struct image_test *test = *state;
	void *temporary = test->temporary;

	container_registry_free(test->plain);
	container_registry_free(test->basic);
	secret_store_free(test->secrets);
	http_client_free(test->http);
	loop_free(test->loop);
	free(test->unique);
	free(test);
	return temporary_project_teardown(&temporary);
}

/* ---- a parent ---- */

static char *push_blob(const struct oci_place *place, const char *text)
{
	scoped(text) char *hex = digest_bytes(text, strlen(text));
	char *digest = text_printf("sha256:%s", hex);
	const struct oci_blob blob = {
		.digest = digest, .size_bytes = (int64_t)strlen(text), .bytes = text, .fd = -1
	};
	struct error *err = NULL;

	assert_ok(oci_blob_push(place, &blob, &err), err);
	return digest;
}

static char *push_manifest(const struct oci_place *place, const char *tag, const char *media_type,
                           const char *text)
{
	scoped(text) char *hex = digest_bytes(text, strlen(text));
	scoped(text) char *digest = text_printf("sha256:%s", hex);
	const struct oci_manifest manifest = { .bytes = (char *)text,
		                               .size = strlen(text),
		                               .media_type = (char *)media_type,
		                               .digest = digest };
	struct error *err = NULL;

	assert_ok(oci_manifest_put(place, tag, &manifest, &err), err);
	return take(digest);
}

/* An image of one layer, which is not what its diff_id says: nobody unpacks it. Its digest. */
static char *push_parent(struct image_test *test, const char *architecture, bool docker)
{
	const struct oci_place place = { test->plain->client, "base" };
	scoped(text) char *layer_text =
		text_printf("layer of %s for %s", test->unique, architecture);
	scoped(text) char *layer = push_blob(&place, layer_text);
	scoped(text) char *config_text = text_printf(
		"{\"os\":\"linux\",\"architecture\":\"%s\",\"config\":{\"User\":\"185\"},"
		"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"%s\"]}}",
		architecture, layer);
	scoped(text) char *config = push_blob(&place, config_text);
	const char *media_type = docker ? DOCKER_MANIFEST : OCI_MANIFEST;
	scoped(text) char *manifest = text_printf(
		"{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":{\"mediaType\":\"%s\","
		"\"size\":%zu,\"digest\":\"%s\"},\"layers\":[{\"mediaType\":\"%s\",\"size\":%zu,"
		"\"digest\":\"%s\"}]}",
		media_type, docker ? DOCKER_CONFIG : OCI_CONFIG, strlen(config_text), config,
		docker ? DOCKER_LAYER : OCI_LAYER, strlen(layer_text), layer);

	return push_manifest(&place, test->unique, media_type, manifest);
}

static char *parent_name(const struct image_test *test)
{
	return text_printf("%s/base:%s", test->plain->host, test->unique);
}

/* ---- builds ---- */

static bool build(struct image_test *test, struct container_registry *registry, const char *text,
                  const char *platform, struct image_built *built, struct error **err)
{
	scoped(text) char *parent = parent_name(test);
	scoped(text) char *repository = text_printf("team/%s", test->unique);
	scoped(image_tree) struct image_tree *tree = image_tree_new();
	const struct image_order order = { .http = test->http,
		                           .registry = registry,
		                           .repository = repository,
		                           .parent = parent,
		                           .platform = platform,
		                           .tree = tree,
		                           .python_path = "/opt/stepop/site" };

	assert_true(
		image_tree_add_bytes(tree, "opt/stepop/code/steps.py", text, strlen(text), err));
	return image_build(&order, built, err);
}

static void test_image_build__pushes_once_what_is_the_same(void **state)
{
	struct image_test *test = *state;
	scoped(text) char *parent = push_parent(test, "amd64", false);
	struct image_built first, again, changed;
	struct error *err = NULL;

	assert_ok(build(test, test->plain, "1", NULL, &first, &err), err);
	assert_ok(build(test, test->plain, "1", NULL, &again, &err), err);
	assert_ok(build(test, test->plain, "2", NULL, &changed, &err), err);

	assert_false(first.existed);
	assert_int_equal(first.copied.mounted, 1);
	assert_true(again.existed);
	assert_int_equal(again.layer_bytes, 0);
	assert_string_equal(first.name, again.name);
	assert_false(changed.existed);
	assert_int_equal(changed.copied.present, 1);
	assert_string_not_equal(first.digest, changed.digest);
	assert_true(text_ends_with(first.parent, parent));
	image_built_release(&first);
	image_built_release(&again);
	image_built_release(&changed);
}

static void test_image_read__shows_what_was_built(void **state)
{
	static const struct {
		bool docker;
		const char *media_type, *layer;
	} cases[] = { { false, OCI_MANIFEST, OCI_LAYER }, { true, DOCKER_MANIFEST, DOCKER_LAYER } };
	struct image_test *test = *state;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *parent = push_parent(test, "amd64", cases[i].docker);
		struct image_built built;
		struct image image;
		struct error *err = NULL;
		const json_t *config;

		assert_ok(build(test, test->plain, "1", NULL, &built, &err), err);
		assert_ok(image_read(test->http, test->plain, built.name, "linux/amd64", &image,
		                     &err),
		          err);

		assert_string_equal(image.name, built.name);
		assert_string_equal(image.manifest->media_type, cases[i].media_type);
		assert_int_equal(image.manifest->layer_count, 2);
		assert_string_equal(image.manifest->layers[1].media_type, cases[i].layer);
		config = json_object_get(image.config, "config");
		assert_string_equal(json_string_value(json_object_get(config, "User")), "185");
		assert_string_equal(
			json_string_value(json_array_get(json_object_get(config, "Env"), 0)),
			"PYTHONPATH=/opt/stepop/site");
		assert_string_equal(
			json_string_value(json_object_get(json_object_get(config, "Labels"),
		                                          "org.opencontainers.image.base.digest")),
			parent);
		image_release(&image);
		image_built_release(&built);
	}
}

static void test_image_build__copies_the_parent_from_another_registry(void **state)
{
	struct image_test *test = *state;
	scoped(text) char *parent = push_parent(test, "amd64", false);
	struct image_built built;
	struct error *err = NULL;

	assert_ok(build(test, test->basic, "1", NULL, &built, &err), err);

	assert_int_equal(built.copied.copied, 1);
	assert_true(built.copied.copied_bytes > 0);
	assert_true(text_starts_with(built.name, test->basic->host));
	image_built_release(&built);
}

static void test_image_build__takes_the_platform_of_an_index(void **state)
{
	struct image_test *test = *state;
	const struct oci_place place = { test->plain->client, "base" };
	scoped(text) char *amd64 = push_parent(test, "amd64", false);
	scoped(text) char *arm64 = push_parent(test, "arm64", false);
	scoped(text) char *index = text_printf(
		"{\"schemaVersion\":2,\"mediaType\":\"" OCI_INDEX "\",\"manifests\":["
		"{\"mediaType\":\"" OCI_MANIFEST "\",\"size\":1,\"digest\":\"%s\",\"platform\":"
		"{\"os\":\"linux\",\"architecture\":\"amd64\"}},{\"mediaType\":\"" OCI_MANIFEST
		"\",\"size\":1,\"digest\":\"%s\",\"platform\":{\"os\":\"linux\",\"architecture\":"
		"\"arm64\",\"variant\":\"v8\"}}]}",
		amd64, arm64);
	scoped(text) char *digest = push_manifest(&place, test->unique, OCI_INDEX, index);
	static const char *const platforms[] = { "linux/arm64", NULL };
	struct error *err = NULL;
	struct image_built built;
	size_t i;

	assert_non_null(digest);
	for (i = 0; i < ARRAY_SIZE(platforms); i++) {
		struct image image;
		scoped(text) char *platform = NULL;

		assert_ok(build(test, test->plain, "1", platforms[i], &built, &err), err);
		assert_ok(image_read(test->http, test->plain, built.name, NULL, &image, &err), err);
		platform = image_config_platform(image.config);
		assert_string_equal(platform, platforms[i] ? platforms[i] : "linux/amd64");
		image_release(&image);
		image_built_release(&built);
	}
	assert_false(build(test, test->plain, "1", "linux/riscv64", &built, &err));
	assert_error_contains(err, "not made for the platform linux/riscv64");
	error_free(err);
}

static void test_image_build__is_safe_when_two_do_so_at_once(void **state)
{
	struct image_test *test = *state;
	scoped(text) char *parent = push_parent(test, "amd64", false);
	int children[4], status;
	size_t i;

	assert_non_null(parent);
	for (i = 0; i < ARRAY_SIZE(children); i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (!children[i]) {
			/* Connections of the parent process are its own. */
			struct image_built built;

			test->loop = loop_new();
			test->http = http_client_new(test->loop);
			test->plain = open_registry(
				test,
				json_pack("{s:o}", "uri",
			                  json_sprintf("%s/team",
			                               getenv("STEPOP_TEST_REGISTRY_PLAIN"))));
			_exit(build(test, test->plain, "1", NULL, &built, NULL) ? 0 : 1);
		}
	}
	for (i = 0; i < ARRAY_SIZE(children); i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
}

static void test_image_build__says_what_is_wrong_with_whom(void **state)
{
	struct image_test *test = *state;
	struct container_registry *wrong = NULL;
	struct image_built built;
	struct error *err = NULL;

	assert_false(build(test, test->plain, "1", NULL, &built, &err));
	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_error_contains(err, "parent image '");
	error_free(take(err));

	free(push_parent(test, "amd64", false));
	assert_false(build(test, test->plain, "1", "linux/arm64", &built, &err));
	assert_error_contains(err, "made for linux/amd64, not for the platform linux/arm64");
	error_free(take(err));

	wrong = open_registry(test, basic_options("wrong"));
	assert_false(build(test, wrong, "1", NULL, &built, &err));
	assert_int_equal(err->kind, ERROR_AUTH);
	assert_error_contains(err, "container registry 'images'");
	error_free(err);
	container_registry_free(wrong);
}

#define WITH_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TEST(test_image_build__pushes_once_what_is_the_same),
		WITH_TEST(test_image_read__shows_what_was_built),
		WITH_TEST(test_image_build__copies_the_parent_from_another_registry),
		WITH_TEST(test_image_build__takes_the_platform_of_an_index),
		WITH_TEST(test_image_build__is_safe_when_two_do_so_at_once),
		WITH_TEST(test_image_build__says_what_is_wrong_with_whom),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
