/* SPDX-License-Identifier: Apache-2.0 */
/* Flavor local: a step is a Python process of this machine, running the same runtime as a pod. */
#include "core/memory.h"
#include "core/text.h"
#include "operator/flavors/flavors.h"
#include "operator/flavors/local_step.h"
#include "operator/flavors/process.h"

static void local_close(struct step_operator *operator)
{
	struct local_operator *local = local_operator_of(operator);

	local_operator_release(local);
	free(local);
}

static struct step_operator *local_open(const struct component *component,
                                        const struct operator_context *context, struct error **err)
{
	struct local_operator *local = xcalloc(1, sizeof(*local));

	if (local_operator_init(local, &flavor_local, component, context, err))
		return &local->base;
	free(local);
	return NULL;
}

static bool local_check(struct step_operator *operator, const struct step * step,
                        struct error **err)
{
	(void)operator;
	if (!step->function)
		return error_set(
			err, ERROR_INVALID,
			"flavor local runs Python functions; give the step a step operator "
			"of flavor spark-local or spark-kubernetes");
	return true;
}

static struct job *local_launch(struct step_operator *operator, const struct step_launch * launch,
                                const struct job_events *events, void *context, struct error **err)
{
	struct local_operator *local = local_operator_of(operator);
	scoped(text) char *contract = local_contract_write(local->context, launch, "local[*]", err);
	const char *argv[] = { local->python, local->main, contract, NULL };

	return contract ? local_start(local, launch, argv, events, context, err) : NULL;
}

const struct flavor flavor_local = {
	.abi = FLAVOR_ABI,
	.component =
		&(const struct component_flavor){
			.type = COMPONENT_STEP_OPERATOR,
			.name = "local",
			.help = "a step is a process of this machine",
			.shown = (const char *const[]){ "python", NULL },
			.options =
				(const struct component_option[]){
					{ "python", OPTION_TEXT, false,
	                                  "Python to run steps with; default: of the active "
	                                  "virtual environment, else python3",
	                                  NULL },
					{ 0 } },
		},
	.open = local_open,
	.check = local_check,
	.render = local_render,
	.launch = local_launch,
	.cancel = process_job_cancel,
	.describe = process_job_describe,
	.free_job = process_job_free,
	.close = local_close,
};
