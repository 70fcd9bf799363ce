/* SPDX-License-Identifier: Apache-2.0 */
/* Finds driver pods by submission id, deletes them, describes them. */
#include "submit/submission_lookup.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_object.h"
#include "submit/submission.h"

#define DRIVERS "spark-role=driver"

/* ---- ids ---- */

/* What a name may begin with, some valid name also ends with. */
static bool is_prefix(const char *name)
{
	scoped(text) char *longer = text_printf("%sx", name);

	return kube_object_is_subdomain(longer);
}

bool submission_id_parse(const char *text, struct submission_id *id, struct error **err)
{
	const char *colon = strchr(text, ':');
	const char *start = colon ? colon + 1 : text;
	bool is_glob = text_ends_with(start, "*");
	scoped(text) char *name = xstrndup(start, strlen(start) - is_glob);
	scoped(text) char *namespace = colon ? xstrndup(text, (size_t)(colon - text)) : NULL;

	if ((namespace && !kube_object_is_label(namespace)) ||
	    !(is_glob ? is_prefix(name) : kube_object_is_subdomain(name)))
		return error_set(err, ERROR_INVALID,
		                 "'%s' is no submission id; it looks like [NAMESPACE:]DRIVER-POD, "
		                 "with a '*' at its end for all that begin so",
		                 text);
	*id = (struct submission_id){ .namespace = take(namespace),
		                      .name = take(name),
		                      .is_glob = is_glob };
	return true;
}

void submission_id_release(struct submission_id *id)
{
	free(id->namespace);
	free(id->name);
	*id = (struct submission_id){ 0 };
}

char *submission_id_of(const json_t *pod)
{
	return text_printf("%s:%s", kube_object_namespace(pod), kube_object_name(pod));
}

/* ---- finding ---- */

static json_t *find_one(struct kube_client *client, const struct submission_id *id,
                        struct error **err)
{
	struct error *failure = NULL;
	json_t *pod = kube_client_get(client, &kube_pods, id->namespace, id->name, &failure);

	if (pod)
		return json_pack("[o]", pod);
	if (failure->kind != ERROR_NOT_FOUND)
		return error_pass(err, failure);
	error_free(failure);
	return error_set(err, ERROR_NOT_FOUND, "there is no driver pod '%s' in namespace '%s'",
	                 id->name, id->namespace);
}

static json_t *find_glob(struct kube_client *client, const struct submission_id *id,
                         struct error **err)
{
	const struct kube_list_options options = { .label_selector = DRIVERS };
	json_auto_t *drivers =
		kube_client_list(client, &kube_pods, id->namespace, &options, NULL, err);
	json_auto_t *found = json_array();
	json_t *pod;
	size_t i;

	if (!drivers)
		return NULL;
	json_array_foreach (drivers, i, pod)
		if (text_starts_with(kube_object_name(pod), id->name))
			json_array_append(found, pod);
	if (json_array_size(found))
		return take(found);
	return error_set(
		err, ERROR_NOT_FOUND,
		"there is no driver pod '%s*' in namespace '%s' (%zu others have the label "
		"%s)",
		id->name, id->namespace, json_array_size(drivers), DRIVERS);
}

json_t *submission_find(struct kube_client *client, const char *text, struct error **err)
{
	struct submission_id id;
	json_t *pods;

	if (!submission_id_parse(text, &id, err))
		return NULL;
	if (!id.namespace)
		id.namespace = xstrdup(kube_client_config(client)->namespace);
	pods = id.is_glob ? find_glob(client, &id, err) : find_one(client, &id, err);
	submission_id_release(&id);
	return pods;
}

bool submission_kill(struct kube_client *client, const json_t *pod, int64_t grace_s,
                     struct error **err)
{
	const char *name = kube_object_name(pod);
	const char *namespace = kube_object_namespace(pod);

	if (!text_equal(kube_object_label(pod, "spark-role"), "driver"))
		return error_set(
			err, ERROR_INVALID,
			"pod '%s' in namespace '%s' is no driver of a Spark application: it "
			"lacks the label %s",
			name, namespace, DRIVERS);
	return submission_delete(client, namespace, name, grace_s, err);
}

/* ---- describing ---- */

static void write_row(FILE *out, int indent, const char *label, const char *value)
{
	fprintf(out, "%*s%-*s  %s\n", indent, "", 22 - indent, label,
	        value && *value ? value : "N/A");
}

static void write_field(FILE *out, int indent, const char *label, const json_t *object,
                        const char *key)
{
	write_row(out, indent, label, json_string_value(json_object_get(object, key)));
}

static void write_labels(FILE *out, const json_t *metadata)
{
	struct text_stream stream;
	FILE *list = text_stream_open(&stream);
	scoped(text) char *text = NULL;
	const char *separator = "", *key;
	json_t *value;

	json_object_foreach (json_object_get(metadata, "labels"), key, value) {
		fprintf(list, "%s%s=%s", separator, key, json_string_value(value));
		separator = ", ";
	}
	text = text_stream_take(&stream);
	write_row(out, 0, "labels", text);
}

static void write_volumes(FILE *out, const json_t *spec)
{
	struct text_stream stream;
	FILE *list = text_stream_open(&stream);
	scoped(text) char *text = NULL;
	const json_t *volume;
	size_t i;

	json_array_foreach (json_object_get(spec, "volumes"), i, volume)
		fprintf(list, "%s%s", i ? ", " : "",
		        json_string_value(json_object_get(volume, "name")));
	text = text_stream_take(&stream);
	write_row(out, 0, "volumes", text);
}

static void write_state(FILE *out, const json_t *state)
{
	const json_t *running = json_object_get(state, "running");
	const json_t *terminated = json_object_get(state, "terminated");
	const json_t *waiting = json_object_get(state, "waiting");

	write_row(out, 2, "container state",
	          running      ? "running"
	          : terminated ? "terminated"
	          : waiting    ? "waiting"
	                       : NULL);
	if (running || terminated)
		write_field(out, 2, "started at", running ? running : terminated, "startedAt");
	if (terminated) {
		scoped(text) char *code =
			text_printf("%" JSON_INTEGER_FORMAT,
		                    json_integer_value(json_object_get(terminated, "exitCode")));

		write_field(out, 2, "finished at", terminated, "finishedAt");
		write_row(out, 2, "exit code", code);
		write_field(out, 2, "termination reason", terminated, "reason");
	}
	if (waiting && !running && !terminated)
		write_field(out, 2, "pending reason", waiting, "reason");
}

void submission_describe(const json_t *pod, FILE *out)
{
	const json_t *metadata = json_object_get(pod, "metadata");
	const json_t *spec = json_object_get(pod, "spec");
	const json_t *status = json_object_get(pod, "status");
	const json_t *containers = json_object_get(status, "containerStatuses");
	const json_t *container;
	size_t i;

	write_field(out, 0, "pod name", metadata, "name");
	write_field(out, 0, "namespace", metadata, "namespace");
	write_labels(out, metadata);
	write_field(out, 0, "pod uid", metadata, "uid");
	write_field(out, 0, "creation time", metadata, "creationTimestamp");
	write_field(out, 0, "service account name", spec, "serviceAccountName");
	write_volumes(out, spec);
	write_field(out, 0, "node name", spec, "nodeName");
	write_field(out, 0, "start time", status, "startTime");
	write_field(out, 0, "phase", status, "phase");
	if (!json_array_size(containers))
		write_row(out, 0, "container status", NULL);
	json_array_foreach (containers, i, container) {
		write_field(out, 0, "container name", container, "name");
		write_field(out, 2, "container image", container, "image");
		write_state(out, json_object_get(container, "state"));
	}
}
