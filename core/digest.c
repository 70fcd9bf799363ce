/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (OpenSSL), random identifiers, base64. */
#include "core/digest.h"

#include <openssl/evp.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/text.h"

struct digest {
	EVP_MD_CTX *context;
};

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

struct digest *digest_new(const char *algorithm)
{
	const EVP_MD *kind = !strcmp(algorithm, "sha256")   ? EVP_sha256()
	                     : !strcmp(algorithm, "sha384") ? EVP_sha384()
	                     : !strcmp(algorithm, "sha512") ? EVP_sha512()
	                                                    : NULL;
	struct digest *digest;

	if (!kind)
		return NULL;
	digest = xcalloc(1, sizeof(*digest));
	digest->context = EVP_MD_CTX_new();
	if (!digest->context || !EVP_DigestInit_ex(digest->context, kind, NULL))
		abort();
	return digest;
}

void digest_add(struct digest *digest, const void *bytes, size_t size)
{
	if (!EVP_DigestUpdate(digest->context, bytes, size))
		abort();
}

char *digest_end(struct digest *digest)
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned int size;

	if (!EVP_DigestFinal_ex(digest->context, bytes, &size))
		abort();
	return hex_encode(bytes, size);
}

void digest_free(struct digest *digest)
{
	if (!digest)
		return;
	EVP_MD_CTX_free(digest->context);
	free(digest);
}

char *digest_file(const char *path, struct error **err)
{
	scoped(digest) struct digest *digest = digest_new("sha256");
	scoped(file) FILE *file = fopen(path, "rbe");
	char block[65536];
	size_t n;

	if (!file)
		return error_set(err, ERROR_NOT_FOUND, "open '%s': %m", path);
	while ((n = fread(block, 1, sizeof(block), file)))
		digest_add(digest, block, n);
	if (ferror(file))
		return error_set(err, ERROR_INTERNAL, "read '%s': %m", path);
	return digest_end(digest);
}

char *digest_range(int fd, int64_t offset, size_t size, struct error **err)
{
	scoped(digest) struct digest *digest = digest_new("sha256");
	char block[65536];

	while (size) {
		ssize_t n = pread(fd, block, size < sizeof(block) ? size : sizeof(block), offset);

		if (n < 0)
			return error_set(err, ERROR_INTERNAL, "pread: %m");
		if (n == 0)
			return error_set(err, ERROR_INVALID, "the file has become shorter");
		digest_add(digest, block, (size_t)n);
		offset += n;
		size -= (size_t)n;
	}
	return digest_end(digest);
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
