/* SPDX-License-Identifier: Apache-2.0 */
/* A temporary project with a pipeline 'p' whose steps are Python, or a shell script in the place of
 * Python. */
#ifndef TESTS_FAKES_RUN_PROJECT_H
#define TESTS_FAKES_RUN_PROJECT_H

#include "operator/run.h"
#include "tests/fakes/temporary_project.h"

/* cmocka's setup is temporary_project_setup(): these take its project. */

/* steps.py, and pipeline.yaml with `steps` (YAML; begins in the first column) below the header. */
void run_project_write(const struct temporary_project *temporary, const char *code,
                       const char *steps);

/*
 * From now on a step is this shell script, not Python with the runtime. $run, $step, $attempt and
 * $out (folder of the attempt's artifacts) are set; `succeed [OUTPUTS [ATTEMPT]]` writes
 * result.json, OUTPUTS being its "outputs".
 */
void run_project_use_shell(const struct temporary_project *temporary, const char *script);

void run_project_limit_steps(const struct temporary_project *temporary, int limit);

/* The pipeline's run, opened; fails the test when it cannot be. Owned by the caller. */
struct run *run_project_open(const struct temporary_project *temporary, const char *name);

/* An observer that looks away. */
extern const struct run_observer run_project_observer;

#endif
