/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target: the input is a postgresql:// URL, and what a server makes libpq say. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "stacks/postgres_database.h"
#include "stacks/postgres_fault.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(server_options) struct server_options *options = xcalloc(1, sizeof(*options));
	scoped(text) char *text = xstrndup((const char *)data, size);
	scoped(text) char *reason = NULL;

	postgres_fault_of_connect(text, &reason);
	assert(!strchr(reason, '\n'));
	postgres_parse_url(text, options, NULL);
	assert(!options->password);
	return 0;
}
