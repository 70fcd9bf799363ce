/* SPDX-License-Identifier: Apache-2.0 */
/* The Kubernetes API as JSON over HTTP: json_t in, json_t out, Status turned into errors. */
#ifndef SUBMIT_KUBE_CLIENT_H
#define SUBMIT_KUBE_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "core/http.h"
#include "submit/kube_config.h"

struct kube_client;

/* Takes the config; `http` is kept and must live longer. No request is made. */
struct kube_client *kube_client_new_take(struct http_client *http, struct kube_config *config);
void kube_client_free(struct kube_client *client);
DEFINE_CLEANUP(kube_client);
const struct kube_config *kube_client_config(const struct kube_client *client);
struct loop *kube_client_loop(const struct kube_client *client);
/* How far the API server's clock is ahead of ours, by its last answer, to half a second; false when
 * none has told. */
bool kube_client_clock_ahead(const struct kube_client *client, int64_t *ahead_ms);

/* A kind of object that stepop deals with: where its collection lives. */
struct kube_kind {
	const char *api;    /* "/api/v1" or "/apis/rbac.authorization.k8s.io/v1" */
	const char *plural; /* "pods" */
	const char *kind;   /* "Pod" */
	bool cluster_scoped;
};
/* By an object's apiVersion and kind, or NULL: Pod, Service, ConfigMap, Secret, Namespace,
 * ServiceAccount, Role, RoleBinding, Event, PersistentVolumeClaim, NetworkPolicy, Volcano's
 * PodGroup, SelfSubjectAccessReview, SubjectAccessReview, LocalSubjectAccessReview … */
const struct kube_kind *kube_kind_find(const char *api_version, const char *kind);
const struct kube_kind *kube_kind_of(const json_t *object);
extern const struct kube_kind kube_pods, kube_services, kube_config_maps, kube_secrets,
	kube_namespaces, kube_service_accounts, kube_roles, kube_role_bindings, kube_events;

/*
 * Requests that wait, each with a deadline (default 30 s). 429 and 5xx are tried again, 4 times
 * in all, after Retry-After or 100 ms doubling; a create whose answer was lost may therefore
 * meet its own object: CONFLICT. A 401 gets one fresh credential. Status maps to kinds:
 * 400/422 INVALID, 401/403 AUTH, 404 NOT_FOUND, 409 CONFLICT, 410 GONE, 429/5xx UNAVAILABLE, 504
 * TIMEOUT; the message is the server's. `namespace` NULL: the config's.
 */
json_t *kube_client_get(struct kube_client *client, const struct kube_kind *kind,
                        const char *namespace, const char *name, struct error **err);

/* Called per item (borrowed) over all pages (limit=500, continue; 410 in between starts anew:
 * `restart` says so). */
struct kube_list_options {
	const char *label_selector, *field_selector; /* or NULL */
	int64_t page_size;                           /* 0: 500 */
};
/* An array of items; *resource_version (owned by the caller, may be NULL) is where a watch can
 * start. */
json_t *kube_client_list(struct kube_client *client, const struct kube_kind *kind,
                         const char *namespace, const struct kube_list_options *options,
                         char **resource_version, struct error **err);

enum kube_write_flags {
	KUBE_DRY_RUN = 1, /* dryRun=All */
};
/* The object as stored, owned by the caller. The namespace is `namespace`, else the object's, else
 * the config's. */
json_t *kube_client_create(struct kube_client *client, const struct kube_kind *kind,
                           const char *namespace, const json_t *object, unsigned flags,
                           struct error **err);
/* Server-side apply with fieldManager=stepop, force. */
json_t *kube_client_apply(struct kube_client *client, const struct kube_kind *kind,
                          const char *namespace, const json_t *object, unsigned flags,
                          struct error **err);
/* JSON merge patch (RFC 7386). */
json_t *kube_client_patch(struct kube_client *client, const struct kube_kind *kind,
                          const char *namespace, const char *name, const json_t *patch,
                          struct error **err);
/* Background propagation. grace_s -1: the object's own. An absent object is NOT_FOUND. */
bool kube_client_delete(struct kube_client *client, const struct kube_kind *kind,
                        const char *namespace, const char *name, int64_t grace_s,
                        struct error **err);
bool kube_client_delete_collection(struct kube_client *client, const struct kube_kind *kind,
                                   const char *namespace, const char *label_selector,
                                   struct error **err);
/* Text of a container's log (container NULL: the only one), at most limit_bytes from its end (tail)
 * . */
char *kube_client_log(struct kube_client *client, const char *namespace, const char *pod,
                      const char *container, size_t limit_bytes, struct error **err);
/*
 * Starts a GET whose answer is followed on the loop: watches and logs. `path` begins with the API's
 * ("/api/v1/…?watch=true"). `fresh` asks for a new credential, after a 401. May wait for a
 * credential plugin. Errors within the answer are the caller's: kube_status_error().
 */
struct http_transfer *kube_client_start(struct kube_client *client, const char *path, bool fresh,
                                        int64_t idle_timeout_ms, const struct http_events *events,
                                        void *context, struct error **err);
/* Says about a stream's own error (no answer came) where to look; returns NULL. */
void *kube_client_explain(const struct kube_client *client, struct error **err);
/* GET of any path, "/version" say. */
json_t *kube_client_get_path(struct kube_client *client, const char *path, struct error **err);

#endif
