/* SPDX-License-Identifier: Apache-2.0 */
/* A tree of files as one layer of an image: the same files give the same bytes on any machine. */
#ifndef STACKS_IMAGE_LAYER_H
#define STACKS_IMAGE_LAYER_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"
#include "stacks/image_tree.h"

/* stepop's own folder in an image. Folders in and below it are entries of the layer; others are
 * not, for they are the image's: an entry would replace a link by a folder, and its mode by 0755.
 */
#define IMAGE_FOLDER "opt/stepop"

struct image_layer {
	char *diff_id;      /* "sha256:…" of the tar archive: what the files are */
	char *digest;       /* "sha256:…" of the gzip file: depends on zlib's release as well */
	int64_t size_bytes; /* of the gzip file */
	int64_t content_bytes; /* of the tar archive */
	size_t file_count;
	int fd; /* the gzip file, to be read by position; it has no name and goes with the layer */
};
void image_layer_free(struct image_layer *layer);
DEFINE_CLEANUP(image_layer);

/* The diff_id alone, by reading every file once; owned by the caller. */
char *image_layer_diff_id(struct image_tree *tree, struct error **err);

/*
 * Writes the layer into a file without a name below $TMPDIR (or /tmp), in one pass and in constant
 * memory: tar (image_tar.h) in gzip with a header without name and time (RFC 1952). The caller owns
 * the layer.
 */
struct image_layer *image_layer_write(struct image_tree *tree, struct error **err);

#endif
