/* SPDX-License-Identifier: Apache-2.0 */
/* A job that is a child process of this machine: its own process group, output into the step's log.
 */
#ifndef OPERATOR_FLAVORS_PROCESS_H
#define OPERATOR_FLAVORS_PROCESS_H

#include <jansson.h>

#include "operator/flavor.h"

struct process_start {
	const struct flavor *flavor;
	struct loop *loop;
	const char *const *argv;   /* NULL at the end; argv[0] is looked up in PATH */
	const json_t *environment; /* added to ours: an object of strings; or NULL */
	const char *folder;        /* working folder */
	const char *log_path;
	const char
		*result_path; /* where the step leaves its short result; read at the end; or NULL */
};

/*
 * The job. NOT_FOUND when the program does not exist. The child dies with stepop (PDEATHSIG):
 * nobody else would wait for it. Its output is complete in the log before the final report.
 */
struct job *process_job_start(const struct process_start *start, const struct job_events *events,
                              void *context, struct error **err);

/* SIGTERM to the whole group, SIGKILL after 10 s. */
bool process_job_cancel(struct job *job, struct error **err);
const char *process_job_describe(const struct job *job);
/* Kills what still runs. */
void process_job_free(struct job *job);

#endif
