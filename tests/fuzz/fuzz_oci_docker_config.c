/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target: docker's config.json. */
#include <stdint.h>

#include "cloud/oci_docker_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_auto_t *config = json_loadb((const char *)data, size, 0, NULL);
	struct oci_credentials found = { 0 };

	oci_docker_config_find(config, "q.io", "team/spark", &found, NULL);
	oci_credentials_release(&found);
	oci_docker_config_helper(config, "docker.io");
	return 0;
}
