/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target: the input is what STS, another service, or a metadata endpoint answers. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/aws_chain.h"
#include "cloud/aws_fault.h"
#include "cloud/aws_sts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	struct aws_credentials credentials = { 0 };
	struct aws_caller caller;
	struct aws_fault fault;

	aws_fault_parse(text, strlen(text), &fault);
	aws_fault_set(&fault, 400, NULL);
	aws_fault_release(&fault);
	if (aws_sts_caller_parse(text, strlen(text), &caller, NULL))
		aws_caller_release(&caller);
	if (aws_sts_credentials_parse(text, strlen(text), &credentials, NULL))
		aws_credentials_release(&credentials);
	if (aws_credentials_parse(text, "Token", &credentials, NULL))
		aws_credentials_release(&credentials);
	free(text);
	return 0;
}
