/* SPDX-License-Identifier: Apache-2.0 */
/* Flavor spark-kubernetes: a step is a driver pod, as spark-submit in cluster mode would create it,
 * which starts its executors. */
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include <uthash.h>

#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/text.h"
#include "operator/flavors/flavors.h"
#include "operator/flavors/spark_kubernetes_app.h"
#include "submit/driver_pod.h"
#include "submit/kube_client.h"
#include "submit/kube_stream.h"
#include "submit/pod_status.h"
#include "submit/submission.h"

#define DRIVER_CONTAINER "spark-kubernetes-driver"
#define LOG_LIMIT_BYTES (10u << 20)
#define LOG_PATIENCE_MS 5000
#define CANCEL_GRACE_S 10
#define START_TIMEOUT_MS 600000
/* A registry may stumble once; the kubelet tries again after 10 s, then 20 s. */
#define PULL_PATIENCE_MS 30000

struct spark_operator {
	struct step_operator base;
	const struct operator_context *context;
	const struct component *component;
	struct kube_client *kube; /* NULL when offline */
	char *server, *namespace;
	struct kube_watch *watch;
	struct spark_job *jobs; /* by driver pod */
	char *trouble;          /* why the watch sees nothing at present */
};

struct executor {
	char *name;
	bool ready;
	UT_hash_handle hh;
};

struct spark_job {
	struct job job;
	struct spark_operator *owner;
	const struct job_events *events;
	void *context;
	char *pod, *step, *log_path, *display;
	struct executor *executors; /* by name */
	int executors_wanted;
	struct loop_source *start_timer, *pull_timer, *log_timer;
	struct kube_log_stream *output; /* the driver's log, as it is written */
	int log_fd;
	bool log_complete;        /* the stream came to its end */
	struct pod_status status; /* as last seen */
	bool cancelled, ended;
	UT_hash_handle hh;
};

static struct spark_operator *spark_operator_of(struct step_operator *operator)
{
	return container_of(operator, struct spark_operator, base);
}

static struct spark_job *spark_job_of(struct job *job)
{
	return container_of(job, struct spark_job, job);
}

static char *copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

/* "k8s://https://host:6443" as spark-submit takes it; without a scheme it is https. */
static char *server_of(const char *master)
{
	const char *url = text_starts_with(master, "k8s://") ? master + strlen("k8s://") : master;

	return strstr(url, "://") ? xstrdup(url) : text_printf("https://%s", url);
}

static void spark_close(struct step_operator *operator)
{
	struct spark_operator *spark = spark_operator_of(operator);

	kube_watch_cancel(spark->watch);
	kube_client_free(spark->kube);
	free(spark->server);
	free(spark->namespace);
	free(spark->trouble);
	free(spark);
}

/* A dry run asks nobody: without a cluster's configuration it still shows the objects. */
static bool connect_to_cluster(struct spark_operator *spark, struct error **err)
{
	const struct component *component = spark->component;
	const char *context = spark->context->kube_context;
	const char *file = spark->context->kubeconfig;
	struct kube_config_options options = {
		.kubeconfig = file ? file : component_text(component, "kubeconfig", NULL),
		.context = context ? context : component_text(component, "context", NULL),
		.server = spark->server,
		.namespace = spark->namespace,
	};
	struct kube_config *config = kube_config_load(&options, err);

	if (!config)
		return false;
	free(spark->server);
	free(spark->namespace);
	spark->server = xstrdup(config->server);
	spark->namespace = xstrdup(config->namespace);
	spark->kube = kube_client_new_take(spark->context->http, config);
	return true;
}

/* What is resolved here would end up in a ConfigMap for all to read. */
static bool refuse_references(const struct component *component, struct error **err)
{
	scoped(text) char *text = json_dumps(component->options, JSON_COMPACT);

	if (!strstr(text, "{{"))
		return true;
	return error_set(err, ERROR_INVALID,
	                 "its options refer to a secret ({{…}}), which would be readable in the "
	                 "pods' ConfigMap; use spark.kubernetes.driver.secretKeyRef.<VARIABLE> in "
	                 "submit_kwargs instead");
}

static struct step_operator *spark_open(const struct component *component,
                                        const struct operator_context *context, struct error **err)
{
	struct spark_operator *spark;
	const char *master = component_text(component, "master", NULL);
	const char *namespace = context->namespace;

	if (!refuse_references(component, err))
		return NULL;
	spark = xcalloc(1, sizeof(*spark));
	spark->base.flavor = &flavor_spark_kubernetes;
	spark->context = context;
	spark->component = component;
	spark->server = master ? server_of(master) : NULL;
	spark->namespace =
		copy(namespace ? namespace : component_text(component, "namespace", NULL));
	if (context->offline)
		spark->namespace = spark->namespace ? spark->namespace : xstrdup("default");
	else if (!connect_to_cluster(spark, err)) {
		spark_close(&spark->base);
		return NULL;
	}
	return &spark->base;
}

static json_t *build_objects(struct spark_operator *spark, const struct step_launch *launch,
                             int *executors, struct error **err)
{
	struct spark_kubernetes_target target = {
		.component = spark->component,
		.server = spark->server,
		.namespace = spark->namespace,
		.run_id = spark->context->run_id,
		.run_name = spark->context->run_name,
		.pipeline = spark->context->pipeline,
		.artifacts = spark->context->artifacts,
	};
	struct spark_app app;
	json_t *objects = NULL;
	int64_t wanted = 2;

	if (spark_kubernetes_app_build(&target, launch, &app, err) &&
	    spark_conf_get_int(app.conf, "spark.executor.instances", 2, &wanted, err))
		objects = driver_objects_build(&app, err);
	if (executors)
		*executors = (int)wanted;
	spark_app_release(&app);
	return objects;
}

static json_t *spark_render(struct step_operator *operator, const struct step_launch * launch,
                            struct error **err)
{
	return build_objects(spark_operator_of(operator), launch, NULL, err);
}

/* Everything that can be wrong with the objects shows when they are built. */
static bool spark_check(struct step_operator *operator, const struct step * step,
                        struct error **err)
{
	struct spark_operator *spark = spark_operator_of(operator);
	json_auto_t *contract = json_object();
	struct step_launch launch = { .step = step,
		                      .attempt = 1,
		                      .code_folder = spark->context->code_folder,
		                      .contract = contract };
	json_auto_t *objects = build_objects(spark, &launch, NULL, err);

	return objects != NULL;
}

static void count_executors(const struct spark_job *job, struct job_report *report)
{
	struct executor *executor, *next;

	report->workers_wanted = job->executors_wanted;
	HASH_ITER (hh, job->executors, executor, next)
		report->workers_ready += executor->ready;
}

static void fill_report(const struct spark_job *job, struct job_report *report)
{
	static const enum job_phase phases[] = {
		[POD_PENDING] = JOB_PENDING,
		[POD_RUNNING] = JOB_RUNNING,
		[POD_SUCCEEDED] = JOB_SUCCEEDED,
		[POD_FAILED] = JOB_FAILED,
	};
	const struct pod_status *status = &job->status;

	report->phase = phases[status->phase];
	report->reason = copy(job->cancelled ? "cancelled" : status->reason);
	report->message = copy(status->message);
	report->advice = copy(job->cancelled ? NULL : status->advice);
	report->has_exit_code = status->has_exit_code;
	report->exit_code = status->exit_code;
	report->result = copy(status->termination_message);
	count_executors(job, report);
}

/* The log outlives the pod. That it cannot be had is said in its place. */
static void fetch_log(struct spark_job *job)
{
	scoped(error) struct error *err = NULL;
	scoped(text) char *text = kube_client_log(job->owner->kube, job->owner->namespace, job->pod,
	                                          DRIVER_CONTAINER, LOG_LIMIT_BYTES, &err);

	if (!text && err->kind != ERROR_NOT_FOUND) {
		scoped(text) char *why = error_text(err);

		text = text_printf("(the log of pod '%s' could not be fetched: %s)\n", job->pod,
		                   why);
	}
	if (text)
		file_write_atomic(job->log_path, text, strlen(text), 0644, NULL);
}

static void stop_timers(struct spark_job *job)
{
	loop_cancel(take(job->start_timer));
	loop_cancel(take(job->pull_timer));
}

static void tell_progress(struct spark_job *job)
{
	struct job_report report = { 0 };

	fill_report(job, &report);
	if (report.phase == JOB_SUCCEEDED || report.phase == JOB_FAILED)
		report.phase = JOB_RUNNING;
	job->events->changed(job->context, &job->job, &report);
	job_report_release(&report);
}

static void tell_end(struct spark_job *job)
{
	struct job_report report = { 0 };

	fill_report(job, &report);
	job->ended = true;
	stop_timers(job);
	job->events->changed(job->context, &job->job, &report);
	job_report_release(&report);
}

static void end_job(struct spark_job *job);

/* Waiting longer does not help: the pod goes, what it waited for is the reason. */
static void give_up(struct spark_job *job, const char *after)
{
	scoped(error) struct error *err = NULL;

	if (job->ended)
		return;
	if (!submission_delete(job->owner->kube, job->owner->namespace, job->pod, 0, &err))
		log_debug("the driver pod %s could not be deleted", job->pod);
	if (!job->status.reason)
		job->status.reason = text_printf("did not start within %s", after);
	if (!job->status.advice)
		job->status.advice =
			xstrdup("See 'kubectl describe pod'; a longer start_timeout in "
		                "the step's settings waits longer.");
	job->status.phase = POD_FAILED;
	tell_end(job);
}

static void start_timed_out(void *context)
{
	struct spark_job *job = context;

	job->start_timer = NULL;
	give_up(job, "start_timeout");
}

static void pull_timed_out(void *context)
{
	struct spark_job *job = context;

	job->pull_timer = NULL;
	give_up(job, "30s");
}

static bool is_pull_problem(const char *reason)
{
	return text_equal(reason, "ErrImagePull") || text_equal(reason, "ImagePullBackOff");
}

static void watch_patience(struct spark_job *job)
{
	const struct pod_status *status = &job->status;

	if (status->phase != POD_PENDING) {
		stop_timers(job);
		return;
	}
	if (is_pull_problem(status->reason) && !job->pull_timer)
		job->pull_timer = loop_start_timer(job->owner->context->loop, PULL_PATIENCE_MS,
		                                   pull_timed_out, job);
	else if (status->hopeless && !job->pull_timer)
		job->pull_timer =
			loop_start_timer(job->owner->context->loop, 0, pull_timed_out, job);
}

/* The log is kept while it is written: what a pod said is not lost with the pod, and `stepop logs
 * -f` reads along. */
static void log_line(void *context, const char *line, size_t size)
{
	struct spark_job *job = context;
	struct iovec parts[] = { { .iov_base = (char *)line, .iov_len = size },
		                 { .iov_base = (char *)"\n", .iov_len = 1 } };

	if (job->log_fd >= 0 && writev(job->log_fd, parts, ARRAY_SIZE(parts)) < 0)
		log_debug("the log of pod %s cannot be written", job->pod);
	if (!job->events->output)
		return;
	job->events->output(job->context, &job->job, line, size);
	job->events->output(job->context, &job->job, "\n", 1);
}

static bool is_final(const struct spark_job *job)
{
	return job->status.phase == POD_SUCCEEDED || job->status.phase == POD_FAILED;
}

static void log_ended(void *context, const struct error *error)
{
	struct spark_job *job = context;

	job->output = NULL;
	job->log_complete = !error;
	if (is_final(job) && !job->ended && !job->cancelled)
		end_job(job);
}

static const struct kube_log_events log_events = { .line = log_line, .ended = log_ended };

static void follow_log(struct spark_job *job)
{
	struct spark_operator *spark = job->owner;

	if (job->output || job->log_complete || job->status.phase != POD_RUNNING)
		return;
	if (job->log_fd < 0)
		job->log_fd = open(job->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	job->output = kube_log_stream_start(spark->kube, spark->namespace, job->pod,
	                                    DRIVER_CONTAINER, true, &log_events, job, NULL);
}

static void end_job(struct spark_job *job)
{
	loop_cancel(take(job->log_timer));
	kube_log_stream_cancel(take(job->output));
	if (!job->log_complete)
		fetch_log(job);
	tell_end(job);
}

static void log_timed_out(void *context)
{
	struct spark_job *job = context;

	job->log_timer = NULL;
	end_job(job);
}

static void driver_changed(struct spark_job *job, const json_t *pod)
{
	if (job->ended || job->log_timer)
		return;
	pod_status_release(&job->status);
	pod_status_read(pod, DRIVER_CONTAINER, &job->status);
	watch_patience(job);
	follow_log(job);
	/* A cancelled job has ended when its pod is gone, and what it owns with it. */
	if (!is_final(job) || job->cancelled)
		tell_progress(job);
	else if (job->output)
		/* The last lines are under way; the step's end waits for them, but not long. */
		job->log_timer = loop_start_timer(job->owner->context->loop, LOG_PATIENCE_MS,
		                                  log_timed_out, job);
	else
		end_job(job);
}

/* A pod that had ended and was collected ended all the same; any other was taken away. */
static void driver_deleted(struct spark_job *job, const json_t *pod)
{
	if (job->ended)
		return;
	pod_status_release(&job->status);
	pod_status_read_deleted(pod, DRIVER_CONTAINER, &job->status);
	loop_cancel(take(job->log_timer));
	kube_log_stream_cancel(take(job->output));
	tell_end(job);
}

static const char *label(const json_t *pod, const char *name)
{
	return json_string_value(
		json_object_get(json_object_get(json_object_get(pod, "metadata"), "labels"), name));
}

static const char *pod_name(const json_t *pod)
{
	return json_string_value(json_object_get(json_object_get(pod, "metadata"), "name"));
}

/* An executor belongs to the job whose step and attempt it carries in its name's prefix, and in its
 * labels. */
static struct spark_job *job_of_executor(struct spark_operator *spark, const json_t *pod)
{
	struct spark_job *job, *next;
	const char *step = label(pod, "stepop.dev/step");

	HASH_ITER (hh, spark->jobs, job, next)
		if (text_equal(job->step, step) && !job->ended)
			return job;
	return NULL;
}

static void executor_changed(struct spark_operator *spark, const json_t *pod, bool deleted)
{
	struct spark_job *job = job_of_executor(spark, pod);
	const char *name = pod_name(pod);
	struct executor *executor = NULL;
	struct pod_status status;
	bool ready;

	if (!job)
		return;
	pod_status_read(pod, NULL, &status);
	ready = !deleted && status.phase == POD_RUNNING;
	pod_status_release(&status);
	HASH_FIND_STR(job->executors, name, executor);
	if (!executor) {
		executor = xcalloc(1, sizeof(*executor));
		executor->name = xstrdup(name);
		HASH_ADD_KEYPTR(hh, job->executors, executor->name, strlen(executor->name),
		                executor);
	}
	if (executor->ready == ready)
		return;
	executor->ready = ready;
	tell_progress(job);
}

static void pod_changed(void *context, json_t *pod)
{
	struct spark_operator *spark = context;
	const char *name = pod_name(pod);
	struct spark_job *job = NULL;

	HASH_FIND_STR(spark->jobs, name, job);
	if (job)
		driver_changed(job, pod);
	else if (text_equal(label(pod, "spark-role"), "executor"))
		executor_changed(spark, pod, false);
}

static void pod_deleted(void *context, json_t *pod)
{
	struct spark_operator *spark = context;
	const char *name = pod_name(pod);
	struct spark_job *job = NULL;

	HASH_FIND_STR(spark->jobs, name, job);
	if (job)
		driver_deleted(job, pod);
	else if (text_equal(label(pod, "spark-role"), "executor"))
		executor_changed(spark, pod, true);
}

/* The API server is away: jobs go on, and their progress says what is waited for. */
static void watch_trouble(void *context, const struct error *error)
{
	struct spark_operator *spark = context;
	struct spark_job *job, *next;

	free(take(spark->trouble));
	spark->trouble = error ? error_text(error) : NULL;
	HASH_ITER (hh, spark->jobs, job, next) {
		struct job_report report = { 0 };

		if (job->ended)
			continue;
		fill_report(job, &report);
		if (spark->trouble) {
			free(report.reason);
			report.reason = xstrdup(spark->trouble);
		}
		job->events->changed(job->context, &job->job, &report);
		job_report_release(&report);
	}
}

static const struct kube_watch_events watch_events = {
	.changed = pod_changed,
	.deleted = pod_deleted,
	.trouble = watch_trouble,
};

/* One watch serves all jobs of the run in its namespace. */
static bool ensure_watch(struct spark_operator *spark, struct error **err)
{
	scoped(text) char *selector = text_printf("stepop.dev/run=%s", spark->context->run_id);

	if (!spark->watch)
		spark->watch = kube_watch_start(spark->kube, &kube_pods, spark->namespace, selector,
		                                &watch_events, spark, err);
	return spark->watch != NULL;
}

static struct spark_job *job_new(struct spark_operator *spark, const struct step_launch *launch,
                                 const char *pod, const struct job_events *events, void *context)
{
	struct spark_job *job = xcalloc(1, sizeof(*job));
	const char *timeout =
		json_string_value(json_object_get(launch->step->settings, "start_timeout"));
	int64_t timeout_ms =
		component_duration_ms(spark->component, "start_timeout", START_TIMEOUT_MS);

	if (timeout)
		clock_parse_duration(timeout, &timeout_ms);
	job->job.flavor = &flavor_spark_kubernetes;
	job->owner = spark;
	job->events = events;
	job->context = context;
	job->pod = xstrdup(pod);
	job->step = xstrdup(launch->step->name);
	job->log_path = xstrdup(launch->log_path);
	job->log_fd = -1;
	job->display = text_printf("%s/%s", spark->namespace, pod);
	job->start_timer = loop_start_timer(spark->context->loop, timeout_ms, start_timed_out, job);
	HASH_ADD_KEYPTR(hh, spark->jobs, job->pod, strlen(job->pod), job);
	return job;
}

/* What Kubernetes refused, and what that means for the user. */
static void *explain(struct spark_operator *spark, struct error **err)
{
	const char *account = component_text(spark->component, "service_account", "default");
	scoped(text) char *advice =
		err && *err ? submission_advice(*err, spark->namespace, account) : NULL;

	if (advice)
		error_wrap(err, "%s", advice);
	return NULL;
}

static struct job *spark_launch(struct step_operator *operator, const struct step_launch * launch,
                                const struct job_events *events, void *context, struct error **err)
{
	struct spark_operator *spark = spark_operator_of(operator);
	int executors = 0;
	json_auto_t *objects = build_objects(spark, launch, &executors, err);
	json_auto_t *pod = NULL;
	struct spark_job *job;

	if (!objects || !ensure_watch(spark, err))
		return NULL;
	pod = submission_create(spark->kube, objects, err);
	if (!pod)
		return explain(spark, err);
	job = job_new(spark, launch, pod_name(pod), events, context);
	job->executors_wanted = executors;
	return &job->job;
}

/* The watch reports the pod's end. */
static bool spark_cancel(struct job *job, struct error **err)
{
	struct spark_job *spark = spark_job_of(job);

	if (spark->ended)
		return true;
	spark->cancelled = true;
	return submission_delete(spark->owner->kube, spark->owner->namespace, spark->pod,
	                         CANCEL_GRACE_S, err);
}

static const char *spark_describe(const struct job *job)
{
	return spark_job_of((struct job *)job)->display;
}

static void free_executors(struct spark_job *job)
{
	struct executor *executor, *next;

	HASH_ITER (hh, job->executors, executor, next) {
		HASH_DEL(job->executors, executor);
		free(executor->name);
		free(executor);
	}
}

static void spark_free_job(struct job *job)
{
	struct spark_job *spark = spark_job_of(job);

	stop_timers(spark);
	loop_cancel(spark->log_timer);
	kube_log_stream_cancel(spark->output);
	if (spark->log_fd >= 0)
		close(spark->log_fd);
	HASH_DEL(spark->owner->jobs, spark);
	free_executors(spark);
	pod_status_release(&spark->status);
	free(spark->pod);
	free(spark->step);
	free(spark->log_path);
	free(spark->display);
	free(spark);
}

static bool check_master(const char *value, struct error **err)
{
	scoped(text) char *server = server_of(value);

	if (text_starts_with(server, "https://") || text_starts_with(server, "http://"))
		return true;
	return error_set(err, ERROR_INVALID,
	                 "'%s' is no Kubernetes master; it looks like k8s://https://host:6443",
	                 value);
}

static const struct component_option options[] = {
	{ "master", OPTION_TEXT, false,
	  "k8s://https://host:port of the API server; default: the kubeconfig's", check_master },
	{ "namespace", OPTION_TEXT, false, "namespace of the pods; default: the kubeconfig's",
	  NULL },
	{ "service_account", OPTION_TEXT, false, "account of the driver pods", NULL },
	{ "docker_parent_image", OPTION_TEXT, true, "image with Spark and Python", NULL },
	{ "image_pull_policy", OPTION_TEXT, false, "IfNotPresent (the default), Always or Never",
	  NULL },
	{ "image_pull_secrets", OPTION_TEXT, false, "comma-separated names of pull secrets", NULL },
	{ "spark_version", OPTION_TEXT, false, "of the image; default: 3.5.9", NULL },
	{ "start_timeout", OPTION_DURATION, false,
	  "how long a driver may take to start; default: 10m", NULL },
	{ "submit_kwargs", OPTION_JSON, false, "Spark properties for every step, as JSON", NULL },
	{ "kubeconfig", OPTION_TEXT, false, "file to use instead of $KUBECONFIG or ~/.kube/config",
	  NULL },
	{ "context", OPTION_TEXT, false, "context of the kubeconfig", NULL },
	{ 0 },
};

const struct flavor flavor_spark_kubernetes = {
	.abi = FLAVOR_ABI,
	.component =
		&(const struct component_flavor){
			.type = COMPONENT_STEP_OPERATOR,
			.name = "spark-kubernetes",
			.help = "a step is a Spark driver pod and its executors",
			.options = options,
			.aliases =
				(const struct component_alias[]){
					{ "image", "docker_parent_image" },
					{ "container_image", "docker_parent_image" },
					{ 0 } },
		},
	.needs_remote_store = true,
	.open = spark_open,
	.check = spark_check,
	.render = spark_render,
	.launch = spark_launch,
	.cancel = spark_cancel,
	.describe = spark_describe,
	.free_job = spark_free_job,
	.close = spark_close,
};
