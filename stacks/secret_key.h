/* SPDX-License-Identifier: Apache-2.0 */
/* The key of the local secrets manager: from the environment, a passphrase, or a file that only its
 * owner reads. */
#ifndef STACKS_SECRET_KEY_H
#define STACKS_SECRET_KEY_H

#include <jansson.h>
#include <stdbool.h>

#include "core/error.h"

#define SECRET_KEY_SIZE 32

struct secret_key {
	unsigned char bytes[SECRET_KEY_SIZE];
};
/* Wipes it. */
void secret_key_release(struct secret_key *key);

/*
 * A new key and its description, which is stored beside what it locks: with
 * $STEPOP_SECRETS_KEY (64 hex digits or base64) that one; else with $STEPOP_SECRETS_PASSPHRASE a
 * key derived from it by scrypt, with a new salt; else a random one, written to `key_file`, NULL
 * being ${XDG_CONFIG_HOME:-~/.config}/stepop/keys/<id>.key. The description is the caller's.
 */
json_t *secret_key_create(const char *key_file, struct secret_key *key, struct error **err);

/* The key that `description` (from outside: checked) tells of. AUTH when it cannot be had or is
 * another one. */
bool secret_key_find(const json_t *description, const char *key_file, struct secret_key *key,
                     struct error **err);

#endif
