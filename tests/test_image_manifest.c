/* SPDX-License-Identifier: Apache-2.0 */
/* stacks/image_manifest: what images say of themselves, and how one more layer is added. */
#include "tests/test.h"

#include <string.h>

#include "cloud/oci_registry.h"
#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"
#include "stacks/image_manifest.h"

#define A "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define D "sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"

#define OCI_CONFIG                                                                \
	"\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\"," \
	"\"size\":2,\"digest\":\"" A "\"}"
#define OCI_LAYER                                                         \
	"{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+zstd\"," \
	"\"size\":7,\"digest\":\"" B "\"}"

static const char oci_manifest[] = "{\"schemaVersion\":2,\"mediaType\":\"" OCI_MANIFEST
				   "\"," OCI_CONFIG ",\"layers\":[" OCI_LAYER "],"
				   "\"annotations\":{\"a\":\"b\"}}";

static const char docker_manifest[] =
	"{\"schemaVersion\":2,\"mediaType\":\"" DOCKER_MANIFEST "\",\"config\":{\"mediaType\":"
	"\"application/vnd.docker.container.image.v1+json\",\"size\":2,\"digest\":\"" A "\"},"
	"\"layers\":[{\"mediaType\":\"application/vnd.docker.image.rootfs.diff.tar.gzip\","
	"\"size\":7,\"digest\":\"" B "\"},{\"mediaType\":"
	"\"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip\",\"size\":9,\"digest\":\"" C
	"\",\"urls\":[\"https://elsewhere/layer\"]}]}";

static const struct image_addition addition = {
	.diff_id = C, .digest = D, .size_bytes = 11, .created_by = "stepop"
};

static struct image_manifest *parse(const char *text, const char *media_type)
{
	struct error *err = NULL;
	struct image_manifest *manifest =
		image_manifest_parse(text, strlen(text), media_type, &err);

	assert_ok(manifest, err);
	return manifest;
}

static json_t *parse_config(const char *text, size_t layers)
{
	struct error *err = NULL;
	json_t *config = image_config_parse(text, strlen(text), layers, &err);

	assert_ok(config, err);
	return config;
}

static void test_image_manifest_append__stays_within_its_family(void **state)
{
	static const struct {
		const char *text, *media_type, *expected;
	} cases[] = {
		{ oci_manifest, OCI_MANIFEST,
		  "{\"schemaVersion\":2,\"mediaType\":\"" OCI_MANIFEST "\",\"config\":"
		  "{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"size\":5,"
		  "\"digest\":\"" C "\"},\"layers\":[" OCI_LAYER ",{\"mediaType\":"
		  "\"application/vnd.oci.image.layer.v1.tar+gzip\",\"size\":11,\"digest\":\"" D
		  "\"}]}" },
		{ docker_manifest, DOCKER_MANIFEST,
		  "{\"schemaVersion\":2,\"mediaType\":\"" DOCKER_MANIFEST "\",\"config\":"
		  "{\"mediaType\":\"application/vnd.docker.container.image.v1+json\",\"size\":5,"
		  "\"digest\":\"" C "\"},\"layers\":[{\"mediaType\":"
		  "\"application/vnd.docker.image.rootfs.diff.tar.gzip\",\"size\":7,\"digest\":\"" B
		  "\"},{\"mediaType\":\"application/"
		  "vnd.docker.image.rootfs.foreign.diff.tar.gzip\","
		  "\"size\":9,\"digest\":\"" C "\",\"urls\":[\"https://elsewhere/layer\"]},"
		  "{\"mediaType\":\"application/vnd.docker.image.rootfs.diff.tar.gzip\","
		  "\"size\":11,\"digest\":\"" D "\"}]}" },
	};
	size_t i, size;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(image_manifest) struct image_manifest *manifest =
			parse(cases[i].text, cases[i].media_type);
		json_auto_t *result = image_manifest_append(manifest, C, 5, &addition);
		scoped(text) char *text = image_json_render(result, &size);

		assert_string_equal(text, cases[i].expected);
		assert_int_equal(size, strlen(text));
	}
}

static void test_image_manifest_parse__reads_layers(void **state)
{
	scoped(image_manifest) struct image_manifest *manifest =
		parse(docker_manifest, DOCKER_MANIFEST);

	(void)state;
	assert_int_equal(manifest->layer_count, 2);
	assert_string_equal(manifest->layers[0].digest, B);
	assert_int_equal(manifest->layers[0].size_bytes, 7);
	assert_false(manifest->layers[0].is_foreign);
	assert_true(manifest->layers[1].is_foreign);
	assert_string_equal(manifest->config.digest, A);
}

static void test_image_manifest_parse__refuses_what_is_no_image(void **state)
{
	static const struct {
		const char *text, *media_type, *why;
	} cases[] = {
		{ "", OCI_MANIFEST, "no JSON" },
		{ "[]", OCI_MANIFEST, "no JSON object" },
		{ "{\"schemaVersion\":1}", OCI_MANIFEST, "schema 1" },
		{ "{\"schemaVersion\":2}", "text/html", "'text/html' is not the manifest" },
		{ "{\"schemaVersion\":2,\"mediaType\":\"x\"}", OCI_MANIFEST,
		  "says that it is 'x'" },
		{ "{\"schemaVersion\":2}", OCI_MANIFEST, "the configuration without" },
		{ "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/x.helm\","
		  "\"size\":2,\"digest\":\"" A "\"}}",
		  OCI_MANIFEST, "an artifact of the type 'application/x.helm'" },
		{ "{\"schemaVersion\":2," OCI_CONFIG "}", OCI_MANIFEST, "no layers" },
		{ "{\"schemaVersion\":2," OCI_CONFIG ",\"layers\":[{\"mediaType\":\"x\","
		  "\"size\":-1,\"digest\":\"" A "\"}]}",
		  OCI_MANIFEST, "a layer without" },
		{ "{\"schemaVersion\":2," OCI_CONFIG ",\"layers\":[{\"mediaType\":\"x\","
		  "\"size\":1,\"digest\":\"sha256:../../etc\"}]}",
		  OCI_MANIFEST, "a layer without" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error *err = NULL;

		assert_null(image_manifest_parse(cases[i].text, strlen(cases[i].text),
		                                 cases[i].media_type, &err));
		assert_int_equal(err->kind, ERROR_INVALID);
		assert_error_contains(err, cases[i].why);
		error_free(err);
	}
}

static void test_image_manifest_parse__refuses_more_layers_than_can_be_mounted(void **state)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	scoped(text) char *text = NULL;
	struct error *err = NULL;
	int i;

	(void)state;
	fputs("{\"schemaVersion\":2," OCI_CONFIG ",\"layers\":[" OCI_LAYER, out);
	for (i = 0; i < IMAGE_LAYERS_MAX; i++)
		fputs("," OCI_LAYER, out);
	fputs("]}", out);
	text = text_stream_take(&stream);

	assert_null(image_manifest_parse(text, strlen(text), OCI_MANIFEST, &err));
	assert_error_contains(err, "128 layers");
	error_free(err);
}

static char *entry(const char *digest, const char *os, const char *architecture,
                   const char *variant)
{
	scoped(text) char *rest = variant ? text_printf(",\"variant\":\"%s\"", variant) : NULL;

	return text_printf("{\"digest\":\"%s\",\"platform\":{\"os\":\"%s\",\"architecture\":"
	                   "\"%s\"%s}}",
	                   digest, os, architecture, rest ? rest : "");
}

/* Owned by the caller. */
static char *image_index(void)
{
	scoped(text) char *attestation = entry(A, "unknown", "unknown", NULL);
	scoped(text) char *amd64 = entry(B, "linux", "amd64", NULL);
	scoped(text) char *arm64 = entry(C, "linux", "arm64", "v8");
	scoped(text) char *arm = entry(D, "linux", "arm", "v7");

	return text_printf("{\"schemaVersion\":2,\"manifests\":[%s,%s,%s,%s]}", attestation, amd64,
	                   arm64, arm);
}

static void test_image_index_choose__finds_the_platform(void **state)
{
	static const struct {
		const char *platform, *digest;
	} cases[] = {
		{ "linux/amd64", B },
		{ "linux/arm64", C },
		{ "linux/arm64/v8", C },
		{ "linux/arm/v7", D },
	};
	scoped(text) char *index = image_index();
	struct error *err = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		scoped(text) char *digest =
			image_index_choose(index, strlen(index), cases[i].platform, &err);

		assert_ok(digest, err);
		assert_string_equal(digest, cases[i].digest);
	}
	assert_null(image_index_choose(index, strlen(index), "linux/arm", &err));
	assert_error_contains(err, "not made for the platform linux/arm, but for linux/amd64, "
	                           "linux/arm64/v8, linux/arm/v7");
	error_free(take(err));
	assert_null(image_index_choose("{}", 2, "linux/arm", &err));
	assert_error_contains(err, "for none");
	error_free(err);
}

static void test_image_config_append__adds_layer_environment_labels_and_history(void **state)
{
	static const struct {
		const char *config, *expected;
	} cases[] = {
		{ "{\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" A "\"]}}",
		  "{\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" A "\",\"" C
		  "\"]},\"config\":{\"Env\":[\"X=1\",\"PYTHONPATH=/opt/site\"],"
		  "\"Labels\":{\"l\":\"v\"}}}" },
		{ "{\"config\":{\"Env\":[\"PATH=/bin\",\"PYTHONPATH=/old\",\"X=0\"],"
		  "\"Labels\":{\"l\":\"u\",\"m\":\"w\"},\"User\":\"185\"},\"history\":[{}],"
		  "\"rootfs\":{\"diff_ids\":[\"" A "\"]}}",
		  "{\"config\":{\"Env\":[\"PATH=/bin\",\"PYTHONPATH=/opt/site:/old\",\"X=1\"],"
		  "\"Labels\":{\"l\":\"v\",\"m\":\"w\"},\"User\":\"185\"},\"history\":[{},"
		  "{\"created\":\"1980-01-01T00:00:00Z\",\"created_by\":\"stepop\"}],"
		  "\"rootfs\":{\"diff_ids\":[\"" A "\",\"" C "\"]}}" },
		{ "{\"config\":{\"Env\":null,\"Labels\":null},\"history\":[],"
		  "\"rootfs\":{\"diff_ids\":[\"" A "\"]}}",
		  "{\"config\":{\"Env\":[\"X=1\",\"PYTHONPATH=/opt/"
		  "site\"],\"Labels\":{\"l\":\"v\"}},"
		  "\"history\":[],\"rootfs\":{\"diff_ids\":[\"" A "\",\"" C "\"]}}" },
	};
	json_auto_t *env = json_pack("{s:s}", "X", "1");
	json_auto_t *labels = json_pack("{s:s}", "l", "v");
	struct image_addition more = addition;
	size_t i, size;

	(void)state;
	more.env = env;
	more.labels = labels;
	more.python_path = "/opt/site";
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *config = parse_config(cases[i].config, 1);
		json_auto_t *result = image_config_append(config, &more);
		scoped(text) char *text = image_json_render(result, &size);

		assert_string_equal(text, cases[i].expected);
	}
}

static void test_image_config_append__leaves_the_environment_alone_without_need(void **state)
{
	json_auto_t *config = parse_config("{\"config\":{},\"rootfs\":{\"diff_ids\":[]}}", 0);
	json_auto_t *result = image_config_append(config, &addition);
	size_t size;
	scoped(text) char *text = image_json_render(result, &size);

	(void)state;
	assert_string_equal(text, "{\"config\":{},\"rootfs\":{\"diff_ids\":[\"" C "\"]}}");
}

static void test_image_config_parse__refuses_what_does_not_fit_the_manifest(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "{}", "no list of layers" },
		{ "[]", "no JSON object" },
		{ "{\"rootfs\":{\"diff_ids\":[1]}}", "no list of layers" },
		{ "{\"rootfs\":{\"diff_ids\":[]}}", "has 0 layers, its manifest 1" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error *err = NULL;

		assert_null(image_config_parse(cases[i].text, strlen(cases[i].text), 1, &err));
		assert_error_contains(err, cases[i].why);
		error_free(err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_image_manifest_append__stays_within_its_family),
		cmocka_unit_test(test_image_manifest_parse__reads_layers),
		cmocka_unit_test(test_image_manifest_parse__refuses_what_is_no_image),
		cmocka_unit_test(
			test_image_manifest_parse__refuses_more_layers_than_can_be_mounted),
		cmocka_unit_test(test_image_index_choose__finds_the_platform),
		cmocka_unit_test(
			test_image_config_append__adds_layer_environment_labels_and_history),
		cmocka_unit_test(
			test_image_config_append__leaves_the_environment_alone_without_need),
		cmocka_unit_test(test_image_config_parse__refuses_what_does_not_fit_the_manifest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
