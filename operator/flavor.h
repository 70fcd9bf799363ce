/* SPDX-License-Identifier: Apache-2.0 */
/* THE INTERFACE for step operators: launch a step's attempt as something, follow it, describe how
 * it ended, cancel it. */
#ifndef OPERATOR_FLAVOR_H
#define OPERATOR_FLAVOR_H

#include <jansson.h>
#include <stdbool.h>

#include "core/error.h"
#include "core/http.h"
#include "core/loop.h"
#include "operator/pipeline.h"
#include "stacks/artifact.h"
#include "stacks/image_build.h"
#include "stacks/probe.h"
#include "stacks/registry.h"
#include "stacks/stack.h"

#define FLAVOR_ABI 2

/* What an operator may use for as long as it is open. Borrowed. */
struct operator_context {
	struct loop *loop;
	struct http_client *http;
	struct secret_store *secrets; /* NULL: the stack has no secrets manager */
	struct artifact_store *artifacts;
	struct container_registry *registry;         /* NULL: the stack has none */
	const char *run_id, *run_name, *pipeline;    /* NULL when nothing is run: logs, checks */
	const char *code_folder;                     /* the pipeline's folder on this machine */
	const char *kubeconfig, *kube_context;       /* --kubeconfig, --context; or NULL */
	const char *namespace;                       /* --namespace; or NULL */
	const struct image_listener *image_listener; /* or NULL */
	bool offline;      /* --dry-run=client: nothing may be asked or read but files */
	bool wants_output; /* somebody listens to job_events.output */
};

/* One attempt of a step, resolved. Borrowed during launch(); what a job keeps it copies. */
struct step_launch {
	const struct step *step;
	int attempt;
	const char *code_folder; /* the pipeline's folder on this machine */
	const char *work_folder; /* of this attempt on this machine; exists; holds the log */
	const char *log_path;    /* where a job writes, or a flavor copies, the step's output */
	/* The contract (docs/step-contract.md), complete but for what only the flavor knows:
	 * `code`, `spark`. */
	json_t *contract;
};

enum job_phase {
	JOB_PENDING, /* created; not yet running; `reason` says what it waits for */
	JOB_RUNNING,
	JOB_SUCCEEDED,
	JOB_FAILED,
};

/* What the flavor knows of a job: two of the three witnesses. Strings are owned by the report. */
struct job_report {
	enum job_phase phase;
	char *reason;  /* "OOMKilled", "exit code 1", "Unschedulable"; or NULL */
	char *message; /* or NULL */
	char *advice;  /* what to do; or NULL */
	bool has_exit_code;
	int exit_code;
	char *result; /* what it left as a short result.json (termination log); or NULL */
	int workers_ready, workers_wanted; /* executors; 0, 0: none */
};
void job_report_release(struct job_report *report);

struct step_operator;
struct job;

/* Called from the loop, never from within launch() or cancel(). `report` is borrowed. No call after
 * a final phase. */
struct job_events {
	void (*changed)(void *context, struct job *job, const struct job_report *report);
	/* A piece of the step's output, for `-v`; optional. */
	void (*output)(void *context, struct job *job, const char *bytes, size_t size);
};

struct flavor {
	int abi; /* FLAVOR_ABI; a plugin built for another one is refused */
	const struct component_flavor *component; /* name, options */
	bool needs_remote_store; /* its jobs run elsewhere: a store on this machine will not do */

	/* One per component and run. Makes no request that waits long. The caller owns it. The
	 * options' references are resolved; the component lives as long as the operator. */
	struct step_operator *(*open)(const struct component *component,
	                              const struct operator_context *context, struct error **err);
	/* INVALID when the step cannot be run by it (settings, kind of source); all before anything
	 * is created. */
	bool (*check)(struct step_operator *operator, const struct step * step, struct error **err);
	/* Optional: called for each step when all were checked, and nothing is recorded yet. Makes
	 * what launch() has no time for: an image. May make requests, and take long. */
	bool (*prepare)(struct step_operator *operator, const struct step * step,
	                struct error **err);
	/* Optional: the image that prepare() made for the step, pinned by its digest; NULL: none.
	 * Borrowed. */
	const char *(*image)(const struct step_operator *operator, const struct step * step);
	/* What launch() would create, as documents, without a network: an array; empty for local
	 * ones. */
	json_t *(*render)(struct step_operator *operator, const struct step_launch * launch,
	                  struct error **err);
	/* Idempotent: launching the same attempt again adopts its job. Short requests only; does
	 * not wait for the step. The caller owns the job. */
	struct job *(*launch)(struct step_operator *operator, const struct step_launch * launch,
	                      const struct job_events *events, void *context, struct error **err);
	/* Tries what launch() will need, without making anything; optional (stacks/probe.h). */
	void (*probe)(struct step_operator *operator, struct probe_report * report);
	/* Asks for the end; the job reports it. Cancelling a finished job succeeds. */
	bool (*cancel)(struct job *job, struct error **err);
	/* How it is called outside: "spark-namespace/spark-pipeline-…-driver", "pid 123". Borrowed.
	 */
	const char *(*describe)(const struct job *job);
	void (*free_job)(struct job *job);
	void (*close)(struct step_operator *operator);
};
/* Implementations embed these first. */
struct step_operator {
	const struct flavor *flavor;
	struct component *component; /* resolved; step_operator_open() sets it */
};
struct job {
	const struct flavor *flavor;
};

/* NULL when unknown. */
const struct flavor *flavor_find(const char *name);
/* All built-in ones, NULL at the end. */
const struct flavor *const *flavor_list(void);

struct step_operator *step_operator_open(const struct component *component,
                                         const struct operator_context *context,
                                         struct error **err);
void step_operator_free(struct step_operator *operator);
DEFINE_CLEANUP(step_operator);
bool step_operator_check(struct step_operator *operator, const struct step * step,
                         struct error **err);
void step_operator_probe(struct step_operator *operator, struct probe_report * report);
bool step_operator_prepare(struct step_operator *operator, const struct step * step,
                           struct error **err);
const char *step_operator_image(const struct step_operator *operator, const struct step * step);
json_t *step_operator_render(struct step_operator *operator, const struct step_launch * launch,
                             struct error **err);
struct job *job_launch(struct step_operator *operator, const struct step_launch * launch,
                       const struct job_events *events, void *context, struct error **err);
bool job_cancel(struct job *job, struct error **err);
const char *job_describe(const struct job *job);
void job_free(struct job *job);

#endif
