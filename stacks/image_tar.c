/* SPDX-License-Identifier: Apache-2.0 */
/* ustar and pax headers. */
#include "stacks/image_tar.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"

/* The largest number of 11 octal digits, which the size of a ustar header has. */
#define USTAR_SIZE_MAX 077777777777

struct ustar {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type;
	char link_name[100], magic[6], version[2], user[32], group[32], major[8], minor[8];
	char prefix[155], unused[12];
};
_Static_assert(sizeof(struct ustar) == IMAGE_TAR_BLOCK, "a ustar header is one block");

/* Octal digits with zeros in front, and a NUL that the next field may not overwrite. */
static void put_octal(char *field, size_t size, uint64_t number)
{
	field[--size] = '\0';
	while (size) {
		field[--size] = (char)('0' + (number & 7));
		number >>= 3;
	}
}

static void put_checksum(struct ustar *header)
{
	const unsigned char *bytes = (const unsigned char *)header;
	unsigned sum = 0;
	size_t i;

	memset(header->checksum, ' ', sizeof(header->checksum));
	for (i = 0; i < sizeof(*header); i++)
		sum += bytes[i];
	put_octal(header->checksum, 7, sum);
}

static void put_header(char *block, const char *path, char type, unsigned mode, int64_t size_bytes)
{
	struct ustar header = { .type = type };

	memcpy(header.name, path, strnlen(path, sizeof(header.name)));
	put_octal(header.mode, sizeof(header.mode), mode);
	put_octal(header.uid, sizeof(header.uid), 0);
	put_octal(header.gid, sizeof(header.gid), 0);
	put_octal(header.size, sizeof(header.size),
	          size_bytes > USTAR_SIZE_MAX ? 0 : (uint64_t)size_bytes);
	put_octal(header.mtime, sizeof(header.mtime), IMAGE_TAR_TIME);
	put_octal(header.major, sizeof(header.major), 0);
	put_octal(header.minor, sizeof(header.minor), 0);
	memcpy(header.magic, "ustar", sizeof(header.magic));
	memcpy(header.version, "00", sizeof(header.version));
	put_checksum(&header);
	memcpy(block, &header, sizeof(header));
}

/* "LENGTH key=value\n", whose length counts its own digits. */
static void put_record(FILE *out, const char *key, const char *value)
{
	size_t bare = strlen(key) + strlen(value) + 3, length = bare;
	int digits;

	do {
		digits = snprintf(NULL, 0, "%zu", length);
		length = bare + (size_t)digits;
	} while (snprintf(NULL, 0, "%zu", length) != digits);
	fprintf(out, "%zu %s=%s\n", length, key, value);
}

static bool is_ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text > 0x7f)
			return false;
	return true;
}

/* The records that the ustar header has no room for; "" where there are none. */
static char *records(const struct image_tar_entry *entry, size_t *size)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);

	if (!is_ascii(entry->path) || strlen(entry->path) > sizeof(((struct ustar *)0)->name))
		put_record(out, "path", entry->path);
	if (entry->size_bytes > USTAR_SIZE_MAX) {
		scoped(text) char *number = text_printf("%lld", (long long)entry->size_bytes);

		put_record(out, "size", number);
	}
	return text_stream_take_sized(&stream, size);
}

size_t image_tar_padding(int64_t size_bytes)
{
	return (size_t)(-size_bytes & (IMAGE_TAR_BLOCK - 1));
}

char *image_tar_header(const struct image_tar_entry *entry, size_t *size)
{
	size_t records_size = 0, extended = 0;
	scoped(text) char *more = records(entry, &records_size);
	unsigned mode = entry->is_folder || entry->is_executable ? 0755 : 0644;
	char *blocks;

	if (records_size)
		extended =
			IMAGE_TAR_BLOCK + records_size + image_tar_padding((int64_t)records_size);
	*size = extended + IMAGE_TAR_BLOCK;
	blocks = xcalloc(*size, 1);
	if (records_size) {
		put_header(blocks, "PaxHeaders/path", 'x', 0644, (int64_t)records_size);
		memcpy(blocks + IMAGE_TAR_BLOCK, more, records_size);
	}
	put_header(blocks + extended, entry->path, entry->is_folder ? '5' : '0', mode,
	           entry->size_bytes);
	return blocks;
}
