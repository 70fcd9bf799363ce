/* SPDX-License-Identifier: Apache-2.0 */
/* Where the files that belong to the program lie: manifests (rbac/), the in-pod package (runtime/).
 */
#ifndef CORE_DATADIR_H
#define CORE_DATADIR_H

#include "core/error.h"

/*
 * The path of `relative` ("rbac", "rbac/driver.yaml"), owned by the caller. Looked for, in this
 * order: below $STEPOP_DATA, and nowhere else when that is set; beside an installed program
 * (<exe>/../share/stepop); in the checkout that the program was built in (one to three folders
 * above it); in the folder given at build time (PREFIX/share/stepop). NOT_FOUND names the places.
 */
char *datadir_find(const char *relative, struct error **err);

#endif
