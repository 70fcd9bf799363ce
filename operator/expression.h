/* SPDX-License-Identifier: Apache-2.0 */
/* ${{ … }}: references to parameters and to the run, in any value of a pipeline file. */
#ifndef OPERATOR_EXPRESSION_H
#define OPERATOR_EXPRESSION_H

#include <jansson.h>

#include "core/error.h"

/*
 * Resolves every string below `value` and returns a new value. A string that is one whole
 * expression keeps the type of its value; expressions within text are put in as text (a mapping or
 * list there is INVALID). `scope` is an object:
 * {"parameters": {...}, "pipeline": {"name"}, "run": {...}}; paths are dotted names, list items by
 * number. "$${{" is a literal "${{". `fault` is called per bad expression with the string's json_t
 * of `value`; NULL is returned when there was any.
 */
json_t *expression_resolve(const json_t *value, const json_t *scope,
                           void (*fault)(void *context, const json_t *at, const char *message),
                           void *context);

#endif
