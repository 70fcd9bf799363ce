/* SPDX-License-Identifier: Apache-2.0 */
/* operator/pipeline under any input; what follows a NUL is an override of the parameter "n". */
#include <stdint.h>
#include <string.h>

#include "core/text.h"
#include "operator/pipeline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const types[] = { "spark.dataframe", "json", NULL };
	const char *text = (const char *)data, *end = memchr(text, '\0', size);
	size_t text_size = end ? (size_t)(end - text) : size;
	char *override = end ? xstrndup(end + 1, size - text_size - 1) : NULL;
	json_t *overrides = override ? json_pack("{s:s}", "n", override) : NULL;
	struct error *err = NULL;
	struct pipeline *pipeline = pipeline_parse("tests/golden/pipeline/valid/fuzz.yaml", text,
	                                           text_size, overrides, types, &err);

	if (!pipeline && err->kind != ERROR_INVALID)
		abort();
	if (pipeline && (!pipeline->step_count || !pipeline->steps[0].settings))
		abort();
	error_free(err);
	pipeline_free(pipeline);
	json_decref(overrides);
	free(override);
	return 0;
}
