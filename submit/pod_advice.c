/* SPDX-License-Identifier: Apache-2.0 */
/* One sentence for each reason why a pod waits or failed: the setting to change. */
#include "submit/pod_advice.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_object.h"

/* Parts of a message, each with what it calls for. */
struct hint {
	const char *part, *advice;
	bool is_hopeless;
};

static const struct hint scheduling[] = {
	{ "Insufficient cpu",
	  "no node has enough CPU free; ask for less (settings.resources.cpu, or "
	  "spark.kubernetes.driver.request.cores), wait for other pods to end, or add nodes",
	  false },
	{ "Insufficient memory",
	  "no node has enough memory free; ask for less (settings.resources.memory, or "
	  "spark.driver.memory and its overhead), wait for other pods to end, or add nodes",
	  false },
	{ "Insufficient ephemeral-storage",
	  "no node has enough local storage free; ask for less, or mount a volume as "
	  "spark-local-dir-1",
	  false },
	{ "Insufficient ",
	  "no node has the device free; check settings.resources.gpu, or wait for other pods to "
	  "end",
	  false },
	{ "untolerated taint",
	  "nodes are reserved by taints that this pod does not tolerate; choose others by "
	  "spark.kubernetes.node.selector.*, or have the taint removed",
	  false },
	{ "node affinity/selector",
	  "no node has the labels that are asked for; check spark.kubernetes.node.selector.* and "
	  "spark.kubernetes.driver.node.selector.*",
	  false },
	{ "persistentvolumeclaim \"",
	  "the volume claim does not exist; create it, or change "
	  "spark.kubernetes.driver.volumes.persistentVolumeClaim.*.options.claimName",
	  false },
	{ "unbound immediate PersistentVolumeClaims",
	  "a volume claim is not bound; check its storage class "
	  "(spark.kubernetes.driver.volumes.persistentVolumeClaim.*.options.storageClass)",
	  false },
	{ "Too many pods",
	  "every node has as many pods as it may; wait for other pods to end, or add nodes",
	  false },
	{ "no nodes available", "the cluster has no node; add one", false },
	{ "",
	  "no node takes the pod; compare settings.resources and spark.kubernetes.node.selector.* "
	  "with "
	  "the nodes",
	  false },
};

/* A registry's definite answers are hopeless; a network that fails may come back. */
static const struct hint pulling[] = {
	{ "x509:",
	  "the node does not trust the registry's certificate; have it installed on the nodes",
	  false },
	{ "http: server gave HTTP response to HTTPS client",
	  "the registry speaks no TLS, and the node expects it; have the registry configured on "
	  "the "
	  "nodes",
	  true },
	{ "no match for platform",
	  "the image is not built for the node's platform; build it for that one, or choose nodes "
	  "by "
	  "spark.kubernetes.node.selector.kubernetes.io/arch",
	  true },
	{ "unauthorized",
	  "the registry refuses the node; set spark.kubernetes.container.image.pullSecrets", true },
	{ "authorization failed",
	  "the registry refuses the node, or has no such image; check "
	  "spark.kubernetes.container.image, and set "
	  "spark.kubernetes.container.image.pullSecrets",
	  true },
	{ "pull access denied",
	  "there is no such image, or the registry refuses the node; check "
	  "spark.kubernetes.container.image, and set spark.kubernetes.container.image.pullSecrets",
	  true },
	{ "403 Forbidden",
	  "the registry refuses the node; set spark.kubernetes.container.image.pullSecrets", true },
	{ "not found",
	  "the registry has no such image; check spark.kubernetes.container.image "
	  "(docker_parent_image of the step operator), and that the image was pushed",
	  true },
	{ "manifest unknown",
	  "the registry has no such tag; check spark.kubernetes.container.image "
	  "(docker_parent_image of the step operator)",
	  true },
	{ "no such host",
	  "the node cannot find the registry's host; check the image's name "
	  "(docker_parent_image)",
	  false },
	{ "",
	  "the node cannot pull the image; check spark.kubernetes.container.image "
	  "(docker_parent_image of the step operator), and that the nodes reach the registry",
	  false },
};

static const struct hint configuring[] = {
	{ "couldn't find key",
	  "a Secret or ConfigMap lacks a key; check the properties "
	  "spark.kubernetes.driver.secretKeyRef.*",
	  true },
	{ "secret \"",
	  "a Secret that the pod refers to does not exist; create it, or check "
	  "spark.kubernetes.driver.secretKeyRef.*",
	  true },
	{ "configmap \"",
	  "a ConfigMap that the pod refers to does not exist; launch the step again", true },
	{ "runAsNonRoot",
	  "the image runs as root, and the pod may not; build it with a numeric USER", true },
	{ "", "the pod's configuration refers to something that is not there", true },
};

/* The kubelet goes on trying: what is created later is mounted. */
static const struct hint mounting[] = {
	{ "secret \"", "a Secret that the pod mounts does not exist; create it", false },
	{ "configmap \"", "a ConfigMap that the pod mounts does not exist; create it", false },
	{ "", "a volume cannot be mounted; check spark.kubernetes.driver.volumes.*", false },
};

static const struct hint evicting[] = {
	{ "ephemeral-storage",
	  "the node ran out of local storage; mount a volume as spark-local-dir-1, or spread the "
	  "data "
	  "over more executors",
	  false },
	{ "memory",
	  "the node ran out of memory; ask for what the step really needs "
	  "(settings.resources.memory)",
	  false },
	{ "", "the node was short of a resource; let the step try again (retry: {on: [Evicted]})",
	  false },
};

/* Reasons whose sentence does not depend on the message. */
static const struct {
	const char *reason, *advice;
	bool is_hopeless;
} plain[] = {
	{ "InvalidImageName",
	  "the image's name is not valid; check spark.kubernetes.container.image "
	  "(docker_parent_image of the step operator)",
	  true },
	{ "ErrImageNeverPull",
	  "the image is not on the node, and may not be pulled; set "
	  "spark.kubernetes.container.image.pullPolicy to IfNotPresent",
	  true },
	{ "SchedulingGated", "a scheduling gate holds the pod back; what set it must lift it",
	  false },
	{ "DeadlineExceeded", "the pod ran longer than it may; raise the step's timeout", false },
	{ "NodeLost",
	  "the pod's node does not answer any more; let the step try again (retry: {on: "
	  "[NodeLost]})",
	  false },
	{ "ContainerStatusUnknown",
	  "the pod's node lost the container; let the step try again (retry)", false },
	{ "Shutdown", "the pod's node was shut down; let the step try again (retry)", false },
	{ "Terminated", "the pod's node was shut down; let the step try again (retry)", false },
	{ "NodeShutdown", "the pod's node was shut down; let the step try again (retry)", false },
	{ "TerminationByKubelet",
	  "the pod's node was shut down or short of a resource; let the step try again (retry)",
	  false },
	{ "DeletionByTaintManager",
	  "the pod's node became unfit and let go of it; let the step try again (retry)", false },
	{ "DeletionByPodGC", "the pod's node is gone; let the step try again (retry)", false },
	{ "EvictionByEvictionAPI", "the pod's node was drained; let the step try again (retry)",
	  false },
	{ "Preempting", "a pod of higher priority took the place; let the step try again (retry)",
	  false },
	{ "PreemptionByScheduler",
	  "a pod of higher priority took the place; let the step try again (retry)", false },
	{ "OutOfcpu",
	  "the node had no CPU left when the pod arrived; let the step try again (retry)", false },
	{ "OutOfmemory",
	  "the node had no memory left when the pod arrived; let the step try again (retry)",
	  false },
	{ "NodeAffinity",
	  "the node's labels do not match any more; check spark.kubernetes.node.selector.*",
	  false },
	{ "UnexpectedAdmissionError",
	  "the node could not give the pod its devices; let the step try again (retry)", false },
	{ "Deleted", "somebody deleted the pod; run the step again", false },
	{ "StartError",
	  "the image's command cannot be started; is it a Spark image with Spark's entrypoint "
	  "(docker_parent_image)?",
	  false },
	{ "ContainerCannotRun",
	  "the image's command cannot be started; is it a Spark image with Spark's entrypoint "
	  "(docker_parent_image)?",
	  false },
};

static const struct {
	const char *reason;
	const struct hint *hints;
} tables[] = {
	{ "Unschedulable", scheduling },
	{ "ErrImagePull", pulling },
	{ "ImagePullBackOff", pulling },
	{ "RegistryUnavailable", pulling },
	{ "CreateContainerConfigError", configuring },
	{ "FailedMount", mounting },
	{ "FailedAttachVolume", mounting },
	{ "Evicted", evicting },
};

static void set_advice(struct pod_status *status, const char *advice, bool is_hopeless)
{
	status->advice = xstrdup(advice);
	status->hopeless = is_hopeless && status->phase == POD_PENDING;
}

/* The last hint has an empty part, which every message contains. */
static void advise_by_message(const struct hint *hints, struct pod_status *status)
{
	while (!strstr(status->message ? status->message : "", hints->part))
		hints++;
	set_advice(status, hints->advice, hints->is_hopeless);
}

static const char *memory_limit(const json_t *pod)
{
	const json_t *containers = json_object_get(json_object_get(pod, "spec"), "containers");
	const json_t *resources = json_object_get(json_array_get(containers, 0), "resources");
	const char *limit =
		json_string_value(json_object_get(json_object_get(resources, "limits"), "memory"));

	return limit ? limit : "its limit";
}

/* A driver's memory is the JVM's and, as overhead, all else: Python, native libraries. */
static void advise_memory(const json_t *pod, struct pod_status *status)
{
	const char *role = kube_object_label(pod, "spark-role");

	if (role)
		status->advice = text_printf("the %s used more memory than %s; raise "
		                             "spark.%s.memoryOverhead (Python and "
		                             "native memory) or spark.%s.memory",
		                             role, memory_limit(pod), role, role);
	else
		status->advice = text_printf(
			"the container used more memory than %s; raise settings.resources.memory",
			memory_limit(pod));
}

static void advise_exit(const json_t *pod, struct pod_status *status)
{
	const char *role = kube_object_label(pod, "spark-role");

	if (status->exit_code == 137)
		status->advice =
			text_printf("the process was killed (signal 9), most often for its memory; "
		                    "raise %s%s%s, or "
		                    "look at the node",
		                    role ? "spark." : "settings.resources", role ? role : ".memory",
		                    role ? ".memoryOverhead" : "");
	else if (status->exit_code == 143)
		status->advice =
			xstrdup("the process was asked to end (signal 15): its pod was deleted "
		                "or its node drained");
	else if (status->exit_code == 127 || status->exit_code == 126)
		status->advice =
			xstrdup("the image lacks the command; is it a Spark image with Python "
		                "(docker_parent_image)?");
}

void pod_advise(const json_t *pod, struct pod_status *status)
{
	size_t i;

	if (!status->reason || status->phase == POD_SUCCEEDED)
		return;
	for (i = 0; i < ARRAY_SIZE(tables); i++)
		if (text_equal(tables[i].reason, status->reason)) {
			advise_by_message(tables[i].hints, status);
			return;
		}
	for (i = 0; i < ARRAY_SIZE(plain); i++)
		if (text_equal(plain[i].reason, status->reason)) {
			set_advice(status, plain[i].advice, plain[i].is_hopeless);
			return;
		}
	if (text_equal(status->reason, "OOMKilled"))
		advise_memory(pod, status);
	else if (status->has_exit_code)
		advise_exit(pod, status);
}
