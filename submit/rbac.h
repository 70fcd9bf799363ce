/* SPDX-License-Identifier: Apache-2.0 */
/* The rights that stepop and its drivers need: manifests of rbac/, filled in, applied, compared,
 * checked. */
#ifndef SUBMIT_RBAC_H
#define SUBMIT_RBAC_H

#include <jansson.h>
#include <stdbool.h>

#include "core/error.h"
#include "submit/kube_client.h"

/* "who" of a right that is the caller's own. */
#define RBAC_OWN_RIGHTS "you"

/* What not everybody needs: Roles of their own, in rbac/{driver,submitter}-<name>.yaml. */
enum rbac_part {
	RBAC_SECRETS = 1 << 0,          /* "secrets": values that no ConfigMap may hold */
	RBAC_VOLUMES = 1 << 1,          /* "volumes": claims on demand */
	RBAC_NETWORK_POLICIES = 1 << 2, /* "network-policies": Spark 4.2 and later */
	RBAC_POD_GROUPS = 1 << 3,       /* "pod-groups": gang scheduling */
	RBAC_RESIZING = 1 << 4,         /* "resizing": executors that grow */
	RBAC_SECRETS_MANAGER = 1 << 5,  /* "secrets-manager": of the flavor kubernetes */
	RBAC_STACK_CHECK = 1 << 6,      /* "stack-check": a look at namespace and quotas */
};
#define RBAC_ALL_PARTS ((1 << 7) - 1)
/* The part of this name, or 0. */
unsigned rbac_part_find(const char *name);

struct rbac_options {
	const char *namespace;
	const char *service_account; /* of the drivers */
	/* Who runs stepop: a user ("system:serviceaccount:ns:name" for an account), a group, or an
	 * account of this namespace, which is then made as well; at most one; all NULL: the
	 * manifests of the submitter are left out. */
	const char *submitter, *submitter_group, *runner;
	unsigned parts; /* enum rbac_part */
};

/*
 * The objects in the order in which they can be applied: Namespace, ServiceAccount, Role,
 * RoleBinding of the driver; those of its parts; Role and RoleBinding of the submitter; those of
 * his parts. Owned by the caller. "${namespace}" and its like are replaced within the texts of the
 * parsed documents, so that no value can change their structure. Kubernetes' own rules for names
 * are checked: INVALID.
 */
json_t *rbac_objects(const struct rbac_options *options, struct error **err);

/* Every "${name}" within the texts of `value` by `values` (name -> text); a text that is nothing
 * else may become any value. INVALID for a name that is not among them. A new document, owned by
 * the caller. */
json_t *rbac_fill_in(const json_t *value, const json_t *values, struct error **err);

/* The parts that the objects of a submission (driver_objects_build) call for. */
unsigned rbac_parts_of(const json_t *objects);

/* Makes `object` what it should be (server-side apply). A Namespace is only created, when it is
 * missing. `*result` is "applied", "created" or "exists". */
bool rbac_apply(struct kube_client *client, const json_t *object, const char **result,
                struct error **err);

/*
 * Appends to `rows` what rbac_apply() would change of `object`: "object" ("Role/stepop-driver"),
 * "change" ("create": the whole of it, or "update"), "field" ("rules[0].verbs"), "server" and
 * "wanted" as JSON texts, null where there is nothing.
 */
bool rbac_diff(struct kube_client *client, const json_t *object, json_t *rows, struct error **err);
/* The same for an object as it is stored, NULL: not at all. No request. Fields that `wanted` says
 * nothing about are not compared, but rules, subjects and their lists are compared as a whole. */
void rbac_compare(const json_t *stored, const json_t *wanted, json_t *rows);

/*
 * One row for each right of the objects' Roles: "who" (as the API server calls it), "verb",
 * "resource" ("pods/log"), and "subject", the binding's. The submitter's, when the options name
 * none, are the caller's own. Owned by the caller.
 */
json_t *rbac_rights(const struct rbac_options *options, struct error **err);

/*
 * Rows like those for rights that the driver's account, and so every program that a user runs,
 * should not have: to read Secrets, to enter pods, to grant rights, to act in all namespaces
 * ("everywhere": true). "why" says what it could do with it. Owned by the caller.
 */
json_t *rbac_dangers(const struct rbac_options *options);
/* Those of them that are granted, as rbac_check() leaves them. What may not be asked is not among
 * them. Owned by the caller; NULL when the API server cannot be asked. */
json_t *rbac_find_dangers(struct kube_client *client, const struct rbac_options *options,
                          struct error **err);
/* A text for each binding that grants some of these: what can be done by it, and which it is.
 * Owned by the caller. */
json_t *rbac_danger_sentences(const json_t *dangers);

/*
 * Asks the API server whether `right` is granted: sets "allowed" to "yes", "no", or, when the
 * caller may not ask about others, "unknown"; and "reason" to the words of the API server, if it
 * has any.
 */
bool rbac_check(struct kube_client *client, const char *namespace, json_t *right,
                struct error **err);

#endif
