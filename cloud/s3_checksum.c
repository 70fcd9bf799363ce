/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, and cyclic redundancy codes of several polynomials by one loop. */
#include "cloud/s3_checksum.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"

/* Reflected polynomials; all begin with ones, and are inverted at the end. */
static const struct code {
	const char *header;
	unsigned bits;
	uint64_t polynomial;
} codes[] = {
	{ "x-amz-checksum-crc64nvme", 64, 0x9a6c9329ac4bc9b5 },
	{ "x-amz-checksum-crc32", 32, 0xedb88320 },
	{ "x-amz-checksum-crc32c", 32, 0x82f63b78 },
};

static void fill_table(uint64_t table[256], uint64_t polynomial)
{
	for (unsigned i = 0; i < 256; i++) {
		uint64_t value = i;

		for (int bit = 0; bit < 8; bit++)
			value = value >> 1 ^ (value & 1 ? polynomial : 0);
		table[i] = value;
	}
}

static uint64_t code_of(const struct code *code, const void *bytes, size_t size)
{
	const uint64_t ones = code->bits == 64 ? UINT64_MAX : UINT32_MAX;
	const unsigned char *at = bytes;
	uint64_t value = ones, table[256];

	fill_table(table, code->polynomial);
	while (size--)
		value = table[(value ^ *at++) & 0xff] ^ value >> 8;
	return value ^ ones;
}

/* As headers have it: the bytes, the highest first, in base64. Owned by the caller. */
static char *code_text(const struct code *code, const void *bytes, size_t size)
{
	uint64_t value = code_of(code, bytes, size);
	unsigned char octets[8];
	size_t count = code->bits / 8;

	for (size_t i = 0; i < count; i++)
		octets[i] = (unsigned char)(value >> (code->bits - 8 * (i + 1)));
	return base64_encode(octets, count);
}

static char *sha256_text(const void *bytes, size_t size)
{
	scoped(text) char *digits = digest_bytes(bytes, size);
	unsigned char octets[32];

	for (size_t i = 0; i < sizeof(octets); i++) {
		char pair[] = { digits[2 * i], digits[2 * i + 1], '\0' };

		octets[i] = (unsigned char)strtoul(pair, NULL, 16);
	}
	return base64_encode(octets, sizeof(octets));
}

static bool fits(const char *told, const char *found)
{
	return strchr(told, '-') || text_equal(told, found);
}

bool s3_checksum_fits(const struct http_response *response)
{
	scoped(text) char *digest = http_response_header(response, "x-amz-checksum-sha256");
	const char *body = response->body ? response->body : "";

	if (digest) {
		scoped(text) char *found = sha256_text(body, response->body_size);

		return fits(digest, found);
	}
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		scoped(text) char *told = http_response_header(response, codes[i].header);
		scoped(text) char *found =
			told ? code_text(&codes[i], body, response->body_size) : NULL;

		if (told)
			return fits(told, found);
	}
	return true;
}
