/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloud/oci_registry against real registries: those of tests/servers/registries.sh, which the
 * environment names. Skipped, aloud, without them.
 */
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cloud/oci_digest.h"
#include "cloud/oci_registry.h"
#include "core/digest.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "tests/fakes/oci_fixture.h"

#define LAYER_BYTES ((size_t)6 << 20)

struct fixture {
	struct loop *loop;
	struct http_client *http;
	char *ca_pem;
	char *suffix; /* of repositories, so that no run sees another's */
	struct oci_registry *plain, *basic, *bearer;
};

static const char *variable(const char *name)
{
	scoped(text) char *whole = text_printf("STEPOP_TEST_REGISTRY_%s", name);

	return getenv(whole);
}

static struct oci_registry *open_as(const struct fixture *fixture, const char *name,
                                    const char *user, const char *password)
{
	const struct oci_registry_options options = { .host = variable(name),
		                                      .user = user,
		                                      .password = password,
		                                      .anonymous = !user,
		                                      .ca_pem = text_equal(name, "PLAIN")
		                                                        ? NULL
		                                                        : fixture->ca_pem,
		                                      .component = "container registry 'lab'" };
	struct error *err = NULL;
	struct oci_registry *registry = oci_registry_new(fixture->http, &options, &err);

	assert_ok(registry, err);
	return registry;
}

static int set_up(void **state)
{
	struct fixture *fixture = xcalloc(1, sizeof(*fixture));

	setenv("DOCKER_CONFIG", "/nonexistent", 1);
	setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
	unsetenv("REGISTRY_AUTH_FILE");
	unsetenv("XDG_RUNTIME_DIR");
	*state = fixture;
	fixture->loop = loop_new();
	fixture->http = http_client_new(fixture->loop);
	fixture->ca_pem = file_read(variable("CA"), 1 << 20, NULL, NULL);
	fixture->suffix = digest_random_hex(8);
	fixture->plain = open_as(fixture, "PLAIN", NULL, NULL);
	fixture->basic = open_as(fixture, "BASIC", variable("USER"), variable("PASSWORD"));
	fixture->bearer = open_as(fixture, "BEARER", variable("USER"), variable("PASSWORD"));
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	oci_registry_free(fixture->plain);
	oci_registry_free(fixture->basic);
	oci_registry_free(fixture->bearer);
	http_client_free(fixture->http);
	loop_free(fixture->loop);
	free(fixture->ca_pem);
	free(fixture->suffix);
	free(fixture);
	return 0;
}

/* A layer that nobody else has, and an image of it. */
struct image {
	char *repository;
	char *layer, *config; /* bytes */
	char *layer_digest, *config_digest;
	struct oci_blob blobs[2]; /* layer and config */
	struct oci_manifest manifest;
};

static void image_free(struct image *image)
{
	free(image->repository);
	free(image->layer);
	free(image->config);
	free(image->layer_digest);
	free(image->config_digest);
	oci_manifest_release(&image->manifest);
	free(image);
}
DEFINE_CLEANUP(image);

static char *manifest_text(const struct image *image, const char *type)
{
	bool is_oci = text_equal(type, OCI_MANIFEST);
	const char *family = is_oci ? "application/vnd.oci.image" : "application/vnd.docker";

	return text_printf(
		"{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":{\"mediaType\":\"%s%s\","
		"\"size\":%lld,\"digest\":\"%s\"},\"layers\":[{\"mediaType\":\"%s%s\",\"size\":%"
		"lld,"
		"\"digest\":\"%s\"}]}",
		type, family, is_oci ? ".config.v1+json" : ".container.image.v1+json",
		(long long)image->blobs[1].size_bytes, image->config_digest, family,
		is_oci ? ".layer.v1.tar+gzip" : ".image.rootfs.diff.tar.gzip",
		(long long)image->blobs[0].size_bytes, image->layer_digest);
}

static void set_manifest(struct image *image, const char *type)
{
	oci_manifest_release(&image->manifest);
	image->manifest.bytes = manifest_text(image, type);
	image->manifest.size = strlen(image->manifest.bytes);
	image->manifest.media_type = xstrdup(type);
	image->manifest.digest = oci_digest_of(image->manifest.bytes, image->manifest.size);
}

static struct image *image_new(const struct fixture *fixture, const char *name, size_t layer_size)
{
	struct image *image = xcalloc(1, sizeof(*image));
	scoped(text) char *random = digest_random_hex(64);

	image->repository = text_printf("%s-%s", name, fixture->suffix);
	image->layer = xcalloc(layer_size + 64, 1);
	for (size_t i = 0; i < layer_size; i += 64)
		memcpy(image->layer + i, random, 64);
	image->config = text_printf(
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"author\":\"%s\"}", random);
	image->layer_digest = oci_digest_of(image->layer, layer_size);
	image->config_digest = oci_digest_of(image->config, strlen(image->config));
	image->blobs[0] = (struct oci_blob){ .digest = image->layer_digest,
		                             .size_bytes = (int64_t)layer_size,
		                             .bytes = image->layer };
	image->blobs[1] = (struct oci_blob){ .digest = image->config_digest,
		                             .size_bytes = (int64_t)strlen(image->config),
		                             .bytes = image->config };
	set_manifest(image, OCI_MANIFEST);
	return image;
}

static void push(struct oci_registry *registry, const struct image *image)
{
	const struct oci_place place = { registry, image->repository };
	scoped(error) struct error *err = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(image->blobs); i++)
		assert_ok(oci_blob_push(&place, &image->blobs[i], &err), err);
	assert_ok(oci_manifest_put(&place, "1", &image->manifest, &err), err);
}

static void assert_pulls(struct oci_registry *registry, const struct image *image)
{
	const struct oci_place place = { registry, image->repository };
	scoped(error) struct error *err = NULL;
	struct oci_manifest manifest = { 0 };

	assert_ok(oci_manifest_get(&place, "1", &manifest, &err), err);
	assert_string_equal(manifest.bytes, image->manifest.bytes);
	assert_string_equal(manifest.digest, image->manifest.digest);
	assert_string_equal(manifest.media_type, image->manifest.media_type);
	for (size_t i = 0; i < ARRAY_SIZE(image->blobs); i++) {
		scoped(text) char *bytes = oci_blob_get(&place, &image->blobs[i], &err);

		assert_ok(bytes, err);
		assert_memory_equal(bytes, image->blobs[i].bytes,
		                    (size_t)image->blobs[i].size_bytes);
	}
	oci_manifest_release(&manifest);
}

/* ---- images ---- */

static void test_api_oci__images_are_pulled_as_they_were_pushed(void **state)
{
	struct fixture *fixture = *state;
	struct oci_registry *const registries[] = { fixture->plain, fixture->basic,
		                                    fixture->bearer };
	static const char *const types[] = { OCI_MANIFEST, DOCKER_MANIFEST };

	for (size_t i = 0; i < ARRAY_SIZE(registries); i++)
		for (size_t j = 0; j < ARRAY_SIZE(types); j++) {
			scoped(image) struct image *image =
				image_new(fixture, j ? "team/docker" : "team/oci", 100000);

			set_manifest(image, types[j]);
			push(registries[i], image);

			assert_pulls(registries[i], image);
		}
}

static void test_api_oci__what_is_absent_is_said_to_be(void **state)
{
	struct fixture *fixture = *state;
	scoped(image) struct image *image = image_new(fixture, "team/some", 1000);
	const struct oci_place place = { fixture->bearer, image->repository };
	const struct oci_place nowhere = { fixture->bearer, "team/nowhere" };
	struct oci_manifest manifest = { 0 };
	bool exists = true;

	push(fixture->bearer, image);
	for (int i = 0; i < 3; i++) {
		scoped(error) struct error *err = NULL;
		const struct oci_place *where = i == 2 ? &nowhere : &place;

		assert_false(i ? oci_manifest_get(where, "2", &manifest, &err)
		               : oci_manifest_head(where, "2", &manifest, &err));
		assert_int_equal(err->kind, ERROR_NOT_FOUND);
	}
	assert_true(oci_blob_exists(&place, image->layer_digest, &exists, NULL));
	assert_true(exists);
	assert_true(oci_blob_exists(&nowhere, image->layer_digest, &exists, NULL));
	assert_false(exists);
}

static void test_api_oci__a_blob_is_pushed_from_a_file_and_held_to_its_digest(void **state)
{
	struct fixture *fixture = *state;
	scoped(image) struct image *image = image_new(fixture, "team/file", LAYER_BYTES);
	const struct oci_place place = { fixture->basic, image->repository };
	scoped(file) FILE *file = tmpfile();
	struct oci_blob blob = image->blobs[0];
	scoped(error) struct error *err = NULL;
	scoped(text) char *bytes = NULL;

	assert_int_equal(fwrite(image->layer, 1, LAYER_BYTES, file), LAYER_BYTES);
	fflush(file);
	blob.bytes = NULL;
	blob.fd = fileno(file);

	assert_ok(oci_blob_push(&place, &blob, &err), err);
	bytes = oci_blob_get(&place, &blob, &err);
	assert_ok(bytes, err);
	assert_memory_equal(bytes, image->layer, LAYER_BYTES);

	blob.digest = image->config_digest;
	assert_false(oci_blob_push(&place, &blob, &err));
	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, "what was sent does not have its digest");
}

static void test_api_oci__a_manifest_without_its_layers_is_refused(void **state)
{
	struct fixture *fixture = *state;
	scoped(image) struct image *image = image_new(fixture, "team/hollow", 1000);
	const struct oci_place place = { fixture->plain, image->repository };
	scoped(error) struct error *err = NULL;

	assert_false(oci_manifest_put(&place, "1", &image->manifest, &err));

	assert_int_equal(err->kind, ERROR_NOT_FOUND);
	assert_error_contains(err, "names a layer that is not in the repository");
}

static void test_api_oci__an_unknown_manifest_type_is_unsupported(void **state)
{
	struct fixture *fixture = *state;
	scoped(image) struct image *image = image_new(fixture, "team/novel", 1000);
	const struct oci_place place = { fixture->plain, image->repository };
	scoped(error) struct error *err = NULL;

	push(fixture->plain, image);
	free(image->manifest.media_type);
	image->manifest.media_type = xstrdup("application/vnd.novel.v9+json");

	assert_false(oci_manifest_put(&place, "2", &image->manifest, &err));

	assert_int_equal(err->kind, ERROR_UNSUPPORTED);
	assert_error_contains(err, "of type 'application/vnd.novel.v9+json'");
}

/* ---- copies ---- */

static void test_api_oci__blobs_go_from_one_registry_to_another(void **state)
{
	struct fixture *fixture = *state;
	struct oci_registry *const registries[] = { fixture->plain, fixture->basic,
		                                    fixture->bearer };
	scoped(image) struct image *image = image_new(fixture, "team/copy", LAYER_BYTES);
	struct oci_copy_outcome outcome;
	scoped(error) struct error *err = NULL;

	push(fixture->plain, image);
	for (size_t i = 1; i < ARRAY_SIZE(registries); i++) {
		const struct oci_copy_request request = {
			.from = { registries[i - 1], image->repository },
			.to = { registries[i], image->repository },
			.blobs = image->blobs,
			.count = 2,
		};
		const struct oci_place to = request.to;

		assert_ok(oci_blobs_copy(&request, &outcome, &err), err);
		assert_int_equal(outcome.copied, 2);
		assert_int_equal(outcome.copied_bytes,
		                 image->blobs[0].size_bytes + image->blobs[1].size_bytes);
		assert_ok(oci_manifest_put(&to, "1", &image->manifest, &err), err);
		assert_pulls(registries[i], image);
		assert_ok(oci_blobs_copy(&request, &outcome, &err), err);
		assert_int_equal(outcome.present, 2);
	}
}

static void test_api_oci__blobs_are_mounted_within_a_registry(void **state)
{
	struct fixture *fixture = *state;
	struct oci_registry *const registries[] = { fixture->plain, fixture->basic,
		                                    fixture->bearer };

	for (size_t i = 0; i < ARRAY_SIZE(registries); i++) {
		scoped(image) struct image *image = image_new(fixture, "base/spark", 100000);
		const struct oci_copy_request request = {
			.from = { registries[i], image->repository },
			.to = { registries[i], "team/mounted" },
			.blobs = image->blobs,
			.count = 2,
		};
		struct oci_copy_outcome outcome;
		scoped(error) struct error *err = NULL;

		push(registries[i], image);

		assert_ok(oci_blobs_copy(&request, &outcome, &err), err);

		assert_int_equal(outcome.mounted, 2);
		assert_int_equal(outcome.copied, 0);
	}
}

static void test_api_oci__damage_at_the_source_is_not_carried_on(void **state)
{
	struct fixture *fixture = *state;
	scoped(image) struct image *image = image_new(fixture, "team/damaged", 100000);
	scoped(text) char *path = text_printf(
		"%s/plain/docker/registry/v2/blobs/sha256/%.2s/%s/data",
		getenv("STEPOP_TEST_REGISTRIES"), image->layer_digest + 7, image->layer_digest + 7);
	const struct oci_copy_request request = { .from = { fixture->plain, image->repository },
		                                  .to = { fixture->basic, image->repository },
		                                  .blobs = image->blobs,
		                                  .count = 1 };
	struct oci_copy_outcome outcome;
	scoped(error) struct error *err = NULL;

	push(fixture->plain, image);
	image->layer[7] ^= 1;
	assert_ok(file_write(path, image->layer, 100000, 0600, &err), err);

	assert_false(oci_blobs_copy(&request, &outcome, &err));

	assert_int_equal(err->kind, ERROR_INVALID);
	assert_error_contains(err, "does not have its digest");
}

/* ---- accidents ---- */

/* tests/servers/registries.sh, run from the folder of the sources. */
static void registries(const char *command, const char *name)
{
	scoped(text) char *line =
		text_printf("tests/servers/registries.sh %s '%s' %s >/dev/null 2>&1", command,
	                    getenv("STEPOP_TEST_REGISTRIES"), name);
	int status = system(line);

	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

struct accident {
	const char *victim;
	bool has_happened;
};

/* Once some of the bytes flow. */
static bool have_accident(void *context, int64_t copied_bytes, int64_t total_bytes)
{
	struct accident *accident = context;

	if (!accident->has_happened && copied_bytes > 0 && copied_bytes < total_bytes) {
		accident->has_happened = true;
		registries("kill", accident->victim);
		registries("start", accident->victim);
	}
	return true;
}

static void test_api_oci__a_copy_outlives_a_registry_that_is_killed(void **state)
{
	static const char *const victims[] = { "plain", "basic" };
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(victims); i++) {
		struct accident accident = { .victim = victims[i] };
		scoped(image) struct image *image =
			image_new(fixture, victims[i], (size_t)128 << 20);
		const struct oci_copy_request request = {
			.from = { fixture->plain, image->repository },
			.to = { fixture->basic, image->repository },
			.blobs = image->blobs,
			.count = 1,
			.progress = have_accident,
			.context = &accident,
		};
		struct oci_copy_outcome outcome;
		scoped(error) struct error *err = NULL;
		bool exists = false;

		push(fixture->plain, image);

		assert_ok(oci_blobs_copy(&request, &outcome, &err), err);

		assert_true(accident.has_happened);
		assert_int_equal(outcome.copied, 1);
		assert_true(oci_blob_exists(&request.to, image->layer_digest, &exists, NULL));
		assert_true(exists);
	}
}

/* ---- who may do what ---- */

static void test_api_oci__a_wrong_password_is_told(void **state)
{
	static const char *const names[] = { "BASIC", "BEARER" };
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		scoped(oci_registry) struct oci_registry *registry =
			open_as(fixture, names[i], variable("USER"), "guessed");
		const struct oci_place place = { registry, "team/x" };
		scoped(error) struct error *err = NULL;
		scoped(text) char *text = NULL;

		assert_false(oci_place_check(&place, true, &err));

		text = error_text(err);
		assert_int_equal(err->kind, ERROR_AUTH);
		assert_error_contains(err, "container registry 'lab': localhost:");
		assert_error_contains(err, "user 'tester' of the component's secret");
		assert_null(strstr(text, "guessed"));
	}
}

static void test_api_oci__anybody_may_pull_what_is_public_alone(void **state)
{
	struct fixture *fixture = *state;
	scoped(image) struct image *image = image_new(fixture, "public/some", 1000);
	scoped(oci_registry) struct oci_registry *anybody = open_as(fixture, "BEARER", NULL, NULL);
	const struct oci_place public = { anybody, image->repository };
	const struct oci_place private = { anybody, "team/private" };
	scoped(error) struct error *pull = NULL, *other = NULL;

	push(fixture->bearer, image);

	assert_pulls(anybody, image);
	assert_false(oci_place_check(&public, true, &pull));
	assert_int_equal(pull->kind, ERROR_AUTH);
	assert_error_contains(pull, "does not let just anybody push to it");
	assert_false(oci_place_check(&private, false, &other));
	assert_int_equal(other->kind, ERROR_AUTH);
	assert_error_contains(other, "does not let just anybody pull from it");
}

static void test_api_oci__checks_leave_nothing_behind(void **state)
{
	struct fixture *fixture = *state;
	struct oci_registry *const all[] = { fixture->plain, fixture->basic, fixture->bearer };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		const struct oci_place place = { all[i], "team/checked" };
		scoped(error) struct error *err = NULL;

		assert_ok(oci_place_check(&place, false, &err), err);
		assert_ok(oci_place_check(&place, true, &err), err);
	}
}

static void test_api_oci__an_identity_token_of_docker_is_exchanged(void **state)
{
	struct fixture *fixture = *state;
	char folder[] = "/tmp/stepop-api-oci-XXXXXX";
	const struct oci_registry_options options = { .host = variable("BEARER"),
		                                      .ca_pem = fixture->ca_pem };
	scoped(oci_registry) struct oci_registry *registry =
		oci_registry_new(fixture->http, &options, NULL);
	const struct oci_place place = { registry, "team/identity" };
	scoped(text) char *config = text_printf("{\"auths\":{\"%s\":{\"identitytoken\":\"%s\"}}}",
	                                        options.host, variable("IDENTITY_TOKEN"));
	scoped(text) char *path = NULL;
	scoped(error) struct error *err = NULL;

	assert_non_null(mkdtemp(folder));
	path = file_join(folder, "config.json");
	assert_ok(file_write(path, config, strlen(config), 0600, &err), err);
	setenv("DOCKER_CONFIG", folder, 1);

	assert_ok(oci_place_check(&place, true, &err), err);

	file_remove_tree(folder, NULL);
}

static void test_api_oci__a_certificate_that_is_not_trusted_is_told(void **state)
{
	struct fixture *fixture = *state;
	scoped(text) char *other = file_read(variable("OTHER_CA"), 1 << 20, NULL, NULL);
	const struct oci_registry_options wrong = { .host = variable("BASIC"), .ca_pem = other };
	const struct oci_registry_options insecure = { .host = variable("BASIC"),
		                                       .ca_pem = other,
		                                       .user = variable("USER"),
		                                       .password = variable("PASSWORD"),
		                                       .insecure = true };
	scoped(oci_registry) struct oci_registry *untrusted =
		oci_registry_new(fixture->http, &wrong, NULL);
	scoped(oci_registry) struct oci_registry *trusted =
		oci_registry_new(fixture->http, &insecure, NULL);
	const struct oci_place place = { untrusted, "team/x" };
	const struct oci_place on_your_word = { trusted, "team/x" };
	scoped(error) struct error *err = NULL, *none = NULL;

	assert_false(oci_place_check(&place, false, &err));

	assert_int_equal(err->kind, ERROR_AUTH);
	assert_error_contains(err, "is not trusted");
	assert_ok(oci_place_check(&on_your_word, true, &none), none);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_api_oci__images_are_pulled_as_they_were_pushed),
		TEST(test_api_oci__what_is_absent_is_said_to_be),
		TEST(test_api_oci__a_blob_is_pushed_from_a_file_and_held_to_its_digest),
		TEST(test_api_oci__a_manifest_without_its_layers_is_refused),
		TEST(test_api_oci__an_unknown_manifest_type_is_unsupported),
		TEST(test_api_oci__blobs_go_from_one_registry_to_another),
		TEST(test_api_oci__blobs_are_mounted_within_a_registry),
		TEST(test_api_oci__damage_at_the_source_is_not_carried_on),
		TEST(test_api_oci__a_copy_outlives_a_registry_that_is_killed),
		TEST(test_api_oci__a_wrong_password_is_told),
		TEST(test_api_oci__anybody_may_pull_what_is_public_alone),
		TEST(test_api_oci__checks_leave_nothing_behind),
		TEST(test_api_oci__an_identity_token_of_docker_is_exchanged),
		TEST(test_api_oci__a_certificate_that_is_not_trusted_is_told),
	};

	if (!getenv("STEPOP_TEST_REGISTRIES")) {
		printf("SKIPPED: test_api_oci: no registries; tests/servers/registries.sh starts "
		       "them\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
