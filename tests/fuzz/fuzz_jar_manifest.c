/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target: the input is the manifest of a jar. */
#include <stdint.h>
#include <string.h>

#include "core/memory.h"
#include "submit/jar_manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(text) char *manifest = xstrndup((const char *)data, size);

	free(jar_manifest_attribute(manifest, "Main-Class"));
	return 0;
}
