/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a step on their way into the artifact store. Neither their size nor their number
 * holds the loop up: they are digested slice by slice, and sent while it goes on.
 */
#ifndef OPERATOR_STEP_STAGE_H
#define OPERATOR_STEP_STAGE_H

#include "core/loop.h"
#include "operator/step_launch.h"

struct step_stage;

/* Last call, from the loop. `files`: argument name -> URI, borrowed; NULL with an `error`
 * (borrowed) that names the file. */
typedef void step_stage_ended(void *context, const json_t *files, const struct error *error);

/*
 * Files on this machine are put into a remote store below <pipeline>/files/<sha256>/<name>, once
 * per content; URIs, and files for a store on this machine, stay where they are. `identity` and
 * `step` must live until the end.
 */
struct step_stage *step_stage_start(struct loop *loop, const struct launch_identity *identity,
                                    const struct step *step, step_stage_ended *ended,
                                    void *context);
/* NULL is allowed. No callback comes after this; of what is under way nothing is left. Not to be
 * used once ended() was called. */
void step_stage_cancel(struct step_stage *stage);

/* Whether there is anything to put anywhere. */
bool step_stage_is_needed(const struct launch_identity *identity, const struct step *step);

#endif
