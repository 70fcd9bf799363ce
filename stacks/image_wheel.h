/* SPDX-License-Identifier: Apache-2.0 */
/* Python packages from wheels (PyPA specification "Binary distribution format", version 1), as pip
 * would unpack them with --target. */
#ifndef STACKS_IMAGE_WHEEL_H
#define STACKS_IMAGE_WHEEL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"
#include "stacks/image_tree.h"

/*
 * Adds what the wheel installs below `path` ("opt/stepop/site"): its modules and metadata, and of
 * its .data folder purelib, platlib and data. Scripts and headers are left out. The archive stays
 * open as long as the tree; each file is held against its digest in RECORD whenever it is read.
 * INVALID: a wheel that is not pure (its tag is not py3-none-any, or py2.py3-none-any), is damaged,
 * has a link or a path that leads out of it, or a file that RECORD does not list, or the other way
 * round. NOT_FOUND; INTERNAL where libzip is not installed.
 */
bool image_wheel_add(struct image_tree *tree, const char *path, const char *wheel,
                     struct error **err);

/* "py3-none-any" of "six-1.16.0-py2.py3-none-any.whl", as the file has it; owned by the caller.
 * INVALID: no wheel's name, or a tag of one that is not pure. */
char *image_wheel_tag(const char *file_name, struct error **err);

/* A line of RECORD, a CSV file: path,algorithm=digest,size. Strings are owned. */
struct image_wheel_record {
	char *path;
	char *algorithm; /* "sha256"; NULL where there is no digest */
	char *digest;    /* hex */
};
/* INVALID names the line. The caller releases them with image_wheel_records_free(). */
bool image_wheel_records_parse(const char *text, size_t size, struct image_wheel_record **records,
                               size_t *count, struct error **err);
void image_wheel_records_free(struct image_wheel_record *records, size_t count);

#endif
