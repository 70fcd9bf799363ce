/* SPDX-License-Identifier: Apache-2.0 */
/* credential_process: a command that a profile names, run by the shell as in the SDKs. */
#include <jansson.h>
#include <string.h>

#include "cloud/aws_chain.h"
#include "core/child.h"
#include "core/memory.h"
#include "core/text.h"

#define OUTPUT_LIMIT_BYTES ((size_t)64 << 10)

enum { TIMEOUT_MS = 60000 };

bool aws_process_run(const char *command, struct aws_credentials *credentials, struct error **err)
{
	scoped(text) char *line = xstrdup(command);
	const char *arguments[] = { "/bin/sh", "-c", line, NULL };
	scoped(secret) char *output = NULL;
	json_auto_t *answer = NULL;

	/* A value of several lines is one command. */
	for (char *at = line; *at; at++)
		if (*at == '\n')
			*at = ' ';
	output = child_output(&(struct child_command){ .arguments = arguments,
	                                               .timeout_ms = TIMEOUT_MS,
	                                               .output_limit_bytes = OUTPUT_LIMIT_BYTES },
	                      NULL, err);
	if (!output)
		return false;
	answer = json_loads(output, 0, NULL);
	if (json_integer_value(json_object_get(answer, "Version")) != 1)
		return error_set(err, ERROR_AUTH,
		                 "it should print {\"Version\": 1, \"AccessKeyId\": …}");
	return aws_credentials_parse(output, "SessionToken", credentials, err);
}
