/* SPDX-License-Identifier: Apache-2.0 */
/* stepop submit: what spark-submit --master k8s://… --deploy-mode cluster does. */
#include <string.h>

#include "cli/cluster.h"
#include "cli/commands.h"
#include "cli/submit_run.h"
#include "cli/submit_source.h"
#include "core/clock.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/driver_pod.h"
#include "submit/spark_connection.h"
#include "submit/submission_lookup.h"
#include "submit/submission_rehearsal.h"

#define START_TIMEOUT "10m"

static bool check_what(const struct arguments *arguments, struct error **err)
{
	static const char *const things[] = { "filename", "status", "kill" };
	const char *given = argument_count(arguments) ? "an application" : NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(things); i++) {
		if (!argument_option(arguments, things[i]))
			continue;
		if (given)
			return error_set(err, ERROR_USAGE, "%s and --%s do not go together", given,
			                 things[i]);
		given = things[i];
	}
	if (!given)
		return error_set(err, ERROR_USAGE,
		                 "nothing to submit; name an application (a jar, .py or .R) or "
		                 "manifests with -f");
	return true;
}

/* What goes with a file: the rest of spark-submit's options is written in it. */
static bool check_file_options(const struct arguments *arguments, struct error **err)
{
	static const char *const allowed[] = { "conf", "master" };
	const struct command_option *option = submit_source_options();
	size_t i;

	for (; argument_option(arguments, "filename") && option->name; option++) {
		if (!argument_switch(arguments, option->name))
			continue;
		for (i = 0; i < ARRAY_SIZE(allowed); i++)
			if (text_equal(option->name, allowed[i]))
				break;
		if (i == ARRAY_SIZE(allowed))
			return error_set(err, ERROR_USAGE,
			                 "--%s does not go with -f: it is a field of the manifest",
			                 option->name);
	}
	return true;
}

/* The cluster that properties and options name; what was typed wins. `has_own` says whether a
 * namespace that nobody names is the kubeconfig's, not Spark's "default". */
static struct kube_config *find_cluster(const struct arguments *arguments, bool has_own,
                                        struct error **err)
{
	struct kube_config_options options = {
		.kubeconfig = argument_option(arguments, "kubeconfig"),
		.context = argument_option(arguments, "context"),
	};
	struct kube_config *config = NULL;
	struct spark_app app;

	if (submit_source_settings(arguments, &app, err) &&
	    spark_connection_options(&app, &options, err)) {
		if (has_own && !spark_conf_get(app.conf, "spark.kubernetes.namespace"))
			options.namespace = NULL;
		config = kube_config_load(&options, err);
	}
	spark_app_release(&app);
	return config;
}

/* Every application is made once before the first is sent: all that can be wrong with them is told
 * while nothing exists. */
static bool check_all(struct submit_source *source, json_t *objects, struct error **err)
{
	size_t i;

	for (i = 0; i < submit_source_count(source); i++) {
		struct kube_config_options connection = { 0 };
		struct spark_app app;
		json_auto_t *warnings = json_array();
		scoped(driver_objects) json_t *made = NULL;

		if (submit_source_app(source, i, &app, err) &&
		    spark_connection_options(&app, &connection, err))
			made = submit_run_objects(NULL, &app, warnings, err);
		spark_app_release(&app);
		if (!made)
			return false;
		if (!objects)
			continue;
		submit_source_warn(source, warnings);
		json_array_extend(objects, made);
	}
	return true;
}

static bool print_objects(const struct arguments *arguments, struct submit_source *source,
                          struct error **err)
{
	json_auto_t *objects = json_array();

	return check_all(source, objects, err) &&
	       output_manifests(stdout, argument_output(arguments), objects, err);
}

static bool rehearse_app(struct cluster *cluster, struct spark_app *app, json_t *rows,
                         size_t *refused, size_t *missing, struct error **err)
{
	json_auto_t *warnings = json_array();
	scoped(driver_objects) json_t *objects = NULL;

	objects = submit_run_objects(NULL, app, warnings, err);
	return objects && submission_check_rights(cluster->client, objects, rows, missing, err) &&
	       submission_rehearse(cluster->client, objects, rows, refused, err);
}

static bool rehearse(const struct arguments *arguments, struct submit_source *source,
                     struct cluster *cluster, struct error **err)
{
	static const struct output_column columns[] = {
		{ "check", "CHECK", false },
		{ "result", "RESULT", false },
		{ "message", "MESSAGE", false },
		{ 0 },
	};
	json_auto_t *rows = json_array();
	size_t all_refused = 0, all_missing = 0, i;

	for (i = 0; i < submit_source_count(source); i++) {
		size_t refused = 0, missing = 0;
		struct spark_app app;
		bool is_done = submit_source_app(source, i, &app, err) &&
		               rehearse_app(cluster, &app, rows, &refused, &missing, err);

		spark_app_release(&app);
		if (!is_done)
			return false;
		all_refused += refused;
		all_missing += missing;
	}
	if (!output_rows(stdout, argument_output(arguments), columns, rows, err))
		return false;
	if (all_missing)
		return error_set(err, ERROR_AUTH,
		                 "%zu rights are missing; 'stepop rbac render' prints the Roles "
		                 "that grant them",
		                 all_missing);
	if (all_refused)
		return error_set(err, ERROR_INVALID, "the API server would refuse %zu objects",
		                 all_refused);
	return true;
}

static bool read_timeout(const struct arguments *arguments, int64_t *timeout_ms, struct error **err)
{
	const char *text = argument_option(arguments, "start-timeout");

	if (text_equal(text, "0"))
		*timeout_ms = 0;
	else if (!clock_parse_duration(text ? text : START_TIMEOUT, timeout_ms))
		return error_set(err, ERROR_USAGE,
		                 "--start-timeout: '%s' is no duration; write it as in '90s' or "
		                 "'10m' (0: no limit)",
		                 text);
	return true;
}

/* Without a cluster to ask, names and places are what the files say. */
static bool print_all(const struct arguments *arguments, struct submit_source *source,
                      struct error **err)
{
	scoped(kube_config) struct kube_config *config = NULL;

	if (argument_option(arguments, "filename"))
		config = find_cluster(arguments, true, NULL);
	if (config)
		submit_source_set_cluster(source, config);
	return print_objects(arguments, source, err);
}

static bool submit_all(const struct arguments *arguments, struct submit_source *source,
                       struct error **err)
{
	bool is_rehearsal = text_equal(argument_option(arguments, "dry-run"), "server");
	bool is_file = argument_option(arguments, "filename");
	struct submit_run_options options = { .source = source, .arguments = arguments };
	struct kube_config *config;
	scoped(cluster) struct cluster *cluster = NULL;

	if (!read_timeout(arguments, &options.start_timeout_ms, err) ||
	    !check_all(source, NULL, err))
		return false;
	config = find_cluster(arguments, is_file, err);
	if (!config)
		return false;
	submit_source_set_cluster(source, config);
	cluster = cluster_new_take(config);
	options.cluster = cluster;
	return is_rehearsal ? rehearse(arguments, source, cluster, err) : submit_run(&options, err);
}

static bool show_status(struct kube_client *client, const struct arguments *arguments,
                        struct error **err)
{
	enum output_format format = argument_output(arguments);
	json_auto_t *pods = submission_find(client, argument_option(arguments, "status"), err);
	const json_t *pod;
	size_t i;

	if (!pods)
		return false;
	if (format != OUTPUT_TABLE && format != OUTPUT_WIDE)
		return output_manifests(stdout, format, pods, err);
	json_array_foreach (pods, i, pod) {
		fputs(i ? "\n" : "", stdout);
		submission_describe(pod, stdout);
	}
	return true;
}

static bool kill_all(struct kube_client *client, const struct arguments *arguments, int64_t grace_s,
                     struct error **err)
{
	json_auto_t *pods = submission_find(client, argument_option(arguments, "kill"), err);
	const json_t *pod;
	size_t i;

	json_array_foreach (pods, i, pod) {
		scoped(text) char *id = submission_id_of(pod);

		if (!submission_kill(client, pod, grace_s, err))
			return error_wrap(err, "kill %s", id);
		printf("%s%s\n", id, argument_output(arguments) == OUTPUT_NAME ? "" : ": deleted");
	}
	return pods;
}

/* spark.kubernetes.appKillPodDeletionGracePeriod, in seconds. */
static bool read_grace(const struct arguments *arguments, int64_t *grace_s, struct error **err)
{
	struct spark_app app;
	bool is_read =
		submit_source_settings(arguments, &app, err) &&
		spark_conf_get_int(app.conf, "spark.kubernetes.appKillPodDeletionGracePeriod", -1,
	                           grace_s, err);

	spark_app_release(&app);
	return is_read;
}

/* --status and --kill know no application, but properties say where the cluster is. */
static bool manage(const struct arguments *arguments, struct error **err)
{
	scoped(cluster) struct cluster *cluster = NULL;
	struct kube_config *config = find_cluster(arguments, true, err);
	int64_t grace_s;

	if (!config)
		return false;
	cluster = cluster_new_take(config);
	if (argument_option(arguments, "status"))
		return show_status(cluster->client, arguments, err);
	return read_grace(arguments, &grace_s, err) &&
	       kill_all(cluster->client, arguments, grace_s, err);
}

static bool run_submit(const struct arguments *arguments, struct error **err)
{
	scoped(submit_source) struct submit_source *source = NULL;

	if (!check_what(arguments, err) || !check_file_options(arguments, err))
		return false;
	if (argument_option(arguments, "status") || argument_option(arguments, "kill"))
		return manage(arguments, err);
	source = submit_source_open(arguments, err);
	if (!source)
		return false;
	return text_equal(argument_option(arguments, "dry-run"), "client")
	               ? print_all(arguments, source, err)
	               : submit_all(arguments, source, err);
}

const struct command cmd_submit = {
	.words = "submit",
	.arguments = "[APP [ARGUMENT...]]",
	.summary = "submit Spark applications to Kubernetes, as spark-submit does",
	.details =
		"Creates the objects that 'spark-submit --deploy-mode cluster' would create, waits "
		"for\n"
		"the driver, and says how it ended: 0 succeeded, 3 failed. All after APP are its "
		"own\n"
		"arguments. Does not wait where "
		"spark.kubernetes.submission.waitAppCompletion=false.\n"
		"Ctrl-C ends the waiting, not the application. docs/submit.md tells where stepop\n"
		"differs from spark-submit, and why.",
	.options =
		(const struct command_option[]){
			{ "filename", 'f', VALUE_ONE, "FILE",
	                  "SparkApplication manifests instead of APP; '-' is standard input",
	                  NULL },
			{ "spark-version", 0, VALUE_ONE, "VERSION",
	                  "Spark of the image: 3.5 to 4.3; default: by the image's name", NULL },
			{ "submission-id", 0, VALUE_ONE, "ID",
	                  "submitting again under the same id finds what is there", NULL },
			{ "pod-security", 0, VALUE_ONE, "LEVEL",
	                  "restricted: pods satisfy that Pod Security Standard; default: none",
	                  (const char *const[]){ "none", "restricted", NULL } },
			{ "start-timeout", 0, VALUE_ONE, "DURATION",
	                  "how long a driver may take to start; default: " START_TIMEOUT
	                  "; 0: no limit",
	                  NULL },
			{ "dry-run", 0, VALUE_ONE, "KIND",
	                  "client: print the objects; server: let the API server judge them",
	                  (const char *const[]){ "client", "server", NULL } },
			{ "status", 0, VALUE_ONE, "ID",
	                  "show the driver [namespace:]pod; a '*' at the end: all that begin so",
	                  NULL },
			{ "kill", 0, VALUE_ONE, "ID",
	                  "delete such drivers, and so their applications", NULL },
			{ 0 } },
	.shared_options = submit_source_options,
	.refusal = submit_source_refusal,
	.is_secret = submit_source_is_secret,
	.examples = "  stepop submit --master k8s://https://host:6443 --name pi \\\n"
		    "      --class org.apache.spark.examples.SparkPi \\\n"
		    "      --conf spark.kubernetes.container.image=apache/spark:3.5.9 \\\n"
		    "      local:///opt/spark/examples/jars/spark-examples.jar 100\n"
		    "  stepop submit -f application.yaml\n"
		    "  stepop submit --dry-run=client -o yaml --properties-file job.conf job.py\n"
		    "  stepop submit --kill 'spark:nightly-*'",
	.max_arguments = 100000,
	.takes_program = true,
	.run = run_submit,
};
