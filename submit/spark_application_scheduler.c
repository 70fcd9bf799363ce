/* SPDX-License-Identifier: Apache-2.0 */
/* spec.batchScheduler: what Volcano, YuniKorn and kube-scheduler's co-scheduling plug-in must be
 * told when driver and executors are to be placed as one. */
#include <inttypes.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_object.h"
#include "submit/spark_application_load.h"
#include "submit/spark_demand.h"
#include "submit/spark_memory.h"

/* What the scheduler is asked for. */
struct request {
	const struct application_part *part; /* the spec */
	struct spark_memory driver, executor;
	int64_t executors; /* that the application begins with */
};

/* ---- what is asked for ---- */

/* cpu and memory of the driver and the executors that the application begins with. */
static json_t *total_resources(const struct request *request)
{
	const struct spark_app *app = request->part->loader->app;
	int64_t count = request->executors;
	int64_t cpu = spark_demand_cpu_milli(app, "driver") +
	              count * spark_demand_cpu_milli(app, "executor");
	int64_t mib = request->driver.total_mib + count * request->executor.total_mib;
	scoped(text) char *cpu_quantity = text_printf("%" PRId64 "m", cpu);
	scoped(text) char *memory_quantity = text_printf("%" PRId64 "Mi", mib);

	return json_pack("{s:s, s:s}", "cpu", cpu_quantity, "memory", memory_quantity);
}

/* ---- how each scheduler is told ---- */

static const json_t *options_of(const struct request *request)
{
	return json_object_get(request->part->value, "batchSchedulerOptions");
}

static void set_on_both(const struct application_part *part, const char *pattern, const char *rest,
                        const char *value)
{
	struct application_loader *loader = part->loader;
	struct application_pod *const pods[] = { &loader->driver, &loader->executor };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(pods); i++) {
		struct application_part role = *part;

		role.pod = pods[i];
		application_set(&role, pattern, rest, value);
	}
}

/* Driver and executors wait until one of them, and resources for all, have a place. */
static json_t *pod_group(const struct request *request, const char *api_version, const char *name)
{
	struct spark_app *app = request->part->loader->app;
	json_t *group = json_pack("{s:s, s:s, s:{s:s}, s:{s:i, s:o}}", "apiVersion", api_version,
	                          "kind", "PodGroup", "metadata", "name", name, "spec", "minMember",
	                          1, "minResources", total_resources(request));

	if (!app->extra_objects)
		app->extra_objects = json_array();
	json_array_append_new(app->extra_objects, group);
	return json_object_get(group, "spec");
}

static void use_volcano(const struct request *request)
{
	const struct application_part *part = request->part;
	static const char key[] = "scheduling.k8s.io/group-name";
	const char *own = json_string_value(
		json_object_get(json_object_get(part->loader->driver.value, "annotations"), key));
	const json_t *options = options_of(request);
	const json_t *resources = json_object_get(options, "resources");
	scoped(text) char *name = text_printf("spark-%s-pg", part->loader->app->name);
	json_t *group;

	if (own) /* a group of the user's */
		return;
	group = pod_group(request, "scheduling.volcano.sh/v1beta1", name);
	if (json_object_size(resources))
		json_object_set_new(group, "minResources", json_deep_copy(resources));
	if (application_text(options, "queue"))
		json_object_set(group, "queue", json_object_get(options, "queue"));
	if (application_text(options, "priorityClassName"))
		json_object_set(group, "priorityClassName",
		                json_object_get(options, "priorityClassName"));
	set_on_both(part, "spark.kubernetes.*.annotation.", key, name);
}

/* Those of the role's own that there are, and the queue with them. */
static void copy_labels(const struct request *request, const json_t *labels, json_t *group)
{
	const char *queue = application_text(options_of(request), "queue");
	json_t *copy = json_copy((json_t *)labels);

	if (queue)
		json_object_set_new(copy, "queue", json_string(queue));
	json_object_set_new(group, "labels", copy);
}

/* The place-holders that YuniKorn makes room with look like the pods that they stand for. */
static json_t *task_group(const struct request *request, const struct application_pod *pod,
                          const struct spark_memory *size, int64_t count)
{
	static const char *const copied[] = { "tolerations", "affinity" };
	const json_t *labels = json_object_get(pod->value, "labels");
	scoped(text) char *name = text_printf("spark-%s", pod->role);
	scoped(text) char *memory = text_printf("%" PRId64 "Mi", size->total_mib);
	json_auto_t *selector = json_object();
	json_t *group = json_pack("{s:s, s:I, s:{s:s, s:s}}", "name", name, "minMember",
	                          (json_int_t)count, "minResource", "cpu",
	                          spark_demand_cpu(request->part->loader->app, pod->role), "memory",
	                          memory);
	size_t i;

	json_object_update(selector, json_object_get(request->part->value, "nodeSelector"));
	json_object_update(selector, json_object_get(pod->value, "nodeSelector"));
	if (json_object_size(selector))
		json_object_set(group, "nodeSelector", selector);
	for (i = 0; i < ARRAY_SIZE(copied); i++)
		if (json_object_get(pod->value, copied[i]))
			json_object_set(group, copied[i], json_object_get(pod->value, copied[i]));
	if (labels)
		copy_labels(request, labels, group);
	return group;
}

/* A group without members is not valid. */
static char *task_groups(const struct request *request)
{
	const struct application_loader *loader = request->part->loader;
	json_auto_t *groups = json_array();

	json_array_append_new(groups, task_group(request, &loader->driver, &request->driver, 1));
	if (request->executors > 0)
		json_array_append_new(groups, task_group(request, &loader->executor,
		                                         &request->executor, request->executors));
	return json_dumps(groups, JSON_COMPACT);
}

static void use_yunikorn(const struct request *request)
{
	const struct application_part *part = request->part;
	const char *queue = application_text(options_of(request), "queue");
	scoped(text) char *groups = task_groups(request);

	application_set(part, "spark.kubernetes.driver.annotation.",
	                "yunikorn.apache.org/task-groups", groups);
	application_set(part, "spark.kubernetes.driver.annotation.",
	                "yunikorn.apache.org/task-group-name", "spark-driver");
	application_set(part, "spark.kubernetes.executor.annotation.",
	                "yunikorn.apache.org/task-group-name", "spark-executor");
	if (queue)
		set_on_both(part, "spark.kubernetes.*.label.", "queue", queue);
}

/* The co-scheduling plug-in of kubernetes-sigs/scheduler-plugins. */
static void use_kube_scheduler(const struct request *request)
{
	const struct application_part *part = request->part;
	scoped(text) char *plain = text_printf("%s-pg", part->loader->app->name);
	scoped(text) char *name = kube_object_label_value(plain);

	pod_group(request, "scheduling.x-k8s.io/v1alpha1", name);
	set_on_both(part, "spark.kubernetes.*.label.", "scheduling.x-k8s.io/pod-group", name);
}

static const struct scheduler {
	const char *name; /* NULL: any other, a kube-scheduler */
	void (*use)(const struct request *request);
	const char *options[4]; /* that it reads */
} schedulers[] = {
	{ "volcano", use_volcano, { "queue", "priorityClassName", "resources" } },
	{ "yunikorn", use_yunikorn, { "queue" } },
	{ NULL, use_kube_scheduler, { NULL } },
};

static const struct scheduler *find_scheduler(const char *name)
{
	const struct scheduler *scheduler = schedulers;

	while (scheduler->name && !text_equal(scheduler->name, name))
		scheduler++;
	return scheduler;
}

void application_read_scheduler(const struct application_part *part, const char *field,
                                const json_t *scheduler)
{
	const struct spark_app *app = part->loader->app;
	struct request request = { .part = part, .executors = spark_demand_executors(app->conf) };
	const char *name = json_string_value(scheduler);
	scoped(error) struct error *err = NULL;
	scoped(text) char *why = NULL;

	if (!*name)
		return;
	if (!spark_memory_of_driver(app, &request.driver, &err) ||
	    !spark_memory_of_executor(app, &request.executor, &err)) {
		why = error_text(err);
		application_fault(part, field, "it is told how much memory is needed: %s", why);
		return;
	}
	set_on_both(part, "spark.kubernetes.*.scheduler.name", "", name);
	find_scheduler(name)->use(&request);
}

static bool is_read_by(const struct scheduler *scheduler, const char *option)
{
	size_t i;

	for (i = 0; scheduler->options[i]; i++)
		if (text_equal(scheduler->options[i], option))
			return true;
	return false;
}

void application_read_scheduler_options(const struct application_part *part, const char *field,
                                        const json_t *options)
{
	const char *name = application_text(part->value, "batchScheduler");
	const struct application_part within = { .loader = part->loader,
		                                 .path = "spec.batchSchedulerOptions",
		                                 .value = options };
	const char *option;
	json_t *value;

	if (!name && json_object_size(options))
		application_warn(part, field, "means nothing without spec.batchScheduler");
	json_object_foreach ((json_t *)options, option, value)
		if (name && !is_read_by(find_scheduler(name), option))
			application_warn(&within, option, "the scheduler '%s' does not read it",
			                 name);
}
