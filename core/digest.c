/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (OpenSSL), random identifiers, base64. */
#include "core/digest.h"

#include <openssl/evp.h>
#include <string.h>
#include <sys/random.h>

#include "core/memory.h"
#include "core/text.h"

char *hex_encode(const void *from, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *bytes = from;
	char *text = xcalloc(size * 2 + 1, 1);
	size_t i;

	for (i = 0; i < size; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	return text;
}

char *digest_bytes(const void *bytes, size_t size)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int length;

	if (!EVP_Digest(bytes, size, digest, &length, EVP_sha256(), NULL))
		abort();
	return hex_encode(digest, length);
}

static void md_context_cleanup(EVP_MD_CTX **context)
{
	EVP_MD_CTX_free(*context);
}

char *digest_file(const char *path, struct error **err)
{
	scoped(md_context) EVP_MD_CTX *context = EVP_MD_CTX_new();
	scoped(file) FILE *file = fopen(path, "rbe");
	unsigned char digest[EVP_MAX_MD_SIZE];
	char block[65536];
	unsigned int length;
	size_t n;

	if (!file)
		return error_set(err, ERROR_NOT_FOUND, "open '%s': %m", path);
	if (!EVP_DigestInit_ex(context, EVP_sha256(), NULL))
		abort();
	while ((n = fread(block, 1, sizeof(block), file)))
		EVP_DigestUpdate(context, block, n);
	if (ferror(file))
		return error_set(err, ERROR_INTERNAL, "read '%s': %m", path);
	EVP_DigestFinal_ex(context, digest, &length);
	return hex_encode(digest, length);
}

char *digest_json(const json_t *value)
{
	scoped(text) char *text =
		json_dumps(value, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY);

	return digest_bytes(text, strlen(text));
}

char *digest_random_hex(size_t count)
{
	size_t size = (count + 1) / 2;
	scoped(text) char *bytes = xcalloc(size, 1);
	char *text;

	if (getrandom(bytes, size, 0) != (ssize_t)size)
		abort();
	text = hex_encode(bytes, size);
	text[count] = '\0';
	return text;
}

char *base64_encode(const void *bytes, size_t size)
{
	char *text = xcalloc((size + 2) / 3 * 4 + 1, 1);

	EVP_EncodeBlock((unsigned char *)text, bytes, (int)size);
	return text;
}

void *base64_decode(const char *text, size_t *size)
{
	size_t length = strlen(text), padding = 0;
	scoped(text) char *bytes = NULL;
	int got;

	if (length % 4)
		return NULL;
	while (padding < 2 && padding < length && text[length - 1 - padding] == '=')
		padding++;
	bytes = xcalloc(length / 4 * 3 + 1, 1);
	got = EVP_DecodeBlock((unsigned char *)bytes, (const unsigned char *)text, (int)length);
	if (got < 0)
		return NULL;
	*size = (size_t)got - padding;
	bytes[*size] = '\0';
	return take(bytes);
}
