/* SPDX-License-Identifier: Apache-2.0 */
/* The one place where {{name.key}} in a component's options becomes the secret's value. */
#ifndef STACKS_COMPONENT_SECRETS_H
#define STACKS_COMPONENT_SECRETS_H

#include <jansson.h>

#include "core/error.h"
#include "stacks/component.h"
#include "stacks/secret.h"

/*
 * A copy of `component` whose options hold values for references, of each option's kind and checked
 * by its flavor's hooks. Openers of components call this first and give the copy up as soon as they
 * are open: component_free() wipes it. It is never stored, shown, or put into an error. Errors name
 * the option, the secret and the key, never a value: NOT_FOUND suggests the nearest, INVALID when
 * there are references and `secrets` is NULL, or when a value does not fit the option.
 */
struct component *component_resolve(const struct component *component,
                                    const struct component_flavor *flavor,
                                    struct secret_store *secrets, struct error **err);

/*
 * What the options refer to, each once: an array of {"option", "secret", "key"}; the key is null
 * where the option (authentication_secret and its like) names a whole secret. Owned by the caller.
 */
json_t *component_secret_references(const struct component *component);

#endif
