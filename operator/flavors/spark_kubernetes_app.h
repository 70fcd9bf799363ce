/* SPDX-License-Identifier: Apache-2.0 */
/* One attempt of a step as a Spark application: a pure function, so that dry runs and golden tests
 * see what is launched. */
#ifndef OPERATOR_FLAVORS_SPARK_KUBERNETES_APP_H
#define OPERATOR_FLAVORS_SPARK_KUBERNETES_APP_H

#include "operator/flavor.h"
#include "submit/spark_app.h"

/* Where the application runs, resolved from component, kubeconfig and command line. Borrowed. */
struct spark_kubernetes_target {
	const struct component *component;
	const char *server; /* "https://host:6443"; NULL: not known (dry run without a master) */
	const char *namespace;
	const char *run_id, *run_name, *pipeline;
	struct artifact_store *artifacts;
	const json_t *code; /* of spark_kubernetes_code_collect() */
	/* That stepop made of the step's own, and that holds the code; NULL: the step's own, and
	 * the code travels in a ConfigMap. */
	const char *image;
	const char *pull_config; /* of the Secret by which nodes pull it; NULL: they need none */
};

/*
 * What all function steps of a run share below /opt/stepop: main.py, stepop_runtime/…, code/…; read
 * once, so that every step of a run has the same code. Owned by the caller.
 */
json_t *spark_kubernetes_code_collect(const char *code_folder, struct error **err);

/* The image that component and settings name; owned by the caller. INVALID where they name none. */
char *spark_kubernetes_parent_image(const struct component *component, const struct step *step,
                                    struct error **err);

/*
 * Fills *app, which the caller releases. Code, runtime and step.json go into app->files below
 * /opt/stepop, with an image step.json alone; credentials of the artifact store into app->secrets.
 * Deterministic for one attempt.
 */
bool spark_kubernetes_app_build(const struct spark_kubernetes_target *target,
                                const struct step_launch *launch, struct spark_app *app,
                                struct error **err);

#endif
