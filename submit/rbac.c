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

/* What "${name}" by itself stands for, where that is more than a text; borrowed. */
static json_t *whole_value(const json_t *text, const json_t *values)
{
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)values, name, value) {
		scoped(text) char *placeholder = text_printf("${%s}", name);

		if (!json_is_string(value) && text_equal(json_string_value(text), placeholder))
			return value;
	}
	return NULL;
}

json_t *rbac_fill_in(const json_t *value, const json_t *values, struct error **err)
{
	scoped(text) char *text = NULL;
	json_t *whole = NULL;

	if (json_is_object(value))
		return fill_in_object(value, values, err);
	if (json_is_array(value))
		return fill_in_array(value, values, err);
	if (!json_is_string(value))
		return json_incref((json_t *)value);
	whole = whole_value(value, values);
	if (whole)
		return json_deep_copy(whole);
	text = fill_in_text(json_string_value(value), values, err);
	return text ? json_string(text) : NULL;
}

/*
 * What the binding of a submitter is told by. Users and groups may have any name, and a binding's
 * must be a path segment; a user, a group and an account of one name are three.
 */
static char *subject_id(const struct rbac_options *options, const char *subject)
{
	scoped(text) char *digest = digest_bytes(subject, strlen(subject));
	scoped(text) char *name = kube_object_is_subdomain(subject)
	                                  ? xstrdup(subject)
	                                  : xstrndup(digest, SUBJECT_DIGITS);

	return text_printf("%s%s",
	                   options->runner            ? "runner:"
	                   : options->submitter_group ? "group:"
	                                              : "",
	                   name);
}

static const struct part {
	enum rbac_part part;
	const char *name;
	bool is_driver, is_submitter; /* whose manifests there are */
} parts[] = {
	{ RBAC_SECRETS, "secrets", false, true },
	{ RBAC_VOLUMES, "volumes", true, true },
	{ RBAC_NETWORK_POLICIES, "network-policies", false, true },
	{ RBAC_POD_GROUPS, "pod-groups", false, true },
	{ RBAC_RESIZING, "resizing", true, false },
	{ RBAC_SECRETS_MANAGER, "secrets-manager", false, true },
	{ RBAC_STACK_CHECK, "stack-check", false, true },
};

unsigned rbac_part_find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(parts); i++)
		if (text_equal(parts[i].name, name))
			return parts[i].part;
	return 0;
}

static bool has_submitter(const struct rbac_options *options)
{
	return options->submitter || options->submitter_group || options->runner;
}

static json_t *account_subject(const struct rbac_options *options, const char *name)
{
	return json_pack("{s:s, s:s, s:s}", "kind", "ServiceAccount", "name", name, "namespace",
	                 options->namespace);
}

static json_t *submitter_subject(const struct rbac_options *options, const char *name)
{
	if (options->runner)
		return account_subject(options, name);
	return json_pack("{s:s, s:s, s:s}", "apiGroup", "rbac.authorization.k8s.io", "kind",
	                 options->submitter_group ? "Group" : "User", "name", name);
}

static json_t *values_of(const struct rbac_options *options)
{
	const char *submitter = options->runner            ? options->runner
	                        : options->submitter       ? options->submitter
	                        : options->submitter_group ? options->submitter_group
	                                                   : RBAC_OWN_RIGHTS;
	scoped(text) char *id = subject_id(options, submitter);

	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "namespace", options->namespace,
	                 "service_account", options->service_account, "runner", submitter,
	                 "submitter_id", id, "driver",
	                 account_subject(options, options->service_account), "submitter",
	                 submitter_subject(options, submitter));
}

/* Appends the items of one manifest. */
static bool load_manifest(const char *name, const json_t *values, json_t *objects,
                          struct error **err)
{
	scoped(text) char *relative = text_printf("rbac/%s.yaml", name);
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

static bool check_account(const char *name, struct error **err)
{
	return kube_object_is_subdomain(name) ||
	       error_set(err, ERROR_INVALID, "'%s' cannot be the name of a service account", name);
}

static bool check_options(const struct rbac_options *options, struct error **err)
{
	const char *submitter = options->submitter ? options->submitter : options->submitter_group;
	int count = !!options->submitter + !!options->submitter_group + !!options->runner;

	if (!kube_object_is_label(options->namespace))
		return error_set(err, ERROR_INVALID, "'%s' cannot be the name of a namespace",
		                 options->namespace);
	if (count > 1)
		return error_set(err, ERROR_USAGE,
		                 "the submitter is a user, a group or a runner, and only one of "
		                 "them at a time");
	if (submitter && !*submitter)
		return error_set(err, ERROR_USAGE, "the submitter's name is empty");
	if (text_equal(options->runner, options->service_account))
		return error_set(err, ERROR_INVALID,
		                 "'%s' cannot be both the runner's and the drivers' account: "
		                 "drivers would have the runner's rights",
		                 options->runner);
	return check_account(options->service_account, err) &&
	       (!options->runner || check_account(options->runner, err));
}

/* rbac/<role>.yaml and rbac/<role>-<part>.yaml. */
static bool load_role(const struct rbac_options *options, const char *role, const json_t *values,
                      json_t *objects, struct error **err)
{
	bool is_driver = text_equal(role, "driver");
	size_t i;

	if (!load_manifest(role, values, objects, err))
		return false;
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		scoped(text) char *name = text_printf("%s-%s", role, parts[i].name);
		bool is_there = is_driver ? parts[i].is_driver : parts[i].is_submitter;

		if (is_there && (options->parts & parts[i].part) &&
		    !load_manifest(name, values, objects, err))
			return false;
	}
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
	if (!load_manifest("namespace", values, objects, err) ||
	    !load_role(options, "driver", values, objects, err) ||
	    (options->runner && !load_manifest("runner", values, objects, err)) ||
	    (with_submitter && !load_role(options, "submitter", values, objects, err)))
		return NULL;
	return take(objects);
}

json_t *rbac_objects(const struct rbac_options *options, struct error **err)
{
	return load_objects(options, has_submitter(options), err);
}

/* Whether executors have volumes whose claims the driver makes. */
static bool has_claims_on_demand(const json_t *object)
{
	static const char volumes[] = "spark.kubernetes.executor.volumes.persistentVolumeClaim.";
	const json_t *data = json_object_get(object, "data");
	const char *at = json_string_value(json_object_get(data, "spark.properties"));

	for (at = at ? strstr(at, volumes) : NULL; at; at = strstr(at + 1, volumes)) {
		scoped(text) char *line = xstrndup(at, strcspn(at, "\n"));

		if (strstr(line, ".claimName=") && strstr(line, "OnDemand"))
			return true;
	}
	return false;
}

unsigned rbac_parts_of(const json_t *objects)
{
	static const struct {
		const char *kind;
		enum rbac_part part;
	} kinds[] = {
		{ "Secret", RBAC_SECRETS },
		{ "PersistentVolumeClaim", RBAC_VOLUMES },
		{ "NetworkPolicy", RBAC_NETWORK_POLICIES },
		{ "PodGroup", RBAC_POD_GROUPS },
	};
	const json_t *object;
	unsigned found = 0;
	size_t i, k;

	json_array_foreach (objects, i, object) {
		for (k = 0; k < ARRAY_SIZE(kinds); k++)
			if (text_equal(kube_object_kind(object), kinds[k].kind))
				found |= kinds[k].part;
		if (has_claims_on_demand(object))
			found |= RBAC_VOLUMES;
	}
	return found;
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

/* Two parts may ask for the same. */
static void add_once_take(json_t *rights, json_t *right)
{
	const json_t *other;
	size_t i;

	json_array_foreach (rights, i, other)
		if (json_equal(other, right)) {
			json_decref(right);
			return;
		}
	json_array_append_new(rights, right);
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
			add_once_take(rights, json_pack("{s:s, s:O, s:O, s:O, s:O}", "who", who,
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
