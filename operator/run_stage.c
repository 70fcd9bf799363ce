/* SPDX-License-Identifier: Apache-2.0 */
/* A step's files go up before it is launched, beside all else that the run does. */
#include "core/memory.h"
#include "operator/run_parts.h"

static void stage_ended(void *context, const json_t *files, const struct error *error)
{
	struct run_step *step = context;

	step->stage = NULL;
	step->staged(step, files, error);
}

bool run_stage_start(struct run_step *step,
                     void (*staged)(struct run_step *step, const json_t *files,
                                    const struct error *error))
{
	struct run *run = step->run;

	if (!step_stage_is_needed(&run->identity, step->step))
		return false;
	step->staged = staged;
	step->stage = step_stage_start(run->loop, &run->identity, step->step, stage_ended, step);
	return true;
}

bool run_stage_cancel(struct run_step *step)
{
	bool is_staging = step->stage != NULL;

	step_stage_cancel(take(step->stage));
	return is_staging;
}
