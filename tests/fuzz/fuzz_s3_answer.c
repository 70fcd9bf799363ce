/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target: the XML that a server claims to be S3's.
 * clang -g -O1 -D_GNU_SOURCE -I. -std=gnu17 -fsanitize=fuzzer,address,undefined THIS_FILE
 * cloud/s3_answer.c core/{error,memory,text,xml}.c -ljansson -lexpat -o fuzz */
#include <stdint.h>
#include <stdlib.h>

#include "cloud/s3_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stands in for that of cloud/s3.c, which would bring libcurl along. */
void s3_objects_free(struct s3_object *objects, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(objects[i].key);
		free(objects[i].etag);
	}
	free(objects);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct s3_fault fault;
	struct s3_page page;

	s3_fault_parse((const char *)data, size, &fault);
	s3_fault_release(&fault);
	if (s3_page_parse((const char *)data, size, &page, NULL))
		s3_page_release(&page);
	free(s3_upload_id_parse((const char *)data, size, NULL));
	return 0;
}
