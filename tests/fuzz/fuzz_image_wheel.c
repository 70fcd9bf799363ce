/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target: the input is RECORD of a wheel. */
#include <stdint.h>

#include "stacks/image_wheel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image_wheel_record *records;
	size_t count;

	if (image_wheel_records_parse((const char *)data, size, &records, &count, NULL))
		image_wheel_records_free(records, count);
	return 0;
}
