/* SPDX-License-Identifier: Apache-2.0 */
/* A secret as a Secret object of Kubernetes, without any request; a part of secret_kubernetes. */
#ifndef STACKS_SECRET_OBJECT_H
#define STACKS_SECRET_OBJECT_H

#include <jansson.h>
#include <stdbool.h>

#include "core/error.h"

/* Submissions have Secrets as well, and the same managed-by: the second label is of ours alone. */
#define SECRET_OBJECT_SELECTOR \
	"app.kubernetes.io/managed-by=stepop,stepop.dev/secrets-manager=kubernetes"

/*
 * "s3_auth" is s3.auth: no name of ours has a dot, so that no two become one. What is no name of
 * Kubernetes even so (capitals, "a__b") is cleaned, and told apart by a digest. Owned by the
 * caller.
 */
char *secret_object_name(const char *prefix, const char *name);

/* A new object, to be released with secret_values_free(). `schema` may be NULL. */
json_t *secret_object_new(const char *object_name, const char *name, const char *schema,
                          const json_t *values);
/* The merge patch that gives `object` these values and no others, and fails when it was changed
 * since it was read; to be released with secret_values_free(). */
json_t *secret_object_change(const json_t *object, const char *schema, const json_t *values);

bool secret_object_is_own(const json_t *object);
/* The secret's name and the version of the object; borrowed; NULL when it has none. */
const char *secret_object_secret(const json_t *object);
const char *secret_object_version(const json_t *object);
/* Its values as texts, to be released with secret_values_free(); INVALID names a key whose value is
 * no text. */
json_t *secret_object_values(const json_t *object, struct error **err);
/* {"name", "schema", "keys"}; owned by the caller. */
json_t *secret_object_describe(const json_t *object);

#endif
