/* SPDX-License-Identifier: Apache-2.0 */
/* spark-submit's command line, and all that it reads beside it, turned into one application. */
#ifndef SUBMIT_SPARK_ARGUMENTS_H
#define SUBMIT_SPARK_ARGUMENTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/error.h"
#include "submit/spark_app.h"

/* An option of spark-submit that means something to a cluster on Kubernetes. */
struct spark_argument_option {
	const char *name;        /* "driver-memory", without dashes */
	char letter;             /* 'c' of --conf, or 0 */
	bool is_switch;          /* takes no value */
	bool is_repeatable;      /* --conf, --extra-properties-file */
	const char *property;    /* the Spark property that it sets, or NULL */
	const char *placeholder; /* "MEM"; NULL for a switch */
	const char *help;        /* one line */
};
/* All of them, in the order of help; ends with a NULL name. --status, --kill, --version and
 * --verbose are not among them: they submit nothing. */
const struct spark_argument_option *spark_argument_options(void);

/*
 * Why an option that spark-submit has is of no use here ("queue", with or without its dashes), as
 * the rest of a sentence: "--queue" "is for YARN; …". NULL: spark-submit has no such option, or it
 * is one of the above.
 */
const char *spark_argument_refusal(const char *option);

/* What was typed, and where from. Borrowed; NULL: not given. */
struct spark_arguments {
	/* A name of the table above, but "conf" -> its value; "" for a switch; an array of texts
	 * for one that was repeated. */
	const json_t *options;
	const char *const *conf; /* each --conf, "key=value", in order */
	size_t conf_count;
	const char *resource; /* the application: a jar, .py, .R, or "spark-internal" */
	const json_t *args;   /* its arguments, an array of texts */
	const char *spark_version;
	const char *submission_id;
	const char *(*environment)(const char *name); /* NULL: getenv() */
};

/*
 * Fills the empty `app` as SparkSubmitArguments and SparkSubmit.prepareSubmitEnvironment do. What
 * wins, first to last: an option, --conf, --extra-properties-file (the last of them),
 * --properties-file, $SPARK_CONF_DIR/spark-defaults.conf (else $SPARK_HOME/conf/…; beside a
 * properties file only with --load-spark-defaults), the variables MASTER, DEPLOY_MODE,
 * SPARK_DRIVER_MEMORY, SPARK_EXECUTOR_MEMORY and SPARK_EXECUTOR_CORES.
 *
 * app->conf has every property but spark.master, which is app->master with its scheme and without
 * "k8s://"; both are NULL when the kubeconfig is to say where (no master, or "k8s://" alone).
 * Local paths become absolute file: URIs, whose patterns are expanded; nothing is uploaded
 * (submit/spark_upload.h) and --packages are not resolved, for the driver does that anyway.
 *
 * `warnings` (an array of texts) gets what Spark would log. INVALID names the option or the
 * property, never a value that may be a secret; NOT_FOUND a file that is missing. On failure `app`
 * is empty again.
 */
bool spark_arguments_resolve(const struct spark_arguments *arguments, struct spark_app *app,
                             json_t *warnings, struct error **err);
/* The same without an application: only app->conf and app->master are set. For what asks a cluster
 * about applications that are there (--status, --kill), and for what explains properties. */
bool spark_arguments_resolve_settings(const struct spark_arguments *arguments,
                                      struct spark_app *app, json_t *warnings, struct error **err);

#endif
