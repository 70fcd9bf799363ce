/* SPDX-License-Identifier: Apache-2.0 */
/* Fills in the manifests of rbac/, and reads the rights off them. */
#include "submit/rbac.h"

#include <string.h>

#include "core/datadir.h"
#include "core/digest.h"
#include "core/document.h"
#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_object.h"

#define SUBJECT_DIGITS 8

/* `text` with its placeholders replaced; owned by the caller. */
static char *fill_in_text(const char *text, const json_t *values, struct error **err)
{
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	scoped(text) char *result = NULL;
	scoped(text) char *unknown = NULL;

	while (*text && !unknown) {
		const char *end = text_starts_with(text, "${") ? strchr(text, '}') : NULL;
		scoped(text) char *name = end ? xstrndup(text + 2, (size_t)(end - text - 2)) : NULL;
		const char *value = name ? json_string_value(json_object_get(values, name)) : NULL;

		if (value)
			fputs(value, out);
		else if (end)
			unknown = take(name);
		else
			fputc(*text, out);
		text = end ? end + 1 : text + 1;
	}
	result = text_stream_take(&stream);
	if (unknown)
		return error_set(err, ERROR_INVALID, "nothing is known to put in for '${%s}'",
		                 unknown);
	return take(result);
}

static json_t *fill_in_object(const json_t *object, const json_t *values, struct error **err)
{
	json_auto_t *filled = json_object();
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)object, key, value) {
		json_t *one = rbac_fill_in(value, values, err);

		if (!one)
			return NULL;
		json_object_set_new(filled, key, one);
	}
	return take(filled);
}

static json_t *fill_in_array(const json_t *array, const json_t *values, struct error **err)
{
	json_auto_t *filled = json_array();
	const json_t *value;
	size_t i;

	json_array_foreach (array, i, value) {
		json_t *one = rbac_fill_in(value, values, err);

		if (!one)
			return NULL;
		json_array_append_new(filled, one);
	}
	return take(filled);
}

json_t *rbac_fill_in(const json_t *value, const json_t *values, struct error **err)
{
	scoped(text) char *text = NULL;

	if (json_is_object(value))
		return fill_in_object(value, values, err);
	if (json_is_array(value))
		return fill_in_array(value, values, err);
	if (!json_is_string(value))
		return json_incref((json_t *)value);
	text = fill_in_text(json_string_value(value), values, err);
	return text ? json_string(text) : NULL;
}

/* Users and groups may have any name, and a binding's must be a path segment. */
static char *subject_id(const char *subject)
{
	scoped(text) char *digest = digest_bytes(subject, strlen(subject));

	if (kube_object_is_subdomain(subject))
		return xstrdup(subject);
	return xstrndup(digest, SUBJECT_DIGITS);
}

static const char *submitter_of(const struct rbac_options *options)
{
	return options->submitter ? options->submitter : options->submitter_group;
}

static json_t *values_of(const struct rbac_options *options)
{
	const char *submitter = submitter_of(options) ? submitter_of(options) : RBAC_OWN_RIGHTS;
	scoped(text) char *id = subject_id(submitter);

	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "namespace", options->namespace,
	                 "service_account", options->service_account, "submitter", submitter,
	                 "submitter_kind", options->submitter_group ? "Group" : "User",
	                 "submitter_id", id);
}

/* Appends the items of one manifest. */
static bool load_manifest(const char *name, const json_t *values, json_t *objects,
                          struct error **err)
{
	scoped(text) char *relative = text_printf("rbac/%s", name);
	scoped(text) char *path = datadir_find(relative, err);
	scoped(document) struct document *document = path ? document_read(path, err) : NULL;
	json_auto_t *filled = NULL;

	if (!document)
		return false;
	filled = rbac_fill_in(document_root(document), values, err);
	if (!filled)
		return error_wrap(err, "%s", path);
	json_array_extend(objects, json_object_get(filled, "items"));
	return true;
}

static bool check_options(const struct rbac_options *options, struct error **err)
{
	if (!kube_object_is_label(options->namespace))
		return error_set(err, ERROR_INVALID, "'%s' cannot be the name of a namespace",
		                 options->namespace);
	if (!kube_object_is_subdomain(options->service_account))
		return error_set(err, ERROR_INVALID, "'%s' cannot be the name of a service account",
		                 options->service_account);
	if (options->submitter && options->submitter_group)
		return error_set(err, ERROR_USAGE, "the submitter is a user or a group, not both");
	if (submitter_of(options) && !*submitter_of(options))
		return error_set(err, ERROR_USAGE, "the submitter's name is empty");
	return true;
}

static json_t *load_objects(const struct rbac_options *options, bool with_submitter,
                            struct error **err)
{
	json_auto_t *objects = json_array();
	json_auto_t *values = NULL;

	if (!check_options(options, err))
		return NULL;
	values = values_of(options);
	if (!load_manifest("namespace.yaml", values, objects, err) ||
	    !load_manifest("driver.yaml", values, objects, err))
		return NULL;
	if (with_submitter && !load_manifest("submitter.yaml", values, objects, err))
		return NULL;
	return take(objects);
}

json_t *rbac_objects(const struct rbac_options *options, struct error **err)
{
	return load_objects(options, submitter_of(options), err);
}

/* How the API server calls the subject of a binding; owned by the caller. */
static char *who_is(const json_t *subject)
{
	const char *name = json_string_value(json_object_get(subject, "name"));
	const char *namespace = json_string_value(json_object_get(subject, "namespace"));

	if (text_equal(kube_object_kind(subject), "ServiceAccount"))
		return text_printf("system:serviceaccount:%s:%s", namespace, name);
	return xstrdup(name);
}

static void add_rights(json_t *rights, const json_t *rule, const json_t *subject)
{
	const json_t *resources = json_object_get(rule, "resources");
	const json_t *verbs = json_object_get(rule, "verbs");
	json_t *group = json_array_get(json_object_get(rule, "apiGroups"), 0);
	scoped(text) char *who = who_is(subject);
	json_t *resource, *verb;
	size_t i, j;

	json_array_foreach (resources, i, resource)
		json_array_foreach (verbs, j, verb)
			json_array_append_new(rights,
			                      json_pack("{s:s, s:O, s:O, s:O, s:O}", "who", who,
			                                "verb", verb, "resource", resource, "group",
			                                group, "subject", subject));
}

/* Each Role stands before its binding. */
json_t *rbac_rights(const struct rbac_options *options, struct error **err)
{
	json_auto_t *objects = load_objects(options, true, err);
	const json_t *object, *rule, *rules = NULL;
	json_t *rights;
	size_t i, j;

	if (!objects)
		return NULL;
	rights = json_array();
	json_array_foreach (objects, i, object) {
		const json_t *subjects = json_object_get(object, "subjects");

		if (json_object_get(object, "rules"))
			rules = json_object_get(object, "rules");
		if (subjects)
			json_array_foreach (rules, j, rule)
				add_rights(rights, rule, json_array_get(subjects, 0));
	}
	return rights;
}
