/* SPDX-License-Identifier: Apache-2.0 */
/* What all Kubernetes objects have in common: names, labels, owner references, conditions. */
#ifndef SUBMIT_KUBE_OBJECT_H
#define SUBMIT_KUBE_OBJECT_H

#include <jansson.h>
#include <stdbool.h>

/* apiVersion, kind and metadata; `namespace` NULL for what is cluster-wide; `labels` (an object,
 * may be NULL) is copied. Owned by the caller. */
json_t *kube_object_new(const char *api_version, const char *kind, const char *namespace,
                        const char *name, const json_t *labels);

/* Borrowed from the object; NULL when it has none. */
const char *kube_object_kind(const json_t *object);
const char *kube_object_name(const json_t *object);
const char *kube_object_namespace(const json_t *object);
const char *kube_object_uid(const json_t *object);
const char *kube_object_label(const json_t *object, const char *key);
/* Of status.conditions, by its type; borrowed; NULL when there is none. */
const json_t *kube_object_condition(const json_t *object, const char *type);

/* Has a deletionTimestamp: it is there only until its finalizers or its grace are over. */
bool kube_object_is_terminating(const json_t *object);
bool kube_object_is_owned_by(const json_t *object, const json_t *owner);

/* The merge patch that makes `owner` (as stored, with its uid) the only owner, and the controller,
 * as spark-submit does. Owned by the caller. */
json_t *kube_object_owner_patch(const json_t *owner);

/* For showing: of each Secret in the array of objects the keys only. */
void kube_object_hide_secrets(json_t *objects);

/*
 * `text` as the value of a label: at most 63 of [A-Za-z0-9_.-], letters or digits at both ends.
 * Unchanged when it is one already; otherwise cleaned, cut and followed by 8 hex digits of its
 * hash, so that different texts stay different. Selectors need the same value. Owned by the caller.
 */
char *kube_object_label_value(const char *text);

/* RFC 1123: a label (at most 63), or a subdomain of labels and dots (at most 253). */
bool kube_object_is_label(const char *name);
bool kube_object_is_subdomain(const char *name);

#endif
