/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of the Kubernetes API, and what its Status answers mean; a part of submit/kube_client. */
#ifndef SUBMIT_KUBE_REQUEST_H
#define SUBMIT_KUBE_REQUEST_H

#include <jansson.h>
#include <stdbool.h>

#include "core/http.h"
#include "submit/kube_client.h"

/*
 * "/api/v1/namespaces/NS/pods/NAME", every segment escaped; `name` NULL: the collection. Owned by
 * the caller. INVALID when a name is empty, "." or "..": it would address something else.
 */
char *kube_path(const struct kube_kind *kind, const char *namespace, const char *name,
                struct error **err);

/* A path and its query parameters, one after another. */
struct kube_query;
struct kube_query *kube_query_new(const char *path);
/* A NULL or empty value is left out. */
void kube_query_add(struct kube_query *query, const char *name, const char *value);
void kube_query_add_int(struct kube_query *query, const char *name, int64_t value);
/* Frees the query; the text is owned by the caller. */
char *kube_query_finish(struct kube_query *query);

/* The error kind for an HTTP status of 300 or more. */
enum error_kind kube_status_kind(int status);
/* Sets the error that a Status (or any other refusal) means; returns NULL. */
void *kube_status_error(int status, const char *body, size_t size, struct error **err);
/* The same for the object of an ERROR event. */
void *kube_status_object_error(const json_t *status, struct error **err);

/* Sets apiVersion and kind where a list has left them out, drops managedFields. */
void kube_object_complete(json_t *object, const struct kube_kind *kind);

#endif
