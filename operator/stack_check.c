/* SPDX-License-Identifier: Apache-2.0 */
/* Opens the components of a stack one after the other, and has each probe itself. */
#include "operator/stack_check.h"

#include <inttypes.h>
#include <signal.h>

#include "core/http.h"
#include "core/loop.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/catalog.h"
#include "operator/flavor.h"
#include "stacks/artifact.h"
#include "stacks/metadata.h"
#include "stacks/registry.h"
#include "stacks/stack_secrets.h"

struct stack_check {
	const struct project *project;
	const struct stack_check_options *options;
	struct probe_report *report;
	struct stack *stack;
	struct loop *loop;
	struct http_client *http;
	struct secret_store *secrets;        /* NULL: none, or it cannot be opened */
	struct artifact_store *artifacts;    /* NULL: it cannot be opened */
	struct container_registry *registry; /* NULL: none, or it cannot be opened */
};

static void release(struct stack_check *check)
{
	container_registry_free(check->registry);
	artifact_store_free(check->artifacts);
	secret_store_free(check->secrets);
	http_client_free(check->http);
	loop_free(check->loop);
	stack_free(check->stack);
}

/* The lines that follow are this component's, and its time begins. NULL: the stack has none. */
static const struct component *begin(struct stack_check *check, enum component_type type)
{
	const struct component *component = check->stack->components[type];

	if (!component)
		return NULL;
	probe_begin(check->report, type, component->name);
	http_client_set_deadline(check->http, loop_now_ms() + check->options->timeout_ms);
	return component;
}

static void check_vault(struct stack_check *check)
{
	const struct component *component = begin(check, COMPONENT_SECRETS_MANAGER);
	scoped(error) struct error *err = NULL;

	if (!component)
		return;
	check->secrets = secret_store_open(check->project, component, check->http, &err);
	if (check->secrets)
		secret_probe(check->secrets, check->report);
	else
		probe_fault(check->report, "secrets manager", NULL, err);
}

/* What lacks a secret cannot be opened, which was said then. */
static const struct component *begin_with_secrets(struct stack_check *check,
                                                  enum component_type type)
{
	const struct component *component = begin(check, type);

	return stack_secrets_probe(check->stack, type, check->secrets, check->report) ? component
	                                                                              : NULL;
}

/* The trial object must go, whatever happens: a signal waits for that, which the deadline bounds.
 */
static void probe_artifacts(struct stack_check *check)
{
	sigset_t held, before;

	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGHUP);
	sigprocmask(SIG_BLOCK, &held, &before);
	artifact_probe(check->artifacts, check->report);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static void check_artifacts(struct stack_check *check)
{
	const struct component *component = begin_with_secrets(check, COMPONENT_ARTIFACT_STORE);
	scoped(error) struct error *err = NULL;

	if (!component)
		return;
	check->artifacts =
		artifact_store_open(check->project, component, check->secrets, check->http, &err);
	if (check->artifacts)
		probe_artifacts(check);
	else
		probe_fault(check->report, "artifact store", NULL, err);
}

static void check_registry(struct stack_check *check)
{
	const struct component *component = begin_with_secrets(check, COMPONENT_CONTAINER_REGISTRY);
	scoped(error) struct error *err = NULL;

	if (!component)
		return;
	check->registry = container_registry_open(component, check->secrets, check->http, &err);
	if (check->registry)
		container_registry_probe(check->registry, check->report);
	else
		probe_fault(check->report, "container registry", NULL, err);
}

/* A database of this machine is made by whoever needs it first. */
static bool is_made_later(const struct component *component, const struct error *error)
{
	return error->kind == ERROR_NOT_FOUND && text_equal(component->flavor, "sqlite");
}

/* What is not up to date cannot be written to, and to bring it there is not for a check. */
static void probe_metadata(struct metadata_store *store, struct probe_report *report)
{
	scoped(error) struct error *err = NULL;
	struct metadata_status status;

	if (!metadata_status(store, &status, &err)) {
		probe_fault(report, "database", NULL, err);
		return;
	}
	if (status.schema == status.newest_schema)
		metadata_probe(store, report);
	else
		probe_ok(report, "database",
		         "%s, %s: version %" PRId64
		         " of the schema, which the next run brings to %" PRId64,
		         status.database, status.server, status.schema, status.newest_schema);
	metadata_status_release(&status);
}

static void check_metadata(struct stack_check *check)
{
	const struct component *component = begin_with_secrets(check, COMPONENT_METADATA_STORE);
	scoped(metadata_store) struct metadata_store *store = NULL;
	scoped(error) struct error *err = NULL;

	if (!component)
		return;
	store = metadata_store_look(check->project, component, check->secrets, &err);
	if (store) {
		metadata_set_patience(store, check->options->timeout_ms);
		probe_metadata(store, check->report);
	} else if (is_made_later(component, err)) {
		probe_ok(check->report, "database", "none yet: the first run makes it");
	} else {
		probe_fault(check->report, "database", NULL, err);
	}
}

static void check_operator(struct stack_check *check)
{
	const struct component *component = begin_with_secrets(check, COMPONENT_STEP_OPERATOR);
	const struct operator_context context = {
		.loop = check->loop,
		.http = check->http,
		.secrets = check->secrets,
		.artifacts = check->artifacts,
		.registry = check->registry,
		.kubeconfig = check->options->kubeconfig,
		.kube_context = check->options->kube_context,
		.namespace = check->options->namespace,
	};
	scoped(error) struct error *err = NULL;
	scoped(step_operator) struct step_operator *operator= NULL;

	if (!component)
		return;
	operator= step_operator_open(component, &context, &err);
	if (!operator)
		probe_fault(check->report, "step operator", NULL, err);
	else if (operator->flavor->probe)
		step_operator_probe(operator, check->report);
	else
		probe_ok(check->report, "step operator", "'%s' runs on this machine",
		         component->flavor);
}

bool stack_check(const struct project *project, const struct stack_check_options *options,
                 struct probe_report *report, struct error **err)
{
	struct stack_check check = { .project = project, .options = options, .report = report };

	check.stack = stack_load(project, catalog_built_in(), options->stack, err);
	if (!check.stack)
		return false;
	check.loop = loop_new();
	check.http = http_client_new(check.loop);
	check_vault(&check);
	check_artifacts(&check);
	check_registry(&check);
	check_metadata(&check);
	check_operator(&check);
	release(&check);
	return true;
}
