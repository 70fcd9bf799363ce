/* SPDX-License-Identifier: Apache-2.0 */
/* How much memory a pod asks for, and why: Spark's arithmetic, term by term. */
#ifndef SUBMIT_SPARK_MEMORY_H
#define SUBMIT_SPARK_MEMORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "submit/spark_app.h"

struct spark_memory_term {
	int64_t mib;
	const char *property; /* which sets it; NULL: the pod has no such term */
	bool is_set;          /* by the user; otherwise computed, or Spark's default */
};

/* A plain value; its texts are constants. */
struct spark_memory {
	const char *pod;               /* "driver" or "executor" */
	struct spark_memory_term heap; /* of the JVM: its -Xmx */
	/* At least factor times heap, and at least the minimum, unless it is set itself. */
	struct spark_memory_term overhead, minimum;
	double factor;
	const char *factor_property;
	bool is_factor_set, is_jvm;
	double inherited_factor;                   /* by executors without one of their own */
	struct spark_memory_term off_heap, python; /* of executors */
	int64_t total_mib;                         /* request and limit of the container */
};

/*
 * BasicDriverFeatureStep's of spark-submit, and BasicExecutorFeatureStep's and ResourceProfile's of
 * the driver, which makes the executors. `app` is completed. INVALID names the property.
 */
bool spark_memory_of_driver(const struct spark_app *app, struct spark_memory *memory,
                            struct error **err);
bool spark_memory_of_executor(const struct spark_app *app, struct spark_memory *memory,
                              struct error **err);

/* For people: a row for each term and one for the sum, with "pod", "part", "size" ("409Mi") and
 * "reason". Owned by the caller. */
json_t *spark_memory_explain(const struct spark_memory *memory);

#endif
