/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a Pod's status: which container counts, what it waits for, how it ended. */
#include "submit/pod_status.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_object.h"
#include "submit/pod_advice.h"

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text && *text ? text : NULL;
}

const char *pod_phase_name(enum pod_phase phase)
{
	static const char *const names[] = {
		[POD_PENDING] = "pending",
		[POD_RUNNING] = "running",
		[POD_SUCCEEDED] = "succeeded",
		[POD_FAILED] = "failed",
	};

	return names[phase];
}

void pod_status_release(struct pod_status *status)
{
	free(status->reason);
	free(status->message);
	free(status->advice);
	free(status->termination_message);
	free(status->node);
	*status = (struct pod_status){ 0 };
}

/* The status of the container that counts; NULL before the kubelet has seen it. */
static const json_t *container_status(const json_t *pod, const char *container)
{
	const json_t *statuses =
		json_object_get(json_object_get(pod, "status"), "containerStatuses");
	const json_t *containers = json_object_get(json_object_get(pod, "spec"), "containers");
	const json_t *one;
	size_t i;

	if (!container)
		container = text_of(json_array_get(containers, 0), "name");
	json_array_foreach (statuses, i, one)
		if (!container || text_equal(text_of(one, "name"), container))
			return one;
	return NULL;
}

static const json_t *state_of(const json_t *container, const char *state)
{
	return json_object_get(json_object_get(container, "state"), state);
}

/* The first init container that waits for more than its turn. */
static const json_t *waiting_init_container(const json_t *pod)
{
	const json_t *statuses =
		json_object_get(json_object_get(pod, "status"), "initContainerStatuses");
	const json_t *one;
	size_t i;

	json_array_foreach (statuses, i, one) {
		const char *reason = text_of(state_of(one, "waiting"), "reason");

		if (reason && strcmp(reason, "PodInitializing"))
			return one;
	}
	return NULL;
}

/* Whether the kubelet leaves an ended container as it is. */
static bool is_final(const json_t *pod, const char *phase, int exit_code)
{
	const char *policy = text_of(json_object_get(pod, "spec"), "restartPolicy");

	return text_equal(phase, "Succeeded") || text_equal(phase, "Failed") ||
	       text_equal(policy, "Never") || (text_equal(policy, "OnFailure") && exit_code == 0);
}

static void set_reason(struct pod_status *status, const char *reason, const char *message)
{
	free(status->reason);
	free(status->message);
	status->reason = text_copy(reason);
	status->message = text_copy(message);
}

/* The runtime could not even start it: the text is Kubernetes' own, not the program's. */
static bool is_start_error(const char *reason)
{
	return text_equal(reason, "StartError") || text_equal(reason, "ContainerCannotRun");
}

static void read_exit(const json_t *terminated, struct pod_status *status)
{
	const char *reason = text_of(terminated, "reason");
	const char *message = text_of(terminated, "message");

	status->has_exit_code = true;
	status->exit_code = (int)json_integer_value(json_object_get(terminated, "exitCode"));
	if (!is_start_error(reason))
		status->termination_message = text_copy(message);
	if (status->exit_code)
		set_reason(status, reason ? reason : "Error",
		           is_start_error(reason) ? message : NULL);
}

/* Why the pod as a whole was ended: it outweighs how the container fell with it. */
static bool read_pod_reason(const json_t *pod, struct pod_status *status)
{
	const json_t *overall = json_object_get(pod, "status");
	const json_t *disruption = kube_object_condition(pod, "DisruptionTarget");

	if (text_of(overall, "reason")) {
		set_reason(status, text_of(overall, "reason"), text_of(overall, "message"));
		return true;
	}
	if (text_equal(text_of(disruption, "status"), "True")) {
		set_reason(status, text_of(disruption, "reason"), text_of(disruption, "message"));
		return true;
	}
	return false;
}

static void read_waiting(const json_t *pod, const json_t *container, struct pod_status *status)
{
	const json_t *scheduled = kube_object_condition(pod, "PodScheduled");
	const json_t *init = waiting_init_container(pod);
	const json_t *waiting = state_of(init ? init : container, "waiting");

	if (waiting)
		set_reason(status, text_of(waiting, "reason"), text_of(waiting, "message"));
	else if (text_equal(text_of(scheduled, "status"), "False"))
		set_reason(status, text_of(scheduled, "reason"), text_of(scheduled, "message"));
}

static void read_failure(const json_t *pod, const json_t *terminated, struct pod_status *status)
{
	status->phase = POD_FAILED;
	if (terminated)
		read_exit(terminated, status);
	if (!read_pod_reason(pod, status) && !status->reason)
		set_reason(status, "Failed",
		           "the pod failed, and Kubernetes says nothing about its containers");
}

static void read_open(const json_t *pod, const json_t *container, const char *phase,
                      struct pod_status *status)
{
	const json_t *overall = json_object_get(pod, "status");
	bool is_lost =
		text_equal(phase, "Unknown") || text_equal(text_of(overall, "reason"), "NodeLost");

	status->phase = state_of(container, "running") || (is_lost && container) ? POD_RUNNING
	                                                                         : POD_PENDING;
	if (is_lost)
		set_reason(status, "NodeLost", text_of(overall, "message"));
	else if (kube_object_is_terminating(pod))
		set_reason(status, "Terminating", "the pod is being deleted");
	else if (status->phase == POD_PENDING)
		read_waiting(pod, container, status);
}

static void read_phase(const json_t *pod, const char *container_name, struct pod_status *status)
{
	const json_t *overall = json_object_get(pod, "status");
	const char *phase = text_of(overall, "phase");
	const json_t *container = container_status(pod, container_name);
	const json_t *terminated = state_of(container, "terminated");
	int exit_code = (int)json_integer_value(json_object_get(terminated, "exitCode"));
	bool has_ended = terminated && is_final(pod, phase, exit_code);
	/* One that handles SIGTERM ends well even when it was evicted. */
	bool was_stopped = text_equal(phase, "Failed") && text_of(overall, "reason");

	if (text_equal(phase, "Succeeded") || (has_ended && exit_code == 0 && !was_stopped)) {
		status->phase = POD_SUCCEEDED;
		if (terminated)
			read_exit(terminated, status);
	} else if (text_equal(phase, "Failed") || has_ended) {
		read_failure(pod, terminated, status);
	} else {
		read_open(pod, container, phase, status);
	}
}

void pod_status_read(const json_t *pod, const char *container, struct pod_status *status)
{
	*status = (struct pod_status){ 0 };
	status->node = text_copy(text_of(json_object_get(pod, "spec"), "nodeName"));
	read_phase(pod, container, status);
	pod_advise(pod, status);
}

void pod_status_read_deleted(const json_t *pod, const char *container, struct pod_status *status)
{
	pod_status_read(pod, container, status);
	if (status->phase == POD_SUCCEEDED || status->phase == POD_FAILED)
		return;
	status->phase = POD_FAILED;
	status->hopeless = false;
	if (!text_equal(status->reason, "NodeLost") && !read_pod_reason(pod, status))
		set_reason(status, "Deleted", "the pod was deleted before it had ended");
	free(take(status->advice));
	pod_advise(pod, status);
}

/* Old and new events have their times in different fields; all are RFC 3339, so text compares. */
static const char *event_time(const json_t *event)
{
	static const char *const fields[] = { "lastTimestamp", "eventTime", "firstTimestamp" };
	const char *time = text_of(json_object_get(event, "series"), "lastObservedTime");
	size_t i;

	for (i = 0; !time && i < ARRAY_SIZE(fields); i++)
		time = text_of(event, fields[i]);
	return time ? time : "";
}

void pod_status_add_events(struct pod_status *status, const json_t *events)
{
	const json_t *event, *newest = NULL;
	size_t i;

	json_array_foreach (events, i, event)
		if (text_equal(text_of(event, "type"), "Warning") && text_of(event, "reason") &&
		    (!newest || strcmp(event_time(event), event_time(newest)) >= 0))
			newest = event;
	if (!newest)
		return;
	set_reason(status, text_of(newest, "reason"), text_of(newest, "message"));
	free(take(status->advice));
	pod_advise(NULL, status);
}
