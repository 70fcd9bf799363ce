/* SPDX-License-Identifier: Apache-2.0 */
/* Files of SparkApplications: which documents there are, and the identity of each. */
#include "submit/spark_application.h"

#include <string.h>

#include "core/digest.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/spark_application_load.h"
#include "submit/spark_application_shape.h"

#define API_VERSION "sparkoperator.k8s.io/v1beta2"
#define GENERATED_DIGITS 5 /* as many as the API server adds to a generateName */

struct entry {
	struct document *document; /* borrowed */
	const json_t *object;      /* within it */
};

struct spark_application_file {
	struct document_stream *stream;
	struct entry *entries;
	size_t count, capacity;
};

void spark_application_file_free(struct spark_application_file *file)
{
	if (!file)
		return;
	document_stream_free(file->stream);
	free(file->entries);
	free(file);
}

size_t spark_application_count(const struct spark_application_file *file)
{
	return file->count;
}

/* ---- documents ---- */

/* A field without a value is one that is not there, as in the API server. */
static void drop_nulls(json_t *value)
{
	const char *key;
	json_t *part;
	void *next;
	size_t i;

	json_object_foreach_safe(value, next, key, part)
	{
		if (json_is_null(part))
			json_object_del(value, key);
		else
			drop_nulls(part);
	}
	json_array_foreach (value, i, part)
		drop_nulls(part);
}

static void add_entry(struct spark_application_file *file, struct document *document,
                      const json_t *object)
{
	if (file->count == file->capacity) {
		file->capacity = file->capacity ? 2 * file->capacity : 8;
		file->entries = xrealloc(file->entries, file->capacity, sizeof(*file->entries));
	}
	file->entries[file->count++] = (struct entry){ document, object };
}

static bool is_list(const json_t *object)
{
	const char *kind = application_text(object, "kind");

	return text_equal(kind, "List") || text_equal(kind, "SparkApplicationList");
}

/* What to do with what is not submitted. */
static char *refusal(const char *version, const char *kind)
{
	bool is_operators = version && text_starts_with(version, "sparkoperator.k8s.io/");

	if (!kind || !version)
		return text_printf("this is no object of Kubernetes; apiVersion: " API_VERSION
		                   " and kind: SparkApplication are expected");
	if (is_operators && text_equal(kind, "ScheduledSparkApplication"))
		return text_printf("a ScheduledSparkApplication needs the operator's clock; submit "
		                   "its 'template' as a SparkApplication, from a CronJob for "
		                   "example");
	if (is_operators && text_equal(kind, "SparkApplication"))
		return text_printf("%s is not supported; write apiVersion: " API_VERSION, version);
	return text_printf("a %s is not submitted; only SparkApplications are (apply it with "
	                   "kubectl)",
	                   kind);
}

static void take_object(struct spark_application_file *file, struct document *document,
                        const json_t *object, struct document_position place, struct faults *faults)
{
	const char *version = application_text(object, "apiVersion");
	const char *kind = application_text(object, "kind");
	struct document_position at = document_key_position(document, object, "kind");
	scoped(text) char *why = NULL;

	if (text_equal(version, API_VERSION) && text_equal(kind, "SparkApplication")) {
		add_entry(file, document, object);
		return;
	}
	why = refusal(version, kind);
	faults_add(faults, document, at.line ? at : place, "%s", why);
}

static void take_document(struct spark_application_file *file, struct document *document,
                          struct faults *faults)
{
	json_t *root = document_root(document);
	const json_t *items = json_object_get(root, "items"), *item;
	size_t i;

	drop_nulls(root);
	if (!is_list(root) || !json_is_array(items)) {
		take_object(file, document, root, document_position(document, root), faults);
		return;
	}
	json_array_foreach (items, i, item)
		take_object(file, document, item, document_item_position(document, items, i),
		            faults);
}

/* Two of one name would be one submission. */
static void refuse_twins(const struct spark_application_file *file, struct faults *faults)
{
	json_auto_t *lines = json_object();
	size_t i;

	for (i = 0; i < file->count; i++) {
		const struct entry *entry = &file->entries[i];
		const json_t *metadata = json_object_get(entry->object, "metadata");
		const char *name = application_text(metadata, "name");
		const char *namespace = application_text(metadata, "namespace");
		struct document_position place =
			document_key_position(entry->document, metadata, "name");
		scoped(text) char *key =
			name ? text_printf("%s/%s", namespace ? namespace : "", name) : NULL;
		const json_t *line = key ? json_object_get(lines, key) : NULL;

		if (line)
			faults_add(faults, entry->document, place,
			           "another application '%s' stands in line %d", name,
			           (int)json_integer_value(line));
		else if (key)
			json_object_set_new(lines, key, json_integer(place.line));
	}
}

/* Takes the stream. */
static struct spark_application_file *file_of_stream(struct document_stream *stream,
                                                     struct error **err)
{
	scoped(spark_application_file) struct spark_application_file *file =
		xcalloc(1, sizeof(*file));
	scoped(faults) struct faults *faults = faults_new();
	size_t i;

	file->stream = stream;
	for (i = 0; i < stream->count; i++)
		take_document(file, stream->documents[i], faults);
	refuse_twins(file, faults);
	return faults_check(faults, err) ? take(file) : NULL;
}

struct spark_application_file *spark_application_file_read(const char *path, struct error **err)
{
	struct document_stream *stream = document_stream_read(path, err);

	return stream ? file_of_stream(stream, err) : NULL;
}

struct spark_application_file *spark_application_file_parse(const char *name, const char *text,
                                                            size_t size, struct error **err)
{
	struct document_stream *stream = document_stream_parse(name, text, size, err);

	return stream ? file_of_stream(stream, err) : NULL;
}

/* ---- metadata ---- */

static const char last_applied[] = "kubectl.kubernetes.io/last-applied-configuration";

static void read_name(const struct application_part *part, const char *field, const json_t *name)
{
	(void)field;
	part->loader->app->name = xstrdup(json_string_value(name));
}

static void read_name_prefix(const struct application_part *part, const char *field,
                             const json_t *prefix)
{
	scoped(text) char *digits = digest_random_hex(GENERATED_DIGITS);

	(void)field;
	if (!part->loader->app->name)
		part->loader->app->name = text_printf("%s%s", json_string_value(prefix), digits);
}

static void read_namespace(const struct application_part *part, const char *field,
                           const json_t *namespace)
{
	(void)field;
	part->loader->app->namespace = xstrdup(json_string_value(namespace));
}

/* Labels are put on the pods; see application_pod_read(). */
static void leave_labels(const struct application_part *part, const char *field,
                         const json_t *labels)
{
	(void)part;
	(void)field;
	(void)labels;
}

static void read_annotations(const struct application_part *part, const char *field,
                             const json_t *annotations)
{
	size_t own = json_object_get(annotations, last_applied) != NULL;

	if (json_object_size(annotations) > own)
		application_warn(part, field,
		                 "no object carries them, as in the operator; write "
		                 "spec.driver.annotations and spec.executor.annotations");
}

#define OF_THE_SERVER "written by the API server for an object that it stores"

static const struct application_rule metadata_rules[] = {
	{ .field = "name", .read = read_name },
	{ .field = "generateName", .read = read_name_prefix },
	{ .field = "namespace", .read = read_namespace },
	{ .field = "labels", .read = leave_labels },
	{ .field = "annotations", .read = read_annotations },
	{ .field = "finalizers", .ignored = "no SparkApplication is stored that they could hold" },
	{ .field = "ownerReferences",
	  .ignored = "the driver pod has no owner; it owns the application's other objects" },
	{ .field = "uid", .ignored = OF_THE_SERVER },
	{ .field = "resourceVersion", .ignored = OF_THE_SERVER },
	{ .field = "generation", .ignored = OF_THE_SERVER },
	{ .field = "creationTimestamp", .ignored = OF_THE_SERVER },
	{ .field = "deletionTimestamp", .ignored = OF_THE_SERVER },
	{ .field = "deletionGracePeriodSeconds", .ignored = OF_THE_SERVER },
	{ .field = "selfLink", .ignored = OF_THE_SERVER },
	{ .field = "managedFields", .ignored = OF_THE_SERVER },
	{ .field = NULL },
};

/* ---- one application ---- */

static void read_metadata(struct application_loader *loader)
{
	const struct application_part part = { .loader = loader,
		                               .path = "metadata",
		                               .value = json_object_get(loader->object,
		                                                        "metadata") };

	application_apply(&part, metadata_rules);
	if (loader->app->name)
		loader->app->submission_id = xstrdup(loader->app->name);
	else
		faults_add(
			loader->check.faults, loader->check.document,
			document_key_position(loader->check.document, loader->object, "metadata"),
			"'metadata' lacks the field 'name' (or 'generateName')");
}

static void read_status(struct application_loader *loader)
{
	static const struct application_rule rules[] = {
		{ .field = "status",
		  .ignored = "what the operator has seen of another submission" },
		{ .field = NULL },
	};
	const struct application_part part = { .loader = loader,
		                               .path = "SparkApplication",
		                               .value = loader->object };

	application_apply(&part, rules);
}

static void release(struct application_loader *loader)
{
	application_pod_release(&loader->driver);
	application_pod_release(&loader->executor);
	json_decref(loader->volumes);
}

/* The rules take for granted what the tables have checked. */
static void read_object(struct application_loader *loader)
{
	struct document_position place = document_position(loader->check.document, loader->object);

	check_shape(&loader->check, loader->object, &spark_application_shape, "SparkApplication",
	            place);
	if (faults_count(loader->check.faults))
		return;
	read_metadata(loader);
	read_status(loader);
	if (loader->app->name)
		application_read_spec(loader);
}

bool spark_application_read(const struct spark_application_file *file, size_t index,
                            struct spark_app *app, json_t *warnings, struct error **err)
{
	const struct entry *entry = &file->entries[index];
	scoped(faults) struct faults *faults = faults_new();
	struct application_loader loader = {
		.check = { .document = entry->document, .faults = faults },
		.warnings = warnings,
		.app = app,
		.object = entry->object,
		.spec = json_object_get(entry->object, "spec"),
		.driver = { .role = "driver", .path = "spec.driver" },
		.executor = { .role = "executor", .path = "spec.executor" },
	};

	app->conf = spark_conf_new();
	read_object(&loader);
	release(&loader);
	return faults_check(faults, err);
}
