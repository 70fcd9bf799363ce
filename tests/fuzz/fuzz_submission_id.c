/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a submission id: what is taken is put together to the same text again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/submission_lookup.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	scoped(text) char *text = xstrndup((const char *)bytes, size);
	scoped(text) char *again = NULL;
	struct submission_id id = { 0 };

	if (!submission_id_parse(text, &id, NULL))
		return 0;
	again = text_printf("%s%s%s%s", id.namespace ? id.namespace : "", id.namespace ? ":" : "",
	                    id.name, id.is_glob ? "*" : "");
	if (strcmp(again, text))
		abort();
	submission_id_release(&id);
	return 0;
}
