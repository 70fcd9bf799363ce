/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the rights on the cluster with those of the manifests, field by field. */
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_object.h"
#include "submit/rbac.h"

/* What is compared at the moment, and where differences go. */
struct comparison {
	const char *object; /* "Role/stepop-driver" */
	json_t *rows;
};

static void compare(const struct comparison *comparison, const char *path, const json_t *stored,
                    const json_t *wanted);

static json_t *text_of(const json_t *value)
{
	scoped(text) char *text =
		value ? json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY) : NULL;

	return text ? json_string(text) : json_null();
}

static void add_row(const struct comparison *comparison, const char *path, const json_t *stored,
                    const json_t *wanted)
{
	json_array_append_new(comparison->rows,
	                      json_pack("{s:s, s:s, s:s, s:o, s:o}", "object", comparison->object,
	                                "change", "update", "field", path, "server",
	                                text_of(stored), "wanted", text_of(wanted)));
}

static bool is_among(const json_t *list, const json_t *value)
{
	const json_t *other;
	size_t i;

	json_array_foreach (list, i, other)
		if (json_equal(other, value))
			return true;
	return false;
}

/* Verbs and resources are sets. */
static bool is_same_set(const json_t *stored, const json_t *wanted)
{
	const json_t *value;
	size_t i;

	json_array_foreach (wanted, i, value)
		if (!json_is_string(value) || !is_among(stored, value))
			return false;
	json_array_foreach (stored, i, value)
		if (!is_among(wanted, value))
			return false;
	return true;
}

/* Rules and subjects: none may be missing, and none too many. */
static void compare_lists(const struct comparison *comparison, const char *path,
                          const json_t *stored, const json_t *wanted)
{
	size_t count = json_array_size(stored), i;

	if (is_same_set(stored, wanted))
		return;
	if (json_is_string(json_array_get(wanted, 0))) {
		add_row(comparison, path, stored, wanted);
		return;
	}
	if (json_array_size(wanted) > count)
		count = json_array_size(wanted);
	for (i = 0; i < count; i++) {
		scoped(text) char *one = text_printf("%s[%zu]", path, i);

		compare(comparison, one, json_array_get(stored, i), json_array_get(wanted, i));
	}
}

static void compare_objects(const struct comparison *comparison, const char *path,
                            const json_t *stored, const json_t *wanted)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)wanted, key, value) {
		scoped(text) char *one = *path ? text_printf("%s.%s", path, key) : xstrdup(key);

		compare(comparison, one, json_object_get(stored, key), value);
	}
}

static void compare(const struct comparison *comparison, const char *path, const json_t *stored,
                    const json_t *wanted)
{
	if (json_is_object(wanted) && json_is_object(stored))
		compare_objects(comparison, path, stored, wanted);
	else if (json_is_array(wanted) && json_is_array(stored))
		compare_lists(comparison, path, stored, wanted);
	else if (!json_equal(stored, wanted))
		add_row(comparison, path, stored, wanted);
}

/* A rule whose resourceNames or other fields are not ours would grant something else than ours. */
static void compare_rules(const struct comparison *comparison, const json_t *stored,
                          const json_t *wanted)
{
	const json_t *rule;
	size_t i;

	json_array_foreach (json_object_get(stored, "rules"), i, rule) {
		const json_t *ours = json_array_get(json_object_get(wanted, "rules"), i);
		const char *key;
		json_t *value;

		json_object_foreach ((json_t *)rule, key, value) {
			scoped(text) char *path = text_printf("rules[%zu].%s", i, key);

			if (ours && !json_object_get(ours, key))
				add_row(comparison, path, value, NULL);
		}
	}
}

void rbac_compare(const json_t *stored, const json_t *wanted, json_t *rows)
{
	scoped(text) char *object =
		text_printf("%s/%s", kube_object_kind(wanted), kube_object_name(wanted));
	const struct comparison comparison = { object, rows };

	if (!stored) {
		json_array_append_new(rows,
		                      json_pack("{s:s, s:s, s:n, s:n, s:n}", "object", object,
		                                "change", "create", "field", "server", "wanted"));
		return;
	}
	compare_objects(&comparison, "", stored, wanted);
	compare_rules(&comparison, stored, wanted);
}

/* A namespace that is there is nobody's to change; who may not look at it may still see what is in
 * it. */
static bool is_settled(const struct kube_kind *kind, const json_t *stored,
                       const struct error *failure)
{
	return kind->cluster_scoped && (stored || failure->kind == ERROR_AUTH);
}

bool rbac_diff(struct kube_client *client, const json_t *object, json_t *rows, struct error **err)
{
	const struct kube_kind *kind = kube_kind_of(object);
	scoped(error) struct error *failure = NULL;
	json_auto_t *stored = kube_client_get(
		client, kind, kind->cluster_scoped ? NULL : kube_object_namespace(object),
		kube_object_name(object), &failure);

	if (is_settled(kind, stored, failure))
		return true;
	if (failure && failure->kind != ERROR_NOT_FOUND)
		return error_pass(err, take(failure));
	rbac_compare(stored, object, rows);
	return true;
}
