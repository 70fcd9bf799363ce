/* SPDX-License-Identifier: Apache-2.0 */
/* spec.batchScheduler: what Volcano, YuniKorn and kube-scheduler's co-scheduling plug-in must be
 * told when driver and executors are to be placed as one. */
#include <inttypes.h>
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_object.h"
#include "submit/spark_application_load.h"

#define MINIMUM_OVERHEAD_MIB 384
#define DEFAULT_EXECUTORS 2

/* ---- what is asked for ---- */

static int64_t whole(const struct spark_conf *conf, const char *key, int64_t fallback)
{
	int64_t value = fallback;

	spark_conf_get_int(conf, key, fallback, &value, NULL);
	return value;
}

static int64_t mebibytes(const struct spark_conf *conf, const char *key, int64_t fallback)
{
	int64_t value = fallback;

	spark_conf_get_mib(conf, key, fallback, &value, NULL);
	return value;
}

/* SchedulerBackendUtils.getInitialTargetExecutorNumber. */
static int64_t initial_executors(const struct spark_conf *conf)
{
	static const char *const keys[] = { "spark.executor.instances",
		                            "spark.dynamicAllocation.initialExecutors",
		                            "spark.dynamicAllocation.minExecutors" };
	int64_t most = 0;
	bool is_dynamic = false;
	size_t i;

	spark_conf_get_bool(conf, "spark.dynamicAllocation.enabled", false, &is_dynamic, NULL);
	if (!is_dynamic)
		return whole(conf, keys[0], DEFAULT_EXECUTORS);
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		most = whole(conf, keys[i], 0) > most ? whole(conf, keys[i], 0) : most;
	return most;
}

static double overhead_factor(const struct spark_app *app, const char *role)
{
	scoped(text) char *own = text_printf("spark.%s.memoryOverheadFactor", role);
	double factor = app->resource == SPARK_RESOURCE_JAVA ? 0.1 : 0.4;

	spark_conf_get_double(app->conf, "spark.kubernetes.memoryOverheadFactor", factor, &factor,
	                      NULL);
	spark_conf_get_double(app->conf, own, factor, &factor, NULL);
	return factor;
}

/* What only executors have beside heap and overhead. */
static int64_t executor_extra_mib(const struct spark_app *app)
{
	int64_t extra = 0;
	bool is_off_heap = false;

	spark_conf_get_bool(app->conf, "spark.memory.offHeap.enabled", false, &is_off_heap, NULL);
	if (is_off_heap)
		extra += mebibytes(app->conf, "spark.memory.offHeap.size", 0);
	if (app->resource == SPARK_RESOURCE_PYTHON)
		extra += mebibytes(app->conf, "spark.executor.pyspark.memory", 0);
	return extra;
}

static int64_t memory_mib(const struct spark_app *app, const char *role)
{
	scoped(text) char *memory_key = text_printf("spark.%s.memory", role);
	scoped(text) char *overhead_key = text_printf("spark.%s.memoryOverhead", role);
	int64_t memory = mebibytes(app->conf, memory_key, 1024);
	int64_t overhead = (int64_t)(overhead_factor(app, role) * (double)memory);
	bool is_executor = text_equal(role, "executor");

	if (overhead < MINIMUM_OVERHEAD_MIB)
		overhead = MINIMUM_OVERHEAD_MIB;
	return memory + mebibytes(app->conf, overhead_key, overhead) +
	       (is_executor ? executor_extra_mib(app) : 0);
}

/* Borrowed from the properties. */
static const char *cpu_text(const struct spark_app *app, const char *role)
{
	scoped(text) char *request = text_printf("spark.kubernetes.%s.request.cores", role);
	scoped(text) char *cores = text_printf("spark.%s.cores", role);
	const char *text = spark_conf_get(app->conf, request);

	if (!text)
		text = spark_conf_get(app->conf, cores);
	return text ? text : "1";
}

static int64_t cpu_milli(const struct spark_app *app, const char *role)
{
	const char *text = cpu_text(app, role);
	double number = strtod(text, NULL);
	double milli = text_ends_with(text, "m") ? number : 1000 * number;

	return milli >= 0 && milli < 1e12 ? (int64_t)(milli + 0.5) : 0;
}

/* cpu and memory of the driver and the executors that the application begins with. */
static json_t *total_resources(const struct spark_app *app)
{
	int64_t count = initial_executors(app->conf);
	int64_t cpu = cpu_milli(app, "driver") + count * cpu_milli(app, "executor");
	int64_t mib = memory_mib(app, "driver") + count * memory_mib(app, "executor");
	scoped(text) char *cpu_quantity = text_printf("%" PRId64 "m", cpu);
	scoped(text) char *memory_quantity = text_printf("%" PRId64 "Mi", mib);

	return json_pack("{s:s, s:s}", "cpu", cpu_quantity, "memory", memory_quantity);
}

/* ---- how each scheduler is told ---- */

static const json_t *options_of(const struct application_part *part)
{
	return json_object_get(part->value, "batchSchedulerOptions");
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
static json_t *pod_group(const struct application_part *part, const char *api_version,
                         const char *name)
{
	struct spark_app *app = part->loader->app;
	json_t *group = json_pack("{s:s, s:s, s:{s:s}, s:{s:i, s:o}}", "apiVersion", api_version,
	                          "kind", "PodGroup", "metadata", "name", name, "spec", "minMember",
	                          1, "minResources", total_resources(app));

	if (!app->extra_objects)
		app->extra_objects = json_array();
	json_array_append_new(app->extra_objects, group);
	return json_object_get(group, "spec");
}

static void use_volcano(const struct application_part *part)
{
	static const char key[] = "scheduling.k8s.io/group-name";
	const char *own = json_string_value(
		json_object_get(json_object_get(part->loader->driver.value, "annotations"), key));
	const json_t *options = options_of(part);
	const json_t *resources = json_object_get(options, "resources");
	scoped(text) char *name = text_printf("spark-%s-pg", part->loader->app->name);
	json_t *group;

	if (own) /* a group of the user's */
		return;
	group = pod_group(part, "scheduling.volcano.sh/v1beta1", name);
	if (json_object_size(resources))
		json_object_set_new(group, "minResources", json_deep_copy(resources));
	if (application_text(options, "queue"))
		json_object_set(group, "queue", json_object_get(options, "queue"));
	if (application_text(options, "priorityClassName"))
		json_object_set(group, "priorityClassName",
		                json_object_get(options, "priorityClassName"));
	set_on_both(part, "spark.kubernetes.*.annotation.", key, name);
}

/* The place-holders that YuniKorn makes room with look like the pods that they stand for. */
static json_t *task_group(const struct application_part *part, const struct application_pod *pod,
                          int64_t count)
{
	static const char *const copied[] = { "tolerations", "affinity", "labels" };
	const struct spark_app *app = part->loader->app;
	scoped(text) char *name = text_printf("spark-%s", pod->role);
	scoped(text) char *memory = text_printf("%" PRId64 "Mi", memory_mib(app, pod->role));
	json_t *group =
		json_pack("{s:s, s:I, s:{s:s, s:s}}", "name", name, "minMember", (json_int_t)count,
	                  "minResource", "cpu", cpu_text(app, pod->role), "memory", memory);
	json_t *selector = json_object();
	size_t i;

	json_object_update(selector, json_object_get(part->value, "nodeSelector"));
	json_object_update(selector, json_object_get(pod->value, "nodeSelector"));
	if (json_object_size(selector))
		json_object_set(group, "nodeSelector", selector);
	json_decref(selector);
	for (i = 0; i < ARRAY_SIZE(copied); i++)
		if (json_object_get(pod->value, copied[i]))
			json_object_set(group, copied[i], json_object_get(pod->value, copied[i]));
	return group;
}

static void use_yunikorn(const struct application_part *part)
{
	static const char name_key[] = "yunikorn.apache.org/task-group-name";
	struct application_loader *loader = part->loader;
	const char *queue = application_text(options_of(part), "queue");
	int64_t count = initial_executors(loader->app->conf);
	json_auto_t *groups = json_array();
	char *text;

	json_array_append_new(groups, task_group(part, &loader->driver, 1));
	if (count > 0)
		json_array_append_new(groups, task_group(part, &loader->executor, count));
	text = json_dumps(groups, JSON_COMPACT);
	application_set(part, "spark.kubernetes.driver.annotation.",
	                "yunikorn.apache.org/task-groups", text);
	free(text);
	application_set(part, "spark.kubernetes.driver.annotation.", name_key, "spark-driver");
	application_set(part, "spark.kubernetes.executor.annotation.", name_key, "spark-executor");
	if (queue)
		set_on_both(part, "spark.kubernetes.*.label.", "queue", queue);
}

/* The co-scheduling plug-in of kubernetes-sigs/scheduler-plugins. */
static void use_kube_scheduler(const struct application_part *part)
{
	scoped(text) char *plain = text_printf("%s-pg", part->loader->app->name);
	scoped(text) char *name = kube_object_label_value(plain);

	pod_group(part, "scheduling.x-k8s.io/v1alpha1", name);
	set_on_both(part, "spark.kubernetes.*.label.", "scheduling.x-k8s.io/pod-group", name);
}

static const struct scheduler {
	const char *name; /* NULL: any other, a kube-scheduler */
	void (*use)(const struct application_part *part);
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
	const char *name = json_string_value(scheduler);

	(void)field;
	if (!*name)
		return;
	set_on_both(part, "spark.kubernetes.*.scheduler.name", "", name);
	find_scheduler(name)->use(part);
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
