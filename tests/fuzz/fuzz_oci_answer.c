/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer target: what registries and their token services answer. */
#include <stdint.h>
#include <string.h>

#include "cloud/oci_error.h"
#include "cloud/oci_token.h"
#include "core/memory.h"
#include "core/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = { 400, 401, 403, 404, 415, 429, 500 };
	scoped(text) char *body = xstrndup((const char *)data, size);
	const struct oci_subject subject = { .place = "registry/x", .who = "user 'a'" };
	scoped(secret) char *token = NULL;
	int64_t lifetime_ms;

	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		const struct http_response response = { .status = statuses[i],
			                                .body = body,
			                                .body_size = strlen(body) };
		scoped(error) struct error *err = NULL;
		scoped(text) char *text = NULL;

		oci_error_set(&err, &subject, &response);
		text = error_text(err);
		if (strchr(text, '\n')) /* messages are one line, whatever a server says */
			__builtin_trap();
	}
	token = oci_token_parse(body, strlen(body), &lifetime_ms, NULL);
	return 0;
}
