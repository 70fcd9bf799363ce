/* SPDX-License-Identifier: Apache-2.0 */
/* References to secrets, `{{name.key}}`, and what looks like a secret where only a reference may
 * be. */
#ifndef STACKS_SECRET_REFERENCE_H
#define STACKS_SECRET_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"

/*
 * The next reference at or after `text`: what lies before it, its name and key. A pair of braces
 * with neither dot nor lower-case letter within ({{APP_ID}}: Spark replaces these itself) is plain
 * text. Points into the text.
 */
struct secret_reference {
	const char *start, *end; /* of the whole, braces included */
	const char *name, *key;
	size_t name_size, key_size;
};
/* False when there is none (found->start is then NULL) or, with *err set, one is malformed:
 * INVALID. */
bool secret_reference_next(const char *text, struct secret_reference *found, struct error **err);

/* INVALID when any reference in `text` is malformed. `*count` (may be NULL): how many there are. */
bool secret_references_check(const char *text, size_t *count, struct error **err);

/* "aws_secret_access_key", "spark.hadoop.fs.s3a.secret.key", "--db-password": holds a secret's
 * value. */
bool secret_is_sensitive_name(const char *name);
/* An access key, a private key, a URL with a password. */
bool secret_is_sensitive_value(const char *value);

#endif
