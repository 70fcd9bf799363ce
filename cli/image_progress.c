/* SPDX-License-Identifier: Apache-2.0 */
/* One line a tenth: a log can hold them, and a person sees that it goes on. */
#include "cli/image_progress.h"

#include <inttypes.h>
#include <stdio.h>

#define MIB (1024 * 1024)
#define WORTH_SAYING (64 * (int64_t)MIB)

void image_progress_say(void *context, int64_t copied_bytes, int64_t total_bytes)
{
	struct image_progress *progress = context;
	int64_t tenths;

	if (progress->is_quiet || total_bytes < WORTH_SAYING)
		return;
	tenths = copied_bytes / (total_bytes / 10);
	if (tenths == progress->said_tenths)
		return;
	progress->said_tenths = tenths;
	fprintf(stderr, "image: %" PRId64 " of %" PRId64 " MiB of the parent's layers are copied\n",
	        copied_bytes / MIB, total_bytes / MIB);
}
