/* SPDX-License-Identifier: Apache-2.0 */
/* All flavors of all types of components, for whoever registers or loads components. */
#ifndef OPERATOR_CATALOG_H
#define OPERATOR_CATALOG_H

#include "stacks/component.h"

/* The flavors that are part of the program; lives as long as it. */
const struct catalog *catalog_built_in(void);

#endif
