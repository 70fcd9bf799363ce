/* SPDX-License-Identifier: Apache-2.0 */
/* What spark-submit refuses before it does anything; for submit/spark_arguments.c only. */
#ifndef SUBMIT_SPARK_ARGUMENTS_CHECK_H
#define SUBMIT_SPARK_ARGUMENTS_CHECK_H

#include <stdbool.h>

#include "core/error.h"
#include "submit/spark_arguments.h"
#include "submit/spark_conf.h"

/* SparkSubmitArguments.validateSubmitArguments, and the modes that SparkSubmit does not know in a
 * cluster. `conf` has the options already. USAGE, INVALID. */
bool spark_arguments_check(const struct spark_arguments *arguments, const struct spark_conf *conf,
                           struct error **err);

#endif
