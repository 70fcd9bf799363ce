/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be submitted: the application of spark-submit's arguments, or those of a manifest
 * file. */
#ifndef CLI_SUBMIT_SOURCE_H
#define CLI_SUBMIT_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/command.h"
#include "core/error.h"
#include "submit/kube_config.h"
#include "submit/spark_app.h"

struct submit_source;

/* Borrows the arguments. Reads the manifests of -f, if given; all their faults are told when the
 * applications are made. */
struct submit_source *submit_source_open(const struct arguments *arguments, struct error **err);
void submit_source_free(struct submit_source *source);
DEFINE_CLEANUP(submit_source);

/* What an application leaves open is this cluster's: spark.master, and for manifests the namespace
 * (for arguments Spark has its own default). */
void submit_source_set_cluster(struct submit_source *source, const struct kube_config *config);

size_t submit_source_count(const struct submit_source *source);

/*
 * The application `index`, complete: names, ids, stepop's labels. It is made anew at each call, so
 * that many need not be kept, with the same names each time. What was dropped or ignored is said on
 * stderr, once. `*app` is the caller's to release, also after a failure.
 */
bool submit_source_app(struct submit_source *source, size_t index, struct spark_app *app,
                       struct error **err);

/* Says what was noticed (an array of texts) on stderr, unless --quiet. */
void submit_source_warn(const struct submit_source *source, const json_t *warnings);

/* What the options and files say without an application: properties, master, namespace. As
 * submit_source_app() for the rest. */
bool submit_source_settings(const struct arguments *arguments, struct spark_app *app,
                            struct error **err);

/* spark-submit's options, for the table of a command. */
const struct command_option *submit_source_options(void);
/* For commands with these options: why one of spark-submit's others is not taken. */
const char *submit_source_refusal(const char *option);
/* Whether a --conf holds a secret, by Spark's own expression: the user's is not known yet. */
bool submit_source_is_secret(const struct command_option *option, const char *pair);

#endif
