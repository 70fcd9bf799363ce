/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target: the input is a manifest, an index or a configuration of an image. */
#include <stdint.h>

#include "cloud/oci_registry.h"
#include "core/memory.h"
#include "stacks/image_manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct image_addition addition = { .diff_id = "sha256:1",
	                                        .digest = "sha256:2",
	                                        .created_by = "fuzz",
	                                        .python_path = "/opt/site" };

static void try_manifest(const char *text, size_t size, const char *media_type)
{
	scoped(image_manifest) struct image_manifest *manifest =
		image_manifest_parse(text, size, media_type, NULL);

	if (manifest)
		json_decref(image_manifest_append(manifest, "sha256:3", 1, &addition));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	size_t layers;

	try_manifest(text, size, OCI_MANIFEST);
	try_manifest(text, size, DOCKER_MANIFEST);
	free(image_index_choose(text, size, "linux/amd64", NULL));
	for (layers = 0; layers < 3; layers++) {
		json_auto_t *config = image_config_parse(text, size, layers, NULL);

		if (config) {
			free(image_config_platform(config));
			json_decref(image_config_append(config, &addition));
		}
	}
	return 0;
}
