/* SPDX-License-Identifier: Apache-2.0 */
/* Applications to build objects from, and questions to ask of what was built; failures fail the
 * test. */
#ifndef TESTS_FAKES_SPARK_OBJECTS_H
#define TESTS_FAKES_SPARK_OBJECTS_H

#include <jansson.h>

#include "submit/spark_app.h"

/* Python, user "root", prefix "spark-pi-fbe3efa1fcfa5a18"; released by the caller. */
struct spark_app spark_objects_python_app(void);

/* driver_objects_build(), which must succeed; owned by the caller. */
json_t *spark_objects_built(const struct spark_app *app);
/* The application with this one property is INVALID, and the error contains `part`. */
void spark_objects_assert_refused(const char *property, const char *value, const char *part);

/* By a path of keys and indices between dots: "spec.containers.0.env". Borrowed; NULL and "(none)"
 * where there is nothing. */
json_t *spark_objects_at(const json_t *value, const char *path);
const char *spark_objects_text(const json_t *value, const char *path);
/* Borrowed; NULL when there is none. */
json_t *spark_objects_of_kind(const json_t *objects, const char *kind);
json_t *spark_objects_named(const json_t *objects, const char *name);
/* Of a list whose items have names: volumes, variables. */
json_t *spark_objects_item(const json_t *list, const char *name);
/* What java.util.Properties reads from spark.properties in the ConfigMap, or from `text`: a
 * mapping, owned by the caller. */
json_t *spark_objects_properties(const json_t *objects);
json_t *spark_objects_parse_properties(const char *text);

#endif
