/* SPDX-License-Identifier: Apache-2.0 */
/* What the flavors that run steps on this machine share: the contract's file, the environment,
 * which Python. */
#ifndef OPERATOR_FLAVORS_LOCAL_STEP_H
#define OPERATOR_FLAVORS_LOCAL_STEP_H

#include <jansson.h>

#include "operator/flavor.h"
#include "submit/spark_conf.h"

/* What both flavors embed first. */
struct local_operator {
	struct step_operator base;
	const struct operator_context *context;
	char *python;
	char *main; /* runtime/main.py */
};
struct local_operator *local_operator_of(struct step_operator *operator);
/* False: the runtime is not found; nothing is to be released then. */
bool local_operator_init(struct local_operator *local, const struct flavor *flavor,
                         const struct component *component, const struct operator_context *context,
                         struct error **err);
void local_operator_release(struct local_operator *local);

/* The hook `render` of both: nothing is created outside this machine. */
json_t *local_render(struct step_operator *operator, const struct step_launch * launch,
                     struct error **err);

/* The child process, with log, environment and termination file of the attempt. */
struct job *local_start(struct local_operator *local, const struct step_launch *launch,
                        const char *const *argv, const struct job_events *events, void *context,
                        struct error **err);

/* Option `python`, else $VIRTUAL_ENV's, else "python3" of the PATH; owned by the caller. */
char *local_python(const struct component *component);

/* What the artifact store needs, the step's settings over it, and defaults for this machine; owned
 * by the caller. */
struct spark_conf *local_conf(const struct operator_context *context, const struct step *step,
                              struct error **err);

/*
 * Completes the contract (code; spark with `master`, where the step needs a session; `master` NULL:
 * spark-submit gives it) and writes step.json into the attempt's folder. Its path, owned by the
 * caller.
 */
char *local_contract_write(const struct operator_context *context, const struct step_launch *launch,
                           const char *master, struct error **err);

#endif
