/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target: the input is a file of properties; what is read from it is read back after it
 * was written. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "core/text.h"
#include "submit/spark_properties_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *written(const struct spark_conf *conf)
{
	struct text_stream stream;

	spark_conf_write_properties(conf, text_stream_open(&stream));
	return text_stream_take(&stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(spark_conf) struct spark_conf *conf = spark_conf_new();
	scoped(spark_conf) struct spark_conf *again = spark_conf_new();
	scoped(text) char *first = NULL;
	scoped(text) char *second = NULL;

	if (!spark_properties_parse((const char *)data, size, conf, NULL))
		return 0;
	first = written(conf);
	assert(spark_properties_parse(first, strlen(first), again, NULL));
	second = written(again);
	assert(text_equal(first, second));
	return 0;
}
