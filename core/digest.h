/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (OpenSSL), random identifiers, base64. */
#ifndef CORE_DIGEST_H
#define CORE_DIGEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

/* 64 lower-case hex digits; owned by the caller. */
char *digest_bytes(const void *bytes, size_t size);
char *digest_file(const char *path, struct error **err);
/* Of `size` bytes of a file, its position left alone; fewer are INVALID. */
char *digest_range(int fd, int64_t offset, size_t size, struct error **err);
/* Of the canonical form: sorted keys, no blanks. */
char *digest_json(const json_t *value);

/* Two lower-case digits for each byte; owned by the caller. */
char *hex_encode(const void *bytes, size_t size);
/* Of bytes as they come: "sha256", "sha384" or "sha512"; NULL for any other name. */
struct digest;
struct digest *digest_new(const char *algorithm);
void digest_add(struct digest *digest, const void *bytes, size_t size);
/* Lower-case hex digits of all that was added, owned by the caller; ends the digest's use. */
char *digest_end(struct digest *digest);
void digest_free(struct digest *digest);
DEFINE_CLEANUP(digest);

/* `count` random lower-case hex digits from the system's generator; owned by the caller. */
char *digest_random_hex(size_t count);

/* Standard base64 with padding; owned by the caller. decode: NULL on malformed input. */
char *base64_encode(const void *bytes, size_t size);
void *base64_decode(const char *text, size_t *size);

#endif
