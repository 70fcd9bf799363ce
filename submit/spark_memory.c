/* SPDX-License-Identifier: Apache-2.0 */
/* How much memory a pod asks for, and why: Spark's arithmetic, term by term. */
#include "submit/spark_memory.h"

#include <inttypes.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/spark_release.h"

#define DEFAULT_HEAP_MIB 1024
#define MINIMUM_OVERHEAD_MIB 384
#define JVM_FACTOR 0.1
#define OTHER_FACTOR 0.4 /* Python and R */
#define COMMON_FACTOR "spark.kubernetes.memoryOverheadFactor"
#define BYTES_PER_MIB (1024 * 1024)

static const struct role {
	const char *pod, *heap, *overhead, *factor, *minimum;
} driver = { "driver", "spark.driver.memory", "spark.driver.memoryOverhead",
	     "spark.driver.memoryOverheadFactor", "spark.driver.minMemoryOverhead" },
  executor = { "executor", "spark.executor.memory", "spark.executor.memoryOverhead",
	       "spark.executor.memoryOverheadFactor", "spark.executor.minMemoryOverhead" };

/* The driver reads them again, and its Spark must know their units. */
static bool check_unit(const struct spark_app *app, const char *property, struct error **err)
{
	if (!spark_conf_has_binary_unit(app->conf, property) ||
	    spark_release_has(app->spark_version, SPARK_BINARY_UNITS))
		return true;
	return error_set(err, ERROR_INVALID,
	                 "%s: Spark %s does not know the unit of '%s', which 4.2 was the first to "
	                 "read; write it as in '512m' or '4g'",
	                 property, app->spark_version, spark_conf_get(app->conf, property));
}

static bool read_term(const struct spark_app *app, const char *property, int64_t default_mib,
                      struct spark_memory_term *term, struct error **err)
{
	term->property = property;
	term->is_set = spark_conf_get(app->conf, property) != NULL;
	return check_unit(app, property, err) &&
	       spark_conf_get_mib(app->conf, property, default_mib, &term->mib, err);
}

static bool read_heap(const struct spark_app *app, const struct role *role,
                      struct spark_memory *memory, struct error **err)
{
	if (!read_term(app, role->heap, DEFAULT_HEAP_MIB, &memory->heap, err))
		return false;
	if (memory->heap.mib < 1)
		return error_set(err, ERROR_INVALID, "%s must be at least 1m", role->heap);
	return true;
}

/*
 * The factor that executors inherit is not the driver's own: spark.driver.memoryOverheadFactor
 * counts for it only (BasicDriverFeatureStep.defaultOverheadFactor). The common one may be 0.
 */
static bool read_factor(const struct spark_conf *conf, const struct role *role,
                        struct spark_memory *memory, struct error **err)
{
	double standard = memory->is_jvm ? JVM_FACTOR : OTHER_FACTOR;
	bool has_own = spark_conf_get(conf, role->factor);

	if (!spark_conf_get_double(conf, COMMON_FACTOR, standard, &memory->inherited_factor, err) ||
	    !spark_conf_get_double(conf, role->factor, memory->inherited_factor, &memory->factor,
	                           err))
		return false;
	if (memory->inherited_factor < 0)
		return error_set(err, ERROR_INVALID, "%s must not be negative", COMMON_FACTOR);
	if (has_own && memory->factor <= 0)
		return error_set(err, ERROR_INVALID, "%s must be greater than 0", role->factor);
	memory->is_factor_set = has_own || spark_conf_get(conf, COMMON_FACTOR);
	memory->factor_property = memory->is_factor_set && !has_own ? COMMON_FACTOR : role->factor;
	return true;
}

static bool read_minimum(const struct spark_app *app, const struct role *role,
                         struct spark_memory *memory, struct error **err)
{
	memory->minimum.mib = MINIMUM_OVERHEAD_MIB;
	if (!spark_release_has(app->spark_version, SPARK_MINIMUM_OVERHEAD))
		return true;
	return read_term(app, role->minimum, MINIMUM_OVERHEAD_MIB, &memory->minimum, err);
}

/* Rounded down, and at most what an int of Scala holds. */
static int64_t share_of_heap(const struct spark_memory *memory)
{
	double share = memory->factor * (double)memory->heap.mib;

	return share < INT32_MAX ? (int64_t)share : INT32_MAX;
}

static bool read_overhead(const struct spark_app *app, const struct role *role,
                          struct spark_memory *memory, struct error **err)
{
	int64_t computed = share_of_heap(memory);

	if (computed < memory->minimum.mib)
		computed = memory->minimum.mib;
	return read_term(app, role->overhead, computed, &memory->overhead, err);
}

static bool compute(const struct spark_app *app, const struct role *role,
                    struct spark_memory *memory, struct error **err)
{
	*memory = (struct spark_memory){
		.pod = role->pod,
		.is_jvm = app->resource == SPARK_RESOURCE_JAVA,
	};
	if (!read_heap(app, role, memory, err) || !read_factor(app->conf, role, memory, err) ||
	    !read_minimum(app, role, memory, err) || !read_overhead(app, role, memory, err))
		return false;
	memory->total_mib = memory->heap.mib + memory->overhead.mib;
	return true;
}

bool spark_memory_of_driver(const struct spark_app *app, struct spark_memory *memory,
                            struct error **err)
{
	return compute(app, &driver, memory, err);
}

/* Utils.checkOffHeapEnabled: the size is in bytes, and counts once the use is allowed. */
static bool read_off_heap(const struct spark_app *app, struct spark_memory_term *term,
                          struct error **err)
{
	const struct spark_conf *conf = app->conf;
	bool is_enabled;
	int64_t size_bytes;

	if (!spark_conf_get_bool(conf, "spark.memory.offHeap.enabled", false, &is_enabled, err))
		return false;
	if (!is_enabled)
		return true;
	term->property = "spark.memory.offHeap.size";
	term->is_set = spark_conf_get(conf, term->property) != NULL;
	if (!check_unit(app, term->property, err) ||
	    !spark_conf_get_bytes(conf, term->property, 0, &size_bytes, err))
		return false;
	term->mib = size_bytes / BYTES_PER_MIB;
	if (term->mib < 1)
		return error_set(err, ERROR_INVALID,
		                 "%s must be at least 1m when spark.memory.offHeap.enabled is true",
		                 term->property);
	return true;
}

bool spark_memory_of_executor(const struct spark_app *app, struct spark_memory *memory,
                              struct error **err)
{
	if (!compute(app, &executor, memory, err) || !read_off_heap(app, &memory->off_heap, err))
		return false;
	if (app->resource == SPARK_RESOURCE_PYTHON &&
	    !read_term(app, "spark.executor.pyspark.memory", 0, &memory->python, err))
		return false;
	memory->total_mib += memory->off_heap.mib + memory->python.mib;
	return true;
}

/* ---- for people ---- */

/* Takes the reason. */
static void add_row(json_t *rows, const struct spark_memory *memory, const char *part, int64_t mib,
                    char *reason)
{
	scoped(text) char *size = text_printf("%" PRId64 "Mi", mib);

	json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:s}", "pod", memory->pod, "part",
	                                      part, "size", size, "reason", reason));
	free(reason);
}

static char *heap_reason(const struct spark_memory_term *heap)
{
	return text_printf(heap->is_set ? "%s" : "Spark's default; %s sets it", heap->property);
}

/* Where the factor came from. */
static char *factor_reason(const struct spark_memory *memory)
{
	if (memory->is_factor_set)
		return xstrdup(memory->factor_property);
	return text_printf("Spark's default for %s; %s sets it",
	                   memory->is_jvm ? "Java and Scala" : "Python and R",
	                   memory->factor_property);
}

static char *minimum_reason(const struct spark_memory_term *minimum)
{
	if (!minimum->property)
		return xstrdup("fixed before Spark 4.0");
	return text_printf(minimum->is_set ? "%s" : "Spark's default; %s sets it",
	                   minimum->property);
}

static char *overhead_reason(const struct spark_memory *memory)
{
	int64_t share = share_of_heap(memory);
	scoped(text) char *factor = NULL;
	scoped(text) char *number = spark_number_text(memory->factor);
	scoped(text) char *minimum = minimum_reason(&memory->minimum);

	if (memory->overhead.is_set)
		return xstrdup(memory->overhead.property);
	factor = factor_reason(memory);
	if (share >= memory->minimum.mib)
		return text_printf("%s x %" PRId64 "Mi (%s)", number, memory->heap.mib, factor);
	return text_printf("at least %" PRId64 "Mi (%s); %s x %" PRId64 "Mi is %" PRId64 "Mi only "
	                   "(%s)",
	                   memory->minimum.mib, minimum, number, memory->heap.mib, share, factor);
}

static char *python_reason(const struct spark_memory_term *python)
{
	if (python->is_set)
		return xstrdup(python->property);
	return text_printf("Python has no limit of its own and lives in the overhead; %s sets one",
	                   python->property);
}

json_t *spark_memory_explain(const struct spark_memory *memory)
{
	json_t *rows = json_array();

	add_row(rows, memory, "heap", memory->heap.mib, heap_reason(&memory->heap));
	add_row(rows, memory, "overhead", memory->overhead.mib, overhead_reason(memory));
	if (memory->off_heap.property)
		add_row(rows, memory, "off-heap", memory->off_heap.mib,
		        xstrdup(memory->off_heap.property));
	if (memory->python.property)
		add_row(rows, memory, "python", memory->python.mib, python_reason(&memory->python));
	add_row(rows, memory, "pod", memory->total_mib,
	        xstrdup("request and limit of the container; beyond it lies OOMKilled"));
	return rows;
}
