/* SPDX-License-Identifier: Apache-2.0 */
/* The rights that stepop and its drivers need: manifests of rbac/, filled in, applied, checked. */
#ifndef SUBMIT_RBAC_H
#define SUBMIT_RBAC_H

#include <jansson.h>
#include <stdbool.h>

#include "core/error.h"
#include "submit/kube_client.h"

/* "who" of a right that is the caller's own. */
#define RBAC_OWN_RIGHTS "you"

struct rbac_options {
	const char *namespace;
	const char *service_account; /* of the drivers */
	/* Who runs stepop: a user ("system:serviceaccount:ns:name" for an account) or a group; at
	 * most one; both NULL: the manifests of the submitter are left out. */
	const char *submitter, *submitter_group;
};

/*
 * The objects in the order in which they can be applied: Namespace, ServiceAccount, Role,
 * RoleBinding of the driver; Role and RoleBinding of the submitter. Owned by the caller.
 * "${namespace}" and its like are replaced within the texts of the parsed documents, so that no
 * value can change their structure. Kubernetes' own rules for names are checked: INVALID.
 */
json_t *rbac_objects(const struct rbac_options *options, struct error **err);

/* Every "${name}" within the texts of `value` by `values` (name -> text). INVALID for a name that
 * is not among them. A new document, owned by the caller. */
json_t *rbac_fill_in(const json_t *value, const json_t *values, struct error **err);

/* Makes `object` what it should be (server-side apply). A Namespace is only created, when it is
 * missing. `*result` is "applied", "created" or "exists". */
bool rbac_apply(struct kube_client *client, const json_t *object, const char **result,
                struct error **err);

/*
 * One row for each right of the objects' Roles: "who" (as the API server calls it), "verb",
 * "resource" ("pods/log"), and "subject", the binding's. The submitter's, when the options name
 * none, are the caller's own. Owned by the caller.
 */
json_t *rbac_rights(const struct rbac_options *options, struct error **err);

/* Asks the API server whether `right` is granted: sets "allowed" to "yes", "no", or, when the
 * caller may not ask about others, "unknown". */
bool rbac_check(struct kube_client *client, const char *namespace, json_t *right,
                struct error **err);

#endif
