/* SPDX-License-Identifier: Apache-2.0 */
/* What a pipeline file may hold, as tables; docs/pipeline.schema.json says the same for editors. */
#ifndef OPERATOR_PIPELINE_SHAPE_H
#define OPERATOR_PIPELINE_SHAPE_H

#include <stdbool.h>

#include "core/check.h"

extern const struct shape pipeline_shape;

/* Letters, digits, '_' and '-', a letter or digit at both ends, at most 63 (labels of Kubernetes
 * take no more). */
bool pipeline_is_name(const char *text);
/* What Python takes as the name of a parameter, in ASCII; no keyword. */
bool pipeline_is_identifier(const char *text);
/* "scheme://..." */
bool pipeline_is_uri(const char *text);

#endif
