/* SPDX-License-Identifier: Apache-2.0 */
/* submit/pod_status: what a Pod's status means. Documents as the API server gives them. */
#include "tests/test.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/pod_status.h"

/* Quotes are written ' here. */
static json_t *parse(const char *text)
{
	scoped(text) char *json = xstrdup(text);
	json_error_t error;
	json_t *value;
	char *at;

	for (at = json; (at = strchr(at, '\''));)
		*at = '"';
	value = json_loads(json, 0, &error);
	if (!value)
		fail_msg("%s in %s", error.text, json);
	return value;
}

/* A driver pod with this status. */
static json_t *driver(const char *status)
{
	json_t *pod = parse("{'kind': 'Pod', 'metadata': {'name': 'd', 'labels': {'spark-role': "
	                    "'driver'}}, 'spec': {'restartPolicy': 'Never', 'nodeName': 'n1', "
	                    "'containers': [{'name': 'spark-kubernetes-driver', 'resources': "
	                    "{'limits': {'memory': '1433Mi'}}}, {'name': 'sidecar'}]}}");

	json_object_set_new(pod, "status", parse(status));
	return pod;
}

#define STATE(phase, state)                                                                      \
	"{'phase': '" phase "', 'containerStatuses': [{'name': 'sidecar', 'state': {'running': " \
	"{}}}, {'name': 'spark-kubernetes-driver', 'state': " state "}]}"
#define WAITING(reason, message) \
	STATE("Pending", "{'waiting': {'reason': '" reason "', 'message': '" message "'}}")
#define TERMINATED(phase, code, reason) \
	STATE(phase, "{'terminated': {'exitCode': " code ", 'reason': '" reason "'}}")
#define UNSCHEDULABLE(message)                                                             \
	"{'phase': 'Pending', 'conditions': [{'type': 'PodScheduled', 'status': 'False', " \
	"'reason': 'Unschedulable', 'message': '0/1 nodes are available: " message "'}]}"

static const struct {
	const char *status;
	enum pod_phase phase;
	const char *reason, *advice; /* NULL: none; a part of the advice */
	int exit_code;               /* -1: none */
	bool hopeless;
} cases[] = {
	{ "{}", POD_PENDING, NULL, NULL, -1, false },
	{ "{'phase': 'Pending'}", POD_PENDING, NULL, NULL, -1, false },
	{ UNSCHEDULABLE("1 Insufficient cpu."), POD_PENDING, "Unschedulable",
	  "spark.kubernetes.driver.request.cores", -1, false },
	{ UNSCHEDULABLE("1 Insufficient memory."), POD_PENDING, "Unschedulable",
	  "spark.driver.memory", -1, false },
	{ UNSCHEDULABLE("1 Insufficient nvidia.com/gpu."), POD_PENDING, "Unschedulable",
	  "settings.resources.gpu", -1, false },
	{ UNSCHEDULABLE("1 node(s) had untolerated taint {a: b}."), POD_PENDING, "Unschedulable",
	  "taints", -1, false },
	{ UNSCHEDULABLE("1 node(s) didn\\u0027t match Pod\\u0027s node affinity/selector."),
	  POD_PENDING, "Unschedulable", "spark.kubernetes.node.selector", -1, false },
	{ UNSCHEDULABLE("something new"), POD_PENDING, "Unschedulable", "no node takes the pod", -1,
	  false },
	{ WAITING("ContainerCreating", ""), POD_PENDING, "ContainerCreating", NULL, -1, false },
	{ WAITING("ErrImagePull", "failed to resolve reference: r/i:t: not found"), POD_PENDING,
	  "ErrImagePull", "docker_parent_image", -1, true },
	{ WAITING("ErrImagePull", "dial tcp 10.0.0.1:443: i/o timeout"), POD_PENDING,
	  "ErrImagePull", "reach the registry", -1, false },
	{ WAITING("ImagePullBackOff",
	          "Back-off pulling image: ErrImagePull: pull access denied, repository does not "
	          "exist or may require authorization"),
	  POD_PENDING, "ImagePullBackOff", "pullSecrets", -1, true },
	{ WAITING("InvalidImageName", "couldn\\u0027t parse image name"), POD_PENDING,
	  "InvalidImageName", "docker_parent_image", -1, true },
	{ WAITING("ErrImageNeverPull", ""), POD_PENDING, "ErrImageNeverPull", "pullPolicy", -1,
	  true },
	{ WAITING("CreateContainerConfigError", "secret \\'s\\' not found"), POD_PENDING,
	  "CreateContainerConfigError", "secretKeyRef", -1, true },
	{ WAITING("CreateContainerConfigError", "configmap \\'c\\' not found"), POD_PENDING,
	  "CreateContainerConfigError", "ConfigMap", -1, true },
	{ "{'phase': 'Pending', 'initContainerStatuses': [{'name': 'i', 'state': {'waiting': "
	  "{'reason': 'ErrImagePull', 'message': 'x: not found'}}}], 'containerStatuses': "
	  "[{'name': "
	  "'spark-kubernetes-driver', 'state': {'waiting': {'reason': 'PodInitializing'}}}]}",
	  POD_PENDING, "ErrImagePull", "docker_parent_image", -1, true },
	{ STATE("Running", "{'running': {}}"), POD_RUNNING, NULL, NULL, -1, false },
	{ TERMINATED("Succeeded", "0", "Completed"), POD_SUCCEEDED, NULL, NULL, 0, false },
	{ "{'phase': 'Succeeded'}", POD_SUCCEEDED, NULL, NULL, -1, false },
	{ TERMINATED("Running", "0", "Completed"), POD_SUCCEEDED, NULL, NULL, 0, false },
	{ TERMINATED("Running", "1", "Error"), POD_FAILED, "Error", NULL, 1, false },
	{ TERMINATED("Failed", "1", "Error"), POD_FAILED, "Error", NULL, 1, false },
	{ TERMINATED("Failed", "137", "OOMKilled"), POD_FAILED, "OOMKilled",
	  "more memory than 1433Mi; raise spark.driver.memoryOverhead", 137, false },
	{ TERMINATED("Failed", "137", "Error"), POD_FAILED, "Error", "spark.driver.memoryOverhead",
	  137, false },
	{ TERMINATED("Failed", "143", "Error"), POD_FAILED, "Error", "signal 15", 143, false },
	{ TERMINATED("Failed", "127", "Error"), POD_FAILED, "Error", "lacks the command", 127,
	  false },
	{ "{'phase': 'Failed'}", POD_FAILED, "Failed", NULL, -1, false },
	{ "{'phase': 'Failed', 'reason': 'Evicted', 'message': 'The node was low on resource: "
	  "ephemeral-storage.'}",
	  POD_FAILED, "Evicted", "spark-local-dir-1", -1, false },
	{ "{'phase': 'Failed', 'reason': 'Evicted', 'message': 'x', 'containerStatuses': [{'name': "
	  "'spark-kubernetes-driver', 'state': {'terminated': {'exitCode': 0}}}]}",
	  POD_FAILED, "Evicted", "retry", 0, false },
	{ "{'phase': 'Failed', 'reason': 'DeadlineExceeded', 'message': 'Pod was active on the "
	  "node "
	  "longer than the specified deadline'}",
	  POD_FAILED, "DeadlineExceeded", "timeout", -1, false },
	{ "{'phase': 'Failed', 'conditions': [{'type': 'DisruptionTarget', 'status': 'True', "
	  "'reason': 'DeletionByTaintManager', 'message': 'm'}]}",
	  POD_FAILED, "DeletionByTaintManager", "retry", -1, false },
	{ "{'phase': 'Running', 'reason': 'NodeLost', 'containerStatuses': [{'name': "
	  "'spark-kubernetes-driver', 'state': {'running': {}}}]}",
	  POD_RUNNING, "NodeLost", "node does not answer", -1, false },
	{ STATE("Unknown", "{'running': {}}"), POD_RUNNING, "NodeLost", "node does not answer", -1,
	  false },
	{ TERMINATED("Failed", "128", "StartError"), POD_FAILED, "StartError", "entrypoint", 128,
	  false },
};

static void test_pod_status_read__tells_every_state_apart(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *pod = driver(cases[i].status);
		struct pod_status status;

		pod_status_read(pod, NULL, &status);
		if (status.phase != cases[i].phase || !text_equal(status.reason, cases[i].reason) ||
		    status.hopeless != cases[i].hopeless ||
		    (status.has_exit_code ? status.exit_code : -1) != cases[i].exit_code)
			fail_msg("%s is read as %s, %s, exit code %d, hopeless %d", cases[i].status,
			         pod_phase_name(status.phase), status.reason, status.exit_code,
			         status.hopeless);
		if (!status.advice != !cases[i].advice ||
		    (status.advice && !strstr(status.advice, cases[i].advice)))
			fail_msg("%s gives the advice '%s'", cases[i].status, status.advice);
		pod_status_release(&status);
	}
}

static void test_pod_status_read__keeps_the_words_of_kubernetes_and_of_the_program(void **state)
{
	json_auto_t *waiting = driver(UNSCHEDULABLE("1 Insufficient cpu."));
	json_auto_t *failed = driver(
		"{'phase': 'Failed', 'containerStatuses': [{'name': 'spark-kubernetes-driver', "
		"'state': {'terminated': {'exitCode': 1, 'reason': 'Error', 'message': "
		"'{}'}}}]}");
	json_auto_t *unstarted = driver(
		"{'phase': 'Failed', 'containerStatuses': [{'name': 'spark-kubernetes-driver', "
		"'state': {'terminated': {'exitCode': 128, 'reason': 'StartError', 'message': "
		"'exec: no such file'}}}]}");
	struct pod_status status;

	(void)state;
	pod_status_read(waiting, NULL, &status);
	assert_string_equal(status.message, "0/1 nodes are available: 1 Insufficient cpu.");
	assert_string_equal(status.node, "n1");
	pod_status_release(&status);

	pod_status_read(failed, NULL, &status);
	assert_string_equal(status.termination_message, "{}");
	assert_null(status.message);
	pod_status_release(&status);

	pod_status_read(unstarted, NULL, &status);
	assert_null(status.termination_message);
	assert_string_equal(status.message, "exec: no such file");
	pod_status_release(&status);
}

static void test_pod_status_read__follows_the_named_container(void **state)
{
	json_auto_t *pod = driver(TERMINATED("Running", "3", "Error"));
	struct pod_status status;

	(void)state;
	pod_status_read(pod, "sidecar", &status);
	assert_int_equal(status.phase, POD_RUNNING);
	pod_status_release(&status);

	pod_status_read(pod, "spark-kubernetes-driver", &status);
	assert_int_equal(status.phase, POD_FAILED);
	pod_status_release(&status);
}

static void test_pod_status_read__waits_for_a_container_that_is_started_again(void **state)
{
	json_auto_t *pod = driver(TERMINATED("Running", "1", "Error"));
	struct pod_status status;

	(void)state;
	json_object_set_new(json_object_get(pod, "spec"), "restartPolicy",
	                    json_string("OnFailure"));
	pod_status_read(pod, NULL, &status);

	assert_int_equal(status.phase, POD_PENDING);
	pod_status_release(&status);
}

static void test_pod_status_read__names_the_executor_that_ran_out_of_memory(void **state)
{
	json_auto_t *pod = driver(TERMINATED("Failed", "137", "OOMKilled"));
	struct pod_status status;

	(void)state;
	json_object_set_new(json_object_get(json_object_get(pod, "metadata"), "labels"),
	                    "spark-role", json_string("executor"));
	pod_status_read(pod, NULL, &status);

	assert_non_null(strstr(status.advice, "spark.executor.memoryOverhead"));
	pod_status_release(&status);
}

static void test_pod_status_read__says_that_a_pod_is_being_deleted(void **state)
{
	json_auto_t *pod = driver(STATE("Running", "{'running': {}}"));
	struct pod_status status;

	(void)state;
	json_object_set_new(json_object_get(pod, "metadata"), "deletionTimestamp",
	                    json_string("2026-11-21T09:00:00Z"));
	pod_status_read(pod, NULL, &status);

	assert_int_equal(status.phase, POD_RUNNING);
	assert_string_equal(status.reason, "Terminating");
	pod_status_release(&status);
}

static void test_pod_status_read_deleted__decides_what_was_still_open(void **state)
{
	static const struct {
		const char *status, *reason;
		enum pod_phase phase;
	} last[] = {
		{ STATE("Running", "{'running': {}}"), "Deleted", POD_FAILED },
		{ WAITING("ErrImagePull", "not found"), "Deleted", POD_FAILED },
		{ TERMINATED("Succeeded", "0", "Completed"), NULL, POD_SUCCEEDED },
		{ TERMINATED("Failed", "1", "Error"), "Error", POD_FAILED },
		{ "{'phase': 'Running', 'reason': 'NodeLost'}", "NodeLost", POD_FAILED },
		{ "{'phase': 'Running', 'conditions': [{'type': 'DisruptionTarget', 'status': "
		  "'True', 'reason': 'EvictionByEvictionAPI'}]}",
		  "EvictionByEvictionAPI", POD_FAILED },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(last); i++) {
		json_auto_t *pod = driver(last[i].status);
		struct pod_status status;

		pod_status_read_deleted(pod, NULL, &status);
		assert_int_equal(status.phase, last[i].phase);
		assert_true(text_equal(status.reason, last[i].reason));
		assert_int_equal(status.advice != NULL,
		                 status.reason && strcmp(status.reason, "Error"));
		assert_false(status.hopeless);
		pod_status_release(&status);
	}
}

static void test_pod_status_add_events__takes_the_newest_warning(void **state)
{
	static const char *const mounts =
		"[{'type': 'Warning', 'reason': 'FailedMount', 'lastTimestamp': "
		"'2026-01-01T00:00:09Z', 'message': 'configmap \\'c\\' not found'}, "
		"{'type': 'Normal', 'reason': 'Pulled', 'lastTimestamp': '2026-01-01T00:00:10Z'}, "
		"{'type': 'Warning', 'reason': 'FailedScheduling', 'eventTime': "
		"'2026-01-01T00:00:01Z'}]";
	json_auto_t *pod = driver(WAITING("ContainerCreating", ""));
	json_auto_t *events = parse(mounts);
	json_auto_t *quiet = parse("[{'type': 'Normal', 'reason': 'Pulled'}]");
	struct pod_status status;

	(void)state;
	pod_status_read(pod, NULL, &status);
	pod_status_add_events(&status, quiet);
	pod_status_add_events(&status, NULL);
	assert_true(!status.reason || !strcmp(status.reason, "ContainerCreating"));
	pod_status_add_events(&status, events);

	assert_string_equal(status.reason, "FailedMount");
	assert_string_equal(status.message, "configmap \"c\" not found");
	assert_non_null(strstr(status.advice, "a ConfigMap that the pod mounts does not exist"));
	pod_status_release(&status);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pod_status_read__tells_every_state_apart),
		cmocka_unit_test(
			test_pod_status_read__keeps_the_words_of_kubernetes_and_of_the_program),
		cmocka_unit_test(test_pod_status_read__follows_the_named_container),
		cmocka_unit_test(test_pod_status_read__waits_for_a_container_that_is_started_again),
		cmocka_unit_test(test_pod_status_read__names_the_executor_that_ran_out_of_memory),
		cmocka_unit_test(test_pod_status_read__says_that_a_pod_is_being_deleted),
		cmocka_unit_test(test_pod_status_read_deleted__decides_what_was_still_open),
		cmocka_unit_test(test_pod_status_add_events__takes_the_newest_warning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
