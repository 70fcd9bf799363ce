/* SPDX-License-Identifier: Apache-2.0 */
/* Asks the API server which rights there are: those that are needed, and those that are too many.
 */
#include <string.h>

#include "core/memory.h"
#include "core/text.h"
#include "submit/kube_object.h"
#include "submit/rbac.h"

/* spec.resourceAttributes of a review: "pods/log" is the resource pods with a subresource. */
static json_t *attributes_of(const json_t *right, const char *namespace)
{
	const char *resource = json_string_value(json_object_get(right, "resource"));
	const char *slash = strchr(resource, '/');
	size_t size = slash ? (size_t)(slash - resource) : strlen(resource);
	bool everywhere = json_is_true(json_object_get(right, "everywhere"));
	json_t *attributes =
		json_pack("{s:s, s:O, s:O, s:s#}", "namespace", everywhere ? "" : namespace, "verb",
	                  json_object_get(right, "verb"), "group", json_object_get(right, "group"),
	                  "resource", resource, (int)size);

	if (slash)
		json_object_set_new(attributes, "subresource", json_string(slash + 1));
	return attributes;
}

/* The groups that every service account is in: rights may be bound to them. */
static json_t *groups_of(const json_t *subject)
{
	const char *namespace = json_string_value(json_object_get(subject, "namespace"));
	scoped(text) char *accounts =
		text_printf("system:serviceaccounts:%s", namespace ? namespace : "");

	if (text_equal(kube_object_kind(subject), "Group"))
		return json_pack("[s]", json_string_value(json_object_get(subject, "name")));
	if (text_equal(kube_object_kind(subject), "ServiceAccount"))
		return json_pack("[s, s, s]", "system:serviceaccounts", accounts,
		                 "system:authenticated");
	return json_pack("[s]", "system:authenticated");
}

static bool is_own(const json_t *right)
{
	return text_equal(json_string_value(json_object_get(right, "who")), RBAC_OWN_RIGHTS);
}

/* The kind of review that answers for `right`, as far as the caller may ask. */
static const char *review_kind(const json_t *right)
{
	if (is_own(right))
		return "SelfSubjectAccessReview";
	return json_is_true(json_object_get(right, "everywhere")) ? "SubjectAccessReview"
	                                                          : "LocalSubjectAccessReview";
}

static json_t *review_of(const json_t *right, const char *namespace)
{
	const json_t *subject = json_object_get(right, "subject");
	json_t *spec = json_pack("{s:o}", "resourceAttributes", attributes_of(right, namespace));
	json_t *review = json_pack("{s:s, s:s, s:{}, s:o}", "apiVersion", "authorization.k8s.io/v1",
	                           "kind", review_kind(right), "metadata", "spec", spec);

	if (is_own(right))
		return review;
	if (!kube_kind_of(review)->cluster_scoped)
		json_object_set_new(json_object_get(review, "metadata"), "namespace",
		                    json_string(namespace));
	json_object_set_new(spec, "groups", groups_of(subject));
	if (!text_equal(kube_object_kind(subject), "Group"))
		json_object_set(spec, "user", json_object_get(right, "who"));
	return review;
}

bool rbac_check(struct kube_client *client, const char *namespace, json_t *right,
                struct error **err)
{
	struct error *failure = NULL;
	json_auto_t *review = review_of(right, namespace);
	const struct kube_kind *kind = kube_kind_of(review);
	json_auto_t *answer = kube_client_create(
		client, kind, kind->cluster_scoped ? NULL : namespace, review, 0, &failure);
	const json_t *status = json_object_get(answer, "status");
	json_t *reason = json_object_get(status, "reason");

	if (!answer && failure->kind == ERROR_AUTH && !is_own(right)) {
		error_free(failure);
		json_object_set_new(right, "allowed", json_string("unknown"));
		return true;
	}
	if (!answer)
		return error_pass(err, failure);
	json_object_set_new(
		right, "allowed",
		json_string(json_is_true(json_object_get(status, "allowed")) ? "yes" : "no"));
	if (reason && *json_string_value(reason))
		json_object_set(right, "reason", reason);
	return true;
}
