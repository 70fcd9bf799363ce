/* SPDX-License-Identifier: Apache-2.0 */
/* The files that a layer adds to an image: where they come from, and where they go to. */
#ifndef STACKS_IMAGE_TREE_H
#define STACKS_IMAGE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

/* Where content goes, in pieces. False with *err set ends the reading. */
struct image_sink {
	bool (*put)(void *context, const void *bytes, size_t size, struct error **err);
	void *context;
};

/* Where the content of a file comes from. Given as a part of what owns it: a wheel, say. */
struct image_source {
	/* All `size` bytes of it, or an error. */
	bool (*read)(const struct image_source *source, const struct image_sink *sink,
	             struct error **err);
	void (*free)(struct image_source *source);
};

struct image_file {
	char *path; /* in the image, without the first '/': "opt/stepop/code/steps.py" */
	int64_t size_bytes;
	bool is_executable;
	char *origin; /* for messages: "wheel 'x.whl'", "'/home/me/steps.py'" */
	struct image_source *source;
};

struct image_tree;
struct image_tree *image_tree_new(void);
void image_tree_free(struct image_tree *tree);
DEFINE_CLEANUP(image_tree);

/*
 * Adds a file. INVALID: a path that is absolute, has an empty part, ".", "..", a control character
 * or a name that begins with ".wh." (a layer would remove files by it), is no UTF-8 or longer than
 * 4,095 bytes. `file` is copied, but for its source, which is taken in any case.
 */
bool image_tree_take_file(struct image_tree *tree, const struct image_file *file,
                          struct error **err);
/* The bytes are copied. */
bool image_tree_add_bytes(struct image_tree *tree, const char *path, const void *bytes, size_t size,
                          struct error **err);
/* A regular file of this machine, which is read when the layer is written; whoever may execute it
 * here may do so there. NOT_FOUND, AUTH. */
bool image_tree_add_file(struct image_tree *tree, const char *path, const char *from,
                         struct error **err);
/* Every regular file in and below the folder `from`, but hidden ones and __pycache__; links to
 * files are the files, links to folders are left out. */
bool image_tree_add_folder(struct image_tree *tree, const char *path, const char *from,
                           struct error **err);

/* Something keeps what its sources read from (a wheel's archive) as long as the tree. */
void image_tree_keep(struct image_tree *tree, void *kept, void (*release)(void *kept));

/*
 * In the order of bytes of their paths, which is that of the layer, whatever they were added in.
 * A file that was added twice with the same content stands once, executable if either was; INVALID:
 * two with different contents, or a file where another has a folder. Borrowed until more is added.
 */
bool image_tree_files(struct image_tree *tree, const struct image_file **files, size_t *count,
                      struct error **err);

/* Reads the content, and holds it to `size_bytes`: a file that has changed is INVALID. */
bool image_file_read(const struct image_file *file, const struct image_sink *sink,
                     struct error **err);

#endif
