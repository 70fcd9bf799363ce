/* SPDX-License-Identifier: Apache-2.0 */
/* Lines out of a stream that arrives in pieces; a part of submit/kube_stream. */
#ifndef SUBMIT_KUBE_LINES_H
#define SUBMIT_KUBE_LINES_H

#include <stdbool.h>
#include <stddef.h>

struct kube_lines {
	size_t limit_bytes;
	bool cuts; /* a longer line comes in pieces; otherwise it ends the stream */
	/* private */
	char *bytes; /* the line so far */
	size_t size, capacity;
	bool inside; /* pieces of this line were told */
};

/* `starts`: false for the further pieces of a cut line. Returning false stops. */
typedef bool kube_lines_tell(void *context, const char *line, size_t size, bool starts);

/* False when a line was too long, or tell() said so: nothing is touched after that. */
bool kube_lines_feed(struct kube_lines *lines, const char *bytes, size_t size,
                     kube_lines_tell *tell, void *context);
/* Tells the rest, which no newline ended. */
bool kube_lines_end(struct kube_lines *lines, kube_lines_tell *tell, void *context);
/* Forgets the line so far: the stream was cut. */
void kube_lines_reset(struct kube_lines *lines);
void kube_lines_release(struct kube_lines *lines);

#endif
