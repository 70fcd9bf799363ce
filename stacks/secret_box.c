/* SPDX-License-Identifier: Apache-2.0 */
/* AES-256-GCM by OpenSSL; all of the envelope but the sealed bytes is associated data. */
#include "stacks/secret_box.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"

#define FORMAT 1
#define NONCE_SIZE 12
#define TAG_SIZE 16

static void cipher_cleanup(EVP_CIPHER_CTX **context)
{
	EVP_CIPHER_CTX_free(*context);
}

/* Sorted keys and no blanks: the same bytes however the file was laid out. */
static char *associated_data(const json_t *box)
{
	json_auto_t *header = json_copy((json_t *)box);

	json_object_del(header, "data");
	return json_dumps(header, JSON_COMPACT | JSON_SORT_KEYS);
}

static bool encrypt(const struct secret_key *key, const unsigned char *nonce, const char *header,
                    const void *bytes, size_t size, unsigned char *sealed)
{
	scoped(cipher) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int length;

	return context &&
	       EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), NULL, key->bytes, nonce) == 1 &&
	       EVP_EncryptUpdate(context, NULL, &length, (const unsigned char *)header,
	                         (int)strlen(header)) == 1 &&
	       EVP_EncryptUpdate(context, sealed, &length, bytes, (int)size) == 1 &&
	       EVP_EncryptFinal_ex(context, sealed + length, &length) == 1 &&
	       EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, sealed + size) == 1;
}

static bool decrypt(const struct secret_key *key, const unsigned char *nonce, const char *header,
                    const unsigned char *sealed, size_t size, unsigned char *bytes)
{
	scoped(cipher) EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int length;

	return context &&
	       EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL, key->bytes, nonce) == 1 &&
	       EVP_DecryptUpdate(context, NULL, &length, (const unsigned char *)header,
	                         (int)strlen(header)) == 1 &&
	       EVP_DecryptUpdate(context, bytes, &length, sealed, (int)size) == 1 &&
	       EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG_SIZE,
	                           (void *)(sealed + size)) == 1 &&
	       EVP_DecryptFinal_ex(context, bytes + length, &length) == 1;
}

json_t *secret_box_seal(const json_t *description, const struct secret_key *key, const void *bytes,
                        size_t size, struct error **err)
{
	unsigned char nonce[NONCE_SIZE];
	scoped(text) char *nonce_text = NULL, *header = NULL, *data = NULL, *sealed = NULL;
	json_auto_t *box = NULL;

	if (size > INT_MAX - TAG_SIZE)
		return error_set(err, ERROR_INVALID, "more secrets than one file can hold");
	if (RAND_bytes(nonce, sizeof(nonce)) != 1)
		return error_set(err, ERROR_INTERNAL, "no random numbers");
	nonce_text = base64_encode(nonce, sizeof(nonce));
	box = json_pack("{s:s, s:i, s:s, s:O, s:s}", "kind", "stepop secrets", "format", FORMAT,
	                "cipher", "aes-256-gcm", "key", description, "nonce", nonce_text);
	header = associated_data(box);
	sealed = xcalloc(size + TAG_SIZE, 1);
	if (!encrypt(key, nonce, header, bytes, size, (unsigned char *)sealed))
		return error_set(err, ERROR_INTERNAL, "AES-256-GCM failed");
	data = base64_encode(sealed, size + TAG_SIZE);
	json_object_set_new(box, "data", json_string(data));
	return take(box);
}

const json_t *secret_box_description(const json_t *box, struct error **err)
{
	const char *kind = json_string_value(json_object_get(box, "kind"));
	const json_t *format = json_object_get(box, "format");
	const json_t *description = json_object_get(box, "key");

	if (!text_equal(kind, "stepop secrets") || !json_is_integer(format) ||
	    !json_is_object(description))
		return error_set(err, ERROR_INVALID, "this is no file of secrets");
	if (json_integer_value(format) > FORMAT)
		return error_set(err, ERROR_INVALID,
		                 "its format %" JSON_INTEGER_FORMAT
		                 " is of a later stepop; this one knows format %d",
		                 json_integer_value(format), FORMAT);
	return description;
}

char *secret_box_open(const json_t *box, const struct secret_key *key, size_t *size,
                      struct error **err)
{
	const char *nonce_text = json_string_value(json_object_get(box, "nonce"));
	const char *data_text = json_string_value(json_object_get(box, "data"));
	size_t nonce_size = 0, data_size = 0;
	scoped(text) char *nonce = nonce_text ? base64_decode(nonce_text, &nonce_size) : NULL;
	scoped(text) char *data = data_text ? base64_decode(data_text, &data_size) : NULL;
	scoped(text) char *header = associated_data(box);
	char *bytes;

	if (!nonce || nonce_size != NONCE_SIZE || !data || data_size < TAG_SIZE ||
	    data_size > INT_MAX)
		return error_set(err, ERROR_AUTH, "it was damaged or changed");
	data_size -= TAG_SIZE;
	bytes = xcalloc(data_size + 1, 1);
	if (decrypt(key, (unsigned char *)nonce, header, (unsigned char *)data, data_size,
	            (unsigned char *)bytes)) {
		*size = data_size;
		return bytes;
	}
	text_wipe(bytes, data_size);
	free(bytes);
	return error_set(err, ERROR_AUTH, "it was damaged or changed");
}
