/* SPDX-License-Identifier: Apache-2.0 */
/* One driver pod, followed from its creation to its end. */
#include "operator/flavors/spark_kubernetes_job.h"

#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include <uthash.h>

#include "core/file.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_object.h"
#include "submit/kube_stream.h"
#include "submit/pod_patience.h"
#include "submit/pod_status.h"
#include "submit/submission.h"

#define LOG_LIMIT_BYTES (10u << 20)
#define LOG_PATIENCE_MS 5000
#define CANCEL_GRACE_S 10

struct executor {
	char *name;
	bool ready;
	UT_hash_handle hh;
};

struct spark_job {
	struct job job;
	void *owner;
	struct loop *loop;
	struct kube_client *kube;
	const struct job_events *events;
	void *context;
	char *namespace, *pod, *container, *log_path, *display;
	struct executor *executors; /* by name */
	int executors_wanted;
	struct pod_patience patience;
	struct loop_source *patience_timer, *log_timer;
	struct kube_log_stream *output; /* the driver's log, as it is written */
	int log_fd;
	bool log_complete;        /* the stream came to its end */
	struct pod_status status; /* as last seen */
	char *trouble;            /* why nothing is seen at present */
	bool cancelled, ended;
};

struct job *spark_job_base(struct spark_job *job)
{
	return &job->job;
}

struct spark_job *spark_job_of(struct job *job)
{
	return container_of(job, struct spark_job, job);
}

const char *spark_job_describe(const struct spark_job *job)
{
	return job->display;
}

const char *spark_job_pod(const struct spark_job *job)
{
	return job->pod;
}

void *spark_job_owner(const struct spark_job *job)
{
	return job->owner;
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
	report->reason = text_copy(job->cancelled ? "cancelled" : status->reason);
	report->message = text_copy(status->message);
	report->advice = text_copy(job->cancelled ? NULL : status->advice);
	report->has_exit_code = status->has_exit_code;
	report->exit_code = status->exit_code;
	report->result = text_copy(status->termination_message);
	count_executors(job, report);
}

/* The log outlives the pod. That it cannot be had is said in its place. */
static void fetch_log(struct spark_job *job)
{
	scoped(error) struct error *err = NULL;
	scoped(text) char *text = kube_client_log(job->kube, job->namespace, job->pod,
	                                          job->container, LOG_LIMIT_BYTES, &err);

	if (!text && err->kind != ERROR_NOT_FOUND) {
		scoped(text) char *why = error_text(err);

		text = text_printf("(the log of pod '%s' could not be fetched: %s)\n", job->pod,
		                   why);
	}
	if (text)
		file_write_atomic(job->log_path, text, strlen(text), 0644, NULL);
}

static void tell_progress(struct spark_job *job)
{
	struct job_report report = { 0 };

	fill_report(job, &report);
	if (report.phase == JOB_SUCCEEDED || report.phase == JOB_FAILED)
		report.phase = JOB_RUNNING;
	if (job->trouble) {
		free(report.reason);
		report.reason = xstrdup(job->trouble);
	}
	job->events->changed(job->context, &job->job, &report);
	job_report_release(&report);
}

static void tell_end(struct spark_job *job)
{
	struct job_report report = { 0 };

	fill_report(job, &report);
	job->ended = true;
	loop_cancel(take(job->patience_timer));
	job->events->changed(job->context, &job->job, &report);
	job_report_release(&report);
}

static void end_job(struct spark_job *job);

void spark_job_give_up(struct spark_job *job, const char *reason)
{
	if (job->ended)
		return;
	if (!submission_delete(job->kube, job->namespace, job->pod, 0, NULL))
		log_debug("the driver pod %s could not be deleted", job->pod);
	if (!job->status.reason)
		job->status.reason = xstrdup(reason);
	if (!job->status.advice)
		job->status.advice =
			xstrdup("See 'kubectl describe pod'; a longer start_timeout in the step's "
		                "settings waits longer.");
	job->status.phase = POD_FAILED;
	loop_cancel(take(job->log_timer));
	kube_log_stream_cancel(take(job->output));
	tell_end(job);
}

static void patience_ended(void *context);

static void watch_patience(struct spark_job *job)
{
	int64_t deadline_ms = pod_patience_deadline_ms(&job->patience);

	loop_cancel(take(job->patience_timer));
	if (deadline_ms >= 0)
		job->patience_timer = loop_start_timer(job->loop, deadline_ms - loop_now_ms(),
		                                       patience_ended, job);
}

static void patience_ended(void *context)
{
	struct spark_job *job = context;

	job->patience_timer = NULL;
	switch (pod_patience_judge(&job->patience, loop_now_ms())) {
	case POD_PATIENCE_LEFT:
		watch_patience(job);
		break;
	case POD_START_TIMED_OUT:
		spark_job_give_up(job, job->trouble ? job->trouble
		                                    : "the driver did not start within "
		                                      "start_timeout");
		break;
	case POD_HOPELESS:
		spark_job_give_up(job, "the driver could not start");
		break;
	}
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
	if (job->output || job->log_complete || job->status.phase != POD_RUNNING)
		return;
	if (job->log_fd < 0)
		job->log_fd = open(job->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	job->output = kube_log_stream_start(job->kube, job->namespace, job->pod, job->container,
	                                    true, &log_events, job, NULL);
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

void spark_job_driver_changed(struct spark_job *job, const json_t *pod)
{
	if (job->ended || job->log_timer)
		return;
	pod_status_release(&job->status);
	pod_status_read(pod, job->container, &job->status);
	pod_patience_see(&job->patience, &job->status, loop_now_ms());
	watch_patience(job);
	follow_log(job);
	/* A cancelled job has ended when its pod is gone, and what it owns with it. */
	if (!is_final(job) || job->cancelled)
		tell_progress(job);
	else if (job->output)
		/* The last lines are under way; the step's end waits for them, but not long. */
		job->log_timer = loop_start_timer(job->loop, LOG_PATIENCE_MS, log_timed_out, job);
	else
		end_job(job);
}

/* A pod that had ended and was collected ended all the same; any other was taken away. */
void spark_job_driver_deleted(struct spark_job *job, const json_t *pod)
{
	if (job->ended)
		return;
	pod_status_release(&job->status);
	pod_status_read_deleted(pod, job->container, &job->status);
	loop_cancel(take(job->log_timer));
	kube_log_stream_cancel(take(job->output));
	tell_end(job);
}

void spark_job_executor_changed(struct spark_job *job, const json_t *pod, bool deleted)
{
	const char *name = kube_object_name(pod);
	struct executor *executor = NULL;
	struct pod_status status;
	bool ready;

	if (job->ended)
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

void spark_job_trouble(struct spark_job *job, const char *trouble)
{
	free(job->trouble);
	job->trouble = text_copy(trouble);
	if (!job->ended)
		tell_progress(job);
}

bool spark_job_cancel(struct spark_job *job, struct error **err)
{
	if (job->ended)
		return true;
	job->cancelled = true;
	return submission_delete(job->kube, job->namespace, job->pod, CANCEL_GRACE_S, err);
}

struct spark_job *spark_job_new(const struct spark_job_start *start)
{
	struct spark_job *job = xcalloc(1, sizeof(*job));

	job->job.flavor = start->flavor;
	job->owner = start->owner;
	job->loop = start->loop;
	job->kube = start->kube;
	job->events = start->events;
	job->context = start->context;
	job->namespace = xstrdup(start->namespace);
	job->pod = xstrdup(start->pod);
	job->container = xstrdup(start->container);
	job->display = text_printf("%s/%s", start->namespace, start->pod);
	job->log_path = xstrdup(start->log_path);
	job->log_fd = -1;
	job->executors_wanted = start->executors_wanted;
	pod_patience_begin(&job->patience, start->start_timeout_ms, loop_now_ms());
	watch_patience(job);
	return job;
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

void spark_job_free(struct spark_job *job)
{
	if (!job)
		return;
	loop_cancel(job->patience_timer);
	loop_cancel(job->log_timer);
	kube_log_stream_cancel(job->output);
	fd_cleanup(&job->log_fd);
	free_executors(job);
	pod_status_release(&job->status);
	free(job->trouble);
	free(job->namespace);
	free(job->pod);
	free(job->container);
	free(job->log_path);
	free(job->display);
	free(job);
}
