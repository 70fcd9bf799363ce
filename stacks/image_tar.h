/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers of a tar archive that is the same wherever and whenever it is written (POSIX.1-2017,
 * pax, "ustar Interchange Format"). libarchive can write these, too; but a layer's digest must
 * survive its releases, and it would draw libxml2 and ICU into every build of an image.
 */
#ifndef STACKS_IMAGE_TAR_H
#define STACKS_IMAGE_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_TAR_BLOCK 512
/* 1980-01-01T00:00:00Z, the earliest that a zip archive can hold: Python zips modules up. */
#define IMAGE_TAR_TIME 315532800

struct image_tar_entry {
	const char *path; /* UTF-8; a folder's ends in '/' */
	int64_t size_bytes;
	bool is_folder, is_executable;
};

/*
 * What stands in front of the entry's content, a number of blocks: one ustar header of user 0 and
 * group 0 with mode 0644 (0755 for folders and what is executable); before it an extended header
 * where the path is not ASCII or longer than 100 bytes, or the content has 8 GiB or more. Owned by
 * the caller.
 */
char *image_tar_header(const struct image_tar_entry *entry, size_t *size);
/* How many NULs fill up the last block of a content. */
size_t image_tar_padding(int64_t size_bytes);

#endif
