/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target: the URL of a MySQL server, as a user or a secret gives it.
 * clang -g -O1 -D_GNU_SOURCE -I. -std=gnu17 -fsanitize=fuzzer,address,undefined THIS_FILE
 * stacks/{mysql_url,server_options}.c core/{error,memory,text}.c … -o fuzz */
#include <stdint.h>
#include <stdlib.h>

#include "core/text.h"
#include "stacks/mysql_database.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(server_options) struct server_options *options = xcalloc(1, sizeof(*options));
	scoped(text) char *url = xstrndup((const char *)data, size);
	scoped(error) struct error *err = NULL;

	/* It is accepted, or it is said why not. */
	if (mysql_parse_url(url, options, &err) == (err != NULL))
		abort();
	return 0;
}
