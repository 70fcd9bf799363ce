/* SPDX-License-Identifier: Apache-2.0 */
/* Which properties and arguments hold a secret, by spark.redaction.regex. */
#ifndef SUBMIT_DRIVER_SENSITIVE_H
#define SUBMIT_DRIVER_SENSITIVE_H

#include <stdbool.h>

#include "core/memory.h"
#include "submit/spark_conf.h"

/* What Spark shows in the place of a secret (Utils.redact). */
#define DRIVER_SENSITIVE_REDACTED "*********(redacted)"

struct driver_sensitive;

/*
 * A key is sensitive when it matches Spark's own expression (that of 4.3, whose "credential" older
 * releases lack) or the user's, and its value is a secret, not the name or the place of one (a
 * Secret and its key, a file, "${env:…}"), and not true or false. The values of such keys, from
 * eight characters on, are recognised wherever else they stand.
 */
struct driver_sensitive *driver_sensitive_new(const struct spark_conf *conf);
/* Wipes the values. */
void driver_sensitive_free(struct driver_sensitive *sensitive);
DEFINE_CLEANUP(driver_sensitive);

/* The key says so, or the value holds "…password=…" or a value that is a secret elsewhere. */
bool driver_sensitive_is_property(const struct driver_sensitive *sensitive, const char *key,
                                  const char *value);
/* The same of an argument; `previous` (or NULL) may be the option whose value it is:
 * "--db-password hidden". */
bool driver_sensitive_is_argument(const struct driver_sensitive *sensitive, const char *previous,
                                  const char *argument);

#endif
