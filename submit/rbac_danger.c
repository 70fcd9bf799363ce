/* SPDX-License-Identifier: Apache-2.0 */
/* Rights that a driver's account should not have: every program that a user submits has them, too.
 */
#include "core/memory.h"
#include "core/text.h"
#include "submit/rbac.h"

static const struct danger {
	const char *verb, *group, *resource;
	bool everywhere;
	const char *why;
} known[] = {
	{ "get", "", "secrets", false, "read Secrets that it was not given" },
	{ "list", "", "secrets", false, "read all Secrets of the namespace" },
	{ "create", "", "pods/exec", false, "run commands in other pods" },
	{ "create", "", "pods/attach", false, "attach itself to other pods" },
	{ "patch", "", "pods/ephemeralcontainers", false, "put containers into other pods" },
	{ "create", "", "serviceaccounts/token", false, "act as any account of the namespace" },
	{ "impersonate", "", "serviceaccounts", false, "act as any account of the namespace" },
	{ "create", "rbac.authorization.k8s.io", "rolebindings", false, "grant rights" },
	{ "patch", "rbac.authorization.k8s.io", "roles", false, "grant rights" },
	{ "create", "apps", "deployments", false, "start what outlives it" },
	{ "create", "", "pods", true, "start pods in all namespaces" },
	{ "delete", "", "pods", true, "delete pods in all namespaces" },
	{ "list", "", "secrets", true, "read the Secrets of all namespaces" },
	{ "impersonate", "", "users", true, "act as anybody" },
};

json_t *rbac_dangers(const struct rbac_options *options)
{
	json_t *rights = json_array();
	scoped(text) char *who = text_printf("system:serviceaccount:%s:%s", options->namespace,
	                                     options->service_account);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		json_array_append_new(
			rights,
			json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:{s:s, s:s, s:s}}", "who", who,
		                  "verb", known[i].verb, "resource", known[i].resource, "group",
		                  known[i].group, "everywhere", known[i].everywhere, "why",
		                  known[i].why, "subject", "kind", "ServiceAccount", "name",
		                  options->service_account, "namespace", options->namespace));
	return rights;
}

json_t *rbac_find_dangers(struct kube_client *client, const struct rbac_options *options,
                          struct error **err)
{
	json_auto_t *all = rbac_dangers(options);
	json_auto_t *found = json_array();
	json_t *danger;
	size_t i;

	json_array_foreach (all, i, danger) {
		if (!rbac_check(client, options->namespace, danger, err))
			return NULL;
		if (text_equal(json_string_value(json_object_get(danger, "allowed")), "yes"))
			json_array_append(found, danger);
	}
	return take(found);
}

/* Where it comes from, in the API server's words; "" where it gives none. */
static const char *reason_of(const json_t *danger)
{
	const char *reason = json_string_value(json_object_get(danger, "reason"));

	return reason ? reason : "";
}

static bool is_first_of_its_reason(const json_t *dangers, size_t at)
{
	size_t i;

	for (i = 0; i < at; i++)
		if (text_equal(reason_of(json_array_get(dangers, i)),
		               reason_of(json_array_get(dangers, at))))
			return false;
	return true;
}

/* What can be done by the same binding is one sentence: `from` is the first of them. */
static char *sentence_of(const json_t *dangers, size_t from)
{
	const json_t *first = json_array_get(dangers, from), *danger;
	json_auto_t *told = json_object();
	struct text_stream stream;
	FILE *out = text_stream_open(&stream);
	size_t i;

	fprintf(out, "'%s' may do more than drivers need: ",
	        json_string_value(json_object_get(first, "who")));
	json_array_foreach (dangers, i, danger) {
		const char *why = json_string_value(json_object_get(danger, "why"));

		if (!text_equal(reason_of(danger), reason_of(first)) || json_object_get(told, why))
			continue;
		fprintf(out, "%s%s", json_object_size(told) ? ", " : "", why);
		json_object_set_new(told, why, json_true());
	}
	fprintf(out, "%s%s", *reason_of(first) ? "; " : "", reason_of(first));
	return text_stream_take(&stream);
}

json_t *rbac_danger_sentences(const json_t *dangers)
{
	json_t *sentences = json_array();
	size_t i;

	for (i = 0; i < json_array_size(dangers); i++) {
		scoped(text) char *text =
			is_first_of_its_reason(dangers, i) ? sentence_of(dangers, i) : NULL;

		if (text)
			json_array_append_new(sentences, json_string(text));
	}
	return sentences;
}
