/* SPDX-License-Identifier: Apache-2.0 */
/* Finds step operators' flavors, and calls their hooks. */
#include "operator/flavor.h"

#include <assert.h>
#include <string.h>

#include "core/memory.h"
#include "operator/flavors/flavors.h"
#include "stacks/component_secrets.h"

static const struct flavor *const built_in[] = {
	&flavor_local,
	&flavor_spark_local,
	&flavor_spark_kubernetes,
	NULL,
};

const struct flavor *const *flavor_list(void)
{
	return built_in;
}

const struct flavor *flavor_find(const char *name)
{
	const struct flavor *const *flavor;

	for (flavor = built_in; *flavor; flavor++)
		if (!strcmp((*flavor)->component->name, name))
			return *flavor;
	return NULL;
}

void job_report_release(struct job_report *report)
{
	free(report->reason);
	free(report->message);
	free(report->advice);
	free(report->result);
	*report = (struct job_report){ 0 };
}

/* A dry run asks nobody, and so shows the references. */
static struct step_operator *open_resolved(const struct flavor *flavor,
                                           const struct component *component,
                                           const struct operator_context *context,
                                           struct error **err)
{
	scoped(component) struct component *resolved =
		context->offline
			? component_copy(component)
			: component_resolve(component, flavor->component, context->secrets, err);
	struct step_operator *operator= resolved ? flavor->open(resolved, context, err) : NULL;

	if (operator)
		operator->component = take(resolved);
	return operator;
}

struct step_operator *step_operator_open(const struct component *component,
                                         const struct operator_context *context, struct error **err)
{
	const struct flavor *flavor = flavor_find(component->flavor);
	struct step_operator *operator;

	if (!flavor)
		return error_set(
			err, ERROR_INVALID,
			"step operator '%s' is of flavor '%s', which this stepop does not have",
			component->name, component->flavor);
	assert(flavor->abi == FLAVOR_ABI);
	if (flavor->needs_remote_store && context->artifacts && !context->artifacts->flavor->remote)
		return error_set(err, ERROR_INVALID,
		                 "step operator '%s' runs elsewhere and cannot reach artifacts on "
		                 "this machine (%s); "
		                 "give the stack an artifact store of flavor s3",
		                 component->name, context->artifacts->root);
	operator= open_resolved(flavor, component, context, err);
	if (!operator)
		return error_wrap(err, "open step operator '%s'", component->name);
	return operator;
}

void step_operator_free(struct step_operator *operator)
{
	struct component *component;

	if (!operator)
		return;
	component = operator->component;
	operator->flavor->close(operator);
	component_free(component);
}

bool step_operator_check(struct step_operator *operator, const struct step * step,
                         struct error **err)
{
	if (!operator->flavor->check(operator, step, err))
		return error_wrap(err, "step '%s'", step->name);
	return true;
}

void step_operator_probe(struct step_operator *operator, struct probe_report * report)
{
	if (operator->flavor->probe)
		operator->flavor->probe(operator, report);
}

bool step_operator_prepare(struct step_operator *operator, const struct step * step,
                           struct error **err)
{
	if (!operator->flavor->prepare || operator->flavor->prepare(operator, step, err))
		return true;
	return error_wrap(err, "step '%s'", step->name);
}

const char *step_operator_image(const struct step_operator *operator, const struct step * step)
{
	return operator->flavor->image ? operator->flavor->image(operator, step) : NULL;
}

json_t *step_operator_render(struct step_operator *operator, const struct step_launch * launch,
                             struct error **err)
{
	return operator->flavor->render(operator, launch, err);
}

struct job *job_launch(struct step_operator *operator, const struct step_launch * launch,
                       const struct job_events *events, void *context, struct error **err)
{
	return operator->flavor->launch(operator, launch, events, context, err);
}

bool job_cancel(struct job *job, struct error **err)
{
	return job->flavor->cancel(job, err);
}

const char *job_describe(const struct job *job)
{
	return job->flavor->describe(job);
}

void job_free(struct job *job)
{
	if (job)
		job->flavor->free_job(job);
}
