/* SPDX-License-Identifier: Apache-2.0 */
/* ${{ … }}: references to parameters and to the pipeline, in any value of a pipeline file. */
#ifndef OPERATOR_EXPRESSION_H
#define OPERATOR_EXPRESSION_H

#include <jansson.h>

#include "core/error.h"

/*
 * Resolves every string below `value` and returns a new value. A string that is one whole
 * expression keeps the type of its value; expressions within text are put in as text (a mapping, a
 * list or null there is INVALID). `scope` is an object such as {"parameters": {...}, "pipeline":
 * {"name": ...}}; paths are dotted names, list items by number from 0. "$${{" is a literal "${{";
 * what was put in is not resolved again. `fault` is called per bad expression with the string's
 * json_t of `value`; NULL is returned when there was any.
 */
json_t *expression_resolve(const json_t *value, const json_t *scope,
                           void (*fault)(void *context, const json_t *at, const char *message),
                           void *context);

#endif
