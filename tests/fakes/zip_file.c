/* SPDX-License-Identifier: Apache-2.0 */
/* Zip archives (PKWARE APPNOTE 6.3), stored. */
#include "tests/fakes/zip_file.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"

static void put(FILE *out, unsigned size, uint32_t number)
{
	for (; size; size--, number >>= 8)
		fputc((int)(number & 255), out);
}

static uint32_t crc32_of(const char *text)
{
	uint32_t crc = 0xffffffff;
	int bit;

	for (; *text; text++) {
		crc ^= (unsigned char)*text;
		for (bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
	}
	return ~crc;
}

/* What a local header and the central directory have in common. */
static void put_common(FILE *out, const struct zip_file_entry *entry)
{
	uint32_t size = (uint32_t)strlen(entry->text);

	put(out, 2, 20);
	put(out, 2, 0x800); /* names are UTF-8 */
	put(out, 2, 0);     /* stored */
	put(out, 4, 0x00210000);
	put(out, 4, crc32_of(entry->text));
	put(out, 4, size);
	put(out, 4, size);
	put(out, 2, (uint32_t)strlen(entry->name));
	put(out, 2, 0);
}

static void put_directory_entry(FILE *out, const struct zip_file_entry *entry, uint32_t offset)
{
	fputs("PK\1\2", out);
	put(out, 2, 3 << 8 | 20); /* made by Unix */
	put_common(out, entry);
	put(out, 2, 0);
	put(out, 2, 0);
	put(out, 2, 0);
	put(out, 4, (entry->mode ? entry->mode : 0100644) << 16);
	put(out, 4, offset);
	fputs(entry->name, out);
}

void zip_file_write(const char *path, const struct zip_file_entry *entries)
{
	FILE *out = fopen(path, "wbe");
	uint32_t offsets[32], directory, end, count = 0, i;

	assert(out);
	for (; entries[count].name; count++) {
		assert(count < ARRAY_SIZE(offsets));
		offsets[count] = (uint32_t)ftell(out);
		fputs("PK\3\4", out);
		put_common(out, &entries[count]);
		fputs(entries[count].name, out);
		fputs(entries[count].text, out);
	}
	directory = (uint32_t)ftell(out);
	for (i = 0; i < count; i++)
		put_directory_entry(out, &entries[i], offsets[i]);
	end = (uint32_t)ftell(out);
	fputs("PK\5\6", out);
	put(out, 4, 0);
	put(out, 2, count);
	put(out, 2, count);
	put(out, 4, end - directory);
	put(out, 4, directory);
	put(out, 2, 0);
	fclose(out);
}

static char *base64_of_hex(const char *hex)
{
	unsigned char bytes[64];
	size_t size = strlen(hex) / 2, i;
	unsigned byte;
	char *text;

	for (i = 0; i < size; i++) {
		sscanf(hex + 2 * i, "%2x", &byte);
		bytes[i] = (unsigned char)byte;
	}
	text = base64_encode(bytes, size);
	for (i = 0; text[i]; i++)
		text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
	text[strcspn(text, "=")] = '\0';
	return text;
}

char *zip_file_record(const char *name, const char *text)
{
	scoped(text) char *hex = digest_bytes(text, strlen(text));
	scoped(text) char *base64 = base64_of_hex(hex);

	return text_printf("%s,sha256=%s,%zu\n", name, base64, strlen(text));
}

char *zip_file_records(const struct zip_file_entry *entries, const char *record_name)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);

	for (; entries->name; entries++) {
		scoped(text) char *line = zip_file_record(entries->name, entries->text);

		fputs(line, out);
	}
	fprintf(out, "%s,,\n", record_name);
	return text_stream_take(&stream);
}
