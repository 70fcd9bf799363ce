/* SPDX-License-Identifier: Apache-2.0 */
/* Spark's data types, as Spark itself writes them down in JSON, for people to read. */
#ifndef MATERIALIZERS_SPARK_TYPE_H
#define MATERIALIZERS_SPARK_TYPE_H

#include <jansson.h>

/* "long", "decimal(10,2)", "array<string>", "vector". NULL when it makes no sense. Owned by the
 * caller. */
char *spark_type_name(const json_t *type);

#endif
