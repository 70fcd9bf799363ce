/* SPDX-License-Identifier: Apache-2.0 */
/* What all flavors share of a launch: the contract (step.json), the files that a step reads, its
 * folder on this machine. */
#ifndef OPERATOR_STEP_LAUNCH_H
#define OPERATOR_STEP_LAUNCH_H

#include <jansson.h>
#include <stdbool.h>

#include "core/error.h"
#include "operator/flavor.h"
#include "operator/pipeline.h"
#include "stacks/artifact.h"

struct launch_identity {
	const char *run_id, *run_name;
	const struct pipeline *pipeline;
	struct artifact_store *artifacts;
};

/*
 * step.json of docs/step-contract.md without `code` and `spark`, which the flavor adds.
 * `input_uris`: input name -> URI of the artifact; `file_uris`: what step_stage_start() or
 * step_files_uris() gave.
 * Owned by the caller.
 */
json_t *step_contract_build(const struct launch_identity *identity, const struct step *step,
                            int attempt, const json_t *input_uris, const json_t *file_uris);

bool step_file_is_uri(const struct step_file *file);
/* Where a file of this machine is once it is staged: below <pipeline>/files/<sha256>/<name> of the
 * store. `digest` NULL: it stays where it is, as URIs do. Owned by the caller. */
char *step_file_uri(const struct launch_identity *identity, const struct step_file *file,
                    const char *digest);
/* What step_stage_start() will give, while nothing is sent. An object: argument name -> URI; owned
 * by the caller. */
json_t *step_files_uris(const struct launch_identity *identity, const struct step *step,
                        struct error **err);

/* True when the step must be given a Spark session: it takes `spark`, or an input or output is of a
 * spark.* type. */
bool step_needs_spark(const struct step *step, const json_t *contract);

/* <project>/runs/<run id>/<step>/<attempt>; owned by the caller. */
char *step_work_folder(const struct project *project, const char *run_id, const char *step,
                       int attempt);

#endif
