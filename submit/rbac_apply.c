/* SPDX-License-Identifier: Apache-2.0 */
/* Brings the rights to the cluster. */
#include "core/text.h"
#include "submit/kube_object.h"
#include "submit/rbac.h"

/* Who may not read or create namespaces may still have rights in this one: the next request tells.
 */
static bool apply_namespace(struct kube_client *client, const json_t *object, const char **result,
                            struct error **err)
{
	struct error *failure = NULL;
	json_auto_t *stored = kube_client_get(client, kube_kind_of(object), NULL,
	                                      kube_object_name(object), &failure);

	*result = "exists";
	if (stored)
		return true;
	if (failure->kind == ERROR_AUTH) {
		error_free(failure);
		return true;
	}
	if (failure->kind != ERROR_NOT_FOUND)
		return error_pass(err, failure);
	error_free(failure);
	stored = kube_client_create(client, kube_kind_of(object), NULL, object, 0, err);
	*result = "created";
	return stored;
}

bool rbac_apply(struct kube_client *client, const json_t *object, const char **result,
                struct error **err)
{
	json_auto_t *stored = NULL;

	if (text_equal(kube_object_kind(object), "Namespace"))
		return apply_namespace(client, object, result, err);
	stored = kube_client_apply(client, kube_kind_of(object), kube_object_namespace(object),
	                           object, 0, err);
	*result = "applied";
	return stored;
}
