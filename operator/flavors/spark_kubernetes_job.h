/* SPDX-License-Identifier: Apache-2.0 */
/* One driver pod, followed from its creation to its end: status, executors, log, patience. */
#ifndef OPERATOR_FLAVORS_SPARK_KUBERNETES_JOB_H
#define OPERATOR_FLAVORS_SPARK_KUBERNETES_JOB_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/loop.h"
#include "operator/flavor.h"
#include "submit/kube_client.h"

struct spark_job;

/* Borrowed for as long as the job lives, but for the strings, which are copied. */
struct spark_job_start {
	const struct flavor *flavor;
	struct loop *loop;
	struct kube_client *kube;
	const char *namespace, *pod, *container;
	const char *log_path;
	int executors_wanted;
	int64_t start_timeout_ms; /* until the driver runs; 0: for ever */
	const struct job_events *events;
	void *context;
	void *owner; /* whatever the caller wants to find again by spark_job_owner() */
};

struct spark_job *spark_job_new(const struct spark_job_start *start);
/* NULL is allowed. The pod is left alone. */
void spark_job_free(struct spark_job *job);
struct job *spark_job_base(struct spark_job *job);
struct spark_job *spark_job_of(struct job *job);
const char *spark_job_describe(const struct spark_job *job); /* "namespace/pod"; borrowed */
const char *spark_job_pod(const struct spark_job *job);      /* borrowed */
void *spark_job_owner(const struct spark_job *job);

/* What a watch tells. After the end all of them do nothing. */
void spark_job_driver_changed(struct spark_job *job, const json_t *pod);
void spark_job_driver_deleted(struct spark_job *job, const json_t *pod);
void spark_job_executor_changed(struct spark_job *job, const json_t *pod, bool deleted);
/* The watch sees nothing at present, and why; NULL: it is well again. The job goes on. */
void spark_job_trouble(struct spark_job *job, const char *trouble);

/* Waiting longer does not help: the pod is deleted and the job has failed; `reason` is used where
 * the pod has none of its own. */
void spark_job_give_up(struct spark_job *job, const char *reason);

/* The pod is deleted; the job ends when the watch says that it is gone. */
bool spark_job_cancel(struct spark_job *job, struct error **err);

#endif
