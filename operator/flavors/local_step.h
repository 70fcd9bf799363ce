/* SPDX-License-Identifier: Apache-2.0 */
/* What the flavors that run steps on this machine share: the contract's file, the environment,
 * which Python. */
#ifndef OPERATOR_FLAVORS_LOCAL_STEP_H
#define OPERATOR_FLAVORS_LOCAL_STEP_H

#include <jansson.h>

#include "operator/flavor.h"

/* Option `python`, else $VIRTUAL_ENV's, else "python3" of the PATH; owned by the caller. */
char *local_python(const struct component *component);

/*
 * Completes the contract (code; spark with `master`, where the step needs a session; `master` NULL:
 * spark-submit gives it) and writes step.json into the attempt's folder. Its path, owned by the
 * caller.
 */
char *local_contract_write(const struct operator_context *context, const struct step_launch *launch,
                           const char *master, struct error **err);

/* settings.environment, what the artifact store needs, and the runtime's own variables; owned by
 * the caller. */
json_t *local_environment(const struct operator_context *context, const struct step_launch *launch,
                          const char *termination_path);

#endif
