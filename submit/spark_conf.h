/* SPDX-License-Identifier: Apache-2.0 */
/* Spark properties: an ordered map with Spark's rules for units, and the text of spark.properties.
 */
#ifndef SUBMIT_SPARK_CONF_H
#define SUBMIT_SPARK_CONF_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/error.h"

struct spark_conf;

struct spark_conf *spark_conf_new(void);
void spark_conf_free(struct spark_conf *conf);
DEFINE_CLEANUP(spark_conf);

/* NULL value: removes. Keys that do not begin with "spark." are the caller's to refuse. */
void spark_conf_set(struct spark_conf *conf, const char *key, const char *value);
void spark_conf_set_default(struct spark_conf *conf, const char *key, const char *value);
const char *spark_conf_get(const struct spark_conf *conf,
                           const char *key); /* borrowed; NULL when unset */
/* Copies all of `from` over what is there. */
void spark_conf_merge(struct spark_conf *conf, const struct spark_conf *from);
/* A YAML/JSON mapping: strings, numbers and booleans become text as Spark writes them; null
 * removes. INVALID, with nothing merged, for lists and mappings within. */
bool spark_conf_merge_json(struct spark_conf *conf, const json_t *mapping, struct error **err);

/* In ascending order of the keys, so that the same conf always gives the same text. */
struct spark_conf_entry {
	const char *key, *value; /* borrowed */
};
struct spark_conf_entry *spark_conf_entries(const struct spark_conf *conf,
                                            size_t *count); /* free() */

/* JavaUtils.byteStringAs: "512m", "2G", "4GiB", never a fraction; a bare number counts MiB, or
 * bytes. INVALID names the key. */
bool spark_conf_get_mib(const struct spark_conf *conf, const char *key, int64_t default_mib,
                        int64_t *mib, struct error **err);
bool spark_conf_get_bytes(const struct spark_conf *conf, const char *key, int64_t default_bytes,
                          int64_t *bytes, struct error **err);
/* Whether its unit is one that Spark 4.2 was the first to read: Ki, MiB … */
bool spark_conf_has_binary_unit(const struct spark_conf *conf, const char *key);
bool spark_conf_get_int(const struct spark_conf *conf, const char *key, int64_t default_value,
                        int64_t *value, struct error **err);
bool spark_conf_get_double(const struct spark_conf *conf, const char *key, double default_value,
                           double *value, struct error **err);
bool spark_conf_get_bool(const struct spark_conf *conf, const char *key, bool default_value,
                         bool *value, struct error **err);

/* Utils.stringToSeq: an array of the pieces between commas, without blanks around them and empty
 * ones; owned by the caller. NULL gives none. */
json_t *spark_conf_split(const char *list);

/* java.util.Properties text that Spark's driver reads back to the same map. */
void spark_conf_write_properties(const struct spark_conf *conf, FILE *out);

/* As Double.toString writes plain numbers: "0.1", "2.0". Owned by the caller. */
char *spark_number_text(double number);

/*
 * A quantity as the pipeline file writes it ("4Gi", "512Mi", "2g") as Spark memory ("4096m"); owned
 * by the caller. Units of Kubernetes (Ki Mi Gi Ti, and M G T of 1000) and, in lower case, of Spark
 * (k m g t of 1024); a number without a unit is INVALID, since the two read it differently.
 */
char *spark_memory_from_quantity(const char *quantity, struct error **err);

#endif
