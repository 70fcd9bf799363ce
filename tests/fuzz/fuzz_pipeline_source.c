/* SPDX-License-Identifier: Apache-2.0 */
/* operator/pipeline_source under any input. */
#include <stdint.h>

#include "operator/pipeline_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pipeline_source *source = pipeline_source_parse((const char *)data, size);
	const char **names = pipeline_source_function_names(source);
	size_t i;

	for (i = 0; names[i]; i++)
		if (!pipeline_source_find(source, names[i]))
			abort();
	free(names);
	pipeline_source_free(source);
	return 0;
}
