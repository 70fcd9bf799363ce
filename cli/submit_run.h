/* SPDX-License-Identifier: Apache-2.0 */
/* Applications on their way: submitted, many at a time, and followed to their ends. */
#ifndef CLI_SUBMIT_RUN_H
#define CLI_SUBMIT_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/cluster.h"
#include "cli/command.h"
#include "cli/submit_source.h"
#include "core/error.h"

struct submit_run_options {
	struct cluster *cluster;
	struct submit_source *source;
	const struct arguments *arguments; /* --output, --quiet, --verbose */
	int64_t start_timeout_ms;          /* 0: none */
};

/*
 * Submits every application of the source and waits for those that want it
 * (spark.kubernetes.submission.waitAppCompletion). What happens goes to stderr, a row for each
 * application to stdout. SIGINT and SIGTERM end the waiting, not the applications. A driver that
 * cannot start is deleted when the waiting for it ends.
 *
 * False: RUN_FAILED when an application failed; the kind of what kept one from being submitted;
 * TIMEOUT when one could not start; INTERRUPTED, TERMINATED.
 */
bool submit_run(const struct submit_run_options *options, struct error **err);

/*
 * The objects of one application, as they are sent: local files are placed first. `cluster` NULL:
 * nothing is sent anywhere. Owned by the caller.
 */
json_t *submit_run_objects(struct cluster *cluster, struct spark_app *app, json_t *warnings,
                           struct error **err);

#endif
