/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets Manager: named texts, with tags beside them that are no secret. */
#ifndef CLOUD_AWS_SECRETS_H
#define CLOUD_AWS_SECRETS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "cloud/aws_credentials.h"

/* Errors name the operation; kinds as aws_perform() has them. Names have letters, digits and
 * "/_+=.@-" (API reference, CreateSecret). */

/* Owned by the caller, a secret (secret_free). NOT_FOUND; INVALID when it holds bytes. */
char *aws_secrets_get(struct aws_chain *chain, const char *name, struct error **err);

enum aws_secret_state {
	AWS_SECRET_ABSENT,
	AWS_SECRET_PRESENT,
	AWS_SECRET_DELETED, /* but it can be restored, and keeps its name until then */
};
bool aws_secrets_find(struct aws_chain *chain, const char *name, enum aws_secret_state *state,
                      struct error **err);

/* Everything is borrowed. */
struct aws_secret_value {
	const char *text;
	const json_t *tags;     /* an object of texts */
	const char *kms_key_id; /* of new secrets; NULL: the account's own key */
};
/* CONFLICT: there is one; CONFLICT or INVALID: there was one, which can be restored. */
bool aws_secrets_create(struct aws_chain *chain, const char *name,
                        const struct aws_secret_value *value, struct error **err);
/* A new version, and the tags. NOT_FOUND. */
bool aws_secrets_put(struct aws_chain *chain, const char *name,
                     const struct aws_secret_value *value, struct error **err);
bool aws_secrets_restore(struct aws_chain *chain, const char *name, struct error **err);
/* It can be restored for so many days, 7 to 30; 0: it cannot, and that there is none is no error.
 */
bool aws_secrets_delete(struct aws_chain *chain, const char *name, int recovery_days,
                        struct error **err);

/* All whose names begin with `prefix`, page by page: array of {"name", "tags": {…}}, owned by the
 * caller. More than `limit` is INVALID. */
json_t *aws_secrets_list(struct aws_chain *chain, const char *prefix, size_t limit,
                         struct error **err);

#endif
