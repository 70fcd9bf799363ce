/* SPDX-License-Identifier: Apache-2.0 */
/* The options of a component held against its flavor: kinds, required ones, no secrets. */
#ifndef STACKS_COMPONENT_OPTIONS_H
#define STACKS_COMPONENT_OPTIONS_H

#include <jansson.h>

#include "core/document.h"
#include "core/error.h"
#include "stacks/component.h"

/*
 * Adds to `faults` what is wrong with typed `options` (an object). `document` is where they come
 * from, or NULL: the command line, whose options are called "--name".
 */
void component_options_check(const struct component_flavor *flavor, const json_t *options,
                             const struct document *document, struct faults *faults);
/* The options in the flavor's order under its names (not aliases), numbers and booleans of text
 * options as text; only of options that were checked. Owned by the caller. */
json_t *component_options_normal(const struct component_flavor *flavor, const json_t *options);

/* Under any of its names; NULL: the flavor has no such option. */
const struct component_option *component_option_find(const struct component_flavor *flavor,
                                                     const char *name);
/* `text` as a value of the option's kind, owned by the caller; NULL when it is none. The option's
 * own check is left to the caller. */
json_t *component_option_value(const struct component_option *option, const char *text);

#endif
