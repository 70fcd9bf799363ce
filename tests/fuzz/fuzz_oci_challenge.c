/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target: WWW-Authenticate of what claims to be a registry. */
#include <stdint.h>

#include "cloud/oci_challenge.h"
#include "core/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(text) char *head = xstrndup((const char *)data, size);
	struct oci_challenge challenge;

	oci_challenge_find(head, &challenge);
	oci_challenge_release(&challenge);
	return 0;
}
