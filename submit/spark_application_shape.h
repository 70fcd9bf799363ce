/* SPDX-License-Identifier: Apache-2.0 */
/* What a SparkApplication (sparkoperator.k8s.io/v1beta2) may hold, as tables: the fields and types
 * of the operator's CustomResourceDefinition. Objects of Kubernetes' own within it (volumes,
 * affinity, side cars, …) are looked into as far as they are read; the API server judges the rest.
 */
#ifndef SUBMIT_SPARK_APPLICATION_SHAPE_H
#define SUBMIT_SPARK_APPLICATION_SHAPE_H

#include "core/check.h"

extern const struct shape spark_application_shape;

#endif
