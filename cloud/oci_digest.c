/* SPDX-License-Identifier: Apache-2.0 */
/* Digests by OpenSSL. */
#include "cloud/oci_digest.h"

#include <openssl/evp.h>
#include <string.h>

#include "cloud/oci_reference.h"
#include "core/memory.h"
#include "core/text.h"

/* "sha512" -> "sha512:…"; owned by the caller. */
static char *digest_by(const char *algorithm, const void *bytes, size_t size)
{
	const EVP_MD *type = EVP_get_digestbyname(algorithm);
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int length = 0;
	struct text_stream stream;
	FILE *out;

	if (!type || !EVP_Digest(bytes, size, digest, &length, type, NULL))
		abort();
	out = text_stream_open(&stream);
	fprintf(out, "%s:", algorithm);
	for (unsigned int i = 0; i < length; i++)
		fprintf(out, "%02x", digest[i]);
	return text_stream_take(&stream);
}

char *oci_digest_of(const void *bytes, size_t size)
{
	return digest_by("sha256", bytes, size);
}

bool oci_digest_fits(const char *digest, const void *bytes, size_t size)
{
	scoped(text) char *algorithm = xstrndup(digest, strcspn(digest, ":"));
	scoped(text) char *real = oci_is_digest(digest) ? digest_by(algorithm, bytes, size) : NULL;

	return text_equal(real, digest);
}
