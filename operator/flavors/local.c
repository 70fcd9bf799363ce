/* SPDX-License-Identifier: Apache-2.0 */
/* Flavor local: a step is a Python process of this machine, running the same runtime as a pod. */
#include <string.h>

#include "core/datadir.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/flavors/flavors.h"
#include "operator/flavors/local_step.h"
#include "operator/flavors/process.h"

struct local_operator {
	struct step_operator base;
	const struct operator_context *context;
	char *python;
	char *main; /* runtime/main.py */
};

static struct local_operator *local_of(struct step_operator *operator)
{
	return container_of(operator, struct local_operator, base);
}

static void local_close(struct step_operator *operator)
{
	struct local_operator *local = local_of(operator);

	free(local->python);
	free(local->main);
	free(local);
}

static struct step_operator *local_open(const struct component *component,
                                        const struct operator_context *context, struct error **err)
{
	scoped(text) char *main = datadir_find("runtime/main.py", err);
	struct local_operator *local;

	if (!main)
		return NULL;
	local = xcalloc(1, sizeof(*local));
	local->base.flavor = &flavor_local;
	local->context = context;
	local->python = local_python(component);
	local->main = take(main);
	return &local->base;
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

static json_t *local_render(struct step_operator *operator, const struct step_launch * launch,
                            struct error **err)
{
	(void)operator;
	(void)launch;
	(void)err;
	return json_array();
}

static struct job *local_launch(struct step_operator *operator, const struct step_launch * launch,
                                const struct job_events *events, void *context, struct error **err)
{
	struct local_operator *local = local_of(operator);
	scoped(text) char *contract = local_contract_write(local->context, launch, "local[*]", err);
	scoped(text) char *result = file_join(launch->work_folder, "termination");
	json_auto_t *environment = NULL;
	const char *argv[] = { local->python, local->main, contract, NULL };

	if (!contract)
		return NULL;
	environment = local_environment(local->context, launch, result);
	return process_job_start(&(struct process_start){ .flavor = &flavor_local,
	                                                  .loop = local->context->loop,
	                                                  .argv = argv,
	                                                  .environment = environment,
	                                                  .folder = launch->work_folder,
	                                                  .log_path = launch->log_path,
	                                                  .result_path = result },
	                         events, context, err);
}

const struct flavor flavor_local = {
	.abi = FLAVOR_ABI,
	.component =
		&(const struct component_flavor){
			.type = COMPONENT_STEP_OPERATOR,
			.name = "local",
			.help = "a step is a process of this machine",
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
