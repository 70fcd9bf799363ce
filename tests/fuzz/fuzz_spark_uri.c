/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target: the input is a list of URIs; what is resolved once stays as it is. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "core/text.h"
#include "submit/spark_conf.h"
#include "submit/spark_uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void resolve_twice(const char *text)
{
	scoped(text) char *uri = spark_uri_resolve(text);
	scoped(text) char *again = spark_uri_resolve(uri);
	scoped(text) char *path = spark_uri_path(uri);
	scoped(text) char *name = spark_uri_base_name(uri);
	scoped(text) char *plain = spark_uri_from_path(path);
	scoped(text) char *back = spark_uri_path(plain);

	assert(text_equal(uri, again));
	assert(!strchr(name, '/'));
	assert(*path != '/' || text_equal(path, back));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(text) char *list = xstrndup((const char *)data, size);
	json_auto_t *pieces = spark_conf_split(list);
	scoped(text) char *joined = spark_uri_join(pieces);
	const json_t *piece;
	size_t i;

	json_array_foreach (pieces, i, piece)
		if (*json_string_value(piece))
			resolve_twice(json_string_value(piece));
	assert(strlen(joined) <= size);
	return 0;
}
