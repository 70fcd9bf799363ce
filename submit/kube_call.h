/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of the API server, before anybody sends it; a part of submit/kube_client and
 * submit/kube_exchange. */
#ifndef SUBMIT_KUBE_CALL_H
#define SUBMIT_KUBE_CALL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "submit/kube_client.h"

/* One object, or a collection (`name` NULL). Borrowed. */
struct kube_place {
	const struct kube_kind *kind;
	const char *namespace; /* not needed for what is cluster-wide */
	const char *name;
};

/* One request. Owned but for the method and the type. */
struct kube_call {
	const char *method;
	const char *content_type; /* of the body */
	char *path;               /* with its query */
	char *body;               /* or NULL; may hold secrets */
	char *purpose; /* "create Pod 'x' in namespace 'y'": what its errors begin with */
	bool blind;    /* an exchange does not read the answer: parsing is most of its cost */
};
/* `path` and `purpose` are taken over. */
struct kube_call *kube_call_new_take(const char *method, char *path, char *purpose);
void kube_call_free(struct kube_call *call);
DEFINE_CLEANUP(kube_call);

/* Each NULL with INVALID when the place's names would address something else ("", ".", ".."). The
 * flags are kube_write_flags. What they do is said in kube_client.h. */
struct kube_call *kube_call_new_get(const struct kube_place *place, struct error **err);
struct kube_call *kube_call_new_create(const struct kube_place *place, const json_t *object,
                                       unsigned flags, struct error **err);
struct kube_call *kube_call_new_apply(const struct kube_place *place, const json_t *object,
                                      unsigned flags, struct error **err);
struct kube_call *kube_call_new_patch(const struct kube_place *place, const json_t *patch,
                                      struct error **err);
struct kube_call *kube_call_new_delete(const struct kube_place *place, int64_t grace_s,
                                       struct error **err);
/* `label_selector` is not empty: without one it would be all. */
struct kube_call *kube_call_new_delete_all(const struct kube_place *place,
                                           const char *label_selector, struct error **err);
/* One page; `resume` is the page before's `continue`, or NULL. */
struct kube_call *kube_call_new_list(const struct kube_place *place,
                                     const struct kube_list_options *options, const char *resume,
                                     struct error **err);
/* At most about limit_bytes from the end of a container's log. */
struct kube_call *kube_call_new_log(const struct kube_place *pod, const char *container,
                                    size_t limit_bytes, struct error **err);

#endif
