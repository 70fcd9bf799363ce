/* SPDX-License-Identifier: Apache-2.0 */
/* Says how far the copy of an image's layers is. */
#ifndef CLI_IMAGE_PROGRESS_H
#define CLI_IMAGE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct image_progress {
	bool is_quiet;
	int64_t said_tenths;
};

/* A struct image_listener's hook: a line on stderr for each tenth of what takes its time. */
void image_progress_say(void *progress, int64_t copied_bytes, int64_t total_bytes);

#endif
