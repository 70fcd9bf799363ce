/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target: the input is what lies between the data and the trailer of a Parquet file.
 * clang -g -O1 -D_GNU_SOURCE -I. -std=gnu17 -fsanitize=fuzzer,address,undefined THIS_FILE
 * materializers/{parquet_*,spark_type,thrift}.c core/{error,memory,text}.c -ljansson -o fuzz */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "materializers/parquet_footer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The trailer is put there: a fuzzer would take long to find it, and it is simple. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(text) char *tail = xcalloc(size + 8, 1);
	struct parquet_footer *footer, *other;

	if (size > 0)
		memcpy(tail, data, size);
	for (int i = 0; i < 4; i++)
		tail[size + (size_t)i] = (char)(size >> (8 * i));
	memcpy(tail + size + 4, "PAR1", 4);
	footer = parquet_footer_parse(tail, size + 8, NULL);
	other = footer ? parquet_footer_parse(tail, size + 8, NULL) : NULL;
	if (footer) {
		parquet_footer_merge(footer, other, NULL);
		json_decref(parquet_footer_columns(footer));
	}
	parquet_footer_free(other);
	parquet_footer_free(footer);
	return 0;
}
