/* SPDX-License-Identifier: Apache-2.0 */
/* A sealed file: bytes under AES-256-GCM in a small JSON envelope that is itself authenticated. */
#ifndef STACKS_SECRET_BOX_H
#define STACKS_SECRET_BOX_H

#include <jansson.h>
#include <stddef.h>

#include "core/error.h"
#include "stacks/secret_key.h"

/* The envelope, with `description` (of the key) in it and a nonce of its own each time; owned by
 * the caller. */
json_t *secret_box_seal(const json_t *description, const struct secret_key *key, const void *bytes,
                        size_t size, struct error **err);
/* What the envelope says of its key; borrowed. INVALID when it is no envelope, or of a later
 * format. */
const json_t *secret_box_description(const json_t *box, struct error **err);
/* AUTH when anything in the envelope was changed. The caller wipes and frees the bytes. */
char *secret_box_open(const json_t *box, const struct secret_key *key, size_t *size,
                      struct error **err);

#endif
