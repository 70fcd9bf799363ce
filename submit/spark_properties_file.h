/* SPDX-License-Identifier: Apache-2.0 */
/* Files of Spark properties: --properties-file and spark-defaults.conf. */
#ifndef SUBMIT_SPARK_PROPERTIES_FILE_H
#define SUBMIT_SPARK_PROPERTIES_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"
#include "submit/spark_conf.h"

/*
 * Sets in `conf` what the text says, as java.util.Properties.load reads it: comments (# !), key and
 * value apart by '=', ':' or blanks, escapes (\t \n \r \f \uXXXX), lines that go on after a '\'.
 * The last of several values counts. Values lose the blanks around them, but no line ends
 * (Utils.getPropertiesFromFile). INVALID names the line, with nothing set: a broken \u, a NUL,
 * bytes that are not UTF-8, for which Java would put other characters.
 */
bool spark_properties_parse(const char *text, size_t size, struct spark_conf *conf,
                            struct error **err);
/* The same from a file, which the error names; NOT_FOUND, AUTH. */
bool spark_properties_file_read(const char *path, struct spark_conf *conf, struct error **err);

#endif
