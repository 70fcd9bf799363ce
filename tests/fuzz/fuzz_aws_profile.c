/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target: the input is a file of AWS's profiles, of either kind. */
#include <stdint.h>

#include "cloud/aws_profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scoped(aws_profiles) struct aws_profiles *profiles = aws_profiles_new();
	const char *text = (const char *)data;

	if (aws_profiles_add(profiles, AWS_CONFIG_FILE, "config", text, size, NULL) &&
	    aws_profiles_add(profiles, AWS_CREDENTIALS_FILE, "credentials", text, size, NULL)) {
		aws_profiles_get(profiles, "default", "region");
		aws_profiles_service(profiles, "a", "s3", "endpoint_url");
	}
	aws_profiles_missing(profiles, "dev", NULL);
	return 0;
}
