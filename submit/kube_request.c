/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds, paths and Status. */
#include "submit/kube_request.h"

#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_object.h"

/* ---- kinds ---- */

#define CORE "/api/v1"
#define RBAC "/apis/rbac.authorization.k8s.io/v1"
#define AUTHORIZATION "/apis/authorization.k8s.io/v1"

const struct kube_kind kube_pods = { CORE, "pods", "Pod", false };
const struct kube_kind kube_services = { CORE, "services", "Service", false };
const struct kube_kind kube_config_maps = { CORE, "configmaps", "ConfigMap", false };
const struct kube_kind kube_secrets = { CORE, "secrets", "Secret", false };
const struct kube_kind kube_namespaces = { CORE, "namespaces", "Namespace", true };
const struct kube_kind kube_service_accounts = { CORE, "serviceaccounts", "ServiceAccount", false };
const struct kube_kind kube_roles = { RBAC, "roles", "Role", false };
const struct kube_kind kube_role_bindings = { RBAC, "rolebindings", "RoleBinding", false };
const struct kube_kind kube_events = { CORE, "events", "Event", false };

static const struct kube_kind *const named_kinds[] = {
	&kube_pods,    &kube_services,      &kube_config_maps,
	&kube_secrets, &kube_namespaces,    &kube_service_accounts,
	&kube_roles,   &kube_role_bindings, &kube_events,
};

static const struct kube_kind other_kinds[] = {
	{ CORE, "persistentvolumeclaims", "PersistentVolumeClaim", false },
	{ CORE, "resourcequotas", "ResourceQuota", false },
	{ CORE, "limitranges", "LimitRange", false },
	{ CORE, "nodes", "Node", true },
	{ RBAC, "clusterroles", "ClusterRole", true },
	{ RBAC, "clusterrolebindings", "ClusterRoleBinding", true },
	{ "/apis/networking.k8s.io/v1", "networkpolicies", "NetworkPolicy", false },
	{ "/apis/scheduling.volcano.sh/v1beta1", "podgroups", "PodGroup", false },
	{ "/apis/scheduling.x-k8s.io/v1alpha1", "podgroups", "PodGroup", false },
	{ "/apis/batch/v1", "jobs", "Job", false },
	{ "/apis/coordination.k8s.io/v1", "leases", "Lease", false },
	{ "/apis/policy/v1", "poddisruptionbudgets", "PodDisruptionBudget", false },
	{ AUTHORIZATION, "selfsubjectaccessreviews", "SelfSubjectAccessReview", true },
	{ AUTHORIZATION, "selfsubjectrulesreviews", "SelfSubjectRulesReview", true },
	{ AUTHORIZATION, "subjectaccessreviews", "SubjectAccessReview", true },
	{ AUTHORIZATION, "localsubjectaccessreviews", "LocalSubjectAccessReview", false },
};

/* "/api/v1" -> "v1", "/apis/batch/v1" -> "batch/v1" */
static const char *api_version_of(const struct kube_kind *kind)
{
	return kind->api + (text_starts_with(kind->api, "/apis/") ? 6 : 5);
}

static bool is_kind(const struct kube_kind *kind, const char *api_version, const char *name)
{
	return text_equal(kind->kind, name) && text_equal(api_version_of(kind), api_version);
}

const struct kube_kind *kube_kind_find(const char *api_version, const char *kind)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(named_kinds); i++)
		if (is_kind(named_kinds[i], api_version, kind))
			return named_kinds[i];
	for (i = 0; i < ARRAY_SIZE(other_kinds); i++)
		if (is_kind(&other_kinds[i], api_version, kind))
			return &other_kinds[i];
	return NULL;
}

const struct kube_kind *kube_kind_of(const json_t *object)
{
	return kube_kind_find(json_string_value(json_object_get(object, "apiVersion")),
	                      kube_object_kind(object));
}

void kube_object_complete(json_t *object, const struct kube_kind *kind)
{
	json_object_del(json_object_get(object, "metadata"), "managedFields");
	if (!json_object_get(object, "kind"))
		json_object_set_new(object, "kind", json_string(kind->kind));
	if (!json_object_get(object, "apiVersion"))
		json_object_set_new(object, "apiVersion", json_string(api_version_of(kind)));
}

/* ---- paths ---- */

static bool check_segment(const char *what, const char *name, struct error **err)
{
	if (*name && !text_equal(name, ".") && !text_equal(name, ".."))
		return true;
	return error_set(err, ERROR_INVALID, "'%s' is no name of a %s", name, what);
}

char *kube_path(const struct kube_kind *kind, const char *namespace, const char *name,
                struct error **err)
{
	struct text_stream stream;
	FILE *out;

	if (name && !check_segment(kind->kind, name, err))
		return NULL;
	if (!kind->cluster_scoped && !check_segment("Namespace", namespace, err))
		return NULL;
	out = text_stream_open(&stream);
	fputs(kind->api, out);
	if (!kind->cluster_scoped) {
		scoped(text) char *escaped = http_escape(namespace, false);

		fprintf(out, "/namespaces/%s", escaped);
	}
	fprintf(out, "/%s", kind->plural);
	if (name) {
		scoped(text) char *escaped = http_escape(name, false);

		fprintf(out, "/%s", escaped);
	}
	return text_stream_take(&stream);
}

struct kube_query {
	struct text_stream stream;
	FILE *out;
	bool has_parameter;
};

struct kube_query *kube_query_new(const char *path)
{
	struct kube_query *query = xcalloc(1, sizeof(*query));

	query->out = text_stream_open(&query->stream);
	fputs(path, query->out);
	return query;
}

void kube_query_add(struct kube_query *query, const char *name, const char *value)
{
	scoped(text) char *escaped = NULL;

	if (!value || !*value)
		return;
	escaped = http_escape(value, false);
	fprintf(query->out, "%c%s=%s", query->has_parameter ? '&' : '?', name, escaped);
	query->has_parameter = true;
}

void kube_query_add_int(struct kube_query *query, const char *name, int64_t value)
{
	scoped(text) char *text = text_printf("%jd", (intmax_t)value);

	kube_query_add(query, name, text);
}

char *kube_query_finish(struct kube_query *query)
{
	char *text = text_stream_take(&query->stream);

	free(query);
	return text;
}

/* ---- Status ---- */

enum error_kind kube_status_kind(int status)
{
	switch (status) {
	case 401:
	case 403:
		return ERROR_AUTH;
	case 404:
		return ERROR_NOT_FOUND;
	case 409:
		return ERROR_CONFLICT;
	case 410:
		return ERROR_GONE;
	case 429:
		return ERROR_UNAVAILABLE;
	case 504:
		return ERROR_TIMEOUT;
	default:
		return status >= 500 ? ERROR_UNAVAILABLE : ERROR_INVALID;
	}
}

void *kube_status_object_error(const json_t *status, struct error **err)
{
	const char *message = json_string_value(json_object_get(status, "message"));
	const char *reason = json_string_value(json_object_get(status, "reason"));
	int code = (int)json_integer_value(json_object_get(status, "code"));

	if (code == 401)
		return error_set(
			err, ERROR_AUTH,
			"the API server does not accept our credentials (%s); log in again, "
			"or renew them in the kubeconfig",
			message && *message ? message : "Unauthorized");
	if (!message || !*message)
		message = reason && *reason ? reason : "the API server gives no reason";
	return error_set(err, kube_status_kind(code), "%s", message);
}

/* What proxies and load balancers say is text, not a Status: its first line is shown. */
static void *plain_error(int status, const char *body, size_t size, struct error **err)
{
	size_t shown = strcspn(body, "\r\n");
	bool readable = shown && shown < 200 && *body != '<' && text_is_utf8(body, size);

	if (status < 400)
		return error_set(err, ERROR_INVALID,
		                 "answered with HTTP status %d: this is no Kubernetes API server",
		                 status);
	return error_set(err, kube_status_kind(status),
	                 "the server answered with HTTP status %d%s%.*s", status,
	                 readable ? ": " : "", readable ? (int)shown : 0, body);
}

void *kube_status_error(int status, const char *body, size_t size, struct error **err)
{
	json_auto_t *object = json_loadb(body, size, 0, NULL);
	const char *kind = json_string_value(json_object_get(object, "kind"));

	if (!text_equal(kind, "Status"))
		return plain_error(status, body, size, err);
	if (json_integer_value(json_object_get(object, "code")) != status)
		json_object_set_new(object, "code", json_integer(status));
	return kube_status_object_error(object, err);
}
