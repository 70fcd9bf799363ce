/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target: names of images. What is accepted means the same when it is read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/oci_reference.h"
#include "core/memory.h"
#include "core/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(text) char *text = xstrndup((const char *)data, size);
	struct oci_reference first, second;

	if (oci_reference_parse(text, &first, NULL)) {
		scoped(text) char *rendered = oci_reference_render(&first);
		scoped(text) char *again = NULL;

		if (!oci_reference_parse(rendered, &second, NULL))
			abort();
		again = oci_reference_render(&second);
		if (strcmp(rendered, again))
			abort();
		oci_reference_release(&first);
		oci_reference_release(&second);
	}
	return 0;
}
