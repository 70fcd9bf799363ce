/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in flavors of step operators; operator/flavor.c lists them. */
#ifndef OPERATOR_FLAVORS_FLAVORS_H
#define OPERATOR_FLAVORS_FLAVORS_H

#include "operator/flavor.h"

extern const struct flavor flavor_local, flavor_spark_local, flavor_spark_kubernetes;

#endif
